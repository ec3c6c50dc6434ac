/* SPDX-License-Identifier: MIT */
/* sar: command lines, and what samples that were made up look like. */
#include "compat/sar.h"
#include "table/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 16

static int parse(const char *text, struct sar_options *ret_options)
{
    static char line[256];
    char *words[WORDS_MAX + 1] = {NULL}, *rest = line;
    int count = 0;

    snprintf(line, sizeof(line), "%s", text);
    while (count < WORDS_MAX && rest)
        words[count++] = strsep(&rest, " ");
    return sar_options_parse(count, words, ret_options);
}

/* --- samples that are made up --- */

/* Samples one second apart, and what is written of them. */
struct fixture {
    struct sar_options options;
    struct sar_layout layout;
    struct sar_sample samples[3];
};

static void begin(struct fixture *fixture, const char *line)
{
    *fixture = (struct fixture){.samples = {{.time = 0}}};
    assert_int_equal(parse(line, &fixture->options), 0);
    sar_layout_init(&fixture->layout, &fixture->options, -1);
    fixture->layout.reports = fixture->options.reports;
    fixture->layout.several = true;
    for (uint32_t i = 0; i < 3; i++) {
        fixture->samples[i].time = 1000000000 + i;
        fixture->samples[i].uptime_cs = 5000 + i * 100;
    }
}

static void end(struct fixture *fixture)
{
    buf_done(&fixture->layout.out);
    sar_options_done(&fixture->options);
    for (uint32_t i = 0; i < 3; i++)
        sar_sample_done(&fixture->samples[i]);
}

/* A row of the report in sample number `at`; its first values. */
static struct sar_row *add(struct fixture *fixture, uint32_t at, enum sar_report_id id,
                           const char *name, uint64_t first, uint64_t third)
{
    struct sar_row *row = sar_block_add(&fixture->samples[at].blocks[id]);

    assert_non_null(row);
    snprintf(row->name, sizeof(row->name), "%s", name);
    row->values[0] = first;
    row->values[2] = third;
    return row;
}

static void show(struct fixture *fixture, uint32_t at)
{
    sar_sample_add_up(&fixture->samples[at], &fixture->samples[at - 1], true);
    sar_put_sample(&fixture->layout, &fixture->samples[at - 1], &fixture->samples[at], false);
}

/* The rows that were written since the last call, without times and headings. */
static void assert_rows(struct fixture *fixture, const char *expected)
{
    CLEANUP(buf_done) struct buf rows = BUF_INIT;
    char *rest = (char *)(uintptr_t)buf_string(&fixture->layout.out), *line;

    while ((line = strsep(&rest, "\n")))
        if (strlen(line) > 11 && !strstr(line, "/s") && !strstr(line, "sck"))
            buf_printf(&rows, "%s\n", line + 11);
    assert_string_equal(buf_string(&rows), expected);
    buf_reset(&fixture->layout.out);
}

static void interfaces_come_and_go(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "sar -n DEV 1");
    add(&fixture, 0, SAR_DEV, "eth0", 100, 1024);
    add(&fixture, 0, SAR_DEV, "gone", 7, 0);
    add(&fixture, 1, SAR_DEV, "eth0", 110, 3072);
    add(&fixture, 1, SAR_DEV, "new", 5, 0);
    add(&fixture, 2, SAR_DEV, "eth0", 130, 3072);
    add(&fixture, 2, SAR_DEV, "new", 6, 0);
    show(&fixture, 1);
    assert_rows(&fixture, "      eth0     10.00      0.00      2.00      0.00      0.00      0.00"
                          "      0.00      0.00\n"
                          "       new      5.00      0.00      0.00      0.00      0.00      0.00"
                          "      0.00      0.00\n");
    show(&fixture, 2);
    assert_rows(&fixture, "      eth0     20.00      0.00      0.00      0.00      0.00      0.00"
                          "      0.00      0.00\n"
                          "       new      1.00      0.00      0.00      0.00      0.00      0.00"
                          "      0.00      0.00\n");
    sar_put_averages(&fixture.layout, &fixture.samples[0], &fixture.samples[2]);
    assert_rows(&fixture, "      eth0     15.00      0.00      1.00      0.00      0.00      0.00"
                          "      0.00      0.00\n"
                          "       new      3.00      0.00      0.00      0.00      0.00      0.00"
                          "      0.00      0.00\n");
    end(&fixture);
}

