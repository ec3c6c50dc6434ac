/* SPDX-License-Identifier: MIT */
/* Options: one table from which parsing, help and completion come; and what they mean together. */
#pragma once

#include "base/buf.h"
#include "out/color.h"

#include <stdbool.h>
#include <stdint.h>

/* What a command accepts; an option belongs to one or more groups. */
enum option_group {
    OPTIONS_OUTPUT = 1u << 0,  /* formats, columns, sorting */
    OPTIONS_SOURCE = 1u << 1,  /* namespaces, record, replay */
    OPTIONS_SOCKETS = 1u << 2, /* the letters of ss(8) */
    OPTIONS_WATCH = 1u << 3,
    OPTIONS_PORTS = 1u << 4,
    OPTIONS_KILL = 1u << 5,
    OPTIONS_THREADS = 1u << 6,
    OPTIONS_STATS = 1u << 7,
    OPTIONS_ROUTES = 1u << 8,
    OPTIONS_GROUPS = 1u << 9,
    OPTIONS_TOP = 1u << 10,
    OPTIONS_EVENTS = 1u << 11,
    OPTIONS_IF = 1u << 12,
    OPTIONS_TRAFFIC = 1u << 13,
    OPTIONS_DOCTOR = 1u << 14,
    OPTIONS_PAST = 1u << 15, /* which time, of what was recorded */
    OPTIONS_HISTORY = 1u << 16,
    OPTIONS_SERVE = 1u << 17,
    OPTIONS_STORE = 1u << 18, /* which history */
    OPTIONS_EXPORT = 1u << 19,
    OPTIONS_NAT = 1u << 20,
    OPTIONS_SNIFF = 1u << 21,
    OPTIONS_FLEET = 1u << 22,
};

enum output_format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_JSONL,
    FORMAT_CSV,
};

#define OPTION_NAMESPACES_MAX 32

struct options {
    /* the letters of ss(8) */
    uint32_t protos, families; /* as in struct request; 0: not chosen */
    bool listening, no_time_wait, all;
    /* source */
    bool all_netns;
    const char *namespaces[OPTION_NAMESPACES_MAX];
    uint32_t namespace_count;
    const char *container;
    const char *record, *replay;
    const char *sources;
    /* output */
    enum output_format format;
    const char *columns;        /* of -o, --json=... and their like, whichever came last */
    const char *columns_option; /* which of them it was, for messages */
    const char *sort;
    uint32_t limit;
    bool no_header, quiet, strict, explain, resolve, no_pager, exact, threads;
    enum color_when color;
    /* watch */
    bool watch;
    uint64_t watch_ms;                        /* 0: the usual */
    const char *elsewhere;                    /* a long option that only other commands have */
    uint32_t watch_count;                     /* refreshes until it ends; 0: none */
    const char *by;                           /* of top and if */
    bool batch;                               /* top */
    bool pcapng, packet_statistics, children; /* sniff */
    bool bytes;                               /* rates in these rather than in bits */
    bool past;                                /* top: --replay without a FILE, of the history */
    /* stats, if, and where there is traffic */
    bool delta;
    uint64_t delta_ms;
    /* ports */
    bool exposed;
    bool save_baseline, diff;
    const char *baseline; /* file of one of the two; NULL: the usual one */
    /* kill */
    bool yes, dry_run;
    /* events */
    bool retransmits, summary, follow;
    uint64_t for_ms; /* until it ends; 0: until it is interrupted */
    bool events;     /* of `nat`: what happens, instead of what is there */
    /* doctor; its window is delta_ms */
    bool list, nagios;
    const char *explained; /* name of a check */
    uint32_t fail_on;      /* enum severity; 0: warn */
    /* history, and what else is asked of it */
    const char *since, *until, *at; /* as when_parse() reads them; NULL: not given */
    const char *store;              /* its file; NULL: the usual one */
    const char *svg;                /* of history: file of a chart; NULL: none */
    uint64_t every_ms;              /* of serve, history, export, top; 0: the usual, or no series */
    const char *export_format;      /* of export; NULL: not said */
    const char *file;               /* that export writes; NULL: standard output */
    /* serve */
    bool foreground, status, stop, has_ring;
    const char *listen;     /* where metrics are asked for; NULL: the usual place */
    const char *token_file; /* that they are asked for with; NULL: none */
    const char *hosts;      /* names of the server, with commas; NULL: none */
    uint32_t ring_s;        /* has_ring: seconds in memory; 0: none */
    uint64_t size;          /* of the file at most, in bytes; 0: the usual */
    uint32_t peers;         /* of a process that are kept apart; 0: the usual */
    /* fleet; its token is that of token_file */
    const char *server;  /* URL; NULL: that of the configuration */
    uint64_t timeout_ms; /* of an answer; 0: the usual */
    /* the rest */
    bool help, version;
    char **words;
    uint32_t word_count;
};

struct option_info {
    char letter;          /* 0: none */
    const char *name;     /* without the dashes */
    const char *argument; /* its name; "[=SEC]" when it may be left out, "[FILE]" when it may be and
                             else is also the next word, which is no option; NULL: takes none */
    const char *help;
    uint32_t groups;
    int (*apply)(struct options *options, const char *argument, struct buf *error);
};

extern const struct option_info option_table[];
extern const uint32_t option_count;

/*
 * Parses argv[0..count) with the options of `groups`. Options and words may be mixed, "--" ends
 * the options; the words are gathered at the front of argv, where ret_options->words points.
 * 0, or -EINVAL with one line in `error`.
 */
int options_parse(char **argv, uint32_t count, uint32_t groups, struct options *ret_options,
                  struct buf *error) MUST_CHECK;

/*
 * The option of this letter, the first of several. Of all groups (~0u), before it is known which
 * command is meant, rather one without an argument. NULL: there is none.
 */
const struct option_info *options_find_letter(char letter, uint32_t groups);

/* The one that a long name means in a command of these groups, or NULL. */
const struct option_info *options_find_name(const char *name, size_t length, uint32_t groups);

/* The filter that -4 or -6 stands for; NULL: both families, or neither letter. */
const char *options_family(const struct options *options);

/* Where the first word that is no option (and no argument of one) stands; `count` when there is
 * none. */
uint32_t options_first_word(char **argv, uint32_t count);
