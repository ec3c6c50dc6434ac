/* SPDX-License-Identifier: MIT */
/* TCP sockets with traffic, by their cookie. */
#include "collect/traffic_sockets.h"

#include "base/clock.h"
#include "base/map.h"
#include "base/vec.h"

#include <stdbool.h>
#include <string.h>

/* A socket without a process is gone after some minutes, however bad its connection is. */
#define CLOSED_NS (1800 * SECOND_NS)

/* One direction. */
struct account {
    uint64_t start;   /* that were before the start */
    uint64_t bytes;   /* those, and what was counted */
    uint64_t missing; /* what TCP had more of at the last look, less what was counted since */
    uint64_t seen;    /* `bytes` at the look before */
    bool quiet;       /* nothing was counted between the last two looks */
};

/* How the process is known. */
enum user_from {
    USER_NONE,
    USER_HOLDER, /* has or had it */
    USER_CALLER, /* made the last call */
};

struct tcp_socket {
    uint64_t cookie;
    uint64_t closed_ns; /* 0: open */
    uint64_t round;     /* of the last look */
    struct account rx, tx;
    struct traffic_user user;
    uint8_t user_from;
    bool shared;  /* by processes of which each may be the one */
    bool awaited; /* is in the list of those that are ahead */
};

/* A socket of which TCP has more than was counted. */
struct ahead {
    uint64_t cookie;
    struct traffic_socket facts;
};

struct traffic_sockets {
    struct tcp_socket *sockets;
    struct ahead *ahead;
    uint32_t count, capacity, ahead_count, ahead_capacity;
    struct map by_cookie;
    uint64_t user_hz, round, nobodys;
    bool all;             /* the round is of all processes */
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
    free(sockets->ahead);
    free(sockets);
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
        .ppid = user->ppid,
        .netns = socket->netns,
        .ifindex = socket->ifindex,
        .flags = socket->split ? FLOW_PEER : 0,
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

/* Who moves bytes that no call was seen for. */
static const struct traffic_user *known_user(const struct tcp_socket *socket)
{
    static const struct traffic_user nobody;

    return socket->shared ? &nobody : &socket->user;
}

static struct flow_report report_of(const struct traffic_sockets *sockets,
                                    const struct tcp_socket *socket,
                                    const struct traffic_socket *facts)
{
    struct flow_report report;

    fill_report(sockets, &report, known_user(socket), facts);
    report.cookie = socket->cookie;
    return report;
}

static int report_missing(struct traffic_sockets *sockets, struct flow_table *table,
                          const struct tcp_socket *socket, const struct traffic_socket *facts,
                          struct traffic bytes)
{
    struct flow_report report = report_of(sockets, socket, facts);

