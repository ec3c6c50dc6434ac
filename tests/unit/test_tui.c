/* SPDX-License-Identifier: MIT */
/* Tests of what src/tui has that needs no terminal: graphs, series, quantities, keys. */
#include "base/cleanup.h"
#include "base/graph.h"
#include "tui/keys.h"
#include "tui/quantity.h"
#include "tui/series.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_text(struct buf *buf, const char *expected)
{
    assert_string_equal(buf_string(buf), expected);
    buf_done(buf);
}

static void sparklines(void **state)
{
    static const uint64_t values[] = {0, 1, 500, 1000, 0};
    static const uint64_t nothing[] = {0, 0, 0};
    struct buf buf = BUF_INIT;

    (void)state;
    graph_spark(&buf, values, 5, 7, true);
    assert_text(&buf, "   ▁▄█ ");
    graph_spark(&buf, values, 5, 3, true);
    assert_text(&buf, "▄█ ");
    graph_spark(&buf, values, 5, 5, false);
    assert_text(&buf, " .-# ");
    graph_spark(&buf, nothing, 3, 4, true);
    assert_text(&buf, "    ");
    graph_spark(&buf, NULL, 0, 2, true);
    assert_text(&buf, "  ");
}

static void bars(void **state)
{
    struct buf buf = BUF_INIT;

    (void)state;
    graph_bar(&buf, 0, 100, 4, true);
    assert_text(&buf, "    ");
    graph_bar(&buf, 100, 100, 4, true);
    assert_text(&buf, "████");
    graph_bar(&buf, 1, UINT64_MAX, 4, true);
    assert_text(&buf, "▏   ");
    graph_bar(&buf, 50, 100, 3, true);
    assert_text(&buf, "█▌ ");
    graph_bar(&buf, UINT64_MAX, 1, 2, true);
    assert_text(&buf, "██");
    graph_bar(&buf, 1, 100, 4, false);
    assert_text(&buf, "#   ");
    graph_bar(&buf, 5, 0, 2, false);
    assert_text(&buf, "  ");
}

static void curves(void **state)
{
    static const uint64_t values[] = {8, 4, 0, 1};
    struct buf buf = BUF_INIT;

    (void)state;
    graph_curve(&buf, values, 4, 8, 2, 2, 0, true);
    assert_text(&buf, "⡇ ");
    graph_curve(&buf, values, 4, 8, 2, 2, 1, true);
    assert_text(&buf, "⣿⢀");
    graph_curve(&buf, values, 4, 8, 6, 1, 0, false);
    assert_text(&buf, "  #: .");
    assert_int_equal(graph_largest(values, 4), 8);
    assert_int_equal(graph_largest(NULL, 0), 0);
}

static void series_remember(void **state)
{
    struct series series = {0};
    uint64_t values[SERIES_LENGTH];

    (void)state;
    assert_int_equal(series_get(&series, 7, values), 0);
    for (uint64_t i = 1; i <= 70; i++) {
        series_tick(&series);
        if (i != 69)
            assert_int_equal(series_add(&series, 7, i), 0);
    }
    assert_int_equal(series_get(&series, 7, values), SERIES_LENGTH);
    assert_int_equal(values[0], 11);
    assert_int_equal(values[58], 0); /* the reading that had none */
    assert_int_equal(values[59], 70);
    assert_int_equal(series_add(&series, 7, 71), 0); /* the same reading again */
    assert_int_equal(series_get(&series, 7, values), SERIES_LENGTH);
    assert_int_equal(values[59], 71);
    for (int i = 0; i < 100; i++)
        series_tick(&series);
    assert_int_equal(series_add(&series, 7, 5), 0);
    assert_int_equal(series_get(&series, 7, values), SERIES_LENGTH);
    assert_int_equal(values[58], 0);
    assert_int_equal(values[59], 5);
    series_done(&series);
}

static void series_keep_one(void **state)
{
    struct series series = {0};
    uint64_t values[SERIES_LENGTH];

    (void)state;
    for (uint64_t reading = 1; reading <= 3; reading++) {
        series_tick(&series);
        for (uint64_t identity = 1; identity <= 3; identity++)
            assert_int_equal(series_add(&series, identity, reading * 10 + identity), 0);
    }
    series_keep(&series, 2);
    assert_int_equal(series_get(&series, 1, values), 0);
    assert_int_equal(series_get(&series, 2, values), 3);
    assert_int_equal(values[0], 12);
    series_tick(&series);
    assert_int_equal(series_add(&series, 1, 41), 0);
    assert_int_equal(series_get(&series, 1, values), 1); /* what was before is no zero */
    series_keep(&series, 7);
    assert_int_equal(series_get(&series, 2, values), 0);
    series_done(&series);
}

