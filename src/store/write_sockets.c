/* SPDX-License-Identifier: MIT */
/* Write: sockets as numbers of each state, those that listen, and events as connections. */
#include "base/clock.h"
#include "derive/serving.h"
#include "store/write.h"

#include <endian.h>

static int begin_tick(const struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    uint64_t length =
        store->boot_ns && now->boot_ns > store->boot_ns ? now->boot_ns - store->boot_ns : 0;

    return chunk_add_tick(chunk, (struct chunk_tick){.time_ns = now->time_ns, .length_ns = length});
}

static int add_states_of_netns(struct store *store, const struct snapshot *now, uint32_t netns,
                               const uint32_t (*counts)[STATE_MAX], struct chunk *chunk)
{
    uint32_t id = 0;
    int r = 0;

    for (uint32_t i = 0; i < PROTO_MAX * STATE_MAX && r == 0; i++) {
        uint32_t proto = i / STATE_MAX, state = i % STATE_MAX;
        uint64_t *row;

        if (!counts[proto][state])
            continue;
        r = id ? 0 : dictionary_netns(store, now, netns, &id);
        row = r == 0 ? chunk_add_row(chunk) : NULL;
        if (!row)
            return r < 0 ? r : -ENOMEM;
        row[STATES_NETNS] = id;
        row[STATES_PROTO] = proto;
        row[STATES_STATE] = state;
        row[STATES_COUNT] = counts[proto][state];
    }
    return r;
}

int write_states(struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    CLEANUP_FREE uint32_t(*counts)[PROTO_MAX][STATE_MAX] = NULL;
    int r;

    if (!snapshot_knows_sockets(now))
        return 0;
    counts = calloc(now->netns_count + 1u, sizeof(*counts));
    r = counts ? begin_tick(store, now, chunk) : -ENOMEM;
    for (uint32_t i = 0; i < now->netns_count && r == 0; i++)
        memcpy(counts[i][PROTO_TCP], now->netns[i].counted, sizeof(now->netns[i].counted));
    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        const struct socket *socket = &now->sockets[i];

        if (socket->netns < now->netns_count && socket->proto < PROTO_MAX &&
            socket->state < STATE_MAX)
            counts[socket->netns][socket->proto][socket->state]++;
    }
    for (uint32_t i = 0; i < now->netns_count && r == 0; i++)
        r = add_states_of_netns(store, now, i, counts[i], chunk);
    return r;
}

/* --- those that listen --- */

static int add_listener(struct store *store, const struct snapshot *now,
                        const struct socket *socket, uint32_t process, struct chunk *chunk)
{
    const struct endpoint endpoint = {.address = socket->local,
                                      .port = socket->local_port,
                                      .proto = socket->proto,
                                      .family = socket->family,
                                      .direction = ENDPOINT_LISTEN};
    uint32_t process_id = 0, endpoint_id, netns;
    uint64_t *row;
    int r = dictionary_endpoint(store, &endpoint, &endpoint_id);

    if (r == 0)
        r = dictionary_netns(store, now, socket->netns, &netns);
    if (r == 0 && process != MAP_NONE)
        r = dictionary_process(store, now, &now->processes[process], socket->netns, &process_id);
    row = r == 0 ? chunk_add_row(chunk) : NULL;
    if (!row)
        return r < 0 ? r : -ENOMEM;
    row[LISTENERS_PROCESS] = process_id;
    row[LISTENERS_ENDPOINT] = endpoint_id;
    row[LISTENERS_NETNS] = netns;
    row[LISTENERS_WAITING] = socket->recv_q;
    row[LISTENERS_LIMIT] = socket->has & SOCKET_HAS_BACKLOG ? socket->send_q : 0;
    row[LISTENERS_SOCKETS] = 1;
    return 0;
}

