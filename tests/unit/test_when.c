/* SPDX-License-Identifier: MIT */
/* Tests of moments as people write them: seen on Friday, 2026-11-20, 15:00 in Central Europe. */
#include "base/when.h"

#include "base/clock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define NOW UINT64_C(1795183200) /* 2026-11-20T14:00:00Z */
#define HOUR UINT64_C(3600)
#define DAY (24 * HOUR)

static const struct moment_case {
    const char *text;
    uint64_t seconds;
} before_now[] =
    {
        {"now", NOW},
        {"NOW", NOW},
        {" now", NOW},
        {"-2h", NOW - 2 * HOUR},
        {"-90", NOW - 90},
        {"2h30m ago", NOW - 2 * HOUR - 1800},
        {"3d ago", NOW - 3 * DAY},
        {"90 min ago", NOW - 5400},
        {"1 hour 30 minutes ago", NOW - 5400},
        {"2 Days ago", NOW - 2 * DAY},
        {"-5 min", NOW - 300},
        {"30 seconds ago", NOW - 30},
        {"03:00", NOW - 12 * HOUR},
        {"3:15:30", NOW - 12 * HOUR + 930},
        {"15:00", NOW},
        {"15:01", NOW - DAY + 60},
        {"2pm", NOW - HOUR},
        {"2:30 PM", NOW - 1800},
        {"12am", NOW - 15 * HOUR},
        {"12pm", NOW - 3 * HOUR},
        {"24:00", NOW - 15 * HOUR},
        {"today", NOW - 15 * HOUR},
        {"yesterday", NOW - 39 * HOUR},
        {"yesterday 2pm", NOW - 25 * HOUR},
        {"today 23:00", NOW + 8 * HOUR},
        {"fri", NOW - 15 * HOUR},
        {"Thursday 15:00", NOW - DAY},
        {"sat", NOW - 15 * HOUR - 6 * DAY},
        {"2026-11-19", NOW - 39 * HOUR},
        {"2026-11-19 15:00", NOW - DAY},
        {"2026-11-19T15:00:07", NOW - DAY + 7},
        {"2026-11-20T14:00:00Z", NOW},
        {"2026-11-20t14:00:00z", NOW},
        {"2026-11-20 14:00+00:00", NOW},
        {"2026-11-20 14:00-0130", NOW + HOUR + 1800},
        {"2026-11-20 16:00+2", NOW},
        {"2026-11-20 3pm", NOW},
        {"2026-07-01 12:00", 1782900000}, /* summer time */
        {"@1795183200", NOW},
        {"1795183200", NOW},
        {"@7", 7},
},
  after_yesterday_noon[] = {
      {"04:00", NOW - 11 * HOUR}, {"13:00", NOW - 26 * HOUR},         {"12:00", NOW - 3 * HOUR},
      {"-2h", NOW - 2 * HOUR},    {"yesterday 2pm", NOW - 25 * HOUR},
};

static const char *const wrong[] = {
    "",
    "x",
    "3",
    "33:00",
    "3:60",
    "13pm",
    "0am",
    "3:00:61",
    "03:00 x",
    "tomorrow",
    "2026",
    "2026-11",
    "2026-1x-01",
    "2026-11-20T",
    "2026-11-20x",
    "-",
    "-x",
    "ago",
    "2h agox",
    "@",
    "@x",
    "12345678",
    "99999999999",
    "mondays",
    "mon tue",
    "2026-11-20 3",
    "3:00:15.",
    "2026-11-20 03:00+15",
    "2026-11-20 03:00+0199",
    "24:01",
    "5 foo ago",
    "5m",
    "min ago",
};

static void check(const struct moment_case *moments, size_t count, uint64_t after)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t ns = 0;

        if (when_parse(moments[i].text, NOW * SECOND_NS, after * SECOND_NS, &ns) != 0 ||
            ns != moments[i].seconds * SECOND_NS)
            fail_msg("\"%s\": %llu, not %llu", moments[i].text,
                     (unsigned long long)(ns / SECOND_NS), (unsigned long long)moments[i].seconds);
    }
}

static void moments_are_before_now(void **state)
{
    (void)state;
    check(before_now, sizeof(before_now) / sizeof(*before_now), 0);
}

static void a_time_alone_follows_the_beginning(void **state)
{
    (void)state;
    check(after_yesterday_noon, sizeof(after_yesterday_noon) / sizeof(*after_yesterday_noon),
          NOW - 27 * HOUR);
}

static void fractions_are_kept(void **state)
{
    uint64_t ns;

    (void)state;
    assert_int_equal(when_parse("2026-11-20T14:00:00.25Z", NOW * SECOND_NS, 0, &ns), 0);
    assert_int_equal(ns, NOW * SECOND_NS + 250000000);
    assert_int_equal(when_parse("@1795183200.1234567899", NOW * SECOND_NS, 0, &ns), 0);
    assert_int_equal(ns, NOW * SECOND_NS + 123456789);
}

static void what_is_no_moment_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        uint64_t ns = 1;

        if (when_parse(wrong[i], NOW * SECOND_NS, 0, &ns) != -EINVAL || ns != 1)
            fail_msg("\"%s\" was read as %llu", wrong[i], (unsigned long long)ns);
    }
}

static void days_that_are_none_are_refused(void **state)
{
    uint64_t ns;

    (void)state;
    assert_int_equal(when_parse("2026-02-30", NOW * SECOND_NS, 0, &ns), -ERANGE);
    assert_int_equal(when_parse("1969-12-31", NOW * SECOND_NS, 0, &ns), -ERANGE);
    assert_int_equal(when_parse("-100000d", NOW * SECOND_NS, 0, &ns), -ERANGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_before_now),
        cmocka_unit_test(a_time_alone_follows_the_beginning),
        cmocka_unit_test(fractions_are_kept),
        cmocka_unit_test(what_is_no_moment_is_refused),
        cmocka_unit_test(days_that_are_none_are_refused),
    };

    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
