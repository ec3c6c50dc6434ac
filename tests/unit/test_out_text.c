/* SPDX-License-Identifier: MIT */
/* Tests of src/out: cells as text, the aligned table, and the decision about colour. */
#include "out/text.h"

#include "base/escape.h"
#include "fake_grid.h"
#include "out/color.h"
#include "out/format.h"

#include <arpa/inet.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint8_t ipv4[4] = {192, 168, 1, 100};
static const uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

static void assert_address(const char *text, int family)
{
    uint8_t bytes[16] = {0};
    char at[FORMAT_ADDRESS_MAX + 1];

    assert_int_equal(inet_pton(family, text, bytes), 1);
    *format_address(at, (unsigned int)family, bytes) = '\0';
    assert_string_equal(at, text);
}

static void addresses_are_short(void **state)
{
    static const char *const ipv6_texts[] = {
        "::",
        "::1",
        "1::",
        "2001:db8::1",
        "2001:db8:0:1:1:1:1:1",
        "2001:db8::1:0:0:1",
        "2001:0:0:1::1",
        "fe80::1:abcd",
        "::ffff:1.2.3.4",
        "::ffff:0.0.0.0",
        "1:2:3:4:5:6:7:8",
        "0:1:0:1:0:1:0:1",
        "0:1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:0",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    };

    (void)state;
    assert_address("0.0.0.0", AF_INET);
    assert_address("1.20.103.255", AF_INET);
    assert_address("100.9.10.99", AF_INET);
    for (size_t i = 0; i < ARRAY_SIZE(ipv6_texts); i++)
        assert_address(ipv6_texts[i], AF_INET6);
}

/* Random addresses with many zero groups: libc must read the same bytes, and write the same text
 * but for the old IPv4-compatible range and single zero groups. */
static void addresses_agree_with_libc(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[16], back[16];
        char ours[FORMAT_ADDRESS_MAX + 1], theirs[INET6_ADDRSTRLEN];

        for (int i = 0; i < 16; i++) {
            seed = seed * 1664525 + 1013904223;
            bytes[i] = seed >> 30 ? 0 : (uint8_t)(seed >> 16);
        }
        *format_address(ours, AF_INET6, bytes) = '\0';
        assert_true(strlen(ours) <= FORMAT_ADDRESS_MAX);
        assert_int_equal(inet_pton(AF_INET6, ours, back), 1);
        assert_memory_equal(bytes, back, 16);
        assert_non_null(inet_ntop(AF_INET6, bytes, theirs, sizeof(theirs)));
        if (!strchr(theirs, '.'))
            assert_string_equal(ours, theirs);
    }
}

static void numbers_are_exact(void **state)
{
    char at[FORMAT_UINT_MAX + 1];
    struct buf expected = BUF_INIT;
    uint64_t number = 1;

    (void)state;
    for (int i = 0; i < 200; i++, number *= i % 3 ? 3 : 7) {
        buf_reset(&expected);
        buf_uint(&expected, number);
        *format_uint(at, number) = '\0';
        assert_string_equal(at, buf_string(&expected));
    }
    *format_uint(at, UINT64_MAX) = '\0';
    assert_string_equal(at, "18446744073709551615");
    *format_uint(at, 0) = '\0';
    assert_string_equal(at, "0");
    buf_done(&expected);
}

static void plain_bytes_are_recognised(void **state)
{
    char bytes[40];

    (void)state;
    for (size_t length = 0; length < sizeof(bytes); length++) {
        memset(bytes, 'a', sizeof(bytes));
        assert_true(escape_is_plain(bytes, length));
        for (unsigned int c = 0; c < 256 && length > 0; c++) {
            bytes[length / 3] = (char)c;
            assert_int_equal(escape_is_plain(bytes, length),
                             c >= 0x20 && c < 0x7f && c != '"' && c != '\\');
        }
    }
}

