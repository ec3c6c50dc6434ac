/* SPDX-License-Identifier: MIT */
/* Tests of the parsers of /proc/net lines: captured lines, and what must not become a row. */
#include "collect/proc_net_line.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

struct sample {
    proc_line_fn *parse;
    uint8_t proto, family;
    const char *line;
};

static const struct sample tcp4 = {
    proc_line_inet, PROTO_TCP, AF_INET,
    "   2: 0100007F:1F90 0200007F:8EA6 01 00000005:00000003 02:000A94E9 00000002  1000        7 "
    "836886 2 00000000cc0bd2ba 20 4 30 10 -1                     "};
static const struct sample tcp4_listening = {
    proc_line_inet, PROTO_TCP, AF_INET,
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 "
    "836883 1 0000000030c1ac50 100 0 0 10 0                      "};
static const struct sample tcp4_time_wait = {
    proc_line_inet, PROTO_TCP, AF_INET,
    "   2: 0100007F:AAB2 0100007F:E167 06 00000000:00000000 03:00001768 00000000     0        0 0 "
    "3 000000001fe1694f                                      "};
static const struct sample tcp6 = {
    proc_line_inet, PROTO_TCP, AF_INET6,
    "   1: B80D0120000000000000000001000000:1F90 00000000000000000000000001000000:895A 01 "
    "00000000:00000000 00:00000000 00000000  1000        0 836901 1 00000000a3a5cf4f 20 4 30 10 "
    "-1"};
static const struct sample udp4 = {
    proc_line_inet, PROTO_UDP, AF_INET,
    "  310: 0100007F:0035 00000000:0000 07 00000000:00000340 00:00000000 00000000    33        0 "
    "836890 2 000000006ea6d3bb 12         "};
static const struct sample raw4 = {
    proc_line_inet, PROTO_RAW, AF_INET,
    "   89: 00000000:0059 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 "
    "836893 2 00000000d4e5f8b1 0"};
static const struct sample unix_listening = {
    proc_line_unix, PROTO_UNIX, AF_UNIX,
    "00000000a4f7ff84: 00000002 00000000 00010000 0001 01 836861 /tmp/a b"};
static const struct sample unix_abstract = {
    proc_line_unix, PROTO_UNIX, AF_UNIX,
    "00000000bad53aae: 00000002 00000000 00000000 0005 03 836865 @abs@tract"};
static const struct sample unix_waiting = {
    proc_line_unix, PROTO_UNIX, AF_UNIX,
    "000000006b314252: 00000003 00000000 00000000 0001 02     0"};
static const struct sample packet = {
    proc_line_packet, PROTO_PACKET, AF_PACKET,
    "00000000e5c4d5ad 2      2    0003 1     1 33332  1000   836876"};
static const struct sample packet_gone = {
    proc_line_packet, PROTO_PACKET, AF_PACKET,
    "00000000e5c4d5ad 2      3    0800 -1    0 0      0      836875"};
static const struct sample netlink = {
    proc_line_netlink, PROTO_NETLINK, AF_NETLINK,
    "00000000af6e9151 16  4294963200 00000005 4352     1        0     2        7        836881  "};

static const struct sample *const samples[] = {
    &tcp4,           &tcp4_listening, &tcp4_time_wait, &tcp6,   &udp4,    &raw4,
    &unix_listening, &unix_abstract,  &unix_waiting,   &packet, &netlink, &packet_gone,
};

/* Parses a copy that ends where the line ends, so that the sanitizer sees a read behind it. */
static int parse_bytes(const struct sample *sample, const char *line, size_t length,
                       struct proc_row *ret_row)
{
    char *copy = malloc(length ? length : 1);
    int r;

    assert_non_null(copy);
    memcpy(copy, line, length);
    *ret_row = (struct proc_row){.socket = {.proto = sample->proto, .family = sample->family}};
    r = sample->parse(copy, length, ret_row);
    if (ret_row->path)
        ret_row->path = line + (ret_row->path - copy);
    free(copy);
    return r;
}

static struct proc_row parse(const struct sample *sample)
{
    struct proc_row row;

    assert_int_equal(parse_bytes(sample, sample->line, strlen(sample->line), &row), 0);
    return row;
}

