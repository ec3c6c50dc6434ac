/* SPDX-License-Identifier: MIT */
/* Tests of src/out: JSON, JSON lines and CSV, with a strict reader of JSON. */
#include "fake_grid.h"
#include "out/csv.h"
#include "out/json.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>

#include <cmocka.h>

static const uint8_t ipv4[4] = {10, 0, 0, 9};

/* --- a reader of JSON that accepts nothing but RFC 8259: each returns what follows, or NULL --- */

static const char *skip_blanks(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *read_string(const char *p)
{
    if (*p++ != '"')
        return NULL;
    while (*p != '"') {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return NULL;
        if (*p == '\\' && !strchr("\"\\/bfnrt", *++p)) /* \u is never written */
            return NULL;
        p++;
    }
    return p + 1;
}

static const char *read_number(const char *p)
{
    p += *p == '-';
    if (*p == '0')
        return p + 1;
    return *p >= '1' && *p <= '9' ? p + strspn(p, "0123456789") : NULL;
}

static const char *read_value(const char *p);

/* What stands between brackets; the members of an object have a key. */
static const char *read_members(const char *p, char end)
{
    p = skip_blanks(p + 1);
    if (*p == end)
        return p + 1;
    for (;;) {
        if (end == '}') {
            p = read_string(skip_blanks(p));
            if (!p || *p++ != ':')
                return NULL;
        }
        p = read_value(p);
        if (!p)
            return NULL;
        p = skip_blanks(p);
        if (*p == end)
            return p + 1;
        if (*p++ != ',')
            return NULL;
    }
}

static const char *read_value(const char *p)
{
    static const char *const words[] = {"null", "true", "false"};

    p = skip_blanks(p);
    if (*p == '{' || *p == '[')
        return read_members(p, *p == '{' ? '}' : ']');
    if (*p == '"')
        return read_string(p);
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strncmp(p, words[i], strlen(words[i])) == 0)
            return p + strlen(words[i]);
    }
    return read_number(p);
}

static void assert_json(struct buf *text)
{
    const char *end = read_value(buf_string(text));
    wchar_t *wide = calloc(text->length + 1, sizeof(*wide));

    assert_non_null(wide);
    assert_true(end && *skip_blanks(end) == '\0');
    assert_int_equal(strlen(text->data), text->length);
    assert_int_not_equal(mbstowcs(wide, text->data, text->length + 1), (size_t)-1);
    free(wide);
}

static void json_reader_is_strict(void **state)
{
    static const char *const bad[] = {"{",      "[1,]",  "{\"a\":}", "01x",      "\"\\x\"",
                                      "\"\n\"", "{a:1}", "[1 2]",    "{\"a\"1}", "nul"};

    (void)state;
    assert_non_null(read_value(" {\"a\":[1,-2,{}],\"b\":null} "));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        const char *end = read_value(bad[i]);

        assert_true(!end || *end);
    }
}

static void documents_are_complete(void **state)
{
    const struct fake_row rows[] = {
        {{value_name("listening"),
          value_uint(UINT64_MAX),
          value_name("a\"b\n"),
          fake_address(ipv4, AF_INET),
          {.type = VALUE_INT, .integer = INT64_MIN},
          value_bool(true),
          value_uint(255),
          fake_list(1, 2)}},
        {{value_none(), value_uint(0), value_bytes(NULL, 0), value_none(), value_none(),
          value_bool(false), value_none(), fake_list(0, 0)}},
    };
    struct buf out = BUF_INIT;
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 2, FAKE_COLUMNS), 0);
    fake.snapshot.time_ns = UINT64_C(1704164645000000042);
    assert_int_equal(snapshot_intern(&fake.snapshot, "host", 4, &fake.snapshot.host), 0);
    snapshot_source(&fake.snapshot, "tcp", "sock_diag x2");
    snapshot_note(&fake.snapshot, NOTE_INFO, "sock_diag", 0, "nothing to worry about");
    snapshot_note(&fake.snapshot, NOTE_OWNERS, "/proc", -EACCES, "owners are hidden");
    assert_int_equal(json_write(&fake.grid, &out), 0);
    assert_json(&out);
    assert_string_equal(
        buf_string(&out),
        "{\"schema\":\"nwho/1\",\"host\":\"host\",\"time\":\"2024-01-02T03:04:05.000000042Z\","
        "\"table\":\"fakes\",\"complete\":true,\n"
        "\"sources\":{\"tcp\":\"sock_diag x2\"},\n"
        "\"warnings\":[{\"source\":\"/proc\",\"effect\":\"owners\",\"error\":13,"
        "\"text\":\"owners are hidden\"}],\n"
        "\"rows\":[\n"
        "{\"state\":\"listening\",\"recv_q\":18446744073709551615,\"process\":\"a\\\"b\\\\n\","
        "\"peer_addr\":\"10.0.0.9\",\"rtt_us\":-9223372036854775808,\"v6only\":true,\"mark\":255,"
        "\"owners\":[{\"pid\":1201,\"process\":\"a,\\\"b\\\"\\\\n\",\"fd\":0},"
        "{\"pid\":1202,\"process\":\"nginx\",\"fd\":null}]},\n"
        "{\"state\":null,\"recv_q\":0,\"process\":\"\",\"peer_addr\":null,\"rtt_us\":null,"
        "\"v6only\":false,\"mark\":null,\"owners\":[]}\n"
        "]}\n");
    buf_done(&out);
    fake_done(&fake);
}

static void accounting_is_told(void **state)
{
    struct buf out = BUF_INIT;
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, NULL, 0, 1), 0);
    fake.snapshot.accounting = ACCOUNTING_TCP_INFO;
    assert_int_equal(json_write(&fake.grid, &out), 0);
    assert_json(&out);
    assert_non_null(strstr(buf_string(&out), "\"complete\":true,\"accounting\":\"tcp_info\",\n"));
    buf_done(&out);
    fake_done(&fake);
}

