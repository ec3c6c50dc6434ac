/* SPDX-License-Identifier: MIT */
/* Names: the dictionaries of the file, and what of them is kept in memory. */
#include "store/dictionaries.h"

#include "base/clock.h"
#include "base/format.h"
#include "base/hash.h"
#include "base/vec.h"
#include "store/sql.h"

/* A dictionary that has more begins anew in memory. */
#define ENTRIES_MAX 65536
#define FIELDS_MAX 7

struct dictionary_entry {
    const char *bytes;
    uint32_t length, id;
};

/* A column of a thing: a text, or a number where `text` is NULL. */
struct name_field {
    const char *text;
    size_t length;
    int64_t number;
};

#define TEXT(bytes, count) ((struct name_field){.text = (bytes), .length = (count)})
#define NUMBER(value) ((struct name_field){.number = (value)})

static const struct {
    const char *find, *add;
    uint8_t fields;
} texts[DICTIONARY_MAX] = {
    [DICTIONARY_NETNS] = {"SELECT id FROM netns WHERE inode = ? AND name = ? AND initial = ?",
                          "INSERT INTO netns(inode, name, initial) VALUES(?, ?, ?)", 3},
    [DICTIONARY_PROCESS] =
        {"SELECT id FROM process WHERE kind = ? AND comm = ? AND exe = ? AND uid = ? AND "
         "cgroup = ? AND netns = ?",
         "INSERT INTO process(kind, comm, exe, uid, cgroup, netns) VALUES(?, ?, ?, ?, ?, ?)", 6},
    [DICTIONARY_ENDPOINT] = {"SELECT id FROM endpoint WHERE address = ? AND port = ? AND proto = ? "
                             "AND direction = ? AND interface = ?",
                             "INSERT INTO endpoint(address, port, proto, direction, interface) "
                             "VALUES(?, ?, ?, ?, ?)",
                             5},
    [DICTIONARY_INTERFACE] = {"SELECT id FROM interface WHERE netns = ? AND name = ?",
                              "INSERT INTO interface(netns, name) VALUES(?, ?)", 2},
    [DICTIONARY_COUNTER] = {"SELECT id FROM counter WHERE netns = ? AND name = ? AND cpu = ? AND "
                            "source = ? AND grp = ? AND label = ? AND flags = ?",
                            "INSERT INTO counter(netns, name, cpu, source, grp, label, flags) "
                            "VALUES(?, ?, ?, ?, ?, ?, ?)",
                            7},
};

static void dictionary_done(struct dictionary *dictionary)
{
    map_done(&dictionary->index);
    arena_done(&dictionary->bytes);
    free(dictionary->entries);
    *dictionary = (struct dictionary){0};
}

void dictionaries_done(struct dictionaries *names)
{
    for (unsigned int i = 0; i < DICTIONARY_MAX; i++)
        dictionary_done(&names->dictionaries[i]);
    map_done(&names->instances);
    buf_done(&names->key);
    names->key = BUF_INIT;
}

/* The entry if it is there, else MAP_NONE; *hash becomes its key in the index, or what it will be.
 */
static uint32_t find_entry(const struct dictionary *dictionary, const void *bytes, size_t length,
                           uint64_t *hash)
{
    uint32_t entry;

    while ((entry = map_get(&dictionary->index, *hash)) != MAP_NONE &&
           (dictionary->entries[entry].length != length ||
            memcmp(dictionary->entries[entry].bytes, bytes, length) != 0))
        ++*hash;
    return entry;
}

static int remember(struct dictionary *dictionary, uint64_t hash, const void *bytes, size_t length,
                    uint32_t id)
{
    char *copy;
    int r;

    if (dictionary->count < ENTRIES_MAX)
        find_entry(dictionary, bytes, length, &hash);
    else
        dictionary_done(dictionary); /* and any hash is free */
    copy = arena_copy(&dictionary->bytes, bytes, length);
    r = copy ? VEC_RESERVE(&dictionary->entries, &dictionary->capacity, dictionary->count, 1)
             : -ENOMEM;
    if (r == 0)
        r = map_set(&dictionary->index, hash, dictionary->count);
    if (r == 0)
        dictionary->entries[dictionary->count++] =
            (struct dictionary_entry){copy, (uint32_t)length, id};
    return r;
}

