/* SPDX-License-Identifier: MIT */
/* TCP and UDP sockets by BPF, with their owners, exact also while connections come and go. */
/*
 * TCP: first iter/tcp in each namespace, which takes what has no open file (time-wait, syn-recv,
 * not yet accepted, closed by its process) whole and of the rest only the cookies; then one walk
 * over all descriptors, which brings the rest whole and with its holders. In this order a
 * connection that is accepted meanwhile is seen by both, and united by its cookie. What had an open
 * file and then no descriptor was closed meanwhile, or is in flight over a unix socket: a second
 * iter/tcp tells which.
 */
#include "collect/bpf_pass.h"
#include "collect/netns.h"
#include "collect/socket_record.h"
#include "collect/sockstat.h"
#include "collect/tcp_table.h"

#include "base/vec.h"

#include <string.h>

#define TCP_BIT PROTO_BIT(PROTO_TCP)
#define UDP_BIT PROTO_BIT(PROTO_UDP)

/* Of sockets of TCP that never were connected. */
#define UNCONNECTED_STATES (STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_BOUND_INACTIVE))

struct socket_pass {
    struct bpf_pass base; /* first, so that the walk over descriptors finds both */
    struct socket_records records;
    struct iterator *iterator;
    uint32_t netns; /* that is being read */
    bool with_owners;
    bool met_mptcp;   /* among the descriptors */
    bool only_passed; /* second iter/tcp: only sockets that were passed by and not found since */
    uint64_t *passed; /* owned: cookies of the sockets that iter/tcp passed by */
    uint32_t passed_count, passed_capacity;
    struct map missing; /* cookies of `passed` that no descriptor refers to */
    uint32_t described; /* TCP sockets that descriptors have brought */
    uint64_t hashed;    /* TCP sockets in the kernel's tables, but for time-wait */
};

static void socket_pass_done(struct socket_pass *pass)
{
    bpf_pass_done(&pass->base);
    map_done(&pass->missing);
    free(pass->passed);
}

static int remember_passed(struct socket_pass *pass, uint64_t cookie)
{
    int r = VEC_RESERVE(&pass->passed, &pass->passed_capacity, pass->passed_count, 1);

    if (r < 0)
        return r;
    pass->passed[pass->passed_count++] = cookie;
    return 0;
}

static bool counts_states(const struct socket_pass *pass)
{
    return pass->base.collection->request->needs & NEED_STATE_COUNTS;
}

/* A record of iter/tcp or iter/udp. */
static int take_hashed(void *context, const struct record *record)
{
    struct socket_pass *pass = context;

    if (!record->socket && counts_states(pass)) {
        socket_records_count(&pass->records, pass->netns, record);
        return 0;
    }
    if (!record->socket)
        return remember_passed(pass, record->head->cookie);
    if (pass->only_passed && map_get(&pass->missing, record->head->cookie) == MAP_NONE)
        return 0;
    return socket_records_add(&pass->records, pass->netns, record);
}

/* A record of iter/task_file: TCP sockets whole, of the others only the holder. */
static int take_descriptor(void *context, const struct record *record)
{
    struct socket_pass *pass = context;
    uint32_t netns;
    int r;

    if (!record->owner)
        return 0;
    r = bpf_pass_netns(&pass->base, record->head->netns, &netns);
    if (r < 0)
        return r == -ENOENT ? 0 : r;
    pass->met_mptcp |= record->head->proto == PROTO_MPTCP;
    if (record->socket) {
        pass->described++;
        r = socket_records_add(&pass->records, netns, record);
    }
    if (r == 0 && pass->with_owners)
        r = bpf_pass_add_holder(&pass->base, record);
    return r;
}

/* The kernel has one table for all namespaces, and looks through all of it for each. */
static bool table_is_empty(const struct socket_pass *pass)
{
    struct sockstat sockstat;

    return pass->iterator->kind == ITERATOR_TCP && sockstat_read(&sockstat) == 0 &&
           sockstat.tcp == 0;
}

static int read_netns(struct collection *collection, uint32_t netns)
{
    struct socket_pass *pass = collection->context;

    if (table_is_empty(pass))
        return 0;
    pass->netns = netns;
    pass->iterator->filter->netns = 0;
    return iterator_walk(pass->iterator, 0, take_hashed, pass);
}

static int read_all_netns(struct socket_pass *pass, struct iterator *iterator)
{
    struct collection *collection = pass->base.collection;
    int r;

    pass->iterator = iterator;
    collection->context = pass;
    r = netns_for_each(collection, read_netns);
    collection->context = NULL;
    return r;
}

static int read_descriptors(struct socket_pass *pass, uint32_t states)
{
    CLEANUP(iterator_close) struct iterator iterator = ITERATOR_INIT;
    uint32_t holders = bpf_holder_protos(pass->base.collection->request);
    int r =
        bpf_pass_open_descriptors(&pass->base, pass->with_owners ? holders : TCP_BIT, &iterator);

    if (r < 0)
        return r;
    iterator.filter->full_protos = TCP_BIT;
    socket_records_set_idle(&pass->records, iterator.filter);
    iterator.filter->states &= states;
    iterator.filter->unconnected = !(states & ~UNCONNECTED_STATES);
    return bpf_pass_walk_descriptors(&pass->base, &iterator, take_descriptor);
}

