/* SPDX-License-Identifier: MIT */
/* What is asked over HTTP, who may ask, where, and which counters have room. */
#include "serve/answer.h"
#include "serve/counter_set.h"
#include "serve/meters.h"
#include "serve/place.h"
#include "serve/question.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOST "Host: localhost\r\n"
#define GET "GET /metrics HTTP/1.1\r\n"

static unsigned int parse(const char *text, struct http_request *request)
{
    return http_request_parse(text, strlen(text), request);
}

static void requests_are_understood_or_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned int status;
    } cases[] = {
        {GET HOST "\r\n", 200},
        {"HEAD /metrics HTTP/1.1\r\n" HOST "\r\n", 200},
        {"GET /metrics HTTP/1.0\r\n\r\n", 200},
        {"GET http://localhost:9477/metrics?x=y HTTP/1.1\r\n" HOST "\r\n", 200},
        {GET HOST "Content-Length: 0\r\n\r\n", 200},
        {"", 0},
        {GET, 0},
        {GET HOST "Accept: te", 0},
        {GET "\r\n", 400},
        {GET HOST HOST "\r\n", 400},
        {"GET /metrics HTTP/1.1\n" HOST "\n", 400},
        {"\r\n" GET HOST "\r\n", 400},
        {"GET  /metrics HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET metrics HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /met\trics HTTP/1.1\r\n" HOST "\r\n", 400},
        {"GET /metrics\r\n" HOST "\r\n", 400},
        {"GET /metrics HTTP/1.1 \r\n" HOST "\r\n", 400},
        {"G\x01T /metrics HTTP/1.1\r\n" HOST "\r\n", 400},
        {GET "Host : localhost\r\n\r\n", 400},
        {GET HOST " folded: 1\r\n\r\n", 400},
        {GET HOST "x: a\rb\r\n\r\n", 400},
        {GET HOST "x: a\nb\r\n\r\n", 400},
        {GET HOST "no colon\r\n\r\n", 400},
        {GET HOST ": no name\r\n\r\n", 400},
        {GET HOST "Content-Length: x\r\n\r\n", 400},
        {GET HOST "Content-Length:\r\n\r\n", 400},
        {GET HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
        {GET HOST "Content-Length: 1\r\n\r\n", 413},
        {GET HOST "Transfer-Encoding: chunked\r\n\r\n", 413},
        {GET HOST "Expect: 100-continue\r\n\r\n", 417},
        {"POST /metrics HTTP/1.1\r\n" HOST "\r\n", 405},
        {"BREW /metrics HTTP/1.1\r\n" HOST "\r\n", 501},
        {"PRI * HTTP/2.0\r\n\r\n", 505},
        {"GET /metrics HTTP/x.1\r\n\r\n", 400},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_request request;
        unsigned int status = parse(cases[i].text, &request);

        if (status != cases[i].status)
            print_error("%s", cases[i].text);
        assert_int_equal(status, cases[i].status);
        if (status == 200)
            assert_true(http_text_is(request.path, "/metrics"));
    }
}

static void bytes_that_end_no_text_are_refused(void **state)
{
    static const char nul[] = GET "Host: local\0host\r\n\r\n";
    static const char blank[] = GET "Host: localhost\0\r\n\r\n";
    struct http_request request;

    (void)state;
    assert_int_equal(http_request_parse(nul, sizeof(nul) - 1, &request), 400);
    assert_int_equal(http_request_parse(blank, sizeof(blank) - 1, &request), 400);
}

static void long_requests_are_refused(void **state)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    struct http_request request;

    (void)state;
    buf_puts(&text, "GET /");
    while (text.length < HTTP_TARGET_MAX + 100)
        buf_byte(&text, 'a');
    assert_int_equal(parse(buf_string(&text), &request), 414);
    buf_puts(&text, " HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(parse(buf_string(&text), &request), 414);
    buf_reset(&text);
    buf_puts(&text, GET HOST);
    for (unsigned int i = 0; i < HTTP_FIELDS_MAX; i++)
        buf_puts(&text, "a: b\r\n");
    assert_int_equal(parse(buf_string(&text), &request), 0);
    buf_puts(&text, "\r\n");
    assert_int_equal(parse(buf_string(&text), &request), 431);
    buf_reset(&text);
    buf_puts(&text, GET HOST "a: ");
    while (text.length < HTTP_HEAD_MAX)
        buf_byte(&text, 'a');
    assert_int_equal(parse(buf_string(&text), &request), 431);
}

