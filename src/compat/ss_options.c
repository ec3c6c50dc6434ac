/* SPDX-License-Identifier: MIT */
/* The command line of ss(8): letters, tables, families, states. */
#include "compat/ss_options.h"

#include "compat/say.h"
#include "compat/ss_select.h"
#include "compat/ss_summary.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define VERSION_TEXT "ss utility, iproute2-6.1.0\n"

/* Options without a letter. */
enum long_option {
    OPTION_VSOCK = 256,
    OPTION_TIPC,
    OPTION_TIPC_INFO,
    OPTION_TOS,
    OPTION_CGROUP,
    OPTION_XDP,
    OPTION_INET_OPTIONS,
};

static const struct option long_options[] = {
    {"numeric", 0, NULL, 'n'},
    {"resolve", 0, NULL, 'r'},
    {"options", 0, NULL, 'o'},
    {"extended", 0, NULL, 'e'},
    {"memory", 0, NULL, 'm'},
    {"info", 0, NULL, 'i'},
    {"processes", 0, NULL, 'p'},
    {"threads", 0, NULL, 'T'},
    {"bpf", 0, NULL, 'b'},
    {"events", 0, NULL, 'E'},
    {"dccp", 0, NULL, 'd'},
    {"tcp", 0, NULL, 't'},
    {"sctp", 0, NULL, 'S'},
    {"udp", 0, NULL, 'u'},
    {"raw", 0, NULL, 'w'},
    {"unix", 0, NULL, 'x'},
    {"tipc", 0, NULL, OPTION_TIPC},
    {"vsock", 0, NULL, OPTION_VSOCK},
    {"all", 0, NULL, 'a'},
    {"listening", 0, NULL, 'l'},
    {"ipv4", 0, NULL, '4'},
    {"ipv6", 0, NULL, '6'},
    {"packet", 0, NULL, '0'},
    {"family", 1, NULL, 'f'},
    {"socket", 1, NULL, 'A'},
    {"query", 1, NULL, 'A'},
    {"summary", 0, NULL, 's'},
    {"diag", 1, NULL, 'D'},
    {"filter", 1, NULL, 'F'},
    {"version", 0, NULL, 'V'},
    {"help", 0, NULL, 'h'},
    {"context", 0, NULL, 'Z'},
    {"contexts", 0, NULL, 'z'},
    {"net", 1, NULL, 'N'},
    {"tipcinfo", 0, NULL, OPTION_TIPC_INFO},
    {"tos", 0, NULL, OPTION_TOS},
    {"cgroup", 0, NULL, OPTION_CGROUP},
    {"kill", 0, NULL, 'K'},
    {"no-header", 0, NULL, 'H'},
    {"xdp", 0, NULL, OPTION_XDP},
    {"mptcp", 0, NULL, 'M'},
    {"oneline", 0, NULL, 'O'},
    {"inet-sockopt", 0, NULL, OPTION_INET_OPTIONS},
    {NULL, 0, NULL, 0},
};

/* The rest of the parser's state. */
struct parser {
    struct ss_options *options;
    uint32_t states;   /* said by letters or words; 0: nothing was */
    bool tables_named; /* by -A */
    bool states_named; /* by "state" or "exclude" */
    int *status;
};

void ss_complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say_line("ss", format, args);
    va_end(args);
}

static const char usage_text[] =
    "Usage: ss [OPTION...] [state STATE | exclude STATE]... [EXPRESSION]\n"
    "  sockets of   -t tcp  -u udp  -w raw  -x unix  -S sctp  -d dccp  -M mptcp  -0 packet\n"
    "               --vsock --tipc --xdp  -4 IPv4  -6 IPv6\n"
    "               -f FAMILY  inet inet6 link unix netlink vsock tipc xdp\n"
    "               -A TABLE[,TABLE]  all inet tcp mptcp udp raw unix unix_dgram unix_stream\n"
    "                  unix_seqpacket packet packet_raw packet_dgram netlink dccp sctp vsock\n"
    "                  vsock_stream vsock_dgram tipc xdp; !TABLE leaves one out\n"
    "  in states    -a all  -l listening; else those that are connected\n"
    "  shown with   -p processes  -T threads  -o timers  -e details  -m memory  -i TCP's numbers\n"
    "               -b packet filters  --tos  --cgroup  --inet-sockopt  -Z -z SELinux contexts\n"
    "  written      -n ports as numbers  -r hosts as names  -H without a header  -O on one line\n"
    "  instead      -s totals  -E closing sockets as they go  -K close what matches\n"
    "               -D FILE raw answers of the kernel for TCP\n"
    "  elsewhere    -N NAME in that network namespace  -F FILE expression from a file\n"
    "               -h this text  -V version\n"
    "STATE: all connected synchronized bucket big established syn-sent syn-recv fin-wait-1\n"
    "       fin-wait-2 time-wait closed close-wait last-ack listening closing\n"
    "EXPRESSION: src HOST, dst HOST, sport OP PORT, dport OP PORT, dev NAME, fwmark N[/MASK],\n"
    "       cgroup PATH, autobound, joined by and, or, not and parentheses (read left to right)\n";

