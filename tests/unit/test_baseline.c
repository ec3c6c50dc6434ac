/* SPDX-License-Identifier: MIT */
/* Tests of the allow list and of the file of the baseline: what is read, and what is refused. */
#include "derive/baseline.h"
#include "derive/health/allowed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>

static void entries_of_the_allow_list(void **state)
{
    static const struct {
        const char *word, *who;
        uint8_t proto, family, last; /* byte of the address */
        uint16_t low, high;
    } cases[] = {
        {"tcp/22", NULL, PROTO_TCP, 0, 0, 22, 22},
        {"udp/60000-61000", NULL, PROTO_UDP, 0, 0, 60000, 61000},
        {"tcp/443@nginx", "nginx", PROTO_TCP, 0, 0, 443, 443},
        {"tcp/10.0.0.9:5432", NULL, PROTO_TCP, AF_INET, 9, 5432, 5432},
        {"tcp/[::7]:1-65535@a@b:1", "a@b:1", PROTO_TCP, AF_INET6, 7, 1, 65535},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct allowed_listener allowed;

        assert_int_equal(allowed_parse(cases[i].word, &allowed), 0);
        assert_int_equal(allowed.proto, cases[i].proto);
        assert_int_equal(allowed.family, cases[i].family);
        assert_int_equal(allowed.address.bytes[allowed.family == AF_INET ? 3 : 15], cases[i].last);
        assert_int_equal(allowed.low, cases[i].low);
        assert_int_equal(allowed.high, cases[i].high);
        if (cases[i].who)
            assert_string_equal(allowed.who, cases[i].who);
        else
            assert_null(allowed.who);
    }
}

static void what_is_no_entry(void **state)
{
    static const char *const words[] = {
        "",
        "tcp",
        "tcp/",
        "tcp/0",
        "tcp/65536",
        "tcp/-1",
        "tcp/22-21",
        "tcp/22-",
        "tcp/22x",
        "tcp/22@",
        "tcp/000022",
        "icmp/1",
        "22",
        "tcp/http",
        "tcp/:22",
        "tcp/10.0.0:22",
        "tcp/::1:22",
        "tcp/[::1]",
        "tcp/[10.0.0.1]:22",
        "tcp/[::1:22",
        "TCP/22",
        "tcp/10.0.0.1",
        "tcp/1.1.1.1:22-",
        "tcp/22 ",
        "tcp/[0123456789012345678901234567890123456789012345678901234567890]:22",
    };
    struct allowed_listener allowed;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (allowed_parse(words[i], &allowed) != -EINVAL)
            fail_msg("\"%s\" was taken", words[i]);
}

#define HEADER BASELINE_COLUMNS "\n"

static void a_baseline_is_read(void **state)
{
    static const char text[] =
        "# a comment\n" HEADER "tcp,0.0.0.0,22,sshd,ssh.service,init\n"
        "# another\nudp,::,53,\"a, \"\"b\"\"\\x0a\\r\\\\\",,blue\ntcp,10.0.0.1,80,,,blue\n";
    struct snapshot snapshot;
    struct socket moved;
    uint32_t line = 0;

    (void)state;
    assert_int_equal(baseline_parse(text, &snapshot, &line), 0);
    assert_int_equal(snapshot.sockets_count, 3);
    assert_int_equal(snapshot.netns_count, 2);
    assert_int_equal(snapshot.processes_count, 2);
    assert_int_equal(snapshot.sockets[0].state, STATE_LISTENING);
    assert_int_equal(snapshot.sockets[1].state, STATE_UNCONNECTED);
    assert_int_equal(snapshot.sockets[1].family, AF_INET6);
    assert_int_equal(snapshot.sockets[2].netns, snapshot.sockets[1].netns);
    assert_string_equal(snapshot_string(&snapshot, snapshot.processes[0].comm, NULL), "sshd");
    assert_string_equal(snapshot_string(&snapshot, snapshot.processes[1].comm, NULL),
                        "a, \"b\"\n\r\\");
    moved = snapshot.sockets[2];
    assert_true(baseline_place(&snapshot, &moved) ==
                baseline_place(&snapshot, &snapshot.sockets[2]));
    moved.local_port++;
    assert_true(baseline_place(&snapshot, &moved) !=
                baseline_place(&snapshot, &snapshot.sockets[2]));
    moved = snapshot.sockets[2];
    moved.netns = snapshot.sockets[0].netns;
    assert_true(baseline_place(&snapshot, &moved) !=
                baseline_place(&snapshot, &snapshot.sockets[2]));
    snapshot_done(&snapshot);
}

static void what_is_no_baseline(void **state)
{
    static const struct {
        const char *text;
        uint32_t line;
    } cases[] = {
        {"", 1},
        {"# nothing\n", 2},
        {"tcp,0.0.0.0,22,,,init\n", 1},
        {HEADER "\ntcp,0.0.0.0,22,,,init\n", 2},
        {HEADER "tcp,0.0.0.0,22,,init\n", 2},
        {HEADER "tcp,0.0.0.0,22,,,init,\n", 2},
        {HEADER "tcp,0.0.0.0,22,,,\n", 2},
        {HEADER "tcp,0.0.0.0,0,,,init\n", 2},
        {HEADER "tcp,0.0.0.0,65536,,,init\n", 2},
        {HEADER "tcp,0.0.0,22,,,init\n", 2},
        {HEADER "tcp,,22,,,init\n", 2},
        {HEADER "tcq,0.0.0.0,22,,,init\n", 2},
        {HEADER "tcp,0.0.0.0,22,\"sshd,,init\n", 2},
        {HEADER "tcp,0.0.0.0,22,\"sshd\"x,,init\n", 2},
        {HEADER "tcp,0.0.0.0,22,,,init\nrubbish", 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct snapshot snapshot;
        uint32_t line = 0;

        if (baseline_parse(cases[i].text, &snapshot, &line) != -EBADMSG || line != cases[i].line)
            fail_msg("case %zu: line %u", i, line);
    }
}

static void nobody_listened(void **state)
{
    struct snapshot snapshot;
    uint32_t line;

    (void)state;
    assert_int_equal(baseline_parse(HEADER, &snapshot, &line), 0);
    assert_int_equal(snapshot.sockets_count, 0);
    snapshot_done(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_of_the_allow_list), cmocka_unit_test(what_is_no_entry),
        cmocka_unit_test(a_baseline_is_read),        cmocka_unit_test(what_is_no_baseline),
        cmocka_unit_test(nobody_listened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
