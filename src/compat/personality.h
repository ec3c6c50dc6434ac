/* SPDX-License-Identifier: MIT */
/* A personality: nwho under the name of an old tool, with its arguments, output and exit status. */
/*
 * It has two halves: an argument parser that makes a query, and a layout that prints the grid which
 * the query yields. It collects nothing by itself.
 */
#pragma once

#include "compat/handover.h"

#include <stdint.h>

struct personality {
    const char *name;    /* of the tool, and of the command: `nwho ss`, or nwho started as "ss" */
    const char *summary; /* what it takes the place of */
    /* argv[0] is the name, argv[argc] is NULL. Prints, and returns the tool's exit status. */
    int (*run)(int argc, char **argv);
    /*
     * NULL, or: puts together the command line of nwho whose screen takes the place of the tool's
     * own, if this one asks for a screen. Where nwho has no such command, run() is called after
     * all, which says so.
     */
    enum handover_result (*hand_over)(int argc, char **argv, struct handover *handover);
};

extern const struct personality personality_ss;
extern const struct personality personality_netstat;
extern const struct personality personality_lsof;
extern const struct personality personality_nethogs;
extern const struct personality personality_iftop;
extern const struct personality personality_nload;
extern const struct personality personality_iptraf;
extern const struct personality personality_sar;
extern const struct personality personality_tcpdump;
extern const struct personality personality_conntrack;

/* All of them, ends with NULL. */
extern const struct personality *const personality_table[];

/* NULL when there is none of this name. */
const struct personality *personality_find(const char *name);