static void assert_text(struct fake *fake, const struct text_options *options, const char *expected)
{
    struct buf out = BUF_INIT;

    assert_int_equal(text_write(&fake->grid, options, &out), 0);
    assert_string_equal(buf_string(&out), expected);
    buf_done(&out);
}

static void columns_are_aligned(void **state)
{
    const struct fake_row rows[] = {
        {{value_name("established"), value_uint(1536), value_name("nginx"),
          fake_address(ipv4, AF_INET), value_uint(212400), value_bool(true), value_uint(255),
          fake_list(0, 1)}},
        {{value_name("listening"), value_uint(0), value_name("r\xc3\xa9sum\xc3\xa9"),
          fake_address(ipv6, AF_INET6), value_none(), value_bool(false), value_none(),
          fake_list(0, 5)}},
        {{value_none(), value_none(), value_none(), value_none(), value_none(), value_none(),
          value_none(), fake_list(0, 0)}},
    };
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 3, FAKE_COLUMNS), 0);
    assert_text(&fake, &(struct text_options){0},
                "STATE        RECV-Q  PROCESS  PEER             RTT  V6ONLY  MARK  OWNERS\n"
                "established    1.5K  nginx    192.168.1.100  212ms  yes     0xff  nginx(1200,-1)\n"
                "listening         0  r\xc3\xa9sum\xc3\xa9   2001:db8::1        -  no         -  "
                "nginx(1200,-1) a,\"b\"\\n(1201,0) nginx(1202,-) +2\n"
                "-                 -  -        -                  -  -          -  -\n");
    fake.grid.column_count = 2;
    assert_text(&fake, &(struct text_options){.no_header = true, .exact = true},
                "established  1536\n"
                "listening       0\n"
                "-               -\n");
    fake_done(&fake);
}

static void wide_and_hostile_texts_are_aligned(void **state)
{
    const struct fake_row rows[] = {
        {{value_name("\xe4\xb8\xad\xe6\x96\x87"), value_uint(1)}}, /* two wide characters */
        {{value_name("e\xcc\x81"), value_uint(2)}},                /* e and a combining accent */
        {{value_name("a\nb\033[31m"), value_uint(3)}},
        {{value_name("\xff\xc3"), value_uint(4)}},
        {{value_name("back\\slash"), value_uint(5)}},
        {{value_bytes(NULL, 0), value_uint(6)}},
        {{value_bytes("nul\0in", 6), value_uint(7)}},
    };
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 7, 2), 0);
    assert_text(&fake, &(struct text_options){0},
                "STATE        RECV-Q\n"
                "\xe4\xb8\xad\xe6\x96\x87              1\n"
                "e\xcc\x81                 2\n"
                "a\\nb\\e[31m        3\n"
                "\\xff\\xc3          4\n"
                "back\\\\slash       5\n"
                "\"\"                6\n"
                "nul\\x00in         7\n");
    fake_done(&fake);
}

static void empty_grids_are_a_header(void **state)
{
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, NULL, 0, 3), 0);
    assert_text(&fake, &(struct text_options){0}, "STATE  RECV-Q  PROCESS\n");
    assert_text(&fake, &(struct text_options){.no_header = true}, "");
    fake_done(&fake);
}

static void lines_have_no_trailing_blanks(void **state)
{
    const struct fake_row rows[] = {
        {{value_name("listening"), value_uint(1), value_name("ends in blanks   ")}},
        {{value_name("a"), value_uint(1), value_name("   ")}},
    };
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 2, 3), 0);
    assert_text(&fake, &(struct text_options){0},
                "STATE      RECV-Q  PROCESS\n"
                "listening       1  ends in blanks\n"
                "a               1\n");
    fake_done(&fake);
}

