/* SPDX-License-Identifier: MIT */
/* Tests of chunks: what is written is read again, and nothing that is damaged. */
#include "store/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct codec codec;
    struct chunk chunk, again;
    struct buf bytes;
};

static int make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    assert_int_equal(codec_init(&fixture->codec), 0);
    fixture->bytes = BUF_INIT;
    fixture->chunk.kind = fixture->again.kind = CHUNK_FLOWS;
    *state = fixture;
    return 0;
}

static int end(void **state)
{
    struct fixture *fixture = *state;

    codec_done(&fixture->codec);
    chunk_done(&fixture->chunk);
    chunk_done(&fixture->again);
    buf_done(&fixture->bytes);
    free(fixture);
    return 0;
}

static void add_row(struct chunk *chunk, uint64_t process, uint64_t endpoint, uint64_t tick,
                    uint64_t rx)
{
    uint64_t *row = chunk_add_row(chunk);

    assert_non_null(row);
    row[FLOWS_PROCESS] = process;
    row[FLOWS_ENDPOINT] = endpoint;
    row[FLOWS_TICK] = tick;
    row[FLOWS_RX_BYTES] = rx;
}

static void write_and_read(struct fixture *fixture)
{
    buf_reset(&fixture->bytes);
    chunk_clear(&fixture->again);
    assert_int_equal(codec_write(&fixture->codec, &fixture->chunk, &fixture->bytes), 0);
    assert_int_equal(
        codec_read(&fixture->codec, fixture->bytes.data, fixture->bytes.length, &fixture->again),
        0);
    assert_int_equal(fixture->again.tick_count, fixture->chunk.tick_count);
    assert_int_equal(fixture->again.row_count, fixture->chunk.row_count);
    if (fixture->chunk.tick_count)
        assert_memory_equal(fixture->again.ticks, fixture->chunk.ticks,
                            fixture->chunk.tick_count * sizeof(*fixture->chunk.ticks));
    if (fixture->chunk.row_count)
        assert_memory_equal(fixture->again.rows, fixture->chunk.rows,
                            fixture->chunk.row_count * sizeof(uint64_t) * FLOWS_COLUMNS);
}

static void nothing_comes_back(void **state)
{
    write_and_read(*state);
}

static void a_tick_without_rows_comes_back(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(chunk_add_tick(&fixture->chunk, (struct chunk_tick){7, 0, 3}), 0);
    write_and_read(fixture);
}

/* Numbers at the borders of their lengths, clocks that go back, keys of all sizes. */
static void all_numbers_come_back(void **state)
{
    static const uint64_t numbers[] = {0,
                                       1,
                                       127,
                                       128,
                                       16383,
                                       16384,
                                       UINT32_MAX,
                                       UINT64_C(1) << 32,
                                       INT64_MAX,
                                       (uint64_t)INT64_MIN,
                                       UINT64_MAX - 1,
                                       UINT64_MAX,
                                       5};
    struct fixture *fixture = *state;

    for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct chunk_tick tick = {numbers[i], numbers[ARRAY_SIZE(numbers) - 1 - i], i % 4};

        assert_int_equal(chunk_add_tick(&fixture->chunk, tick), 0);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++)
        for (unsigned int j = 0; j < ARRAY_SIZE(numbers); j++)
            add_row(&fixture->chunk, numbers[i], numbers[j], j, numbers[(i + j) % 13]);
    write_and_read(fixture);
}

static void rows_are_sorted(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned int i = 0; i < 3; i++)
        assert_int_equal(chunk_add_tick(&fixture->chunk, (struct chunk_tick){i, 1, 3}), 0);
    add_row(&fixture->chunk, 2, 1, 0, 1);
    add_row(&fixture->chunk, 1, 9, 2, 2);
    add_row(&fixture->chunk, 1, 9, 0, 3);
    write_and_read(fixture);
    assert_int_equal(chunk_row(&fixture->again, 0)[FLOWS_RX_BYTES], 3);
    assert_int_equal(chunk_row(&fixture->again, 1)[FLOWS_RX_BYTES], 2);
    assert_int_equal(chunk_row(&fixture->again, 2)[FLOWS_RX_BYTES], 1);
}

static void equal_keys_are_folded(void **state)
{
    struct fixture *fixture = *state;

    add_row(&fixture->chunk, 2, 1, 0, 1);
    add_row(&fixture->chunk, 1, 1, 0, 10);
    add_row(&fixture->chunk, 2, 1, 0, 100);
    add_row(&fixture->chunk, 2, 1, 1, 1000);
    chunk_fold(&fixture->chunk);
    assert_int_equal(fixture->chunk.row_count, 3);
    assert_int_equal(chunk_row(&fixture->chunk, 0)[FLOWS_RX_BYTES], 10);
    assert_int_equal(chunk_row(&fixture->chunk, 1)[FLOWS_RX_BYTES], 101);
    assert_int_equal(chunk_row(&fixture->chunk, 2)[FLOWS_RX_BYTES], 1000);
}

