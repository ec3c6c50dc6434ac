/* SPDX-License-Identifier: MIT */
/* Flow table: sums, windows, ends, and what folding must not lose. */
#include "collect/flow_bins.h"
#include "collect/flow_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define START (100 * SECOND)

static struct flow_report report(uint64_t cookie, uint32_t pid, uint64_t rx, uint64_t tx)
{
    struct flow_report report = {.cookie = cookie,
                                 .pid = pid,
                                 .tid = pid,
                                 .bytes = {rx, tx},
                                 .rx_calls = rx > 0,
                                 .tx_calls = tx > 0,
                                 .netns = 7,
                                 .comm = "worker"};

    return report;
}

static void add(struct flow_table *table, struct flow_report report)
{
    assert_int_equal(flow_table_report(table, &report), 0);
}

static void write_flows(struct flow_table *table, struct snapshot *ret_snapshot)
{
    assert_int_equal(snapshot_init(ret_snapshot), 0);
    assert_int_equal(flow_table_write(table, ret_snapshot), 0);
}

static const struct flow *find_flow(const struct snapshot *snapshot, uint64_t cookie, uint32_t pid)
{
    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        if (snapshot->flows[i].cookie == cookie && snapshot->flows[i].pid == pid)
            return &snapshot->flows[i];
    return NULL;
}

static struct traffic sum_of(const struct snapshot *snapshot)
{
    struct traffic sum = {0};

    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        traffic_add(&sum, snapshot->flows[i].total);
    return sum;
}

static void windows_hold_the_last_seconds(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;
    const struct flow *flow;

    (void)state;
    assert_non_null(table);
    for (uint32_t i = 1; i <= 90; i++) { /* i bytes in second i */
        add(table, report(5, 10, i, 2 * i));
        assert_int_equal(flow_table_advance(table, START + i * SECOND), 0);
    }
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 1);
    flow = &snapshot.flows[0];
    assert_int_equal(flow->total.rx_bytes, 90 * 91 / 2);
    assert_int_equal(flow->total.tx_bytes, 90 * 91);
    assert_int_equal(flow->window[FLOW_LAST].rx_bytes, 90);
    assert_int_equal(flow->window[FLOW_2S].rx_bytes, 89 + 90);
    assert_int_equal(flow->window[FLOW_10S].rx_bytes, 855);  /* 81 .. 90 */
    assert_int_equal(flow->window[FLOW_40S].rx_bytes, 2820); /* 51 .. 90 */
    assert_int_equal(flow->window[FLOW_60S].rx_bytes, 3630); /* 31 .. 90 */
    assert_int_equal(flow->rx_calls, 90);
    assert_int_equal(snapshot.window_ns[FLOW_LAST], SECOND);
    assert_int_equal(snapshot.window_ns[FLOW_2S], 2 * SECOND);
    assert_int_equal(snapshot.window_ns[FLOW_10S], 10 * SECOND);
    assert_int_equal(snapshot.window_ns[FLOW_40S], 40 * SECOND);
    assert_int_equal(snapshot.window_ns[FLOW_60S], 60 * SECOND);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* All windows are as long as flows were counted. */