static void long_texts_are_cut_on_terminals(void **state)
{
    const struct fake_row rows[] = {
        {{value_name("listening"), value_uint(1), value_name("a rather long process name"),
          fake_address(ipv4, AF_INET)}},
        {{value_name("listening"), value_uint(1), value_name("tabs\t\t\t\t\t"),
          fake_address(ipv4, AF_INET)}},
        {{value_name("listening"), value_uint(1),
          value_name("12345678\xe4\xb8\xad\xe6\x96\x87\xe4\xb8\xad\xe6\x96\x87"),
          fake_address(ipv4, AF_INET)}},
    };
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 3, 4), 0);
    assert_text(&fake, &(struct text_options){.no_header = true, .width = 39},
                "listening  1  a rather \xe2\x80\xa6  192.168.1.100\n"
                "listening  1  tabs\\t\\t\xe2\x80\xa6   192.168.1.100\n"
                "listening  1  12345678\xe2\x80\xa6   192.168.1.100\n");
    /* No shorter than the narrowest, however small the terminal is. */
    fake.grid.row_count = 1;
    assert_text(&fake, &(struct text_options){.no_header = true, .width = 5},
                "listening  1  a rathe\xe2\x80\xa6  192.168.1.100\n");
    fake_done(&fake);
}

static void columns_without_room_are_left_out(void **state)
{
    const struct column columns[] = {
        {.name = "state", .title = "STATE", .kind = KIND_NAME, .get = fake_get_0},
        {.name = "recv_q",
         .title = "RECV-Q",
         .kind = KIND_COUNT,
         .flags = COLUMN_MINOR,
         .get = fake_get_1},
        {.name = "process", .title = "PROCESS", .kind = KIND_TEXT, .get = fake_get_2},
        {.name = "local", .title = "LOCAL", .kind = KIND_ADDRESS, .get = fake_get_3},
    };
    const struct column *shown[] = {&columns[0], &columns[1], &columns[2], &columns[3]};
    const struct fake_row rows[] = {
        {{value_name("listening"), value_uint(1), value_name("a rather long process name"),
          fake_address(ipv4, AF_INET)}},
    };
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 1, 4), 0);
    fake.grid.columns = shown;
    assert_text(&fake, &(struct text_options){.width = 39, .clip = true},
                "STATE     RECV-Q PROCESS  LOCAL\n"
                "listening      1 a rathe\xe2\x80\xa6 192.168.1.100\n");
    assert_text(&fake, &(struct text_options){.width = 38, .clip = true},
                "STATE      PROCESS       LOCAL\n"
                "listening  a rather lo\xe2\x80\xa6  192.168.1.100\n");
    assert_text(&fake, &(struct text_options){.width = 31, .clip = true},
                "STATE      PROCESS\n"
                "listening  a rather long proce\xe2\x80\xa6\n");
    assert_text(&fake, &(struct text_options){.width = 5, .clip = true, .color = true},
                "\033[1mSTATE\033[0m\n"
                "list\xe2\x80\xa6\n");
    fake_done(&fake);
}

static void marks_are_shown_where_there_are_any(void **state)
{
    const struct column columns[] = {
        {.name = "state", .title = "STATE", .kind = KIND_NAME, .get = fake_get_0},
        {.name = "sick",
         .title = "SICK",
         .kind = KIND_TEXT,
         .flags = COLUMN_MARK,
         .get = fake_get_1},
    };
    const struct column *shown[] = {&columns[0], &columns[1]};
    struct fake_row rows[2] = {
        {.cells = {value_name("listening")}},
        {.cells = {value_name("established")}},
    };
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 2, 2), 0);
    fake.grid.columns = shown;
    assert_text(&fake, &(struct text_options){0}, "STATE\nlistening\nestablished\n");
    assert_text(&fake, &(struct text_options){.keep_marks = true},
                "STATE        SICK\nlistening    -\nestablished  -\n");
    rows[1].cells[1] = value_name("unread");
    assert_text(&fake, &(struct text_options){.color = true},
                "\033[1mSTATE        SICK\033[0m\n"
                "\033[36mlistening\033[0m    -\n"
                "\033[32mestablished\033[0m  \033[31munread\033[0m\n");
    fake_done(&fake);
}

