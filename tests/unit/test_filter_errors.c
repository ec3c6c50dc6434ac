/* SPDX-License-Identifier: MIT */
/* Tests of what the filter language says of mistakes, and where it points. */
#include "filter_fixture.h"

static void expect_error(const struct table *table, const char *text, const char *word,
                         const char *message)
{
    struct arena arena = {0};
    struct filter *filter = NULL;
    struct filter_error error = {{0}, 0, 0};
    int r = filter_compile(table, text, &arena, &filter, &error);

    if (r != -EINVAL)
        fail_msg("'%s' is accepted", text);
    if (!strstr(error.message, message))
        fail_msg("%s: '%s' instead of '%s'", text, error.message, message);
    assert_true(error.at + error.length <= strlen(text));
    if (error.length != strlen(word) || memcmp(text + error.at, word, error.length) != 0)
        fail_msg("%s: points at '%.*s'", text, (int)error.length, text + error.at);
    if (!*word) /* what is missing at the end */
        assert_int_equal(error.at, strlen(text));
    assert_null(strchr(error.message, '\n'));
    assert_null(filter);
    arena_done(&arena);
}

struct mistake {
    const char *text, *word, *message;
};

static void expect_all(const struct table *table, const struct mistake *mistakes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_error(table, mistakes[i].text, mistakes[i].word, mistakes[i].message);
}

static void structure(void **state)
{
    static const struct mistake mistakes[] = {
        {"tcp and", "and", "a condition is expected after 'and'"},
        {"tcp or", "or", "a condition is expected after 'or'"},
        {"not", "not", "a condition is expected after 'not'"},
        {"tcp ||", "||", "a condition is expected after '||'"},
        {"and tcp", "and", "a condition is expected before 'and'"},
        {"tcp or or udp", "or", "a condition is expected before 'or'"},
        {"tcp (udp", "(", "not closed"},
        {"(", "(", "not closed"},
        {"tcp )", ")", "not opened"},
        {")", ")", "not opened"},
        {"(not)", ")", "not opened"},
        {"tcp ( )", "( )", "empty"},
        {"()", "()", "empty"},
        {"= 5", "=", "a condition is expected before '='"},
        {"tcp > 5", "tcp", "'tcp' stands alone"},
        {"(tcp) > 5", ">", "a condition is expected before '>'"},
        {"process 'x", "'x", "not closed"},
        {"process \"x\\\"", "\"x\\\"", "not closed"},
    };

    (void)state;
    expect_all(&table_sockets, mistakes, ARRAY_SIZE(mistakes));
}

static void words(void **state)
{
    static const struct mistake mistakes[] = {
        {"stat established", "stat", "unknown word 'stat': did you mean 'state'?"},
        {"prot tcp", "prot", "did you mean 'proto'?"},
        {"dts 10.0.0.1", "dts", "did you mean 'dst'?"},
        {"exluce established", "exluce", "did you mean 'exclude'?"},
        {"proto tpc", "tpc", "unknown protocol 'tpc': did you mean 'tcp'?"},
        {"proto foo", "foo", "unknown protocol 'foo': protocols are tcp udp"},
        {"family ient", "ient", "unknown address family 'ient': did you mean 'inet'?"},
        {"family foo", "foo", "families are inet inet6 unix packet netlink vsock"},
        {"PEER-ADDR > 5", "PEER-ADDR", "did you mean 'peer_addr'?"},
        {"spotr 443", "spotr", "did you mean 'sport'?"},
        {"stat = established", "stat", "unknown word 'stat': did you mean 'state'?"},
        {"tcp rttt > 5", "rttt", "did you mean 'rtt'?"},
        {"recvqq>5", "recvqq", "did you mean 'recv_q'?"},
        {"xyzzyx > 5", "xyzzyx", "unknown word 'xyzzyx': `nwho columns sockets`"},
        {"estabished", "estabished", "did you mean 'established'?"},
        {"keepalve", "keepalve", "did you mean 'keepalive'?"},
        {"state estabished", "estabished", "unknown state 'estabished': did you mean"},
        {"state listening,foo", "listening,foo",
         "unknown state 'foo': states are established syn-sent syn-recv fin-wait-1 fin-wait-2 "
         "time-wait unconnected close-wait last-ack listening closing bound-inactive"},
        {"tcp,upd", "tcp,upd", "'upd' is no protocol"},
        {"tcp,established", "tcp,established", "'established' is no protocol"},
        {"nginx,tcp", "nginx,tcp", "'nginx' is no protocol"},
        {"tcp established,foo", "established,foo", "'foo' is no state"},
        {"established,", "established,", "'' is no state"},
        {"state ''", "''", "unknown state ''"},
        {"proto tpc", "tpc", "unknown protocol 'tpc'"},
        {"family ipv9", "ipv9", "unknown address family 'ipv9'"},
        {"443", "443", "a number alone says nothing: 'port 443' or 'pid 443'?"},
        {"443+", "443+", "a number alone says nothing: 'pid 443+'?"},
    };

    (void)state;
    expect_all(&table_sockets, mistakes, ARRAY_SIZE(mistakes));
}

