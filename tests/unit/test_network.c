/* SPDX-License-Identifier: MIT */
/* Tests of interfaces, routes and multicast groups: messages and lines made by hand. */
#include "base/buf.h"
#include "collect/link.h"
#include "collect/membership_text.h"
#include "collect/next_hops.h"
#include "collect/route_message.h"
#include "netlink/netlink.h"
#include "table/route_names.h"

#include <arpa/inet.h>
#include <linux/gen_stats.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* A message with room for attributes; `body` is behind the header. */
struct message {
    struct nlmsghdr header;
    char body[512];
};

static void start(struct message *message, const void *body, size_t length)
{
    *message = (struct message){.header = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(length)}};
    memcpy(message->body, body, length);
}

static void add(struct message *message, uint16_t type, const void *data, size_t length)
{
    assert_int_equal(netlink_add(&message->header, sizeof(*message), type, data, length), 0);
}

static void add_u32(struct message *message, uint16_t type, uint32_t number)
{
    add(message, type, &number, sizeof(number));
}

static void add_address(struct message *message, uint16_t type, const char *text)
{
    uint8_t bytes[16];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;

    assert_int_equal(inet_pton(family, text, bytes), 1);
    add(message, type, bytes, family == AF_INET ? 4 : 16);
}

static size_t length_of(const struct message *message)
{
    return message->header.nlmsg_len - NLMSG_HDRLEN;
}

static void make(struct snapshot *snapshot)
{
    uint32_t index;

    assert_int_equal(snapshot_init(snapshot), 0);
    assert_int_equal(snapshot_add_netns(snapshot, 4026531840, &index), 0);
    assert_int_equal(snapshot_add_interface(snapshot, 0, 1, "lo"), 0);
    assert_int_equal(snapshot_add_interface(snapshot, 0, 2, "eth0"), 0);
}

/* --- next hops --- */

/* What the kernel answers about the way; NULL: without that attribute. */
static struct next_hop next_hop(uint8_t type, const char *gateway, const char *via)
{
    const struct rtmsg body = {.rtm_family = AF_INET, .rtm_type = type};
    struct next_hop hop = {.family = AF_INET, .address_family = AF_INET};
    struct message message;
    char of_other_family[18];
    sa_family_t family = AF_INET6;

    inet_pton(AF_INET, "10.8.0.9", &hop.address);
    start(&message, &body, sizeof(body));
    add_u32(&message, RTA_OIF, 2);
    if (gateway)
        add_address(&message, RTA_GATEWAY, gateway);
    if (via) {
        memcpy(of_other_family, &family, sizeof(family));
        inet_pton(AF_INET6, via, of_other_family + sizeof(family));
        add(&message, RTA_VIA, of_other_family, sizeof(of_other_family));
    }
    assert_int_equal(next_hop_read_route(&hop, message.body, length_of(&message)), 0);
    assert_int_equal(next_hop_read_route(&hop, message.body, sizeof(body) - 1), -EBADMSG);
    return hop;
}

static void assert_address(const struct next_hop *hop, const char *expected)
{
    char text[INET6_ADDRSTRLEN];

    assert_string_equal(inet_ntop(hop->address_family, &hop->address, text, sizeof(text)),
                        expected);
}

static void next_hop_of_route(void **state)
{
    struct next_hop itself = next_hop(RTN_UNICAST, NULL, NULL);
    struct next_hop gateway = next_hop(RTN_UNICAST, "10.9.0.5", NULL);
    struct next_hop other_family = next_hop(RTN_UNICAST, NULL, "fd77::5");
    struct next_hop local = next_hop(RTN_LOCAL, NULL, NULL);

    (void)state;
    assert_int_equal(itself.ifindex, 2);
    assert_address(&itself, "10.8.0.9");
    assert_address(&gateway, "10.9.0.5");
    assert_address(&other_family, "fd77::5");
    assert_int_equal(local.ifindex, 0);
}

