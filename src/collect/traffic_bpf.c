/* SPDX-License-Identifier: MIT */
/* Traffic by BPF: every call that moves bytes, in its own context, settled with TCP's counters. */
#include "base/clock.h"
#include "base/vec.h"
#include "bpf/iterators.h"
#include "collect/bpf_error.h"
#include "collect/proc_file.h"
#include "collect/rehearsal.h"
#include "collect/traffic_counts.h"
#include "collect/traffic_ends.h"
#include "collect/traffic_peers.h"
#include "collect/traffic_source.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#define SOURCE "bpf sock_send_length"

/*
 * Looks at the counters of open sockets: this often at most, and so seldom that it takes no more
 * than this part of one processor, which is smaller as long as calls tell all that moves. Those of
 * processes in a long call come in between, to see what that moves: at most so many, and with as
 * little of a processor.
 */
#define LOOK_NS SECOND_NS
#define LOOK_PART 200
#define LOOK_PART_SETTLED 1000
#define BUSY_MAX 16

/* A socket is looked at for so long after its last packet, besides the time since the last look. */
#define RECENT_NS (10 * SECOND_NS)

struct bpf_state {
    struct traffic_counts calls, packets; /* packets only as long as somebody asks for them */
    struct traffic_peers peers;
    struct traffic_ends ends;
    struct traffic_program walk;
    int walk_error, packets_error; /* why they are not there; 0: they are */
    uint64_t packets_ns;           /* when they began; 0: they are not counted */
    int epoll;
    struct traffic_sockets *sockets;
    struct traffic_held *looks;
    uint32_t looks_count, looks_capacity;
    uint64_t looked_ns, look_cost_ns, look_next_ns, busy_next_ns;
    uint64_t tick_ns; /* of the kernel's timers */
};

static int drain(void *context)
{
    struct bpf_state *state = context;
    int r = traffic_ends_keep(&state->ends);

    if (r == 0)
        r = traffic_counts_drain(&state->calls);
    if (r == 0 && state->packets_ns)
        r = traffic_counts_drain(&state->packets);
    return r;
}

/* --- looks at the sockets in use --- */

static int keep_look(const char *bytes, size_t length, void *context, size_t *ret_used)
{
    struct bpf_state *state = context;
    size_t used = 0;
    int r = 0;

    for (; length - used >= sizeof(*state->looks); used += sizeof(*state->looks)) {
        r = VEC_RESERVE(&state->looks, &state->looks_capacity, state->looks_count, 1);
        if (r < 0)
            return r;
        memcpy(&state->looks[state->looks_count++], bytes + used, sizeof(*state->looks));
    }
    *ret_used = used;
    return 0;
}

static int look_at_all(struct bpf_state *state, uint64_t now_ns)
{
    uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    int r;

    r = iterator_read(state->walk.prog_fd, 0, keep_look, state);
    state->looked_ns = now_ns;
    state->look_cost_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns;
    return r;
}

/* The next one. A reading that is a little early is in time. */
static void plan_look(struct bpf_state *state, uint64_t part)
{
    uint64_t wait_ns = state->look_cost_ns * part;

    state->look_next_ns = state->looked_ns + (wait_ns > LOOK_NS ? wait_ns : LOOK_NS) - LOOK_NS / 10;
}

/* A process may have ended meanwhile, and kernels before 6.1 look at all or none. */
static int look_at_busy(struct bpf_state *state, uint64_t now_ns)
{
    uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    uint32_t pids[BUSY_MAX];
    uint32_t count = traffic_sockets_busy(state->sockets, pids, BUSY_MAX);
    int r = 0;

    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = iterator_read(state->walk.prog_fd, pids[i], keep_look, state);
        if (r == -ESRCH || r == -EINVAL)
            r = 0;
    }
    state->busy_next_ns = now_ns + (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) * LOOK_PART;
    return r;
}

/* The counters of sockets, before the flows are taken. */
static int look_around(struct bpf_state *state, uint64_t now_ns)
{
    state->looks_count = 0;
    if (!state->walk.skeleton)
        return 0;
    if (now_ns >= state->look_next_ns) {
        state->walk.state->recent_ticks =
            (RECENT_NS + 2 * (now_ns - state->looked_ns)) / state->tick_ns;
        return look_at_all(state, now_ns);
    }
    return now_ns >= state->busy_next_ns ? look_at_busy(state, now_ns) : 0;
}

