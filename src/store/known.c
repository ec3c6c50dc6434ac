/* SPDX-License-Identifier: MIT */
/* Known: the dictionaries, read. An id that the file does not know (a damaged one) is nameless. */
#include "store/known.h"

#include "base/clock.h"
#include "base/vec.h"

#include <arpa/inet.h>

static const char *const texts[DICTIONARY_MAX] = {
    [DICTIONARY_NETNS] = "SELECT inode, name, initial FROM netns WHERE id = ?",
    [DICTIONARY_PROCESS] =
        ("SELECT kind, comm, exe, uid, cgroup, netns, pid, start_ticks,"
         " (SELECT first FROM instance WHERE process = id AND instance.pid = process.pid"
         " AND instance.start_ticks = process.start_ticks) FROM process WHERE id = ?"),
    [DICTIONARY_ENDPOINT] =
        "SELECT proto, address, port, direction, interface FROM endpoint WHERE id = ?",
    [DICTIONARY_INTERFACE] = "SELECT netns, name FROM interface WHERE id = ?",
    [DICTIONARY_COUNTER] =
        "SELECT netns, name, grp, label, cpu, source, flags FROM counter WHERE id = ?",
};

/* Namespaces with a name have no inode in the file: it changes from boot to boot. */
#define NETNS_OF_ID UINT32_C(1)

void known_done(struct known *known)
{
    for (unsigned int i = 0; i < DICTIONARY_MAX; i++)
        map_done(&known->ids[i]);
    free(known->processes);
    free(known->endpoints);
}

/* 1: there is a row. 0: there is none, or it is damaged. */
static int look_up(struct known *known, unsigned int dictionary, uint64_t id,
                   sqlite3_stmt **ret_statement)
{
    int r =
        sql_prepare(known->store, STATEMENT_KNOW + dictionary, texts[dictionary], ret_statement);

    if (r < 0)
        return r;
    sql_bind(*ret_statement, 1, id);
    r = sql_step(*ret_statement);
    if (r != -EBADMSG)
        return r;
    known->broken++;
    return 0;
}

static int intern_column(struct known *known, sqlite3_stmt *statement, int column,
                         uint32_t *ret_string)
{
    const char *bytes = (const char *)sqlite3_column_text(statement, column);

    return snapshot_intern(known->snapshot, bytes ? bytes : "",
                           (size_t)sqlite3_column_bytes(statement, column), ret_string);
}

/* Index of what is there already, MAP_NONE: it is new. */
static uint32_t find(const struct known *known, unsigned int dictionary, uint64_t id)
{
    return map_get(&known->ids[dictionary], id);
}

static int remember(struct known *known, unsigned int dictionary, uint64_t id, uint32_t index)
{
    return map_set(&known->ids[dictionary], id, index);
}

int known_netns(struct known *known, uint64_t id, uint32_t *ret_netns)
{
    uint32_t index = find(known, DICTIONARY_NETNS, id), inode = NETNS_OF_ID + (uint32_t)id;
    uint32_t name = 0, flags = 0;
    sqlite3_stmt *statement;
    int r = 0;

    if (index == MAP_NONE) {
        r = look_up(known, DICTIONARY_NETNS, id, &statement);
        if (r > 0) {
            if (sql_column(statement, 0))
                inode = (uint32_t)sql_column(statement, 0);
            flags = sql_column(statement, 2) ? NETNS_INIT : 0;
            if (known->own_netns ? id == known->own_netns : flags)
                flags |= NETNS_SELF;
            r = intern_column(known, statement, 1, &name);
            sqlite3_reset(statement);
        }
        if (r == 0)
            r = snapshot_add_netns(known->snapshot, inode, &index);
        if (r == 0)
            r = remember(known, DICTIONARY_NETNS, id, index);
        if (r < 0)
            return r;
        known->snapshot->netns[index].name = name;
        known->snapshot->netns[index].flags = flags;
    }
    *ret_netns = index;
    return 0;
}

/* --- processes --- */

/* Several identities may have had the same pid: only one of them is found by it. */
static int add_process(struct known *known, const struct process *process, uint32_t *ret_index)
{
    struct snapshot *snapshot = known->snapshot;
    uint32_t index = snapshot->processes_count;
    int r = VEC_RESERVE(&snapshot->processes, &snapshot->processes_capacity, index, 1);

    if (r == 0 && process->pid && map_get(&snapshot->process_index, process->pid) == MAP_NONE)
        r = map_set(&snapshot->process_index, process->pid, index);
    if (r < 0)
        return r;
    snapshot->processes[snapshot->processes_count++] = *process;
    *ret_index = index;
    return 0;
}