/* 0 or -errno. */
static int put_text(int fd, const char *text)
{
    struct buf out = BUF_SINK(fd);
    int r;

    buf_puts(&out, text);
    r = buf_flush(&out);
    buf_done(&out);
    return r;
}

int ss_usage(void)
{
    (void)!put_text(STDERR_FILENO, usage_text);
    return SS_EXIT_USAGE;
}

static int stop(const struct parser *parser, int status)
{
    *parser->status = status;
    return 1;
}

/* The answer is written, or could not be: -errno. */
static int stop_after(const struct parser *parser, int error)
{
    if (error == 0 || error == -EPIPE)
        return stop(parser, 0);
    ss_complain("%s", strerror(-error));
    return stop(parser, SS_EXIT_FAILED);
}

static int say_version(const struct parser *parser)
{
    return stop_after(parser, put_text(STDOUT_FILENO, VERSION_TEXT));
}

static int say_help(const struct parser *parser)
{
    return stop_after(parser, put_text(STDOUT_FILENO, usage_text));
}

static int take_family(const struct parser *parser, const char *name)
{
    int family;

    if (strcmp(name, "help") == 0)
        return say_help(parser);
    family = ss_family_parse(name);
    if (family < 0) {
        ss_complain("\"%s\" is invalid family", name);
        return stop(parser, ss_usage());
    }
    ss_select_family(&parser->options->selection, family);
    parser->options->nothing_named = false;
    return 0;
}

/* A list of tables takes the place of those named before it. */
static int take_tables(struct parser *parser, char *list)
{
    struct ss_options *options = parser->options;
    char *word;

    if (!parser->tables_named) {
        options->selection.tables = 0;
        if (!parser->states)
            parser->states = SS_STATES_CONNECTED;
        parser->tables_named = true;
        options->nothing_named = false;
    }
    while ((word = strsep(&list, ",")))
        if (ss_tables_parse(&options->selection, word) < 0) {
            ss_complain("\"%s\" is illegal socket table id", word);
            return stop(parser, ss_usage());
        }
    return 0;
}

static int take_table(const struct parser *parser, enum ss_table table)
{
    ss_select_table(&parser->options->selection, table, true);
    parser->options->nothing_named = false;
    return 0;
}

static int take_known_family(const struct parser *parser, int family)
{
    ss_select_family(&parser->options->selection, family);
    parser->options->nothing_named = false;
    return 0;
}

static int take_filter_file(const struct parser *parser, const char *name)
{
    if (parser->options->filter_file) {
        ss_complain("-F was given twice");
        return stop(parser, SS_EXIT_USAGE);
    }
    parser->options->filter_file = *name == '-' ? stdin : fopen(name, "re");
    if (!parser->options->filter_file) {
        ss_complain("%s: %s", name, strerror(errno));
        return stop(parser, SS_EXIT_USAGE);
    }
    return 0;
}

/* A name below /run/netns, or a path. */
static int enter_netns(const struct parser *parser, const char *name)
{
    char path[PATH_MAX];
    CLEANUP_CLOSE int fd = -1;

    snprintf(path, sizeof(path), "%s%s", strchr(name, '/') ? "" : "/run/netns/", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && setns(fd, CLONE_NEWNET) == 0)
        return 0;
    ss_complain("cannot enter the network namespace \"%s\": %s", name, strerror(errno));
    return stop(parser, 1);
}

/* Contexts need SELinux, of which the machine has none where /proc/self/attr tells nothing. */
static int take_context(const struct parser *parser)
{
    if (access("/sys/fs/selinux/status", F_OK) < 0) {
        ss_complain("SELinux is not enabled.");
        return stop(parser, 1);
    }
    return 0;
}

/* Letters that only switch something on. False: `letter` is none of them. */
static bool take_switch(struct parser *parser, int letter)
{
    struct ss_options *options = parser->options;
    const struct {
        int letter;
        bool *wanted;
    } switches[] = {
        {'n', &options->numeric},
        {'r', &options->resolve},
        {'o', &options->timer},
        {'e', &options->timer},
        {'b', &options->timer},
        {'m', &options->memory},
        {'i', &options->tcp_info},
        {'p', &options->processes},
        {'T', &options->threads},
        {'E', &options->events},
        {'s', &options->summary},
        {'K', &options->kill},
        {'O', &options->oneline},
        {OPTION_TOS, &options->tos},
        {OPTION_CGROUP, &options->cgroup},
        {OPTION_INET_OPTIONS, &options->inet_options},
    };

    options->details += letter == 'e';
    options->bpf |= letter == 'b';
    if (letter == 'H')
        options->header = false;
    if (letter == 'a')
        parser->states = SS_STATES_ALL;
    if (letter == 'l')
        parser->states = SS_STATES_LISTENING;
    for (size_t i = 0; i < ARRAY_SIZE(switches); i++)
        if (switches[i].letter == letter) {
            *switches[i].wanted = true;
            return true;
        }
    return letter == 'H' || letter == 'a' || letter == 'l' || letter == OPTION_TIPC_INFO;
}