static void assert_address(const struct socket *socket, const union address *address,
                           const char *expected)
{
    char text[INET6_ADDRSTRLEN];

    assert_non_null(inet_ntop(socket->family, address, text, sizeof(text)));
    assert_string_equal(text, expected);
}

static void tcp_lines(void **state)
{
    struct socket socket = parse(&tcp4).socket;

    (void)state;
    assert_address(&socket, &socket.local, "127.0.0.1");
    assert_address(&socket, &socket.peer, "127.0.0.2");
    assert_int_equal(socket.local_port, 8080);
    assert_int_equal(socket.peer_port, 36518);
    assert_int_equal(socket.state, STATE_ESTABLISHED);
    assert_int_equal(socket.send_q, 5);
    assert_int_equal(socket.recv_q, 3);
    assert_int_equal(socket.timer, TIMER_KEEPALIVE);
    assert_int_equal(socket.timer_ms, 6934810);
    assert_int_equal(socket.retransmits, 7); /* of a keepalive timer the probes */
    assert_int_equal(socket.uid, 1000);
    assert_int_equal(socket.inode, 836886);
    assert_int_equal(socket.has,
                     SOCKET_HAS_QUEUES | SOCKET_HAS_INODE | SOCKET_HAS_TIMER | SOCKET_HAS_UID);
    socket = parse(&tcp4_listening).socket;
    assert_int_equal(socket.state, STATE_LISTENING);
    assert_int_equal(socket.recv_q, 2);
    assert_false(socket.has & SOCKET_HAS_BACKLOG);
    socket = parse(&tcp4_time_wait).socket;
    assert_int_equal(socket.state, STATE_TIME_WAIT);
    assert_int_equal(socket.flags, SOCKET_REPLY_ONLY);
    assert_false(socket.has & SOCKET_HAS_UID);
    assert_int_equal(socket.timer_ms, 59920);
    socket = parse(&tcp6).socket;
    assert_address(&socket, &socket.local, "2001:db8::1");
    assert_address(&socket, &socket.peer, "::1");
}

static void datagram_lines(void **state)
{
    struct socket socket = parse(&udp4).socket;

    (void)state;
    assert_int_equal(socket.local_port, 53);
    assert_int_equal(socket.state, STATE_UNCONNECTED);
    assert_int_equal(socket.drops, 12);
    assert_int_equal(socket.recv_q, 0x340);
    assert_int_equal(socket.has,
                     SOCKET_HAS_QUEUES | SOCKET_HAS_INODE | SOCKET_HAS_DROPS | SOCKET_HAS_UID);
    socket = parse(&raw4).socket;
    assert_int_equal(socket.protocol, 89);
    assert_int_equal(socket.local_port, 0);
}

static void unix_lines(void **state)
{
    struct proc_row row = parse(&unix_listening);

    (void)state;
    assert_int_equal(row.socket.state, STATE_LISTENING);
    assert_int_equal(row.socket.type, SOCK_STREAM);
    assert_int_equal(row.path_length, 8);
    assert_memory_equal(row.path, "/tmp/a b", 8);
    row = parse(&unix_abstract);
    assert_int_equal(row.socket.type, SOCK_SEQPACKET);
    assert_int_equal(row.socket.state, STATE_ESTABLISHED);
    assert_int_equal(row.socket.flags, SOCKET_ABSTRACT);
    assert_memory_equal(row.path, "abs@tract", 9);
    row = parse(&unix_waiting);
    assert_int_equal(row.unix_state, 2);
    assert_int_equal(row.kernel_address, 0x6b314252);
    assert_int_equal(row.socket.local.words[0], 0x6b314252);
    assert_int_equal(parse(&tcp4).kernel_address, 0xcc0bd2ba);
    assert_int_equal(row.socket.inode, 0);
    assert_int_equal(row.socket.has, SOCKET_HAS_INODE);
    assert_null(row.path);
}

