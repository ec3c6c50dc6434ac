/* SPDX-License-Identifier: MIT */
/* Settling: what calls moved, what TCP says, and that no byte comes twice. */
#include "collect/traffic_sockets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COOKIE 17
#define FIRST 100  /* process that uses the socket first */
#define SECOND 200 /* and another */

struct scene {
    struct traffic_sockets *sockets;
    struct flow_table *table;
};

static int set_up(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));

    scene->sockets = traffic_sockets_new();
    scene->table = flow_table_new(1000, 1);
    *state = scene;
    return scene->sockets && scene->table ? 0 : -1;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    traffic_sockets_free(scene->sockets);
    flow_table_free(scene->table);
    free(scene);
    return 0;
}

/* `began_rx`, `began_tx`: where TCP's counters were. */
static void call_from(struct scene *scene, uint32_t pid, struct traffic bytes, uint64_t began_rx,
                      uint64_t began_tx)
{
    const struct traffic_key key = {.cookie = COOKIE, .tid = pid, .tgid = pid};
    const struct traffic_flow flow = {
        .sums = {bytes.rx_bytes, bytes.tx_bytes, bytes.rx_bytes > 0, bytes.tx_bytes > 0},
        .user = {.pid = pid, .tid = pid},
        .socket = {.proto = PROTO_TCP, .family = 2},
        .began = {began_rx, began_tx}};

    assert_int_equal(traffic_sockets_count(scene->sockets, scene->table, &key, &flow), 0);
}

static void call(struct scene *scene, uint32_t pid, uint64_t rx, uint64_t tx)
{
    call_from(scene, pid, (struct traffic){rx, tx}, UINT64_MAX, UINT64_MAX);
}

static struct traffic_tcp tcp(uint64_t rx, uint64_t tx)
{
    return (struct traffic_tcp){
        .cookie = COOKIE, .counters = {rx, tx}, .socket = {.proto = PROTO_TCP, .family = 2}};
}

static void look_at(struct scene *scene, uint32_t pid, uint64_t rx, uint64_t tx)
{
    const struct traffic_held held = {.tcp = tcp(rx, tx), .user = {.pid = pid, .tid = pid}};

    assert_int_equal(traffic_sockets_look(scene->sockets, &held), 0);
}

static void look(struct scene *scene, uint32_t pid, uint64_t rx, uint64_t tx)
{
    traffic_sockets_look_around(scene->sockets, true);
    look_at(scene, pid, rx, tx);
    look_at(scene, pid, rx + 1, tx + 1); /* another thread of it, a moment later */
}

static void close_by(struct scene *scene, uint32_t pid)
{
    const struct traffic_close closed = {
        .cookie = COOKIE, .user = {.pid = pid, .tid = pid}, .proto = PROTO_TCP};

    assert_int_equal(traffic_sockets_close(scene->sockets, scene->table, &closed, 2), 0);
}

static void end(struct scene *scene, uint64_t rx, uint64_t tx)
{
    const struct traffic_tcp ended = tcp(rx, tx), forgotten = tcp(rx + 1, tx + 1);

    assert_int_equal(traffic_sockets_end(scene->sockets, scene->table, &ended, 2), 0);
    assert_int_equal(traffic_sockets_end(scene->sockets, scene->table, &forgotten, 2), 0);
}

static void take_flows(const struct scene *scene, struct snapshot *ret_snapshot)
{
    assert_int_equal(snapshot_init(ret_snapshot), 0);
    assert_int_equal(traffic_sockets_show(scene->sockets, scene->table), 0);
    assert_int_equal(flow_table_advance(scene->table, 3), 0);
    assert_int_equal(flow_table_write(scene->table, ret_snapshot), 0);
}

static void assert_total(const struct scene *scene, uint64_t rx, uint64_t tx)
{
    struct snapshot snapshot;
    struct traffic sum = {0};

    take_flows(scene, &snapshot);
    for (uint32_t i = 0; i < snapshot.flows_count; i++)
        traffic_add(&sum, snapshot.flows[i].total);
    snapshot_done(&snapshot);
    assert_int_equal(sum.rx_bytes, rx);
    assert_int_equal(sum.tx_bytes, tx);
}

/* The flow of a process: its bytes and flags. */
static struct flow flow_of(const struct scene *scene, uint32_t pid)
{
    struct snapshot snapshot;
    struct flow found = {0};

    take_flows(scene, &snapshot);
    for (uint32_t i = 0; i < snapshot.flows_count; i++)
        if (snapshot.flows[i].pid == pid)
            found = snapshot.flows[i];
    snapshot_done(&snapshot);
    return found;
}

