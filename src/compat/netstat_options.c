/* SPDX-License-Identifier: MIT */
/* The command line of netstat. */
#include "compat/netstat_options.h"

#include "base/cleanup.h"
#include "compat/netstat.h"
#include "model/socket.h"

#include <getopt.h>
#include <string.h>

/* Long options without a letter of their own. */
enum {
    OPTION_FAMILY = 256, /* the name is that of a family */
    OPTION_NOTHING,
    OPTION_NUMERIC_HOSTS,
    OPTION_NUMERIC_PORTS,
    OPTION_NUMERIC_USERS,
};

static const char short_options[] = "A:CFMacdeghilnNoprsStuUvVWw2fx64?Z";

static const struct option long_options[] = {
    {"ax25", no_argument, NULL, OPTION_FAMILY},
    {"ip", no_argument, NULL, OPTION_FAMILY},
    {"ipx", no_argument, NULL, OPTION_FAMILY},
    {"appletalk", no_argument, NULL, OPTION_FAMILY},
    {"netrom", no_argument, NULL, OPTION_FAMILY},
    {"inet", no_argument, NULL, OPTION_FAMILY},
    {"inet6", no_argument, NULL, OPTION_FAMILY},
    {"ddp", no_argument, NULL, OPTION_FAMILY},
    {"unix", no_argument, NULL, OPTION_FAMILY},
    {"rose", no_argument, NULL, OPTION_FAMILY},
    {"x25", no_argument, NULL, OPTION_FAMILY},
    {"bluetooth", no_argument, NULL, OPTION_FAMILY},
    {"tcpip", no_argument, NULL, OPTION_NOTHING},
    {"version", no_argument, NULL, 'V'},
    {"interfaces", no_argument, NULL, 'i'},
    {"help", no_argument, NULL, 'h'},
    {"route", no_argument, NULL, 'r'},
    {"masquerade", no_argument, NULL, 'M'},
    {"protocol", required_argument, NULL, 'A'},
    {"tcp", no_argument, NULL, 't'},
    {"sctp", no_argument, NULL, 'S'},
    {"udp", no_argument, NULL, 'u'},
    {"udplite", no_argument, NULL, 'U'},
    {"raw", no_argument, NULL, 'w'},
    {"l2cap", no_argument, NULL, '2'},
    {"rfcomm", no_argument, NULL, 'f'},
    {"listening", no_argument, NULL, 'l'},
    {"all", no_argument, NULL, 'a'},
    {"timers", no_argument, NULL, 'o'},
    {"continuous", no_argument, NULL, 'c'},
    {"extend", no_argument, NULL, 'e'},
    {"programs", no_argument, NULL, 'p'},
    {"verbose", no_argument, NULL, 'v'},
    {"statistics", no_argument, NULL, 's'},
    {"wide", no_argument, NULL, 'W'},
    {"numeric", no_argument, NULL, 'n'},
    {"numeric-hosts", no_argument, NULL, OPTION_NUMERIC_HOSTS},
    {"numeric-ports", no_argument, NULL, OPTION_NUMERIC_PORTS},
    {"numeric-users", no_argument, NULL, OPTION_NUMERIC_USERS},
    {"symbolic", no_argument, NULL, 'N'},
    {"cache", no_argument, NULL, 'C'},
    {"fib", no_argument, NULL, 'F'},
    {"groups", no_argument, NULL, 'g'},
    {"context", no_argument, NULL, 'Z'},
    {NULL, 0, NULL, 0},
};

static const struct family_name {
    const char *name;
    enum netstat_family family;
} family_names[] = {
    {"inet", NETSTAT_INET},   {"ip", NETSTAT_INET},       {"tcpip", NETSTAT_INET},
    {"inet6", NETSTAT_INET6}, {"unix", NETSTAT_UNIX},     {"ipx", NETSTAT_IPX},
    {"ax25", NETSTAT_AX25},   {"x25", NETSTAT_X25},       {"netrom", NETSTAT_NETROM},
    {"rose", NETSTAT_ROSE},   {"ddp", NETSTAT_DDP},       {"appletalk", NETSTAT_DDP},
    {"ec", NETSTAT_ECONET},   {"econet", NETSTAT_ECONET}, {"bluetooth", NETSTAT_BLUETOOTH},
};

const char *netstat_family_name(enum netstat_family family)
{
    for (size_t i = 0; i < ARRAY_SIZE(family_names); i++)
        if (family_names[i].family == family)
            return family_names[i].name;
    return "";
}

/* Bluetooth is no family that -r and -s have heard of. */
static int name_family(struct netstat_options *options, enum netstat_family family)
{
    options->families |= family;
    if (family == NETSTAT_BLUETOOTH)
        return 0;
    if (options->named_families == NETSTAT_FAMILIES_MAX) {
        netstat_say("too many address families");
        return NETSTAT_FAILED + 1;
    }
    options->named[options->named_families++] = family;
    return 0;
}

static int add_family(struct netstat_options *options, const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(family_names); i++) {
        if (strlen(family_names[i].name) != length ||
            memcmp(family_names[i].name, name, length) != 0)
            continue;
        return name_family(options, family_names[i].family);
    }
    netstat_say("address family \"%.*s\" is not known", (int)length, name);
    return NETSTAT_FAILED + 1;
}

/* "inet,unix" */
static int add_families(struct netstat_options *options, const char *list)
{
    size_t length;
    int r;

    do {
        length = strcspn(list, ",");
        r = add_family(options, list, length);
        list += length;
    } while (r == 0 && *list++ == ',' && *list);
    return r;
}

