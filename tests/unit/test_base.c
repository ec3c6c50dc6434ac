/* SPDX-License-Identifier: MIT */
/* Tests of src/base: arena, buffer, map, escaping. */
#include "base/arena.h"
#include "base/escape.h"
#include "base/map.h"
#include "base/phrase.h"
#include "base/rate.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

static void arena_keeps_what_it_gave(void **state)
{
    struct arena arena = {0};
    char *first = arena_copy(&arena, "first", 5);
    char *large = arena_alloc(&arena, 1 << 20);

    (void)state;
    assert_non_null(first);
    assert_non_null(large);
    for (size_t i = 0; i < 1 << 20; i++)
        assert_int_equal(large[i], 0);
    assert_string_equal(first, "first");
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_done(&arena);
}

static void map_finds_every_key(void **state)
{
    struct map map = {0};

    (void)state;
    assert_int_equal(map_get(&map, 7), MAP_NONE);
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(map_set(&map, (uint64_t)i << 32, i), 0);
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(map_get(&map, (uint64_t)i << 32), i);
    assert_int_equal(map_get(&map, 1), MAP_NONE);
    assert_int_equal(map.count, 10000);
    map_done(&map);
}

static void map_forgets_only_what_it_should(void **state)
{
    struct map map = {0};

    (void)state;
    map_remove(&map, 3);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(map_set(&map, i, i), 0);
    for (uint32_t i = 0; i < 1000; i += 3) {
        map_remove(&map, i);
        map_remove(&map, i);
        for (uint32_t j = 0; j < 1000; j++)
            assert_int_equal(map_get(&map, j), j % 3 == 0 && j <= i ? MAP_NONE : j);
    }
    assert_int_equal(map.count, 666);
    map_done(&map);
}

static void numbers_are_written(void **state)
{
    struct buf buf = BUF_INIT;

    (void)state;
    buf_uint(&buf, 0);
    buf_byte(&buf, ' ');
    buf_uint(&buf, UINT64_MAX);
    buf_byte(&buf, ' ');
    buf_int(&buf, INT64_MIN);
    buf_byte(&buf, ' ');
    buf_hex(&buf, 0xdeadbeef);
    assert_string_equal(buf_string(&buf), "0 18446744073709551615 -9223372036854775808 deadbeef");
    buf_done(&buf);
}

static void assert_text(const char *bytes, size_t length, const char *expected, size_t columns)
{
    struct buf buf = BUF_INIT;

    assert_int_equal(escape_text(&buf, bytes, length), columns);
    assert_string_equal(buf_string(&buf), expected);
    buf_done(&buf);
}

static void text_is_escaped(void **state)
{
    (void)state;
    assert_text("plain name", 10, "plain name", 10);
    assert_text("a\nb\033[31m", 8, "a\\nb\\e[31m", 10);
    assert_text("nul\0in", 6, "nul\\x00in", 9);
    assert_text("\xff\xfe", 2, "\\xff\\xfe", 8);
    assert_text("back\\slash", 10, "back\\\\slash", 11);
    assert_text("na\xc3\xafve", 6, "na\xc3\xafve", 5);
    assert_text("\xe2\x80\xae"
                "evil",
                7, "\\xe2\\x80\\xaeevil", 16); /* right-to-left override */
    assert_text("\xc2\x9b"
                "31m",
                5, "\\xc2\\x9b31m", 11);                   /* C1 CSI */
    assert_text("\xed\xa0\x80", 3, "\\xed\\xa0\\x80", 12); /* a surrogate is no character */
    assert_text("\xc0\xaf", 2, "\\xc0\\xaf", 8);           /* overlong */
}

static void invisible_is_escaped(void **state)
{
    (void)state;
    assert_text("\xe3\x85\xa4", 3, "\\xe3\\x85\\xa4", 12);          /* HANGUL FILLER */
    assert_text("a\xef\xb8\x8f", 4, "a\\xef\\xb8\\x8f", 13);        /* VARIATION SELECTOR-16 */
    assert_text("\xf3\xa0\x84\x80", 4, "\\xf3\\xa0\\x84\\x80", 16); /* VARIATION SELECTOR-17 */
}

static void what_is_reserved_is_escaped(void **state)
{
    struct buf buf = BUF_INIT;

    (void)state;
    escape_part(&buf, "nginx;a,\0e", 10, "n,;");
    assert_string_equal(buf_string(&buf), "\\x6egi\\x6ex\\x3ba\\x2c\\x00e");
    buf_done(&buf);
}

