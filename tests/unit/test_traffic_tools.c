/* SPDX-License-Identifier: MIT */
/* nethogs and iftop: their command lines, their numbers, and the commands that their screens
 * become.
 */
#include "compat/handover.h"
#include "compat/iftop.h"
#include "compat/nethogs.h"
#include "compat/personality.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 24

/* Words that are separated by single blanks. */
struct line {
    char text[256];
    char *words[WORDS_MAX + 1];
    int count;
};

static struct line *split(struct line *line, const char *text)
{
    char *rest = line->text;

    snprintf(line->text, sizeof(line->text), "%s", text);
    line->count = 0;
    while (line->count < WORDS_MAX && rest)
        line->words[line->count++] = strsep(&rest, " ");
    line->words[line->count] = NULL;
    return line;
}

static int parse_nethogs(struct line *line, const char *text, struct nethogs_options *ret_options)
{
    split(line, text);
    return nethogs_options_parse(line->count, line->words, ret_options);
}

static int parse_iftop(struct line *line, const char *text, struct iftop_options *ret_options)
{
    split(line, text);
    return iftop_options_parse(line->count, line->words, ret_options);
}

static void options_of_nethogs(void **state)
{
    struct nethogs_options options;
    struct line line = {0};

    (void)state;
    assert_int_equal(parse_nethogs(&line, "nethogs", &options), 0);
    assert_int_equal(options.show, NETHOGS_SHOW_SCREEN);
    assert_int_equal(options.delay, 1);
    assert_int_equal(parse_nethogs(&line,
                                   "nethogs -tslbCap -d 5 -v 8 -c3 -P 7 -P 9 -g 1 -f tcp eth0 eth1",
                                   &options),
                     0);
    assert_int_equal(options.show, NETHOGS_SHOW_TRACE);
    assert_true(options.by_sent && options.command_line && options.base_name && options.udp);
    assert_true(options.devices.all);
    assert_int_equal(options.delay, 5);
    assert_int_equal(options.view, NETHOGS_TOTAL_BYTES);
    assert_int_equal(options.refreshes, 3);
    assert_int_equal(options.pid_count, 2);
    assert_int_equal(options.pids[1], 9);
    assert_string_equal(options.filter, "tcp");
    assert_int_equal(options.devices.count, 2);
    assert_string_equal(options.devices.names[1], "eth1");
    nethogs_options_done(&options);
    assert_int_equal(parse_nethogs(&line, "nethogs -d 1s", &options), -EINVAL);
    assert_int_equal(parse_nethogs(&line, "nethogs -P 99999999999", &options), -EINVAL);
    nethogs_options_done(&options);
    assert_int_equal(parse_nethogs(&line, "nethogs -x -V -Z", &options), 0);
    assert_int_equal(options.show, NETHOGS_SHOW_VERSION);
}

static void options_of_iftop(void **state)
{
    struct iftop_options options;
    struct line line = {0};

    (void)state;
    assert_int_equal(parse_iftop(&line, "iftop", &options), 0);
    assert_int_equal(options.show, IFTOP_SHOW_SCREEN);
    assert_int_equal(options.order, IFTOP_BY_10S);
    assert_int_equal(options.lines, IFTOP_ALL_LINES);
    assert_int_equal(parse_iftop(&line,
                                 "iftop -tnNPBl -i eth0 -s 3 -L 5 -o destination -m 10M -c /x -pb",
                                 &options),
                     0);
    assert_int_equal(options.show, IFTOP_SHOW_TEXT);
    assert_true(options.numeric_hosts && options.numeric_ports && options.ports && options.bytes &&
                options.link_local);
    assert_string_equal(options.interface, "eth0");
    assert_int_equal(options.seconds, 3);
    assert_int_equal(options.lines, 5);
    assert_int_equal(options.order, IFTOP_BY_DESTINATION);
    assert_int_equal(parse_iftop(&line, "iftop -F 10.0.0.0/255.128.0.0 -G fd00::/7", &options), 0);
    assert_true(options.net.given && options.net6.given);
    assert_int_equal(options.net.bits, 9);
    assert_int_equal(options.net6.bits, 7);
    assert_int_equal(parse_iftop(&line, "iftop -F 10.0.0.0/0.0.0.0", &options), 0);
    assert_int_equal(options.net.bits, 0);
    for (size_t i = 0; i < 6; i++) {
        static const char *const wrong[] = {"-F 10.0.0.0/33",       "-F 10.0.0.0",
                                            "-G 10.0.0.0/8",        "-o 3s",
                                            "-F 1.1.1.1/255.0.1.0", "eth0"};
        char text[64];

        snprintf(text, sizeof(text), "iftop %s", wrong[i]);
        assert_int_equal(parse_iftop(&line, text, &options), -EINVAL);
    }
}

