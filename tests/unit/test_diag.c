/* SPDX-License-Identifier: MIT */
/* Tests of the readers of sock_diag messages (unix, packet, netlink, vsock) and of mount lines. */
#include "collect/diag.h"
#include "collect/netns_scan.h"

#include <linux/sock_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

/* The fixed part of a message and its attributes, as they lie behind the nlmsghdr. */
struct message {
    char bytes[512];
    size_t length;
};

struct fixture {
    struct snapshot snapshot;
    struct request request;
    struct collection collection;
    struct diag_reader reader;
};

static void fixture_open(struct fixture *fixture)
{
    *fixture = (struct fixture){.request = {.states = STATE_ALL, .protos = PROTO_ALL}};
    fixture->request.needs = NEED_SOCKETS | NEED_MEMORY;
    assert_int_equal(snapshot_init(&fixture->snapshot), 0);
    fixture->collection = (struct collection){
        .snapshot = &fixture->snapshot, .request = &fixture->request, .own_netns = -1};
    fixture->reader =
        (struct diag_reader){.collection = &fixture->collection, .states = STATE_ALL, .port = 77};
}

static void fixture_close(struct fixture *fixture)
{
    map_done(&fixture->reader.seen);
    snapshot_done(&fixture->snapshot);
}

static void add_attribute(struct message *message, uint16_t type, const void *data, size_t length)
{
    struct nlattr header = {.nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + length)};

    memcpy(message->bytes + message->length, &header, sizeof(header));
    memcpy(message->bytes + message->length + NLA_HDRLEN, data, length);
    message->length += NLA_ALIGN(header.nla_len);
}

static struct message unix_message(const char *name, size_t name_length)
{
    const struct unix_diag_msg fixed = {.udiag_family = AF_UNIX,
                                        .udiag_type = SOCK_STREAM,
                                        .udiag_state = STATE_LISTENING,
                                        .udiag_ino = 4711,
                                        .udiag_cookie = {5, 1}};
    const struct unix_diag_rqlen queues = {.udiag_rqueue = 2, .udiag_wqueue = 128};
    const uint32_t memory[SK_MEMINFO_VARS] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    const uint32_t peer = 4712, uid = 1000;
    const uint8_t shutdown = 2;
    struct message message = {.length = sizeof(fixed)};

    memcpy(message.bytes, &fixed, sizeof(fixed));
    add_attribute(&message, UNIX_DIAG_NAME, name, name_length);
    add_attribute(&message, UNIX_DIAG_RQLEN, &queues, sizeof(queues));
    add_attribute(&message, UNIX_DIAG_PEER, &peer, sizeof(peer));
    add_attribute(&message, UNIX_DIAG_UID, &uid, sizeof(uid));
    add_attribute(&message, UNIX_DIAG_MEMINFO, memory, sizeof(memory));
    add_attribute(&message, UNIX_DIAG_SHUTDOWN, &shutdown, sizeof(shutdown));
    return message;
}

static void assert_path(const struct fixture *fixture, const char *expected, size_t expected_length)
{
    size_t length;
    const char *path =
        snapshot_string(&fixture->snapshot, fixture->snapshot.sockets[0].path, &length);

    assert_int_equal(length, expected_length);
    assert_memory_equal(path, expected, expected_length);
}

static void unix_messages(void **state)
{
    static const char abstract[] = "\0a\0b\nc";
    struct message message = unix_message("/run/x y", 9);
    const struct socket *socket;
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    assert_int_equal(diag_source_unix.add(&fixture.reader, message.bytes, message.length), 0);
    socket = &fixture.snapshot.sockets[0];
    assert_int_equal(socket->inode, 4711);
    assert_int_equal(socket->cookie, UINT64_C(0x100000005));
    assert_int_equal(socket->state, STATE_LISTENING);
    assert_int_equal(socket->recv_q, 2);
    assert_int_equal(socket->send_q, 128);
    assert_int_equal(socket->peer_inode, 4712);
    assert_int_equal(socket->uid, 1000);
    assert_int_equal(socket->drops, 9);
    assert_int_equal(socket->flags, SOCKET_SHUT_SEND);
    assert_int_equal(socket->has, SOCKET_HAS_COOKIE | SOCKET_HAS_INODE | SOCKET_HAS_QUEUES |
                                      SOCKET_HAS_BACKLOG | SOCKET_HAS_PEER_INODE | SOCKET_HAS_UID |
                                      SOCKET_HAS_DROPS | SOCKET_HAS_SHUTDOWN);
    assert_int_equal(fixture.snapshot.memories[socket->memory - 1].backlog, 8);
    assert_path(&fixture, "/run/x y", 8);
    /* The same cookie again is the same socket. */
    assert_int_equal(diag_source_unix.add(&fixture.reader, message.bytes, message.length), 0);
    assert_int_equal(fixture.snapshot.sockets_count, 1);
    fixture_close(&fixture);

    fixture_open(&fixture);
    message = unix_message(abstract, sizeof(abstract) - 1);
    assert_int_equal(diag_source_unix.add(&fixture.reader, message.bytes, message.length), 0);
    assert_true(fixture.snapshot.sockets[0].flags & SOCKET_ABSTRACT);
    assert_path(&fixture, abstract + 1, sizeof(abstract) - 2);
    fixture_close(&fixture);
}