static void state_of_neighbour(void **state)
{
    const struct ndmsg body = {.ndm_family = AF_INET, .ndm_ifindex = 2, .ndm_state = NUD_FAILED};
    static const struct {
        const char *address;
        uint32_t ifindex;
        uint32_t state;
    } hops[] = {{"10.9.0.5", 2, 0}, /* of a namespace that was read before */
                {"10.9.0.5", 2, NUD_FAILED},
                {"10.9.0.5", 3, 0},
                {"10.9.0.6", 2, 0}};
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct message message;

    (void)state;
    make(&snapshot);
    for (size_t i = 0; i < ARRAY_SIZE(hops); i++) {
        struct next_hop *hop = snapshot_add_next_hop(&snapshot);

        assert_non_null(hop);
        hop->ifindex = hops[i].ifindex;
        hop->address_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, hops[i].address, &hop->address), 1);
    }
    start(&message, &body, sizeof(body));
    add_address(&message, NDA_DST, "10.9.0.5");
    assert_int_equal(next_hop_read_neighbour(&snapshot, 1, message.body, length_of(&message)), 0);
    assert_int_equal(next_hop_read_neighbour(&snapshot, 1, message.body, sizeof(body) - 1),
                     -EBADMSG);
    for (uint32_t i = 0; i < ARRAY_SIZE(hops); i++)
        assert_int_equal(snapshot.next_hops[i].state, hops[i].state);
}

/* --- routes --- */

static void route_with_metrics(void **state)
{
    const struct rtmsg body = {.rtm_family = AF_INET,
                               .rtm_dst_len = 16,
                               .rtm_table = RT_TABLE_UNSPEC,
                               .rtm_protocol = RTPROT_STATIC,
                               .rtm_type = RTN_UNICAST};
    struct message message, metrics;
    CLEANUP(snapshot_done) struct snapshot snapshot;
    const struct route *route;

    (void)state;
    make(&snapshot);
    start(&metrics, "", 0);
    add_u32(&metrics, RTAX_MTU, 1300);
    add_u32(&metrics, RTAX_LOCK, 1u << RTAX_MTU);
    add(&metrics, RTAX_CC_ALGO, "bbr", 4);
    start(&message, &body, sizeof(body));
    add_u32(&message, RTA_TABLE, 1000);
    add_address(&message, RTA_DST, "10.77.0.0");
    add_address(&message, RTA_GATEWAY, "10.9.0.5");
    add_address(&message, RTA_PREFSRC, "10.9.0.1");
    add_u32(&message, RTA_OIF, 2);
    add_u32(&message, RTA_PRIORITY, 50);
    add(&message, RTA_METRICS, metrics.body, length_of(&metrics));
    assert_int_equal(route_read(&snapshot, 0, message.body, length_of(&message)), 0);
    assert_int_equal(snapshot.routes_count, 1);
    route = &snapshot.routes[0];
    assert_int_equal(route->has,
                     ROUTE_HAS_TYPE | ROUTE_HAS_GATEWAY | ROUTE_HAS_SOURCE | ROUTE_HAS_METRIC);
    assert_int_equal(route->table, 1000);
    assert_int_equal(route->priority, 50);
    assert_int_equal(route->ifindex, 2);
    assert_int_equal(route->metric[RTAX_MTU], 1300);
    assert_int_equal(route->metrics, 1u << RTAX_MTU | 1u << RTAX_CC_ALGO);
    assert_int_equal(route->locked, 1u << RTAX_MTU);
    assert_string_equal(snapshot_string(&snapshot, route->congestion, NULL), "bbr");
    assert_int_equal(route->hop, 1);
    assert_int_equal(route->hops, 1);
    assert_int_equal(route_rtf_bits(route), 3);
}

static void put_hop(struct buf *hops, int ifindex, uint8_t weight, const char *gateway)
{
    struct message attributes;
    struct rtnexthop hop = {.rtnh_hops = (uint8_t)(weight - 1), .rtnh_ifindex = ifindex};

    start(&attributes, "", 0);
    add_address(&attributes, RTA_GATEWAY, gateway);
    hop.rtnh_len = (uint16_t)(sizeof(hop) + length_of(&attributes));
    buf_put(hops, &hop, sizeof(hop));
    buf_put(hops, attributes.body, length_of(&attributes));
}

