/* SPDX-License-Identifier: MIT */
/* The command line of sar. */
#include "compat/sar.h"

#include "base/vec.h"
#include "compat/say.h"

#include <stdlib.h>

#define DIGITS "0123456789"
#define FIRST_OF_DAY (8 * 3600) /* -s without a time */
#define LAST_OF_DAY (18 * 3600) /* -e without a time */

/* What is wrong has the words of the real tool: scripts look for them. */
static const char usage_text[] =
    "Usage: %s [ options ] [ <interval> [ <count> ] ]\n"
    "Options are:\n"
    "[ -A ] [ -B ] [ -b ] [ -C ] [ -D ] [ -d ] [ -F [ MOUNT ] ] [ -H ] [ -h ]\n"
    "[ -p ] [ -r [ ALL ] ] [ -S ] [ -t ] [ -u [ ALL ] ] [ -V ]\n"
    "[ -v ] [ -W ] [ -w ] [ -y ] [ -z ]\n"
    "[ -I [ SUM | ALL ] ] [ -P { <cpu_list> | ALL } ]\n"
    "[ -m { <keyword> [,...] | ALL } ] [ -n { <keyword> [,...] | ALL } ]\n"
    "[ -q [ <keyword> [,...] | ALL ] ]\n"
    "[ --dev=<dev_list> ] [ --fs=<fs_list> ] [ --iface=<iface_list> ] [ --int=<int_list> ]\n"
    "[ --dec={ 0 | 1 | 2 } ] [ --help ] [ --human ] [ --pretty ] [ --sadc ]\n"
    "[ -j { SID | ID | LABEL | PATH | UUID | ... } ]\n"
    "[ -f [ <filename> ] | -o [ <filename> ] | -[0-9]+ ]\n"
    "[ -i <interval> ] [ -s [ <hh:mm[:ss]> ] ] [ -e [ <hh:mm[:ss]> ] ]\n";

const char sar_help[] =
    "sar, as nwho shows it: rates of interfaces and protocols, one line an interval\n"
    "\n"
    "usage: sar -n KEYWORD[,KEYWORD]... [OPTION]... INTERVAL [COUNT]\n"
    "       sar -n KEYWORD[,KEYWORD]... [OPTION]... 0      since the machine was started\n"
    "       sar -n KEYWORD[,KEYWORD]... [OPTION]... [INTERVAL [COUNT]] [-f [FILE] | -1]\n"
    "                                              what nwho serve recorded today\n"
    "       sar -V | --help\n"
    "\n"
    "  DEV  EDEV                interfaces; their errors\n"
    "  SOCK  SOCK6              sockets\n"
    "  IP  EIP  IP6  EIP6       packets; those that failed\n"
    "  ICMP  EICMP  ICMP6  EICMP6\n"
    "  TCP  ETCP  UDP  UDP6     connections and segments; datagrams\n"
    "  SOFT                     packets that the CPUs took in\n"
    "  NFS  NFSD  FC            only that there are none\n"
    "  ALL                      all of them\n"
    "\n"
    "  --iface=NAME[,NAME]...   only these interfaces\n"
    "  -P CPU[,CPU]... | ALL    of SOFT: these CPUs, all of them\n"
    "  -s HH:MM[:SS]            of what was recorded: from this time on (08:00:00)\n"
    "  -e HH:MM[:SS]            ends at this time (18:00:00)\n"
    "  -i SECONDS               of what was recorded: as INTERVAL\n"
    "  -f FILE                  the last day of this history (nwho serve --store FILE)\n"
    "  -1 -2 ...                so many days ago\n"
    "  --dec=0|1|2              decimals\n"
    "  --human                  with units        -p --pretty  names at the end\n"
    "  -h                       both\n"
    "  -z                       no lines of zeros\n"
    "  -t -D -C                 are accepted, and change nothing\n";

/* One command line, and where we are in it. */
struct parser {
    char **argv; /* ends with NULL */
    struct sar_options *options;
    bool has_interval, has_count, has_step;
    bool from_file, to_file;
};

static int usage(const struct parser *parser)
{
    struct buf line = BUF_SINK(STDERR_FILENO);

    buf_printf(&line, usage_text, parser->argv[0]);
    (void)buf_flush(&line);
    buf_done(&line);
    return SAR_WRONG_USE;
}

static int refuse(const char *option, const char *why)
{
    say("sar", "%s: %s", option, why);
    return SAR_REFUSED;
}

/* --- lists --- */

/* The next part of a list with commas, which may be empty; false at its end. */
static bool next_part(const char **at, const char **ret_part, size_t *ret_length)
{
    if (!*at)
        return false;
    *ret_part = *at;
    *ret_length = strcspn(*at, ",");
    *at = (*at)[*ret_length] ? *at + *ret_length + 1 : NULL;
    return true;
}

static bool is_word(const char *part, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(part, word, length) == 0;
}

/* 0: there is no such keyword. */
static uint32_t reports_of(const char *part, size_t length)
{
    if (is_word(part, length, "ALL"))
        return SAR_REPORT_BIT(SAR_REPORT_MAX) - 1;
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++)
        if (is_word(part, length, sar_reports[id].keyword))
            return SAR_REPORT_BIT(id);
    return 0;
}

