/* SPDX-License-Identifier: MIT */
/* Tests of src/base/units: short forms, parsing, and that each understands the other. */
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_form(enum unit unit, uint64_t number, const char *expected)
{
    struct buf buf = BUF_INIT;

    assert_int_equal(units_write(&buf, unit, number), strlen(expected));
    assert_string_equal(buf_string(&buf), expected);
    buf_done(&buf);
}

static void sizes_are_short(void **state)
{
    (void)state;
    assert_form(UNIT_COUNT, 1234567, "1234567");
    assert_form(UNIT_BYTES, 0, "0");
    assert_form(UNIT_BYTES, 1023, "1023");
    assert_form(UNIT_BYTES, 1024, "1.0K");
    assert_form(UNIT_BYTES, 1228 * 1024, "1.2M");
    assert_form(UNIT_BYTES, 10 * 1024 - 1, "10K");
    assert_form(UNIT_BYTES, 1024 * 1024 - 1, "1.0M");
    assert_form(UNIT_BYTES, 64 * 1024, "64K");
    assert_form(UNIT_BYTES, UINT64_MAX, "16E");
    assert_form(UNIT_BYTES_PER_SECOND, 12 * 1024 * 1024, "12M/s");
    assert_form(UNIT_BITS_PER_SECOND, UINT64_C(10000000000), "10Gbit");
    assert_form(UNIT_BITS_PER_SECOND, UINT64_C(2500000000), "2500Mbit");
    assert_form(UNIT_BITS_PER_SECOND, 0, "0bit");
}

static void durations_are_short(void **state)
{
    (void)state;
    assert_form(UNIT_MICROSECONDS, 0, "0");
    assert_form(UNIT_MICROSECONDS, 85, "85us");
    assert_form(UNIT_MICROSECONDS, 4123, "4.1ms");
    assert_form(UNIT_MICROSECONDS, 212400, "212ms");
    assert_form(UNIT_MICROSECONDS, 999499, "999ms");
    assert_form(UNIT_MICROSECONDS, 999500, "1s");
    assert_form(UNIT_MILLISECONDS, 4100, "4.1s");
    assert_form(UNIT_MILLISECONDS, 1, "1ms");
    assert_form(UNIT_MILLISECONDS, 59400, "59s");
    assert_form(UNIT_MILLISECONDS, 59600, "1m");
    assert_form(UNIT_SECONDS, 192, "3m12s");
    assert_form(UNIT_SECONDS, 3 * 3600 + 12 * 60, "3h12m");
    assert_form(UNIT_SECONDS, 86400 - 1, "1d");
    assert_form(UNIT_SECONDS, 2 * 86400 + 4 * 3600, "2d4h");
    assert_form(UNIT_SECONDS, 86400 * 400, "400d");
    assert_form(UNIT_SECONDS, UINT64_MAX, "213503982d8h");
}

static void assert_parsed(const char *text, enum unit unit, uint64_t expected, bool expected_more)
{
    uint64_t number = 0;
    bool more = !expected_more;

    if (units_parse(text, strlen(text), unit, &number, &more) < 0)
        fail_msg("refused: %s", text);
    assert_int_equal(number, expected);
    assert_int_equal(more, expected_more);
}

static void assert_bit_rate(uint64_t bytes, const char *expected)
{
    struct buf buf = BUF_INIT;

    assert_int_equal(units_write_bit_rate(&buf, bytes), strlen(expected));
    assert_string_equal(buf_string(&buf), expected);
    buf_done(&buf);
}

static void bit_rates_are_short(void **state)
{
    (void)state;
    assert_bit_rate(0, "0bit");
    assert_bit_rate(124, "992bit");
    assert_bit_rate(125, "1.0Kbit");
    assert_bit_rate(1243, "9.9Kbit");
    assert_bit_rate(1249, "10Kbit");
    assert_bit_rate(124900, "999Kbit");
    assert_bit_rate(124950, "1.0Mbit");
    assert_bit_rate(1200000, "9.6Mbit");
    assert_bit_rate(1250000000, "10Gbit");
    assert_bit_rate(UINT64_MAX, "18Ebit");
}