static void calls_agree_with_tcp(void **state)
{
    struct scene *scene = *state;

    call(scene, FIRST, 1000, 500);
    call(scene, SECOND, 20, 30);
    end(scene, 1020, 530);
    assert_total(scene, 1020, 530);
    assert_int_equal(flow_of(scene, FIRST).flags, FLOW_CLOSED);
}

/* What the process handed over and never left the machine is still its traffic. */
static void more_calls_than_tcp_sent(void **state)
{
    struct scene *scene = *state;

    call(scene, FIRST, 0, 500);
    end(scene, 0, 100);
    assert_total(scene, 0, 500);
}

static void spliced_bytes_are_of_the_only_user(void **state)
{
    struct scene *scene = *state;
    struct flow flow;

    look(scene, SECOND, 0, 0); /* has it too, and does nothing with it */
    call(scene, FIRST, 10, 0);
    end(scene, 1010, 0);
    flow = flow_of(scene, FIRST);
    assert_int_equal(flow.total.rx_bytes, 1010);
    assert_true(flow.flags & FLOW_SPLICED);
    assert_int_equal(traffic_sockets_nobodys(scene->sockets), 0);
}

static void of_several_users_nobody_is_named(void **state)
{
    struct scene *scene = *state;
    struct flow flow;

    call(scene, FIRST, 10, 0);
    call(scene, SECOND, 20, 0);
    end(scene, 1030, 0);
    assert_total(scene, 1030, 0);
    assert_int_equal(flow_of(scene, FIRST).total.rx_bytes, 10);
    assert_int_equal(flow_of(scene, SECOND).total.rx_bytes, 20);
    flow = flow_of(scene, 0);
    assert_int_equal(flow.total.rx_bytes, 1000);
    assert_int_equal(flow.cookie, COOKIE);
    assert_true(flow.flags & FLOW_SPLICED);
    assert_int_equal(traffic_sockets_nobodys(scene->sockets), 1000);
}

static void of_several_holders_nobody_is_named(void **state)
{
    struct scene *scene = *state;

    traffic_sockets_look_around(scene->sockets, true);
    look_at(scene, FIRST, 500, 0);
    look_at(scene, SECOND, 500, 0);
    assert_int_equal(flow_of(scene, 0).total.rx_bytes, 500);
    look(scene, SECOND, 700, 0); /* the only one that still has it */
    assert_int_equal(flow_of(scene, SECOND).total.rx_bytes, 700);
    assert_total(scene, 700, 0);
}

static void without_any_call_the_closer_is_named(void **state)
{
    struct scene *scene = *state;

    close_by(scene, SECOND);
    end(scene, 77, 0);
    assert_int_equal(flow_of(scene, SECOND).total.rx_bytes, 77);
}

/* Its bytes are from before the start. */
static void what_nobody_had_does_not_count(void **state)
{
    struct scene *scene = *state;

    end(scene, 77, 77);
    assert_total(scene, 0, 0);
    call(scene, FIRST, 10, 0);
    assert_int_equal(traffic_sockets_drop(scene->sockets, scene->table, COOKIE, 2), 0);
    end(scene, 100010, 0);
    assert_total(scene, 10, 0);
}

static void before_the_start_does_not_count(void **state)
{
    const struct traffic_held held = {.tcp = tcp(100000, 5000)};
    struct scene *scene = *state;

    assert_int_equal(traffic_sockets_prime(scene->sockets, &held), 0);
    call(scene, FIRST, 10, 20);
    end(scene, 100010, 5020);
    assert_total(scene, 10, 20);
}

/* A call that has moved 14000 bytes when counting begins is counted whole when it returns. */
static void of_a_call_only_the_part_since_the_start_counts(void **state)
{
    const struct traffic_held held = {.tcp = tcp(7000, 15000)};
    struct scene *scene = *state;

    assert_int_equal(traffic_sockets_prime(scene->sockets, &held), 0);
    look(scene, FIRST, 7000, 17000);
    assert_total(scene, 0, 2000);
    call_from(scene, FIRST, (struct traffic){0, 20000}, UINT64_MAX, 1000);
    assert_total(scene, 0, 6000);
    call_from(scene, SECOND, (struct traffic){9000, 0}, 6500, UINT64_MAX);
    assert_total(scene, 8500, 6000);
    call_from(scene, FIRST, (struct traffic){0, 300}, UINT64_MAX, 14701); /* all of it before */
    assert_total(scene, 8500, 6000);
    call_from(scene, FIRST, (struct traffic){0, 100}, UINT64_MAX, 21000);
    end(scene, 15500, 21100);
    assert_total(scene, 8500, 6100);
}

