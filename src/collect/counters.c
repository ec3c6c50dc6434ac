/* SPDX-License-Identifier: MIT */
/* Counters of the protocols, by /proc/net: each file once for each namespace. */
#include "collect/counter_text.h"
#include "collect/netns.h"
#include "collect/proc_file.h"
#include "collect/proc_path.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* softnet_stat has 136 bytes for each CPU. */
#define FILE_SIZE ((size_t)1024 * 1024)

static const struct counter_file {
    const char *name;
    counter_parse_fn *parse;
    const char *prefix; /* of names, before the group */
    bool machine;       /* the same in every namespace */
    bool optional;      /* of a module that mostly is not there */
    bool forwarded;     /* has what NEED_FORWARDED asks for */
} counter_files[COUNTER_SOURCE_MAX] = {
    [COUNTER_SNMP] = {"net/snmp", counter_parse_pairs, "", false, false, true},
    [COUNTER_NETSTAT] = {"net/netstat", counter_parse_pairs, "", false, false, false},
    [COUNTER_SNMP6] = {"net/snmp6", counter_parse_names, "", false, true, true},
    [COUNTER_SOCKSTAT] = {"net/sockstat", counter_parse_sockstat, "Sock", false, false, false},
    [COUNTER_SOCKSTAT6] = {"net/sockstat6", counter_parse_sockstat, "Sock", false, true, false},
    [COUNTER_SOFTNET] = {"net/softnet_stat", counter_parse_softnet, "", true, false, false},
    [COUNTER_XFRM] = {"net/xfrm_stat", counter_parse_names, "", false, true, false},
    [COUNTER_SCTP] = {"net/sctp/snmp", counter_parse_names, "", false, true, false},
    [COUNTER_CONNTRACK] = {"net/stat/nf_conntrack", counter_parse_conntrack, "", false, true,
                           false},
};

struct counter_reader {
    struct snapshot *snapshot;
    uint32_t netns;
    enum counter_source source;
};

/* "TcpExt" and "TCPTimeouts" as they are; of sockstat "TCP" and "inuse" become SockTCPInuse, and
 * "sockets" and "used" SockUsed. */
static int make_name(struct counter_reader *reader, const struct counter_item *item,
                     uint32_t *ret_name)
{
    const char *prefix = counter_files[reader->source].prefix;
    size_t group = strncmp(item->group, "sockets", item->group_length) == 0 && item->group_length
                       ? 0
                       : item->group_length;
    size_t start = strlen(prefix) + group, length = start + item->label_length;
    char name[160];

    if (length >= sizeof(name))
        return -EMSGSIZE;
    memcpy(name, prefix, start - group);
    memcpy(name + start - group, item->group, group);
    memcpy(name + start, item->label, item->label_length);
    name[length] = '\0';
    if (*prefix && name[start] >= 'a' && name[start] <= 'z')
        name[start] = (char)(name[start] - 'a' + 'A');
    return snapshot_intern(reader->snapshot, name, length, ret_name);
}

/* What sockstat says of a namespace is only what is in use. */
static bool is_of_machine(const struct counter_reader *reader, const struct counter_item *item)
{
    static const struct {
        const char *group, *label;
    } shared[] = {{"TCP", "orphan"}, {"TCP", "alloc"}, {"TCP", "mem"}, {"UDP", "mem"}};

    for (size_t i = 0; i < ARRAY_SIZE(shared) && reader->source == COUNTER_SOCKSTAT; i++)
        if (item->group_length == strlen(shared[i].group) &&
            item->label_length == strlen(shared[i].label) &&
            memcmp(item->group, shared[i].group, item->group_length) == 0 &&
            memcmp(item->label, shared[i].label, item->label_length) == 0)
            return true;
    return counter_files[reader->source].machine;
}

static int add_counter(void *context, const struct counter_item *item)
{
    struct counter_reader *reader = context;
    struct counter *counter;
    uint32_t name, group, label;
    int r = make_name(reader, item, &name);

    if (r == -EMSGSIZE)
        return 0;
    if (r == 0)
        r = snapshot_intern(reader->snapshot, item->group, item->group_length, &group);
    if (r == 0)
        r = snapshot_intern(reader->snapshot, item->label, item->label_length, &label);
    if (r < 0)
        return r;
    counter = snapshot_add_counter(reader->snapshot);
    if (!counter)
        return -ENOMEM;
    *counter = (struct counter){
        .value = item->value,
        .netns = reader->netns,
        .name = name,
        .group = group,
        .label = label,
        .cpu = item->cpu,
        .source = (uint16_t)reader->source,
        .flags = (uint16_t)(item->flags | (is_of_machine(reader, item) ? COUNTER_MACHINE : 0)),
    };
    return 0;
}

static int read_file(struct counter_reader *reader, const struct request_files *files, char *text)
{
    const struct counter_file *file = &counter_files[reader->source];
    char path[PATH_MAX];
    size_t length = 0;
    int r = proc_path(files, file->name, path, sizeof(path));

    if (r == 0)
        r = proc_read(AT_FDCWD, path, text, FILE_SIZE, &length);
    if (r == -ENOENT && file->optional)
        return 0;
    if (r < 0 || length == FILE_SIZE - 1)
        snapshot_note(reader->snapshot, NOTE_INCOMPLETE, "proc_net", r,
                      "counters of /proc/%s are missing", file->name);
    return r < 0 ? 0 : file->parse(text, add_counter, reader);
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    struct counter_reader reader = {.snapshot = collection->snapshot, .netns = netns};
    bool *machine_done = collection->context;
    bool all = collection->request->needs & NEED_COUNTERS;
    CLEANUP_FREE char *text = malloc(FILE_SIZE);
    int r = text ? 0 : -ENOMEM;

    for (int source = 0; source < COUNTER_SOURCE_MAX && r == 0; source++) {
        reader.source = (enum counter_source)source;
        if ((all || counter_files[source].forwarded) &&
            (!counter_files[source].machine || !*machine_done))
            r = read_file(&reader, collection->request->files, text);
    }
    *machine_done = true;
    return r;
}

static int collect_counters(struct collection *collection)
{
    bool machine_done = false;
    int r;

    collection->context = &machine_done;
    r = netns_for_each(collection, read_namespace);
    snapshot_source(collection->snapshot, "counters", "/proc/net");
    collection->context = NULL;
    return r;
}

const struct collector collector_counters = {
    .name = "counters",
    .provides = NEED_COUNTERS | NEED_FORWARDED,
    .collect = collect_counters,
};
