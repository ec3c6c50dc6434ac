/* SPDX-License-Identifier: MIT */
/* Answers of DNS: each address is told with the name that was asked for. */
#include "base/buf.h"
#include "packet/packet.h"
#include "packet/tcp_flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define LINK_RAW 12
#define IPV4 "\x45\0\0\0\0\1\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2"
#define UDP "\0\x35\x10\0\xff\xff\0\0"
#define QUESTION "\3www\7example\0\0\1\0\1"
#define ALIAS "\xc0\x0c\0\5\0\1\0\0\0\x3c\0\6\3cdn\xc0\x10"
#define A "\xc0\x29\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"
#define AAAA "\xc0\x29\0\x1c\0\1\0\0\0\x3c\0\x10 \1\r\xb8\0\0\0\0\0\0\0\0\0\0\0\1"

static void take_name(void *names, unsigned int family, const uint8_t *address, const char *name)
{
    buf_address(names, family, address);
    buf_printf(names, "=%s ", name);
}

/* What is told of a message with so many bytes less. */
static const char *told(struct buf *names, const void *message, size_t size, size_t less)
{
    struct packet_options options = {.numeric = true, .take_name = take_name, .names = names};
    struct buf out = BUF_INIT;
    uint8_t bytes[512] = IPV4 UDP;
    struct packet packet = {.bytes = bytes, .options = &options, .out = &out};

    memcpy(bytes + 28, message, size);
    bytes[3] = (uint8_t)(28 + size);
    packet.captured = (uint32_t)(28 + size - less);
    buf_reset(names);
    packet.flows = tcp_flows_new();
    packet_dissect(&packet, LINK_RAW, 28 + (uint32_t)size);
    tcp_flows_free(packet.flows);
    buf_done(&out);
    return buf_string(names);
}

#define HEAD(flags, questions, answers) "\0\7" flags "\0" questions "\0" answers "\0\0\0\0"
#define TOLD(message, less) told(&names, message, sizeof(message) - 1, less)

static void answers(void **state)
{
    struct buf names = BUF_INIT;

    (void)state;
    assert_string_equal(TOLD(HEAD("\x81\x80", "\1", "\3") QUESTION ALIAS A AAAA, 0),
                        "192.0.2.1=www.example 2001:db8::1=www.example ");
    assert_string_equal(TOLD(HEAD("\x81\x80", "\1", "\3") QUESTION ALIAS A AAAA, 1),
                        "192.0.2.1=www.example ");
    assert_string_equal(TOLD(HEAD("\x81\x80", "\1", "\1") QUESTION ALIAS A, 0), "");
    assert_string_equal(TOLD(HEAD("\x01\x00", "\1", "\1") QUESTION A, 0), "");
    assert_string_equal(TOLD(HEAD("\x81\x80", "\0", "\1") A, 0), "");
    assert_string_equal(TOLD(HEAD("\x81\x80", "\1", "\1") "\0\0\1\0\1" A, 0), "");
    buf_done(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