static int read_process(struct known *known, sqlite3_stmt *statement, struct process *process)
{
    int64_t uid = sqlite3_column_int64(statement, 3);
    int r = intern_column(known, statement, 1, &process->comm);

    if (r == 0)
        r = intern_column(known, statement, 2, &process->exe);
    if (r == 0)
        r = intern_column(known, statement, 4, &process->cgroup);
    process->pid = (uint32_t)sql_column(statement, 6);
    process->start_ticks = sql_column(statement, 7);
    process->has = PROCESS_HAS_COMM | PROCESS_HAS_NETNS;
    process->has |= process->exe ? PROCESS_HAS_EXE : 0;
    process->has |= process->cgroup ? PROCESS_HAS_CGROUP : 0;
    process->has |= process->start_ticks ? PROCESS_HAS_START : 0;
    if (uid >= 0) {
        process->uid = (uint32_t)uid;
        process->has |= PROCESS_HAS_UID;
    }
    return r;
}

/*
 * Of processes with the same name, program, user and place a row has the last one. What was before
 * it began was another one's: that is the last one that had begun then.
 */
static int read_instance(struct known *known, uint64_t id, struct process *process)
{
    sqlite3_stmt *statement;
    int r = sql_prepare(known->store, STATEMENT_KNOW_INSTANCE,
                        "SELECT pid, start_ticks FROM instance WHERE process = ?1 AND first <= ?2"
                        " ORDER BY first DESC LIMIT 1",
                        &statement);

    if (r < 0)
        return r;
    sql_bind(statement, 1, id);
    sql_bind(statement, 2, known->snapshot->time_ns / SECOND_NS);
    r = sql_step(statement);
    if (r > 0) {
        process->pid = (uint32_t)sql_column(statement, 0);
        process->start_ticks = sql_column(statement, 1);
        sqlite3_reset(statement);
    }
    if (r == -EBADMSG)
        known->broken++;
    return r == -EBADMSG || r > 0 ? 0 : r;
}

static int learn_process(struct known *known, uint64_t id, struct known_process *ret_known)
{
    struct process process = {0};
    uint64_t netns = 0, kind = PROCESS_NONE, first_s = 0;
    sqlite3_stmt *statement;
    uint32_t index = 0;
    int r = look_up(known, DICTIONARY_PROCESS, id, &statement);

    if (r > 0) {
        kind = sql_column(statement, 0);
        netns = sql_column(statement, 5);
        first_s = sql_column(statement, 8);
        r = read_process(known, statement, &process);
        sqlite3_reset(statement);
    }
    if (r == 0 && first_s > known->snapshot->time_ns / SECOND_NS)
        r = read_instance(known, id, &process);
    if (r == 0)
        r = known_netns(known, netns, &process.netns);
    if (r < 0)
        return r;
    *ret_known = (struct known_process){.netns = process.netns, .kind = (unsigned int)kind};
    if (kind == PROCESS_KNOWN) {
        r = add_process(known, &process, &index);
        ret_known->process = index + 1;
    }
    return r;
}

int known_process(struct known *known, uint64_t id, uint32_t *ret_process)
{
    uint32_t at = find(known, DICTIONARY_PROCESS, id);
    int r = 0;

    if (at == MAP_NONE) {
        at = known->process_count;
        r = VEC_RESERVE(&known->processes, &known->process_capacity, at, 1);
        if (r == 0)
            r = learn_process(known, id, &known->processes[at]);
        if (r == 0)
            r = remember(known, DICTIONARY_PROCESS, id, at);
        if (r < 0)
            return r;
        known->process_count++;
    }
    *ret_process = at;
    return 0;
}

/* --- endpoints --- */

static unsigned int direction_of(const char *name)
{
    static const char *const names[] = {
        [ENDPOINT_OUT] = "out", [ENDPOINT_IN] = "in", [ENDPOINT_LISTEN] = "listen"};

    for (unsigned int i = ENDPOINT_OUT; i < ARRAY_SIZE(names); i++)
        if (strcmp(name, names[i]) == 0)
            return i;
    return ENDPOINT_UNKNOWN;
}

static int read_endpoint(struct known *known, sqlite3_stmt *statement,
                         struct known_endpoint *endpoint)
{
    const char *proto = (const char *)sqlite3_column_text(statement, 0);
    const char *address = (const char *)sqlite3_column_text(statement, 1);
    const char *direction = (const char *)sqlite3_column_text(statement, 3);
    unsigned int number = 0;