static int run_name(struct store *store, unsigned int dictionary, bool add,
                    const struct name_field *fields, int64_t *ret_id)
{
    sqlite3_stmt *statement;
    int r = sql_prepare(store, STATEMENT_NAME + 2 * dictionary + add,
                        add ? texts[dictionary].add : texts[dictionary].find, &statement);

    for (int i = 0; r == 0 && i < texts[dictionary].fields; i++) {
        if (fields[i].text)
            sql_bind_text(statement, i + 1, fields[i].text, fields[i].length);
        else
            sql_bind(statement, i + 1, (uint64_t)fields[i].number);
    }
    if (r == 0)
        r = sql_step(statement);
    if (r > 0) {
        *ret_id = sqlite3_column_int64(statement, 0);
        sqlite3_reset(statement);
    } else if (r == 0 && add) {
        *ret_id = sqlite3_last_insert_rowid(store->db);
    }
    return r < 0 ? r : 0;
}

/* `bytes` with their hash stand for the fields: what is in memory is found by them. */
static int give_id(struct store *store, unsigned int id, uint64_t hash, const void *bytes,
                   size_t length, const struct name_field *fields, uint32_t *ret_id)
{
    struct dictionary *dictionary = &store->names.dictionaries[id];
    int64_t found = 0;
    uint64_t key = hash;
    uint32_t entry = find_entry(dictionary, bytes, length, &key);
    int r;

    if (entry != MAP_NONE) {
        *ret_id = dictionary->entries[entry].id;
        return 0;
    }
    r = run_name(store, id, false, fields, &found);
    if (r == 0 && !found)
        r = run_name(store, id, true, fields, &found);
    if (r == 0)
        r = remember(dictionary, hash, bytes, length, (uint32_t)found);
    if (r == 0)
        *ret_id = (uint32_t)found;
    return r;
}

static int give_id_of_fields(struct store *store, unsigned int id, const struct name_field *fields,
                             uint32_t *ret_id)
{
    struct buf *key = &store->names.key;

    buf_reset(key);
    for (unsigned int i = 0; i < texts[id].fields; i++) {
        buf_put(key, &fields[i].number, sizeof(fields[i].number));
        buf_put(key, &fields[i].length, sizeof(fields[i].length));
        if (fields[i].length)
            buf_put(key, fields[i].text, fields[i].length);
    }
    if (key->error)
        return key->error;
    return give_id(store, id, hash_words(HASH_INIT, key->data, key->length), key->data, key->length,
                   fields, ret_id);
}

static struct name_field string_field(const struct snapshot *snapshot, uint32_t string)
{
    size_t length;
    const char *bytes = snapshot_string(snapshot, string, &length);

    return TEXT(bytes, length);
}

/* The inode of a namespace with a name may change from boot to boot; it is still the same. */
int dictionary_netns(struct store *store, const struct snapshot *snapshot, uint32_t netns,
                     uint32_t *ret_id)
{
    const struct netns *ns = netns < snapshot->netns_count ? &snapshot->netns[netns] : NULL;
    bool initial = ns && ns->flags & NETNS_INIT;
    struct name_field fields[] = {
        NUMBER(ns && !ns->name && !initial ? ns->inode : 0),
        string_field(snapshot, ns ? ns->name : 0),
        NUMBER(initial),
    };

    return give_id_of_fields(store, DICTIONARY_NETNS, fields, ret_id);
}

/* --- processes --- */

#define UNKNOWN_UID INT64_C(-1)

/* Strings of the snapshot. */
struct identity {
    enum process_kind kind;
    uint32_t comm, exe, cgroup, netns;
    int64_t uid;
};

static int identify(struct store *store, const struct snapshot *snapshot,
                    const struct identity *identity, uint32_t *ret_id)
{
    struct name_field fields[] = {
        NUMBER(identity->kind),
        string_field(snapshot, identity->comm),
        string_field(snapshot, identity->exe),
        NUMBER(identity->uid),
        string_field(snapshot, identity->cgroup),
        NUMBER(0),
    };
    uint32_t netns;
    int r = dictionary_netns(store, snapshot, identity->netns, &netns);

    fields[5].number = netns;
    return r < 0 ? r : give_id_of_fields(store, DICTIONARY_PROCESS, fields, ret_id);
}