static void route_with_several_hops(void **state)
{
    const struct rtmsg body = {.rtm_family = AF_INET, .rtm_dst_len = 8, .rtm_type = RTN_UNICAST};
    CLEANUP(buf_done) struct buf hops = BUF_INIT;
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct message message;

    (void)state;
    make(&snapshot);
    put_hop(&hops, 2, 3, "10.9.0.5");
    put_hop(&hops, 1, 1, "10.8.0.5");
    start(&message, &body, sizeof(body));
    add(&message, RTA_MULTIPATH, hops.data, hops.length);
    assert_int_equal(route_read(&snapshot, 0, message.body, length_of(&message)), 0);
    assert_int_equal(snapshot.routes_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(snapshot.routes[i].hop, i + 1);
        assert_int_equal(snapshot.routes[i].hops, 2);
        assert_int_equal(snapshot.routes[i].ifindex, 2 - i);
        assert_int_equal(snapshot.routes[i].weight, i ? 1 : 3);
        assert_int_equal(snapshot.routes[i].gateway.bytes[1], i ? 8 : 9);
    }
    hops.data[0] = 2; /* shorter than itself */
    start(&message, &body, sizeof(body));
    add(&message, RTA_MULTIPATH, hops.data, hops.length);
    assert_int_equal(route_read(&snapshot, 0, message.body, length_of(&message)), 0);
    assert_int_equal(snapshot.routes_count, 2);
    assert_int_equal(route_read(&snapshot, 0, message.body, sizeof(body) - 1), -EBADMSG);
}

#define NOWHERE "00000000000000000000000000000000"

static void lines_of_ipv6_route(void **state)
{
    const char *good = "fd770000000000000000000000000000 40 " NOWHERE " 00 "
                       "fd090000000000000000000000000005 00000007 00000002 00000003 00000003     "
                       "eth0\n";
    struct route_line line;

    (void)state;
    assert_true(route_parse_line(good, &line));
    assert_int_equal(line.dst.bytes[1], 0x77);
    assert_int_equal(line.dst_bits, 64);
    assert_int_equal(line.gateway.bytes[15], 5);
    assert_int_equal(line.metric, 7);
    assert_int_equal(line.refs, 2);
    assert_int_equal(line.use, 3);
    assert_int_equal(line.flags, 3);
    assert_int_equal(line.iface_length, 4);
    assert_memory_equal(line.iface, "eth0", 4);
    for (size_t length = 0; length < strcspn(good, "e"); length++) {
        char cut[256];

        memcpy(cut, good, length);
        cut[length] = '\0';
        assert_false(route_parse_line(cut, &line));
    }
    assert_false(route_parse_line("xyz", &line));
}

/* Two equal routes in two tables take their lines in their order; the kernel's own entry is added.
 */
static void lines_find_their_routes(void **state)
{
    const char *text = NOWHERE " 00 " NOWHERE " 00 fd090000000000000000000000000009 00000400 "
                               "00000001 00000000 00000003 eth0\n" NOWHERE " 00 " NOWHERE " 00 "
                               "fd090000000000000000000000000009 00000400 00000002 00000000 "
                               "00000003 eth0\nbroken line\n" NOWHERE " 00 " NOWHERE " 00 " NOWHERE
                               " ffffffff 00000001 00000000 00200200 lo\n";
    const struct rtmsg body = {.rtm_family = AF_INET6, .rtm_type = RTN_UNICAST};
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct message message;

    (void)state;
    make(&snapshot);
    for (uint32_t table = 200; table > 0; table -= 100) {
        start(&message, &body, sizeof(body));
        add_u32(&message, RTA_TABLE, table);
        add_u32(&message, RTA_OIF, 2);
        add_u32(&message, RTA_PRIORITY, 1024);
        add_address(&message, RTA_GATEWAY, "fd09::9");
        assert_int_equal(route_read(&snapshot, 0, message.body, length_of(&message)), 0);
    }
    assert_int_equal(route_add_use(&snapshot, 0, 0, text), 0);
    assert_int_equal(snapshot.routes_count, 3);
    assert_int_equal(snapshot.routes[0].refs, 1);
    assert_int_equal(snapshot.routes[0].proc_line, 1);
    assert_int_equal(snapshot.routes[1].refs, 2);
    assert_int_equal(snapshot.routes[1].proc_line, 2);
    assert_int_equal(snapshot.routes[2].has, ROUTE_HAS_METRIC | ROUTE_HAS_USE);
    assert_int_equal(snapshot.routes[2].proc_line, 4);
    assert_int_equal(snapshot.routes[2].proc_flags, 0x200200);
    assert_int_equal(snapshot.routes[2].ifindex, 1);
}