static void connections_are_kept_as_asked(void **state)
{
    static const struct {
        const char *text;
        bool keeps;
    } cases[] = {
        {GET HOST "\r\n", true},
        {GET HOST "Connection: Close\r\n\r\n", false},
        {GET HOST "Connection: x, close ,y\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct http_request request;

        assert_int_equal(parse(cases[i].text, &request), 200);
        assert_int_equal(request.keeps, cases[i].keeps);
        assert_int_equal(request.length, strlen(cases[i].text));
    }
}

static void the_form_is_negotiated(void **state)
{
    static const struct {
        const char *accept;
        bool openmetrics;
    } cases[] = {
        {"application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
         "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
         true},
        {"application/openmetrics-text", true},
        {"text/plain;q=0.3, Application/OpenMetrics-Text; version=1.0.0; q=0.5", true},
        {"application/openmetrics-text;version=0.0.1,text/plain", false},
        {"application/openmetrics-text;q=0.4,text/plain;q=0.5", false},
        {"application/openmetrics-text;q=0", false},
        {"application/openmetrics-text;q=x", false},
        {"text/html,*/*", false},
        {"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(
            http_wants_openmetrics((struct http_text){cases[i].accept, strlen(cases[i].accept)}),
            cases[i].openmetrics);
    assert_false(http_wants_openmetrics((struct http_text){0}));
}

static unsigned int judge(const struct answer_rules *rules, const char *host, const char *token)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    struct answer_address own = {.family = AF_INET};
    struct http_request request;

    inet_pton(AF_INET, "192.0.2.7", &own.ipv4);
    buf_printf(&text, GET "Host: %s\r\n%s\r\n", host, token);
    assert_int_equal(parse(buf_string(&text), &request), 200);
    return answer_judge(rules, &request, &own);
}

static void only_own_names_are_answered(void **state)
{
    static const char *const own[] = {"localhost",         "LocalHost:9477", "127.0.0.1:1",
                                      "[::1]:9477",        "192.0.2.7",      "192.0.2.7:80",
                                      "metrics.example:80"};
    static const char *const others[] = {"evil.example", "192.0.2.8",   "localhost.evil.example",
                                         "[::1",         "[::1]x",      "127.0.0.1:x",
                                         "metrics",      "[127.0.0.1]", "[2001:db8::1]"};
    const struct answer_rules rules = {.names = "a.example,metrics.example"};
    const struct answer_rules local = {.is_unix_socket = true};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(own); i++)
        assert_int_equal(judge(&rules, own[i], ""), 200);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(judge(&rules, others[i], ""), 421);
    assert_int_equal(judge(&local, "evil.example", ""), 200);
}

static void a_token_is_asked_for(void **state)
{
    const struct answer_rules rules = {.token = "0123456789abcdef"};

    (void)state;
    assert_int_equal(judge(&rules, "localhost", ""), 401);
    assert_int_equal(judge(&rules, "localhost", "Authorization: Bearer \r\n"), 401);
    assert_int_equal(judge(&rules, "localhost", "Authorization: 0123456789abcdef\r\n"), 401);
    assert_int_equal(judge(&rules, "localhost", "Authorization: Bearer 0123456789abcdeF\r\n"), 401);
    assert_int_equal(judge(&rules, "localhost", "Authorization: Bearer 0123456789abcdef0\r\n"),
                     401);
    assert_int_equal(judge(&rules, "localhost", "Authorization: bearer 0123456789abcdef\r\n"), 200);
}

static void the_page_needs_no_token_and_nobody_elses_page_asks(void **state)
{
    static const struct {
        const char *path, *field;
        unsigned int status;
    } cases[] = {
        {"/", "", 200},
        {"/?x=y", "", 200},
        {"/", "Sec-Fetch-Site: cross-site\r\n", 200},
        {"/metrics", "Sec-Fetch-Site: cross-site\r\n", 403},
        {"/metrics", "Sec-Fetch-Site: same-site\r\n", 403},
        {"/metrics", "Sec-Fetch-Site: same-origin\r\n", 401},
        {"/metrics", "Sec-Fetch-Site: none\r\n", 401},
        {"//", "", 401},
        {"/page/", "", 401},
        {"/page/../index.html", "", 401},
    };
    const struct answer_rules rules = {.token = "0123456789abcdef"};
    const struct answer_address own = {.family = AF_INET};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buf_done) struct buf text = BUF_INIT;
        struct http_request request;

        buf_printf(&text, "GET %s HTTP/1.1\r\n" HOST "%s\r\n", cases[i].path, cases[i].field);
        assert_int_equal(parse(buf_string(&text), &request), 200);
        assert_int_equal(answer_judge(&rules, &request, &own), cases[i].status);
    }
}

