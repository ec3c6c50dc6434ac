/* SPDX-License-Identifier: MIT */
/* Tracked connections: messages of ctnetlink made by hand, and which sockets their ends are. */
#include "collect/conntrack_message.h"
#include "derive/join.h"
#include "model/request.h"
#include "netlink/netlink.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* --- messages --- */

struct message {
    struct nlmsghdr header;
    char body[1024];
};

static void add(struct message *message, uint16_t type, const void *data, size_t length)
{
    assert_int_equal(netlink_add(&message->header, sizeof(*message), type, data, length), 0);
}

static void add_u8(struct message *message, uint16_t type, uint8_t number)
{
    add(message, type, &number, sizeof(number));
}

static void add_u16(struct message *message, uint16_t type, uint16_t number)
{
    number = htons(number);
    add(message, type, &number, sizeof(number));
}

static void add_u32(struct message *message, uint16_t type, uint32_t number)
{
    number = htonl(number);
    add(message, type, &number, sizeof(number));
}

static void add_u64(struct message *message, uint16_t type, uint64_t number)
{
    number = htobe64(number);
    add(message, type, &number, sizeof(number));
}

/* Where an attribute begins whose content is added next; ended by close_nest(). */
static size_t open_nest(struct message *message, uint16_t type)
{
    size_t at = NLMSG_ALIGN(message->header.nlmsg_len);

    add(message, type | NLA_F_NESTED, NULL, 0);
    return at;
}

static void close_nest(struct message *message, size_t at)
{
    struct nlattr *attribute = (struct nlattr *)((char *)message + at);

    attribute->nla_len = (uint16_t)(message->header.nlmsg_len - at);
}

static void add_address(struct message *message, uint16_t type, const char *text)
{
    uint8_t bytes[16];
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;

    assert_int_equal(inet_pton(family, text, bytes), 1);
    add(message, type, bytes, family == AF_INET ? 4 : 16);
}

static void start(struct message *message, uint8_t family)
{
    struct nfgenmsg body = {.nfgen_family = family};

    *message = (struct message){.header = {.nlmsg_len = NLMSG_LENGTH(sizeof(body))}};
    memcpy(message->body, &body, sizeof(body));
}

static void add_tuple(struct message *message, uint16_t type, const char *src, const char *dst,
                      uint16_t src_port, uint16_t dst_port)
{
    bool v6 = strchr(src, ':');
    size_t tuple = open_nest(message, type), inner = open_nest(message, CTA_TUPLE_IP);

    add_address(message, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, src);
    add_address(message, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, dst);
    close_nest(message, inner);
    inner = open_nest(message, CTA_TUPLE_PROTO);
    add_u8(message, CTA_PROTO_NUM, IPPROTO_TCP);
    add_u16(message, CTA_PROTO_SRC_PORT, src_port);
    add_u16(message, CTA_PROTO_DST_PORT, dst_port);
    close_nest(message, inner);
    close_nest(message, tuple);
}

static size_t length_of(const struct message *message)
{
    return message->header.nlmsg_len - NLMSG_HDRLEN;
}

/* State, counters, helper and labels. */
static void add_nested(struct message *message)
{
    static const char labels[16] = {5};
    size_t outer, inner;

    outer = open_nest(message, CTA_PROTOINFO);
    inner = open_nest(message, CTA_PROTOINFO_TCP);
    add_u8(message, CTA_PROTOINFO_TCP_STATE, CONNTRACK_TCP_CLOSE_WAIT);
    close_nest(message, inner);
    close_nest(message, outer);
    outer = open_nest(message, CTA_COUNTERS_REPLY);
    add_u64(message, CTA_COUNTERS_PACKETS, 5);
    add_u64(message, CTA_COUNTERS_BYTES, UINT64_C(0x123456789a));
    close_nest(message, outer);
    outer = open_nest(message, CTA_COUNTERS_ORIG);
    add_u64(message, CTA_COUNTERS_PACKETS, 3);
    close_nest(message, outer);
    outer = open_nest(message, CTA_HELP);
    add(message, CTA_HELP_NAME, "ftp", 4);
    close_nest(message, outer);
    add(message, CTA_LABELS, labels, sizeof(labels));
}