static void letters_of_routes(void **state)
{
    struct route route = {.family = AF_INET6, .has = ROUTE_HAS_USE, .proc_flags = 0x00200200};
    CLEANUP(buf_done) struct buf out = BUF_INIT;

    (void)state;
    route_put_letters(&out, &route);
    assert_string_equal(buf_string(&out), "n!");
    buf_reset(&out);
    route = (struct route){.family = AF_INET,
                           .has = ROUTE_HAS_TYPE | ROUTE_HAS_GATEWAY,
                           .type = RTN_UNICAST,
                           .dst_bits = 32};
    route_put_letters(&out, &route);
    assert_string_equal(buf_string(&out), "UGH");
    buf_reset(&out);
    route_put_hop_flags(&out, RTNH_F_ONLINK | RTNH_F_LINKDOWN);
    assert_string_equal(buf_string(&out), "onlink,linkdown");
    assert_string_equal(route_table_name(254), "main");
    assert_null(route_table_name(100));
    assert_null(route_protocol_name(250));
}

/* --- interfaces --- */

static void link_message(void **state)
{
    const struct ifinfomsg body = {.ifi_index = 2, .ifi_flags = 0x1043, .ifi_type = 1};
    const uint8_t hardware[6] = {2, 0xfc, 0, 0, 0, 1}, operstate = 6;
    struct link_stats stats = {
        .rx_packets = 1, .tx_packets = 2, .rx_bytes = 3, .tx_bytes = 4, .rx_otherhost_dropped = 25};
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct interface interface;
    struct message message, info;

    (void)state;
    make(&snapshot);
    start(&info, "", 0);
    add(&info, IFLA_INFO_KIND, "veth", 5);
    start(&message, &body, sizeof(body));
    add(&message, IFLA_IFNAME, "eth0", 5);
    add_u32(&message, IFLA_MTU, 1400);
    add_u32(&message, IFLA_LINK, 7);
    add_u32(&message, IFLA_LINK_NETNSID, 0);
    add(&message, IFLA_OPERSTATE, &operstate, 1);
    add(&message, IFLA_ADDRESS, hardware, sizeof(hardware));
    add(&message, IFLA_QDISC, "noqueue", 8);
    add(&message, IFLA_LINKINFO, info.body, length_of(&info));
    add(&message, IFLA_STATS64, &stats, 24 * sizeof(uint64_t)); /* of Linux 4.6 to 5.18 */
    snapshot.interfaces_count = 0;
    assert_int_equal(link_add(&snapshot, 0, true, message.body, length_of(&message)), 0);
    assert_int_equal(snapshot.interfaces_count, 1);
    interface = snapshot.interfaces[0];
    assert_int_equal(interface.has,
                     INTERFACE_HAS_LINK | INTERFACE_HAS_STATS | INTERFACE_HAS_NOHANDLER);
    assert_int_equal(interface.mtu, 1400);
    assert_int_equal(interface.lower, 0); /* in another namespace */
    assert_int_equal(interface.operstate, 6);
    assert_int_equal(interface.stats.tx_bytes, 4);
    assert_int_equal(interface.stats.rx_otherhost_dropped, 0);
    assert_string_equal(snapshot_string(&snapshot, interface.kind, NULL), "veth");
    assert_string_equal(snapshot_string(&snapshot, interface.qdisc, NULL), "noqueue");
    assert_string_equal(snapshot_string(&snapshot, interface.address, NULL), "02:fc:00:00:00:01");
}