int write_listeners(struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    CLEANUP(map_done) struct map holders = {0};
    int r;

    if (!snapshot_knows_sockets(now))
        return 0;
    r = serving_holders(now, &holders);
    if (r == 0)
        r = begin_tick(store, now, chunk);
    for (uint32_t i = 0; i < now->sockets_count && r == 0; i++) {
        uint32_t process;

        if (!serving_is(now, &now->sockets[i]))
            continue;
        process = serving_holder(now, &holders, &now->sockets[i]);
        r = add_listener(store, now, &now->sockets[i], process, chunk);
    }
    chunk_fold(chunk);
    return r;
}

/* --- connections --- */

/* A process has many events: which id it has is looked up once, and again where another one has
 * its place. */
#define NAMED_MAX 64

struct named {
    const struct event *event; /* NULL: none yet */
    uint32_t id;
};

static bool is_same_process(const struct event *a, const struct event *b)
{
    return a->pid == b->pid && !((a->has ^ b->has) & (EVENT_HAS_PROCESS | EVENT_HAS_UID)) &&
           a->netns == b->netns && a->comm == b->comm && a->uid == b->uid &&
           a->cgroup_id == b->cgroup_id;
}

static int name_process(struct store *store, const struct snapshot *now, const struct event *event,
                        struct named *all, uint32_t *ret_id)
{
    struct named *named = &all[event->pid % NAMED_MAX];
    int r = 0;

    if (!named->event || !is_same_process(named->event, event))
        r = dictionary_process_of_event(store, now, event, &named->id);
    named->event = r == 0 ? event : NULL;
    *ret_id = named->id;
    return r;
}

static void put_address(uint64_t *row, const union address *address)
{
    uint64_t halves[2];

    memcpy(halves, address, sizeof(halves));
    row[0] = be64toh(halves[0]);
    row[1] = be64toh(halves[1]);
}

static int add_connection(struct store *store, const struct snapshot *now,
                          const struct event *event, struct named *names, struct chunk *chunk)
{
    uint64_t start_ns = event->has & EVENT_HAS_START ? event->start_ns : event->time_ns, *row;
    uint32_t process;
    int r = name_process(store, now, event, names, &process);

    row = r == 0 ? chunk_add_row(chunk) : NULL;
    if (!row)
        return r < 0 ? r : -ENOMEM;
    row[CONNECTIONS_PROCESS] = process;
    row[CONNECTIONS_BEFORE_NS] = zigzag((int64_t)(now->boot_ns - event->time_ns));
    row[CONNECTIONS_WORDS] = event->proto | (uint64_t)event->kind << 8 |
                             (uint64_t)event->verdict << 16 | (uint64_t)event->ended_by << 24 |
                             (uint64_t)event->direction << 32 | (uint64_t)event->owned_by << 40 |
                             (uint64_t)event->family << 48;
    put_address(&row[CONNECTIONS_PEER_HIGH], &event->peer);
    put_address(&row[CONNECTIONS_LOCAL_HIGH], &event->local);
    row[CONNECTIONS_PEER_PORT] = event->peer_port;
    row[CONNECTIONS_LOCAL_PORT] = event->local_port;
    row[CONNECTIONS_HAS] = event->has;
    row[CONNECTIONS_DURATION_NS] = event->time_ns > start_ns ? event->time_ns - start_ns : 0;
    row[CONNECTIONS_RX_BYTES] = event->rx_bytes;
    row[CONNECTIONS_TX_BYTES] = event->tx_bytes;
    row[CONNECTIONS_PID] = event->pid;
    row[CONNECTIONS_HANDSHAKE_US] = event->handshake_us;
    row[CONNECTIONS_RTT_US] = event->rtt_us;
    row[CONNECTIONS_RETRANSMITS] = event->retransmits;
    row[CONNECTIONS_ERROR] = event->error;
    return 0;
}

int write_connections(struct store *store, const struct snapshot *now, struct chunk *chunk)
{
    struct named names[NAMED_MAX] = {0};
    int r = now->events_count ? begin_tick(store, now, chunk) : 0;

    for (uint32_t i = 0; i < now->events_count && r == 0; i++)
        if (now->events[i].kind != EVENT_RETRANSMITTED)
            r = add_connection(store, now, &now->events[i], names, chunk);
    return r;
}