static void incomplete_and_empty_documents(void **state)
{
    struct buf out = BUF_INIT;
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, NULL, 0, FAKE_COLUMNS), 0);
    assert_int_equal(json_write(&fake.grid, &out), 0);
    assert_json(&out);
    assert_non_null(strstr(buf_string(&out), "\"table\":\"fakes\",\"complete\":true"));
    assert_non_null(strstr(buf_string(&out), "\"rows\":[]}\n"));
    buf_reset(&out);
    fake.snapshot.incomplete = 1;
    assert_int_equal(json_write(&fake.grid, &out), 0);
    assert_non_null(strstr(buf_string(&out), "\"complete\":false"));
    buf_reset(&out);
    assert_int_equal(jsonl_write(&fake.grid, NULL, &out), 0);
    assert_int_equal(out.length, 0);
    buf_done(&out);
    fake_done(&fake);
}

static void changes_are_told(void **state)
{
    const struct fake_row rows[] = {{{value_name("a")}}, {{value_name("b")}}, {{value_name("c")}}};
    const struct fake_row old_rows[] = {{{value_none()}}, {{value_none()}}, {{value_name("old")}}};
    struct buf out = BUF_INIT;
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 3, 1), 0);
    fake.grid.marks = fake.marks;
    fake.marks[0] = MARK_NEW;
    fake.marks[2] = MARK_GONE;
    fake.gone_view.resolve_context = (void *)(uintptr_t)old_rows;
    fake.grid.gone_view = &fake.gone_view;
    assert_int_equal(jsonl_write(&fake.grid, NULL, &out), 0);
    assert_string_equal(buf_string(&out), "{\"change\":\"new\",\"state\":\"a\"}\n"
                                          "{\"change\":null,\"state\":\"b\"}\n"
                                          "{\"change\":\"gone\",\"state\":\"old\"}\n");
    buf_reset(&out);
    assert_int_equal(csv_write(&fake.grid, false, &out), 0);
    assert_string_equal(buf_string(&out), "change,state\nnew,a\n,b\ngone,old\n");
    buf_done(&out);
    fake_done(&fake);
}

static void csv_fields_are_quoted(void **state)
{
    const struct fake_row rows[] = {
        {{value_name("a,b"), value_uint(1536), value_name("say \"hi\"\n"),
          fake_address(ipv4, AF_INET), value_uint(212400), value_bool(true), value_uint(255),
          fake_list(0, 3)}},
        {{value_none(), value_none(), value_bytes(NULL, 0), value_none(), value_none(),
          value_none(), value_none(), fake_list(0, 0)}},
    };
    struct buf out = BUF_INIT;
    struct fake fake;

    (void)state;
    assert_int_equal(fake_init(&fake, rows, 2, FAKE_COLUMNS), 0);
    assert_int_equal(csv_write(&fake.grid, false, &out), 0);
    assert_string_equal(buf_string(&out),
                        "state,recv_q,process,peer_addr,rtt_us,v6only,mark,owners\n"
                        "\"a,b\",1536,\"say \"\"hi\"\"\\n\",10.0.0.9,212400,true,255,"
                        "\"nginx(1200,-1);a\\x2c\"\"b\"\"\\n(1201,0);nginx(1202,-)\"\n"
                        ",,\"\",,,,,\n");
    buf_done(&out);
    fake_done(&fake);
}

/* Whatever the bytes are, JSON is valid UTF-8 without controls, and CSV has one line a row. */
static void random_bytes_stay_harmless(void **state)
{
    char bytes[FAKE_COLUMNS][48];
    struct fake_row row;
    struct buf out = BUF_INIT;
    struct fake fake;
    uint32_t seed = 7;

    (void)state;
    assert_int_equal(fake_init(&fake, &row, 1, FAKE_COLUMNS), 0);
    for (int round = 0; round < 3000; round++) {
        for (uint32_t i = 0; i < FAKE_COLUMNS; i++) {
            for (uint32_t j = 0; j < sizeof(bytes[i]); j++) {
                seed = seed * 1664525 + 1013904223;
                bytes[i][j] = (char)(seed >> 24);
            }
            row.cells[i] = value_bytes(bytes[i], seed >> 8 & 31);
        }
        buf_reset(&out);
        assert_int_equal(json_write(&fake.grid, &out), 0);
        assert_json(&out);
        buf_reset(&out);
        assert_int_equal(csv_write(&fake.grid, true, &out), 0);
        assert_ptr_equal(memchr(out.data, '\n', out.length), out.data + out.length - 1);
    }
    buf_done(&out);
    fake_done(&fake);
}

static void errors_of_the_sink_are_told(void **state)
{
    const struct fake_row rows[] = {{{value_name("a")}}};
    struct buf out = BUF_INIT;
    struct fake fake;

    (void)state;
    out.error = -EPIPE;
    assert_int_equal(fake_init(&fake, rows, 1, 1), 0);
    assert_int_equal(json_write(&fake.grid, &out), -EPIPE);
    assert_int_equal(jsonl_write(&fake.grid, NULL, &out), -EPIPE);
    assert_int_equal(csv_write(&fake.grid, false, &out), -EPIPE);
    buf_done(&out);
    fake_done(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_reader_is_strict),
        cmocka_unit_test(documents_are_complete),
        cmocka_unit_test(accounting_is_told),
        cmocka_unit_test(incomplete_and_empty_documents),
        cmocka_unit_test(changes_are_told),
        cmocka_unit_test(csv_fields_are_quoted),
        cmocka_unit_test(random_bytes_stay_harmless),
        cmocka_unit_test(errors_of_the_sink_are_told),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