static void one_message(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct conntrack entry = {.netns = 0};
    struct message message;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    start(&message, AF_INET);
    add_tuple(&message, CTA_TUPLE_ORIG, "10.0.0.1", "10.0.0.2", 1001, 80);
    assert_int_equal(conntrack_read(&snapshot, message.body, length_of(&message), &entry),
                     -EBADMSG);
    add_tuple(&message, CTA_TUPLE_REPLY, "192.0.2.5", "203.0.113.9", 8080, 4000);
    add_u32(&message, CTA_STATUS, CONNTRACK_ASSURED | CONNTRACK_SRC_NAT);
    add_u32(&message, CTA_TIMEOUT, 431999);
    add_u32(&message, CTA_MARK, 0x10);
    add_u32(&message, CTA_ID, 0x89abcdef);
    add_u16(&message, CTA_ZONE, 7);
    add_nested(&message);
    assert_int_equal(conntrack_read(&snapshot, message.body, length_of(&message), &entry), 0);

    assert_memory_equal(entry.orig.src.bytes, "\x0a\0\0\x01", 4);
    assert_memory_equal(entry.reply.dst.bytes, "\xcb\0\x71\x09", 4);
    assert_int_equal(entry.orig.src_port, 1001);
    assert_int_equal(entry.reply.dst_port, 4000);
    assert_int_equal(entry.protocol, IPPROTO_TCP);
    assert_string_equal(conntrack_state_name(&entry), "close-wait");
    assert_int_equal(entry.timeout_s, 431999);
    assert_int_equal(entry.mark, 0x10);
    assert_int_equal(entry.id, 0x89abcdef);
    assert_int_equal(entry.zone, 7);
    assert_int_equal(entry.reply_bytes, UINT64_C(0x123456789a));
    assert_int_equal(entry.orig_packets, 3);
    assert_int_equal(entry.has, CONNTRACK_HAS_STATE | CONNTRACK_HAS_TIMEOUT | CONNTRACK_HAS_MARK |
                                    CONNTRACK_HAS_ID | CONNTRACK_HAS_ZONE | CONNTRACK_HAS_COUNTERS);
    assert_string_equal(snapshot_string(&snapshot, entry.helper, NULL), "ftp");
    assert_int_equal(*snapshot_string(&snapshot, entry.labels, NULL), 5);
    assert_int_equal(conntrack_message_time(message.body, length_of(&message)), 0);
    add_u64(&message, 27, UINT64_C(1790000000123456789)); /* CTA_TIMESTAMP_EVENT */
    assert_int_equal(conntrack_message_time(message.body, length_of(&message)),
                     UINT64_C(1790000000123456789));
    assert_int_equal(conntrack_message_time(message.body, 3), 0);
    /* An address of another family's length is none. */
    message.body[0] = AF_INET6;
    assert_int_equal(conntrack_read(&snapshot, message.body, length_of(&message), &entry),
                     -EBADMSG);
    message.body[0] = AF_UNIX;
    assert_int_equal(conntrack_read(&snapshot, message.body, length_of(&message), &entry),
                     -EBADMSG);
}

/* --- joining --- */

enum {
    ROUTER,
    CLIENT,
    SERVER,
    TWIN,
    NETNS_COUNT,
};

#define INSIDE "10.1.0.1"
#define OUTSIDE "10.2.0.1"

static union address address(const char *text)
{
    union address address = {{0}};

    assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, address.bytes), 1);
    return address;
}

static void give_address(struct snapshot *snapshot, uint32_t netns, const char *text)
{
    struct link_address *added = snapshot_add_link_address(snapshot);

    assert_non_null(added);
    added->address = address(text);
    added->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    added->netns = netns;
}

static uint32_t add_socket(struct snapshot *snapshot, uint32_t netns, enum socket_proto proto,
                           const char *local, uint16_t local_port, const char *peer,
                           uint16_t peer_port)
{
    struct socket *socket = snapshot_add_socket(snapshot);

    assert_non_null(socket);
    socket->netns = netns;
    socket->proto = (uint8_t)proto;
    socket->family = strchr(local, ':') ? AF_INET6 : AF_INET;
    socket->local = address(local);
    socket->peer = address(peer);
    socket->local_port = local_port;
    socket->peer_port = peer_port;
    socket->state = peer_port ? STATE_ESTABLISHED : STATE_UNCONNECTED;
    return snapshot->sockets_count - 1;
}

/* Client 10.1.0.2:4000 asks the router for port 80, and gets the server 10.2.0.2:8080, which knows
 * it as 10.2.0.1:5000. */
static struct conntrack *add_entry(struct snapshot *snapshot, uint8_t protocol)
{
    struct conntrack *entry = snapshot_add_conntrack(snapshot);

    assert_non_null(entry);
    entry->family = AF_INET;
    entry->protocol = protocol;
    entry->netns = ROUTER;
    entry->status = CONNTRACK_SRC_NAT | CONNTRACK_DST_NAT;
    entry->orig = (struct conntrack_tuple){
        .src = address("10.1.0.2"), .dst = address(INSIDE), .src_port = 4000, .dst_port = 80};
    entry->reply = (struct conntrack_tuple){
        .src = address("10.2.0.2"), .dst = address(OUTSIDE), .src_port = 8080, .dst_port = 5000};
    return entry;
}