/* One that is made anew counts from 0; one that has counted to the end goes on. */
static void counters_that_are_less_than_before(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "sar -n DEV 1");
    add(&fixture, 0, SAR_DEV, "anew", 1000, 5000);
    add(&fixture, 1, SAR_DEV, "anew", 3, 6000);
    add(&fixture, 0, SAR_DEV, "wraps", 1000, UINT64_MAX - 1023);
    add(&fixture, 1, SAR_DEV, "wraps", 1004, 1024);
    show(&fixture, 1);
    assert_rows(&fixture, "      anew      3.00      0.00      5.86      0.00      0.00      0.00"
                          "      0.00      0.00\n"
                          "     wraps      4.00      0.00      2.00      0.00      0.00      0.00"
                          "      0.00      0.00\n");
    end(&fixture);
}

static void counters_of_cpus_have_32_bits(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "sar -P 0 -n SOFT 1");
    add(&fixture, 0, SAR_SOFT, "all", UINT32_MAX, 0);
    add(&fixture, 0, SAR_SOFT, "0", UINT32_MAX, 0);
    add(&fixture, 1, SAR_SOFT, "all", 8, 0);
    add(&fixture, 1, SAR_SOFT, "0", 9, 0);
    show(&fixture, 1);
    assert_rows(&fixture, "       0     10.00      0.00      0.00      0.00      0.00         0\n");
    end(&fixture);
}

static void what_is_no_counter_has_a_mean(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "sar -n SOCK 1");
    add(&fixture, 0, SAR_SOCK, "", 900, 900);
    add(&fixture, 1, SAR_SOCK, "", 10, 0);
    add(&fixture, 2, SAR_SOCK, "", 21, 1);
    show(&fixture, 1);
    show(&fixture, 2);
    assert_rows(&fixture, "        10         0         0         0         0         0\n"
                          "        21         0         1         0         0         0\n");
    sar_put_averages(&fixture.layout, &fixture.samples[0], &fixture.samples[2]);
    assert_rows(&fixture, "        16         0         0         0         0         0\n");
    end(&fixture);
}

/* 1.25 MB received and 0.625 MB sent in a second, at 20 Mbit/s. */
static void utilization_by_duplex(void **state)
{
    static const struct {
        uint64_t speed_bits;
        bool full_duplex;
        const char *percent;
    } cases[] = {{20000000, true, "50.00\n"}, {20000000, false, "75.00\n"}, {0, true, "0.00\n"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture fixture;
        struct sar_row *row;

        begin(&fixture, "sar -n DEV 1");
        add(&fixture, 0, SAR_DEV, "eth0", 0, 0);
        row = add(&fixture, 1, SAR_DEV, "eth0", 0, 1250000);
        row->values[3] = 625000;
        row->speed_bits = cases[i].speed_bits;
        row->full_duplex = cases[i].full_duplex;
        show(&fixture, 1);
        assert_string_equal(strrchr(buf_string(&fixture.layout.out), ' ') + 1, cases[i].percent);
        end(&fixture);
    }
}

static void units_for_people(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "sar --human -z -n DEV 1");
    add(&fixture, 0, SAR_DEV, "lo", 0, 0);
    add(&fixture, 0, SAR_DEV, "eth0", 0, 0);
    add(&fixture, 1, SAR_DEV, "lo", 0, 0);
    add(&fixture, 1, SAR_DEV, "eth0", 0, 1536)->values[3] = UINT64_C(3) << 40;
    show(&fixture, 1);
    assert_rows(&fixture, "      eth0      0.00      0.00      1.5k      3.0T      0.00      0.00"
                          "      0.00      0.0%\n");
    end(&fixture);
}