static void windows_begin_with_the_counting(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    add(table, report(5, 10, 7, 7));
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    flow_table_begin(table, START + 2 * SECOND);
    add(table, report(6, 10, 3, 4));
    assert_int_equal(flow_table_advance(table, START + 3 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 1);
    assert_int_equal(snapshot.flows[0].id, 2); /* of another one than before */
    for (uint32_t i = 0; i < FLOW_WINDOW_MAX; i++) {
        assert_int_equal(snapshot.window_ns[i], SECOND);
        assert_int_equal(snapshot.flows[0].window[i].rx_bytes, 3);
    }
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void silence_empties_windows(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    add(table, report(5, 10, 1000, 0));
    for (uint32_t i = 1; i <= 3; i++)
        assert_int_equal(flow_table_advance(table, START + i * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows[0].window[FLOW_LAST].rx_bytes, 0);
    assert_int_equal(snapshot.flows[0].window[FLOW_2S].rx_bytes, 0);
    assert_int_equal(snapshot.flows[0].window[FLOW_10S].rx_bytes, 1000);
    assert_int_equal(snapshot.window_ns[FLOW_10S], 3 * SECOND); /* it has not run longer */
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void long_intervals_make_long_windows(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    for (uint32_t i = 1; i <= 8; i++) {
        add(table, report(5, 10, 7, 0));
        assert_int_equal(flow_table_advance(table, START + i * 15 * SECOND), 0);
    }
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows[0].window[FLOW_2S].rx_bytes, 7);
    assert_int_equal(snapshot.window_ns[FLOW_2S], 15 * SECOND);
    assert_int_equal(snapshot.flows[0].window[FLOW_60S].rx_bytes, 4 * 7);
    assert_int_equal(snapshot.window_ns[FLOW_60S], 60 * SECOND);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void threads_and_processes_are_apart(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct flow_report thread = report(5, 10, 1, 1);
    struct snapshot snapshot;

    (void)state;
    thread.tid = 11;
    add(table, report(5, 10, 1, 1));
    add(table, thread);
    add(table, report(5, 20, 4, 8));
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 3);
    assert_int_equal(sum_of(&snapshot).rx_bytes, 6);
    assert_int_equal(sum_of(&snapshot).tx_bytes, 10);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void the_closed_are_folded_after_a_minute(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;
    const struct flow *folded;

    (void)state;
    add(table, report(5, 10, 100, 200));
    add(table, report(6, 10, 1, 2));
    add(table, report(7, 10, 3, 4));
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    flow_table_close(table, 5, START + SECOND);
    flow_table_close(table, 6, START + SECOND);
    flow_table_close(table, 4711, START + SECOND); /* not known */
    assert_int_equal(flow_table_advance(table, START + 2 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 3);
    assert_true(find_flow(&snapshot, 5, 10)->flags & FLOW_CLOSED);
    assert_false(find_flow(&snapshot, 7, 10)->flags & FLOW_CLOSED);
    snapshot_done(&snapshot);
    assert_int_equal(flow_table_advance(table, START + 62 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    folded = find_flow(&snapshot, 0, 10);
    assert_non_null(folded);
    assert_int_equal(folded->flags, FLOW_FOLDED);
    assert_int_equal(folded->sockets, 2);
    assert_int_equal(folded->total.rx_bytes, 101);
    assert_int_equal(folded->total.tx_bytes, 202);
    assert_int_equal(folded->tx_calls, 2);
    snapshot_done(&snapshot);
    add(table, report(7, 10, 5, 0)); /* is still found */
    assert_int_equal(flow_table_advance(table, START + 63 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    assert_int_equal(find_flow(&snapshot, 7, 10)->total.rx_bytes, 3 + 5);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* Whatever the moment of the interval at which it was closed. */
static void the_closed_are_told_once(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    flow_table_tell_once(table);
    add(table, report(5, 10, 100, 200));
    add(table, report(6, 10, 1, 2));
    flow_table_close(table, 5, START + SECOND);
    flow_table_close(table, 6, START + 9 * SECOND);
    assert_int_equal(flow_table_advance(table, START + 10 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    assert_int_equal(find_flow(&snapshot, 5, 10)->window[FLOW_LAST].rx_bytes, 100);
    assert_int_equal(find_flow(&snapshot, 6, 10)->window[FLOW_LAST].tx_bytes, 2);
    assert_int_equal(snapshot.window_ns[FLOW_LAST], 10 * SECOND);
    assert_int_equal(snapshot.window_ns[FLOW_10S], 0); /* not kept */
    snapshot_done(&snapshot);
    assert_int_equal(flow_table_advance(table, START + 20 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 1);
    assert_int_equal(snapshot.flows[0].flags, FLOW_FOLDED);
    assert_int_equal(snapshot.flows[0].total.rx_bytes, 101);
    assert_int_equal(snapshot.flows[0].window[FLOW_LAST].rx_bytes, 0);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* What is over is in its process at once; what goes on and what is only silent stay. */
static void the_told_are_folded_before_the_next_interval(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;
    uint64_t id;

    (void)state;
    flow_table_tell_once(table);
    flow_table_miss_ends(table);
    for (uint64_t cookie = 5; cookie <= 7; cookie++)
        add(table, report(cookie, 10, 100, 200));
    flow_table_close(table, 5, START + SECOND);
    assert_int_equal(flow_table_advance(table, START + 10 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 3);
    assert_int_equal(find_flow(&snapshot, 5, 10)->window[FLOW_LAST].rx_bytes, 100);
    id = find_flow(&snapshot, 6, 10)->id;
    snapshot_done(&snapshot);
    flow_table_exit(table, id, START + 10 * SECOND);
    assert_int_equal(flow_table_end_told(table), 0);
    add(table, report(5, 10, 3, 4)); /* as spliced bytes are told at its very end */
    flow_table_close(table, 5, START + 19 * SECOND);
    add(table, report(7, 10, 1, 1));
    assert_int_equal(flow_table_advance(table, START + 20 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_null(find_flow(&snapshot, 6, 10));
    assert_int_equal(find_flow(&snapshot, 5, 10)->window[FLOW_LAST].rx_bytes, 3);
    assert_int_equal(find_flow(&snapshot, 5, 10)->total.rx_bytes, 3);
    assert_int_equal(find_flow(&snapshot, 7, 10)->window[FLOW_LAST].rx_bytes, 1);
    assert_int_equal(find_flow(&snapshot, 7, 10)->total.tx_bytes, 201);
    for (uint32_t i = 0; i < snapshot.flows_count; i++)
        if (snapshot.flows[i].flags & FLOW_FOLDED)
            assert_int_equal(snapshot.flows[i].window[FLOW_LAST].rx_bytes, 0);
    assert_int_equal(sum_of(&snapshot).rx_bytes, 100 + 100 + 3 + 101);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* For all others what has ended is listed for a minute. */
static void ends_are_not_hurried(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    add(table, report(5, 10, 100, 200));
    flow_table_close(table, 5, START + SECOND);
    assert_int_equal(flow_table_advance(table, START + 10 * SECOND), 0);
    assert_int_equal(flow_table_end_told(table), 0);
    assert_int_equal(flow_table_advance(table, START + 20 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 1);
    assert_int_equal(snapshot.flows[0].cookie, 5);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void the_ended_are_folded_by_name(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;
    const struct flow *folded;

    (void)state;
    for (uint32_t pid = 10; pid < 15; pid++) {
        add(table, report(pid, pid, 1, 1));
        flow_table_close(table, pid, START);
    }
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    for (uint64_t id = 1; id <= 5; id++)
        flow_table_exit(table, id, START + SECOND);
    assert_int_equal(flow_table_advance(table, START + 70 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 1);
    folded = &snapshot.flows[0];
    assert_int_equal(folded->pid, 0);
    assert_int_equal(folded->sockets, 5);
    assert_int_equal(folded->total.rx_bytes, 5);
    assert_int_equal(folded->flags, FLOW_FOLDED | FLOW_EXITED);
    assert_string_equal(snapshot_string(&snapshot, folded->comm, NULL), "worker");
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void end_all(struct flow_table *table, uint64_t first, uint64_t last, uint64_t now_ns)
{
    for (uint64_t id = first; id <= last; id++)
        flow_table_exit(table, id, now_ns);
}

/* The same name is another one in another cgroup, unless there are too many of them. */
static void the_ended_are_folded_by_cgroup(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct flow_report of_one = report(1, 0, 1, 0);
    struct snapshot snapshot;

    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        of_one.cookie = of_one.pid = i + 1;
        of_one.cgroup_id = 70 + i % 3;
        add(table, of_one);
    }
    end_all(table, 1, 60, START);
    assert_int_equal(flow_table_advance(table, START + 61 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(snapshot.flows[i].total.rx_bytes, 20);
    snapshot_done(&snapshot);
    for (uint32_t i = 0; i < 200; i++) {
        of_one.cookie = of_one.pid = of_one.cgroup_id = 1000 + i;
        add(table, of_one);
    }
    end_all(table, 64, 263, START + 61 * SECOND);
    assert_int_equal(flow_table_advance(table, START + 122 * SECOND), 0);
    assert_int_equal(flow_table_advance(table, START + 183 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_true(snapshot.flows_count <= 100);
    assert_int_equal(sum_of(&snapshot).rx_bytes, 260);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* Those of a namespace are not told as another's, also beside more flows than there is room for. */
static void the_ended_keep_their_place_in_a_crowd(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct flow_report of_one = report(1, 0, 1, 0);
    struct snapshot snapshot;
    uint64_t bytes[3] = {0};

    (void)state;
    for (uint32_t i = 0; i < 60; i++) {
        of_one.cookie = of_one.pid = i + 1;
        of_one.cgroup_id = 70 + i % 2;
        of_one.netns = 7 + i % 3;
        add(table, of_one);
    }
    end_all(table, 1, 60, START);
    for (uint32_t second = 1; second <= 3; second++) {
        for (uint32_t i = 0; i < 200; i++)
            add(table, report(1000 + i, 1000 + i, 10, 0));
        assert_int_equal(flow_table_advance(table, START + second * SECOND), 0);
    }
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 206);
    for (uint32_t i = 0; i < snapshot.flows_count; i++)
        if (!snapshot.flows[i].pid) {
            assert_int_equal(snapshot.flows[i].total.rx_bytes, 10);
            bytes[snapshot.netns[snapshot.flows[i].netns].inode - 7] += 10;
        }
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
        assert_int_equal(bytes[i], 20);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* What is folded of a process is not of the next one that has its pid. */
static void pids_are_given_again(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct flow_report first = report(1, 10, 1, 0), second = report(2, 10, 2, 0);
    struct snapshot snapshot;

    (void)state;
    first.start_ticks = 1;
    second.start_ticks = 2;
    add(table, first);
    add(table, second);
    flow_table_close(table, 1, START);
    flow_table_close(table, 2, START);
    assert_int_equal(flow_table_advance(table, START + 61 * SECOND), 0);
    flow_table_exit(table, 3, START + 61 * SECOND);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    assert_int_equal(snapshot.flows[0].total.rx_bytes, 1);
    assert_int_equal(snapshot.flows[0].flags, FLOW_FOLDED | FLOW_EXITED);
    assert_int_equal(snapshot.flows[1].total.rx_bytes, 2);
    assert_int_equal(snapshot.flows[1].flags, FLOW_FOLDED);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* Short connections by the thousand, and silent ones: few flows stay, and no byte is lost, neither
 * of the whole nor of the last ten seconds. */
static struct flow_report peer_report(uint64_t cookie, uint16_t port, uint64_t rx, uint64_t tx)
{
    struct flow_report made = report(cookie, 10, rx, tx);

    made.flags = FLOW_PEER;
    made.family = AF_INET;
    made.peer_port = port;
    made.peer.bytes[0] = 192;
    return made;
}

static const struct flow *find_peer(const struct snapshot *snapshot, uint16_t port)
{
    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        if (snapshot->flows[i].peer_port == port)
            return &snapshot->flows[i];
    return NULL;
}

/* One of two has room, and gives it away after a minute of silence. */
static void peers_are_bounded(void **state)
{
    struct flow_table *table = flow_table_new(4, START);
    struct snapshot snapshot;

    (void)state;
    for (uint64_t second = 1; second <= 61; second++) {
        add(table, peer_report(5, 1, second == 1 ? 1000 : 0, 0));
        add(table, peer_report(5, 2, 20, 3));
        assert_false(flow_table_joined_peers(table));
        assert_int_equal(flow_table_advance(table, START + second * SECOND), 0);
    }
    add(table, peer_report(5, 2, 20, 3));
    add(table, peer_report(5, 3, 7, 7));
    assert_true(flow_table_joined_peers(table));
    assert_int_equal(flow_table_advance(table, START + 62 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    assert_null(find_peer(&snapshot, 1));
    assert_null(find_peer(&snapshot, 3));
    assert_int_equal(find_peer(&snapshot, 2)->total.rx_bytes, 62 * 20);
    assert_int_equal(find_peer(&snapshot, 2)->flags, FLOW_PEER);
    assert_int_equal(find_peer(&snapshot, 0)->total.rx_bytes, 1007);
    assert_int_equal(find_peer(&snapshot, 0)->sockets, 1);
    snapshot_done(&snapshot);
    add(table, peer_report(5, 3, 8, 8));
    assert_int_equal(flow_table_advance(table, START + 63 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(find_peer(&snapshot, 3)->total.rx_bytes, 8);
    assert_int_equal(sum_of(&snapshot).rx_bytes, 62 * 20 + 1015);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void peers_are_folded_without_loss(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    add(table, report(5, 10, 100, 200));
    for (uint16_t port = 1; port <= 3; port++) {
        add(table, peer_report(5, port, port, 10));
        add(table, peer_report(6, port, port, 10));
    }
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    flow_table_close(table, 5, START + SECOND);
    flow_table_close(table, 6, START + SECOND);
    for (uint64_t second = 62; second < 64; second++) {
        assert_int_equal(flow_table_advance(table, START + second * SECOND), 0);
        write_flows(table, &snapshot);
        assert_int_equal(sum_of(&snapshot).rx_bytes, 112);
        assert_int_equal(sum_of(&snapshot).tx_bytes, 260);
        assert_true(second == 62 || snapshot.flows_count == 1);
        assert_true(second == 62 || snapshot.flows[0].sockets == 2);
        snapshot_done(&snapshot);
    }
    flow_table_free(table);
}

static void crowds_are_folded_without_loss(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    uint64_t cookie = 0;
    struct snapshot snapshot;
    struct traffic last = {0};

    (void)state;
    for (uint32_t second = 1; second <= 5; second++) {
        for (uint32_t i = 0; i < 1000; i++) {
            add(table, report(++cookie, 10 + i % 3, 10, 20));
            if (i % 2)
                flow_table_close(table, cookie, START + (second - 1) * SECOND);
        }
        assert_int_equal(flow_table_advance(table, START + second * SECOND), 0);
    }
    assert_int_equal(flow_table_advance(table, START + 6 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_true(snapshot.flows_count <= 100);
    assert_int_equal(sum_of(&snapshot).rx_bytes, 50000);
    assert_int_equal(sum_of(&snapshot).tx_bytes, 100000);
    for (uint32_t i = 0; i < snapshot.flows_count; i++)
        traffic_add(&last, snapshot.flows[i].window[FLOW_10S]);
    assert_int_equal(last.rx_bytes, 50000);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void silence_is_an_end_where_ends_are_missed(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    add(table, report(5, 10, 30, 0));
    add(table, report(6, 10, 40, 0));
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    assert_int_equal(flow_table_advance(table, START + 62 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    snapshot_done(&snapshot);
    flow_table_miss_ends(table);
    add(table, report(6, 10, 1, 0));
    assert_int_equal(flow_table_advance(table, START + 63 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    assert_null(find_flow(&snapshot, 5, 10));
    assert_int_equal(find_flow(&snapshot, 6, 10)->total.rx_bytes, 41);
    assert_int_equal(find_flow(&snapshot, 0, 10)->total.rx_bytes, 30);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* Two packets of 50 bytes each way. */
static void add_packets(struct flow_table *table, uint64_t cookie)
{
    const struct flow_report report = {.cookie = cookie, .netns = 7, .wire = {100, 100, 2, 2}};

    assert_int_equal(flow_table_report_wire(table, &report), 0);
}

static void packets_are_of_the_busiest_flow(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;

    (void)state;
    add(table, report(5, 10, 30, 0));
    add(table, report(5, 20, 40, 0));
    add_packets(table, 5);
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    add(table, report(5, 10, 1, 0));
    add_packets(table, 5);
    assert_int_equal(flow_table_advance(table, START + 2 * SECOND), 0);
    add_packets(table, 5); /* nobody moves anything: who was last */
    assert_int_equal(flow_table_advance(table, START + 3 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    assert_int_equal(find_flow(&snapshot, 5, 20)->wire.rx_bytes, 100);
    assert_int_equal(find_flow(&snapshot, 5, 10)->wire.rx_bytes, 200);
    assert_int_equal(find_flow(&snapshot, 5, 10)->wire_last.tx_packets, 2);
    assert_int_equal(find_flow(&snapshot, 5, 20)->wire_last.tx_packets, 0);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

/* A handshake, before the connection is accepted; and a listener, which is only that. */
static void packets_before_the_user_are_the_users(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct snapshot snapshot;
    const struct flow *flow;

    (void)state;
    add_packets(table, 5);
    add_packets(table, 6);
    assert_int_equal(flow_table_advance(table, START + SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(find_flow(&snapshot, 5, 0)->wire.tx_packets, 2);
    snapshot_done(&snapshot);
    add(table, report(5, 10, 30, 0));
    add_packets(table, 5);
    assert_int_equal(flow_table_advance(table, START + 2 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 2);
    flow = find_flow(&snapshot, 5, 10);
    assert_int_equal(flow->wire.tx_packets, 4);
    assert_int_equal(flow->wire_last.tx_packets, 2);
    assert_int_equal(flow->sockets, 1);
    assert_int_equal(find_flow(&snapshot, 6, 0)->wire.rx_packets, 2);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

static void other_is_a_flow_of_its_own(void **state)
{
    struct flow_table *table = flow_table_new(100, START);
    struct flow_report other = {.flags = FLOW_OTHER, .bytes = {5, 6}};
    struct snapshot snapshot;

    (void)state;
    add(table, other);
    add(table, other);
    assert_int_equal(flow_table_advance(table, START + 100 * SECOND), 0);
    write_flows(table, &snapshot);
    assert_int_equal(snapshot.flows_count, 1);
    assert_int_equal(snapshot.flows[0].flags, FLOW_OTHER);
    assert_int_equal(snapshot.flows[0].total.tx_bytes, 12);
    snapshot_done(&snapshot);
    flow_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_hold_the_last_seconds),
        cmocka_unit_test(windows_begin_with_the_counting),
        cmocka_unit_test(silence_empties_windows),
        cmocka_unit_test(long_intervals_make_long_windows),
        cmocka_unit_test(threads_and_processes_are_apart),
        cmocka_unit_test(the_closed_are_folded_after_a_minute),
        cmocka_unit_test(the_closed_are_told_once),
        cmocka_unit_test(the_told_are_folded_before_the_next_interval),
        cmocka_unit_test(ends_are_not_hurried),
        cmocka_unit_test(the_ended_are_folded_by_name),
        cmocka_unit_test(the_ended_are_folded_by_cgroup),
        cmocka_unit_test(the_ended_keep_their_place_in_a_crowd),
        cmocka_unit_test(pids_are_given_again),
        cmocka_unit_test(peers_are_bounded),
        cmocka_unit_test(peers_are_folded_without_loss),
        cmocka_unit_test(crowds_are_folded_without_loss),
        cmocka_unit_test(silence_is_an_end_where_ends_are_missed),
        cmocka_unit_test(packets_are_of_the_busiest_flow),
        cmocka_unit_test(packets_before_the_user_are_the_users),
        cmocka_unit_test(other_is_a_flow_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
