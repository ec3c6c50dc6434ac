/* SPDX-License-Identifier: MIT */
/* ss(8)'s filter expression: what is one, what it means, and what the kernel is given of it. */
#include "compat/ss_filter.h"
#include "compat/ss_select.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 600

/* What the parser says about a word goes nowhere. */
static int parse_quietly(struct ss_filter *filter, struct ss_options *options, int *ret_status)
{
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), r;

    assert_true(kept >= 0 && nowhere >= 0);
    dup2(nowhere, STDERR_FILENO);
    r = ss_filter_parse(filter, options, ret_status);
    dup2(kept, STDERR_FILENO);
    close(kept);
    close(nowhere);
    return r;
}

static struct ss_options tcp_options(char **words, int count)
{
    struct ss_options options = {.words = words, .word_count = count};

    options.selection.tables = SS_TABLE_BIT(SS_TABLE_TCP);
    options.selection.states = SS_STATES_ALL;
    options.selection.families = SS_FAMILY_BIT(AF_INET) | SS_FAMILY_BIT(AF_INET6);
    return options;
}

/* One argument, which is cut into words. 0, or the exit status. */
static int parse(const char *text, struct ss_filter *ret_filter)
{
    char *words[] = {(char *)text};
    struct ss_options options = tcp_options(words, 1);
    int status = 0;

    return parse_quietly(ret_filter, &options, &status) == 0 ? 0 : status;
}

static int parse_status(const char *text)
{
    struct ss_filter filter;
    int status = parse(text, &filter);

    if (status == 0)
        ss_filter_done(&filter);
    return status;
}

static struct socket tcp_socket(const char *local, uint16_t local_port, const char *peer,
                                uint16_t peer_port)
{
    struct socket socket = {.proto = PROTO_TCP, .local_port = local_port, .peer_port = peer_port};

    socket.family = strchr(local, ':') ? AF_INET6 : AF_INET;
    assert_int_equal(inet_pton(socket.family, local, &socket.local), 1);
    assert_int_equal(inet_pton(socket.family, peer, &socket.peer), 1);
    return socket;
}

static bool accepts(const char *text, const struct socket *socket)
{
    struct netns netns = {.flags = NETNS_HAS_PORT_RANGE, .port_low = 32768, .port_high = 60999};
    const struct snapshot snapshot = {.netns = &netns, .netns_count = 1};
    struct ss_names names = {.snapshot = &snapshot};
    struct ss_filter filter;
    bool accepted;

    assert_int_equal(parse(text, &filter), 0);
    accepted = ss_filter_accepts(&filter, &names, socket, NULL);
    ss_filter_done(&filter);
    ss_names_done(&names);
    return accepted;
}

static bool accepts_path(const char *text, const char *path)
{
    struct ss_names names = {0};
    struct socket socket = {.family = AF_UNIX, .proto = PROTO_UNIX};
    struct ss_filter filter;
    bool accepted;

    assert_int_equal(parse(text, &filter), 0);
    accepted = ss_filter_accepts(&filter, &names, &socket, path);
    ss_filter_done(&filter);
    return accepted;
}

/* "and" binds no tighter than "or": A or B and C is (A or B) and C. */
static void reads_from_left_to_right(void **state)
{
    struct socket first = tcp_socket("10.0.0.1", 22, "10.0.0.2", 5000);
    struct socket second = tcp_socket("10.0.0.1", 80, "10.0.0.2", 6000);

    (void)state;
    assert_false(accepts("sport = 22 or sport = 80 and dport = 6000", &first));
    assert_true(accepts("sport = 22 or sport = 80 and dport = 6000", &second));
    assert_true(accepts("sport = 22 or ( sport = 80 and dport = 6000 )", &first));
    assert_true(accepts("dport = 6000 and sport = 80 or sport = 22", &first));
    assert_true(accepts("dport = 6000 and sport = 80 or sport = 22", &second));
    assert_false(accepts("dport = 6000 and ( sport = 80 or sport = 22 )", &first));
}

static void words_side_by_side_are_and(void **state)
{
    struct socket socket = tcp_socket("10.0.0.1", 22, "10.0.0.2", 5000);

    (void)state;
    assert_true(accepts("sport = 22 dport = 5000", &socket));
    assert_false(accepts("sport = 22 dport = 5001", &socket));
    assert_false(accepts("sport = 22 or sport = 23 dport = 5001", &socket));
    assert_true(accepts("( sport = 22 ) ( dport = 5000 )", &socket));
}

