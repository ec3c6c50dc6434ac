/* SPDX-License-Identifier: MIT */
/* Tests of the join: which listener a connection came in by, on hand-made sockets. */
#include "base/buf.h"
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

/* --- who holds a socket, or why nobody is known to --- */

static void set_inode(struct snapshot *snapshot, uint32_t socket, uint64_t inode)
{
    snapshot->sockets[socket].inode = inode;
    snapshot->sockets[socket].has |= SOCKET_HAS_INODE;
}

static void check_note(const struct snapshot *snapshot, uint32_t socket, const char *expected)
{
    struct buf text = BUF_INIT;
    struct join join;

    assert_int_equal(join_make(snapshot, 0, &join), 0);
    join_owner_note(snapshot, &join, socket, &text);
    assert_string_equal(buf_string(&text), expected);
    buf_done(&text);
    join_done(&join);
}

static uint32_t add_unix(struct snapshot *snapshot)
{
    uint32_t socket = add(snapshot, STATE_ESTABLISHED, "0.0.0.0", 0);

    snapshot->sockets[socket].proto = PROTO_UNIX;
    snapshot->sockets[socket].family = AF_UNIX;
    return socket;
}

static void a_socket_without_an_inode_says_why(void **state)
{
    static const struct {
        enum socket_state state;
        uint16_t port;
        const char *note;
    } cases[] = {
        {STATE_TIME_WAIT, 80, "time-wait"},
        {STATE_SYN_RECV, 80, "handshake of nginx(7)"},
        {STATE_SYN_RECV, 81, "handshake"},
        {STATE_SYN_RECV, 82, "handshake"}, /* whose listener nobody has */
        {STATE_ESTABLISHED, 80, "accept-queue of nginx(7)"},
        {STATE_CLOSE_WAIT, 80, "accept-queue of nginx(7)"},
        {STATE_ESTABLISHED, 81, "kernel"},
        {STATE_CLOSE_WAIT, 81, "kernel"},
        {STATE_FIN_WAIT_1, 80, "orphan"},
    };
    struct snapshot snapshot;
    uint32_t listener, index;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    snapshot.owners_known = true;
    listener = add(&snapshot, STATE_LISTENING, "0.0.0.0", 80);
    hold(&snapshot, listener, 7);
    index = map_get(&snapshot.process_index, 7);
    assert_int_equal(snapshot_intern(&snapshot, "nginx", 5, &snapshot.processes[index].comm), 0);
    add(&snapshot, STATE_LISTENING, "0.0.0.0", 82);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t socket = add(&snapshot, cases[i].state, "10.0.0.1", cases[i].port);

        set_inode(&snapshot, socket, 0);
        check_note(&snapshot, socket, cases[i].note);
    }
    check_note(&snapshot, listener, "");
    snapshot_done(&snapshot);
}

static void a_socket_that_nobody_has_says_why(void **state)
{
    struct snapshot snapshot;
    uint32_t tcp, accepted, unknown;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    tcp = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 1);
    set_inode(&snapshot, tcp, 55);
    accepted = add_unix(&snapshot);
    set_inode(&snapshot, accepted, 0);
    unknown = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 2); /* whose inode is not known */
    check_note(&snapshot, tcp, "");                             /* nobody was asked */
    snapshot.owners_known = true;
    check_note(&snapshot, accepted, "accept-queue");
    check_note(&snapshot, unknown, "kernel");
    check_note(&snapshot, tcp, "other pid namespace");
    snapshot.pidns_is_init = true;
    check_note(&snapshot, tcp, "closed meanwhile, kernel, or in flight over a unix socket");
    snapshot.sockets[tcp].has |= SOCKET_HAS_FILE;
    check_note(&snapshot, tcp, "kernel");
    snapshot.sockets[tcp].flags |= SOCKET_FILE;
    check_note(&snapshot, tcp, "in flight over a unix socket");
    snapshot.sockets[unknown].flags |= SOCKET_KERNEL;
    check_note(&snapshot, unknown, "kernel");
    snapshot_note(&snapshot, NOTE_DETAIL, "proc", -EACCES, "nothing about owners");
    snapshot_note(&snapshot, NOTE_OWNERS, "proc", -EXDEV, "another pid namespace");
    check_note(&snapshot, tcp, "in flight over a unix socket");
    snapshot_note(&snapshot, NOTE_OWNERS, "proc", -EACCES, "owners are hidden");
    check_note(&snapshot, tcp, "no permission");
    snapshot_done(&snapshot);
}

