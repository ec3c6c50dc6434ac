/* SPDX-License-Identifier: MIT */
/* netstat: its command line, the order of interfaces, the wording of counters. */
#include "compat/netstat.h"
#include "compat/netstat_statistics.h"
#include "compat/tcp_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 8

/* Parses words that are separated by single blanks. */
static int parse(const char *line, struct netstat_options *ret_options)
{
    char name[] = "netstat", text[128], *words[WORDS_MAX + 1] = {name}, *rest = text;
    int count = 1;

    snprintf(text, sizeof(text), "%s", line);
    while (count < WORDS_MAX && rest)
        words[count++] = strsep(&rest, " ");
    words[count] = NULL;
    return netstat_options_parse(count, words, ret_options);
}

static void nothing_is_everything(void **state)
{
    struct netstat_options options;

    (void)state;
    assert_int_equal(parse("-n", &options), 0);
    assert_int_equal(options.show, NETSTAT_SHOW_SOCKETS);
    assert_int_equal(options.families, NETSTAT_INET | NETSTAT_INET6 | NETSTAT_UNIX);
    assert_true(options.protos & PROTO_BIT(PROTO_RAW));
    assert_true(options.numeric_hosts && options.numeric_ports && options.numeric_users);
    assert_false(options.named_protos);
}

static void families_and_protocols(void **state)
{
    struct netstat_options options;

    (void)state;
    assert_int_equal(parse("-tan", &options), 0);
    assert_int_equal(options.protos, PROTO_BIT(PROTO_TCP));
    assert_int_equal(options.families, NETSTAT_INET | NETSTAT_INET6);
    assert_true(options.all && options.named_protos);
    assert_int_equal(parse("-A inet6,unix --numeric-ports", &options), 0);
    assert_int_equal(options.families, NETSTAT_INET6 | NETSTAT_UNIX);
    assert_int_equal(options.named_families, 2);
    assert_true(options.numeric_ports && !options.numeric_hosts);
    assert_int_equal(parse("-x", &options), 0);
    assert_int_equal(options.protos, 0);
    assert_int_equal(parse("-g", &options), 0);
    assert_true(options.groups);
    assert_int_equal(options.protos, 0);
}

static void views_exclude_each_other(void **state)
{
    struct netstat_options options;

    (void)state;
    assert_int_equal(parse("-r", &options), 0);
    assert_int_equal(options.show, NETSTAT_SHOW_ROUTES);
    assert_int_equal(parse("-r -i", &options), NETSTAT_USAGE + 1);
    assert_int_equal(parse("-ss", &options), NETSTAT_USAGE + 1);
    assert_int_equal(parse("--nothing", &options), NETSTAT_USAGE + 1);
    assert_int_equal(parse("-A nothing", &options), NETSTAT_FAILED + 1);
    assert_int_equal(parse("-A inet,,unix", &options), NETSTAT_FAILED + 1);
    assert_int_equal(parse("-V -h", &options), 0);
    assert_int_equal(options.show, NETSTAT_SHOW_VERSION);
}

static void names_count(void **state)
{
    (void)state;
    assert_int_equal(netstat_compare_names("lo", "lo"), 0);
    assert_true(netstat_compare_names("eth9", "eth10") < 0);
    assert_true(netstat_compare_names("eth10", "eth9") > 0);
    assert_true(netstat_compare_names("a2", "ab") < 0);
    assert_true(netstat_compare_names("E3", "a2") < 0);
    assert_true(netstat_compare_names("eth0", "lo") < 0);
}

static const struct netstat_line *line_of(const char *group, const char *label)
{
    return netstat_line_of(group, strlen(group), label, strlen(label));
}

static void counters_have_words(void **state)
{
    (void)state;
    assert_string_equal(line_of("Tcp", "InSegs")->text, "% segments received");
    assert_int_equal(line_of("Tcp", "RtoMin")->show, NETSTAT_LINE_HIDDEN);
    assert_int_equal(line_of("Icmp6", "OutEchos")->show, NETSTAT_LINE_OUTPUT);
    assert_null(line_of("TcpExt", "TCPTimeouts"));
    assert_null(line_of("Tc", "InSegs"));
}

static void states_are_spelled_once(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < STATE_MAX; i++)
        if (tcp_state_name(i))
            assert_int_equal(tcp_state_parse(tcp_state_name(i)), i);
    assert_string_equal(tcp_state_name(STATE_FIN_WAIT_1), "FIN_WAIT1");
    assert_int_equal(tcp_state_parse("syn_recv"), STATE_SYN_RECV);
    assert_int_equal(tcp_state_parse("CLOSED"), STATE_UNKNOWN);
    assert_int_equal(tcp_state_parse(""), STATE_UNKNOWN);
    assert_null(tcp_state_name(STATE_UNKNOWN));
    assert_null(tcp_state_name(STATE_BOUND_INACTIVE));
    assert_null(tcp_state_name(STATE_MAX));
    assert_string_equal(tcp_state_ss_name(STATE_FIN_WAIT_1), "FIN-WAIT-1");
    assert_string_equal(tcp_state_ss_name(STATE_BOUND_INACTIVE), "UNCONN");
    assert_string_equal(tcp_state_ss_name(STATE_MAX), "UNCONN");
}

/* -c asks again each second: what was looked up stays, and nothing is added to it. */
static void names_of_networks_are_kept(void **state)
{
    struct host_names names = {.count = 0};
    const uint8_t network[] = {192, 0, 2, 0};
    const char *first;

    (void)state;
    first = host_network(&names, network);
    assert_int_equal(names.count, 1);
    assert_ptr_equal(host_network(&names, network), first);
    assert_int_equal(names.count, 1);
    host_names_done(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_everything),      cmocka_unit_test(families_and_protocols),
        cmocka_unit_test(views_exclude_each_other),   cmocka_unit_test(names_count),
        cmocka_unit_test(counters_have_words),        cmocka_unit_test(states_are_spelled_once),
        cmocka_unit_test(names_of_networks_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