    if (!proto || !address || !direction)
        return -EBADMSG;
    if (socket_proto_parse(proto, &number) == 0)
        endpoint->proto = (uint8_t)number;
    endpoint->port = (uint16_t)sql_column(statement, 2);
    endpoint->direction = (uint8_t)direction_of(direction);
    endpoint->family = !address[0] ? 0 : strchr(address, ':') ? AF_INET6 : AF_INET;
    if (endpoint->family && inet_pton(endpoint->family, address, endpoint->address.bytes) != 1)
        return -EBADMSG;
    return intern_column(known, statement, 4, &endpoint->interface);
}

int known_endpoint(struct known *known, uint64_t id, uint32_t *ret_endpoint)
{
    uint32_t at = find(known, DICTIONARY_ENDPOINT, id);
    struct known_endpoint endpoint = {0};
    sqlite3_stmt *statement;
    int r;

    if (at != MAP_NONE) {
        *ret_endpoint = at;
        return 0;
    }
    r = id ? look_up(known, DICTIONARY_ENDPOINT, id, &statement) : 0;
    if (r > 0) {
        r = read_endpoint(known, statement, &endpoint);
        sqlite3_reset(statement);
        if (r == -EBADMSG) {
            known->broken++;
            endpoint = (struct known_endpoint){0};
            r = 0;
        }
    }
    at = known->endpoint_count;
    if (r == 0)
        r = VEC_RESERVE(&known->endpoints, &known->endpoint_capacity, at, 1);
    if (r == 0)
        r = remember(known, DICTIONARY_ENDPOINT, id, at);
    if (r < 0)
        return r;
    known->endpoints[known->endpoint_count++] = endpoint;
    *ret_endpoint = at;
    return 0;
}

/* --- interfaces and counters --- */

static int learn_interface(struct known *known, uint32_t netns, uint32_t name, uint32_t *ret_index)
{
    struct snapshot *snapshot = known->snapshot;
    uint32_t count = snapshot->interfaces_count;
    int r = 0;

    for (uint32_t i = 0; i < count; i++)
        if (snapshot->interfaces[i].netns == netns && snapshot->interfaces[i].name == name) {
            *ret_index = i;
            return 0;
        }
    r = snapshot_add_interface(snapshot, netns, count + 1, "");
    if (r < 0)
        return r;
    snapshot->interfaces[count].name = name;
    *ret_index = count;
    return 0;
}

int known_ifindex(struct known *known, uint32_t netns, uint32_t name, uint32_t *ret_ifindex)
{
    uint32_t index;
    int r = learn_interface(known, netns, name, &index);

    if (r == 0)
        *ret_ifindex = known->snapshot->interfaces[index].ifindex;
    return r;
}

int known_interface(struct known *known, uint64_t id, uint32_t *ret_interface)
{
    uint32_t netns = 0, name = 0;
    uint64_t netns_id = 0;
    sqlite3_stmt *statement;
    int r = look_up(known, DICTIONARY_INTERFACE, id, &statement);

    if (r > 0) {
        netns_id = sql_column(statement, 0);
        r = intern_column(known, statement, 1, &name);
        sqlite3_reset(statement);
    }
    if (r == 0)
        r = known_netns(known, netns_id, &netns);
    return r < 0 ? r : learn_interface(known, netns, name, ret_interface);
}

int known_counter(struct known *known, uint64_t id, uint32_t *ret_counter)
{
    struct counter counter = {0};
    uint64_t netns = 0;
    sqlite3_stmt *statement;
    int r = look_up(known, DICTIONARY_COUNTER, id, &statement);

    if (r > 0) {
        netns = sql_column(statement, 0);
        r = intern_column(known, statement, 1, &counter.name);
        if (r == 0)
            r = intern_column(known, statement, 2, &counter.group);
        if (r == 0)
            r = intern_column(known, statement, 3, &counter.label);
        counter.cpu = (uint32_t)sql_column(statement, 4);
        counter.source = (uint16_t)(sql_column(statement, 5) % COUNTER_SOURCE_MAX);
        counter.flags = (uint16_t)sql_column(statement, 6);
        sqlite3_reset(statement);
    }
    if (r == 0)
        r = known_netns(known, netns, &counter.netns);
    if (r < 0)
        return r;
    if (!snapshot_add_counter(known->snapshot))
        return -ENOMEM;
    *ret_counter = known->snapshot->counters_count - 1;
    known->snapshot->counters[*ret_counter] = counter;
    return 0;
}
