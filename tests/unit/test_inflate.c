/* SPDX-License-Identifier: MIT */
/* Tests of DEFLATE: what zlib has made, and what is broken. */
#include "base/inflate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* By zlib: level 0; with its fixed codes; with codes of its own; 70,000 zeros, by a distance of 1.
 */
static const uint8_t stored[] = {0x01, 0x06, 0x00, 0xf9, 0xff, 0x73, 0x74, 0x6f, 0x72, 0x65, 0x64};
static const uint8_t fixed[] = {0xcb, 0x4b, 0x54, 0xc8, 0xc3, 0x82, 0x74, 0x14, 0x12, 0xf3,
                                0x52, 0x14, 0x92, 0x12, 0x4b, 0x72, 0x13, 0xf3, 0x00};
static const uint8_t dynamic[] = {
    0x5d, 0x90, 0x41, 0x0e, 0x03, 0x31, 0x08, 0x03, 0xbf, 0xe2, 0x27, 0x04, 0x42, 0x52, 0x22,
    0xbe, 0x53, 0x55, 0xea, 0x65, 0x57, 0x6a, 0x0f, 0xfd, 0x7e, 0xe1, 0x68, 0xae, 0x16, 0xb1,
    0x67, 0x32, 0xf0, 0xbe, 0xf0, 0xbb, 0x3f, 0xcf, 0x2f, 0xee, 0x17, 0x46, 0x40, 0x28, 0x90,
    0x80, 0x51, 0xa0, 0x81, 0x43, 0xc1, 0xcc, 0x27, 0x9b, 0x12, 0x0b, 0xe8, 0xa2, 0x64, 0x05,
    0x26, 0xdf, 0xec, 0xec, 0xe5, 0x9e, 0x47, 0x60, 0xf3, 0x94, 0x07, 0x9c, 0x69, 0x4e, 0x6e,
    0x8d, 0xc1, 0x80, 0x85, 0xac, 0x0d, 0x3a, 0xa9, 0xc5, 0xb8, 0x4c, 0xb4, 0x38, 0x79, 0x52,
    0x8a, 0xfd, 0x30, 0x98, 0x14, 0x7d, 0xc3, 0x97, 0x55, 0x46, 0xed, 0x2e, 0x0d, 0xd4, 0x5b,
    0x5f, 0x3a, 0x4c, 0x6d, 0xbb, 0x5e, 0xee, 0x8d, 0x2f, 0x3d, 0xac, 0x79, 0x68, 0x7a, 0x98,
    0xf1, 0x9d, 0xd6, 0xef, 0x7b, 0xfb, 0xff, 0xf4, 0x58, 0xca, 0xbb, 0x9a, 0x1e, 0x7f};
static const uint8_t zeros[] = {
    0xed, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x09, 0x4f, 0xa0,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0xb7, 0x01};

#define ZEROS 70000

/* What `dynamic` is made of. */
static size_t squares(char *text, size_t size)
{
    size_t length = 0;

    for (int i = 0; i < 24; i++)
        length += (size_t)snprintf(text + length, size - length, "%d in words of %d; ", i * i, i);
    return length;
}

static void assert_inflates(const uint8_t *packed, size_t packed_size, const void *expected,
                            size_t size)
{
    uint8_t *bytes = malloc(size + 1);

    assert_non_null(bytes);
    bytes[size] = 0xaa;
    assert_int_equal(inflate_into(packed, packed_size, bytes, size), 0);
    assert_memory_equal(bytes, expected, size);
    assert_int_equal(bytes[size], 0xaa);
    assert_int_equal(inflate_into(packed, packed_size, bytes, size - 1), -EBADMSG);
    assert_int_equal(inflate_into(packed, packed_size, bytes, size + 1), -EBADMSG);
    free(bytes);
}

static void test_all_kinds_of_blocks(void **state)
{
    static const uint8_t nothing[ZEROS];
    char text[1024];
    size_t length = squares(text, sizeof(text));

    (void)state;
    assert_inflates(stored, sizeof(stored), "stored", 6);
    assert_inflates(fixed, sizeof(fixed), "na na na na na na na na, and batman", 35);
    assert_inflates(dynamic, sizeof(dynamic), text, length);
    assert_inflates(zeros, sizeof(zeros), nothing, ZEROS);
}

/* In memory of their own, where a sanitizer sees what is read behind them. */
static int inflate_copy(const uint8_t *packed, size_t packed_size, uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(packed_size + !packed_size);
    int r;

    assert_non_null(copy);
    memcpy(copy, packed, packed_size);
    r = inflate_into(copy, packed_size, bytes, size);
    free(copy);
    return r;
}

static void test_what_is_cut_is_refused(void **state)
{
    const struct {
        const uint8_t *packed;
        size_t packed_size, size;
    } whole[] = {{stored, sizeof(stored), 6},
                 {fixed, sizeof(fixed), 35},
                 {dynamic, sizeof(dynamic), 456},
                 {zeros, sizeof(zeros), ZEROS}};
    uint8_t *bytes = malloc(ZEROS);

    (void)state;
    assert_non_null(bytes);
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
        for (size_t length = 0; length < whole[i].packed_size; length++)
            assert_int_equal(inflate_copy(whole[i].packed, length, bytes, whole[i].size), -EBADMSG);
    free(bytes);
}

/* Each bit turned: it may come out as something else (some bits mean nothing), and nothing is
 * written elsewhere. */
static void test_what_is_damaged_stays_within_its_bytes(void **state)
{
    char text[1024];
    size_t length = squares(text, sizeof(text)), harmed = 0;
    uint8_t *bytes = malloc(length), damaged[sizeof(dynamic)];

    (void)state;
    assert_non_null(bytes);
    for (size_t bit = 0; bit < 8 * sizeof(dynamic); bit++) {
        int r;

        memcpy(damaged, dynamic, sizeof(damaged));
        damaged[bit / 8] ^= (uint8_t)(1U << bit % 8);
        r = inflate_copy(damaged, sizeof(damaged), bytes, length);
        assert_true(r == -EBADMSG || r == 0);
        harmed += r < 0 || memcmp(bytes, text, length) != 0;
    }
    assert_true(harmed > 7 * sizeof(dynamic));
    free(bytes);
}

static void test_what_cannot_be_is_refused(void **state)
{
    static const uint8_t third_kind[] = {0x07}, inverted[] = {0x01, 0x01, 0x00, 0x00, 0x00, 'x'},
                         before_begin[] = {0x03, 0x02, 0x00}; /* a pair, and nothing yet */
    uint8_t bytes[8];

    (void)state;
    assert_int_equal(inflate_copy(third_kind, sizeof(third_kind), bytes, 0), -EBADMSG);
    assert_int_equal(inflate_copy(inverted, sizeof(inverted), bytes, 1), -EBADMSG);
    assert_int_equal(inflate_copy(before_begin, sizeof(before_begin), bytes, 3), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds_of_blocks),
        cmocka_unit_test(test_what_is_cut_is_refused),
        cmocka_unit_test(test_what_is_damaged_stays_within_its_bytes),
        cmocka_unit_test(test_what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
