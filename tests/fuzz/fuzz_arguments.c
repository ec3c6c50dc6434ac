/* SPDX-License-Identifier: MIT */
/* Fuzzing of the command lines of the old tools: one argument a line. */
#include "compat/iftop.h"
#include "compat/lsof.h"
#include "compat/nethogs.h"
#include "compat/netstat_options.h"
#include "compat/sar.h"
#include "compat/ss_options.h"
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const parsers[])(int count, char **words) = {
        parse_ss, parse_netstat, parse_lsof, parse_nethogs, parse_iftop, parse_sar};
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
