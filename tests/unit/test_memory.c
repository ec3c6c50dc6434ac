/* SPDX-License-Identifier: MIT */
/* Tests of every place where memory may end: what is made is all there, or nothing of it is, and
 * nothing is written that looks whole and is not. */
#include "failing_memory.h"

#include "fake_grid.h"
#include "filter_fixture.h"
#include "snapshot_fixture.h"

#include "base/clock.h"
#include "base/escape.h"
#include "model/request.h"
#include "out/csv.h"
#include "out/json.h"
#include "out/openmetrics.h"
#include "out/svg.h"
#include "out/text.h"
#include "savefile/pcapng_reader.h"
#include "serve/question.h"
#include "table/packet_filter.h"

#define NAME "a\x1b\"<\xff\xc3\xa9\\, b"

/* --- escaping --- */

static void escaping_says_so(void **state)
{
    void (*const forms[])(struct buf *, const char *, size_t) = {escape_json, escape_csv,
                                                                 escape_xml};
    struct buf out = BUF_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        FOR_EACH_FAILURE(out.error == -ENOMEM)
        {
            buf_done(&out);
            out = BUF_INIT;
            forms[i](&out, NAME, sizeof(NAME) - 1);
            forms[i](&out, NAME, sizeof(NAME) - 1); /* the first error stays */
        }
        assert_int_equal(out.error, 0);
        assert_true(out.length > 2 * sizeof(NAME));
        buf_done(&out);
    }
}

/* --- strings of a snapshot --- */

/* One that is there and cannot be found would be there twice, and no such recording is read. */
static void a_string_is_found_or_not_there(void **state)
{
    struct snapshot snapshot = {0};
    int r = 0;

    (void)state;
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        snapshot_done(&snapshot);
        r = snapshot_init(&snapshot);
        for (unsigned char i = 1; i < 40 && r == 0; i++) {
            uint32_t before = snapshot.strings.length, string;

            r = snapshot_intern(&snapshot, (const char *)&i, 1, &string);
            if (r < 0)
                assert_int_equal(snapshot.strings.length, before);
        }
    }
    assert_int_equal(r, 0);
    snapshot_done(&snapshot);
}

/* --- joining --- */

static void a_join_is_whole_or_none(void **state)
{
    struct machine machine;
    struct join join = {0};
    int r = 0;

    (void)state;
    machine_make(&machine);
    assert_non_null(snapshot_add_conntrack(&machine.snapshot));
    assert_non_null(snapshot_add_flow(&machine.snapshot));
    FOR_EACH_FAILURE(r == -ENOMEM && !join.sockets)
    {
        join_done(&join);
        r = join_make(&machine.snapshot, ~UINT64_C(0), &join);
    }
    assert_int_equal(r, 0);
    assert_true(join.order_count > 0);
    join_done(&join);
    machine_done(&machine);
}

/* --- filters --- */

static void a_filter_is_whole_or_none(void **state)
{
    static const char *const texts[] = {
        "state established and (sport :443 or dst 10.0.0.0/8) and not process nginx",
        "process ~ /ng.*x/ or uid 0 or pid 1,2,3",
        "recvq > 64K idle > 2h listen exposed",
        "( dport = :443 or sport >= :1024 ) and src [::1]",
        "container web or unit a.service or netns blue or iface lo",
    };
    struct machine machine;
    int r = 0;

    (void)state;
    machine_make(&machine);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct filter *filter = NULL;
        struct filter_error error;
        struct arena arena = {0};

        FOR_EACH_FAILURE(r == -ENOMEM)
        {
            filter_done(filter);
            arena_done(&arena);
            arena = (struct arena){0};
            filter = NULL;
            r = filter_compile(&table_sockets, texts[i], &arena, &filter, &error);
        }
        assert_int_equal(r, 0);
        for (uint32_t row = 0; row < machine.snapshot.sockets_count; row++)
            (void)filter_accepts(filter, &machine.view, row);
        filter_done(filter);
        arena_done(&arena);
    }
    machine_done(&machine);
}

static void a_packet_filter_is_whole_or_none(void **state)
{
    struct packet_filter filter = {0};
    struct filter_error error;
    struct arena arena = {0};
    int r = 0;

    (void)state;
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        packet_filter_done(&filter);
        arena_done(&arena);
        arena = (struct arena){0};
        filter = (struct packet_filter){0};
        r = packet_filter_parse("process nginx and port 443 or not (pid 1 and udp)", &arena,
                                &filter, &error);
    }
    assert_int_equal(r, 0);
    assert_non_null(filter.root);
    packet_filter_done(&filter);
    arena_done(&arena);
}

/* --- writers --- */

static int write_as_text(const struct grid *grid, struct buf *out)
{
    const struct text_options options = {.width = 60, .color = true};

    return text_write(grid, &options, out);
}