static void series_are_bounded(void **state)
{
    struct series series = {0};
    uint64_t values[SERIES_LENGTH];

    (void)state;
    for (uint64_t i = 1; i <= 100000; i++) {
        if (i % 500 == 0)
            series_tick(&series);
        assert_int_equal(series_add(&series, i, i), 0);
    }
    assert_true(series.count <= 4096);
    assert_int_equal(series_get(&series, 100000, values), 1);
    assert_int_equal(values[0], 100000);
    assert_int_equal(series_get(&series, 1, values), 0);
    series_done(&series);
}

static void quantities(void **state)
{
    struct quantity_scale mbit = quantity_scale(1250000, true), bit = quantity_scale(100, true);
    struct buf buf = BUF_INIT;

    (void)state;
    quantity_unit(&buf, mbit);
    assert_text(&buf, "Mbit/s");
    quantity_scaled(&buf, mbit, 1250000);
    assert_text(&buf, "10.0");
    quantity_scaled(&buf, mbit, 1);
    assert_text(&buf, "<0.1");
    quantity_scaled(&buf, mbit, 0);
    assert_text(&buf, "0");
    quantity_unit(&buf, bit);
    assert_text(&buf, "bit/s");
    quantity_scaled(&buf, bit, 100);
    assert_text(&buf, "800");
    quantity_unit(&buf, quantity_scale(5 << 20, false));
    assert_text(&buf, "MiB/s");
    quantity_rate(&buf, 5 << 20, false);
    assert_text(&buf, "5.0M/s");
    quantity_rate(&buf, UINT64_MAX, true);
    assert_text(&buf, "18.4Ebit/s");
    quantity_total(&buf, 125, true);
    assert_text(&buf, "1.0Kbit");
}

/* Each key does one thing. */
static void keys_are_unique(void **state)
{
    (void)state;
    for (const struct tui_binding *binding = tui_bindings; binding->name; binding++)
        for (size_t i = 0; i < ARRAY_SIZE(binding->keys) && binding->keys[i]; i++)
            assert_int_equal(tui_action_of(binding->keys[i]), binding->action);
    assert_int_equal(tui_action_of('9'), ACTION_GROUPING);
    assert_int_equal(tui_action_of('0'), ACTION_NONE);
    assert_int_equal(tui_action_of(0), ACTION_NONE);
}

static void blocks_are_as_high_as_the_scale(void **state)
{
    static const uint64_t values[] = {0, 1, 100, 250, 500, 1000, 5000};
    struct buf buf = BUF_INIT;

    (void)state;
    graph_blocks(&buf, values, 7, 1000, 8, 2, 0, true);
    assert_string_equal(buf_string(&buf), "      \xe2\x96\x88\xe2\x96\x88");
    buf_reset(&buf);
    graph_blocks(&buf, values, 7, 1000, 8, 2, 1, true);
    assert_string_equal(buf_string(&buf), "  \xe2\x96\x81\xe2\x96\x82\xe2\x96\x84"
                                          "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88");
    buf_reset(&buf);
    graph_blocks(&buf, values, 7, 1000, 4, 2, 0, false);
    assert_string_equal(buf_string(&buf), "  ##");
    buf_reset(&buf);
    graph_blocks(&buf, values, 7, 0, 3, 1, 0, true);
    assert_string_equal(buf_string(&buf), "   ");
    buf_done(&buf);
}

static void scales_end_in_round_numbers(void **state)
{
    (void)state;
    assert_int_equal(graph_end_of_scale(0), 1000);
    assert_int_equal(graph_end_of_scale(1001), 2000);
    assert_int_equal(graph_end_of_scale(2001), 5000);
    assert_int_equal(graph_end_of_scale(5001), 10000);
    assert_int_equal(graph_end_of_scale(1000000), 1000000);
    assert_true(graph_end_of_scale(UINT64_MAX) == UINT64_MAX);
    assert_true(graph_end_of_scale(UINT64_MAX / 8 * 7) >= UINT64_MAX / 8 * 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sparklines),
        cmocka_unit_test(bars),
        cmocka_unit_test(curves),
        cmocka_unit_test(series_remember),
        cmocka_unit_test(series_keep_one),
        cmocka_unit_test(series_are_bounded),
        cmocka_unit_test(quantities),
        cmocka_unit_test(keys_are_unique),
        cmocka_unit_test(blocks_are_as_high_as_the_scale),
        cmocka_unit_test(scales_end_in_round_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
