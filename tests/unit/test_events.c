/* SPDX-License-Identifier: MIT */
/* How connections end, and their document as it is written bit by bit. */
#include "collect/event_backend.h"
#include "out/json.h"
#include "out/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>

struct end {
    unsigned int old_state;
    uint32_t error;
    bool closing;
    enum event_verdict verdict;
    enum event_side side;
};

static void ends_are_judged(void **state)
{
    static const struct end ends[] = {
        {STATE_LAST_ACK, 0, false, EVENT_CLOSED_NORMALLY, EVENT_SIDE_PEER},
        {STATE_FIN_WAIT_2, 0, false, EVENT_CLOSED_NORMALLY, EVENT_SIDE_LOCAL},
        {STATE_CLOSING, 0, false, EVENT_CLOSED_NORMALLY, EVENT_SIDE_LOCAL},
        /* an ICMP message of long ago, which ended nothing */
        {STATE_LAST_ACK, EHOSTUNREACH, false, EVENT_CLOSED_NORMALLY, EVENT_SIDE_PEER},
        {STATE_ESTABLISHED, EHOSTUNREACH, true, EVENT_RESET, EVENT_SIDE_LOCAL},
        {STATE_ESTABLISHED, EHOSTUNREACH, false, EVENT_UNREACHABLE, EVENT_SIDE_UNKNOWN},
        {STATE_SYN_SENT, ECONNREFUSED, false, EVENT_REFUSED, EVENT_SIDE_PEER},
        {STATE_SYN_SENT, ENETUNREACH, false, EVENT_UNREACHABLE, EVENT_SIDE_UNKNOWN},
        {STATE_SYN_SENT, ETIMEDOUT, false, EVENT_TIMED_OUT, EVENT_SIDE_UNKNOWN},
        {STATE_SYN_SENT, 0, true, EVENT_ABORTED, EVENT_SIDE_LOCAL},
        {STATE_ESTABLISHED, ETIMEDOUT, false, EVENT_TIMED_OUT, EVENT_SIDE_UNKNOWN},
        {STATE_ESTABLISHED, ECONNRESET, false, EVENT_RESET, EVENT_SIDE_PEER},
        {STATE_CLOSE_WAIT, EPIPE, false, EVENT_RESET, EVENT_SIDE_PEER},
        {STATE_FIN_WAIT_2, ECONNRESET, false, EVENT_RESET, EVENT_SIDE_UNKNOWN},
        {STATE_ESTABLISHED, ECONNABORTED, false, EVENT_ABORTED, EVENT_SIDE_LOCAL},
        {STATE_ESTABLISHED, 0, true, EVENT_RESET, EVENT_SIDE_LOCAL},
        {STATE_CLOSE_WAIT, 0, true, EVENT_RESET, EVENT_SIDE_LOCAL},
        {STATE_ESTABLISHED, 0, false, EVENT_RESET, EVENT_SIDE_LOCAL},
        {STATE_FIN_WAIT_1, 0, false, EVENT_ABORTED, EVENT_SIDE_LOCAL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        struct event event = {.error = ends[i].error};

        event_judge(&event, ends[i].old_state, ends[i].closing);
        assert_int_equal(event.verdict, ends[i].verdict);
        assert_int_equal(event.ended_by, ends[i].side);
    }
}

/* One event a grid, as batches come. */
struct scene {
    struct snapshot snapshot;
    struct buf scratch;
    struct view view;
    struct query query;
    struct grid grid;
};

static void begin(struct scene *scene, const char *const *names)
{
    struct event *event;

    *scene = (struct scene){.scratch = BUF_INIT, .query = {.table = &table_events}};
    assert_int_equal(snapshot_init(&scene->snapshot), 0);
    scene->snapshot.time_ns = UINT64_C(1767323045000000000);
    scene->snapshot.boot_ns = UINT64_C(5000000000);
    event = snapshot_add_event(&scene->snapshot);
    assert_non_null(event);
    *event = (struct event){.time_ns = UINT64_C(4999999000),
                            .start_ns = UINT64_C(4999000000),
                            .has = EVENT_HAS_PROCESS | EVENT_HAS_START | EVENT_HAS_BYTES,
                            .kind = EVENT_CLOSED,
                            .verdict = EVENT_REFUSED,
                            .pid = 7,
                            .family = AF_INET6,
                            .peer_port = 443,
                            .rx_bytes = 12};
    assert_int_equal(snapshot_intern(&scene->snapshot, "a\033b", 3, &event->comm), 0);
    scene->view = (struct view){.snapshot = &scene->snapshot, .scratch = &scene->scratch};
    for (; *names; names++)
        scene->query.columns[scene->query.column_count++] = table_column(&table_events, *names);
    assert_int_equal(query_run(&scene->query, &scene->view, &scene->grid), 0);
}

static void end_scene(struct scene *scene)
{
    grid_done(&scene->grid);
    buf_done(&scene->scratch);
    snapshot_done(&scene->snapshot);
}

static void documents_come_bit_by_bit(void **state)
{
    static const char *const names[] = {"time", "process", "duration_us", "tx_bytes", NULL};
    struct buf out = BUF_INIT;
    struct scene scene;
    bool first = true;

    (void)state;
    begin(&scene, names);
    assert_int_equal(json_begin(&table_events, &scene.snapshot, &out), 0);
    assert_int_equal(json_more(&scene.grid, &first, &out), 0);
    assert_int_equal(json_more(&scene.grid, &first, &out), 0);
    assert_int_equal(json_end(&scene.snapshot, ",\"lost\":0", &out), 0);
    assert_string_equal(buf_string(&out),
                        "{\"schema\":\"nwho/1\",\"host\":\"\",\"time\":\"2026-01-02T03:04:05."
                        "000000000Z\",\"table\":\"events\",\n\"rows\":[\n"
                        "{\"time\":\"2026-01-02T03:04:04.999999Z\",\"process\":\"a\\\\eb\","
                        "\"duration_us\":999,\"tx_bytes\":0},\n"
                        "{\"time\":\"2026-01-02T03:04:04.999999Z\",\"process\":\"a\\\\eb\","
                        "\"duration_us\":999,\"tx_bytes\":0}\n],\n"
                        "\"ended\":\"2026-01-02T03:04:05.000000000Z\",\"complete\":true,\n"
                        "\"sources\":{},\n\"warnings\":[],\"lost\":0}\n");
    buf_done(&out);
    end_scene(&scene);
}

static void columns_stay_where_they_are(void **state)
{
    static const char *const names[] = {"owner", "verdict", "peer", NULL};
    struct text_layout layout = {.widths = {0, 12, 0}};
    struct text_options options = {.layout = &layout};
    struct buf out = BUF_INIT;
    struct scene scene;

    (void)state;
    begin(&scene, names);
    assert_int_equal(text_write(&scene.grid, &options, &out), 0);
    layout.widths[0] = 9;
    options.no_header = true;
    assert_int_equal(text_write(&scene.grid, &options, &out), 0);
    assert_string_equal(buf_string(&out), "PROCESS  VERDICT       PEER\n"
                                          "a\\eb(7)  refused       [::]:443\n"
                                          "a\\eb(7)    refused       [::]:443\n");
    assert_int_equal(layout.widths[0], 9);
    assert_int_equal(layout.widths[2], 8);
    buf_done(&out);
    end_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_judged),
        cmocka_unit_test(documents_come_bit_by_bit),
        cmocka_unit_test(columns_stay_where_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