/* A message cut anywhere, with attributes that say they are longer than what is there. */
static void cut_messages_are_survived(void **state)
{
    const struct message message = unix_message("/run/socket", 12);
    struct fixture fixture;

    (void)state;
    for (size_t length = 0; length < message.length; length++) {
        char *copy = malloc(length ? length : 1);
        int expected = length < sizeof(struct unix_diag_msg) ? -EBADMSG : 0;

        assert_non_null(copy);
        memcpy(copy, message.bytes, length);
        fixture_open(&fixture);
        assert_int_equal(diag_source_unix.add(&fixture.reader, copy, length), expected);
        fixture_close(&fixture);
        free(copy);
    }
}

/* Attributes shorter than what the kernel sends leave their fact unknown. */
static void short_attributes_tell_nothing(void **state)
{
    const struct unix_diag_msg fixed = {.udiag_family = AF_UNIX, .udiag_state = 200};
    struct message message = {.length = sizeof(fixed)};
    struct fixture fixture;

    (void)state;
    memcpy(message.bytes, &fixed, sizeof(fixed));
    add_attribute(&message, UNIX_DIAG_RQLEN, "abc", 3);
    add_attribute(&message, UNIX_DIAG_UID, "a", 1);
    add_attribute(&message, UNIX_DIAG_MEMINFO, "abcd", 4);
    add_attribute(&message, UNIX_DIAG_SHUTDOWN, "", 0);
    add_attribute(&message, UNIX_DIAG_NAME, "", 0);
    fixture_open(&fixture);
    assert_int_equal(diag_source_unix.add(&fixture.reader, message.bytes, message.length), 0);
    assert_int_equal(fixture.snapshot.sockets[0].has,
                     SOCKET_HAS_COOKIE | SOCKET_HAS_INODE | SOCKET_HAS_PEER_INODE);
    assert_int_equal(fixture.snapshot.sockets[0].state, STATE_UNKNOWN);
    assert_int_equal(fixture.snapshot.memories_count, 0);
    fixture_close(&fixture);
}

static void netlink_messages(void **state)
{
    struct netlink_diag_msg fixed = {.ndiag_family = AF_NETLINK,
                                     .ndiag_type = SOCK_RAW,
                                     .ndiag_protocol = NETLINK_SOCK_DIAG,
                                     .ndiag_portid = 77,
                                     .ndiag_ino = 9,
                                     .ndiag_cookie = {1, 0}};
    const uint32_t memory[SK_MEMINFO_VARS] = {10, 2, 30}, groups[3] = {5, 6, 7};
    struct message message = {.length = sizeof(fixed)};
    const struct socket *socket;
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    assert_int_equal(diag_source_netlink.add(&fixture.reader, &fixed, sizeof(fixed) - 1), -EBADMSG);
    /* The socket that asks is no row. */
    assert_int_equal(diag_source_netlink.add(&fixture.reader, &fixed, sizeof(fixed)), 0);
    assert_int_equal(fixture.snapshot.sockets_count, 0);
    fixed.ndiag_portid = 78;
    fixed.ndiag_state = 1;
    memcpy(message.bytes, &fixed, sizeof(fixed));
    add_attribute(&message, NETLINK_DIAG_MEMINFO, memory, sizeof(memory));
    add_attribute(&message, NETLINK_DIAG_GROUPS, groups, sizeof(groups));
    assert_int_equal(diag_source_netlink.add(&fixture.reader, message.bytes, message.length), 0);
    socket = &fixture.snapshot.sockets[0];
    assert_int_equal(socket->protocol, NETLINK_SOCK_DIAG);
    assert_int_equal(socket->state, STATE_ESTABLISHED);
    assert_int_equal(socket->local.words[0], 78);
    assert_int_equal(socket->local.words[1], 5);
    assert_int_equal(socket->recv_q, 10);
    assert_int_equal(socket->send_q, 30);
    fixture_close(&fixture);
}