static void cuts_never_break_anything(void **state)
{
    static const char text[] = "a\xe4\xb8\xad\\x1b\\\\e\xcc\x81z";
    static const size_t bytes[] = {0, 1, 1, 4, 4, 4, 4, 8, 8, 10, 13, 14, 14};
    static const size_t columns[] = {0, 1, 1, 3, 3, 3, 3, 7, 7, 9, 10, 11, 11};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bytes); i++) {
        size_t width = 99;

        assert_int_equal(escape_fit(text, strlen(text), i, &width), bytes[i]);
        assert_int_equal(width, columns[i]);
    }
}

static void owners_keep_their_first_name_and_pid(void **state)
{
    const struct column columns[] = {
        {.name = "state", .title = "STATE", .kind = KIND_NAME, .get = fake_get_0},
        {.name = "recv_q", .title = "RECV-Q", .kind = KIND_COUNT, .get = fake_get_1},
        {.name = "owner",
         .title = "OWNER",
         .kind = KIND_TEXT,
         .flags = COLUMN_OWNER,
         .get = fake_get_2},
    };
    const struct column *shown[] = {&columns[0], &columns[1], &columns[2]};
    const struct fake_row rows[] = {
        {{value_name("listening"), value_uint(1), value_name("nginx(1187,1190,1191 +5)")}},
        {{value_name("listening"), value_uint(1), value_name("worker(12345) fd 6")}},
        {{value_name("time-wait"), value_uint(0), value_name("(time-wait)")}},
    };
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 3, 3), 0);
    fake.grid.columns = shown;
    assert_text(&fake, &(struct text_options){.width = 38},
                "STATE      RECV-Q  OWNER\n"
                "listening       1  nginx(1187,1190,11\xe2\x80\xa6\n"
                "listening       1  worker(12345) fd 6\n"
                "time-wait       0  (time-wait)\n");
    assert_text(&fake, &(struct text_options){.width = 31, .no_header = true},
                "listening  1  nginx(1187,1190,\xe2\x80\xa6\n"
                "listening  1  worker(12345) fd\xe2\x80\xa6\n"
                "time-wait  0  (time-wait)\n");
    assert_text(&fake, &(struct text_options){.width = 26, .no_header = true},
                "listening 1 nginx(1187,11\xe2\x80\xa6\n"
                "listening 1 worker(12345)\xe2\x80\xa6\n"
                "time-wait 0 (time-wait)\n");
    assert_text(&fake, &(struct text_options){.width = 10, .no_header = true},
                "listening  1  nginx(1187,11\xe2\x80\xa6\n"
                "listening  1  worker(12345)\xe2\x80\xa6\n"
                "time-wait  0  (time-wait)\n");
    fake_done(&fake);
}

static void marks_and_colours_are_shown(void **state)
{
    const struct fake_row rows[] = {
        {{value_name("close-wait"), value_uint(1)}},
        {{value_name("listening"), value_uint(2)}},
        {{value_name("other"), value_uint(3)}},
        {{value_name("listening"), value_uint(4)}},
    };
    const struct fake_row old_rows[] = {{{value_none()}},
                                        {{value_none()}},
                                        {{value_none()}},
                                        {{value_name("time-wait"), value_uint(9)}}};
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 4, 2), 0);
    assert_text(&fake, &(struct text_options){.color = true},
                "\033[1mSTATE       RECV-Q\033[0m\n"
                "\033[31mclose-wait\033[0m       1\n"
                "\033[36mlistening\033[0m        2\n"
                "other            3\n"
                "\033[36mlistening\033[0m        4\n");
    fake.grid.marks = fake.marks;
    fake.marks[0] = MARK_NEW;
    fake.marks[1] = MARK_CHANGED;
    fake.marks[3] = MARK_GONE;
    fake.gone_view.resolve_context = (void *)(uintptr_t)old_rows;
    fake.grid.gone_view = &fake.gone_view;
    assert_text(&fake, &(struct text_options){0},
                "  STATE       RECV-Q\n"
                "+ close-wait       1\n"
                "~ listening        2\n"
                "  other            3\n"
                "- time-wait        9\n");
    assert_text(&fake, &(struct text_options){.color = true, .no_header = true},
                "\033[32m+ close-wait  1\033[0m\n"
                "\033[33m~ listening   2\033[0m\n"
                "  other       3\n"
                "\033[2m- time-wait   9\033[0m\n");
    fake_done(&fake);
}