/* Cookies that were passed by and that no descriptor has brought. */
static int find_missing(struct socket_pass *pass)
{
    const struct map *known = &pass->base.collection->by_cookie;
    int r = 0;

    for (uint32_t i = 0; i < pass->passed_count && r == 0; i++)
        if (map_get(known, pass->passed[i]) == MAP_NONE)
            r = map_set(&pass->missing, pass->passed[i], 1);
    return r;
}

/*
 * Sockets with an open file, of which not one is found among the descriptors, cannot all be in
 * flight: the two programs do not mean the same then.
 */
static bool sources_disagree(const struct socket_pass *pass)
{
    return pass->passed_count >= 32 && pass->missing.count == pass->passed_count &&
           pass->described > 0 && !pass->base.collection->request->pids;
}

/* Whether the sockets are read by their descriptors, and the tables only add what has none. */
static bool starts_from_descriptors(const struct socket_pass *pass)
{
    return pass->with_owners && !counts_states(pass);
}

/* Of a process that is asked for by its id, only what it holds is wanted. */
static bool wants_held_only(const struct request *request)
{
    return request->pids || request->held_only;
}

static int read_passed(struct socket_pass *pass, struct iterator *tcp)
{
    int r = find_missing(pass);

    if (r < 0 || !pass->missing.count)
        return r;
    if (sources_disagree(pass))
        return -EBADMSG;
    tcp->filter->brief = 0;
    pass->only_passed = true;
    r = read_all_netns(pass, tcp);
    pass->only_passed = false;
    return r;
}

static int count_hashed(struct collection *collection, uint32_t netns)
{
    struct socket_pass *pass = collection->context;
    struct sockstat sockstat;

    (void)netns;
    if (sockstat_read(&sockstat) == 0)
        pass->hashed += sockstat.tcp - sockstat.tcp_waiting;
    return 0;
}

/* The kernel counts the sockets of the whole machine, and by namespace those of its tables. */
static int have_unhashed(struct socket_pass *pass, bool *ret_have)
{
    struct collection *collection = pass->base.collection;
    struct sockstat sockstat;
    int r;

    *ret_have = true;
    if (collection->request->netns_scope != NETNS_SCOPE_ALL)
        return 0;
    pass->hashed = 0;
    collection->context = pass;
    r = netns_for_each(collection, count_hashed);
    collection->context = NULL;
    if (r == 0 && sockstat_read(&sockstat) == 0)
        *ret_have = sockstat.tcp_allocated != pass->hashed;
    return r;
}

/* The states of which descriptors are to bring the sockets: those of owners, if these are asked
 * for; and what is bound, mostly nothing. */
static int choose_held_states(struct socket_pass *pass, uint32_t *ret_states)
{
    const uint32_t bound = STATE_BIT(STATE_BOUND_INACTIVE);
    bool may_be_bound = pass->with_owners;
    int r = 0;

    if (!pass->with_owners && pass->base.collection->request->states & bound)
        r = have_unhashed(pass, &may_be_bound);
    *ret_states = pass->with_owners ? UNCONNECTED_STATES : may_be_bound ? bound : 0;
    return r;
}

/*
 * Where nobody asks for owners, but of listeners, the tables tell everything but the sockets that
 * are bound and neither listen nor are connected: these are in no table, and only descriptors lead
 * to them. They come first, and are few, so that the tables have little to be united with.
 */
static int read_held(struct socket_pass *pass)
{
    uint32_t held = 0;
    int r = choose_held_states(pass, &held);

    return r == 0 && held ? read_descriptors(pass, held) : r;
}

static int open_tcp(struct socket_pass *pass, struct iterator *ret_iterator)
{
    int r = bpf_pass_open(&pass->base, ITERATOR_TCP, TCP_BIT, ret_iterator);

    if (r == 0)
        socket_records_set_idle(&pass->records, ret_iterator->filter);
    return r;
}

static int read_each_table(struct socket_pass *pass)
{
    CLEANUP(iterator_close) struct iterator tcp = ITERATOR_INIT;
    int r = open_tcp(pass, &tcp);

    if (r < 0)
        return r;
    r = read_all_netns(pass, &tcp);
    pass->base.collection->snapshot->signless = (uint32_t)tcp.filter->signless;
    return r;
}

/* All namespaces at once, where that suits and is possible, or one after the other. */
static int read_tables(struct socket_pass *pass)
{
    const struct request *request = pass->base.collection->request;
    int r = read_held(pass);

    if (r < 0)
        return r;
    pass->records.unindexed = !(request->needs & NEED_DETAILS_OF_DIAG);
    r = tcp_table_suits(request) ? tcp_table_read(&pass->base, &pass->records) : -EOPNOTSUPP;
    if (r < 0 && r != -ENOMEM)
        r = read_each_table(pass);
    pass->records.unindexed = false;
    return r;
}