static void not_takes_one_term(void **state)
{
    struct socket socket = tcp_socket("10.0.0.1", 22, "10.0.0.2", 5000);

    (void)state;
    assert_false(accepts("not sport = 22", &socket));
    assert_true(accepts("not sport = 23 and dport = 5000", &socket));
    assert_true(accepts("! ! sport = 22", &socket));
    assert_false(accepts("not ( sport = 22 or dport = 1 )", &socket));
}

static void operators_of_ports(void **state)
{
    static const struct {
        const char *text;
        bool accepted;
    } cases[] = {
        {"sport 22", true},      {"sport = 22", true},    {"sport == :22", true},
        {"sport eq 22", true},   {"sport != 22", false},  {"sport ne 23", true},
        {"sport neq 22", false}, {"sport >= 22", true},   {"sport ge 23", false},
        {"sport geq 21", true},  {"sport <= 22", true},   {"sport le 21", false},
        {"sport leq 22", true},  {"sport > 22", false},   {"sport gt 21", true},
        {"sport < 22", false},   {"sport lt 23", true},   {"sport = 0x16", true},
        {"sport = 026", true},   {"sport = *", true},     {"sport = :", true},
        {"dport >= 5000", true}, {"dport < 5000", false}, {"sport = 65558", false},
        {"sport > -1", true},    {"sport = ssh", true},   {"sport < 100000", true},
    };
    struct socket socket = tcp_socket("10.0.0.1", 22, "10.0.0.2", 5000);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (accepts(cases[i].text, &socket) != cases[i].accepted)
            fail_msg("%s", cases[i].text);
}

static void hosts_and_prefixes(void **state)
{
    static const struct {
        const char *text;
        bool accepted;
    } cases[] = {
        {"src 10.0.0.1", true},
        {"src = 10.0.0.1:22", true},
        {"src 10.0.0.1:23", false},
        {"dst 10.0.0.1", false},
        {"dst 10.0.0.2:5000", true},
        {"src 10/8", true},
        {"src 11/8", false},
        {"src 10.0.0.0/31", true},
        {"src 10.0.0.2/31", false},
        {"src 10.0.0.1/32", true},
        {"src 0/0", true},
        {"src *:22", true},
        {"src :22", true},
        {"src any", true},
        {"src inet:10.0.0.1", true},
        {"src 10.0.0.0/255.255.255.0", true},
        {"src [::ffff:10.0.0.1]:22", false},
        {"src [fd00::1]", false},
        {"src inet6:*", true},
        {"not src 10.0.0.0/8", false},
    };
    struct socket socket = tcp_socket("10.0.0.1", 22, "10.0.0.2", 5000);
    struct socket mapped = tcp_socket("::ffff:10.0.0.1", 22, "::ffff:10.0.0.2", 5000);
    struct socket six = tcp_socket("fd00::1", 22, "fd00::2", 5000);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        if (accepts(cases[i].text, &socket) != cases[i].accepted)
            fail_msg("%s", cases[i].text);
    assert_true(accepts("src 10.0.0.1", &mapped));
    assert_true(accepts("dst 10.0.0.0/8", &mapped));
    assert_false(accepts("dst 11.0.0.0/8", &mapped));
    assert_true(accepts("src [fd00::1]:22", &six));
    assert_true(accepts("src fd00::/16", &six));
    assert_false(accepts("src [fd00::1]:23", &six));
    assert_false(accepts("src [fe00::/16]", &six));
}

static void others(void **state)
{
    struct socket socket = tcp_socket("10.0.0.1", 40000, "10.0.0.2", 5000);

    (void)state;
    socket.mark = 0x2a;
    socket.ifindex = 7;
    assert_true(accepts("autobound", &socket));
    assert_false(accepts("not autobound", &socket));
    assert_true(accepts("fwmark = 0x2a", &socket));
    assert_true(accepts("fwmark 42", &socket));
    assert_true(accepts("fwmark 0x20/0xf0", &socket));
    assert_false(accepts("fwmark != 42", &socket));
    assert_true(accepts("dev = 7", &socket));
    assert_true(accepts("dev != 8", &socket));
    socket.local_port = 22;
    assert_false(accepts("autobound", &socket));
}

