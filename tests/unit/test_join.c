/* SPDX-License-Identifier: MIT */
/* Tests of the join: which listener a connection came in by, on hand-made sockets. */
#include "derive/join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

/* A socket in network namespace 0, without peer. Returns its index. */
static uint32_t add(struct snapshot *snapshot, unsigned int state, const char *local, uint16_t port)
{
    struct socket *socket = snapshot_add_socket(snapshot);

    assert_non_null(socket);
    socket->proto = PROTO_TCP;
    socket->state = (uint8_t)state;
    socket->family = strchr(local, ':') ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(socket->family, local, socket->local.bytes), 1);
    socket->local_port = port;
    return snapshot->sockets_count - 1;
}

static uint32_t listener_of(const struct snapshot *snapshot, uint32_t connection)
{
    struct join join;
    uint32_t listener;

    assert_int_equal(join_make(snapshot, 0, &join), 0);
    listener = join.sockets[connection].listener;
    join_done(&join);
    return listener;
}

static void an_address_comes_before_the_wildcard(void **state)
{
    struct snapshot snapshot;
    uint32_t any, exact, one, other, elsewhere;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    exact = add(&snapshot, STATE_LISTENING, "10.0.0.1", 80);
    any = add(&snapshot, STATE_LISTENING, "0.0.0.0", 80);
    add(&snapshot, STATE_LISTENING, "10.0.0.2", 81);
    one = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 80);
    other = add(&snapshot, STATE_ESTABLISHED, "10.0.0.2", 80);
    elsewhere = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 81);
    assert_int_equal(listener_of(&snapshot, one), exact);
    assert_int_equal(listener_of(&snapshot, other), any);
    assert_int_equal(listener_of(&snapshot, elsewhere), JOIN_NONE);
    snapshot.sockets[one].netns = 1;
    assert_int_equal(listener_of(&snapshot, one), JOIN_NONE);
    snapshot.sockets[other].proto = PROTO_SCTP;
    assert_int_equal(listener_of(&snapshot, other), JOIN_NONE);
    snapshot_done(&snapshot);
}

static void families_share_a_port_or_not(void **state)
{
    struct snapshot snapshot;
    uint32_t both, four, mapped, six, plain;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    both = add(&snapshot, STATE_LISTENING, "::", 80);
    mapped = add(&snapshot, STATE_ESTABLISHED, "::ffff:10.0.0.1", 80);
    plain = add(&snapshot, STATE_SYN_RECV, "10.0.0.1", 80);
    six = add(&snapshot, STATE_ESTABLISHED, "fd00::1", 80);
    assert_int_equal(listener_of(&snapshot, mapped), both);
    assert_int_equal(listener_of(&snapshot, plain), both);
    assert_int_equal(listener_of(&snapshot, six), both);
    snapshot.sockets[both].flags |= SOCKET_V6ONLY;
    assert_int_equal(listener_of(&snapshot, mapped), JOIN_NONE);
    assert_int_equal(listener_of(&snapshot, plain), JOIN_NONE);
    assert_int_equal(listener_of(&snapshot, six), both);
    four = add(&snapshot, STATE_LISTENING, "0.0.0.0", 80);
    assert_int_equal(listener_of(&snapshot, plain), four);
    assert_int_equal(listener_of(&snapshot, six), both);
    snapshot.sockets[both].flags &= (uint16_t)~SOCKET_V6ONLY;
    assert_int_equal(listener_of(&snapshot, plain), four);
    assert_int_equal(listener_of(&snapshot, mapped), both); /* beside it by SO_REUSEPORT */
    snapshot_done(&snapshot);
}

static void a_bound_device_is_minded(void **state)
{
    struct snapshot snapshot;
    uint32_t bound, every, there, here, only;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    every = add(&snapshot, STATE_LISTENING, "0.0.0.0", 80);
    bound = add(&snapshot, STATE_LISTENING, "0.0.0.0", 80);
    only = add(&snapshot, STATE_LISTENING, "0.0.0.0", 81);
    there = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 80);
    here = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 80);
    snapshot.sockets[bound].ifindex = snapshot.sockets[only].ifindex = 2;
    snapshot.sockets[there].ifindex = 2;
    assert_int_equal(listener_of(&snapshot, there), bound);
    assert_int_equal(listener_of(&snapshot, here), every);
    snapshot.sockets[there].ifindex = 3; /* bound by the owner, after it came in */
    assert_int_equal(listener_of(&snapshot, there), every);
    snapshot.sockets[here].local_port = 81;
    assert_int_equal(listener_of(&snapshot, here), JOIN_NONE);
    snapshot_done(&snapshot);
}

/* SO_REUSEPORT, and many addresses: a search of each listener for each connection would take 10^10
 * steps. */
static void many_listeners_on_one_port_are_fast(void **state)
{
    const uint32_t count = 100000;
    struct snapshot snapshot;
    struct join join;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t address = htonl(0x0a000000u + i),
                 index = add(&snapshot, STATE_LISTENING, "::", 80);

        if (i % 2 == 0)
            continue;
        snapshot.sockets[index].family = AF_INET;
        memcpy(snapshot.sockets[index].local.bytes, &address, sizeof(address));
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t address = htonl(0x0a000000u + i);
        uint32_t index = add(&snapshot, STATE_SYN_RECV, "0.0.0.0", 80);

        memcpy(snapshot.sockets[index].local.bytes, &address, sizeof(address));
    }
    assert_int_equal(join_make(&snapshot, 0, &join), 0);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(join.sockets[count + i].listener, i % 2 ? i : 0);
    assert_int_equal(join.sockets[1].syn_queue, 1);
    join_done(&join);
    snapshot_done(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_comes_before_the_wildcard),
        cmocka_unit_test(families_share_a_port_or_not),
        cmocka_unit_test(a_bound_device_is_minded),
        cmocka_unit_test(many_listeners_on_one_port_are_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