static void quantities_are_read(void **state)
{
    (void)state;
    assert_parsed("12", UNIT_COUNT, 12, false);
    assert_parsed("1.5k", UNIT_COUNT, 1500, false);
    assert_parsed("18446744073709551615", UNIT_COUNT, UINT64_MAX, false);
    assert_parsed("64K", UNIT_BYTES, 65536, false);
    assert_parsed("64KiB", UNIT_BYTES, 65536, false);
    assert_parsed("64Ki", UNIT_BYTES, 65536, false);
    assert_parsed("64kb", UNIT_BYTES, 64000, false);
    assert_parsed("1.0001K", UNIT_BYTES, 1024, true);
    assert_parsed("10B", UNIT_BYTES, 10, false);
    assert_parsed("10Mbit", UNIT_BYTES_PER_SECOND, 1250000, false);
    assert_parsed("10Mbit", UNIT_BITS_PER_SECOND, 10000000, false);
    assert_parsed("10G", UNIT_BITS_PER_SECOND, UINT64_C(10000000000), false);
    assert_parsed("1MB/s", UNIT_BITS_PER_SECOND, 8000000, false);
    assert_parsed("10Mb/s", UNIT_BYTES_PER_SECOND, 1250000, false);
    assert_parsed("1Kibit/s", UNIT_BYTES_PER_SECOND, 128, false);
    assert_parsed("9bit", UNIT_BYTES_PER_SECOND, 1, true);
    assert_parsed("1MB/s", UNIT_BYTES_PER_SECOND, 1000000, false);
    assert_parsed("1M/s", UNIT_BYTES_PER_SECOND, 1048576, false);
    assert_parsed("7", UNIT_BYTES_PER_SECOND, 7, false);
    assert_parsed("8bps", UNIT_BYTES_PER_SECOND, 1, false);
    assert_parsed("10Mbps", UNIT_BYTES_PER_SECOND, 1250000, false);
    assert_parsed("1MBps", UNIT_BYTES_PER_SECOND, 1000000, false);
    assert_parsed("4bytes", UNIT_BYTES, 4, false);
    assert_parsed("0x1F", UNIT_NONE, 31, false);
    assert_parsed("0xffffffffffffffff", UNIT_COUNT, UINT64_MAX, false);
    assert_parsed("1.99999999999", UNIT_BYTES, 1, true);
    assert_parsed("0.0000000001K", UNIT_BYTES, 0, true);
    assert_parsed("15.999999999E", UNIT_BYTES, UINT64_C(18446744072556630111), true);
    assert_parsed("1.000000001w", UNIT_SECONDS, 604800, true);
    assert_parsed("500ms500ms", UNIT_SECONDS, 1, false);
    assert_parsed("999ms999us", UNIT_SECONDS, 0, true);
    assert_parsed("100ms", UNIT_MICROSECONDS, 100000, false);
    assert_parsed("100", UNIT_MICROSECONDS, 100, false);
    assert_parsed("1.5s", UNIT_MILLISECONDS, 1500, false);
    assert_parsed("1500ms", UNIT_SECONDS, 1, true);
    assert_parsed("2h30m", UNIT_SECONDS, 9000, false);
    assert_parsed("1d4h", UNIT_SECONDS, 100800, false);
    assert_parsed("5\xc2\xb5s", UNIT_MICROSECONDS, 5, false);
    assert_parsed("30500568904943w", UNIT_SECONDS, UINT64_C(30500568904943) * 604800, false);
}

static void assert_refused(const char *text, enum unit unit, int expected)
{
    uint64_t number = 42;
    bool more = true;

    assert_int_equal(units_parse(text, strlen(text), unit, &number, &more), expected);
    assert_int_equal(number, 42);
    assert_true(more);
}

static void nonsense_is_refused(void **state)
{
    static const char *const bytes[] = {"",   "K",   "x",   "-1",  "1 K", "1K2", "1Kbit", "1.",
                                        ".5", "1..", "1/s", "1iB", " 1",  "1 ",  "1KK",   "0x"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
        assert_refused(bytes[i], UNIT_BYTES, -EINVAL);
    assert_refused("0xg", UNIT_BYTES, -EINVAL);
    assert_refused("1KB", UNIT_COUNT, -EINVAL);
    assert_refused("2h30", UNIT_SECONDS, -EINVAL);
    assert_refused("2K", UNIT_SECONDS, -EINVAL);
    assert_refused("1ps", UNIT_BYTES_PER_SECOND, -EINVAL);
    assert_refused("1k", UNIT_NONE, -EINVAL);
    assert_refused("0x10000000000000000", UNIT_NONE, -ERANGE);
    assert_refused("18446744073709551615.9w1s", UNIT_SECONDS, -ERANGE);
    assert_refused("18446744073709551615s1s", UNIT_SECONDS, -ERANGE);
    assert_refused("1/s/s", UNIT_BYTES_PER_SECOND, -EINVAL);
    assert_refused("18446744073709551616", UNIT_COUNT, -ERANGE);
    assert_refused("16E", UNIT_BYTES, -ERANGE);
    assert_refused("18446744073709551615E", UNIT_BYTES_PER_SECOND, -ERANGE);
    assert_refused("30500568904944w", UNIT_SECONDS, -ERANGE);
}

/* What is written can be read, and is no further away than the rounding allows. */
static void forms_are_read_back(void **state)
{
    static const enum unit units[] = {UNIT_COUNT,        UNIT_BYTES,        UNIT_BYTES_PER_SECOND,
                                      UNIT_MICROSECONDS, UNIT_MILLISECONDS, UNIT_SECONDS};
    struct buf buf = BUF_INIT;

    (void)state;
    for (uint64_t number = 1; number < UINT64_C(1) << 40; number += number / 7 + 1) {
        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
            uint64_t back, away;

            buf_reset(&buf);
            units_write(&buf, units[i], number);
            assert_int_equal(units_parse(buf.data, buf.length, units[i], &back, NULL), 0);
            away = back > number ? back - number : number - back;
            assert_true(away <= number / 19 + 1);
        }
    }
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_short),     cmocka_unit_test(durations_are_short),
        cmocka_unit_test(bit_rates_are_short), cmocka_unit_test(quantities_are_read),
        cmocka_unit_test(nonsense_is_refused), cmocka_unit_test(forms_are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