static int prime(struct bpf_state *state, uint64_t now_ns)
{
    int r = 0;

    state->looks_count = 0;
    if (state->walk.skeleton) {
        state->walk.state->recent_ticks = 0;
        r = look_at_all(state, now_ns);
    }
    for (uint32_t i = 0; i < state->looks_count && r == 0; i++)
        r = traffic_sockets_prime(state->sockets, &state->looks[i]);
    plan_look(state, LOOK_PART);
    return r;
}

/* --- packets --- */

static int wait_for_notice(struct bpf_state *state, const struct traffic_program *program)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (!program->skeleton)
        return 0;
    return epoll_ctl(state->epoll, EPOLL_CTL_ADD, program->notice.map_fd, &event) < 0 ? -errno : 0;
}

static int open_packets(struct bpf_state *state)
{
    int r = traffic_program_open(TRAFFIC_PACKETS, proc_pidns_inode(), &state->packets.program);

    if (r == 0)
        r = rehearse_packets(&state->packets.program);
    if (r < 0)
        return r;
    (void)traffic_counts_other(&state->packets); /* of before they are asked for */
    return wait_for_notice(state, &state->packets.program);
}

/* To count them costs everybody who sends: it is begun when somebody asks, and ended. */
static void follow_need(struct bpf_state *state, uint64_t needs, uint64_t now_ns)
{
    if (needs & NEED_WIRE && !state->packets_ns && !state->packets_error) {
        state->packets_error = open_packets(state);
        if (state->packets_error == 0)
            state->packets_ns = now_ns;
    }
    if (!(needs & NEED_WIRE) || state->packets_error) {
        traffic_counts_done(&state->packets);
        state->packets_ns = 0;
    }
}

/* --- a reading --- */

/* Where the flows of a reading go. */
struct reading {
    struct bpf_state *state;
    struct flow_table *table;
};

static int count_flow(void *context, const struct traffic_key *key, const struct traffic_flow *flow)
{
    const struct reading *reading = context;

    return traffic_sockets_count(reading->state->sockets, reading->table, key, flow);
}

/* Packets are nobody's: the flow of the socket has them. */
static int count_packets(void *context, const struct traffic_key *key,
                         const struct traffic_flow *flow)
{
    const struct reading *reading = context;

    return traffic_sockets_wire(reading->state->sockets, reading->table, key, flow);
}

static int take_looks(struct bpf_state *state, uint64_t now_ns)
{
    int r = 0;

    traffic_sockets_look_around(state->sockets, state->looked_ns == now_ns);
    for (uint32_t i = 0; i < state->looks_count && r == 0; i++)
        r = traffic_sockets_look(state->sockets, &state->looks[i]);
    return r;
}

/* What had no room. Before the sockets are settled. */
static int report_other(struct bpf_state *state, struct flow_table *table)
{
    struct traffic_other other = traffic_counts_other(&state->calls);
    struct flow_report report = {.flags = FLOW_OTHER};

    traffic_sockets_other(state->sockets, (struct traffic){other.tcp.rx_bytes, other.tcp.tx_bytes});
    traffic_sums_add(&other.tcp, &other.rest);
    report.bytes = (struct traffic){other.tcp.rx_bytes, other.tcp.tx_bytes};
    report.rx_calls = other.tcp.rx_count;
    report.tx_calls = other.tcp.tx_count;
    return report.rx_calls || report.tx_calls ? flow_table_report(table, &report) : 0;
}

static int report_packets(struct bpf_state *state, struct flow_table *table)
{
    struct reading reading = {state, table};
    struct flow_report report = {.flags = FLOW_OTHER};
    struct traffic_other other;
    int r = traffic_counts_read(&state->packets, count_packets, &reading);

    if (r < 0)
        return r;
    other = traffic_counts_other(&state->packets);
    traffic_sums_add(&other.tcp, &other.rest);
    report.wire = (struct wire){other.tcp.rx_bytes, other.tcp.tx_bytes, other.tcp.rx_count,
                                other.tcp.tx_count};
    return report.wire.rx_packets || report.wire.tx_packets ? flow_table_report(table, &report) : 0;
}