static void chunks_are_appended(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(chunk_add_tick(&fixture->chunk, (struct chunk_tick){1, 1, 3}), 0);
    add_row(&fixture->chunk, 1, 1, 0, 5);
    assert_int_equal(chunk_add_tick(&fixture->again, (struct chunk_tick){2, 1, 3}), 0);
    add_row(&fixture->again, 1, 1, 0, 6);
    assert_int_equal(chunk_append(&fixture->chunk, &fixture->again), 0);
    assert_int_equal(fixture->chunk.tick_count, 2);
    assert_int_equal(chunk_row(&fixture->chunk, 1)[FLOWS_TICK], 1);
}

static void pieces_are_the_whole(void **state)
{
    struct fixture *fixture = *state;
    struct codec *codec = &fixture->codec;
    struct chunk *piece = &fixture->again;
    uint32_t rows = 0;

    assert_int_equal(chunk_add_tick(&fixture->chunk, (struct chunk_tick){1, 1, 3}), 0);
    for (unsigned int i = 0; i < 20; i++)
        add_row(&fixture->chunk, i / 5, i * 3, 0, i * 1000);
    assert_int_equal(codec_write(codec, &fixture->chunk, &fixture->bytes), 0);
    assert_int_equal(codec_begin(codec, fixture->bytes.data, fixture->bytes.length, piece), 0);
    assert_int_equal(piece->tick_count, 1);
    while (codec_next(codec, piece, 7) > 0) {
        assert_int_equal(piece->row_count, rows < 14 ? 7 : 6);
        assert_memory_equal(piece->rows, chunk_row(&fixture->chunk, rows),
                            piece->row_count * sizeof(uint64_t) * FLOWS_COLUMNS);
        rows += piece->row_count;
    }
    assert_int_equal(rows, 20);
}

static int read_bytes(struct fixture *fixture, const char *bytes, size_t length)
{
    chunk_clear(&fixture->again);
    return codec_read(&fixture->codec, bytes, length, &fixture->again);
}

/* Each byte is changed, and the end is cut off at each place. */
static void damage_is_found(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(chunk_add_tick(&fixture->chunk, (struct chunk_tick){1, 1, 3}), 0);
    for (unsigned int i = 0; i < 20; i++)
        add_row(&fixture->chunk, i, i * 3, 0, i * 1000);
    write_and_read(fixture);
    for (size_t i = 0; i < fixture->bytes.length; i++) {
        fixture->bytes.data[i] ^= 0x10;
        assert_int_equal(read_bytes(fixture, fixture->bytes.data, fixture->bytes.length), -EBADMSG);
        assert_int_equal(fixture->again.row_count, 0);
        fixture->bytes.data[i] ^= 0x10;
        assert_int_equal(read_bytes(fixture, fixture->bytes.data, i), -EBADMSG);
    }
}

static void another_kind_is_refused(void **state)
{
    struct fixture *fixture = *state;

    write_and_read(fixture);
    fixture->again.kind = CHUNK_STATES;
    assert_int_equal(read_bytes(fixture, fixture->bytes.data, fixture->bytes.length), -EBADMSG);
}

static void a_tick_that_is_not_there_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(chunk_add_tick(&fixture->chunk, (struct chunk_tick){1, 1, 3}), 0);
    add_row(&fixture->chunk, 1, 1, 1, 5);
    assert_int_equal(codec_write(&fixture->codec, &fixture->chunk, &fixture->bytes), 0);
    assert_int_equal(read_bytes(fixture, fixture->bytes.data, fixture->bytes.length), -EBADMSG);
}

static void negative_numbers_stay_small(void **state)
{
    (void)state;
    assert_int_equal(zigzag(-1), 1);
    assert_int_equal(unzigzag(zigzag(INT64_MIN)), INT64_MIN);
    assert_int_equal(unzigzag(zigzag(INT64_MAX)), INT64_MAX);
    assert_int_equal(unzigzag(zigzag(-12345)), -12345);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_comes_back),          TEST(a_tick_without_rows_comes_back),
        TEST(all_numbers_come_back),       TEST(rows_are_sorted),
        TEST(equal_keys_are_folded),       TEST(chunks_are_appended),
        TEST(pieces_are_the_whole),        TEST(damage_is_found),
        TEST(another_kind_is_refused),     TEST(a_tick_that_is_not_there_is_refused),
        TEST(negative_numbers_stay_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