static void assert_fits(const char *text, size_t columns, size_t bytes, size_t taken)
{
    size_t is_taken;

    assert_int_equal(escape_fit(text, strlen(text), columns, &is_taken), bytes);
    assert_int_equal(is_taken, taken);
}

static void text_is_cut_between_characters(void **state)
{
    (void)state;
    assert_fits("abc", 2, 2, 2);
    assert_fits("a\\xffb", 4, 1, 1);
    assert_fits("a\\xffb", 5, 5, 5);
    assert_fits("a\\n", 2, 1, 1);
    assert_fits("na\xc3\xafve", 3, 4, 3);
    /* no text of ours: an escape that is cut, and bytes that are no character */
    assert_fits("a\\", 9, 2, 2);
    assert_fits("\\x4", 9, 3, 3);
    assert_fits("\xff\xc3", 9, 2, 2);
}

static void json_is_escaped(void **state)
{
    struct buf buf = BUF_INIT;

    (void)state;
    escape_json(&buf, "a\"b\\c\n\xff", 7);
    assert_string_equal(buf_string(&buf), "\"a\\\"b\\\\\\\\c\\\\n\\\\xff\"");
    buf_done(&buf);
}

static void csv_is_quoted_where_needed(void **state)
{
    struct buf buf = BUF_INIT;

    (void)state;
    escape_csv(&buf, "plain", 5);
    buf_byte(&buf, ',');
    escape_csv(&buf, "a,\"b\"\n", 6);
    assert_string_equal(buf_string(&buf), "plain,\"a,\"\"b\"\"\\n\"");
    buf_done(&buf);
}

/* As of another language: the order of facts changes, words are translated. */
static const char *turned(const char *text)
{
    return strcmp(text, "{1} of {2} to {3}") == 0 ? "{3}: {2}, {1}, {6} {x}"
           : strcmp(text, "host") == 0            ? "Wirt"
                                                  : text;
}

static void phrases_have_their_facts_in_the_order_of_the_language(void **state)
{
    static const uint8_t address[4] = {192, 0, 2, 1};
    struct phrase phrase = PHRASE("{1} of {2} to {3}", fact_bytes(2048), fact_percent(7),
                                  fact_address(AF_INET, address));
    struct buf buf = BUF_INIT;

    (void)state;
    phrase_put(&buf, &phrase, untranslated);
    buf_byte(&buf, '\n');
    phrase_put(&buf, &phrase, turned);
    phrase_put(&buf,
               &PHRASE(" {1} {2} {3} {4}", fact_word("host"), fact_permille(123), fact_count(5),
                       fact_duration(1500000)),
               turned);
    assert_string_equal(buf_string(&buf), "2.0K of 7% to 192.0.2.1\n"
                                          "192.0.2.1: 7%, 2.0K, {6} {x} Wirt 12.3% 5 1.5s");
    buf_done(&buf);
}

static void rates_of_any_count_are_numbers(void **state)
{
    (void)state;
    assert_int_equal(per_second(1500, UINT64_C(1000000000), 0.5), 1500);
    assert_int_equal(per_second(3, UINT64_C(2000000000), 0), 1);
    assert_int_equal(per_second(3, UINT64_C(2000000000), 0.5), 2);
    assert_int_equal(per_second(1500, 0, 0.5), 0);
    assert_true(per_second(UINT64_MAX, UINT64_C(1000000000), 0.5) == UINT64_MAX);
    assert_true(per_second(UINT64_MAX, 1, 0) == UINT64_MAX);
    assert_true(per_second(1, UINT64_MAX, 0) == 0);
    assert_true(uint64_of(-1) == 0);
    assert_true(uint64_of((double)NAN) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(phrases_have_their_facts_in_the_order_of_the_language),
        cmocka_unit_test(map_forgets_only_what_it_should),
        cmocka_unit_test(arena_keeps_what_it_gave),
        cmocka_unit_test(map_finds_every_key),
        cmocka_unit_test(rates_of_any_count_are_numbers),
        cmocka_unit_test(numbers_are_written),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(invisible_is_escaped),
        cmocka_unit_test(what_is_reserved_is_escaped),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(json_is_escaped),
        cmocka_unit_test(csv_is_quoted_where_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
