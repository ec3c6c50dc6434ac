/* SPDX-License-Identifier: MIT */
/* Packets made by hand: which rows of the grid and which bracket they are counted in. */
#include "collect/packet_tap.h"
#include "model/packet_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define MTU 1500
#define ETHERNET_HEADER 14

static const unsigned char ipv4[] = {8, 0};
static const unsigned char ipv6[] = {0x86, 0xdd};

/* A packet that is put together. */
struct made {
    unsigned char bytes[256];
    uint32_t length;
};

static void put(struct made *made, const void *bytes, uint32_t length)
{
    memcpy(made->bytes + made->length, bytes, length);
    made->length += length;
}

/* Ethernet up to the type, which may be that of a tag. */
static struct made ethernet(void)
{
    return (struct made){.bytes = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, .length = 12};
}

static void put_ipv4(struct made *made, uint8_t protocol)
{
    unsigned char header[20] = {0x45, [9] = protocol};

    put(made, ipv4, 2);
    put(made, header, sizeof(header));
}

static void put_ipv6(struct made *made, uint8_t next)
{
    unsigned char header[40] = {0x60, [6] = next};

    put(made, ipv6, 2);
    put(made, header, sizeof(header));
}

static uint32_t rows_of(const struct made *made, uint32_t *ret_header)
{
    struct packet_bytes bytes = {made->bytes, made->length};
    struct packet_class class = packet_classify(&bytes, true, 0, 0);

    if (ret_header)
        *ret_header = class.header;
    return class.protocols;
}

#define ROWS(a, b) (1u << PACKET_##a | 1u << PACKET_##b)

static void rows_are_in_one_order(void **state)
{
    (void)state;
    assert_int_equal(CLASS_MAX, PACKET_PROTOCOL_MAX);
    assert_int_equal(CLASS_OTHER_IP, PACKET_OTHER_IP);
    assert_int_equal(CLASS_BROADCAST, PACKET_BROADCAST);
    assert_int_equal(CLASS_BRACKETS, PACKET_BRACKETS + 1);
}

static void transports_of_ipv4(void **state)
{
    static const struct {
        uint8_t protocol;
        uint32_t rows;
    } cases[] = {{6, ROWS(IPV4, TCP)},
                 {17, ROWS(IPV4, UDP)},
                 {1, ROWS(IPV4, ICMP)},
                 {47, ROWS(IPV4, OTHER_IP)}};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct made made = ethernet();
        uint32_t header;

        put_ipv4(&made, cases[i].protocol);
        assert_int_equal(rows_of(&made, &header), cases[i].rows);
        assert_int_equal(header, ETHERNET_HEADER);
    }
}

static void tags_are_walked(void **state)
{
    static const unsigned char tag[] = {0x81, 0, 0, 7}, outer[] = {0x88, 0xa8, 0, 9};
    struct made made = ethernet(), deep = ethernet();
    uint32_t header;

    (void)state;
    put(&made, outer, 4);
    put(&made, tag, 4);
    put_ipv4(&made, 17);
    assert_int_equal(rows_of(&made, &header), ROWS(IPV4, UDP));
    assert_int_equal(header, ETHERNET_HEADER + 8);
    for (int i = 0; i < 20; i++)
        put(&deep, tag, 4);
    assert_int_equal(rows_of(&deep, NULL), 1u << PACKET_NON_IP);
}

static void extension_headers_are_walked(void **state)
{
    /* hop by hop (16 bytes), routing (8), authentication (4 + 2 words), fragment, then UDP */
    static const unsigned char hop[16] = {43, 1}, routing[8] = {51}, authentication[12] = {44, 1};
    static const unsigned char first[8] = {17}, later[8] = {6, 0, 0x05, 0xa8};
    struct made made = ethernet(), fragment = ethernet(), plain = ethernet();

    (void)state;
    put_ipv6(&made, 0);
    put(&made, hop, 16);
    put(&made, routing, 8);
    put(&made, authentication, 12);
    put(&made, first, 8);
    assert_int_equal(rows_of(&made, NULL), ROWS(IPV6, UDP));
    put_ipv6(&fragment, 44);
    put(&fragment, later, 8);
    assert_int_equal(rows_of(&fragment, NULL), ROWS(IPV6, TCP));
    put_ipv6(&plain, 58);
    assert_int_equal(rows_of(&plain, NULL), ROWS(IPV6, ICMP));
}