static void add_holder(struct snapshot *snapshot, uint32_t pid, uint64_t inode, uint32_t tid,
                       int fd)
{
    struct holder holder = {.inode = inode, .tid = tid, .fd = fd};

    assert_int_equal(snapshot_add_process(snapshot, pid, &holder.process), 0);
    assert_int_equal(snapshot_add_holder(snapshot, holder), 0);
}

static void holders_are_ordered_and_shared(void **state)
{
    static const struct {
        uint32_t pid, tid;
        int fd;
    } ordered[] = {{3, 0, 9}, {7, 0, 4}, {7, 0, 4}, {7, 0, 5}, {7, 8, 1}, {7, 9, 0}};
    static const uint8_t came[] = {4, 3, 1, 5, 0, 2};
    struct snapshot snapshot;
    struct join join;
    uint32_t subflow, main, none;

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    subflow = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 1);
    main = add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 2);
    none = add(&snapshot, STATE_TIME_WAIT, "10.0.0.1", 3);
    set_inode(&snapshot, subflow, 5);
    set_inode(&snapshot, main, 5);
    set_inode(&snapshot, none, 0);
    for (size_t i = 0; i < ARRAY_SIZE(came); i++)
        add_holder(&snapshot, ordered[came[i]].pid, 5, ordered[came[i]].tid, ordered[came[i]].fd);
    add_holder(&snapshot, 7, 4711, 0, 6); /* of a socket that is gone */
    assert_int_equal(snapshot_add_thread(&snapshot, (struct thread){.process = 0}), 0);
    assert_int_equal(
        snapshot_add_thread(&snapshot, (struct thread){.process = 0, .private_files = 1}), 0);
    assert_int_equal(join_make(&snapshot, NEED_DESCRIPTORS, &join), 0);
    assert_int_equal(join.order_count, ARRAY_SIZE(ordered));
    for (uint32_t i = 0; i < ARRAY_SIZE(ordered); i++) {
        const struct holder *holder = join_holder(&snapshot, &join, main, i);

        assert_int_equal(snapshot.processes[holder->process].pid, ordered[i].pid);
        assert_int_equal(holder->tid, ordered[i].tid);
        assert_int_equal(holder->fd, ordered[i].fd);
        assert_int_equal(join.order_sockets[i], main);
    }
    assert_int_equal(join.sockets[subflow].holder_count, ARRAY_SIZE(ordered));
    assert_int_equal(join.sockets[none].holder_count, 0);
    assert_int_equal(join.processes[0].thread_count, 2);
    assert_int_equal(join.processes[0].sharing_threads, 1);
    join_done(&join);
    snapshot_done(&snapshot);
}

static void directions_have_names(void **state)
{
    struct snapshot snapshot;
    struct join join;
    uint32_t socket;

    (void)state;
    assert_string_equal(socket_direction_name(DIRECTION_OUT), "out");
    assert_string_equal(socket_direction_name(99), "unknown");
    assert_int_equal(snapshot_init(&snapshot), 0);
    socket = add(&snapshot, STATE_UNKNOWN, "10.0.0.1", 1);
    add(&snapshot, STATE_BOUND_INACTIVE, "10.0.0.1", 1);
    add(&snapshot, STATE_UNCONNECTED, "10.0.0.1", 1);
    add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 1);
    snapshot.sockets[3].peer = snapshot.sockets[3].local;
    add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 1);
    snapshot.sockets[4].peer.bytes[0] = 127;
    add(&snapshot, STATE_ESTABLISHED, "10.0.0.1", 1);
    snapshot.sockets[5].peer.bytes[0] = 8;
    add_unix(&snapshot);
    assert_int_equal(join_make(&snapshot, 0, &join), 0);
    for (uint32_t i = socket; i < 3; i++)
        assert_int_equal(join.sockets[i].direction, DIRECTION_UNKNOWN);
    assert_int_equal(join.sockets[3].direction, DIRECTION_LOCAL);
    assert_int_equal(join.sockets[4].direction, DIRECTION_LOCAL);
    assert_int_equal(join.sockets[5].direction, DIRECTION_OUT);
    assert_int_equal(join.sockets[6].direction, DIRECTION_UNKNOWN);
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
        cmocka_unit_test(a_socket_without_an_inode_says_why),
        cmocka_unit_test(a_socket_that_nobody_has_says_why),
        cmocka_unit_test(holders_are_ordered_and_shared),
        cmocka_unit_test(directions_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