static void what_the_client_has_is_recognised(void **state)
{
    static const struct {
        const char *field;
        bool has;
    } cases[] = {
        {"\"a\"", true},  {"\"b\", \"a\"", true}, {"W/\"a\"", true}, {"*", true},
        {"\"b\"", false}, {"a", false},           {"", false},       {"\"a", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(
            http_has_tag((struct http_text){cases[i].field, strlen(cases[i].field)}, "\"a\""),
            cases[i].has);
    assert_false(http_has_tag((struct http_text){0}, "\"a\""));
}

static void places_are_parsed(void **state)
{
    static const struct {
        const char *text;
        const char *shown; /* NULL: it is none */
        bool here;
    } cases[] = {
        {"127.0.0.1:9477", "http://127.0.0.1:9477/metrics", true},
        {"localhost:80", "http://127.0.0.1:80/metrics", true},
        {"[::1]:9477", "http://[::1]:9477/metrics", true},
        {"0.0.0.0:1", "http://0.0.0.0:1/metrics", false},
        {"[::]:1", "http://[::]:1/metrics", false},
        {"[2001:db8::1]:1", "http://[2001:db8::1]:1/metrics", false},
        {"unix:/run/x.sock", "unix:/run/x.sock", true},
        {"unix:x.sock", NULL, false},
        {"unix:", NULL, false},
        {"127.0.0.1", NULL, false},
        {":9477", NULL, false},
        {"127.0.0.1:", NULL, false},
        {"127.0.0.1:65536", NULL, false},
        {"127.0.0.1:-1", NULL, false},
        {"::1:9477", NULL, false},
        {"[::1:9477", NULL, false},
        {"example.org:80", NULL, false},
        {"", NULL, false},
    };
    struct place place;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buf_done) struct buf shown = BUF_INIT;

        assert_int_equal(place_parse(cases[i].text, &place), cases[i].shown ? 0 : -EINVAL);
        if (!cases[i].shown)
            continue;
        place_put(&place, "/metrics", &shown);
        assert_string_equal(buf_string(&shown), cases[i].shown);
        assert_int_equal(place_is_here(&place), cases[i].here);
    }
    assert_int_equal(place_parse("none", &place), 0);
    assert_int_equal(place.any.sa_family, AF_UNSPEC);
}

/* --- questions of the API --- */

static struct http_text text_of(const char *text)
{
    return (struct http_text){text, strlen(text)};
}

static void a_question_is_a_command_line(void **state)
{
    static const struct {
        const char *path, *query;
        const char *command; /* NULL: it is refused */
    } cases[] = {
        {"sockets", "", "nwho ls --json"},
        {"sockets", "filter=state+established&limit=5",
         "nwho ls --limit=5 --json 'state established'"},
        {"sockets", "filter=&limit=", "nwho ls --json"},
        {"sockets", "filter=-w", "nwho ls --json -- -w"},
        {"sockets", "filter=it's", "nwho ls --json 'it'\\''s'"},
        {"sockets", "filter=%1b%ff", "nwho ls --json $'\\x1b\\xff'"},
        {"processes", "columns=%2Bfds&format=csv", "nwho ps --output=+fds --csv"},
        {"count", "filter=tcp&by=state", "nwho count --json state tcp"},
        {"history", "since=-1h&by=peer", "nwho history --since=-1h --by=peer --json"},
        {"status", "", "nwho serve --status --json"},
        {"doctor", "format=json", "nwho doctor --json"},
        {"ports", "netns=all&limit=", "nwho ports --all-netns --json"},
        {"sockets", "time_wait=no&filter=tcp", "nwho ls --no-time-wait --json tcp"},
        {"count", "by=state&time_wait=no&netns=all",
         "nwho count --all-netns --no-time-wait --json state"},
        {"sockets", "time_wait=yes", NULL},
        {"processes", "time_wait=no", NULL},
        {"ports", "netns=blue", NULL},
        {"history", "netns=all", NULL},
        {"count", "", NULL},
        {"sockets", "by=state", NULL},
        {"sockets", "store=/x", NULL},
        {"sockets", "limit=1&limit=1", NULL},
        {"sockets", "filter=%4", NULL},
        {"sockets", "filter=%00", NULL},
        {"status", "filter=x", NULL},
        {"ports", "format=text", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buf_done) struct buf path = BUF_INIT, problem = BUF_INIT, command = BUF_INIT;
        CLEANUP(question_done) struct question question;
        int r;

        buf_printf(&path, "/api/v1/%s", cases[i].path);
        r = question_make(text_of(buf_string(&path)), text_of(cases[i].query), &question, &problem);
        assert_int_equal(r, cases[i].command ? 0 : -EINVAL);
        assert_int_equal(problem.length > 0, !cases[i].command);
        if (r < 0)
            continue;
        question_put_command(&question, &command);
        assert_string_equal(buf_string(&command), cases[i].command);
    }
}