static void paths_are_patterns(void **state)
{
    (void)state;
    assert_true(accepts_path("src unix:/run/*", "/run/x/y"));
    assert_true(accepts_path("src unix:/RUN/X", "/run/x"));
    assert_false(accepts_path("src unix:/run", "/run/x"));
    assert_false(accepts_path("dst unix:/run/*", "/run/x"));
    assert_true(accepts_path("not src unix:/run/*", NULL));
    assert_true(accepts_path("autobound", "@0012f"));
    assert_false(accepts_path("autobound", "@0012g"));
}

static void what_is_no_expression(void **state)
{
    static const char *const syntax[] = {
        "(",
        ")",
        "( sport = 22",
        "sport = 22 )",
        "sport",
        "sport =",
        "and",
        "sport = 22 or",
        "or sport = 22",
        "not",
        "= 22",
        "sport = = 22",
        "src != 10.0.0.1",
        "src >= 10.0.0.1",
        "dev > 1",
        "fwmark >= 1",
        "( )",
        "sport = 22 or or sport = 23",
        "autobound = 1",
    };
    static const char *const operands[] = {
        "sport = nosuchservice",
        "sport = 22x",
        "src 10.0.0.0/33",
        "src 10.0.0.0/-1",
        "src 10.0.0.0/255.0.255.0",
        "src [10.0.0.1",

        "fwmark x",
        "fwmark 1/x",
        "fwmark 0x100000000",
        "dev nosuchdevice",
        "cgroup /no/such/group",
        "src link:nosuch:lo",
        "src netlink:x:y",
        "src vsock:x:y",
        "src 300.0.0.1/8",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(syntax); i++)
        if (parse_status(syntax[i]) == 0)
            fail_msg("%s", syntax[i]);
    for (size_t i = 0; i < ARRAY_SIZE(operands); i++)
        if (parse_status(operands[i]) != 1)
            fail_msg("%s: %d", operands[i], parse_status(operands[i]));
    assert_int_equal(parse_status("sport = 22 )"), SS_EXIT_USAGE);
    assert_int_equal(parse_status(""), 0);
    assert_int_equal(parse_status(" \t "), 0);
}

/* As deep as somebody can make it: an answer, and no crash. */
static void very_deep_and_very_long(void **state)
{
    char *words[WORDS_MAX], open[] = "(", close[] = ")", negation[] = "!", term[] = "sport = 22";
    struct socket socket = tcp_socket("10.0.0.1", 22, "10.0.0.2", 5000);
    struct ss_options options;
    struct ss_filter filter;
    int status = 0;

    (void)state;
    for (int i = 0; i < WORDS_MAX; i++)
        words[i] = open;
    options = tcp_options(words, WORDS_MAX);
    assert_int_equal(parse_quietly(&filter, &options, &status), 1);
    for (int i = 0; i < WORDS_MAX; i++)
        words[i] = negation;
    options = tcp_options(words, WORDS_MAX);
    assert_int_equal(parse_quietly(&filter, &options, &status), 1);
    for (int i = 0; i < WORDS_MAX; i++)
        words[i] = i < 50 ? open : i > WORDS_MAX - 51 ? close : term;
    options = tcp_options(words, WORDS_MAX);
    assert_int_equal(parse_quietly(&filter, &options, &status), 0);
    assert_true(ss_filter_accepts(&filter, NULL, &socket, NULL));
    ss_filter_done(&filter);
}

/* A list costs no stack, however long it is. */
static void very_many_terms(void **state)
{
    char term[] = "or sport = 23", first[] = "sport = 22";
    struct socket socket = tcp_socket("10.0.0.1", 22, "10.0.0.2", 5000);
    const int count = 200000;
    char **words = calloc((size_t)count, sizeof(*words));
    struct ss_options options;
    struct ss_filter filter;
    struct request request = {.protos = PROTO_ALL};
    int status = 0;

    (void)state;
    assert_non_null(words);
    for (int i = 0; i < count; i++)
        words[i] = i ? term : first;
    options = tcp_options(words, count);
    assert_int_equal(parse_quietly(&filter, &options, &status), 0);
    assert_true(ss_filter_accepts(&filter, NULL, &socket, NULL));
    socket.local_port = 24;
    assert_false(ss_filter_accepts(&filter, NULL, &socket, NULL));
    assert_int_equal(ss_filter_push_down(&filter, &request), 0);
    assert_int_equal(request.match_count, 0); /* more than the kernel is bothered with */
    ss_filter_done(&filter);
    free(words);
}