static void leave_notes(const struct bpf_state *state, const struct flow_table *table,
                        struct snapshot *snapshot)
{
    uint64_t lost = traffic_ends_lost(&state->ends);

    if (state->ends.end_error || state->walk_error)
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE,
                      state->ends.end_error ? state->ends.end_error : state->walk_error,
                      "bytes that are spliced from a socket are not counted");
    if (traffic_sockets_nobodys(state->sockets))
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE, 0,
                      "%llu bytes were spliced by one of several processes, nobody knows which",
                      (unsigned long long)traffic_sockets_nobodys(state->sockets));
    if (state->ends.close_error)
        snapshot_note(snapshot, NOTE_INFO, SOURCE, state->ends.close_error,
                      "when a UDP or raw socket is closed is not seen");
    if (state->packets_error)
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE, state->packets_error,
                      "packets are not counted: that takes CAP_NET_ADMIN and the root of cgroup2");
    if (state->peers.error)
        snapshot_note(
            snapshot, NOTE_DETAIL, SOURCE, state->peers.error,
            "unconnected UDP sockets have no peers: that takes CAP_NET_ADMIN and the root "
            "of cgroup2");
    if (flow_table_joined_peers(table) || state->calls.program.state->unsplit)
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE, 0,
                      "unconnected UDP sockets have more peers than are kept apart: what those "
                      "exchange that have no room is shown without a peer");
    if (lost)
        snapshot_note(snapshot, NOTE_DETAIL, SOURCE, -ENOBUFS,
                      "%llu ends of sockets were lost: spliced bytes may be missing",
                      (unsigned long long)lost);
}

static int read_calls(struct bpf_state *state, struct flow_table *table, uint64_t needs)
{
    struct reading reading = {state, table};
    int r = traffic_counts_read(&state->calls, count_flow, &reading);

    if (r == 0)
        r = report_other(state, table);
    return r < 0 ? r
                 : traffic_peers_read(&state->peers, &state->calls.program, needs & NEED_PEERS,
                                      count_flow, &reading);
}

/* Ends of sockets, and what their own counters have more, wait for the reading. */
static int count_calls(void *context, struct flow_table *table, const struct request *request)
{
    return read_calls(context, table, request->needs);
}

static int read_counts(struct bpf_state *state, struct flow_table *table, uint64_t needs,
                       uint64_t now_ns)
{
    int r = read_calls(state, table, needs);

    if (r == 0 && state->packets_ns)
        r = report_packets(state, table);
    if (r == 0)
        r = take_looks(state, now_ns);
    if (r == 0)
        r = traffic_ends_report(&state->ends, state->sockets, table, now_ns);
    if (r == 0)
        r = traffic_sockets_show(state->sockets, table);
    if (state->looked_ns == now_ns)
        plan_look(state, traffic_sockets_settled(state->sockets) ? LOOK_PART_SETTLED : LOOK_PART);
    return r;
}

static int read_traffic(void *context, struct flow_table *table, struct collection *collection,
                        uint64_t now_ns)
{
    struct bpf_state *state = context;
    int r = look_around(state, now_ns);

    if (r == 0)
        r = traffic_ends_keep(&state->ends);
    if (r == 0)
        r = read_counts(state, table, collection->request->needs, now_ns);
    if (state->ends.close_error || traffic_ends_lost(&state->ends))
        flow_table_miss_ends(table);
    if (r == 0 && traffic_ends_lost(&state->ends))
        r = traffic_sockets_sweep(state->sockets, now_ns);
    if (r < 0)
        return r;
    leave_notes(state, table, collection->snapshot);
    snapshot_source(collection->snapshot, "traffic",
                    state->calls.program.part == TRAFFIC_CALLS
                        ? "bpf sock_send_length, sock_recv_length"
                        : "bpf inet_sendmsg, inet_recvmsg");
    collection->snapshot->wire_ns = state->packets_ns;
    follow_need(state, collection->request->needs, now_ns);
    return 0;
}

/* --- beginning and end --- */

static void close_state(void *context)
{
    struct bpf_state *state = context;

    if (!state)
        return;
    traffic_counts_done(&state->calls);
    traffic_counts_done(&state->packets);
    traffic_peers_done(&state->peers);
    traffic_ends_done(&state->ends);
    traffic_program_close(&state->walk);
    if (state->epoll >= 0)
        close(state->epoll);
    traffic_sockets_free(state->sockets);
    free(state->looks);
    free(state);
}