/* Nothing else would ever come. */
static void fixed_words(void **state)
{
    static const struct mistake mistakes[] = {
        {"verdict nosuch", "nosuch",
         "unknown verdict 'nosuch': it is one of ok refused reset timed-out unreachable aborted"},
        {"verdict != nosuch", "nosuch", "unknown verdict 'nosuch'"},
        {"verdict = reset,refussed", "reset,refussed", "did you mean 'refused'?"},
        {"verdict 'OK'", "'OK'", "unknown verdict 'OK': did you mean 'ok'?"},
        {"verdict z*", "z*", "unknown verdict 'z*'"},
        {"verdict ~ ^z", "^z", "unknown verdict '^z'"},
        {"event closd", "closd", "unknown event 'closd': did you mean 'closed'?"},
        {"event new", "new", "it is one of opened accepted closed retransmitted"},
        {"ended_by them", "them", "unknown ended_by 'them': it is one of us peer"},
        {"direction local", "local", "unknown direction 'local': it is one of out in"},
    };
    static const struct mistake of_nat[] = {
        {"event closed", "closed", "it is one of new changed forgotten"},
        {"verdict nosuch", "nosuch", "it is one of ok refused"},
    };

    (void)state;
    expect_all(&table_events, mistakes, ARRAY_SIZE(mistakes));
    expect_all(&table_nat_events, of_nat, ARRAY_SIZE(of_nat));
}

static void operands(void **state)
{
    static const struct mistake mistakes[] = {
        {"dport", "", "a port is expected after 'dport'"},
        {"dport =", "", "a port is expected after 'dport'"},
        {"(dport =)", ")", "a port is expected after 'dport'"},
        {"dport && tcp", "&&", "a port is expected after 'dport'"},
        {"tcp dport 443x", "443x", "'443x' is no port"},
        {"dport 70000", "70000", "'70000' is no port"},
        {"dport no-such-service", "no-such-service", "is no port"},
        {"sport 2048-1024", "2048-1024", "the range of ports 2048-1024 is empty"},
        {"sport > 1-2", "1-2", "a range of ports cannot be compared"},
        {"sport > 65535", "65535", "no port is greater than 65535"},
        {"sport < 0", "0", "no port is less than 0"},
        {"sport ~ 22", "~", "ports are numbers"},
        {"port 80,,443", "80,,443", "'' is no port"},
        {"dst", "", "an address is expected after 'dst'"},
        {"src or tcp", "or", "an address is expected after 'src'"},
        {"dst > 10.0.0.1", ">", "addresses are only compared with = and !="},
        {"dst 10.0.0.256", "10.0.0.256", "'10.0.0.256' is no address"},
        {"dst 10.0.0.0/33", "10.0.0.0/33", "'33' is no prefix length of an IPv4 address"},
        {"dst ::/129", "::/129", "'129' is no prefix length of an IPv6 address"},
        {"dst 10.0.0.1:x1x", "10.0.0.1:x1x", "'x1x' is no port"},
        {"dst [::1", "[::1", "is no address"},
        {"dst 443", "443", "'443' is no address"},
        {"dst inet6:10.0.0.1", "inet6:10.0.0.1", "is no inet6 address"},
        {"10.0.0.999", "10.0.0.999", "'10.0.0.999' is no address"},
        {"net 10.300", "10.300", "'10.300' is no address"},
        {"rtt >", "", "a duration such as 200ms, 5m or 2h is expected after 'rtt'"},
        {"rtt > fast", "fast", "'fast' is no value for rtt_us: a duration"},
        {"rtt > 5MB", "5MB", "is no value for rtt_us"},
        {"rtt > 1.", "1.", "is no value for rtt_us"},
        {"rtt > -1", "-1", "is no value for rtt_us"},
        {"recvq > 5ms", "5ms", "a size such as 512, 64K or 1M is expected"},
        {"bytes_acked > 99999999999999999999", "99999999999999999999", "is no value"},
        {"cwnd ~ 5", "5", "cwnd is a number: ~ compares texts"},
        {"process > nginx", ">", "process is a text: only =, != and ~ compare it"},
        {"process", "", "a text is expected after 'process'"},
        {"process = )", ")", "a text is expected after 'process'"},
        {"process ~ /(/", "/(/", "bad regular expression '('"},
        {"process ~ /(x{999}){999}/", "/(x{999}){999}/",
         "regular expression '(x{999}){999}' is too large"},
        {"process ~ /(((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+/",
         "/(((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+/",
         "regular expression '(((((((((((((((a+)+)+)+)+)+)+)+)+)+)+)+)+)+)+)+' is too large"},
        {"pid", "", "a number is expected after 'pid'"},
        {"pid x+", "x+", "'x+' is no process id"},
        {"pid 1x", "1x", "'1x' is no value for pid"},
        {"fwmark 5/", "5/", "a mark is expected"},
        {"fwmark 0x1ffffffff", "0x1ffffffff", "a mark is expected"},
        {"state", "", "a state is expected after 'state'"},
        {"state > listening", ">", "states are only compared with = and !="},
        {"v6only = maybe", "maybe", "yes or no is expected"},
        {"dev", "", "an interface is expected after 'dev'"},
        {"@", "@", "a name is expected behind '@'"},
    };

    (void)state;
    expect_all(&table_sockets, mistakes, ARRAY_SIZE(mistakes));
}