static void long_cells_are_kept(void **state)
{
    char name[1000];
    struct fake_row rows[2] = {{{value_bytes(name, sizeof(name)), value_uint(1)}},
                               {{value_bytes(name, 255), value_uint(1)}}};
    struct buf out = BUF_INIT;
    struct fake fake;

    (void)state;
    memset(name, 'x', sizeof(name));
    assert_int_equal(fake_init(&fake, rows, 2, 2), 0);
    assert_int_equal(text_write(&fake.grid, &(struct text_options){.no_header = true}, &out), 0);
    assert_int_equal(out.length, 2 * (1000 + 2 + 1 + 1));
    assert_memory_equal(out.data, name, 1000);
    assert_int_equal(out.data[1004 + 254], 'x');
    assert_int_equal(out.data[1004 + 255], ' ');
    buf_done(&out);
    fake_done(&fake);
}

/* --- many rows: what is the same as above, and rows beyond the store --- */

#define MANY_ROWS 30000u
#define MANY_COLUMNS 90u

static struct value get_word(const struct view *view, uint32_t row)
{
    (void)view;
    return value_name(row / 3 % 5 ? "established" : row % 2 ? "r\xc3\xa9sum\xc3\xa9" : "a\nb");
}

static struct value get_number(const struct view *view, uint32_t row)
{
    (void)view;
    return row % 11 == 0 ? value_none() : value_uint(row / 7);
}

static struct value get_long(const struct view *view, uint32_t row)
{
    buf_reset(view->scratch);
    buf_printf(view->scratch, "%080u", row);
    return value_bytes(view->scratch->data, view->scratch->length);
}

static struct value get_constant(const struct view *view, uint32_t row)
{
    (void)view;
    return row == 5 ? value_name("z") : value_bool(true);
}

/* As the last row, but never as the one above. */
static struct value get_even(const struct view *view, uint32_t row)
{
    (void)view;
    return value_bool(row % 2 == 0 || row == MANY_ROWS - 1);
}

static struct value get_odd(const struct view *view, uint32_t row)
{
    (void)view;
    return value_bool(row % 2 == 1 || row == MANY_ROWS - 1);
}

/* Each row by itself, with the widths of all. */
static void write_rows(const struct grid *grid, const struct text_options *options, struct buf *out)
{
    for (uint32_t row = 0; row < grid->row_count; row++) {
        struct grid one = *grid;

        one.rows += row;
        one.marks += row;
        one.row_count = 1;
        assert_int_equal(text_write(&one, options, out), 0);
    }
}

