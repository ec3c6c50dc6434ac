/* SPDX-License-Identifier: MIT */
/* The command line of nethogs. */
#include "compat/nethogs.h"

#include "base/vec.h"
#include "compat/say.h"

#include <getopt.h>

const char nethogs_help[] =
    "nethogs, as nwho shows it: what each process sends and receives\n"
    "\n"
    "usage: nethogs [-t] [-d SEC] [-v VIEW] [-c COUNT] [-slabC] [-f FILTER] [-P PID]...\n"
    "               [DEVICE...]\n"
    "       nethogs -V | -h\n"
    "\n"
    "  -t          lines of text (without it: the screen of nwho top)\n"
    "  -d SEC      seconds between refreshes, usually 1\n"
    "  -v VIEW     0 KB/s, 1 KB, 2 B, 3 MB in all, 4 MB/s, 5 GB/s; K is 1024\n"
    "  -c COUNT    end after so many refreshes\n"
    "  -s          the greatest sender first, not the greatest receiver\n"
    "  -l  -b      names with the whole command line; names without directories\n"
    "  -C          also UDP\n"
    "  -a          every interface, also loopback and those that are down\n"
    "  -P PID      only this process; may be repeated\n"
    "  -f FILTER   only such traffic, e.g. \"port 443\"\n"
    "  -p -x -g N  are accepted: nothing is captured\n";

static int wrong(const char *what, const char *argument)
{
    say("nethogs", "%s, not \"%s\"", what, argument);
    return -EINVAL;
}

static int take_number(int letter, const char *argument, struct nethogs_options *options)
{
    uint32_t number;

    if (traffic_parse_number(argument, &number) < 0)
        return wrong(letter == 'P' ? "-P needs a process id" : "a number is needed", argument);
    if (letter == 'd')
        options->delay = number;
    if (letter == 'c')
        options->refreshes = number;
    if (letter == 'v')
        options->view = number % NETHOGS_VIEW_MAX;
    if (letter != 'P')
        return 0;
    if (VEC_RESERVE(&options->pids, &options->pid_capacity, options->pid_count, 1) < 0)
        return -ENOMEM;
    options->pids[options->pid_count++] = number;
    return 0;
}

/* Letters without an argument. False: it is none of them. */
static bool take_flag(int letter, struct nethogs_options *options)
{
    switch (letter) {
    case 's':
        options->by_sent = true;
        return true;
    case 'l':
        options->command_line = true;
        return true;
    case 'b':
        options->base_name = true;
        return true;
    case 'C':
        options->udp = true;
        return true;
    case 'a':
        options->devices.all = true;
        return true;
    case 'p':
        return true;
    default:
        return false;
    }
}

static int take(int letter, const char *argument, struct nethogs_options *options)
{
    switch (letter) {
    case 't':
    case 'x':
        options->show = NETHOGS_SHOW_TRACE;
        return 0;
    case 'd':
    case 'c':
    case 'v':
    case 'g':
    case 'P':
        return take_number(letter, argument, options);
    case 'f':
        options->filter = argument;
        return 0;
    default:
        if (take_flag(letter, options))
            return 0;
        say("nethogs", "-h tells the options");
        return -EINVAL;
    }
}

int nethogs_options_parse(int argc, char **argv, struct nethogs_options *ret_options)
{
    struct nethogs_options *options = ret_options;
    int letter, r = 0;

    *options = (struct nethogs_options){.delay = 1};
    optind = 0; /* forgets what was parsed before */
    while (r == 0 && (letter = getopt(argc, argv, "Vhxtpsd:v:c:laf:Cbg:P:")) != -1) {
        if (letter == 'V' || letter == 'h') {
            options->show = letter == 'V' ? NETHOGS_SHOW_VERSION : NETHOGS_SHOW_HELP;
            return 0;
        }
        r = take(letter, optarg, options);
    }
    options->devices.names = argv + optind;
    options->devices.count = (uint32_t)(argc - optind);
    return r;
}

void nethogs_options_done(struct nethogs_options *options)
{
    free(options->pids);
}
