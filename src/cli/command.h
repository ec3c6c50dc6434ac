/* SPDX-License-Identifier: MIT */
/* A command: one row of the table in commands.c; help, completion and man page come from it. */
#pragma once

#include "cli/options.h"

/* Exit codes of every command. */
enum exit_code {
    EXIT_FOUND = 0,
    EXIT_NOTHING = 1,    /* nothing matched */
    EXIT_ERROR = 2,      /* bad usage, unknown word, unreadable file */
    EXIT_INCOMPLETE = 3, /* rows may be missing */
};

struct command {
    const char *name;      /* "" for the one that runs without a name */
    const char *arguments; /* "[FILTER]" */
    const char *summary;
    const char *const *examples; /* pairs: command line, what it shows; ends with NULL */
    uint32_t options;            /* enum option_group */
    int (*run)(struct options *options);
    /* Instead of `run`: it has options of its own. argv[0] is the command's name. */
    int (*run_words)(int argc, char **argv);
    /* The exit code after options were refused; NULL: EXIT_ERROR. Of a plug-in, which has to say so
     * in its own way, also behind a wrong option. */
    int (*refused)(const struct options *options, char **words, uint32_t count, const char *reason);
};

extern const struct command command_overview, command_explain, command_ls, command_ports,
    command_ps, command_count, command_columns, command_why_busy, command_kill, command_help,
    command_if, command_stats, command_routes, command_groups, command_nat, command_top,
    command_events, command_sniff, command_doctor, command_history, command_export, command_serve,
    command_mark, command_fleet, command_selfcheck;

/* All of them in the order of the help: cli/commands.c, or lite/commands.c. */
extern const struct command *const command_table[];
extern const uint32_t command_table_count;

extern const struct command *const command_alone;     /* what runs where no word names one */
extern const struct command *const command_of_target; /* what such a word is for; NULL: nothing */

/* NULL when there is none of this name. */
const struct command *command_find(const char *name);

/* A command line as main() runs it, argv[0] being the program; standard output is written. Its exit
 * code. */
int command_run_line(int argc, char **argv);

/* Writes `line` on stderr and frees it; a line that there was no memory for is told as that. */
void command_say(struct buf *line);

/* One escaped line on stderr: "nwho: ...". Returns EXIT_ERROR. */
int command_error(const char *format, ...) PRINTF_LIKE(1, 2);