static void many_rows_are_as_each_alone(void **state)
{
    const struct column kinds[] = {
        {.name = "state", .kind = KIND_NAME, .get = get_word},
        {.name = "number", .kind = KIND_COUNT, .get = get_number},
        {.name = "long", .kind = KIND_TEXT, .get = get_long},
        {.name = "even", .kind = KIND_BOOL, .get = get_even},
        {.name = "odd", .kind = KIND_BOOL, .get = get_odd},
        {.name = "constant", .kind = KIND_BOOL, .get = get_constant},
    };
    static const struct column *columns[MANY_COLUMNS];
    static uint32_t rows[MANY_ROWS];
    static uint8_t marks[MANY_ROWS];
    struct text_layout layout = {.settled = false};
    struct text_options options = {.no_header = true, .color = true, .layout = &layout};
    struct buf whole = BUF_INIT, parts = BUF_INIT;
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, NULL, 0, 0), 0);
    for (uint32_t i = 0; i < MANY_COLUMNS; i++)
        columns[i] = &kinds[i < 5 ? i : 5];
    for (uint32_t i = 0; i < MANY_ROWS; i++) {
        rows[i] = i;
        marks[i] = i / 4 % 20 ? MARK_NONE : i % 3 ? MARK_NEW : MARK_CHANGED;
    }
    fake.grid = (struct grid){.table = &fake_table,
                              .view = &fake.view,
                              .columns = columns,
                              .column_count = MANY_COLUMNS,
                              .rows = rows,
                              .row_count = MANY_ROWS,
                              .marks = marks};
    assert_int_equal(text_write(&fake.grid, &options, &whole), 0);
    write_rows(&fake.grid, &options, &parts);
    assert_int_equal(whole.length, parts.length);
    assert_memory_equal(whole.data, parts.data, parts.length);
    buf_done(&whole);
    buf_done(&parts);
    fake_done(&fake);
}

static void colour_is_decided(void **state)
{
    enum color_when when = COLOR_NEVER;

    (void)state;
#define DECIDE(...) color_decide(&(struct color_inputs){__VA_ARGS__})
    assert_true(DECIDE(COLOR_ALWAYS, .no_color = "1"));
    assert_false(DECIDE(COLOR_NEVER, .is_terminal = true, .clicolor_force = "1"));
    assert_true(DECIDE(COLOR_AUTO, .is_terminal = true));
    assert_false(DECIDE(COLOR_AUTO, .is_terminal = false));
    assert_false(DECIDE(COLOR_AUTO, .is_terminal = true, .no_color = "1"));
    assert_true(DECIDE(COLOR_AUTO, .is_terminal = true, .no_color = ""));
    assert_false(DECIDE(COLOR_AUTO, .no_color = "1", .clicolor_force = "1"));
    assert_true(DECIDE(COLOR_AUTO, .clicolor_force = "1", .clicolor = "0"));
    assert_false(DECIDE(COLOR_AUTO, .clicolor_force = "0"));
    assert_false(DECIDE(COLOR_AUTO, .is_terminal = true, .clicolor = "0"));
    assert_false(DECIDE(COLOR_AUTO, .is_terminal = false, .clicolor = "1"));
    assert_false(DECIDE(COLOR_AUTO, .is_terminal = true, .term = "dumb"));
    assert_int_equal(color_when_parse("always", &when), 0);
    assert_int_equal(when, COLOR_ALWAYS);
    assert_int_equal(color_when_parse("sometimes", &when), -EINVAL);
    assert_int_equal(when, COLOR_ALWAYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_short),
        cmocka_unit_test(addresses_agree_with_libc),
        cmocka_unit_test(numbers_are_exact),
        cmocka_unit_test(plain_bytes_are_recognised),
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(wide_and_hostile_texts_are_aligned),
        cmocka_unit_test(empty_grids_are_a_header),
        cmocka_unit_test(lines_have_no_trailing_blanks),
        cmocka_unit_test(long_texts_are_cut_on_terminals),
        cmocka_unit_test(owners_keep_their_first_name_and_pid),
        cmocka_unit_test(columns_without_room_are_left_out),
        cmocka_unit_test(marks_are_shown_where_there_are_any),
        cmocka_unit_test(cuts_never_break_anything),
        cmocka_unit_test(marks_and_colours_are_shown),
        cmocka_unit_test(long_cells_are_kept),
        cmocka_unit_test(many_rows_are_as_each_alone),
        cmocka_unit_test(colour_is_decided),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
