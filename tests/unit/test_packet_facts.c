/* SPDX-License-Identifier: MIT */
/* What packets say, as values: DNS, TLS, HTTP, QUIC; whole ones, and cut anywhere. */
#include "packet/facts.h"

#include "packet/packet.h"
#include "packet/tcp_flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#define LINK_RAW 12
#define IPV4(protocol) "\x45\0\0\0\0\1\0\0\x40" protocol "\0\0\x0a\0\0\1\x0a\0\0\2"
#define UDP(port) IPV4("\x11") "\x10\1" port "\xff\xff\0\0"
#define TCP(port) IPV4("\6") "\x10\1" port "\0\0\0\1\0\0\0\2\x50\x18\2\0\0\0\0\0"
#define QUESTION "\3www\7example\0\0\x1c\0\1"
#define DNS(flags, questions, answers) "\x12\x34" flags "\0" questions "\0" answers "\0\0\0\0"

struct taken {
    struct packet_facts facts;
    struct buf text;
};

/* Facts of a packet with so many bytes less. */
static void take(struct taken *taken, const void *bytes, size_t size, size_t less, bool verbose)
{
    struct packet_options options = {.numeric = true, .own_lines = true, .verbose = verbose};
    uint8_t *copy = malloc(size), *cut = malloc(size - less);
    struct packet packet = {
        .options = &options, .bytes = cut, .facts = &taken->facts, .out = &taken->text};

    assert_true(copy && cut);
    memcpy(copy, bytes, size);
    copy[2] = (uint8_t)(size >> 8);
    copy[3] = (uint8_t)size;
    if (copy[9] == IPPROTO_UDP) {
        copy[24] = (uint8_t)((size - 20) >> 8);
        copy[25] = (uint8_t)(size - 20);
    }
    memcpy(cut, copy, size - less); /* memory of its own, so that nothing beyond is read unseen */
    packet.captured = (uint32_t)(size - less);
    packet_facts_reset(&taken->facts);
    buf_reset(&taken->text);
    packet.flows = tcp_flows_new();
    packet_dissect(&packet, LINK_RAW, (uint32_t)size);
    tcp_flows_free(packet.flows);
    free(copy);
    free(cut);
}

#define TAKE(packet) take(&taken, packet, sizeof(packet) - 1, 0, false)
#define TAKEN                                                                                      \
    {                                                                                              \
        .facts = {.texts = BUF_INIT}, .text = BUF_INIT                                             \
    }

static void done(struct taken *taken)
{
    packet_facts_done(&taken->facts);
    buf_done(&taken->text);
}

static void check_text(const struct taken *taken, struct fact_text text, const char *wanted)
{
    assert_int_equal(text.length, strlen(wanted));
    assert_true(text.at + text.length <= taken->facts.texts.length);
    if (text.length)
        assert_memory_equal(taken->facts.texts.data + text.at, wanted, text.length);
}

/* However much of it was captured, what is said is a part of what the whole says. */
static void cut_everywhere(const void *bytes, size_t size)
{
    struct taken taken = TAKEN;

    for (size_t less = 0; less < size; less++)
        take(&taken, bytes, size, less, less & 1);
    done(&taken);
}

static void dns(void **state)
{
    static const char question[] = UDP("\0\x35") DNS("\1\0", "\1", "\0") QUESTION;
    static const char answers[] = UDP("\0\x35") DNS("\x81\x80", "\1", "\4") QUESTION
        "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3cdn\xc0\x10"
        "\xc0\x29\0\1\0\1\0\1\0\0\0\4\xc0\0\2\1"
        "\xc0\x29\0\x0f\0\1\0\0\0\1\0\6\0\x0a\1m\xc0\x10"
        "\xc0\x0c\0\x41\0\1\0\0\0\2\0\1x";
    static const char none[] = UDP("\0\x35") DNS("\x81\x83", "\1", "\0") QUESTION;
    struct taken taken = TAKEN;
    const struct dns_answer *answer;

    (void)state;
    TAKE(question);
    assert_int_equal(taken.facts.has, FACTS_DNS);
    assert_int_equal(taken.facts.dns.id, 0x1234);
    assert_false(taken.facts.dns.response);
    check_text(&taken, taken.facts.dns.qname, "www.example");
    check_text(&taken, taken.facts.dns.qtype, "AAAA");
    check_text(&taken, taken.facts.dns.rcode, "");
    TAKE(answers);
    assert_true(taken.facts.dns.response);
    check_text(&taken, taken.facts.dns.rcode, "NoError");
    assert_int_equal(taken.facts.dns.answer_count, 4);
    answer = taken.facts.dns.answers;
    check_text(&taken, answer[0].name, "www.example");
    check_text(&taken, answer[0].type, "CNAME");
    check_text(&taken, answer[0].data, "cdn.example.");
    assert_int_equal(answer[0].ttl_s, 60);
    check_text(&taken, answer[1].name, "cdn.example");
    check_text(&taken, answer[1].data, "192.0.2.1");
    assert_int_equal(answer[1].ttl_s, 65536);
    check_text(&taken, answer[2].data, "m.example. 10");
    check_text(&taken, answer[3].type, "TYPE65");
    check_text(&taken, answer[3].data, "");
    take(&taken, answers, sizeof(answers) - 1, 20, false);
    assert_int_equal(taken.facts.dns.answer_count, 2);
    TAKE(none);
    check_text(&taken, taken.facts.dns.rcode, "NXDomain");
    assert_int_equal(taken.facts.dns.answer_count, 0);
    cut_everywhere(answers, sizeof(answers) - 1);
    done(&taken);
}