static void set_proto(struct netstat_options *options, enum socket_proto proto)
{
    options->protos |= PROTO_BIT(proto);
    options->named_protos = true;
}

/* Letters that say which rows. False: the letter is none of them. */
static bool take_rows(struct netstat_options *options, int letter)
{
    switch (letter) {
    case 'a':
        options->all = true;
        return true;
    case 'l':
        options->listening = true;
        return true;
    case 'g':
        options->groups = true;
        return true;
    case 't':
        set_proto(options, PROTO_TCP);
        return true;
    case 'u':
        set_proto(options, PROTO_UDP);
        return true;
    case 'U':
        set_proto(options, PROTO_UDPLITE);
        return true;
    case 'w':
        set_proto(options, PROTO_RAW);
        return true;
    case 'S':
        set_proto(options, PROTO_SCTP);
        return true;
    default:
        return false;
    }
}

/* Letters that say what is told of a row. -d changes nothing. */
static bool take_details(struct netstat_options *options, int letter)
{
    switch (letter) {
    case 'e':
        options->extend++;
        return true;
    case 'o':
        options->timers = true;
        return true;
    case 'p':
        options->programs = true;
        return true;
    case 'v':
        options->verbose = true;
        return true;
    case 'W':
        options->wide = true;
        return true;
    case 'C':
        options->cache = true;
        return true;
    case 'c':
        options->continuous = true;
        return true;
    case 'F':
        options->fib = true;
        return true;
    case 'N':
        options->symbolic = true;
        return true;
    case 'd':
    case OPTION_NOTHING:
        return true;
    default:
        return false;
    }
}

static bool take_numeric(struct netstat_options *options, int letter)
{
    bool all = letter == 'n';

    options->numeric_hosts |= all || letter == OPTION_NUMERIC_HOSTS;
    options->numeric_ports |= all || letter == OPTION_NUMERIC_PORTS;
    options->numeric_users |= all || letter == OPTION_NUMERIC_USERS;
    return all || (letter >= OPTION_NUMERIC_HOSTS && letter <= OPTION_NUMERIC_USERS);
}

/* Views that exclude each other are counted: the same one twice is also too many. */
static bool take_view(struct netstat_options *options, int letter, unsigned int *views)
{
    static const struct {
        char letter;
        enum netstat_show show;
    } shown[] = {
        {'r', NETSTAT_SHOW_ROUTES},
        {'i', NETSTAT_SHOW_INTERFACES},
        {'s', NETSTAT_SHOW_STATISTICS},
        {'M', NETSTAT_SHOW_MASQUERADE},
    };

    for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
        if (shown[i].letter == letter) {
            options->show = shown[i].show;
            ++*views;
            return true;
        }
    return false;
}

static int take_family(struct netstat_options *options, int letter, const char *argument)
{
    switch (letter) {
    case 'A':
        return add_families(options, argument);
    case '4':
        return add_families(options, "inet");
    case '6':
        return add_families(options, "inet6");
    case 'x':
        return add_families(options, "unix");
    case '2':
    case 'f':
        return add_families(options, "bluetooth");
    default:
        return -ENOENT;
    }
}

/* 0, or the exit status + 1. */
static int take(struct netstat_options *options, int letter, int index, unsigned int *views)
{
    int r;

    if (letter == OPTION_FAMILY)
        return add_families(options, long_options[index].name);
    r = take_family(options, letter, optarg);
    if (r != -ENOENT)
        return r;
    if (take_rows(options, letter) || take_details(options, letter) ||
        take_numeric(options, letter) || take_view(options, letter, views))
        return 0;
    if (letter == 'Z') {
        netstat_say("no security contexts: SELinux is not asked");
        return NETSTAT_FAILED + 1;
    }
    netstat_usage();
    return NETSTAT_USAGE + 1;
}

/* What follows from the words given. */
static void settle(struct netstat_options *options)
{
    const uint32_t protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_SCTP) | PROTO_BIT(PROTO_UDP) |
                            PROTO_BIT(PROTO_UDPLITE) | PROTO_BIT(PROTO_RAW);
    const uint32_t inet = NETSTAT_INET | NETSTAT_INET6;

    if ((options->families & inet || options->show == NETSTAT_SHOW_STATISTICS) && !options->protos)
        options->protos = protos;
    if ((options->protos || options->groups) && !(options->families & inet))
        options->families |= inet;
    options->everything = !options->protos && !options->groups &&
                          !(options->families & ~(NETSTAT_DDP | NETSTAT_ECONET));
    if (options->everything) {
        options->protos = protos;
        options->families |= inet | NETSTAT_UNIX;
    }
}

int netstat_options_parse(int argc, char **argv, struct netstat_options *ret_options)
{
    struct netstat_options options = {.show = NETSTAT_SHOW_SOCKETS};
    unsigned int views = 0;
    int letter, index = 0, r;

    optind = 0; /* forgets what was parsed before */
    while ((letter = getopt_long(argc, argv, short_options, long_options, &index)) != -1) {
        if (letter == 'V' || letter == 'h') {
            ret_options->show = letter == 'V' ? NETSTAT_SHOW_VERSION : NETSTAT_SHOW_HELP;
            return 0;
        }
        r = take(&options, letter, index, &views);
        if (r != 0)
            return r;
    }
    if (views > 1) {
        netstat_say("only one of -i, -r, -s and -M at a time");
        netstat_usage();
        return NETSTAT_USAGE + 1;
    }
    settle(&options);
    *ret_options = options;
    return 0;
}