static void qdisc_message(void **state)
{
    struct tcmsg body = {.tcm_ifindex = 2, .tcm_parent = TC_H_ROOT};
    const struct gnet_stats_queue queue = {1, 1400, 7, 2, 3};
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct message message, stats;

    (void)state;
    make(&snapshot);
    start(&stats, "", 0);
    add(&stats, TCA_STATS_QUEUE, &queue, sizeof(queue));
    start(&message, &body, sizeof(body));
    add(&message, TCA_STATS2, stats.body, length_of(&stats));
    link_read_qdisc(&snapshot, 0, message.body, length_of(&message));
    assert_int_equal(snapshot.interfaces[1].has, INTERFACE_HAS_QDISC);
    assert_int_equal(snapshot.interfaces[1].queue.drops, 7);
    assert_int_equal(snapshot.interfaces[1].queue.backlog_bytes, 1400);
    body.tcm_ifindex = 1;
    body.tcm_parent = 0x10001; /* below the root */
    start(&message, &body, sizeof(body));
    add(&message, TCA_STATS2, stats.body, length_of(&stats));
    link_read_qdisc(&snapshot, 0, message.body, length_of(&message));
    link_read_qdisc(&snapshot, 0, message.body, sizeof(body) - 1);
    assert_int_equal(snapshot.interfaces[0].has, 0);
}

/* --- multicast groups --- */

static int write_group(void *context, const struct membership_item *item)
{
    const struct membership *membership = &item->membership;
    struct buf *out = context;

    buf_printf(out, "%u:%.*s", membership->ifindex, (int)item->iface_length, item->iface);
    buf_byte(out, ' ');
    if (membership->family == AF_PACKET)
        buf_hex(out, membership->group.bytes[membership->length - 1]);
    else
        buf_address(out, membership->family, membership->group.bytes);
    buf_printf(out, " %u", membership->users);
    if (membership->has & MEMBERSHIP_HAS_TIMER)
        buf_printf(out, " in %u", membership->timer_ms);
    if (item->querier)
        buf_printf(out, " %.*s", (int)item->querier_length, item->querier);
    buf_puts(out, "; ");
    return 0;
}

static void expect(membership_parse_fn *parse, const char *text, const char *expected)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;

    assert_int_equal(parse(text, write_group, &out), 0);
    assert_string_equal(buf_string(&out), expected);
}

static void groups_of_igmp(void **state)
{
    char text[512];

    (void)state;
    /* the address is a number of this machine */
    snprintf(text, sizeof(text),
             "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
             "1\tlo        :     1      V3\n\t\t\t\t%08X     1 0:00000000\t\t0\n"
             "12\tlongername0:     2      V2\n\t\t\t\t%08X     3 1:00000064\t\t1\n"
             "\t\t\t\t%08X     1 0:00000000\t\t0\n",
             htonl(0xe0000001), htonl(0xe00000fb), htonl(0xe0000001));
    expect(membership_parse_igmp, text,
           "1:lo 224.0.0.1 1 V3; 12:longername0 224.0.0.251 3 in 1000 V2; "
           "12:longername0 224.0.0.1 1 V2; ");
    expect(membership_parse_igmp, "\t\t\t\t010000E0     1 0:00000000\t\t0\n", "");
    expect(membership_parse_igmp, "1\tlo : 1 V3\n\t\t\t\t01000 1 0:00000000\n\t\t\t\tE0\n", "");
}

static void groups_of_igmp6_and_links(void **state)
{
    (void)state;
    expect(membership_parse_igmp6,
           "4    eth0            ff0200000000000000000001ff000002     1 00000004 0\n"
           "4    eth0            ff02000000000000000000000000\n"
           "5    x               ff020000000000000000000000000001     2 0000000C 250\n",
           "4:eth0 ff02::1:ff00:2 1; 5:x ff02::1 2 in 2500; ");
    expect(
        membership_parse_dev,
        "4    eth0            1     0     333300000001\n4 eth0 1 0 \n4    eth0            2     1 "
        "    01005e0000fb\n",
        "4:eth0 1 1; 4:eth0 fb 2; ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_hop_of_route),
        cmocka_unit_test(state_of_neighbour),
        cmocka_unit_test(route_with_metrics),
        cmocka_unit_test(route_with_several_hops),
        cmocka_unit_test(lines_of_ipv6_route),
        cmocka_unit_test(lines_find_their_routes),
        cmocka_unit_test(letters_of_routes),
        cmocka_unit_test(link_message),
        cmocka_unit_test(qdisc_message),
        cmocka_unit_test(groups_of_igmp),
        cmocka_unit_test(groups_of_igmp6_and_links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
