/* SPDX-License-Identifier: MIT */
/* sar -f: what was recorded, of days that were made up. */
#include "compat/sar.h"
#include "store_fixture.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MINUTE_TICKS 6
#define HOUR_TICKS 360
#define NOBODY 65534

/* Each tick receives a packet more than the one before. */
static void write_tick(struct place *place, uint64_t number, uint64_t time_ns)
{
    struct snapshot tick;
    uint32_t name = 0;
    struct counter *counter;

    tick_begin(&tick, number);
    tick.time_ns = time_ns;
    assert_int_equal(snapshot_add_interface(&tick, 0, 2, "eth0"), 0);
    tick.interfaces[0].has = INTERFACE_HAS_STATS;
    tick.interfaces[0].stats.rx_packets = number * (number + 1) / 2;
    name = text_of(&tick, "SockUsed");
    counter = snapshot_add_counter(&tick);
    assert_non_null(counter);
    *counter = (struct counter){
        .value = number, .name = name, .source = COUNTER_SOCKSTAT, .flags = COUNTER_GAUGE};
    tick_write(place, &tick);
}

static void write_ticks(struct place *place, uint64_t first, uint64_t count, uint64_t begin_ns)
{
    for (uint64_t i = first; i < first + count; i++)
        write_tick(place, i, begin_ns + i * TICK_NS);
}

/* The exit status; *out has what is shown. FILE in the line is the place's. */
static int show(struct place *place, const char *line, struct buf *out)
{
    char path[sizeof(place->path)], copy[128], *words[16] = {NULL}, *rest = copy;
    struct sar_options options;
    struct sar_layout layout;
    int count = 0, r;

    memcpy(path, place->path, sizeof(path));
    snprintf(copy, sizeof(copy), "%s", line);
    while (count < 15 && rest)
        words[count++] = strsep(&rest, " ");
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], "FILE") == 0)
            words[i] = path;
    assert_int_equal(sar_options_parse(count, words, &options), 0);
    assert_int_equal(options.show, SAR_SHOW_HISTORY);
    sar_layout_init(&layout, &options, -1);
    r = sar_history_show(&options, &layout);
    buf_reset(out);
    buf_puts(out, buf_string(&layout.out));
    buf_done(&layout.out);
    sar_options_done(&options);
    return r;
}

/* Without the title, times and the first number of each line are enough. */
static void assert_shown(struct place *place, const char *line, const char *expected)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT, short_lines = BUF_INIT;
    char *rest, *shown;

    assert_int_equal(show(place, line, &out), 0);
    buf_string(&out);
    rest = strchr(out.data, '\n') + 1;
    while ((shown = strsep(&rest, "\n")))
        if (*shown)
            buf_printf(&short_lines, "%.32s\n", shown);
    assert_string_equal(buf_string(&short_lines), expected);
}

static void ticks_are_samples(void **state)
{
    struct place *place = *state;
    CLEANUP(buf_done) struct buf out = BUF_INIT;

    place_open(place, NULL);
    write_ticks(place, 1, 4, BEGIN_NS);
    assert_shown(place, "sar -n DEV -f FILE",
                 "00:00:10        IFACE   rxpck/s \n"
                 "00:00:20         eth0      0.20 \n"
                 "00:00:30         eth0      0.30 \n"
                 "00:00:40         eth0      0.40 \n"
                 "Average:         eth0      0.30 \n");
    assert_shown(place, "sar -n SOCK -f FILE",
                 "00:00:10       totsck    tcpsck \n"
                 "00:00:20            2         0 \n"
                 "00:00:30            3         0 \n"
                 "00:00:40            4         0 \n"
                 "Average:            3         0 \n");
    assert_int_equal(show(place, "sar -n DEV -f FILE", &out), 0);
    assert_non_null(strstr(buf_string(&out), ") \t12/01/25 \t_"));
}

/* Only whole intervals are shown, and nothing that was counted in them is missing. */
static void intervals_are_sums(void **state)
{
    struct place *place = *state;

    place_open(place, NULL);
    write_ticks(place, 1, 3 * MINUTE_TICKS, BEGIN_NS);
    assert_shown(place, "sar -n DEV 60 -f FILE",
                 "00:00:10        IFACE   rxpck/s \n"
                 "00:01:10         eth0      0.45 \n"
                 "00:02:10         eth0      1.05 \n"
                 "Average:         eth0      0.75 \n");
    assert_shown(place, "sar -n DEV 60 1 -f FILE",
                 "00:00:10        IFACE   rxpck/s \n"
                 "00:01:10         eth0      0.45 \n"
                 "Average:        IFACE   rxpck/s \n"
                 "Average:         eth0      0.45 \n");
    assert_shown(place, "sar -n DEV 60 -f FILE -s 00:01:30 -e 00:02:40",
                 "00:01:30        IFACE   rxpck/s \n"
                 "00:02:30         eth0      1.25 \n"
                 "Average:         eth0      1.25 \n");
}