static int read_tcp(struct socket_pass *pass)
{
    CLEANUP(iterator_close) struct iterator tcp = ITERATOR_INIT;
    bool held_only = wants_held_only(pass->base.collection->request);
    int r = held_only ? read_descriptors(pass, STATE_ALL) : 0;

    if (r < 0 || (held_only && !pass->met_mptcp))
        return r;
    if (!held_only && !starts_from_descriptors(pass))
        return read_tables(pass);
    r = open_tcp(pass, &tcp);
    if (r < 0)
        return r;
    if (held_only) /* the TCP sockets of an MPTCP connection have no descriptors of their own */
        return read_all_netns(pass, &tcp);
    tcp.filter->brief = 1;
    r = read_all_netns(pass, &tcp);
    pass->base.collection->snapshot->signless = (uint32_t)tcp.filter->signless;
    if (r == 0)
        r = read_descriptors(pass, STATE_ALL);
    return r < 0 ? r : read_passed(pass, &tcp);
}

static int read_udp(struct socket_pass *pass)
{
    CLEANUP(iterator_close) struct iterator udp = ITERATOR_INIT;
    int r = bpf_pass_open(&pass->base, ITERATOR_UDP, UDP_BIT, &udp);

    return r < 0 ? r : read_all_netns(pass, &udp);
}

static int read_protos(struct socket_pass *pass, uint32_t protos)
{
    int r = 0;

    if (protos & UDP_BIT)
        r = read_udp(pass);
    if (r == 0 && (protos & TCP_BIT))
        r = read_tcp(pass);
    return r;
}

static int finish(struct socket_pass *pass, uint32_t protos)
{
    struct collection *collection = pass->base.collection;

    collection->protos_done |= protos;
    if (protos & TCP_BIT)
        snapshot_source(collection->snapshot, "tcp", "bpf iter/tcp + iter/task_file");
    if (protos & UDP_BIT)
        snapshot_source(collection->snapshot, "udp", "bpf iter/udp");
    return pass->with_owners ? bpf_owners_finish(&pass->base) : 0;
}

/* The protocols among those asked for that BPF should read. */
static uint32_t choose_protos(const struct collection *collection, bool owners)
{
    uint32_t protos = collection_protos(collection, TCP_BIT | UDP_BIT);

    if ((protos & TCP_BIT) && !bpf_pays(collection, true, owners))
        protos &= ~TCP_BIT;
    if ((protos & UDP_BIT) && !bpf_pays_for_udp(collection))
        protos &= ~UDP_BIT;
    return protos;
}

static bool wants_owners(const struct collection *collection)
{
    return collection->request->needs & (NEED_OWNERS | NEED_HELD) && !collection->owners_done;
}

/* `instead`: what is said when it fails, of the source that is next. */
static int read_sockets(struct collection *collection, uint32_t protos, const char *instead)
{
    CLEANUP(socket_pass_done)
    struct socket_pass pass = {
        .records = {.collection = collection, .tick_ns = socket_records_tick()}};
    struct snapshot *snapshot = collection->snapshot;
    uint32_t sockets = snapshot->sockets_count, holders = snapshot->holders_count;
    int r;

    bpf_pass_init(&pass.base, collection);
    pass.with_owners = (protos & TCP_BIT) && wants_owners(collection);
    r = read_protos(&pass, protos);
    if (r == 0)
        return finish(&pass, protos);
    snapshot->sockets_count = sockets;
    snapshot->holders_count = holders;
    socket_records_forget_counted(&pass.records);
    map_clear(&collection->by_cookie);
    bpf_give_up(collection, "bpf iterators", r, instead);
    return 0;
}

static int collect_sockets(struct collection *collection)
{
    uint32_t protos = choose_protos(collection, wants_owners(collection));

    if (!protos || collection->request->verbatim)
        return 0;
    return read_sockets(collection, protos, "sockets are read by sock_diag instead");
}

/* Where sock_diag has failed files would be next, which are not exact: that is worth any cost. */
static int collect_without_diag(struct collection *collection)
{
    uint32_t protos = collection_protos(collection, TCP_BIT | UDP_BIT);

    protos &= ~choose_protos(collection, wants_owners(collection)); /* was tried before */
    if (!collection->failures[PROTO_TCP])
        protos &= ~TCP_BIT;
    if (!collection->failures[PROTO_UDP])
        protos &= ~UDP_BIT;
    if (!protos || collection->request->verbatim)
        return 0;
    return read_sockets(collection, protos, "sockets are read from /proc/net instead");
}

const struct collector collector_sockets_bpf = {
    .name = "sockets_bpf",
    .provides = NEED_SOCKETS,
    .source = SOURCE_BPF,
    .collect = collect_sockets,
};

const struct collector collector_sockets_bpf_instead = {
    .name = "sockets_bpf_instead",
    .provides = NEED_SOCKETS,
    .source = SOURCE_BPF,
    .collect = collect_without_diag,
};
