/* SPDX-License-Identifier: MIT */
/* Flows are joined to sockets by cookie, and to processes by index. */
#include "derive/flow_join.h"

#include "base/vec.h"
#include "derive/port_range.h"

void flow_sum_add(struct flow_sum *sum, const struct flow *flow)
{
    traffic_add(&sum->total, flow->total);
    traffic_add(&sum->last, flow->window[FLOW_LAST]);
    sum->known = true;
}

static int add_to_socket(struct flow_join *join, uint32_t *capacity, const struct flow *flow)
{
    uint32_t at = map_get(&join->by_cookie, flow->cookie);
    int r;

    if (at >= join->socket_count) { /* MAP_NONE */
        at = join->socket_count;
        r = VEC_RESERVE(&join->sockets, capacity, at, 1);
        if (r == 0)
            r = map_set(&join->by_cookie, flow->cookie, at);
        if (r < 0)
            return r;
        join->sockets[join->socket_count++] =
            (struct flow_sum){.cookie = flow->cookie, .socket = FLOW_JOIN_NONE};
    }
    flow_sum_add(&join->sockets[at], flow);
    return 0;
}

static int add_flows(const struct snapshot *snapshot, struct flow_join *join)
{
    uint32_t capacity = 0;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++) {
        const struct flow *flow = &snapshot->flows[i];

        if (flow->process)
            flow_sum_add(&join->processes[flow->process - 1], flow);
        if (flow->cookie)
            r = add_to_socket(join, &capacity, flow);
    }
    return r;
}

static uint64_t place(uint32_t netns, uint8_t proto, uint16_t port)
{
    return (uint64_t)netns << 24 | (uint64_t)proto << 16 | port;
}

/* Sockets of UDP that have no peer serve all who write to them. */
static bool serves(const struct socket *socket)
{
    return socket->local_port && PROTO_BIT(socket->proto) & PROTO_INET_ALL &&
           (socket->state == STATE_LISTENING ||
            (socket->proto != PROTO_TCP && socket->state == STATE_UNCONNECTED));
}

static int link_sockets(const struct snapshot *snapshot, struct flow_join *join)
{
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        uint32_t sum = socket->cookie ? map_get(&join->by_cookie, socket->cookie) : MAP_NONE;

        join->of_socket[i] = sum;
        if (sum < join->socket_count)
            join->sockets[sum].socket = i;
        if (serves(socket))
            r = map_set(&join->serving, place(socket->netns, socket->proto, socket->local_port), 1);
    }
    return r;
}

int flow_join_make(const struct snapshot *snapshot, struct flow_join *ret_join)
{
    struct flow_join join = {0};
    int r = 0;

    if (snapshot->flows_count == 0) {
        *ret_join = join;
        return 0;
    }
    join.processes = calloc(snapshot->processes_count + 1u, sizeof(*join.processes));
    join.of_socket = calloc(snapshot->sockets_count + 1u, sizeof(*join.of_socket));
    if (!join.processes || !join.of_socket)
        r = -ENOMEM;
    if (r == 0)
        r = add_flows(snapshot, &join);
    if (r == 0)
        r = link_sockets(snapshot, &join);
    if (r < 0)
        flow_join_done(&join);
    else
        *ret_join = join;
    return r;
}

void flow_join_done(struct flow_join *join)
{
    free(join->sockets);
    free(join->processes);
    free(join->of_socket);
    map_done(&join->by_cookie);
    map_done(&join->serving);
    *join = (struct flow_join){0};
}

const struct flow_sum *flow_sum_of_socket(const struct flow_join *join, uint32_t socket)
{
    uint32_t sum = join->of_socket ? join->of_socket[socket] : FLOW_JOIN_NONE;

    return sum == FLOW_JOIN_NONE ? NULL : &join->sockets[sum];
}

uint32_t flow_socket(const struct flow_join *join, const struct flow *flow)
{
    uint32_t sum = flow->cookie ? map_get(&join->by_cookie, flow->cookie) : MAP_NONE;

    return sum == MAP_NONE ? FLOW_JOIN_NONE : join->sockets[sum].socket;
}

/* A socket for datagrams that serves nobody but waits for answers: the kernel chose its port, and
 * not that of its peer. */
static bool is_client(const struct snapshot *snapshot, const struct flow *flow)
{
    return flow->proto != PROTO_TCP && snapshot->netns[flow->netns].flags & NETNS_HAS_PORT_RANGE &&
           port_range_has(snapshot, flow->netns, flow->local_port) &&
           !port_range_has(snapshot, flow->netns, flow->peer_port);
}

/* The kernel chose the port of the peer, and not ours: it came to us, whoever listened for it. Who
 * listens may have begun after the sockets were read. */
static bool came_to_us(const struct snapshot *snapshot, const struct flow *flow)
{
    return snapshot->netns[flow->netns].flags & NETNS_HAS_PORT_RANGE &&
           port_range_has(snapshot, flow->netns, flow->peer_port) &&
           !port_range_has(snapshot, flow->netns, flow->local_port);
}

uint16_t flow_service_port(const struct snapshot *snapshot, const struct flow_join *join,
                           const struct flow *flow)
{
    bool known = flow->netns < snapshot->netns_count && snapshot_knows_sockets(snapshot) &&
                 snapshot->netns[flow->netns].flags & NETNS_READ;

    if (!flow->local_port || !flow->peer_port)
        return flow->local_port ? flow->local_port : flow->peer_port;
    if (known) {
        bool serves =
            map_get(&join->serving, place(flow->netns, flow->proto, flow->local_port)) != MAP_NONE;

        return (serves && !is_client(snapshot, flow)) || came_to_us(snapshot, flow)
                   ? flow->local_port
                   : flow->peer_port;
    }
    return flow->local_port < flow->peer_port ? flow->local_port : flow->peer_port;
}
