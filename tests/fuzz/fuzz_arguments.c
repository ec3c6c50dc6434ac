/* SPDX-License-Identifier: MIT */
/* Fuzzing of the command lines of the old tools: one argument a line. */
#include "compat/conntrack.h"
#include "compat/iftop.h"
#include "compat/lsof.h"
#include "compat/nethogs.h"
#include "compat/netstat_options.h"
#include "compat/personality.h"
#include "compat/sar.h"
#include "compat/ss_options.h"
#include "compat/tcpdump.h"
#include "fuzz.h"

#define WORDS_MAX 32

static void parse_ss(int count, char **words)
{
    struct ss_options options;
    int status = -1, r;

    /* A file may be one that blocks, a namespace one that can be entered. */
    for (int i = 1; i < count; i++)
        if (strpbrk(words[i], "FN") || strstr(words[i], "net") || strstr(words[i], "fi"))
            return;
    r = ss_options_parse(count, words, &options, &status);
    CHECK(r == 0 || (r == 1 && status >= 0 && status <= SS_EXIT_USAGE));
    CHECK(r == 1 || (options.word_count >= 0 && options.word_count < count));
}

static void parse_netstat(int count, char **words)
{
    struct netstat_options options = {.show = NETSTAT_SHOW_HELP};
    int r = netstat_options_parse(count, words, &options);

    CHECK(r >= 0 && r <= 256);
    CHECK(r || options.named_families <= NETSTAT_FAMILIES_MAX);
}

static void parse_lsof(int count, char **words)
{
    struct lsof_options options = {0};
    int r = lsof_options_parse(count, words, &options);

    CHECK(r == 0 || r == -EINVAL);
    for (uint32_t i = 0; r == 0 && i < options.address_count; i++)
        CHECK(options.addresses[i].low <= options.addresses[i].high);
    lsof_options_done(&options);
}

static void parse_nethogs(int count, char **words)
{
    struct nethogs_options options;
    int r = nethogs_options_parse(count, words, &options);

    CHECK(r == 0 || r == -EINVAL);
    nethogs_options_done(&options);
}

static void parse_iftop(int count, char **words)
{
    struct iftop_options options = {.show = IFTOP_SHOW_HELP};
    int r = iftop_options_parse(count, words, &options);

    CHECK(r == 0 || r == -EINVAL);
    CHECK(r || (options.net.bits <= 32 && options.net6.bits <= 128));
}

static void parse_sar(int count, char **words)
{
    struct sar_options options;
    int r = sar_options_parse(count, words, &options);

    CHECK(r == 0 || r == SAR_WRONG_USE || r == SAR_REFUSED);
    CHECK(r || options.show != SAR_SHOW_REPORTS || options.reports);
    CHECK(options.decimals <= 2 && options.end < 24 * 3600);
    sar_options_done(&options);
}

static void parse_conntrack(int count, char **words)
{
    struct conntrack_label_names labels = {0};
    struct conntrack_options options;
    int r = conntrack_options_parse(count, words, &labels, &options);

    CHECK(r >= 0 && r < 256);
    conntrack_label_names_done(&labels);
}

static void parse_tcpdump(int count, char **words)
{
    struct tcpdump_options options = {.words = NULL};
    int r = tcpdump_parse(count, words, &options);

    CHECK(r == 0 || r == TCPDUMP_FAILED);
    CHECK(r || (options.words >= words && options.words <= words + count));
    if (r == 0 && !options.filter_file)
        CHECK(tcpdump_read_expression(&options) == 0);
    tcpdump_options_done(&options);
}

/* Of the tools that are nothing but screens: the command line of ours that shows them. */
static void hand_over(const struct personality *personality, int count, char **words)
{
    struct handover handover = {.count = 0};
    enum handover_result result = personality->hand_over(count, words, &handover);

    CHECK(result != HANDOVER_WORDS || handover.count > 0 || handover.error);
    CHECK(handover.count <= HANDOVER_WORDS_MAX && !handover.words[handover.count]);
    handover_done(&handover);
}

static void parse_nload(int count, char **words)
{
    hand_over(&personality_nload, count, words);
}

static void parse_iptraf(int count, char **words)
{
    hand_over(&personality_iptraf, count, words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(int count, char **words) = {
        parse_ss,  parse_netstat,   parse_lsof,    parse_nethogs, parse_iftop,
        parse_sar, parse_conntrack, parse_tcpdump, parse_nload,   parse_iptraf};
    CLEANUP_FREE char *text = NULL;
    char *words[WORDS_MAX + 2] = {(char *)"tool"}, *rest;
    size_t tool;
    int count = 1;

    if (size < 1)
        return 0;
    tool = fuzz_choose(&data, &size, ARRAY_SIZE(parsers));
    text = rest = fuzz_text(data, size);
    while (rest && count <= WORDS_MAX)
        words[count++] = strsep(&rest, "\n");
    parsers[tool](count, words);
    return 0;
}