static void splicing_is_seen_while_it_goes_on(void **state)
{
    struct scene *scene = *state;

    look(scene, FIRST, 1000, 0);
    assert_total(scene, 1000, 0);
    assert_total(scene, 1000, 0); /* without a look */
    look(scene, FIRST, 3000, 0);
    assert_true(flow_of(scene, FIRST).flags & FLOW_SPLICED);
    assert_total(scene, 3000, 0);
    end(scene, 3500, 0);
    assert_total(scene, 3500, 0);
}

/* Many short calls: one of them is always at work. */
static void calls_at_work_are_no_splicing(void **state)
{
    struct scene *scene = *state;

    for (uint64_t i = 1; i <= 10; i++) {
        look(scene, FIRST, i * 100 - 50, 0);
        assert_total(scene, i * 100 - 50, 0);
        call(scene, FIRST, 100, 0);
    }
    assert_total(scene, 1000, 0);
    end(scene, 1000, 0);
    assert_int_equal(flow_of(scene, FIRST).flags, FLOW_CLOSED);
}

/* One call that takes longer than some looks, then another one. */
static void long_calls_are_not_counted_twice(void **state)
{
    struct scene *scene = *state;
    uint32_t pids[2];
    struct flow flow;

    for (uint64_t i = 1; i <= 10; i++) {
        look(scene, FIRST, 0, i * 100);
        flow = flow_of(scene, FIRST);
        assert_int_equal(flow.total.tx_bytes, i * 100);
        assert_int_equal(flow.window[FLOW_LAST].tx_bytes, 100);
    }
    assert_int_equal(traffic_sockets_busy(scene->sockets, pids, 2), 1);
    assert_int_equal(pids[0], FIRST);
    call(scene, FIRST, 0, 1030);
    flow = flow_of(scene, FIRST);
    assert_int_equal(flow.total.tx_bytes, 1030);
    assert_int_equal(flow.window[FLOW_LAST].tx_bytes, 30);
    assert_false(flow.flags & FLOW_SPLICED);
    assert_int_equal(traffic_sockets_busy(scene->sockets, pids, 2), 0);
    call(scene, FIRST, 0, 30);
    end(scene, 0, 1060);
    assert_total(scene, 0, 1060);
}

/* The one who was taken for it did nothing. */
static void a_long_call_is_of_who_made_it(void **state)
{
    struct scene *scene = *state;

    call(scene, FIRST, 0, 5);
    look(scene, FIRST, 0, 905);
    assert_int_equal(flow_of(scene, FIRST).total.tx_bytes, 905);
    call(scene, SECOND, 0, 1000);
    assert_int_equal(flow_of(scene, FIRST).total.tx_bytes, 5);
    assert_int_equal(flow_of(scene, SECOND).total.tx_bytes, 1000);
    end(scene, 0, 1005);
    assert_total(scene, 0, 1005);
}

/* Splicing, then a call: some of its bytes are taken for those already seen, and come back. */
static void in_the_end_the_sum_is_right(void **state)
{
    struct scene *scene = *state;

    look(scene, FIRST, 1000, 0);
    look(scene, FIRST, 1000, 0);
    call(scene, FIRST, 600, 0);
    end(scene, 1600, 0);
    assert_total(scene, 1600, 0);
}

/* The kernel's table was full: no socket is known, and its end has the same bytes again. */
static void what_had_no_room_is_not_counted_twice(void **state)
{
    struct scene *scene = *state;

    traffic_sockets_other(scene->sockets, (struct traffic){600, 20});
    call(scene, FIRST, 400, 0);
    end(scene, 1000, 5);
    assert_total(scene, 400, 0);
    close_by(scene, FIRST);
    end(scene, 50, 25); /* and another: of its 25 bytes 15 were counted */
    assert_total(scene, 450, 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(calls_agree_with_tcp),
        TEST(more_calls_than_tcp_sent),
        TEST(spliced_bytes_are_of_the_only_user),
        TEST(of_several_users_nobody_is_named),
        TEST(of_several_holders_nobody_is_named),
        TEST(without_any_call_the_closer_is_named),
        TEST(what_nobody_had_does_not_count),
        TEST(before_the_start_does_not_count),
        TEST(of_a_call_only_the_part_since_the_start_counts),
        TEST(splicing_is_seen_while_it_goes_on),
        TEST(calls_at_work_are_no_splicing),
        TEST(long_calls_are_not_counted_twice),
        TEST(a_long_call_is_of_who_made_it),
        TEST(in_the_end_the_sum_is_right),
        TEST(what_had_no_room_is_not_counted_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