#define HELLO(extensions, length, record)                                                          \
    TCP("\1\xbb")                                                                                  \
    "\x16\3\1\0" record "\1\0\0" length "\3\3"                                                     \
    "0123456789abcdef0123456789abcdef\0\0\2\x13\1\1\0\0" extensions

static void tls(void **state)
{
    static const char hello[] = HELLO("\x32"
                                      "\0\0\0\x10\0\x0e\0\0\x0bwww.example"
                                      "\0\x10\0\x0e\0\x0c\2h2\x08http/1.1"
                                      "\0\x2b\0\7\6\x1a\x1a\3\4\3\3",
                                      "\x5d", "\x61");
    static const char old[] = HELLO("\0", "\x2b", "\x2f");
    struct taken taken = TAKEN;

    (void)state;
    TAKE(hello);
    assert_int_equal(taken.facts.has, FACTS_TLS);
    check_text(&taken, taken.facts.tls.sni, "www.example");
    assert_int_equal(taken.facts.tls.alpn_count, 2);
    check_text(&taken, taken.facts.tls.alpn[0], "h2");
    check_text(&taken, taken.facts.tls.alpn[1], "http/1.1");
    assert_int_equal(taken.facts.tls.version, 0x0304);
    TAKE(old);
    check_text(&taken, taken.facts.tls.sni, "");
    assert_int_equal(taken.facts.tls.version, 0x0303);
    cut_everywhere(hello, sizeof(hello) - 1);
    done(&taken);
}

static void http(void **state)
{
    static const char request[] = TCP("\0\x50") "GET  /a?b=c HTTP/1.1\r\nAccept: */*\r\n"
                                                "HOST:\twww.example \r\n\r\nHost: body\r\n";
    static const char bare[] = TCP("\0\x50") "GET /";
    static const char response[] = TCP("\x1f\x90") "HTTP/1.1 404 Not Found\r\nHost: no\r\n\r\n";
    static const char neither[] = TCP("\0\x50") "anything else\r\n";
    struct taken taken = TAKEN;

    (void)state;
    TAKE(request);
    assert_int_equal(taken.facts.has, FACTS_HTTP);
    check_text(&taken, taken.facts.http.method, "GET");
    check_text(&taken, taken.facts.http.target, "/a?b=c");
    check_text(&taken, taken.facts.http.host, "www.example");
    assert_int_equal(taken.facts.http.status, 0);
    TAKE(bare);
    check_text(&taken, taken.facts.http.target, "/");
    check_text(&taken, taken.facts.http.host, "");
    TAKE(response);
    assert_int_equal(taken.facts.http.status, 404);
    check_text(&taken, taken.facts.http.method, "");
    TAKE(neither);
    assert_int_equal(taken.facts.has, 0);
    cut_everywhere(request, sizeof(request) - 1);
    cut_everywhere(response, sizeof(response) - 1);
    done(&taken);
}

static void quic(void **state)
{
    static const char initial[] = UDP("\1\xbb") "\xc3\0\0\0\1\3\0\xff\1\0\0\0\0\0\0\0";
    static const char negotiation[] = UDP("\1\xbb") "\x80\0\0\0\0\0\2xy\0\0\0\1";
    struct taken taken = TAKEN;

    (void)state;
    TAKE(initial);
    assert_int_equal(taken.facts.has, FACTS_QUIC);
    assert_string_equal(taken.facts.quic.type, "Initial");
    assert_int_equal(taken.facts.quic.version, 1);
    assert_int_equal(taken.facts.quic.dcid.length, 3);
    assert_memory_equal(taken.facts.texts.data + taken.facts.quic.dcid.at, "\0\xff\1", 3);
    assert_int_equal(taken.facts.quic.scid.length, 0);
    TAKE(negotiation);
    assert_int_equal(taken.facts.quic.version, 0);
    check_text(&taken, taken.facts.quic.scid, "xy");
    cut_everywhere(initial, sizeof(initial) - 1);
    done(&taken);
}

/* What an error quotes is not what the packet says. */
static void quoted(void **state)
{
    static const char error[] =
        IPV4("\1") "\3\3\0\0\0\0\0\0"
                   "\x45\0\0\x39\0\1\0\0\x40\x11\0\0\x0a\0\0\2\x0a\0\0\1"
                   "\x10\1\0\x35\0\x25\0\0" DNS("\1\0", "\1", "\0") QUESTION;
    struct taken taken = TAKEN;

    (void)state;
    take(&taken, error, sizeof(error) - 1, 0, true);
    assert_non_null(strstr(buf_string(&taken.text), "www.example"));
    assert_int_equal(taken.facts.has, 0);
    done(&taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dns),  cmocka_unit_test(tls),    cmocka_unit_test(http),
        cmocka_unit_test(quic), cmocka_unit_test(quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
