/* SPDX-License-Identifier: MIT */
/* Tests of the filter language: every rule of the grammar, on a hand-made machine. */
#include "filter_fixture.h"

#include <netdb.h>

static struct machine machine;

static int set_up(void **state)
{
    (void)state;
    machine_make(&machine);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    machine_done(&machine);
    return 0;
}

/* The rows of `table` that the expression accepts, as "0 3 7". */
static void expect_rows(const struct table *table, const char *text, const char *rows)
{
    struct arena arena = {0};
    struct filter *filter = NULL;
    struct filter_error error = {{0}, 0, 0};
    char found[128] = "";
    int r = filter_compile(table, text, &arena, &filter, &error);

    if (r < 0)
        fail_msg("%s: %s", text, error.message);
    for (uint32_t row = 0; row < table->row_count(&machine.view); row++)
        if (filter_accepts(filter, &machine.view, row))
            snprintf(found + strlen(found), sizeof(found) - strlen(found), "%s%u",
                     *found ? " " : "", row);
    if (strcmp(found, rows) != 0)
        fail_msg("%s: rows %s, expected %s", text, found, rows);
    filter_done(filter);
    arena_done(&arena);
}

struct example {
    const char *text, *rows;
};

static void expect_all(const struct table *table, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_rows(table, examples[i].text, examples[i].rows);
}

#define ALL "0 1 2 3 4 5 6 7 8 9 10"

