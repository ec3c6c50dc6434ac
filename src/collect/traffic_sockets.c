/* SPDX-License-Identifier: MIT */
/* TCP sockets with traffic, by their cookie. */
#include "collect/traffic_sockets.h"

#include "base/map.h"
#include "base/vec.h"

#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

/* A socket without a process is gone after some minutes, however bad its connection is. */
#define CLOSED_NS (1800 * SECOND_NS)

/* One direction. */
struct account {
    uint64_t bytes;   /* that were before the start, or are reported */
    uint64_t seen;    /* `bytes` at the last look */
    uint64_t missing; /* what TCP had more of at the last look */
    uint64_t ahead;   /* reported before the call that may have moved them has ended */
};

struct tcp_socket {
    uint64_t cookie;
    uint64_t closed_ns; /* 0: open */
    uint64_t round;     /* of the last look */
    struct account rx, tx;
    struct traffic_user user; /* the first one, or the holder; pid 0: not known yet */
};

struct traffic_sockets {
    struct tcp_socket *sockets;
    uint32_t count, capacity;
    struct map by_cookie;
    uint64_t user_hz, round;
    struct traffic other; /* was counted without its socket, which has it in its counters */
};

struct traffic_sockets *traffic_sockets_new(void)
{
    struct traffic_sockets *sockets = calloc(1, sizeof(*sockets));

    if (sockets)
        sockets->user_hz = (uint64_t)sysconf(_SC_CLK_TCK);
    return sockets;
}

void traffic_sockets_free(struct traffic_sockets *sockets)
{
    if (!sockets)
        return;
    map_done(&sockets->by_cookie);
    free(sockets->sockets);
    free(sockets);
}

uint32_t traffic_sockets_total(const struct traffic_sockets *sockets)
{
    return sockets->count;
}

static struct tcp_socket *find(const struct traffic_sockets *sockets, uint64_t cookie)
{
    uint32_t index = map_get(&sockets->by_cookie, cookie);

    return index == MAP_NONE ? NULL : &sockets->sockets[index];
}

static int find_or_add(struct traffic_sockets *sockets, uint64_t cookie,
                       struct tcp_socket **ret_socket)
{
    struct tcp_socket *socket = find(sockets, cookie);
    int r = 0;

    if (!socket) {
        r = VEC_RESERVE(&sockets->sockets, &sockets->capacity, sockets->count, 1);
        if (r == 0)
            r = map_set(&sockets->by_cookie, cookie, sockets->count);
        if (r < 0)
            return r;
        socket = &sockets->sockets[sockets->count++];
        *socket = (struct tcp_socket){.cookie = cookie};
    }
    *ret_socket = socket;
    return r;
}

/* The last one takes its place. */
static int forget(struct traffic_sockets *sockets, struct tcp_socket *socket)
{
    struct tcp_socket *last = &sockets->sockets[--sockets->count];

    map_remove(&sockets->by_cookie, socket->cookie);
    if (socket == last)
        return 0;
    *socket = *last;
    return map_set(&sockets->by_cookie, socket->cookie, (uint32_t)(socket - sockets->sockets));
}

/* --- reports --- */

static void fill_report(const struct traffic_sockets *sockets, struct flow_report *report,
                        const struct traffic_user *user, const struct traffic_socket *socket)
{
    *report = (struct flow_report){
        .cgroup_id = user->cgroup_id,
        .start_ticks = user->start_ns / (SECOND_NS / sockets->user_hz),
        .pid = user->pid,
        .tid = user->tid,
        .uid = user->euid,
        .netns = socket->netns,
        .ifindex = socket->ifindex,
        .local_port = socket->local_port,
        .peer_port = socket->peer_port,
        .proto = socket->proto,
        .family = socket->family,
    };
    memcpy(report->local.bytes, socket->local, sizeof(socket->local));
    memcpy(report->peer.bytes, socket->peer, sizeof(socket->peer));
    memcpy(report->comm, user->comm, sizeof(user->comm));
}

/* Takes from the bytes that are counted already. */
static uint64_t take_other(uint64_t *other, uint64_t bytes)
{
    uint64_t taken = bytes < *other ? bytes : *other;

    *other -= taken;
    return bytes - taken;
}

void traffic_sockets_other(struct traffic_sockets *sockets, struct traffic bytes)
{
    traffic_add(&sockets->other, bytes);
}

static int report_missing(struct traffic_sockets *sockets, struct flow_table *table,
                          const struct tcp_socket *socket, const struct traffic_socket *facts,
                          struct traffic bytes)
{
    struct flow_report report;

    bytes.rx_bytes = take_other(&sockets->other.rx_bytes, bytes.rx_bytes);
    bytes.tx_bytes = take_other(&sockets->other.tx_bytes, bytes.tx_bytes);
    if (!bytes.rx_bytes && !bytes.tx_bytes)
        return 0;
    fill_report(sockets, &report, &socket->user, facts);
    report.cookie = socket->cookie;
    report.bytes = bytes;
    report.flags = FLOW_SPLICED;
    return flow_table_report(table, &report);
}

/* How many of the bytes of a call that has ended are not reported yet. */
static uint64_t settle_call(struct account *account, uint64_t bytes)
{
    uint64_t known = bytes < account->ahead ? bytes : account->ahead;

    account->ahead -= known;
    account->bytes += bytes - known;
    return bytes - known;
}