static int take_keywords(struct parser *parser, const char *list)
{
    const char *part;
    size_t length;

    while (next_part(&list, &part, &length)) {
        uint32_t reports = reports_of(part, length);

        if (length && !reports)
            return usage(parser);
        parser->options->reports |= reports;
    }
    return 0;
}

static int take_interfaces(struct sar_options *options, const char *list)
{
    const char *part;
    size_t length;

    while (next_part(&list, &part, &length)) {
        if (VEC_RESERVE(&options->interfaces, &options->interface_capacity,
                        options->interface_count, 1) < 0)
            return refuse("--iface", strerror(ENOMEM));
        options->interfaces[options->interface_count++] =
            (struct sar_name){.bytes = part, .length = length};
    }
    return 0;
}

static void set_cpus(struct sar_options *options, unsigned long first, unsigned long last)
{
    for (unsigned long bit = first; bit <= last && bit <= SAR_CPU_MAX; bit++)
        options->cpus[bit / 8] |= (uint8_t)(1u << bit % 8);
}

/* "ALL" is each of them and all together, "all" all together; else "3" or "0-7". */
static int take_cpus(struct parser *parser, const char *list)
{
    const char *part;
    size_t length;

    memset(parser->options->cpus, 0, sizeof(parser->options->cpus));
    while (next_part(&list, &part, &length)) {
        char *end = NULL;
        unsigned long first, last;

        if (is_word(part, length, "ALL") || is_word(part, length, "all")) {
            set_cpus(parser->options, 0, *part == 'A' ? SAR_CPU_MAX : 0);
            continue;
        }
        if (!strspn(part, DIGITS))
            return usage(parser);
        first = last = strtoul(part, &end, 10);
        if (*end == '-' && strspn(end + 1, DIGITS))
            last = strtoul(end + 1, &end, 10);
        if (end != part + length || last >= SAR_CPU_MAX)
            return usage(parser);
        set_cpus(parser->options, first + 1, last + 1);
    }
    return 0;
}

/* --- words --- */

static bool is_number(const char *word)
{
    return word[strspn(word, DIGITS)] == '\0';
}

/* The argument of an option that may stand without one; NULL then. */
static const char *take_file(char ***at)
{
    const char *word = (*at)[1];

    if (!word || *word == '-' || is_number(word))
        return NULL;
    ++*at;
    return word;
}

/* -f */
static int take_history(struct parser *parser, char ***at)
{
    if (parser->from_file || parser->options->days_ago)
        return usage(parser);
    parser->from_file = true;
    parser->options->file = take_file(at);
    return 0;
}

/* -1, -2: so many days ago. */
static int take_day(struct parser *parser, const char *digits)
{
    if (parser->from_file || parser->options->days_ago)
        return usage(parser);
    parser->options->days_ago = (uint32_t)strtoul(digits, NULL, 10);
    return 0;
}

/* "hh:mm" or "hh:mm:ss"; nothing else is as long. */
static int take_time(struct parser *parser, char ***at, uint32_t *ret_second)
{
    const char *word = (*at)[1];
    size_t length = word ? strlen(word) : 0;
    uint32_t hour, minute, second = 0;

    if (length != strlen("hh:mm") && length != strlen("hh:mm:ss"))
        return 0;
    for (size_t i = 0; i < length; i++)
        if (i % 3 == 2 ? word[i] != ':' : !strchr(DIGITS, word[i]))
            return usage(parser);
    hour = (uint32_t)strtoul(word, NULL, 10);
    minute = (uint32_t)strtoul(word + 3, NULL, 10);
    if (length > 5)
        second = (uint32_t)strtoul(word + 6, NULL, 10);
    if (hour > 23 || minute > 59 || second > 59)
        return usage(parser);
    *ret_second = hour * 3600 + minute * 60 + second;
    ++*at;
    return 0;
}

/* 0 is a number, too; greater ones than fit are as good as for ever. */
static uint32_t read_number(const char *word)
{
    unsigned long number = strtoul(word, NULL, 10);

    return number > INT32_MAX ? INT32_MAX : (uint32_t)number;
}

/* The interval, and after it how often. */
static int take_number(struct parser *parser, const char *word)
{
    uint32_t number = read_number(word);

    if (!is_number(word) || parser->has_count)
        return usage(parser);
    if (!parser->has_interval) {
        parser->options->interval = number;
        parser->has_interval = true;
        return 0;
    }
    parser->has_count = true;
    parser->options->count = number;
    return number && parser->options->interval ? 0 : usage(parser);
}

static int take_letter(struct parser *parser, char letter)
{
    struct sar_options *options = parser->options;
    const char option[] = {'-', letter, '\0'};

    switch (letter) {
    case 'V':
        options->show = SAR_SHOW_VERSION;
        return 0;
    case 'h':
        options->human = true;
        options->pretty = true;
        return 0;
    case 'p':
        options->pretty = true;
        return 0;
    case 'z':
        options->omit_zeros = true;
        return 0;
    case 'C':
    case 't':
        return 0;
    default:
        if (strchr("ABbdFHrSuvWwyq", letter))
            return refuse(option, "nwho has the reports of the network only: -n");
        return usage(parser);
    }
}