static void joins_bind_as_they_should(void **state)
{
    static const struct example examples[] = {
        {"", ALL},
        {"  \t\n ", ALL},
        /* ss(8) reads this from left to right */
        {"sport = 36266 or sport = 443 and dport = 50312", "1"},
        {"dport = 36266 or sport = 22 and dport = 50313", "2 8"},
        {"(dport = 36266 or sport = 22) and dport = 50313", "8"},
        {"dport=36266||sport=22&&dport=50313", "2 8"},
        {"dport 36266|sport 22&dport 50313", "2 8"},
        {"not tcp or tcp and sport 22", "0 4 5 6 7 8 9"},
        {"not (tcp or unix)", "4 5 9"},
        {"!tcp !unix", "4 5 9"},
        {"not not udp", "4 5"},
        {"! ! ! udp", "0 1 2 3 6 7 8 9 10"},
        {"tcp and not state established", "0 3 8 10"},
        {"(( tcp )( sport = 22 ))", "0 8"},
        {"TCP AND NOT Established", "0 3 8 10"},
    };

    (void)state;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

static void sets_of_states_protocols_families(void **state)
{
    static const struct example examples[] = {
        {"tcp", "0 1 2 3 8 10"},
        {"tcp udp", "0 1 2 3 4 5 8 10"},
        {"tcp udp sport 53", "4"},
        {"tcp,udp", "0 1 2 3 4 5 8 10"},
        {"tcp,udp unix", "0 1 2 3 4 5 6 7 8 10"},
        {"established,close-wait tcp,udp", "1 2 3 5"},
        {"close-wait time-wait,listening", "0 3 6 8 10"},
        {"inet,inet6 close-wait", "3"},
        {"unix netlink", "6 7 9"},
        {"inet", "0 1 4 5 8"},
        {"inet6", "2 3 10"},
        {"ip6 tcp", "2 3 10"},
        {"proto = udp", "4 5"},
        {"proto != tcp", "4 5 6 7 9"},
        {"proto udp,unix", "4 5 6 7"},
        {"family inet6", "2 3 10"},
        {"family = unix,netlink", "6 7 9"},
        {"state established", "1 2 5 7"},
        {"state established,time-wait", "1 2 5 7 8"},
        {"state ESTABLISHED,TIME_WAIT", "1 2 5 7 8"},
        {"ESTABLISHED CLOSE_WAIT tcp", "1 2 3"},
        {"state established state time-wait", "1 2 5 7 8"},
        {"state ESTAB tcp", "1 2"},
        {"state connected", "1 2 3 5 7 8"},
        {"state synchronized tcp", "1 2 3 8"},
        {"state bucket", "8"},
        {"state all", ALL},
        {"all", ALL},
        {"exclude established", "0 3 4 6 8 9 10"},
        {"exclude listening exclude established", "3 4 8 9"},
        {"state != established tcp", "0 3 8 10"},
        {"close-wait", "3"},
        {"time-wait", "8"},
        {"established close-wait tcp", "1 2 3"},
        {"listening", "0 6 10"},
    };

    (void)state;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

static void ports(void **state)
{
    static const struct example examples[] = {
        {"sport = :443", "1 2"},
        {"sport = 443", "1 2"},
        {"sport :443", "1 2"},
        {"sport 443", "1 2"},
        {"sport eq 443", "1 2"},
        {"(sport=443)", "1 2"},
        {"dport != 53 udp", "4"},
        {"sport != 443", "0 3 4 5 8 10"},
        {"sport ne 443 unix", ""},
        {"not sport 443 unix", "6 7"},
        {"sport 1024-8080", "3 10"},
        {"sport > 1024", "5 10"},
        {"sport ge 1024", "3 5 10"},
        {"sport<53", "0 8"},
        {"sport <= :53", "0 4 8"},
        {"sport lt 53", "0 8"},
        {"port 53", "4 5"},
        {"port 53,80", "3 4 5"},
        {"port != 53 udp", ""},
        {"not port 53 udp", ""},
        {"src port 53", "4"},
        {"dst port 53", "5"},
        {"portrange 50000-50312", "1"},
        {"dst portrange 50312-50313", "1 8"},
        {":443", "1 2"},
        {"tcp/22", "0 8"},
        {"udp:53", "4 5"},
        {"sport *", "0 1 2 3 4 5 8 10"},
        {"local_port = 443", "1 2"},
        {"peer_port 53", "5"},
    };

    (void)state;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

static void services(void **state)
{
    static const struct example examples[] = {
        {"sport == https", "1 2"},
        {"sport https", "1 2"},
        {"port domain,https", "1 2 4 5"},
        {"sport :ssh-https", "0 1 2 4 8"},
    };

    (void)state;
    if (!getservbyname("https", NULL) || !getservbyname("ssh", NULL))
        skip(); /* a machine without /etc/services */
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

static void hosts(void **state)
{
    static const struct example examples[] = {
        {"dst 10.0.0.9", "1 8"},
        {"dst = 10.0.0.9", "1 8"},
        {"dst 10.0.0.9:50312", "1"},
        {"dst 10.0.0.0/8", "1 2 8"},
        {"dst 10.0.0.0/15:36266", "2"},
        {"dst != 10.0.0.9 established", "2 5"},
        {"dst != 10.0.0.9:50312 established", "2 5"},
        {"dst :53", "5"},
        {"dst *:53", "5"},
        {"dst 2606:4700::1", "3"},
        {"dst [2606:4700::1]", "3"},
        {"dst [2606:4700::1]:80", "3"},
        {"dst [2606:4700::1]:81", ""},
        {"dst [2606:4700::]/32", "3"},
        {"dst [2606:4700::]/32:80", "3"},
        {"dst 2606:4700::/32", "3"},
        {"dst ::ffff:10.0.0.0/104", "2"},
        {"src fd00::/8", "3"},
        {"src 10.0.0.1", "1 2 8"},
        {"src ::1", "10"},
        {"src 127.0.0.1,::1", "4 10"},
        {"host 10.0.0.9", "1 8"},
        {"src host 10.0.0.9", ""},
        {"dst host 10.0.0.9", "1 8"},
        {"net 10.1.0.0/16", "2"},
        {"net 10", "1 2 8"},
        {"dst net 10.1", "2"},
        {"src net 192.168", "5"},
        {"10.0.0.9", "1 8"},
        {"10.0.0.0/8", "1 2 8"},
        {"10.0.0.9:50312", "1"},
        {"fd00::1", "3"},
        {"[fd00::1]:1024", "3"},
        {"src inet:127.0.0.1", "4"},
        {"src inet:*", "0 1 2 4 5 8"},
        {"src inet6:*", "2 3 10"},
        {"dst *", "0 1 2 3 4 5 8 10"},
        {"src unix:/run/*", "6"},
        {"src loopback", "4 10"},
        {"dst private", "1 2 8"},
        {"dst public", "3 5"},
        {"host multicast", ""},
        {"local_addr = 10.0.0.0/8", "1 2 8"},
        {"peer_addr != 10.0.0.0/8 tcp", "0 3 10"},
    };

    (void)state;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

static void owners_are_searched_one_by_one(void **state)
{
    static const struct example examples[] = {
        {"nginx", "1 2"}, /* by unit, also held by the worker alone */
        {"process nginx", "1"},
        {"proc nginx", "1"},
        {"process = worker", "1 2"},
        {"process worker process nginx", "1"},
        {"process != nginx tcp established", "2"},
        {"process ~ /^php/", "3"},
        {"process ~ /^PHP/i", "3"},
        {"process ~ /a|b (c)/", ""},
        {"process ~ fpm", "3"},
        {"process !~ /ngin/ tcp", "0 2 3 8 10"},
        {"process php*", "3"},
        {"process /^ss/", "0"},
        {"process nginx,sshd", "0 1"},
        {"process \"nginx\"", "1"},
        {"process 'php*'", ""},
        {"php-*", "3"},
        {"worker,sshd", "0 1 2"},
        {"'worker,sshd'", ""},
        {"process ~ 'ng.nx'", "1"},
        {"owner = nginx", "1"},
        {"owner nginx,sshd", "0 1"},
        {"owner != nginx tcp", "0 2 3 8 10"},
        {"owner ~ ^nginx", "1"},
        {"systemd-resolved", "4"},
        {"process systemd-resolved", "4"},
        {"unit ssh.service", "0"},
        {"unit ssh", "0"},
        {"unit nginx", "1 2"},
        {"pid 201", "1 2"},
        {"pid = 100", "0"},
        {"pid 100,300", "0 3"},
        {"pid != 200 tcp", "0 2 3 8 10"},
        {"pid != 200,201 tcp", "0 3 8 10"},
        {"pid 200+", "1 2"},
        {"pid 1+", "0 1 2 3 4"},
        {"pid > 250", "3 4"},
        {"fd 8", "1"},
        {"owners > 1", "1"},
        {"inode 1003", "3"},
        {"inode != 1003 tcp", "0 1 2 10"},
        {"unowned", "5 6 7 8 9 10"},
        {"not unowned", "0 1 2 3 4"},
        {"cgroup /system.slice/ssh.service", "0"},
        {"cgroup = /sys/fs/cgroup/system.slice/ssh.service", "0"},
        {"cgroup ~ resolved", "4"},
    };

    (void)state;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

static void quantities(void **state)
{
    static const struct example examples[] = {
        {"rtt > 100ms", "1"},
        {"rtt>100ms", "1"},
        {"rtt gt 0.1s", "1"},
        {"rtt < 1ms", "2"},
        {"rtt <= 900", "2"},
        {"rtt < 900us", ""},
        {"rtt >= 900us", "1 2"},
        {"rtt = 0.9ms", "2"},
        {"rtt != 900", "1"},
        {"rtt_us = 150ms", "1"},
        {"rtt > 899.9us rtt < 900.1us", "2"},
        {"recvq > 64K", ""},
        {"recvq >= 64K", "2"},
        {"recv_q = 64KiB", "2"},
        {"recvq > 65KB", "2"},
        {"send_q 70000", "1"},
        {"sendq > 0.5M", ""},
        {"sendq", "1"},
        {"idle > 2h", "2"},
        {"idle > 2h and not keepalive", ""},
        {"idle < 1s", "1"},
        {"cwnd 10", "1"},
        {"delivery_rate = 10Mbit", "2"},
        {"delivery_rate >= 1.25MB/s", "2"},
        {"mark 0x1234", "3"},
        {"fwmark 0x1200/0xff00", "3"},
        {"fwmark = 0x35/0xff", ""},
        {"uid 0 tcp", "0 1 2 3 8 10"},
        {"uid root tcp", "0 1 2 3 8 10"},
        {"uid != root", ""},
        {"uid != 0,root", ""},
        {"user 0 tcp", "0 1 2 3 8 10"},
        {"user 12345", ""},
        {"rtt > 100 ms", "1"},
        {"rtt > 899.9 us and rtt < 900.1 us", "2"},
        {"rtt > 0.1 s tcp", "1"},
        {"recv_q > 4 bytes", "2"},
        {"recv_q = 64 K established", "2"},
        {"delivery_rate = 10 Mbit/s", "2"},
        {"idle > 1h59m", "2"},
        {"delivery_rate = 10Mbps", "2"},
    };

    (void)state;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

/* What the join and the source know of sockets, one thing of each. */
static void flags_of_owners_and_options(void **state)
{
    static const struct example examples[] = {
        {"deleted", "1"},       {"memfd", "1 2"},
        {"deleted memfd", "1"}, {"kernel", "5 9"},
        {"orphan", "8"},        {"in", "1"},
        {"out", "3"},           {"local", "2"},
        {"v6only", "10"},       {"unowned", "5 6 7 8 9"},
    };
    struct snapshot *snapshot = &machine.snapshot;
    struct socket_join *joined = machine.join.sockets;

    (void)state;
    snapshot->processes[map_get(&snapshot->process_index, 200)].flags |= PROCESS_EXE_DELETED;
    snapshot->processes[map_get(&snapshot->process_index, 201)].flags |= PROCESS_EXE_MEMFD;
    snapshot->sockets[5].flags |= SOCKET_KERNEL;
    joined[9].reason = OWNER_KERNEL;
    joined[8].reason = OWNER_ORPHAN;
    joined[10].reason = OWNER_UNKNOWN; /* nobody has looked */
    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        joined[i].direction = i == 1   ? DIRECTION_IN
                              : i == 2 ? DIRECTION_LOCAL
                              : i == 3 ? DIRECTION_OUT
                                       : DIRECTION_UNKNOWN;
    snapshot->sockets[2].has |= SOCKET_HAS_V6ONLY; /* it is known that it is not */
    snapshot->sockets[3].flags |= SOCKET_V6ONLY;   /* nothing is known */
    snapshot->sockets[10].has |= SOCKET_HAS_V6ONLY;
    snapshot->sockets[10].flags |= SOCKET_V6ONLY;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
    machine.view.join = NULL;
    for (size_t i = 0; i < 3; i++)
        expect_rows(&table_sockets, examples[i].text, "");
    expect_rows(&table_sockets, "kernel", "5");
    expect_rows(&table_sockets, "in or out or local or orphan or unowned", "");
    machine_done(&machine); /* others want it as it was */
    machine_make(&machine);
}

static void flags_and_bare_words(void **state)
{
    static const struct example examples[] = {
        {"listen", "0 4 6 10"},
        {"exposed", "0"},
        {"keepalive", "2"},
        {"sick", "3"},
        {"stuck", ""},
        {"/run/x.sock", "6"},
        {"/run/*", "6"},
        {"\"/run/x.sock\"", "6"},
        {"\"/run/*\"", ""},
        {"src /run/x.sock", "6"},
        {"dst /run/x.sock", "7"},
        {"host unix:/run/x.sock", "6 7"},
        {"dst != /run/x.sock unix", "6"},
        {"dst @name", ""},
        {"peer = /run/x.sock", "7"},
        {"peer_path ~ sock$", "7"},
        {"local = /run/x.sock", "6"},
        {"local = 10.0.0.1:443", "1 2"},
        {"local ~ ':443$'", "1 2"},
        {"peer 10.0.0.9", "1 8"},
        {"peer != 10.0.0.9 established", "2 5"},
        {"peer ~ ^10[.]0[.]0[.]9:", "1 8"},
        {"@name", "7"},
        {"@na*", "7"},
        {"src @name", "7"},
        {"path /run/x.sock", "6"},
        {"path ~ /sock$/", "6"},
        {"%root", "0 1 2 3 4 5 8 10"},
        {"dev eth0", "0"},
        {"dev 2", "0"},
        {"dev != eth0 listening", "6 10"},
        {"direction = listen tcp", "0 10"},
    };

    (void)state;
    expect_all(&table_sockets, examples, ARRAY_SIZE(examples));
}

static void other_tables_have_their_columns(void **state)
{
    static const struct example examples[] = {
        {"nginx", "1 2"},     {"process nginx", "1"}, {"pid 300", "3"},         {"pid 200+", "1 2"},
        {"sockets > 1", "2"}, {"listening", "0"},     {"established = 2", "2"}, {"unit ssh", "0"},
    };

    (void)state;
    expect_all(&table_processes, examples, ARRAY_SIZE(examples));
}

static void needs_follow_the_words(void **state)
{
    static const struct {
        const char *text;
        uint32_t with, without;
    } examples[] = {
        {"sport 22", 0, NEED_OWNERS | NEED_TCP_INFO},
        {"process nginx", NEED_OWNERS, NEED_EXE | NEED_TCP_INFO},
        {"exe /usr/sbin/sshd", NEED_OWNERS | NEED_EXE, NEED_TCP_INFO},
        {"rtt > 1ms", NEED_TCP_INFO, NEED_OWNERS},
        {"pid 1+", NEED_OWNERS | NEED_PROCESS_STAT | NEED_ALL_PROCESSES, 0},
        {"deleted", NEED_OWNERS | NEED_EXE, 0},
        {"in", NEED_LISTENERS, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        struct arena arena = {0};
        struct filter *filter = NULL;
        struct filter_error error;

        assert_int_equal(filter_compile(&table_sockets, examples[i].text, &arena, &filter, &error),
                         0);
        assert_int_equal(filter_needs(filter) & examples[i].with, examples[i].with);
        assert_int_equal(filter_needs(filter) & examples[i].without, 0);
        filter_done(filter);
        arena_done(&arena);
    }
}

/* A row that is read by columns gets the same answer as one that is read directly. */
static void columns_and_sockets_agree(void **state)
{
    static const char *const texts[] = {
        "tcp",
        "not udp",
        "state established,time-wait",
        "inet6",
        "family unix",
        "sport 443",
        "dst 10.0.0.0/8",
        "src loopback",
        "dst public",
        "rtt > 1ms",
        "process worker",
        "unit nginx",
        "cgroup ~ ssh",
    };
    struct table copy = table_sockets;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct arena arena = {0};
        struct filter *by_socket = NULL, *by_column = NULL;
        struct filter_error error;

        assert_int_equal(filter_compile(&table_sockets, texts[i], &arena, &by_socket, &error), 0);
        assert_int_equal(filter_compile(&copy, texts[i], &arena, &by_column, &error), 0);
        for (uint32_t row = 0; row < machine.snapshot.sockets_count; row++)
            if (filter_accepts(by_socket, &machine.view, row) !=
                filter_accepts(by_column, &machine.view, row))
                fail_msg("%s: socket %u", texts[i], row);
        filter_done(by_socket);
        filter_done(by_column);
        arena_done(&arena);
    }
}

/* Where a range was not read our own counts; where none was, that of Linux 2.2. */
static void chosen_ports_are_those_of_the_namespace(void **state)
{
    struct snapshot *snapshot = &machine.snapshot;
    uint32_t index;

    (void)state;
    expect_rows(&table_sockets, "tcp,udp autobound", "3");
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(snapshot_add_netns(snapshot, i + 1, &index), 0);
    snapshot->netns[0] = (struct netns){
        .flags = NETNS_HAS_PORT_RANGE | NETNS_SELF, .port_low = 32768, .port_high = 60999};
    snapshot->netns[1] =
        (struct netns){.flags = NETNS_HAS_PORT_RANGE, .port_low = 443, .port_high = 443};
    expect_rows(&table_sockets, "tcp,udp autobound", "5");
    snapshot->sockets[1].netns = 1;
    expect_rows(&table_sockets, "tcp,udp autobound", "1 5");
    snapshot->sockets[5].netns = 2;
    expect_rows(&table_sockets, "tcp,udp autobound", "1 5");
    expect_rows(&table_sockets, "tcp,udp not autobound", "0 2 3 4 8 10");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_bind_as_they_should),
        cmocka_unit_test(sets_of_states_protocols_families),
        cmocka_unit_test(ports),
        cmocka_unit_test(services),
        cmocka_unit_test(hosts),
        cmocka_unit_test(owners_are_searched_one_by_one),
        cmocka_unit_test(quantities),
        cmocka_unit_test(flags_of_owners_and_options),
        cmocka_unit_test(flags_and_bare_words),
        cmocka_unit_test(other_tables_have_their_columns),
        cmocka_unit_test(needs_follow_the_words),
        cmocka_unit_test(columns_and_sockets_agree),
        cmocka_unit_test(chosen_ports_are_those_of_the_namespace),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