#define CHECKED(words) question_check(words, sizeof(words), &source, &present)

static void only_commands_of_the_api_are_run(void **state)
{
    enum question_source source;
    enum present present;

    (void)state;
    assert_int_equal(CHECKED("history\0--since=-1h\0--json\0--\0-w"), 0);
    assert_int_equal(source, QUESTION_HISTORY);
    assert_int_equal(CHECKED("ls\0--csv\0--"), 0);
    assert_int_equal(source, QUESTION_PRESENT);
    assert_int_equal(present, 0);
    assert_int_equal(CHECKED("ls\0--all-netns\0--csv\0--"), 0);
    assert_int_equal(source, QUESTION_PRESENT);
    assert_int_equal(present, PRESENT_ALL_NETNS);
    assert_int_equal(CHECKED("ls\0--no-time-wait\0--csv\0--"), 0);
    assert_int_equal(present, PRESENT_NO_TIME_WAIT);
    assert_int_equal(CHECKED("count\0--all-netns\0--no-time-wait\0--csv\0--\0state"), 0);
    assert_int_equal(present, PRESENT_ALL_NETNS | PRESENT_NO_TIME_WAIT);
    assert_int_equal(CHECKED("ps\0--netns=all\0--json\0--"), -EINVAL);
    assert_int_equal(CHECKED("ps\0--all-netns\0--json\0--"), 0);
    assert_int_equal(present, PRESENT_ALL_NETNS | PRESENT_PROCESSES);
    assert_int_equal(CHECKED("ls\0--csv\0--\0--all-netns\0--no-time-wait"), 0);
    assert_int_equal(source, QUESTION_PRESENT);
    assert_int_equal(present, 0);
    assert_int_equal(CHECKED("ps\0--no-time-wait\0--csv\0--"), -EINVAL);
    assert_int_equal(CHECKED("ls\0--all-netns=x\0--"), -EINVAL);
    assert_int_equal(CHECKED("history\0--all-netns\0--"), -EINVAL);
    assert_int_equal(CHECKED("serve\0--status\0--json\0--"), 0);
    assert_int_equal(CHECKED("serve\0--stop\0--json\0--"), -EINVAL);
    assert_int_equal(CHECKED("serve\0--json\0--"), -EINVAL);
    assert_int_equal(CHECKED("kill\0--json\0--"), -EINVAL);
    assert_int_equal(CHECKED("ls\0--record=x\0--"), -EINVAL);
    assert_int_equal(CHECKED("ls\0-w\0--"), -EINVAL);
    assert_int_equal(CHECKED("ls\0--since=-1h\0--"), -EINVAL);
    assert_int_equal(CHECKED("ls\0word\0--"), -EINVAL);
    assert_int_equal(CHECKED("ls\0--json"), -EINVAL);
    assert_int_equal(question_check("ls\0--", 5, &source, &present), -EINVAL);
    assert_int_equal(question_check("", 0, &source, &present), -EINVAL);
}

static void an_error_has_its_first_line_and_the_others(void **state)
{
    static const char *const cases[][2] = {
        {"a \"b\"", "{\"error\":\"a \\\"b\\\"\"}\n"},
        {"a\n", "{\"error\":\"a\"}\n"},
        {"a\n  b\n  ^", "{\"error\":\"a\",\"detail\":[\"  b\",\"  ^\"]}\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(buf_done) struct buf out = BUF_INIT;

        answer_put_error(cases[i][0], &out);
        assert_string_equal(buf_string(&out), cases[i][1]);
    }
}

/* --- counters --- */

#define HOUR_NS UINT64_C(3600000000000)

static enum metric metric_of_value(unsigned int value)
{
    (void)value;
    return METRIC_PROCESS_BYTES;
}

static void label_of_value(unsigned int value, struct buf *labels)
{
    openmetrics_label("direction", value ? "out" : "in", value ? 3 : 2, labels);
}

static const struct counter_set_kind kind = {
    .shown_max = 2,
    .others = "name=\"_other\"",
    .values = 2,
    .metric = metric_of_value,
    .label = label_of_value,
};

/* The value of a sample, or -1: there is none. */
static long value_of(const struct counter_set *set, const char *labels)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    char sample[128];
    const char *at;
    long value = -1;

    counter_set_write(set, METRIC_PROCESS_BYTES, METRIC_TEXT, &text);
    snprintf(sample, sizeof(sample), "_total{%s} ", labels);
    at = strstr(buf_string(&text), sample);
    if (at)
        assert_int_equal(sscanf(at + strlen(sample), "%ld", &value), 1);
    return value;
}