    report.bytes.rx_bytes = take_other(&sockets->other.rx_bytes, bytes.rx_bytes);
    report.bytes.tx_bytes = take_other(&sockets->other.tx_bytes, bytes.tx_bytes);
    report.flags = FLOW_SPLICED;
    if (!report.bytes.rx_bytes && !report.bytes.tx_bytes)
        return 0;
    if (socket->shared)
        sockets->nobodys += report.bytes.rx_bytes + report.bytes.tx_bytes;
    return flow_table_report(table, &report);
}

static void settle_call(struct account *account, uint64_t bytes)
{
    account->bytes += bytes;
    account->missing -= bytes < account->missing ? bytes : account->missing;
}

/* Less what a call moved before the start, which is counted whole when it returns. Where it began
 * is one byte too late when the handshake has been counted as one. */
static uint64_t since_start(const struct account *account, uint64_t began, uint64_t bytes)
{
    uint64_t early = account->start > began ? account->start - began : 0;

    if (!early)
        return bytes;
    return bytes > early + 1 ? bytes - early : 0;
}

/* The last one, of which others may have used it before. */
static void note_caller(struct tcp_socket *socket, const struct traffic_user *user)
{
    bool another = socket->user.pid != user->pid || socket->user.start_ns != user->start_ns;

    socket->shared = socket->user_from == USER_CALLER && (socket->shared || another);
    socket->user = *user;
    socket->user_from = USER_CALLER;
}

static void note_holder(struct tcp_socket *socket, const struct traffic_user *user, bool first)
{
    if (socket->user_from == USER_CALLER)
        return;
    if (first || socket->user_from == USER_NONE) {
        socket->user = *user;
        socket->user_from = USER_HOLDER;
        socket->shared = false;
    } else if (socket->user.pid != user->pid) {
        socket->shared = true;
    }
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
        note_caller(socket, &flow->user);
        report.bytes.rx_bytes =
            since_start(&socket->rx, flow->began.rx_bytes, report.bytes.rx_bytes);
        report.bytes.tx_bytes =
            since_start(&socket->tx, flow->began.tx_bytes, report.bytes.tx_bytes);
        settle_call(&socket->rx, report.bytes.rx_bytes);
        settle_call(&socket->tx, report.bytes.tx_bytes);
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

static struct account account_from(uint64_t bytes)
{
    return (struct account){.start = bytes, .bytes = bytes, .seen = bytes};
}

int traffic_sockets_prime(struct traffic_sockets *sockets, const struct traffic_held *held)
{
    const struct traffic_counters *counters = &held->tcp.counters;
    struct tcp_socket *socket;
    int r = find_or_add(sockets, held->tcp.cookie, &socket);

    if (r < 0)
        return r;
    /* A socket of several processes comes several times. */
    socket->rx = account_from(counters->rx_bytes);
    socket->tx = account_from(counters->tx_bytes);
    return 0;
}

static uint64_t difference(const struct account *account, uint64_t bytes)
{
    return bytes > account->bytes ? bytes - account->bytes : 0;
}

/* `again`: it is not the first look. */
static void look(struct account *account, uint64_t bytes, bool again)
{
    if (bytes < account->start) /* another connection by the same socket */
        account->start = 0;
    account->missing = difference(account, bytes);
    account->quiet = again && account->bytes == account->seen;
    account->seen = account->bytes;
}

static bool is_ahead(const struct tcp_socket *socket)
{
    return socket->rx.missing || socket->tx.missing;
}

/* No call has ended meanwhile: it is a long one, or none. */
static bool is_quiet(const struct tcp_socket *socket)
{
    return (socket->rx.missing && socket->rx.quiet) || (socket->tx.missing && socket->tx.quiet);
}

void traffic_sockets_look_around(struct traffic_sockets *sockets, bool all)
{
    sockets->round++;
    sockets->all = all;
}

static int await_call(struct traffic_sockets *sockets, struct tcp_socket *socket,
                      const struct traffic_socket *facts)
{
    int r = VEC_RESERVE(&sockets->ahead, &sockets->ahead_capacity, sockets->ahead_count, 1);

    if (r < 0)
        return r;
    sockets->ahead[sockets->ahead_count++] = (struct ahead){socket->cookie, *facts};
    socket->awaited = true;
    return 0;
}

int traffic_sockets_look(struct traffic_sockets *sockets, const struct traffic_held *held)
{
    const struct traffic_counters *counters = &held->tcp.counters;
    struct tcp_socket *socket;
    int r = find_or_add(sockets, held->tcp.cookie, &socket);

    if (r < 0)
        return r;
    if (sockets->all)
        note_holder(socket, &held->user, socket->round != sockets->round);
    if (socket->round == sockets->round)
        return 0;
    look(&socket->rx, counters->rx_bytes, socket->round > 0);
    look(&socket->tx, counters->tx_bytes, socket->round > 0);
    socket->round = sockets->round;
    if (socket->awaited || !is_ahead(socket))
        return 0;
    return await_call(sockets, socket, &held->tcp.socket);
}

/* `other`: of the bytes that were counted without a socket, those that are not shown yet. */
static int show_ahead(const struct traffic_sockets *sockets, struct flow_table *table,
                      const struct tcp_socket *socket, const struct traffic_socket *facts,
                      struct traffic *other)
{
    struct flow_report report = report_of(sockets, socket, facts);

    report.bytes.rx_bytes = take_other(&other->rx_bytes, socket->rx.missing);
    report.bytes.tx_bytes = take_other(&other->tx_bytes, socket->tx.missing);
    if (is_quiet(socket))
        report.flags = FLOW_SPLICED;
    return flow_table_ahead(table, &report);
}

int traffic_sockets_show(struct traffic_sockets *sockets, struct flow_table *table)
{
    struct traffic other = sockets->other;
    int r = 0;

    for (uint32_t i = sockets->ahead_count; i-- > 0 && r == 0;) {
        struct tcp_socket *socket = find(sockets, sockets->ahead[i].cookie);

        if (socket && is_ahead(socket)) {
            r = show_ahead(sockets, table, socket, &sockets->ahead[i].facts, &other);
        } else {
            sockets->ahead[i] = sockets->ahead[--sockets->ahead_count];
            if (socket)
                socket->awaited = false;
        }
    }
    return r;
}

bool traffic_sockets_settled(const struct traffic_sockets *sockets)
{
    return sockets->ahead_count == 0;
}

static bool is_listed(const uint32_t *pids, uint32_t count, uint32_t pid)
{
    for (uint32_t i = 0; i < count; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

uint32_t traffic_sockets_busy(const struct traffic_sockets *sockets, uint32_t *pids, uint32_t size)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < sockets->ahead_count && count < size; i++) {
        const struct tcp_socket *socket = find(sockets, sockets->ahead[i].cookie);

        if (socket && socket->user.pid && is_quiet(socket) &&
            !is_listed(pids, count, socket->user.pid))
            pids[count++] = socket->user.pid;
    }
    return count;
}

uint64_t traffic_sockets_nobodys(const struct traffic_sockets *sockets)
{
    return sockets->nobodys;
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
    if (socket->user_from == USER_NONE)
        note_holder(socket, &closed->user, true);
    socket->closed_ns = now_ns;
    return 0;
}

int traffic_sockets_drop(struct traffic_sockets *sockets, struct flow_table *table, uint64_t cookie,
                         uint64_t now_ns)
{
    struct tcp_socket *socket = find(sockets, cookie);

    flow_table_close(table, cookie, now_ns);
    return socket ? forget(sockets, socket) : 0;
}

int traffic_sockets_end(struct traffic_sockets *sockets, struct flow_table *table,
                        const struct traffic_tcp *ended, uint64_t now_ns)
{
    struct tcp_socket *socket = find(sockets, ended->cookie);
    struct traffic missing;
    int r;

    if (!socket) {
        flow_table_close(table, ended->cookie, now_ns);
        return 0;
    }
    missing.rx_bytes = difference(&socket->rx, ended->counters.rx_bytes);
    missing.tx_bytes = difference(&socket->tx, ended->counters.tx_bytes);
    if (missing.rx_bytes || missing.tx_bytes) {
        r = report_missing(sockets, table, socket, &ended->socket, missing);
        if (r < 0)
            return r;
    } else if (socket->closed_ns == now_ns) { /* so are its flows, and there are no more of it */
        return forget(sockets, socket);
    }
    flow_table_close(table, ended->cookie, now_ns);
    return forget(sockets, socket);
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
