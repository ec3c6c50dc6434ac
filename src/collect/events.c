/* SPDX-License-Identifier: MIT */
/* Events: the ladder of their sources, and which namespaces they are about. */
#include "base/clock.h"
#include "collect/bpf_error.h"
#include "collect/collect.h"
#include "collect/event_backend.h"
#include "collect/netns.h"
#include "collect/process_facts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>

/* Names of namespaces are read again at most so often. */
#define NAMES_AGE_NS SECOND_NS

static const struct event_backend *const backends[] = {
#if HAVE_BPF
    &event_backend_bpf,
#endif
    &event_backend_diag,
};

uint64_t event_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

/* --- namespaces --- */

static int discover(struct event_source *source, struct snapshot *known)
{
    struct collection collection = {.snapshot = known, .request = source->request, .own_netns = -1};
    int r = netns_discover(&collection);

    if (r == 0 && source->request->needs & NEED_PORT_RANGE)
        r = collector_port_range.collect(&collection);
    map_clear(&source->netns_index);
    for (uint32_t i = 0; i < known->netns_count && r == 0; i++)
        r = map_set(&source->netns_index, known->netns[i].inode, i);
    if (collection.own_netns >= 0)
        close(collection.own_netns);
    source->known_ns = event_now_ns();
    return r;
}

/* What is known of a namespace, but for the ways into it. */
static int copy_netns(const struct snapshot *from, const struct netns *netns, struct snapshot *to,
                      uint32_t *ret_index)
{
    const char *name = snapshot_string(from, netns->name, NULL);
    struct netns copy = {.inode = netns->inode,
                         .flags = netns->flags,
                         .port_low = netns->port_low,
                         .port_high = netns->port_high};
    int r = snapshot_add_netns(to, netns->inode, ret_index);

    if (r == 0)
        r = snapshot_intern(to, name, strlen(name), &copy.name);
    if (r == 0)
        to->netns[*ret_index] = copy;
    return r;
}

/* Takes the names of today; the notes stay as they were. */
static int discover_again(struct event_source *source)
{
    struct snapshot known;
    int r = snapshot_init(&known);

    if (r < 0)
        return r;
    r = discover(source, &known);
    for (uint32_t i = 0; i < known.netns_count && r == 0; i++) {
        uint32_t index;

        r = copy_netns(&known, &known.netns[i], &source->known, &index);
        if (r == 0)
            r = map_set(&source->netns_index, known.netns[i].inode, index);
    }
    snapshot_done(&known);
    return r;
}

uint32_t event_source_single_netns(const struct event_source *source)
{
    uint32_t inode = 0;

    if (source->request->netns_scope == NETNS_SCOPE_ALL)
        return 0;
    for (uint32_t i = 0; i < source->known.netns_count; i++)
        if (source->known.netns[i].flags & NETNS_READ) {
            if (inode)
                return 0;
            inode = source->known.netns[i].inode;
        }
    return inode;
}

/* The namespace in what is known; MAP_NONE. */
static int find_netns(struct event_source *source, uint32_t inode, uint32_t *ret_known)
{
    uint32_t known = map_get(&source->netns_index, inode);
    int r = 0;

    if (known == MAP_NONE && source->request->netns_scope == NETNS_SCOPE_ALL &&
        event_now_ns() - source->known_ns > NAMES_AGE_NS) {
        r = discover_again(source);
        known = map_get(&source->netns_index, inode);
    }
    *ret_known = known;
    return r;
}

int event_source_netns(struct event_source *source, struct snapshot *snapshot, uint32_t inode,
                       uint32_t *ret_netns)
{
    const struct netns unknown = {.inode = inode, .flags = NETNS_READ}, *netns;
    uint32_t known;
    int r;

    for (uint32_t i = snapshot->netns_count; i-- > 0;)
        if (snapshot->netns[i].inode == inode) {
            *ret_netns = i;
            return 0;
        }
    r = find_netns(source, inode, &known);
    if (r < 0)
        return r;
    netns = known == MAP_NONE ? &unknown : &source->known.netns[known];
    if (source->request->netns_scope != NETNS_SCOPE_ALL &&
        (known == MAP_NONE || !(netns->flags & NETNS_READ)))
        return -ENOENT;
    return copy_netns(&source->known, netns, snapshot, ret_netns);
}

/* --- the ladder --- */

static int try_backend(struct event_source *source, const struct event_backend *backend)
{
    int r;

    source->backend = backend;
    r = backend->open(source);
    if (r < 0) {
        backend->close(source);
        source->backend = NULL;
        source->context = NULL;
    }
    return r;
}

