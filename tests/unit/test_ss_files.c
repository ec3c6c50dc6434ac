/* SPDX-License-Identifier: MIT */
/* Files that stand for the kernel's in ss: which variables count, and how unix sockets are shown.
 */
#include "collect/proc_path.h"
#include "compat/ss_files.h"
#include "compat/ss_unix_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static const char *const variables[] = {"PROC_ROOT",     "TCPDIAG_FILE",  "PROC_NET_TCP",
                                        "PROC_NET_TCP6", "PROC_NET_UNIX", "PROC_NET_MPTCP",
                                        "PROC_NET_SNMP"};

static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
        unsetenv(variables[i]);
    return 0;
}

static void expect_path(const struct ss_files *files, const char *name, const char *expected)
{
    char path[64], short_path[4];

    assert_int_equal(proc_path(&files->files, name, path, sizeof(path)), 0);
    assert_string_equal(path, expected);
    if (strlen(expected) >= sizeof(short_path))
        assert_int_equal(proc_path(&files->files, name, short_path, sizeof(short_path)),
                         -ENAMETOOLONG);
}

static void nothing_is_set(void **state)
{
    struct ss_files files;
    uint32_t protos = PROTO_ALL;

    (void)state;
    assert_false(request_files_stand_for_machine(ss_files_find(&files, &protos)));
    assert_int_equal(protos, PROTO_ALL);
    expect_path(&files, "net/snmp", "/proc/thread-self/net/snmp");
    expect_path(&files, "sys/net/x", "/proc/sys/net/x");
}

static void one_table(void **state)
{
    struct ss_files files;
    uint32_t protos = PROTO_ALL;
    const struct request_files *found;

    (void)state;
    setenv("PROC_NET_TCP6", "/t6", 1); /* alone it changes nothing */
    assert_false(request_files_stand_for_machine(ss_files_find(&files, &protos)));
    setenv("PROC_NET_TCP", "", 1);
    found = ss_files_find(&files, &protos);
    assert_true(request_files_stand_for_machine(found));
    assert_int_equal(found->protos, PROTO_BIT(PROTO_TCP));
    expect_path(&files, "net/tcp", "");
    expect_path(&files, "net/tcp6", "/t6");
    expect_path(&files, "net/udp", "/proc/thread-self/net/udp");
    assert_null(found->proc);
    assert_null(found->tcp_dump);
}

static void a_tree_and_a_dump(void **state)
{
    struct ss_files files;
    uint32_t protos = PROTO_ALL;
    const struct request_files *found;

    (void)state;
    setenv("PROC_ROOT", "/tree", 1);
    setenv("TCPDIAG_FILE", "/dump", 1);
    found = ss_files_find(&files, &protos);
    assert_string_equal(found->proc, "/tree");
    assert_string_equal(found->tcp_dump, "/dump");
    assert_true(found->protos & PROTO_BIT(PROTO_NETLINK));
    assert_false(protos & (PROTO_BIT(PROTO_MPTCP) | PROTO_BIT(PROTO_SCTP) | PROTO_BIT(PROTO_DCCP)));
    assert_true(protos & PROTO_BIT(PROTO_VSOCK));
    expect_path(&files, "net/snmp", "/tree/net/snmp");
    expect_path(&files, "sys/net/x", "/tree/sys/net/x");
    setenv("PROC_NET_SNMP", "/x", 1);
    ss_files_find(&files, &protos);
    expect_path(&files, "net/snmp", "/x");
    setenv("PROC_ROOT", "", 1);
    assert_string_equal(ss_files_find(&files, &protos)->proc, "/");
}

static void kernels_that_are_not_asked(void **state)
{
    struct ss_files files;
    uint32_t protos = PROTO_ALL;

    (void)state;
    setenv("PROC_NET_MPTCP", "x", 1);
    assert_false(request_files_stand_for_machine(ss_files_find(&files, &protos)));
    assert_int_equal(protos, PROTO_ALL & ~PROTO_BIT(PROTO_MPTCP));
}

static void states_of_unix_files(void **state)
{
    struct socket socket = {
        .family = AF_UNIX, .type = SOCK_DGRAM, .state = STATE_UNCONNECTED, .local.words[0] = 1};

    (void)state;
    assert_int_equal(ss_shown_state(&socket), STATE_ESTABLISHED);
    socket.has = SOCKET_HAS_COOKIE;
    assert_int_equal(ss_shown_state(&socket), STATE_UNCONNECTED);
    socket.has = 0;
    socket.local.words[0] = 0;
    assert_int_equal(ss_shown_state(&socket), STATE_UNCONNECTED);
    socket.local.words[0] = 1;
    socket.type = SOCK_STREAM;
    assert_int_equal(ss_shown_state(&socket), STATE_UNCONNECTED);
    assert_int_equal(ss_unix_file_name("/a b", 4), 2);
    assert_int_equal(ss_unix_file_name("/a\tb", 4), 2);
    assert_int_equal(ss_unix_file_name("", 0), 0);
    assert_int_equal(ss_unix_file_name("/ab", 3), 3);
}

/* By type and inode, 1681 at a time; equals stay as they were. */
static void order_of_unix_files(void **state)
{
    enum { COUNT = 3000, PART = 1681 };
    struct snapshot snapshot;
    uint32_t rows[COUNT];

    (void)state;
    assert_int_equal(snapshot_init(&snapshot), 0);
    for (uint32_t i = 0; i < COUNT; i++) {
        struct socket *socket = snapshot_add_socket(&snapshot);

        assert_non_null(socket);
        socket->type = i % 2 ? SOCK_STREAM : SOCK_SEQPACKET;
        socket->inode = i < 4 ? 0 : COUNT - i;
        rows[i] = i;
    }
    ss_unix_file_sort(&snapshot, rows, COUNT);
    assert_int_equal(rows[0], 1);
    assert_int_equal(rows[1], 3);
    assert_int_equal(rows[2], PART - 2);
    assert_int_equal(rows[PART / 2], 0);
    assert_int_equal(rows[PART - 1], 4);
    assert_int_equal(rows[PART], COUNT - 1);
    ss_unix_file_sort(&snapshot, rows, 0);
    snapshot_done(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_set, clear_environment),
        cmocka_unit_test_setup(one_table, clear_environment),
        cmocka_unit_test_setup(a_tree_and_a_dump, clear_environment),
        cmocka_unit_test_setup(kernels_that_are_not_asked, clear_environment),
        cmocka_unit_test(states_of_unix_files),
        cmocka_unit_test(order_of_unix_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