static void packet_and_netlink_lines(void **state)
{
    struct socket socket = parse(&packet).socket;

    (void)state;
    assert_int_equal(socket.ifindex, 1);
    assert_int_equal(socket.protocol, 3);
    assert_int_equal(socket.type, SOCK_DGRAM);
    assert_int_equal(socket.uid, 1000);
    assert_int_equal(parse(&packet_gone).socket.ifindex, 0);
    socket = parse(&netlink).socket;
    assert_int_equal(socket.protocol, 16);
    assert_int_equal(socket.local.words[0], 4294963200);
    assert_int_equal(socket.local.words[1], 5);
    assert_int_equal(socket.drops, 7);
    assert_int_equal(socket.inode, 836881);
    assert_int_equal(socket.flags, 0);
}

static void hostile_lines_are_no_rows(void **state)
{
    static const struct sample bad[] = {
        {proc_line_unix, PROTO_UNIX, AF_UNIX, ""},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "not a row"},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "/x: 00000003 00000000 00010000 0001 01 "},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "0: 00000003 00000001 00010000 0001 01 5"},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "0: 00000003 00000000 00020000 0001 01 5"},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "0: 00000003 00000000 00000000 0006 01 5"},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "0: 00000003 00000000 00000000 0001 00 5"},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "0: 00000003 00000000 00000000 0001 05 5"},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "0: 00000003 00000000 00000000 0001 01 4294967296"},
        {proc_line_unix, PROTO_UNIX, AF_UNIX, "0: 00000003 00000000 00000000 0001 01 5x"},
        {proc_line_inet, PROTO_TCP, AF_INET, "   0: 0100007F:1F90 0200007F:8EA6 0"},
        {proc_line_inet, PROTO_TCP, AF_INET6,
         "   2: 0100007F:1F90 0200007F:8EA6 01 00000005:00000003 02:000A94E9 00000002  1000 7 5 2 "
         "0"},
        {proc_line_inet, PROTO_TCP, AF_INET,
         "   2: 0100007F:1F90 0200007F:8EA6 0E 00000005:00000003 02:000A94E9 00000002  1000 7 5 2 "
         "0"},
        {proc_line_inet, PROTO_TCP, AF_INET,
         "   2: 0100007F:1F90 0200007F:8EA6 01 00000005:00000003 09:000A94E9 00000002  1000 7 5 2 "
         "0"},
        {proc_line_inet, PROTO_TCP, AF_INET,
         "   2: 0100007F:1F90 0200007F:8EA6 01 00000005:00000003 00:00000000 00000002  "
         "99999999999999999999999 7 5 2 0"},
        {proc_line_inet, PROTO_UDP, AF_INET,
         "  310: 0100007F:0035 00000000:0000 07 00000000:00000340 00:00000000 00000000    33       "
         " "
         "0 836890 2 000000006ea6d3bb 12 extra"},
        {proc_line_packet, PROTO_PACKET, AF_PACKET, "0 2 2 0003 -2 1 0 0 5"},
        {proc_line_packet, PROTO_PACKET, AF_PACKET, "0 2 2 10003 1 1 0 0 5"},
        {proc_line_netlink, PROTO_NETLINK, AF_NETLINK, "0 999 5 00000005 0 0 0 2 7 836881"},
    };
    struct proc_row row;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(parse_bytes(&bad[i], bad[i].line, strlen(bad[i].line), &row), -EINVAL);
}

/* Every cut and every changed byte: the parsers may refuse or accept, but read no byte outside. */
static void damaged_lines_are_survived(void **state)
{
    static const char bytes[] = {'\0', ' ', ':', '-', '0', 'F', 'z', '\n', '\x1b', '\xff'};
    struct proc_row row;
    char line[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        size_t length = strlen(samples[i]->line);

        for (size_t cut = 0; cut < length; cut++)
            (void)!parse_bytes(samples[i], samples[i]->line, cut, &row);
        for (size_t at = 0; at < length * sizeof(bytes); at++) {
            memcpy(line, samples[i]->line, length);
            line[at / sizeof(bytes)] = bytes[at % sizeof(bytes)];
            if (parse_bytes(samples[i], line, length, &row) == 0)
                assert_in_range(row.socket.state, STATE_UNKNOWN + 1, STATE_MAX - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_lines),
        cmocka_unit_test(datagram_lines),
        cmocka_unit_test(unix_lines),
        cmocka_unit_test(packet_and_netlink_lines),
        cmocka_unit_test(hostile_lines_are_no_rows),
        cmocka_unit_test(damaged_lines_are_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
