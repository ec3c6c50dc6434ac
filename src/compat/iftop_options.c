/* SPDX-License-Identifier: MIT */
/* The command line of iftop. */
#include "compat/iftop.h"

#include "compat/say.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

const char iftop_help[] =
    "iftop, as nwho shows it: which hosts send each other how much\n"
    "\n"
    "usage: iftop [-t [-s SEC] [-L LINES]] [-nNPBlpb] [-i INTERFACE] [-f FILTER] [-o ORDER]\n"
    "             [-F NET/BITS] [-G NET6/BITS] [-m LIMIT] [-c FILE]\n"
    "       iftop -h\n"
    "\n"
    "  -t            lines of text (without it: the screen of nwho top)\n"
    "  -s SEC        one report after so many seconds; without it one every two seconds\n"
    "  -L LINES      at most so many pairs\n"
    "  -i INTERFACE  traffic by this one; else the first that is up\n"
    "  -n  -N        addresses instead of names of hosts; numbers instead of names of ports\n"
    "  -P            with ports\n"
    "  -B            rates in bytes, not in bits\n"
    "  -l            also IPv6 addresses of the link\n"
    "  -f FILTER     only such traffic, e.g. \"port 443\"\n"
    "  -F  -G        what this network sends is \"sent\"\n"
    "  -o ORDER      2s, 10s, 40s, source, destination\n"
    "  -p -b -m -c   are accepted: nothing is captured, and text has no bars\n";

static int wrong(const char *what, const char *argument)
{
    say("iftop", "%s, not \"%s\"", what, argument);
    return -EINVAL;
}

static int take_number(int letter, const char *argument, struct iftop_options *options)
{
    uint32_t number;

    if (traffic_parse_number(argument, &number) < 0)
        return wrong(letter == 's' ? "-s needs seconds" : "-L needs a number of lines", argument);
    if (letter == 's')
        options->seconds = number;
    else
        options->lines = number;
    return 0;
}

static int take_order(const char *argument, struct iftop_options *options)
{
    static const char *const words[] = {[IFTOP_BY_2S] = "2s",
                                        [IFTOP_BY_10S] = "10s",
                                        [IFTOP_BY_40S] = "40s",
                                        [IFTOP_BY_SOURCE] = "source",
                                        [IFTOP_BY_DESTINATION] = "destination"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(words[i], argument) == 0) {
            options->order = (enum iftop_order)i;
            return 0;
        }
    return wrong("-o needs 2s, 10s, 40s, source or destination", argument);
}

/* "255.255.0.0" as a number of bits. */
static int mask_bits(const char *text, unsigned int *ret_bits)
{
    struct in_addr mask;
    uint32_t bits;

    if (inet_pton(AF_INET, text, &mask) != 1)
        return -EINVAL;
    bits = ntohl(mask.s_addr);
    if (bits && (~bits & (~bits + 1)) != 0)
        return -EINVAL;
    *ret_bits = bits ? 32 - (unsigned int)__builtin_ctz(bits) : 0;
    return 0;
}

/* "10.0.0.0/8", "10.0.0.0/255.0.0.0", "fd00::/8". */
static int take_net(int family, const char *argument, struct iftop_net *net)
{
    unsigned int most = family == AF_INET ? 32 : 128;
    const char *slash = strchr(argument, '/');
    char address[64];
    uint32_t bits;

    if (!slash || (size_t)(slash - argument) >= sizeof(address))
        return wrong("a network is ADDRESS/BITS", argument);
    snprintf(address, sizeof(address), "%.*s", (int)(slash - argument), argument);
    if (inet_pton(family, address, net->address) != 1)
        return wrong("a network is ADDRESS/BITS", argument);
    if (traffic_parse_number(slash + 1, &bits) == 0 && bits <= most)
        net->bits = bits;
    else if (family == AF_INET6 || mask_bits(slash + 1, &net->bits) < 0)
        return wrong("a network is ADDRESS/BITS", argument);
    net->given = true;
    return 0;
}

/* Letters without an argument, and those that change nothing. False: it is none of them. */
static bool take_flag(int letter, struct iftop_options *options)
{
    switch (letter) {
    case 'n':
        options->numeric_hosts = true;
        return true;
    case 'N':
        options->numeric_ports = true;
        return true;
    case 'P':
        options->ports = true;
        return true;
    case 'B':
        options->bytes = true;
        return true;
    case 'l':
        options->link_local = true;
        return true;
    case 't':
        options->show = IFTOP_SHOW_TEXT;
        return true;
    case 'p':
    case 'b':
    case 'm':
    case 'c':
        return true;
    default:
        return false;
    }
}

static int take(int letter, const char *argument, struct iftop_options *options)
{
    switch (letter) {
    case 'i':
        options->interface = argument;
        return 0;
    case 'f':
        options->filter = argument;
        return 0;
    case 's':
    case 'L':
        return take_number(letter, argument, options);
    case 'o':
        return take_order(argument, options);
    case 'F':
        return take_net(AF_INET, argument, &options->net);
    case 'G':
        return take_net(AF_INET6, argument, &options->net6);
    default:
        if (take_flag(letter, options))
            return 0;
        say("iftop", "-h tells the options");
        return -EINVAL;
    }
}

int iftop_options_parse(int argc, char **argv, struct iftop_options *ret_options)
{
    struct iftop_options options = {.order = IFTOP_BY_10S, .lines = IFTOP_ALL_LINES};
    int letter, r = 0;

    optind = 0; /* forgets what was parsed before */
    while (r == 0 && (letter = getopt(argc, argv, "+i:f:nNF:G:lhpbBPm:c:s:tL:o:")) != -1) {
        if (letter == 'h') {
            ret_options->show = IFTOP_SHOW_HELP;
            return 0;
        }
        r = take(letter, optarg, &options);
    }
    if (r == 0 && optind < argc)
        r = wrong("only options are expected", argv[optind]);
    *ret_options = options;
    return r;
}