/* Letters of tables and families. Below 0: `letter` is none of them. */
static int take_letter(const struct parser *parser, int letter)
{
    static const struct {
        int letter;
        int table; /* -1: a family */
        int family;
    } letters[] = {
        {'d', SS_TABLE_DCCP, 0},  {'t', SS_TABLE_TCP, 0},       {'S', SS_TABLE_SCTP, 0},
        {'u', SS_TABLE_UDP, 0},   {'w', SS_TABLE_RAW, 0},       {'M', SS_TABLE_MPTCP, 0},
        {'x', -1, AF_UNIX},       {'4', -1, AF_INET},           {'6', -1, AF_INET6},
        {'0', -1, AF_PACKET},     {OPTION_VSOCK, -1, AF_VSOCK}, {OPTION_TIPC, -1, AF_TIPC},
        {OPTION_XDP, -1, AF_XDP},
    };

    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (letters[i].letter == letter)
            return letters[i].table < 0 ? take_known_family(parser, letters[i].family)
                                        : take_table(parser, (enum ss_table)letters[i].table);
    return -1;
}

static int take_option(struct parser *parser, int letter, char *argument)
{
    int r;

    if (take_switch(parser, letter))
        return 0;
    r = take_letter(parser, letter);
    if (r >= 0)
        return r;
    switch (letter) {
    case 'f':
        return take_family(parser, argument);
    case 'A':
        return take_tables(parser, argument);
    case 'D':
        parser->options->dump_file = argument;
        return 0;
    case 'F':
        return take_filter_file(parser, argument);
    case 'N':
        return enter_netns(parser, argument);
    case 'Z':
    case 'z':
        return take_context(parser);
    case 'v':
    case 'V':
        return say_version(parser);
    case 'h':
        return say_help(parser);
    default:
        return stop(parser, ss_usage());
    }
}

/* The words "state S" and "exclude S" in front of the expression. */
static int take_states(struct parser *parser)
{
    struct ss_options *options = parser->options;

    while (options->word_count > 0) {
        bool state = strcmp(options->words[0], "state") == 0;
        uint32_t states;

        if (!state && strcmp(options->words[0], "exclude") != 0 &&
            strcmp(options->words[0], "excl") != 0)
            break;
        if (options->word_count < 2) {
            ss_complain("Command line is not complete. Try option \"help\"");
            return stop(parser, SS_EXIT_USAGE);
        }
        if (ss_states_parse(options->words[1], &states) < 0) {
            ss_complain("wrong state name: %s", options->words[1]);
            return stop(parser, SS_EXIT_USAGE);
        }
        if (!parser->states_named)
            parser->states = state ? 0 : SS_STATES_ALL;
        parser->states = state ? parser->states | states : parser->states & ~states;
        parser->states_named = true;
        options->words += 2;
        options->word_count -= 2;
    }
    return 0;
}

/* The totals come before all else; alone they are everything. */
static int say_summary(const struct parser *parser)
{
    const struct ss_options *options = parser->options;

    int r = options->summary ? ss_summary() : 0;

    if (r < 0 || (options->summary && options->nothing_named && options->word_count == 0))
        return stop_after(parser, r);
    return 0;
}

/* What nobody named is as usual. */
static void finish(struct parser *parser)
{
    struct ss_selection *selection = &parser->options->selection;

    if (parser->options->nothing_named) {
        if (!parser->states)
            parser->states = SS_STATES_CONNECTED;
        (void)!ss_tables_parse(selection, "all");
    }
    if (parser->states)
        selection->states = parser->states;
    ss_selection_complete(selection);
}

int ss_options_parse(int argc, char **argv, struct ss_options *ret_options, int *ret_status)
{
    struct parser parser = {.options = ret_options, .status = ret_status};
    int letter, r = 0;

    *ret_options = (struct ss_options){.header = true, .nothing_named = true};
    optind = 0; /* anew, also with glibc's own state */
    while (r == 0 && (letter = getopt_long(argc, argv, "dhaletuwxnro460spTbEf:mMiA:D:F:vVzZN:KHSO",
                                           long_options, NULL)) != -1)
        r = take_option(&parser, letter, optarg);
    if (r != 0)
        return r;
    ret_options->words = argv + optind;
    ret_options->word_count = argc - optind;
    r = say_summary(&parser);
    if (r == 0)
        r = take_states(&parser);
    if (r == 0)
        finish(&parser);
    return r;
}
