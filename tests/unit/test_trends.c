/* SPDX-License-Identifier: MIT */
/* Tests of trends, and of the chart that they make. */
#include "table/trends.h"

#include "base/buf.h"
#include "base/clock.h"
#include "out/svg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static uint64_t identity_is_the_row(const struct view *view, uint32_t row)
{
    (void)view;
    return row + 100;
}

static const char *trend_of(const struct trends *trends, uint32_t row, struct buf *scratch)
{
    struct view view = {.trends = trends, .scratch = scratch};
    struct value value = column_trend.get(&view, row);

    assert_int_equal(value.type, VALUE_STRING);
    return buf_string(scratch);
}

static void pieces_are_added_up(void **state)
{
    struct trends trends = {.pieces = 4, .identity = identity_is_the_row};
    struct buf scratch = BUF_INIT;
    const uint64_t expected[] = {0, 8, 0, 3};

    (void)state;
    assert_int_equal(trends_add(&trends, 100, 1, 5), 0);
    assert_int_equal(trends_add(&trends, 100, 1, 3), 0);
    assert_int_equal(trends_add(&trends, 100, 3, 3), 0);
    assert_int_equal(trends_add(&trends, 107, 0, 1), 0);
    assert_memory_equal(trends_get(&trends, 100), expected, sizeof(expected));
    assert_null(trends_get(&trends, 101));
    assert_string_equal(trend_of(&trends, 0, &scratch), " # :");
    assert_string_equal(trend_of(&trends, 7, &scratch), "#   ");
    assert_string_equal(trend_of(&trends, 1, &scratch), "    ");
    buf_done(&scratch);
    trends_done(&trends);
}

static void many_pieces_share_columns(void **state)
{
    struct trends trends = {.pieces = 4800, .identity = identity_is_the_row, .utf8 = true};
    struct buf scratch = BUF_INIT;

    (void)state;
    for (uint32_t i = 0; i < trends.pieces; i++)
        assert_int_equal(trends_add(&trends, 100, i, i < 100 ? 2 : 1), 0);
    assert_int_equal(strlen(trend_of(&trends, 0, &scratch)), 48 * 3);
    assert_memory_equal(buf_string(&scratch), "\u2588\u2584\u2584", 9);
    buf_done(&scratch);
    trends_done(&trends);
}

/* The same bytes in half of the time are twice the rate. */
static void what_was_not_measured_is_told_apart(void **state)
{
    struct trends trends = {.pieces = 4, .identity = identity_is_the_row};
    struct buf scratch = BUF_INIT;
    const uint64_t measured[] = {2 * SECOND_NS, SECOND_NS, 0, 2 * SECOND_NS};

    (void)state;
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(trends_measured(&trends, i, measured[i]), 0);
        if (i < 2)
            assert_int_equal(trends_add(&trends, 100, i, 800), 0);
    }
    assert_string_equal(trend_of(&trends, 0, &scratch), "-#? ");
    buf_done(&scratch);
    trends_done(&trends);
}

static void a_chart_has_gaps_and_marks(void **state)
{
    const uint64_t bytes[] = {125000, 0, 125000, 125000};
    const uint64_t measured[] = {SECOND_NS, 0, SECOND_NS / 2, SECOND_NS};
    const struct svg_line line = {.name = "a", .length = 1, .bytes = bytes};
    const struct svg_mark marks[] = {{1795183202 * SECOND_NS, "<v2>", 4}, {0, "early", 5}};
    const struct svg_chart chart = {.title = "bits",
                                    .since_ns = 1795183200 * SECOND_NS,
                                    .until_ns = 1795183204 * SECOND_NS,
                                    .every_ns = SECOND_NS,
                                    .pieces = 4,
                                    .lines = &line,
                                    .count = 1,
                                    .measured_ns = measured,
                                    .marks = marks,
                                    .mark_count = 2};
    struct buf out = BUF_INIT;
    const char *text;

    (void)state;
    assert_int_equal(svg_write(&chart, &out), 0);
    text = buf_string(&out);
    assert_non_null(strstr(text, "points=\"80.0,188.0 294.0,188.0 \""));
    assert_non_null(strstr(text, "points=\"508.0,48.0 722.0,48.0 722.0,188.0 936.0,188.0 \""));
    assert_non_null(strstr(text, "x1=\"508.0\" x2=\"508.0\" y1=\"48\" y2=\"328\" class=\"mark\""));
    assert_non_null(strstr(text, ">&lt;v2&gt;</text>"));
    assert_null(strstr(text, "early"));
    buf_done(&out);
}

static void a_chart_has_lines_times_and_names(void **state)
{
    const uint64_t much[] = {125000, 250000}, little[] = {0, 1000};
    const struct svg_line lines[] = {
        {.name = "<a>&\"b\"\033", .length = 8, .bytes = much, .total = 375000},
        {.name = "nginx", .length = 5, .bytes = little, .total = 1000}};
    const struct svg_chart chart = {.title = "bits",
                                    .since_ns = 1795183200 * SECOND_NS,
                                    .until_ns = 1795183202 * SECOND_NS,
                                    .every_ns = SECOND_NS,
                                    .pieces = 2,
                                    .lines = lines,
                                    .count = 2};
    struct buf out = BUF_INIT;
    const char *text;

    (void)state;
    assert_int_equal(svg_write(&chart, &out), 0);
    text = buf_string(&out);
    assert_non_null(strstr(text, "&lt;a&gt;&amp;&quot;b&quot;\\e  366K</text>"));
    assert_null(strchr(text, '\033'));
    assert_non_null(strstr(text, ">nginx  1000</text>"));
    assert_non_null(strstr(text, ">14:00:01</text>"));
    assert_non_null(strstr(text, ">2.0Mbit</text>"));
    /* A million bits a second is half of the height, two million are all of it. */
    assert_non_null(strstr(text, "points=\"80.0,188.0 508.0,188.0 508.0,48.0 936.0,48.0 \""));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_added_up),
        cmocka_unit_test(many_pieces_share_columns),
        cmocka_unit_test(what_was_not_measured_is_told_apart),
        cmocka_unit_test(a_chart_has_gaps_and_marks),
        cmocka_unit_test(a_chart_has_lines_times_and_names),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