static int take_letters(struct parser *parser, const char *letters)
{
    int status = 0;

    for (; *letters && status == 0 && parser->options->show == SAR_SHOW_REPORTS; letters++)
        status = take_letter(parser, *letters);
    return status;
}

static int take_long(struct parser *parser, const char *word)
{
    static const char *const accepted[] = {"--dev=", "--fs=", "--int="};
    struct sar_options *options = parser->options;

    for (size_t i = 0; i < ARRAY_SIZE(accepted); i++)
        if (strncmp(word, accepted[i], strlen(accepted[i])) == 0)
            return 0;
    if (strncmp(word, "--iface=", strlen("--iface=")) == 0)
        return take_interfaces(options, word + strlen("--iface="));
    if (strcmp(word, "--sadc") == 0)
        return refuse(word, "nwho needs no data collector");
    if (strcmp(word, "--help") == 0)
        options->show = SAR_SHOW_HELP;
    else if (strcmp(word, "--human") == 0)
        options->human = true;
    else if (strcmp(word, "--pretty") == 0)
        options->pretty = true;
    else if (strlen(word) == strlen("--dec=0") && strncmp(word, "--dec=", 6) == 0 &&
             word[6] >= '0' && word[6] <= '2')
        options->decimals = (uint32_t)(word[6] - '0');
    else
        return usage(parser);
    return 0;
}

/* -i, a step of what is read from files; it stands in the place of an interval. */
static int take_step(struct parser *parser, const char *word)
{
    if (!is_number(word) || read_number(word) == 0)
        return usage(parser);
    parser->options->interval = read_number(word);
    parser->has_interval = true;
    parser->has_step = true;
    return 0;
}

/* An option with an argument of its own. */
static int take_with_argument(struct parser *parser, char ***at)
{
    char letter = (**at)[1];
    const char *argument = *++*at;

    if (!argument)
        return usage(parser);
    if (letter == 'n')
        return take_keywords(parser, argument);
    if (letter == 'P')
        return take_cpus(parser, argument);
    if (letter == 'i')
        return take_step(parser, argument);
    return refuse((*at)[-1], "nwho has the reports of the network only: -n");
}

static int take_option(struct parser *parser, char ***at)
{
    struct sar_options *options = parser->options;
    const char *word = **at;

    if (strlen(word) == 2 && strchr("nPiImj", word[1]))
        return take_with_argument(parser, at);
    if (strcmp(word, "-f") == 0)
        return take_history(parser, at);
    if (strcmp(word, "-o") == 0) {
        parser->to_file = true;
        take_file(at);
        return 0;
    }
    if (strcmp(word, "-s") == 0) {
        options->has_start = true;
        return take_time(parser, at, &options->start);
    }
    if (strcmp(word, "-e") == 0) {
        options->has_end = true;
        return take_time(parser, at, &options->end);
    }
    if (strcmp(word, "-D") == 0)
        return 0;
    if (strncmp(word, "--", 2) == 0)
        return take_long(parser, word);
    if (word[1] && strlen(word) < 4 && is_number(word + 1))
        return take_day(parser, word + 1);
    return take_letters(parser, word + 1);
}

/* What does not go together, in the words of the real tool; then what nwho does not do. */
static int check(const struct parser *parser)
{
    struct sar_options *options = parser->options;
    bool history = parser->from_file || !parser->has_interval || parser->has_step;
    const char *wrong = NULL;
    struct buf line = BUF_SINK(STDERR_FILENO);

    if (parser->from_file && parser->to_file)
        wrong = "-f and -o options are mutually exclusive\n";
    else if (options->has_start && !history)
        wrong = "Not reading from a system activity file (use -f option)\n";
    if (wrong) {
        buf_puts(&line, wrong);
        (void)buf_flush(&line);
        buf_done(&line);
        return SAR_WRONG_USE;
    }
    if (parser->has_interval && options->interval == 0 && (parser->from_file || parser->to_file))
        return usage(parser);
    if (parser->to_file)
        return refuse("-o", "nwho does not write files of sysstat");
    if (!options->reports)
        return refuse("-n", "nwho has the reports of the network only, and needs to be told which");
    if (history)
        options->show = SAR_SHOW_HISTORY;
    return 0;
}

int sar_options_parse(int argc, char **argv, struct sar_options *ret_options)
{
    struct parser parser = {.argv = argv, .options = ret_options};
    int status = 0;

    *ret_options =
        (struct sar_options){.decimals = 2, .start = FIRST_OF_DAY, .end = LAST_OF_DAY, .cpus = {1}};
    for (char **at = argv + 1; at < argv + argc && *at && status == 0; at++) {
        status = **at == '-' ? take_option(&parser, &at) : take_number(&parser, *at);
        if (ret_options->show != SAR_SHOW_REPORTS)
            return status;
    }
    return status ? status : check(&parser);
}

void sar_options_done(struct sar_options *options)
{
    free(options->interfaces);
}