static uint64_t instance_key(uint32_t pid, uint64_t start_ticks, uint32_t netns)
{
    return hash_number(hash_number(hash_number(HASH_INIT, pid), start_ticks), netns);
}

static int run_instance(struct store *store, unsigned int number, const char *text,
                        const struct snapshot *snapshot, const uint64_t instance[3])
{
    sqlite3_stmt *statement;
    int r = sql_prepare(store, number, text, &statement);

    if (r < 0)
        return r;
    for (int i = 0; i < 3; i++)
        sql_bind(statement, i + 1, instance[i]);
    sql_bind(statement, 4, snapshot->time_ns / SECOND_NS);
    return sql_run(statement);
}

static int remember_instance(struct store *store, const struct snapshot *snapshot, uint32_t id,
                             uint32_t pid, uint64_t start_ticks, uint32_t netns)
{
    const uint64_t instance[3] = {id, pid, start_ticks};
    uint64_t key = instance_key(pid, start_ticks, netns);
    int r;

    if (map_get(&store->names.instances, key) == id)
        return 0;
    if (store->names.instances.count >= ENTRIES_MAX)
        map_clear(&store->names.instances);
    r = map_set(&store->names.instances, key, id);
    if (r == 0)
        r = run_instance(store, STATEMENT_ADD_INSTANCE,
                         "INSERT INTO instance VALUES(?1, ?2, ?3, ?4, ?4)"
                         " ON CONFLICT DO UPDATE SET last = ?4",
                         snapshot, instance);
    return r < 0 ? r
                 : run_instance(store, STATEMENT_LAST_INSTANCE,
                                "UPDATE process SET pid = ?2, start_ticks = ?3 WHERE id = ?1"
                                " AND ?4 = (SELECT first FROM instance WHERE process = ?1"
                                " AND pid = ?2 AND start_ticks = ?3)",
                                snapshot, instance);
}

int dictionary_process(struct store *store, const struct snapshot *snapshot,
                       const struct process *process, uint32_t netns, uint32_t *ret_id)
{
    struct identity identity = {
        .comm = process->comm,
        .exe = process->has & PROCESS_HAS_EXE ? process->exe : 0,
        .cgroup = process->has & PROCESS_HAS_CGROUP ? process->cgroup : 0,
        .uid = process->has & PROCESS_HAS_UID ? (int64_t)process->uid : UNKNOWN_UID,
        .netns = netns,
    };
    uint32_t id;
    int r = identify(store, snapshot, &identity, &id);

    if (r == 0)
        r = remember_instance(store, snapshot, id, process->pid, process->start_ticks, netns);
    if (r == 0)
        *ret_id = id;
    return r;
}

/* One that has ended and is not in the snapshot any more: what it was called when it was. */
static int dictionary_gone_process(struct store *store, const struct snapshot *snapshot,
                                   const struct identity *identity, uint32_t pid,
                                   uint64_t start_ticks, uint32_t *ret_id)
{
    uint32_t id = map_get(&store->names.instances, instance_key(pid, start_ticks, identity->netns));
    int r = 0;

    if (id == MAP_NONE || !pid)
        r = identify(store, snapshot, identity, &id);
    if (r == 0 && pid)
        r = remember_instance(store, snapshot, id, pid, start_ticks, identity->netns);
    if (r == 0)
        *ret_id = id;
    return r;
}

int dictionary_process_of_flow(struct store *store, const struct snapshot *snapshot,
                               const struct flow *flow, uint32_t *ret_id)
{
    bool other = flow->flags & FLOW_OTHER, known = !other && (flow->pid || flow->comm);
    struct identity identity = {
        .kind = other   ? PROCESS_OTHER
                : known ? PROCESS_KNOWN
                        : PROCESS_NONE,
        .comm = known ? flow->comm : 0,
        .cgroup = known ? snapshot_process_cgroup(snapshot, flow->cgroup_id) : 0,
        .uid = known ? (int64_t)flow->uid : UNKNOWN_UID,
        .netns = flow->netns,
    };

    if (flow->process)
        return dictionary_process(store, snapshot, &snapshot->processes[flow->process - 1],
                                  flow->netns, ret_id);
    return dictionary_gone_process(store, snapshot, &identity, known ? flow->pid : 0,
                                   flow->start_ticks, ret_id);
}