/* A prefix of a family leaves only that one, in the states that were wanted. */
static void families_narrow_the_selection(void **state)
{
    char text[] = "src inet6:*", *words[] = {text};
    struct ss_options options = tcp_options(words, 1);
    struct ss_filter filter;
    int status = 0;

    (void)state;
    options.selection.states = STATE_BIT(STATE_LISTENING);
    assert_int_equal(parse_quietly(&filter, &options, &status), 0);
    assert_true(options.selection.families == SS_FAMILY_BIT(AF_INET6));
    assert_int_equal(options.selection.preferred_family, AF_INET6);
    assert_int_equal(options.selection.states, STATE_BIT(STATE_LISTENING));
    ss_filter_done(&filter);
}

static uint32_t pushed(const char *text, enum match_op *ret_root)
{
    struct request request = {0};
    struct ss_filter filter;
    uint32_t count;

    assert_int_equal(parse(text, &filter), 0);
    assert_int_equal(ss_filter_push_down(&filter, &request), 0);
    count = request.match_count;
    *ret_root = count ? request.matches[count - 1].op : MATCH_ANY;
    ss_filter_done(&filter);
    return count;
}

/* The kernel may let too much pass, never too little. */
static void what_the_kernel_is_given(void **state)
{
    enum match_op root;

    (void)state;
    assert_int_equal(pushed("", &root), 0);
    assert_int_equal(pushed("sport = 22", &root), 1);
    assert_int_equal(root, MATCH_LOCAL_PORT);
    assert_int_equal(pushed("not sport = 22", &root), 2);
    assert_int_equal(root, MATCH_NOT);
    assert_int_equal(pushed("sport = 22 and dev = 1", &root), 1);
    assert_int_equal(root, MATCH_LOCAL_PORT);
    assert_int_equal(pushed("sport = 22 or dev = 1", &root), 0);
    assert_int_equal(pushed("not ( sport = 22 and dev = 1 )", &root), 0);
    assert_int_equal(pushed("sport = 70000", &root), 0);
    assert_int_equal(pushed("autobound", &root), 1);
    assert_int_equal(root, MATCH_AUTOBOUND);
}

static void words_of_states(void **state)
{
    uint32_t states;

    (void)state;
    assert_int_equal(ss_states_parse("ESTABLISHED", &states), 0);
    assert_int_equal(states, STATE_BIT(STATE_ESTABLISHED));
    assert_int_equal(ss_states_parse("all", &states), 0);
    assert_int_equal(states, SS_STATES_ALL);
    assert_int_equal(ss_states_parse("bucket", &states), 0);
    assert_int_equal(states, STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_TIME_WAIT));
    assert_int_equal(ss_states_parse("big", &states), 0);
    assert_int_equal(states,
                     SS_STATES_ALL & ~(STATE_BIT(STATE_SYN_RECV) | STATE_BIT(STATE_TIME_WAIT)));
    assert_int_equal(ss_states_parse("closed", &states), 0);
    assert_int_equal(states, STATE_BIT(STATE_UNCONNECTED));
    assert_int_equal(ss_states_parse("listen", &states), -EINVAL);
    assert_int_equal(ss_states_parse("estab", &states), -EINVAL);
    assert_int_equal(ss_states_parse("time_wait", &states), -EINVAL);
    assert_int_equal(ss_states_parse("bound-inactive", &states), -EINVAL);
    assert_int_equal(ss_states_parse("", &states), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_from_left_to_right), cmocka_unit_test(words_side_by_side_are_and),
        cmocka_unit_test(not_takes_one_term),       cmocka_unit_test(operators_of_ports),
        cmocka_unit_test(hosts_and_prefixes),       cmocka_unit_test(others),
        cmocka_unit_test(paths_are_patterns),       cmocka_unit_test(what_is_no_expression),
        cmocka_unit_test(very_deep_and_very_long),  cmocka_unit_test(families_narrow_the_selection),
        cmocka_unit_test(what_the_kernel_is_given), cmocka_unit_test(words_of_states),
        cmocka_unit_test(very_many_terms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
