/* SPDX-License-Identifier: MIT */
/* Tests of the join: which listener a connection came in by, on hand-made sockets. */
#include "derive/join.h"
#include "model/request.h"

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

static void add_flow(struct snapshot *snapshot, const char *local, uint16_t port, uint32_t process)
{
    struct flow *flow = snapshot_add_flow(snapshot);

    assert_non_null(flow);
    flow->proto = PROTO_TCP;
    flow->family = strchr(local, ':') ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(flow->family, local, flow->local.bytes), 1);
    flow->local_port = port;
    flow->process = process;
    flow->total.rx_bytes = UINT64_C(1) << snapshot->flows_count;
    flow->window[FLOW_LAST].tx_bytes = snapshot->flows_count;
}

static void hold(struct snapshot *snapshot, uint32_t socket, uint32_t pid)
{
    struct holder holder = {.inode = snapshot->sockets[socket].inode = 100 + socket};

    assert_int_equal(snapshot_add_process(snapshot, pid, &holder.process), 0);
    assert_int_equal(snapshot_add_holder(snapshot, holder), 0);
}

/* Each flow is in one sum; its number is the bit in what was received. */
static void listeners_have_what_their_connections_moved(void **state)
{
    struct snapshot snapshot;
    struct join join;
    uint32_t any, exact, both, first, second;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    any = add(&snapshot, STATE_LISTENING, "0.0.0.0", 80);
    exact = add(&snapshot, STATE_LISTENING, "10.0.0.1", 80);
    both = add(&snapshot, STATE_LISTENING, "::", 81);
    first = add(&snapshot, STATE_LISTENING, "0.0.0.0", 82);
    second = add(&snapshot, STATE_LISTENING, "0.0.0.0", 82);
    hold(&snapshot, first, 7);
    hold(&snapshot, second, 8);
    add_flow(&snapshot, "10.0.0.1", 80, 0);        /* 1 */
    add_flow(&snapshot, "10.0.0.2", 80, 0);        /* 2 */
    add_flow(&snapshot, "::ffff:10.0.0.1", 81, 0); /* 3 */
    add_flow(&snapshot, "10.0.0.1", 81, 1);        /* 4 */
    add_flow(&snapshot, "fd00::1", 81, 2);         /* 5 */
    add_flow(&snapshot, "10.0.0.1", 82, 1);        /* 6 */
    add_flow(&snapshot, "10.0.0.1", 82, 2);        /* 7: of the second process */
    add_flow(&snapshot, "10.0.0.1", 82, 0);        /* 8: of nobody that is known */
    add_flow(&snapshot, "10.0.0.1", 82, 0);        /* 9 */
    snapshot.flows[8].netns = 1;
    add_flow(&snapshot, "10.0.0.1", 82, 0); /* 10 */
    snapshot.flows[9].proto = PROTO_UDP;
    add_flow(&snapshot, "fd00::1", 80, 0);    /* 11 */
    add_flow(&snapshot, "10.0.0.1", 4000, 0); /* 12 */
    assert_int_equal(join_make(&snapshot, NEED_SERVED, &join), 0);
    assert_int_equal(join.served[any].total.rx_bytes, 1u << 2);
    assert_int_equal(join.served[exact].total.rx_bytes, 1u << 1);
    assert_int_equal(join.served[both].total.rx_bytes, 1u << 3 | 1u << 4 | 1u << 5);
    assert_int_equal(join.served[first].total.rx_bytes, 1u << 6 | 1u << 8);
    assert_int_equal(join.served[second].total.rx_bytes, 1u << 7);
    assert_int_equal(join.served[both].last.tx_bytes, 3 + 4 + 5);
    join_done(&join);
    assert_int_equal(join_make(&snapshot, 0, &join), 0);
    assert_null(join.served);
    join_done(&join);
    snapshot_done(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listeners_have_what_their_connections_moved),
        cmocka_unit_test(an_address_comes_before_the_wildcard),
        cmocka_unit_test(families_share_a_port_or_not),
        cmocka_unit_test(a_bound_device_is_minded),
        cmocka_unit_test(many_listeners_on_one_port_are_fast),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