int dictionary_process_of_event(struct store *store, const struct snapshot *snapshot,
                                const struct event *event, uint32_t *ret_id)
{
    bool known = event->has & EVENT_HAS_PROCESS;
    uint32_t process = known ? map_get(&snapshot->process_index, event->pid) : MAP_NONE;
    struct identity identity = {
        .kind = known ? PROCESS_KNOWN : PROCESS_NONE,
        .comm = known ? event->comm : 0,
        .cgroup = known ? snapshot_process_cgroup(snapshot, event->cgroup_id) : 0,
        .uid = known && event->has & EVENT_HAS_UID ? (int64_t)event->uid : UNKNOWN_UID,
        .netns = event->netns,
    };

    if (process != MAP_NONE && snapshot->processes[process].has & PROCESS_HAS_COMM)
        return dictionary_process(store, snapshot, &snapshot->processes[process], event->netns,
                                  ret_id);
    return identify(store, snapshot, &identity, ret_id);
}

/* --- the others --- */

static const char *const directions[] = {
    [ENDPOINT_UNKNOWN] = "",
    [ENDPOINT_OUT] = "out",
    [ENDPOINT_IN] = "in",
    [ENDPOINT_LISTEN] = "listen",
};

static int write_endpoint(struct store *store, const struct endpoint *endpoint, uint64_t hash,
                          uint32_t *ret_id)
{
    const char *proto = endpoint->proto ? socket_proto_name(endpoint->proto) : "";
    const char *direction = directions[endpoint->direction];
    char address[FORMAT_ADDRESS_MAX];
    size_t length = 0;

    if (endpoint->family)
        length =
            (size_t)(format_address(address, endpoint->family, endpoint->address.bytes) - address);
    return give_id(store, DICTIONARY_ENDPOINT, hash, endpoint, sizeof(*endpoint),
                   (struct name_field[]){
                       TEXT(address, length),
                       NUMBER(endpoint->port),
                       TEXT(proto, strlen(proto)),
                       TEXT(direction, strlen(direction)),
                       TEXT(endpoint->interface, strnlen(endpoint->interface, 16)),
                   },
                   ret_id);
}

int dictionary_endpoint(struct store *store, const struct endpoint *endpoint, uint32_t *ret_id)
{
    const struct dictionary *dictionary = &store->names.dictionaries[DICTIONARY_ENDPOINT];
    uint64_t hash = endpoint_hash(endpoint), key = hash;
    uint32_t entry = find_entry(dictionary, endpoint, sizeof(*endpoint), &key);

    if (entry == MAP_NONE)
        return write_endpoint(store, endpoint, hash, ret_id);
    *ret_id = dictionary->entries[entry].id;
    return 0;
}

int dictionary_interface(struct store *store, const struct snapshot *snapshot,
                         const struct interface *interface, uint32_t *ret_id)
{
    uint32_t netns;
    int r = dictionary_netns(store, snapshot, interface->netns, &netns);
    struct name_field fields[] = {NUMBER(netns), string_field(snapshot, interface->name)};

    return r < 0 ? r : give_id_of_fields(store, DICTIONARY_INTERFACE, fields, ret_id);
}

int dictionary_counter(struct store *store, const struct snapshot *snapshot,
                       const struct counter *counter, uint32_t *ret_id)
{
    uint32_t netns;
    int r = dictionary_netns(store, snapshot, counter->netns, &netns);
    struct name_field fields[] = {
        NUMBER(netns),
        string_field(snapshot, counter->name),
        NUMBER(counter->cpu),
        NUMBER(counter->source),
        string_field(snapshot, counter->group),
        string_field(snapshot, counter->label),
        NUMBER(counter->flags),
    };

    return r < 0 ? r : give_id_of_fields(store, DICTIONARY_COUNTER, fields, ret_id);
}
