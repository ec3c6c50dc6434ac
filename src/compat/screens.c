/* SPDX-License-Identifier: MIT */
/* Old tools that are nothing but screens: nload 0.7.4 and iptraf-ng 1.2.1. */
#include "compat/personality.h"
#include "compat/say.h"
#include "compat/traffic_reader.h"

#include <getopt.h>
#include <net/if.h>
#include <string.h>

static int put_help(const char *help)
{
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int r;

    buf_puts(&out, help);
    r = buf_flush(&out);
    buf_done(&out);
    return r == 0 || r == -EPIPE ? 0 : 1;
}

/* --- nload --- */

static const char nload_help[] =
    "nload, as nwho shows it: the graphs of nwho if DEV -W, or its table\n"
    "\n"
    "usage: nload [-t MILLISECONDS] [DEVICE...]\n"
    "\n"
    "  -t MS             between two refreshes, usually 500\n"
    "  -a -i -o -u -U -m are accepted: scales and units are nwho's own\n";

/* Names the devices that are not there; returns how many. */
static uint32_t say_absent(char *const *devices, uint32_t count)
{
    uint32_t absent = 0;

    for (uint32_t i = 0; i < count; i++)
        if (if_nametoindex(devices[i]) == 0) {
            say("nload", "there is no device \"%s\" (nwho if lists them)", devices[i]);
            absent++;
        }
    return absent;
}

static enum handover_result hand_over_nload(int argc, char **argv, struct handover *handover)
{
    uint32_t ms = 500;
    int letter;

    optind = 0;
    while ((letter = getopt(argc, argv, "a:i:o:t:u:U:mhV")) != -1) {
        if (letter == 'h' || letter == 'V')
            return HANDOVER_NONE;
        if (letter == '?')
            return HANDOVER_FAILED;
        if (letter == 't' && (traffic_parse_number(optarg, &ms) < 0 || ms < 10)) {
            say("nload", "-t needs milliseconds, at least 10, not \"%s\"", optarg);
            return HANDOVER_FAILED;
        }
    }
    argv += optind;
    argc -= optind;
    if (argc > 0 && strcmp(argv[0], "all") == 0)
        argc = 0;
    if (argc > 0 && say_absent(argv, (uint32_t)argc) == (uint32_t)argc)
        return HANDOVER_FAILED;
    handover_add(handover, "if");
    handover_printf(handover, "--watch=%u.%03u", ms / 1000, ms % 1000);
    if (argc == 1)
        handover_printf(handover, "\"%s\"", argv[0]); /* one has graphs */
    else if (argc > 1)
        handover_any(handover, "iface", argv, (uint32_t)argc);
    return HANDOVER_WORDS;
}

/* Only where no screen is wanted. */
static int run_nload(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return put_help(nload_help);
}

const struct personality personality_nload = {
    .name = "nload",
    .summary = "interfaces and their rates, in the place of nload",
    .run = run_nload,
    .hand_over = hand_over_nload,
};

/* --- iptraf-ng --- */

static const char iptraf_help[] =
    "iptraf-ng, as nwho shows it: the screens of nwho top and nwho if\n"
    "\n"
    "usage: iptraf-ng [-i IFACE | -g | -d IFACE | -s IFACE | -z IFACE]\n"
    "\n"
    "  -i IFACE  connections (nwho top --by conn); all: of every interface\n"
    "  -s IFACE  ports (nwho top --by port)\n"
    "  -g        interfaces (nwho if -W)\n"
    "  -d IFACE  one interface (nwho if -W)\n"
    "  -z IFACE  packets by size (nwho if IFACE --by size)\n"
    "  -l -B     are not there\n";

static void add_iface(struct handover *handover, char *name)
{
    if (strcmp(name, "all") != 0)
        handover_any(handover, "iface", &name, 1);
}

static void put_top(struct handover *handover, const char *by, char *iface)
{
    handover_top(handover, by);
    if (iface)
        add_iface(handover, iface);
}

static void put_interfaces(struct handover *handover, char *iface)
{
    handover_add(handover, "if");
    handover_add(handover, "--watch");
    if (iface)
        add_iface(handover, iface);
}

static enum handover_result hand_over_iptraf(int argc, char **argv, struct handover *handover)
{
    int letter, facility = 'i';
    char *iface = NULL;

    optind = 0;
    while ((letter = getopt(argc, argv, "i:gd:s:z:l:uhft:BL:V")) != -1) {
        if (letter == 'h' || letter == 'V')
            return HANDOVER_NONE;
        if (letter == '?')
            return HANDOVER_FAILED;
        if (letter == 'l' || letter == 'B') {
            say("iptraf-ng", "no -%c: nwho lists no stations, and writes no log", letter);
            return HANDOVER_FAILED;
        }
        if (strchr("igdsz", letter)) {
            facility = letter;
            iface = optarg;
        }
    }
    if (facility == 'z') {
        handover_add(handover, "if");
        handover_add(handover, iface);
        handover_add(handover, "--by");
        handover_add(handover, "size");
    } else if (facility == 'i' || facility == 's') {
        put_top(handover, facility == 'i' ? "conn" : "port", iface);
    } else {
        put_interfaces(handover, iface);
    }
    return HANDOVER_WORDS;
}

static int run_iptraf(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    return put_help(iptraf_help);
}

const struct personality personality_iptraf = {
    .name = "iptraf-ng",
    .summary = "connections, ports and interfaces, in the place of iptraf-ng",
    .run = run_iptraf,
    .hand_over = hand_over_iptraf,
};