static void what_is_cut_is_still_counted(void **state)
{
    struct made made = ethernet();

    (void)state;
    put_ipv6(&made, 0);
    for (uint32_t length = made.length; length-- > 0;) {
        struct made cut = made;
        uint32_t rows;

        cut.length = length;
        rows = rows_of(&cut, NULL);
        assert_int_equal(rows,
                         length < ETHERNET_HEADER ? 1u << PACKET_NON_IP : ROWS(IPV6, OTHER_IP));
    }
}

static void links_without_a_header(void **state)
{
    unsigned char packet[20] = {0x45, [9] = 6};
    struct packet_bytes bytes = {packet, sizeof(packet)};

    (void)state;
    assert_int_equal(packet_classify(&bytes, false, 0x0800, 0).protocols, ROWS(IPV4, TCP));
    assert_int_equal(packet_classify(&bytes, false, 0x88cc, 0).protocols, 1u << PACKET_NON_IP);
}

static void brackets_divide_the_mtu(void **state)
{
    uint32_t mtus[] = {68, 1500, 1501, 9000, 65536, 0x7fffffff};

    (void)state;
    assert_int_equal(packet_bracket(0, MTU), 0);
    assert_int_equal(packet_bracket(75, MTU), 0);
    assert_int_equal(packet_bracket(76, MTU), 1);
    assert_int_equal(packet_bracket(1500, MTU), 19);
    assert_int_equal(packet_bracket(1501, MTU), 20);
    assert_int_equal(packet_bracket(500000, MTU), 20);
    for (size_t i = 0; i < ARRAY_SIZE(mtus); i++) {
        assert_int_equal(packet_bracket(1, mtus[i]), 0);
        assert_int_equal(packet_bracket(mtus[i], mtus[i]), 19);
        assert_int_equal(packet_bracket(mtus[i] + 1, mtus[i]), 20);
    }
}

static void sums_are_of_a_direction(void **state)
{
    struct packet_sums sums[2] = {0};
    struct made made = ethernet();
    struct packet_seen seen = {.size = 1514, .ethernet = true, .sent = true, .broadcast = true};

    (void)state;
    put_ipv4(&made, 17);
    seen.bytes = (struct packet_bytes){made.bytes, made.length};
    packet_sums_add(sums, &seen, MTU);
    seen.sent = seen.broadcast = false;
    seen.size = 200000; /* as BIG TCP hands them over */
    packet_sums_add(sums, &seen, MTU);
    assert_int_equal(sums[1].protocols[PACKET_TOTAL].bytes, 1514);
    assert_int_equal(sums[1].protocols[PACKET_UDP].packets, 1);
    assert_int_equal(sums[1].protocols[PACKET_BROADCAST].packets, 1);
    assert_int_equal(sums[1].protocols[PACKET_TCP].packets, 0);
    assert_int_equal(sums[1].sizes[19].packets, 1);
    assert_int_equal(sums[0].protocols[PACKET_BROADCAST].packets, 0);
    assert_int_equal(sums[0].sizes[20].bytes, 200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_in_one_order),
        cmocka_unit_test(transports_of_ipv4),
        cmocka_unit_test(tags_are_walked),
        cmocka_unit_test(extension_headers_are_walked),
        cmocka_unit_test(what_is_cut_is_still_counted),
        cmocka_unit_test(links_without_a_header),
        cmocka_unit_test(brackets_divide_the_mtu),
        cmocka_unit_test(sums_are_of_a_direction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