/* Ends are told before calls are counted, so that nothing is counted whose end is not. */
static int open_programs(struct bpf_state *state)
{
    uint32_t pidns = proc_pidns_inode();
    int r;

    traffic_ends_open(&state->ends, pidns);
    r = traffic_calls_open(pidns, &state->calls.program);
    state->walk_error = traffic_program_open(TRAFFIC_WALK, pidns, &state->walk);
    if (r == 0)
        r = wait_for_notice(state, &state->calls.program);
    if (r == 0)
        r = wait_for_notice(state, &state->ends.end);
    return r < 0 ? r : wait_for_notice(state, &state->ends.close);
}

static int start(struct bpf_state *state)
{
    struct timespec tick;
    int r;

    state->tick_ns =
        clock_getres(CLOCK_MONOTONIC_COARSE, &tick) == 0 ? (uint64_t)tick.tv_nsec : 4000000;
    state->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (state->epoll < 0)
        return -errno;
    r = open_programs(state);
    if (r == 0)
        r = rehearse_calls(&state->calls.program);
    return r;
}

static int drop_flow(void *context, const struct traffic_key *key, const struct traffic_flow *flow)
{
    (void)context;
    (void)key;
    (void)flow;
    return 0;
}

static int drop_counts(struct traffic_counts *counts)
{
    int r = traffic_counts_read(counts, drop_flow, NULL);

    (void)traffic_counts_other(counts);
    return r;
}

/* Packets before calls: what a call takes in was a packet before. */
static int begin(void *context, uint64_t *ret_start_ns)
{
    struct bpf_state *state = context;
    uint64_t start_ns;
    int r = state->packets_ns ? drop_counts(&state->packets) : 0;

    if (r == 0)
        r = drop_counts(&state->calls);
    if (r == 0)
        r = traffic_peers_read(&state->peers, &state->calls.program,
                               state->peers.program.skeleton != NULL, drop_flow, NULL);
    start_ns = clock_ns(CLOCK_BOOTTIME);
    if (r == 0)
        r = prime(state, start_ns);
    if (r == 0)
        r = traffic_ends_keep(&state->ends);
    if (r < 0)
        return r;
    traffic_ends_begin(&state->ends);
    if (state->packets_ns)
        state->packets_ns = start_ns;
    *ret_start_ns = start_ns;
    return 0;
}

static const char *reason(int error)
{
    switch (error) {
    case -EINVAL:
    case -ENOENT:
    case -ESRCH:
        return "needs BTF, and Linux 6.3 or CONFIG_FUNCTION_TRACER";
    default:
        return bpf_error_text(error);
    }
}

static int open_state(const struct request *request, uint64_t now_ns, void **ret_state, char *why,
                      size_t size)
{
    struct bpf_state *state = calloc(1, sizeof(*state));
    int r = -ENOMEM;

    if (state) {
        state->epoll = -1;
        state->ends = TRAFFIC_ENDS_INIT;
        state->peers = TRAFFIC_PEERS_INIT;
        state->walk = TRAFFIC_PROGRAM_INIT;
        state->calls = state->packets = TRAFFIC_COUNTS_INIT;
        state->sockets = traffic_sockets_new();
        if (state->sockets)
            r = start(state);
        if (r == 0)
            r = traffic_peers_read(&state->peers, &state->calls.program,
                                   request->needs & NEED_PEERS, drop_flow, NULL);
    }
    if (r < 0) {
        snprintf(why, size, "calls cannot be counted: %s", reason(r));
        close_state(state);
        return r;
    }
    follow_need(state, request->needs, now_ns);
    *ret_state = state;
    return 0;
}

static int state_fd(const void *context)
{
    const struct bpf_state *state = context;

    return state->epoll;
}

const struct traffic_source traffic_source_bpf = {
    .name = SOURCE,
    .level = ACCOUNTING_BPF,
    .source = SOURCE_BPF,
    .needs = 0,
    .open = open_state,
    .close = close_state,
    .begin = begin,
    .fd = state_fd,
    .drain = drain,
    .count = count_calls,
    .read = read_traffic,
};
