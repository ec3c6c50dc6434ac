/* SPDX-License-Identifier: MIT */
/* Between whom a captured packet is: under each header of a link, and however short it is. */
#include "packet/flow.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

enum { NULL_LINK = 0, ETHERNET = 1, RAW = 12, RAW_FILE = 101, SLL = 113, SLL2 = 276 };

struct bytes {
    uint8_t data[256];
    uint32_t count;
};

static void put(struct bytes *bytes, const void *data, size_t count)
{
    assert_true(bytes->count + count <= sizeof(bytes->data));
    memcpy(bytes->data + bytes->count, data, count);
    bytes->count += (uint32_t)count;
}

#define PUT(bytes, ...) put(bytes, (const uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

#define SENDER 2, 0, 0, 0, 0, 7
#define PORTS 0x9c, 0x40, 0x01, 0xbb /* 40000, 443 */

static void put_ipv4(struct bytes *bytes, uint8_t proto, uint16_t fragment)
{
    PUT(bytes, 0x45, 0, 0, 60, 0, 1, (uint8_t)(fragment >> 8), (uint8_t)fragment, 64, proto, 0, 0,
        10, 0, 0, 1, 10, 0, 0, 2);
}

static void put_ipv6(struct bytes *bytes, uint8_t proto)
{
    PUT(bytes, 0x60, 0, 0, 0, 0, 20, proto, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
        0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
}

static void put_tcp(struct bytes *bytes)
{
    PUT(bytes, PORTS, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, TH_SYN, 0, 0, 0, 0, 0, 0);
}

static struct packet_flow read_bytes(const struct bytes *bytes, int link_type)
{
    const struct captured captured = {
        .bytes = bytes->data, .captured = bytes->count, .length = bytes->count};
    struct packet_flow flow;

    memset(&flow, 0xff, sizeof(flow));
    flow_read(&flow, link_type, &captured);
    return flow;
}

static void check_ends(const struct packet_ends *ends, int family, int proto)
{
    assert_int_equal(ends->family, family);
    assert_int_equal(ends->proto, proto);
    assert_int_equal(ends->source[0], family == AF_INET ? 10 : 0xfd);
    assert_int_equal(ends->source[family == AF_INET ? 3 : 15], 1);
    assert_int_equal(ends->target[family == AF_INET ? 3 : 15], 2);
}

static void check_tcp(const struct packet_flow *flow, int family)
{
    check_ends(&flow->ends, family, IPPROTO_TCP);
    assert_int_equal(flow->ends.source_port, 40000);
    assert_int_equal(flow->ends.target_port, 443);
    assert_int_equal(flow->ends.tcp_flags, TH_SYN);
    assert_false(flow->ends.is_short);
    assert_int_equal(flow->quoted.family, 0);
}

/* What was cut off anywhere is not known; nothing is made up, and nothing behind it is read. */
static void check_cuts(const struct bytes *whole, int link_type, uint32_t header)
{
    for (uint32_t count = 0; count < whole->count; count++) {
        struct bytes cut = {.count = 0};
        struct packet_flow flow;

        memset(cut.data, 0xee, sizeof(cut.data));
        put(&cut, whole->data, count);
        flow = read_bytes(&cut, link_type);
        if (count < header)
            assert_int_equal(flow.ends.family, 0);
        if (flow.ends.family == 0)
            assert_int_equal(flow.ends.source_port | flow.ends.proto | flow.ends.source[0], 0);
        if (flow.ends.source_port)
            assert_int_equal(flow.ends.target_port, 443);
    }
}

static void every_link_says_what_it_carries(void **state)
{
    static const struct {
        int type;
        uint8_t header[20];
        uint32_t length, ifindex;
        bool has_source;
    } links[] = {
        {ETHERNET, {2, 0, 0, 0, 0, 9, SENDER, 8, 0}, 14, 0, true},
        {ETHERNET, {2, 0, 0, 0, 0, 9, SENDER, 0x81, 0, 0, 5, 8, 0}, 18, 0, true},
        {SLL, {0, 4, 0, 1, 0, 6, SENDER, 0, 0, 8, 0}, 16, 0, true},
        {SLL, {0, 4, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0}, 16, 0, false},
        {SLL2, {8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, SENDER, 0, 0}, 20, 3, true},
        {SLL2, {8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 20, 3, false},
        {RAW, {0}, 0, 0, false},
        {RAW_FILE, {0}, 0, 0, false},
        {NULL_LINK, {2, 0, 0, 0}, 4, 0, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        struct bytes bytes = {.count = 0};
        struct packet_flow flow;

        put(&bytes, links[i].header, links[i].length);
        put_ipv4(&bytes, IPPROTO_TCP, 0);
        put_tcp(&bytes);
        flow = read_bytes(&bytes, links[i].type);
        check_tcp(&flow, AF_INET);
        assert_int_equal(flow.ether_type, 0x0800);
        assert_int_equal(flow.ifindex, links[i].ifindex);
        assert_int_equal(flow.link_source[5], links[i].has_source ? 7 : 0);
        check_cuts(&bytes, links[i].type, links[i].length + 20);
    }
}

static void what_is_neither_ip_nor_known_is_nothing(void **state)
{
    struct bytes arp = {.count = 0}, bytes = {.count = 0};
    struct packet_flow flow;

    (void)state;
    PUT(&arp, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, SENDER, 8, 6, 0, 1, 8, 0);
    flow = read_bytes(&arp, ETHERNET);
    assert_int_equal(flow.ether_type, 0x0806);
    assert_int_equal(flow.link_source[5], 7);
    assert_int_equal(flow.ends.family, 0);
    put_ipv4(&bytes, IPPROTO_TCP, 0);
    put_tcp(&bytes);
    flow = read_bytes(&bytes, 999);
    assert_int_equal(flow.ends.family | flow.ether_type, 0);
    bytes.data[0] = 0x44; /* a header shorter than one can be */
    flow = read_bytes(&bytes, RAW);
    assert_int_equal(flow.ends.family, 0);
}

static void extensions_of_ipv6_are_skipped(void **state)
{
    struct bytes bytes = {.count = 0};
    struct packet_flow flow;

    (void)state;
    put_ipv6(&bytes, IPPROTO_HOPOPTS);
    PUT(&bytes, IPPROTO_FRAGMENT, 1, 5, 2, 0, 0, 1, 8, 0, 0, 0, 0, 0, 0, 0, 0);
    PUT(&bytes, IPPROTO_TCP, 0, 0, 1, 0, 0, 0, 9); /* the first one, and more follow */
    put_tcp(&bytes);
    flow = read_bytes(&bytes, RAW);
    check_tcp(&flow, AF_INET6);
    check_cuts(&bytes, RAW, 40);
    bytes.data[40 + 16 + 3] = 0x11; /* a later one: what follows is in the middle of something */
    flow = read_bytes(&bytes, RAW);
    check_ends(&flow.ends, AF_INET6, IPPROTO_TCP);
    assert_true(flow.ends.is_short);
    assert_int_equal(flow.ends.source_port, 0);
}

static void later_fragments_have_no_ports(void **state)
{
    struct bytes bytes = {.count = 0};
    struct packet_flow flow;

    (void)state;
    put_ipv4(&bytes, IPPROTO_UDP, 185);
    PUT(&bytes, PORTS, 0, 8, 0, 0);
    flow = read_bytes(&bytes, RAW);
    check_ends(&flow.ends, AF_INET, IPPROTO_UDP);
    assert_true(flow.ends.is_short);
    assert_int_equal(flow.ends.source_port, 0);
}

/* An echo is found by its id, an error by the packet that it is about. */
static void icmp_is_told_by_id_or_quotation(void **state)
{
    static const struct {
        int family;
        uint8_t echo, reply, error, information;
    } kinds[] = {
        {AF_INET, ICMP_ECHO, ICMP_ECHOREPLY, ICMP_DEST_UNREACH, ICMP_TIMESTAMP},
        {AF_INET, ICMP_ECHO, ICMP_ECHOREPLY, ICMP_SOURCE_QUENCH, ICMP_REDIRECT},
        {AF_INET, ICMP_ECHO, ICMP_ECHOREPLY, ICMP_TIME_EXCEEDED, ICMP_ADDRESS},
        {AF_INET, ICMP_ECHO, ICMP_ECHOREPLY, ICMP_PARAMETERPROB, ICMP_TIMESTAMPREPLY},
        {AF_INET6, ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY, ICMP6_PACKET_TOO_BIG, 135},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        int family = kinds[i].family;
        int icmp = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
        uint32_t at = family == AF_INET ? 20 : 40;
        struct bytes bytes = {.count = 0};
        struct packet_flow flow;

        if (family == AF_INET)
            put_ipv4(&bytes, IPPROTO_ICMP, 0);
        else
            put_ipv6(&bytes, IPPROTO_ICMPV6);
        PUT(&bytes, kinds[i].error, 4, 0, 0, 0x12, 0x34, 0, 0);
        if (family == AF_INET)
            put_ipv4(&bytes, IPPROTO_TCP, 0);
        else
            put_ipv6(&bytes, IPPROTO_TCP);
        put_tcp(&bytes);
        flow = read_bytes(&bytes, RAW);
        check_ends(&flow.ends, family, icmp);
        assert_int_equal(flow.ends.icmp_type, kinds[i].error);
        assert_int_equal(flow.ends.icmp_code, 4);
        assert_int_equal(flow.ends.source_port, 0);
        check_ends(&flow.quoted, family, IPPROTO_TCP);
        assert_int_equal(flow.quoted.target_port, 443);
        bytes.data[at] = kinds[i].information;
        flow = read_bytes(&bytes, RAW);
        assert_int_equal(flow.quoted.family | flow.ends.source_port, 0);
        bytes.data[at] = kinds[i].echo;
        flow = read_bytes(&bytes, RAW);
        assert_int_equal(flow.ends.source_port, 0x1234);
        bytes.data[at] = kinds[i].reply;
        flow = read_bytes(&bytes, RAW);
        assert_int_equal(flow.ends.target_port, 0x1234);
        assert_int_equal(flow.quoted.family, 0);
        bytes.count = at + 4;
        flow = read_bytes(&bytes, RAW);
        assert_true(flow.ends.is_short);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_link_says_what_it_carries),
        cmocka_unit_test(what_is_neither_ip_nor_known_is_nothing),
        cmocka_unit_test(extensions_of_ipv6_are_skipped),
        cmocka_unit_test(later_fragments_have_no_ports),
        cmocka_unit_test(icmp_is_told_by_id_or_quotation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