static int write_as_lines(const struct grid *grid, struct buf *out)
{
    return jsonl_write(grid, NULL, out);
}

static int write_as_csv(const struct grid *grid, struct buf *out)
{
    return csv_write(grid, false, out);
}

static void a_grid_is_whole_or_an_error(void **state)
{
    int (*const writers[])(const struct grid *, struct buf *) = {json_write, write_as_lines,
                                                                 write_as_csv, write_as_text};
    const uint8_t address[16] = {10, 0, 0, 1};
    struct fake_row row;
    struct fake fake;
    struct buf out = BUF_INIT;
    int r = 0;

    (void)state;
    for (int i = 0; i < FAKE_COLUMNS; i++)
        row.cells[i] = value_bytes(NAME, sizeof(NAME) - 1);
    row.cells[1] = row.cells[4] = row.cells[6] = value_uint(4711);
    row.cells[3] = fake_address(address, AF_INET);
    row.cells[5] = value_bool(false);
    row.cells[7] = fake_list(0, 3);
    for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
        assert_int_equal(fake_init(&fake, &row, 1, FAKE_COLUMNS), 0);
        FOR_EACH_FAILURE(r == -ENOMEM)
        {
            buf_done(&out);
            out = BUF_INIT;
            buf_done(&fake.scratch);
            fake.scratch = BUF_INIT;
            r = writers[i](&fake.grid, &out);
        }
        assert_int_equal(r, 0);
        assert_int_equal(out.data[out.length - 1], '\n');
        fake_done(&fake);
        buf_done(&out);
        out = BUF_INIT;
    }
}

static void a_chart_is_whole_or_an_error(void **state)
{
    const uint64_t rates[] = {1, 2, 3};
    const struct svg_line line = {
        .name = NAME, .length = sizeof(NAME) - 1, .bytes = rates, .total = 6};
    const struct svg_chart chart = {.title = "rates",
                                    .since_ns = 1000 * SECOND_NS,
                                    .until_ns = 1003 * SECOND_NS,
                                    .every_ns = SECOND_NS,
                                    .pieces = 3,
                                    .lines = &line,
                                    .count = 1};
    struct buf out = BUF_INIT;
    int r = 0;

    (void)state;
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        buf_done(&out);
        out = BUF_INIT;
        r = svg_write(&chart, &out);
    }
    assert_int_equal(r, 0);
    assert_memory_equal(out.data + out.length - 7, "</svg>\n", 7);
    buf_done(&out);
}

/* --- files and questions --- */

static void a_snapshot_file_is_whole_or_an_error(void **state)
{
    struct snapshot snapshot = {0}, again = {0};
    struct snapshot_file_error error;
    struct buf file;
    int r = 0, fd = -1;

    (void)state;
    make_sample(&snapshot);
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        if (fd >= 0)
            close(fd);
        fd = new_file();
        r = snapshot_write(&snapshot, fd);
    }
    assert_int_equal(r, 0);
    file = file_of(&snapshot);
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        snapshot_done(&again);
        again = (struct snapshot){0};
        r = snapshot_parse(file.data, file.length, &again, &error);
    }
    assert_int_equal(r, 0);
    snapshot_done(&again);
    again = (struct snapshot){0};
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        snapshot_done(&again);
        again = (struct snapshot){0};
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        r = snapshot_read(fd, &again, &error);
    }
    assert_int_equal(r, 0);
    assert_true(is_same(&snapshot, &again));
    close(fd);
    buf_done(&file);
    snapshot_done(&snapshot);
    snapshot_done(&again);
}

static void a_question_is_whole_or_none(void **state)
{
    static const char path[] = "/api/v1/sockets", query[] = "filter=state+established&sort=pid";
    struct question question = {0};
    struct buf problem = BUF_INIT;
    int r = 0;

    (void)state;
    FOR_EACH_FAILURE(r == -ENOMEM)
    {
        question_done(&question);
        buf_done(&problem);
        problem = BUF_INIT;
        r = question_make((struct http_text){path, strlen(path)},
                          (struct http_text){query, strlen(query)}, &question, &problem);
    }
    assert_int_equal(r, 0);
    question_done(&question);
    buf_done(&problem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escaping_says_so),
        cmocka_unit_test(a_string_is_found_or_not_there),
        cmocka_unit_test(a_join_is_whole_or_none),
        cmocka_unit_test(a_filter_is_whole_or_none),
        cmocka_unit_test(a_packet_filter_is_whole_or_none),
        cmocka_unit_test(a_grid_is_whole_or_an_error),
        cmocka_unit_test(a_chart_is_whole_or_an_error),
        cmocka_unit_test(a_snapshot_file_is_whole_or_an_error),
        cmocka_unit_test(a_question_is_whole_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