int traffic_sockets_count(struct traffic_sockets *sockets, struct flow_table *table,
                          const struct traffic_key *key, const struct traffic_flow *flow)
{
    struct tcp_socket *socket = NULL;
    struct flow_report report;
    int r = 0;

    fill_report(sockets, &report, &flow->user, &flow->socket);
    report.cookie = key->cookie;
    report.bytes = (struct traffic){flow->sums.rx_bytes, flow->sums.tx_bytes};
    report.rx_calls = flow->sums.rx_count;
    report.tx_calls = flow->sums.tx_count;
    if (flow->socket.proto == PROTO_TCP)
        r = find_or_add(sockets, key->cookie, &socket);
    if (r < 0)
        return r;
    if (socket) {
        if (!socket->user.pid)
            socket->user = flow->user;
        report.bytes.rx_bytes = settle_call(&socket->rx, report.bytes.rx_bytes);
        report.bytes.tx_bytes = settle_call(&socket->tx, report.bytes.tx_bytes);
    }
    return flow_table_report(table, &report);
}

int traffic_sockets_wire(const struct traffic_sockets *sockets, struct flow_table *table,
                         const struct traffic_key *key, const struct traffic_flow *flow)
{
    struct flow_report report;

    fill_report(sockets, &report, &flow->user, &flow->socket);
    report.cookie = key->cookie;
    report.wire = (struct wire){flow->sums.rx_bytes, flow->sums.tx_bytes, flow->sums.rx_count,
                                flow->sums.tx_count};
    return flow_table_report_wire(table, &report);
}

/* --- looks --- */

int traffic_sockets_prime(struct traffic_sockets *sockets, const struct traffic_held *held)
{
    const struct traffic_counters *counters = &held->tcp.counters;
    struct tcp_socket *socket;
    int r = find_or_add(sockets, held->tcp.cookie, &socket);

    if (r < 0)
        return r;
    /* A socket of several processes comes several times. */
    socket->rx = (struct account){.bytes = counters->rx_bytes, .seen = counters->rx_bytes};
    socket->tx = (struct account){.bytes = counters->tx_bytes, .seen = counters->tx_bytes};
    return 0;
}

static uint64_t difference(const struct account *account, uint64_t bytes)
{
    return bytes > account->bytes ? bytes - account->bytes : 0;
}

/* What is to be reported: missing at two looks, between which nothing was counted. */
static uint64_t look(struct account *account, uint64_t bytes)
{
    uint64_t missing = difference(account, bytes), found = 0;

    if (account->bytes == account->seen)
        found = missing < account->missing ? missing : account->missing;
    account->bytes += found;
    account->ahead += found;
    account->seen = account->bytes;
    account->missing = missing - found;
    return found;
}

void traffic_sockets_look_around(struct traffic_sockets *sockets)
{
    sockets->round++;
}

int traffic_sockets_look(struct traffic_sockets *sockets, struct flow_table *table,
                         const struct traffic_held *held)
{
    const struct traffic_counters *counters = &held->tcp.counters;
    struct tcp_socket *socket;
    struct traffic found;
    int r = find_or_add(sockets, held->tcp.cookie, &socket);

    if (r < 0 || socket->round == sockets->round)
        return r;
    socket->round = sockets->round;
    if (!socket->user.pid)
        socket->user = held->user;
    found.rx_bytes = look(&socket->rx, counters->rx_bytes);
    found.tx_bytes = look(&socket->tx, counters->tx_bytes);
    return report_missing(sockets, table, socket, &held->tcp.socket, found);
}

/* --- ends --- */

int traffic_sockets_close(struct traffic_sockets *sockets, struct flow_table *table,
                          const struct traffic_close *closed, uint64_t now_ns)
{
    struct tcp_socket *socket;
    int r = 0;

    flow_table_close(table, closed->cookie, now_ns);
    if (closed->proto != PROTO_TCP)
        return 0;
    r = find_or_add(sockets, closed->cookie, &socket);
    if (r < 0)
        return r;
    if (!socket->user.pid)
        socket->user = closed->user;
    socket->closed_ns = now_ns;
    return 0;
}

int traffic_sockets_end(struct traffic_sockets *sockets, struct flow_table *table,
                        const struct traffic_tcp *ended, uint64_t now_ns)
{
    struct tcp_socket unknown = {.cookie = ended->cookie};
    struct tcp_socket *socket = find(sockets, ended->cookie);
    struct traffic missing;
    int r;

    if (!socket)
        socket = &unknown;
    missing.rx_bytes = difference(&socket->rx, ended->counters.rx_bytes);
    missing.tx_bytes = difference(&socket->tx, ended->counters.tx_bytes);
    r = report_missing(sockets, table, socket, &ended->socket, missing);
    flow_table_close(table, ended->cookie, now_ns);
    return r < 0 || socket == &unknown ? r : forget(sockets, socket);
}

int traffic_sockets_sweep(struct traffic_sockets *sockets, uint64_t now_ns)
{
    int r = 0;

    for (uint32_t i = sockets->count; i-- > 0 && r == 0;) {
        struct tcp_socket *socket = &sockets->sockets[i];

        if (socket->closed_ns && socket->closed_ns + CLOSED_NS <= now_ns)
            r = forget(sockets, socket);
    }
    return r;
}