static void users_and_composed_columns(void **state)
{
    static const struct mistake mistakes[] = {
        {"uid no_such_user_here", "no_such_user_here", "there is no user 'no_such_user_here'"},
        {"uid != no_such_user_here", "no_such_user_here", "there is no user"},
        {"uid > root", "root", "'root' is no value for uid: a number is expected"},
        {"user no_such_user_here", "no_such_user_here", "there is no user 'no_such_user_here'"},
        {"user root,no_such_user_here", "root,no_such_user_here", "'no_such_user_here'"},
        {"%no_such_user_here", "%no_such_user_here", "there is no user"},
        {"peer = nowhere.invalid", "nowhere.invalid", "'nowhere.invalid' is no address"},
        {"local > 5", ">", "addresses are only compared with = and !="},
        {"peer_owner = x", "x", "peer_owner is put together from other columns: use ~"},
    };

    (void)state;
    expect_all(&table_sockets, mistakes, ARRAY_SIZE(mistakes));
}

static void rows_without_a_network(void **state)
{
    static const struct mistake mistakes[] = {
        {"dport 22", "dport", "rows of processes have no ports"},
        {"dst 10.0.0.1", "dst", "rows of processes have no addresses"},
        {"10.0.0.1", "10.0.0.1", "rows of processes have no addresses"},
        {":22", ":22", "rows of processes have no"},
        {"tcp", "tcp", "rows of processes have no protocol"},
        {"state established", "state", "rows of processes have no state"},
        {"exposed", "exposed", "said of sockets"},
        {"/run/x", "/run/x", "rows of processes have no path"},
        {"rtt > 5ms", "rtt", "unknown word 'rtt'"},
    };

    (void)state;
    expect_all(&table_processes, mistakes, ARRAY_SIZE(mistakes));
}

static void depth_is_limited(void **state)
{
    char text[512];

    (void)state;
    memset(text, '(', 201);
    memcpy(text + 201, "tcp", 3);
    memset(text + 204, ')', 201);
    text[405] = '\0';
    expect_error(&table_sockets, text, "(", "more than 200 parentheses");
}

static void long_texts_are_no_problem(void **state)
{
    struct arena arena = {0};
    struct filter *filter = NULL;
    struct filter_error error;
    char *text = calloc(1, 700000);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < 40000; i++)
        memcpy(text + 13 * i, "not not port ", 13);
    memcpy(text + 520000, "1", 2);
    assert_int_equal(filter_compile(&table_sockets, text, &arena, &filter, &error), -EINVAL);
    for (size_t i = 0; i < 60000; i++)
        memcpy(text + 11 * i, "port 1 not ", 11);
    memcpy(text + 660000, "tcp", 4);
    assert_int_equal(filter_compile(&table_sockets, text, &arena, &filter, &error), 0);
    filter_done(filter);
    arena_done(&arena);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(structure),
        cmocka_unit_test(words),
        cmocka_unit_test(fixed_words),
        cmocka_unit_test(operands),
        cmocka_unit_test(users_and_composed_columns),
        cmocka_unit_test(rows_without_a_network),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(long_texts_are_no_problem),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