static void expect_number(double number, bool bytes, const char *expected)
{
    char text[32];

    iftop_number(text, sizeof(text), number, bytes);
    assert_string_equal(text, expected);
}

static void numbers(void **state)
{
    (void)state;
    expect_number(0, false, "   0b");
    expect_number(124.9, false, " 999b");
    expect_number(125, false, "0.98Kb");
    expect_number(999, true, " 999B");
    expect_number(1000, true, "0.98KB");
    expect_number(54321, true, "53.0KB");
    expect_number(123457, true, " 121KB");
    expect_number(1e9, false, "7.45Gb");
    expect_number(1e14, true, "93132GB");
    assert_true(nethogs_number(NETHOGS_KB_PER_SECOND, 0, 4096, 2000000000) == 2);
    assert_true(nethogs_number(NETHOGS_MB_PER_SECOND, 0, 1 << 20, 500000000) == 2);
    assert_true(nethogs_number(NETHOGS_GB_PER_SECOND, 0, 1 << 30, 1000000000) == 1);
    assert_true(nethogs_number(NETHOGS_KB_PER_SECOND, 0, 4096, 0) == 0);
    assert_true(nethogs_number(NETHOGS_TOTAL_KB, 1536, 0, 1) == 1.5);
    assert_true(nethogs_number(NETHOGS_TOTAL_BYTES, 1536, 0, 1) == 1536);
    assert_true(nethogs_number(NETHOGS_TOTAL_MB, 1 << 19, 0, 1) == 0.5);
}

#define TOP "top --netns=/proc/self/ns/net "

/* What the line becomes, its words joined by blanks; "" when the tool is to run itself. */
static void expect_words(const char *text, const char *expected)
{
    CLEANUP(handover_done) struct handover handover = {.count = 0};
    CLEANUP(buf_done) struct buf words = BUF_INIT;
    struct line line = {0};
    enum handover_result result;

    split(&line, text);
    result = personality_find(line.words[0])->hand_over(line.count, line.words, &handover);
    assert_int_equal(result, *expected ? HANDOVER_WORDS : HANDOVER_NONE);
    assert_int_equal(handover.error, 0);
    for (uint32_t i = 0; i < handover.count; i++) {
        if (i)
            buf_byte(&words, ' ');
        buf_puts(&words, handover.words[i]);
    }
    assert_string_equal(buf_string(&words), expected);
}

static void screens_become_commands(void **state)
{
    (void)state;
    expect_words("nethogs -t", "");
    expect_words("nethogs -h", "");
    expect_words("nethogs", TOP "--by process --bytes --sort rx_rate:desc tcp not iface = \"lo\"");
    expect_words("nethogs -sCa -d 3 -c 2 -P 1 -P 2 -f tcp",
                 TOP "--by process --bytes -d 3 -n 2 --sort tx_rate:desc ( pid 1 or pid 2 ) (tcp)");
    expect_words("nethogs -C a b",
                 TOP "--by process --bytes --sort rx_rate:desc ( iface = \"a\" or "
                     "iface = \"b\" )");
    expect_words("iftop -n", TOP "--by peer --sort rx_rate_10s:desc not iface = \"lo\"");
    expect_words("iftop -PB -i eth0 -o source", TOP "--by conn --bytes --resolve iface = \"eth0\"");
    expect_words("iftop -t", "");
    expect_words("nload", "if --watch=0.500");
    expect_words("nload -t 1250 eth0", "if --watch=1.250 \"eth0\"");
    expect_words("nload eth0 eth1", "if --watch=0.500 ( iface = \"eth0\" or iface = \"eth1\" )");
    expect_words("nload -h", "");
    expect_words("iptraf-ng", TOP "--by conn");
    expect_words("iptraf-ng -s all", TOP "--by port");
    expect_words("iptraf-ng -d eth0", "if --watch iface = \"eth0\"");
    expect_words("iptraf-ng -g", "if --watch");
    expect_words("iptraf-ng -z eth0", "if eth0 --by size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_of_nethogs),
        cmocka_unit_test(options_of_iftop),
        cmocka_unit_test(numbers),
        cmocka_unit_test(screens_become_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