static void nothing_shown_has_no_averages(void **state)
{
    struct fixture fixture;

    (void)state;
    begin(&fixture, "sar -n DEV 1");
    sar_put_averages(&fixture.layout, &fixture.samples[0], &fixture.samples[0]);
    assert_string_equal(buf_string(&fixture.layout.out), "");
    end(&fixture);
}

/* --- definitions --- */

static void counters_of_interfaces_are_columns(void **state)
{
    (void)state;
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        const struct sar_report *report = &sar_reports[id];

        assert_in_range(report->column_count, 1, SAR_COLUMNS_MAX);
        for (uint32_t i = 0; i < report->column_count; i++)
            for (uint32_t j = 0; j < SAR_SUMMANDS && report->columns[i].counters[j]; j++)
                if (report->rows == SAR_OF_INTERFACES)
                    assert_non_null(
                        table_column(&table_interfaces, report->columns[i].counters[j]));
    }
}

/* --- command lines --- */

static void options_are_understood(void **state)
{
    struct sar_options options;

    (void)state;
    assert_int_equal(parse("sar -n TCP,,UDP -hz --dec=1 --iface=a,bc -e 10:20:30 2 5", &options),
                     0);
    assert_int_equal(options.reports, SAR_REPORT_BIT(SAR_TCP) | SAR_REPORT_BIT(SAR_UDP));
    assert_true(options.human && options.pretty && options.omit_zeros && options.has_end);
    assert_int_equal(options.decimals, 1);
    assert_int_equal(options.end, 10 * 3600 + 20 * 60 + 30);
    assert_int_equal(options.interval, 2);
    assert_int_equal(options.count, 5);
    assert_int_equal(options.interface_count, 2);
    assert_int_equal(options.interfaces[1].length, 2);
    sar_options_done(&options);

    assert_int_equal(parse("sar -n ALL -P 1,3-4 -e 1", &options), 0);
    assert_int_equal(options.reports, SAR_REPORT_BIT(SAR_REPORT_MAX) - 1);
    assert_int_equal(options.cpus[0], 1 << 2 | 1 << 4 | 1 << 5);
    assert_int_equal(options.end, 18 * 3600);
    assert_int_equal(options.interval, 1);
    assert_int_equal(options.show, SAR_SHOW_REPORTS);
    sar_options_done(&options);

    assert_int_equal(parse("sar -n TCP", &options), 0);
    assert_int_equal(options.show, SAR_SHOW_HISTORY);
    sar_options_done(&options);
}

static void what_is_wrong_has_a_status(void **state)
{
    static const struct {
        const char *line;
        int status;
    } cases[] = {
        {"sar -n", SAR_WRONG_USE},
        {"sar -n TCP 0 1", SAR_WRONG_USE},
        {"sar -n TCP 1 2 3", SAR_WRONG_USE},
        {"sar -n TCP -e 24:00 1", SAR_WRONG_USE},
        {"sar -P 8192 -n SOFT 1", SAR_WRONG_USE},
        {"sar -P 1-x -n SOFT 1", SAR_WRONG_USE},
        {"sar -f -o -n TCP", SAR_WRONG_USE},
        {"sar -s -n TCP 1", SAR_WRONG_USE},
        {"sar -o x -n TCP 1", SAR_REFUSED},
        {"sar -u 1", SAR_REFUSED},
        {"sar 1", SAR_REFUSED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sar_options options;

        assert_int_equal(parse(cases[i].line, &options), cases[i].status);
        sar_options_done(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interfaces_come_and_go),
        cmocka_unit_test(counters_that_are_less_than_before),
        cmocka_unit_test(counters_of_cpus_have_32_bits),
        cmocka_unit_test(what_is_no_counter_has_a_mean),
        cmocka_unit_test(utilization_by_duplex),
        cmocka_unit_test(units_for_people),
        cmocka_unit_test(nothing_shown_has_no_averages),
        cmocka_unit_test(counters_of_interfaces_are_columns),
        cmocka_unit_test(options_are_understood),
        cmocka_unit_test(what_is_wrong_has_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
