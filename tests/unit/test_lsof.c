/* SPDX-License-Identifier: MIT */
/* Tests of lsof's arguments, and of how it writes bytes that cannot be shown. */
#include "compat/lsof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

static void parse(struct lsof_options *options, char **argv)
{
    int count = 0;

    while (argv[count])
        count++;
    assert_int_equal(lsof_options_parse(count, argv, options), 0);
}

#define PARSE(options, ...) parse(options, (char *[]){(char *)"lsof", __VA_ARGS__, NULL})

static void values_may_be_left_out(void **state)
{
    struct lsof_options options;

    (void)state;
    PARSE(&options, (char *)"-i", (char *)"-n", (char *)"-Pl");
    assert_int_equal(options.select, LSOF_SELECT_INET);
    assert_true(options.ipv4 && options.ipv6);
    assert_true(options.numeric_hosts && options.numeric_ports && options.numeric_users);
    lsof_options_done(&options);

    PARSE(&options, (char *)"-nPi", (char *)":80", (char *)"-g", (char *)"-o5", (char *)"-t");
    assert_int_equal(options.select, LSOF_SELECT_ADDRESS);
    assert_int_equal(options.addresses[0].low, 80);
    assert_true(options.show_pgid);
    assert_int_equal(options.pgids.count, 0);
    assert_int_equal(options.size, LSOF_SIZE_OR_OFFSET);
    assert_int_equal(options.form, LSOF_TERSE);
    lsof_options_done(&options);

    PARSE(&options, (char *)"-i6", (char *)"-i4", (char *)"--", (char *)"/a/file");
    assert_true(options.ipv4 && options.ipv6);
    assert_true(options.select & LSOF_SELECT_OTHER);
    lsof_options_done(&options);

    PARSE(&options, (char *)"-i", (char *)"-i4", (char *)"-r2m%H", (char *)"-Tq");
    assert_true(options.ipv4 && !options.ipv6);
    assert_int_equal(options.repeat_s, 2);
    assert_string_equal(options.marker, "%H");
    assert_true(options.queues && !options.state);
    lsof_options_done(&options);
}

static void addresses(void **state)
{
    struct lsof_options options = {0};

    (void)state;
    assert_int_equal(lsof_parse_inet(&options, "4tCp@10.0.0.9:22,80-90"), 0);
    assert_int_equal(options.address_count, 2);
    assert_int_equal(options.addresses[0].family, AF_INET);
    assert_int_equal(options.addresses[0].proto, PROTO_TCP);
    assert_int_equal(options.addresses[0].low, 22);
    assert_int_equal(options.addresses[0].high, 22);
    assert_int_equal(options.addresses[1].low, 80);
    assert_int_equal(options.addresses[1].high, 90);
    assert_int_equal(options.addresses[1].first, 0);
    assert_memory_equal(options.addresses[1].address.bytes, "\x0a\0\0\x09", 4);

    assert_int_equal(lsof_parse_inet(&options, "@[::ffff:10.0.0.9]"), 0);
    assert_int_equal(options.addresses[2].family, AF_INET);
    assert_true(options.addresses[2].any_port);
    assert_int_equal(lsof_parse_inet(&options, "UDPLITE@[fe80::1]:1"), 0);
    assert_int_equal(options.addresses[3].family, AF_INET6);
    assert_int_equal(options.addresses[3].proto, PROTO_UDPLITE);
    lsof_options_done(&options);
}

static void bad_values_are_refused(void **state)
{
    static const char *const bad[] = {"5",
                                      "tcp:",
                                      ":",
                                      "@",
                                      "@::1",
                                      "4@[::1]",
                                      "6@127.0.0.1",
                                      ":9-8",
                                      "sctp",
                                      "@[::1",
                                      "@0.0.0.0",
                                      ":1,,2",
                                      "46tcp",
                                      ":-1",
                                      "@[1.2.3.4]",
                                      ":1-",
                                      "tcp@",
                                      "@[]",
                                      ":no-such-service"};
    struct lsof_options options = {0};
    bool included = false;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_equal(lsof_parse_inet(&options, bad[i]), -EINVAL);
    assert_int_equal(lsof_parse_ids(&options.pids, "1,^1", &included), -EINVAL);
    assert_int_equal(lsof_parse_ids(&options.pids, "12x", &included), -EINVAL);
    assert_int_equal(lsof_parse_ids(&options.pids, "99999999999", &included), -EINVAL);
    assert_int_equal(lsof_parse_command(&options, "/[/"), -EINVAL);
    assert_int_equal(lsof_parse_command(&options, "/x/q"), -EINVAL);
    assert_int_equal(lsof_parse_command(&options, "/"), -EINVAL);
    assert_int_equal(lsof_parse_command(&options, ""), -EINVAL);
    assert_int_equal(lsof_parse_fds(&options, "1,^2"), -EINVAL);
    assert_int_equal(lsof_parse_fds(&options, "5-1"), -EINVAL);
    assert_int_equal(lsof_parse_states(&options, "TCP:NONE"), -EINVAL);
    assert_int_equal(lsof_parse_states(&options, "TCP:"), -EINVAL);
    assert_int_equal(lsof_parse_states(&options, "UDP:Idle"), -EINVAL);
    assert_int_equal(lsof_parse_fields(&options, "p!"), -EINVAL);
    lsof_options_done(&options);
}

static void bytes_that_cannot_be_shown(void **state)
{
    struct buf text = BUF_INIT;

    (void)state;
    lsof_escape(&text, "a b\t\x1b[1m\\\x7f\xff", 11);
    assert_string_equal(buf_string(&text), "a b\\t^[[1m\\\\\\x7f\\xff");
    buf_reset(&text);
    lsof_put_padded(&text, "a b", 3, 9);
    assert_string_equal(buf_string(&text), "a\\x20b   ");
    buf_reset(&text);
    lsof_put_padded(&text, "abcd\xc3\xa9", 6, 9); /* no part of an escape */
    assert_string_equal(buf_string(&text), "abcd\\xc3 ");
    assert_int_equal(lsof_width("abcd\xc3\xa9", 6, 0), 8);
    assert_int_equal(lsof_width("a b\n", 4, 0), 8);
    assert_int_equal(lsof_width("abcdefghijkl", 12, 9), 9);
    buf_done(&text);
}

static void flags_of_open(void **state)
{
    struct buf text = BUF_INIT;

    (void)state;
    lsof_put_flags(&text, 02004002, false);
    assert_string_equal(buf_string(&text), "RW,ND,CX");
    buf_reset(&text);
    lsof_put_flags(&text, 02004002, true);
    assert_string_equal(buf_string(&text), "0x80802;0x0");
    buf_reset(&text);
    lsof_put_flags(&text, 0, true); /* not known */
    assert_string_equal(buf_string(&text), "");
    lsof_put_fd(&text, 7, 4);
    lsof_put_fd(&text, 12345, 4);
    assert_string_equal(buf_string(&text), "   7*345");
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_may_be_left_out), cmocka_unit_test(addresses),
        cmocka_unit_test(bad_values_are_refused), cmocka_unit_test(bytes_that_cannot_be_shown),
        cmocka_unit_test(flags_of_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