/* Of sockets. */
static int open_best(struct event_source *source)
{
    int r = -EOPNOTSUPP, why = 0;

    for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
        if (!(backends[i]->source & source->request->sources))
            continue;
        r = try_backend(source, backends[i]);
        if (r == 0)
            break;
        if (backends[i]->source == SOURCE_BPF)
            why = r;
    }
    if (r == 0 && source->backend->source != SOURCE_BPF)
        snapshot_note(&source->known, NOTE_OWNERS, "bpf tp_btf/inet_sock_set_state", why,
                      "without BPF only the end of each connection is told, without a verdict, and "
                      "its process only where it lived for a second%s%s",
                      why ? ": " : "", why ? bpf_error_text(why) : "");
    if (r == 0 && source->backend->source != SOURCE_BPF && source->retransmits)
        snapshot_note(&source->known, NOTE_DETAIL, source->backend->name, 0,
                      "retransmissions are not told without BPF");
    return r;
}

/* All that is beside the namespaces. */
#define OTHER_DESCRIPTORS 128

/*
 * Some sources listen in each namespace by a socket. A shell and systemd give 1024 descriptors, of
 * which a program may have more if it asks for them; namespaces may come later.
 */
static void allow_descriptors(uint32_t namespaces)
{
    struct rlimit limit;
    rlim_t wanted = 2 * (rlim_t)namespaces + OTHER_DESCRIPTORS;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

int event_source_open(const struct request *request, enum event_subject subject,
                      struct event_source **ret_source)
{
    struct event_source *source = calloc(1, sizeof(*source));
    int r;

    if (!source)
        return -ENOMEM;
    source->request = request;
    source->retransmits = subject == EVENTS_OF_RETRANSMISSIONS;
    source->fd = -1;
    r = snapshot_init(&source->known);
    if (r < 0) {
        free(source);
        return r;
    }
    r = discover(source, &source->known);
    allow_descriptors(source->known.netns_count);
    if (r == 0)
        r = subject == EVENTS_OF_CONNTRACK ? try_backend(source, &event_backend_conntrack)
                                           : open_best(source);
    if (r < 0) {
        event_source_close(source);
        return r;
    }
    *ret_source = source;
    return 0;
}

void event_source_close(struct event_source *source)
{
    if (!source)
        return;
    if (source->backend)
        source->backend->close(source);
    map_done(&source->netns_index);
    snapshot_done(&source->known);
    free(source);
}

int event_source_fd(const struct event_source *source)
{
    return source->fd;
}

int event_source_timeout_ms(const struct event_source *source)
{
    uint64_t now = event_now_ns();

    if (!source->next_ns)
        return -1;
    return source->next_ns > now ? (int)((source->next_ns - now) / 1000000) + 1 : 0;
}

/* Of the events that are new: a snapshot may be read into again and again. */
static int name_cgroups(const struct event_source *source, struct snapshot *snapshot,
                        uint32_t first)
{
    struct collection collection = {.snapshot = snapshot, .request = source->request};
    int r = 0;

    if (!(source->request->needs & NEED_CGROUP))
        return 0;
    if (!first)
        return collector_cgroups.collect(&collection);
    for (uint32_t i = first; i < snapshot->events_count && r == 0; i++) {
        uint64_t id = snapshot->events[i].cgroup_id;

        if (id && map_get(&snapshot->cgroup_index, id) == MAP_NONE)
            r = cgroup_read_path(snapshot, id);
    }
    return r;
}

int event_source_read(struct event_source *source, struct snapshot *snapshot, uint32_t limit,
                      bool *ret_more)
{
    uint32_t first = snapshot->events_count;
    int r = collect_moment(snapshot);

    *ret_more = false;
    if (r == 0)
        r = source->backend->read(source, snapshot, limit, ret_more);
    return r < 0 ? r : name_cgroups(source, snapshot, first);
}

uint64_t event_source_lost(const struct event_source *source)
{
    return source->backend->lost(source);
}

int event_source_describe(const struct event_source *source, struct snapshot *snapshot)
{
    uint64_t lost = event_source_lost(source);
    int r = collect_moment(snapshot);

    if (r < 0)
        return r;
    snapshot_source(snapshot, "events", source->backend->name);
    for (uint32_t i = 0; i < source->known.notes_count; i++) {
        const struct note *note = &source->known.notes[i];

        snapshot_note(snapshot, note->effect, snapshot_string(&source->known, note->source, NULL),
                      note->error, "%s", snapshot_string(&source->known, note->text, NULL));
    }
    if (lost)
        snapshot_note(snapshot, NOTE_INCOMPLETE, source->backend->name, -ENOBUFS,
                      "at least %llu events were lost: they came faster than they could be taken",
                      (unsigned long long)lost);
    return 0;
}