static void a_restart_is_a_line_and_begins_anew(void **state)
{
    struct place *place = *state;

    place_open(place, NULL);
    assert_int_equal(store_note(place->store, BEGIN_NS, STORE_STARTED, ""), 0);
    write_ticks(place, 1, 3, BEGIN_NS);
    place_close(place);
    place_open(place, NULL);
    assert_int_equal(store_note(place->store, BEGIN_NS + 95 * SECOND_NS, STORE_STARTED, ""), 0);
    write_ticks(place, 10, 3, BEGIN_NS);
    assert_shown(place, "sar -n DEV -f FILE",
                 "00:00:10        IFACE   rxpck/s \n"
                 "00:00:20         eth0      0.20 \n"
                 "00:00:30         eth0      0.30 \n"
                 "Average:         eth0      0.25 \n"
                 "00:01:35     LINUX RESTART\t(2 CP\n"
                 "00:01:40        IFACE   rxpck/s \n"
                 "00:01:50         eth0      1.10 \n"
                 "00:02:00         eth0      1.20 \n"
                 "Average:         eth0      1.15 \n");
    assert_shown(place, "sar -n DEV -f FILE -e 00:01:00",
                 "00:00:10        IFACE   rxpck/s \n"
                 "00:00:20         eth0      0.20 \n"
                 "00:00:30         eth0      0.30 \n"
                 "Average:         eth0      0.25 \n");
}

/* What is too old for ticks is there by the minute, and what is too old for that by the hour. */
static void old_days_are_minutes_or_hours(void **state)
{
    const struct store_limits short_ticks = {.fine_s = 1800},
                              short_minutes = {.fine_s = 1800, .minute_s = 1800};
    struct place *place = *state;

    place_open(place, &short_ticks);
    write_ticks(place, 1, 4 * HOUR_TICKS, BEGIN_NS);
    assert_shown(place, "sar -n DEV 3600 2 -f FILE",
                 "00:00:10        IFACE   rxpck/s \n"
                 "01:00:00         eth0     18.10 \n"
                 "02:00:00         eth0     54.05 \n"
                 "Average:         eth0     36.10 \n");
    place_close(place);
    place_open(place, &short_minutes);
    write_ticks(place, 4 * HOUR_TICKS + 1, 2 * HOUR_TICKS, BEGIN_NS);
    assert_shown(place, "sar -n DEV -f FILE 1 1",
                 "00:00:10        IFACE   rxpck/s \n"
                 "01:00:00         eth0     18.10 \n"
                 "Average:        IFACE   rxpck/s \n"
                 "Average:         eth0     18.10 \n");
}

/* The last day of the file; and of the usual place so many days ago. */
static void days_are_counted_from_today(void **state)
{
    struct place *place = *state;
    uint64_t today_ns = clock_ns(CLOCK_REALTIME) / SECOND_NS / 86400 * 86400 * SECOND_NS;
    uint64_t two_days_ago_ns = today_ns - 2 * 86400 * SECOND_NS;
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    char usual[128];

    if (access("/var/lib/nwho/history.db", R_OK) == 0)
        skip(); /* that one would be read */

    if (geteuid() == 0) { /* who has another usual place */
        assert_int_equal(chown(place->directory, NOBODY, NOBODY), 0);
        assert_int_equal(seteuid(NOBODY), 0);
    }
    snprintf(usual, sizeof(usual), "%s/nwho", place->directory);
    assert_int_equal(mkdir(usual, 0700), 0);
    snprintf(place->path, sizeof(place->path), "%s/nwho/history.db", place->directory);
    place_open(place, NULL);
    write_ticks(place, 1, 3, two_days_ago_ns);
    assert_shown(place, "sar -n DEV -f FILE 10 1",
                 "00:00:10        IFACE   rxpck/s \n"
                 "00:00:20         eth0      0.20 \n"
                 "Average:        IFACE   rxpck/s \n"
                 "Average:         eth0      0.20 \n");
    assert_int_equal(setenv("XDG_STATE_HOME", place->directory, 1), 0);
    assert_shown(place, "sar -n DEV -2",
                 "00:00:10        IFACE   rxpck/s \n"
                 "00:00:20         eth0      0.20 \n"
                 "00:00:30         eth0      0.30 \n"
                 "Average:         eth0      0.25 \n");
    assert_int_equal(show(place, "sar -n DEV -1", &out), SAR_FAILED);
    assert_int_equal(show(place, "sar -n DEV", &out), SAR_FAILED);
    place_close(place);
    assert_int_equal(seteuid(getuid()), 0);
}

static void what_is_not_there_is_said(void **state)
{
    struct place *place = *state;
    static const uint16_t magic = 0xd596;
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    CLEANUP_CLOSE int fd = -1;

    assert_int_equal(show(place, "sar -n DEV -f FILE", &out), SAR_FAILED);
    place_open(place, NULL);
    assert_int_equal(show(place, "sar -n DEV -f FILE", &out), SAR_FAILED);
    write_ticks(place, 1, 3, BEGIN_NS);
    assert_int_equal(show(place, "sar -n SOFT,NFS -f FILE", &out), SAR_WRONG_USE);
    assert_string_equal(buf_string(&out), "");
    assert_shown(place, "sar -n DEV -f FILE -s 12:00", "");
    place_close(place);
    fd = open(place->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(write(fd, &magic, sizeof(magic)), sizeof(magic));
    assert_int_equal(show(place, "sar -n DEV -f FILE", &out), SAR_FAILED);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, place_make, place_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ticks_are_samples),
        TEST(intervals_are_sums),
        TEST(a_restart_is_a_line_and_begins_anew),
        TEST(old_days_are_minutes_or_hours),
        TEST(what_is_not_there_is_said),
        TEST(days_are_counted_from_today),
    };

    if (setenv("TZ", "UTC", 1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