#define A "name=\"a\""
#define B "name=\"b\""
#define C "name=\"c\""
#define IN ",direction=\"in\""

static void who_is_late_is_counted_with_the_others(void **state)
{
    struct counter_set set = {.kind = &kind};

    (void)state;
    counter_set_tick(&set, HOUR_NS);
    counter_set_add(&set, A, 0, 0);
    counter_set_add(&set, B, 0, 5);
    counter_set_add(&set, C, 0, 7);
    counter_set_add(&set, C, 0, 7);
    assert_int_equal(value_of(&set, A IN), 0);
    assert_int_equal(value_of(&set, B IN), 5);
    assert_int_equal(value_of(&set, C IN), -1);
    assert_int_equal(value_of(&set, "name=\"_other\"" IN), 14);
    assert_int_equal(value_of(&set, B ",direction=\"out\""), -1);
    assert_int_equal(set.folded, 1);
    counter_set_done(&set);
}

static void who_was_away_makes_room_and_goes_on_later(void **state)
{
    struct counter_set set = {.kind = &kind};

    (void)state;
    counter_set_tick(&set, HOUR_NS);
    counter_set_add(&set, A, 0, 3);
    counter_set_add(&set, B, 0, 5);
    counter_set_tick(&set, 2 * HOUR_NS - 1);
    counter_set_add(&set, A, 0, 0);
    counter_set_add(&set, C, 0, 7);
    counter_set_tick(&set, 2 * HOUR_NS);
    assert_int_equal(value_of(&set, B IN), -1);
    counter_set_add(&set, C, 0, 1);
    assert_int_equal(value_of(&set, C IN), 1);
    assert_int_equal(value_of(&set, "name=\"_other\"" IN), 7);
    counter_set_tick(&set, 4 * HOUR_NS);
    counter_set_add(&set, B, 0, 1);
    assert_int_equal(value_of(&set, B IN), 6);
    counter_set_done(&set);
}

/* However many there are, none is lost and memory is bounded. */
static void many_things_have_their_sum(void **state)
{
    struct counter_set set = {.kind = &kind};
    long sum = 0;

    (void)state;
    counter_set_tick(&set, HOUR_NS);
    for (unsigned int i = 0; i < 5000; i++) {
        char labels[32];

        snprintf(labels, sizeof(labels), "name=\"p%u\"", i);
        counter_set_add(&set, labels, 0, i);
        sum += i;
    }
    assert_int_equal(value_of(&set, "name=\"p1\"" IN) + value_of(&set, "name=\"_other\"" IN), sum);
    assert_int_equal(set.folded, 4998);
    assert_true(set.count <= 1000);
    counter_set_done(&set);
}

static void meters_know_the_tick_before(void **state)
{
    struct meters meters = {0};
    uint64_t before = 0;

    (void)state;
    meters_tick(&meters);
    assert_false(meters_read(&meters, 1, 10, &before));
    meters_tick(&meters);
    assert_true(meters_read(&meters, 1, 15, &before));
    assert_int_equal(before, 10);
    assert_false(meters_read(&meters, 2, 1, &before));
    meters_tick(&meters);
    assert_true(meters_read(&meters, 2, 1, &before));
    meters_tick(&meters);
    assert_false(meters_read(&meters, 1, 20, &before)); /* it was away for a tick */
    meters_done(&meters);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_understood_or_refused),
        cmocka_unit_test(bytes_that_end_no_text_are_refused),
        cmocka_unit_test(long_requests_are_refused),
        cmocka_unit_test(connections_are_kept_as_asked),
        cmocka_unit_test(the_form_is_negotiated),
        cmocka_unit_test(only_own_names_are_answered),
        cmocka_unit_test(a_token_is_asked_for),
        cmocka_unit_test(the_page_needs_no_token_and_nobody_elses_page_asks),
        cmocka_unit_test(what_the_client_has_is_recognised),
        cmocka_unit_test(places_are_parsed),
        cmocka_unit_test(a_question_is_a_command_line),
        cmocka_unit_test(only_commands_of_the_api_are_run),
        cmocka_unit_test(an_error_has_its_first_line_and_the_others),
        cmocka_unit_test(who_is_late_is_counted_with_the_others),
        cmocka_unit_test(who_was_away_makes_room_and_goes_on_later),
        cmocka_unit_test(many_things_have_their_sum),
        cmocka_unit_test(meters_know_the_tick_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