static void packet_messages(void **state)
{
    const struct packet_diag_msg fixed = {
        .pdiag_family = AF_PACKET, .pdiag_type = SOCK_RAW, .pdiag_num = 0x800, .pdiag_ino = 3};
    const struct packet_diag_info info = {.pdi_index = 2};
    struct message message = {.length = sizeof(fixed)};
    struct fixture fixture;

    (void)state;
    memcpy(message.bytes, &fixed, sizeof(fixed));
    add_attribute(&message, PACKET_DIAG_INFO, &info, sizeof(info));
    fixture_open(&fixture);
    assert_int_equal(diag_source_packet.add(&fixture.reader, &fixed, 1), -EBADMSG);
    assert_int_equal(diag_source_packet.add(&fixture.reader, message.bytes, message.length), 0);
    assert_int_equal(fixture.snapshot.sockets[0].ifindex, 2);
    assert_int_equal(fixture.snapshot.sockets[0].protocol, 0x800);
    assert_false(fixture.snapshot.sockets[0].has & (SOCKET_HAS_QUEUES | SOCKET_HAS_UID));
    fixture_close(&fixture);
}

static void vsock_messages(void **state)
{
    const struct vsock_diag_msg fixed = {.vdiag_family = AF_VSOCK,
                                         .vdiag_type = SOCK_STREAM,
                                         .vdiag_state = STATE_LISTENING,
                                         .vdiag_src_cid = 3,
                                         .vdiag_src_port = 1024,
                                         .vdiag_dst_cid = UINT32_MAX,
                                         .vdiag_dst_port = UINT32_MAX};
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    assert_int_equal(diag_source_vsock.add(&fixture.reader, &fixed, sizeof(fixed) - 1), -EBADMSG);
    assert_int_equal(diag_source_vsock.add(&fixture.reader, &fixed, sizeof(fixed)), 0);
    assert_int_equal(fixture.snapshot.sockets[0].local.words[0], 3);
    assert_int_equal(fixture.snapshot.sockets[0].local.words[1], 1024);
    assert_int_equal(fixture.snapshot.sockets[0].peer.words[0], UINT32_MAX);
    assert_false(fixture.snapshot.sockets[0].has & SOCKET_HAS_QUEUES);
    fixture_close(&fixture);
}

static void mount_lines(void **state)
{
    char good[] = "310 24 0:4 net:[4026532247] /run/netns/a\\040b rw shared:1 - nsfs nsfs rw\n";
    char other_type[] = "310 24 0:4 mnt:[4026532247] /run/x rw - nsfs nsfs rw\n";
    char other_filesystem[] = "310 24 0:4 net:[4026532247] /run/x rw - tmpfs nsfs rw\n";
    char number[] = "310 24 0:4 net:[40265322470] /run/x rw - nsfs nsfs rw\n";
    char shortened[] = "310 24 0:4 net:[4026532247]";
    char empty[] = "";
    struct netns_sighting sighting;

    (void)state;
    assert_int_equal(netns_parse_mount(good, &sighting), 0);
    assert_int_equal(sighting.inode, 4026532247);
    assert_string_equal(sighting.path, "/run/netns/a b");
    assert_string_equal(sighting.name, "a b");
    assert_int_equal(netns_parse_mount(other_type, &sighting), -EINVAL);
    assert_int_equal(netns_parse_mount(other_filesystem, &sighting), -EINVAL);
    assert_int_equal(netns_parse_mount(number, &sighting), -EINVAL);
    assert_int_equal(netns_parse_mount(shortened, &sighting), -EINVAL);
    assert_int_equal(netns_parse_mount(empty, &sighting), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unix_messages),    cmocka_unit_test(cut_messages_are_survived),
        cmocka_unit_test(netlink_messages), cmocka_unit_test(short_attributes_tell_nothing),
        cmocka_unit_test(packet_messages),  cmocka_unit_test(vsock_messages),
        cmocka_unit_test(mount_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