static void begin(struct snapshot *snapshot)
{
    uint32_t index;

    assert_int_equal(snapshot_init(snapshot), 0);
    for (uint32_t i = 0; i < NETNS_COUNT; i++)
        assert_int_equal(snapshot_add_netns(snapshot, 4026531840u + i, &index), 0);
    give_address(snapshot, ROUTER, INSIDE);
    give_address(snapshot, ROUTER, OUTSIDE);
    give_address(snapshot, CLIENT, "10.1.0.2");
    give_address(snapshot, SERVER, "10.2.0.2");
}

/* The ends of the first entry. */
static struct nat_entry joined(const struct snapshot *snapshot, struct nat_socket *ret_sockets)
{
    struct nat_entry entry;
    struct join join;

    assert_int_equal(join_make(snapshot, NEED_CONNTRACK, &join), 0);
    entry = join.nat.entries[0];
    for (uint32_t i = 0; ret_sockets && i < snapshot->sockets_count; i++)
        ret_sockets[i] = join.nat.sockets[i];
    join_done(&join);
    return entry;
}

static void assert_found(const struct nat_entry *entry, enum nat_role role, uint32_t socket)
{
    assert_int_equal(entry->ends[role].reason, NAT_FOUND);
    assert_int_equal(entry->ends[role].socket, socket);
}

static void both_ends_of_a_router(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct nat_socket sockets[3];
    struct nat_entry entry;
    struct nat_sight sight;
    uint32_t other, client, server;

    (void)state;
    begin(&snapshot);
    other = add_socket(&snapshot, CLIENT, PROTO_TCP, "10.1.0.2", 4001, INSIDE, 80);
    client = add_socket(&snapshot, CLIENT, PROTO_TCP, "10.1.0.2", 4000, INSIDE, 80);
    /* A socket for both families. */
    server =
        add_socket(&snapshot, SERVER, PROTO_TCP, "::ffff:10.2.0.2", 8080, "::ffff:" OUTSIDE, 5000);
    add_entry(&snapshot, IPPROTO_TCP);
    entry = joined(&snapshot, sockets);
    assert_found(&entry, NAT_CLIENT, client);
    assert_found(&entry, NAT_SERVER, server);
    assert_int_equal(sockets[other].entry, NAT_NONE);
    assert_int_equal(sockets[client].role, NAT_CLIENT);
    assert_int_equal(sockets[server].role, NAT_SERVER);

    sight = nat_sight(&snapshot.conntracks[0], NAT_CLIENT);
    assert_memory_equal(sight.nat_peer.address, "\x0a\x02\0\x02", 4);
    assert_int_equal(sight.nat_peer.port, 8080);
    assert_int_equal(sight.nat_local.port, 5000);
    sight = nat_sight(&snapshot.conntracks[0], NAT_SERVER);
    assert_memory_equal(sight.nat_peer.address, "\x0a\x01\0\x02", 4);
    assert_int_equal(sight.nat_peer.port, 4000);
    assert_int_equal(sight.nat_local.port, 80);
}

static void the_entry_with_nat_says_more(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct nat_socket sockets[1];
    struct conntrack *plain;

    (void)state;
    begin(&snapshot);
    add_socket(&snapshot, CLIENT, PROTO_TCP, "10.1.0.2", 4000, INSIDE, 80);
    plain = add_entry(&snapshot, IPPROTO_TCP);
    plain->netns = CLIENT; /* tracks as well, without NAT */
    plain->status = 0;
    plain->reply = (struct conntrack_tuple){
        .src = plain->orig.dst, .dst = plain->orig.src, .src_port = 80, .dst_port = 4000};
    add_entry(&snapshot, IPPROTO_TCP);
    joined(&snapshot, sockets);
    assert_int_equal(sockets[0].entry, 1);
}

static void what_has_no_socket(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct nat_entry entry;

    (void)state;
    begin(&snapshot);
    snapshot.link_addresses_count--; /* the server is another machine */
    add_entry(&snapshot, IPPROTO_TCP);
    /* Its values, but of the router, which has not its address. */
    add_socket(&snapshot, CLIENT, PROTO_UDP, "10.1.0.2", 4000, INSIDE, 80);
    entry = joined(&snapshot, NULL);
    assert_int_equal(entry.ends[NAT_CLIENT].reason, NAT_NO_SOCKET);
    assert_int_equal(entry.ends[NAT_SERVER].reason, NAT_ELSEWHERE);
}

static void loopback_is_of_each_namespace(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct conntrack *conntrack;
    struct nat_entry entry;

    (void)state;
    begin(&snapshot);
    add_socket(&snapshot, TWIN, PROTO_TCP, "127.0.0.1", 4000, "127.0.0.1", 80);
    conntrack = add_entry(&snapshot, IPPROTO_TCP);
    conntrack->orig.src = conntrack->orig.dst = address("127.0.0.1");
    entry = joined(&snapshot, NULL);
    assert_int_equal(entry.ends[NAT_CLIENT].reason, NAT_NO_SOCKET);
}

