/* SPDX-License-Identifier: MIT */
/* TCP sockets of all network namespaces, by one walk over the table that they share (BPF). */
#include "collect/tcp_table.h"

#include "collect/netns.h"
#include "collect/proc_file.h"

#include <fcntl.h>
#include <string.h>

/* So often a walk under which the table changed is done again. */
#define WALKS_MAX 3

struct table_pass {
    struct bpf_pass *base;
    const struct socket_records *records;
    struct iterator shared, own;
    uint32_t netns; /* whose own table is being read */
};

static void table_pass_done(struct table_pass *pass)
{
    iterator_close(&pass->shared);
    iterator_close(&pass->own);
}

bool tcp_table_suits(const struct request *request)
{
    return (request->passing || request->needs & NEED_STATE_COUNTS) &&
           !(request->needs & NEED_SOCKET_CGROUP);
}

static int open_walk(struct table_pass *pass, enum iterator_kind kind, struct iterator *ret_walk)
{
    int r = bpf_pass_open(pass->base, kind, PROTO_BIT(PROTO_TCP), ret_walk);

    if (r < 0)
        return r;
    socket_records_set_idle(pass->records, ret_walk->filter);
    ret_walk->filter->with_routes = pass->base->collection->request->passing;
    return 0;
}

static int take(const struct table_pass *pass, uint32_t netns, const struct record *record)
{
    if (record->socket)
        return socket_records_add(pass->records, netns, record);
    socket_records_count(pass->records, netns, record);
    return 0;
}

static int take_shared(void *context, const struct record *record)
{
    struct table_pass *pass = context;
    uint32_t netns;
    int r = bpf_pass_known_netns(pass->base, record->head->netns, &netns);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return take(pass, netns, record);
}

/* Those that were there before stay. */
static int forget_added(const struct socket_records *records, uint32_t count)
{
    struct collection *collection = records->collection;
    struct snapshot *snapshot = collection->snapshot;
    int r = 0;

    socket_records_forget_counted(records);
    snapshot->sockets_count = count;
    map_clear(&collection->by_cookie);
    for (uint32_t i = 0; i < count && r == 0; i++)
        if (snapshot->sockets[i].has & SOCKET_HAS_COOKIE)
            r = map_set(&collection->by_cookie, snapshot->sockets[i].cookie, i);
    return r;
}

/* Where the records of some stretches together have no room, each gives its own. */
static int walk_shared(struct table_pass *pass, uint32_t count)
{
    struct iterator_filter *filter = pass->shared.filter;
    int r;

    filter->torn = 0;
    filter->signless = 0;
    memset(pass->shared.counts, 0, sizeof(*pass->shared.counts));
    r = iterator_walk(&pass->shared, 0, take_shared, pass);
    if (r != -E2BIG || filter->together == 1)
        return r;
    filter->together = 1;
    r = forget_added(pass->records, count);
    return r < 0 ? r : walk_shared(pass, count);
}

/* What the walk has counted itself. 0 or -ENOMEM. */
static int take_counts(struct table_pass *pass)
{
    for (uint32_t i = 0; i < COUNTED_MAX; i++) {
        const struct counted_netns *counted = &pass->shared.counts->netns[i];
        uint32_t netns;
        int r = counted->inode ? bpf_pass_known_netns(pass->base, counted->inode, &netns) : -ENOENT;

        if (r == -ENOENT)
            continue;
        if (r < 0)
            return r;
        for (unsigned int state = 0; state < ARRAY_SIZE(counted->states); state++)
            socket_records_count_many(pass->records, netns, state,
                                      counted->states[state] + counted->latest[state]);
    }
    return 0;
}

/* In the first namespace: it has the table that others share. */
static int read_shared(struct collection *collection, uint32_t netns)
{
    struct table_pass *pass = collection->context;
    uint32_t count = collection->snapshot->sockets_count;
    int r = -EOPNOTSUPP;

    if (!(collection->snapshot->netns[netns].flags & NETNS_INIT))
        return r;
    for (int walks = 0; walks < WALKS_MAX; walks++) {
        r = walk_shared(pass, count);
        if (r < 0)
            return r;
        if (!pass->shared.filter->torn)
            return take_counts(pass);
        r = forget_added(pass->records, count);
        if (r < 0)
            return r;
    }
    return -EAGAIN;
}

static int take_own(void *context, const struct record *record)
{
    struct table_pass *pass = context;

    return take(pass, pass->netns, record);
}

/* net.ipv4.tcp_ehash_entries is negative where the table is that of the first namespace. */
static bool has_own_table(void)
{
    char text[32];
    size_t length;

    return proc_read(AT_FDCWD, "/proc/sys/net/ipv4/tcp_ehash_entries", text, sizeof(text),
                     &length) == 0 &&
           text[0] != '-';
}

static int read_own(struct collection *collection, uint32_t netns)
{
    struct table_pass *pass = collection->context;
    int r = 0;

    if (collection->snapshot->netns[netns].flags & NETNS_INIT || !has_own_table())
        return 0;
    if (pass->own.prog_fd < 0)
        r = open_walk(pass, ITERATOR_TCP, &pass->own);
    if (r < 0)
        return r;
    pass->netns = netns;
    return iterator_walk(&pass->own, 0, take_own, pass);
}

/* 0: not known of all. */
static uint32_t find_busiest_route(const struct table_pass *pass)
{
    const uint32_t *routes = pass->shared.counts->routes;
    uint32_t most = 1;

    if (!pass->shared.filter->with_routes || pass->own.prog_fd >= 0)
        return 0;
    for (uint32_t i = 0; i < ROUTES_MAX; i++)
        if (routes[i] > most)
            most = routes[i];
    return most;
}

static uint64_t count_signless(const struct table_pass *pass)
{
    return pass->shared.filter->signless + (pass->own.filter ? pass->own.filter->signless : 0);
}

int tcp_table_read(struct bpf_pass *base, const struct socket_records *records)
{
    CLEANUP(table_pass_done)
    struct table_pass pass = {
        .base = base, .records = records, .shared = ITERATOR_INIT, .own = ITERATOR_INIT};
    struct collection *collection = base->collection;
    uint32_t count = collection->snapshot->sockets_count;
    int r = open_walk(&pass, ITERATOR_GLANCE, &pass.shared), failed;

    if (r < 0)
        return r;
    collection->context = &pass;
    r = netns_for_first(collection, read_shared);
    if (r == 0)
        r = netns_for_each(collection, read_own);
    collection->context = NULL;
    if (r == 0) {
        collection->snapshot->signless = (uint32_t)count_signless(&pass);
        collection->snapshot->busiest_route = find_busiest_route(&pass);
        return 0;
    }
    failed = forget_added(records, count);
    return failed < 0 ? failed : r;
}