static void datagrams(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct nat_socket sockets[3];
    struct nat_entry entry;
    uint32_t server;

    (void)state;
    begin(&snapshot);
    server = add_socket(&snapshot, SERVER, PROTO_UDP, "0.0.0.0", 8080, "0.0.0.0", 0);
    add_socket(&snapshot, TWIN, PROTO_UDP, "0.0.0.0", 8080, "0.0.0.0", 0);
    add_socket(&snapshot, SERVER, PROTO_UDP, "::", 8080, "::", 0); /* the same by SO_REUSEPORT */
    add_entry(&snapshot, IPPROTO_UDP);
    entry = joined(&snapshot, sockets);
    assert_found(&entry, NAT_SERVER, server); /* the other has not its address */
    assert_int_equal(sockets[server].entry, NAT_NONE);
    give_address(&snapshot, TWIN, "10.2.0.2");
    entry = joined(&snapshot, NULL);
    assert_int_equal(entry.ends[NAT_SERVER].reason, NAT_AMBIGUOUS);
    assert_int_equal(entry.ends[NAT_SERVER].candidates, 2);
    assert_int_equal(entry.ends[NAT_SERVER].socket, NAT_NONE);
    /* One that is bound to the address is meant rather than one for all. */
    server = add_socket(&snapshot, SERVER, PROTO_UDP, "10.2.0.2", 8080, "0.0.0.0", 0);
    entry = joined(&snapshot, NULL);
    assert_found(&entry, NAT_SERVER, server);
}

static void pings(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct conntrack *conntrack;
    struct nat_entry entry;
    uint32_t ping;

    (void)state;
    begin(&snapshot);
    ping = add_socket(&snapshot, CLIENT, PROTO_ICMP, "0.0.0.0", 77, "0.0.0.0", 0);
    add_socket(&snapshot, SERVER, PROTO_ICMP, "0.0.0.0", 77, "0.0.0.0", 0);
    conntrack = add_entry(&snapshot, IPPROTO_ICMP);
    conntrack->orig.src_port = conntrack->orig.dst_port = 0;
    conntrack->reply.src_port = conntrack->reply.dst_port = 0;
    conntrack->orig.icmp_id = conntrack->reply.icmp_id = 77;
    entry = joined(&snapshot, NULL);
    assert_found(&entry, NAT_CLIENT, ping);
    assert_int_equal(entry.ends[NAT_SERVER].reason, NAT_NO_SOCKET);
}

static void forgotten_while_idle(void **state)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct conntrack *conntrack;
    struct socket *socket;
    struct tcp_details *tcp;
    uint64_t idle_ms;

    (void)state;
    begin(&snapshot);
    add_socket(&snapshot, CLIENT, PROTO_TCP, "10.1.0.2", 4000, INSIDE, 80);
    socket = &snapshot.sockets[0];
    tcp = snapshot_add_tcp(&snapshot, socket);
    conntrack = add_entry(&snapshot, IPPROTO_TCP);
    conntrack->state = CONNTRACK_TCP_ESTABLISHED;
    conntrack->has = CONNTRACK_HAS_STATE | CONNTRACK_HAS_TIMEOUT;
    conntrack->timeout_s = 60;
    assert_false(nat_idle_ms(&snapshot, NAT_NONE, &idle_ms));
    assert_false(nat_will_forget(&snapshot, conntrack, 0)); /* nothing is known yet */
    tcp->known = TCP_INFO_FIRST;
    tcp->last_data_sent_ms = 90000;
    tcp->last_data_recv_ms = 60000;
    assert_true(nat_idle_ms(&snapshot, 0, &idle_ms));
    assert_int_equal(idle_ms, 60000);
    assert_false(nat_will_forget(&snapshot, conntrack, 0));
    tcp->last_data_recv_ms = 60001;
    assert_true(nat_will_forget(&snapshot, conntrack, 0));
    socket->timer = TIMER_KEEPALIVE;
    socket->timer_ms = 60000;
    assert_true(nat_will_forget(&snapshot, conntrack, 0));
    socket->timer_ms = 59999;
    assert_false(nat_will_forget(&snapshot, conntrack, 0));
    socket->timer = TIMER_OFF;
    conntrack->state = CONNTRACK_TCP_TIME_WAIT;
    assert_false(nat_will_forget(&snapshot, conntrack, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message),
        cmocka_unit_test(both_ends_of_a_router),
        cmocka_unit_test(the_entry_with_nat_says_more),
        cmocka_unit_test(what_has_no_socket),
        cmocka_unit_test(loopback_is_of_each_namespace),
        cmocka_unit_test(datagrams),
        cmocka_unit_test(pings),
        cmocka_unit_test(forgotten_while_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
