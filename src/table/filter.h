/* SPDX-License-Identifier: MIT */
/* The filter language: text -> tree -> yes or no for a row. One parser for every command. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "table/table.h"

/*
 *   expression := or
 *   or         := and {("or" | "||" | "|") and}
 *   and        := not {["and" | "&&" | "&"] not}
 *   not        := ("not" | "!") not | "(" or ")" | condition
 * A superset of ss(8)'s expressions and of pcap-filter's host, net, port, src, dst words.
 * docs: nwho(1), FILTERS.
 */
struct filter;

struct filter_error {
    char message[256]; /* one line: what is wrong and what is expected */
    uint32_t at;       /* byte offset of the word in the text */
    uint32_t length;   /* of the word; 0: there is none */
};

/*
 * Compiles `text` (the words of the command line joined by blanks; empty accepts every row) for
 * rows of `table`. The filter lives in `arena`. 0; -EINVAL with *ret_error filled in; -ENOMEM.
 * User, service and interface names are looked up here, once.
 */
int filter_compile(const struct table *table, const char *text, struct arena *arena,
                   struct filter **ret_filter, struct filter_error *ret_error) MUST_CHECK;

/*
 * The same for rows of a recording, which may be of another machine: nothing is looked up here that
 * the recording knows better (users).
 */
int filter_compile_recorded(const struct table *table, const char *text, struct arena *arena,
                            struct filter **ret_filter, struct filter_error *ret_error) MUST_CHECK;

/*
 * Of a text of another language, the condition on a column that it begins with: "pid 12",
 * "process ~ /x/". 0 and how long that is; -ENOENT: it begins with none; else as above.
 */
int filter_compile_first(const struct table *table, const char *text, struct arena *arena,
                         struct filter **ret_filter, uint32_t *ret_length,
                         struct filter_error *ret_error) MUST_CHECK;

/*
 * Rows are grouped, and a condition on what is added up (COLUMN_SUM of the table of groups: rates,
 * totals, counts) is about the groups: such conditions are taken out of the filter, and make one of
 * groups. Only what is joined by `and` can be parted. 0; -EINVAL with *ret_error; -ENOMEM. The new
 * filter has nothing to give back.
 */
int filter_split(struct filter *filter, const struct table *groups, struct arena *arena,
                 struct filter **ret_groups, struct filter_error *ret_error) MUST_CHECK;

/* Gives back what is not in the arena (regular expressions). NULL is fine. */
void filter_done(struct filter *filter);

/* True when the row is wanted. */
bool filter_accepts(const struct filter *filter, const struct view *view, uint32_t row);

/*
 * Whether the filter says the same of a row whatever those facts are that could not be read of it
 * (enum need).
 */
bool filter_decides(const struct filter *filter, const struct view *view, uint32_t row,
                    uint64_t unknown);

/* The facts that the filter itself needs (enum need). */
uint64_t filter_needs(const struct filter *filter);

/* Whether the filter has a condition on this column. */
bool filter_mentions(const struct filter *filter, const char *column);

/* Whether the filter has a condition, without `not`, that this text of the column satisfies. */
bool filter_wants(const struct filter *filter, const char *column, const char *text);

/* Nothing but bare names beside each other: as one argument it is rather a name with blanks. */
bool filter_is_names(const struct filter *filter);

/* One bare name, or not that one. */
bool filter_is_name(const struct filter *filter);

/*
 * What may have been meant otherwise, when a filter lets nothing pass: a line to append to, or
 * false.
 */
bool filter_hint(const struct filter *filter, struct buf *line);

/*
 * Narrows a request to what the filter can let pass: protos, states, families, pids, and port and
 * address conditions for the kernel. Never too narrow. What it puts into the request lives in
 * `arena`.
 */
int filter_push_down(const struct filter *filter, struct arena *arena, struct request *request)
    MUST_CHECK;

/* Flag number `index` ("exposed") and what it means; false behind the last. For help and manual. */
bool filter_flag_help(uint32_t index, const char **ret_word, const char **ret_help);

/* Word number `index` that may be written for a column ("rtt" for "rtt_us"), as above. */
bool filter_alias_help(uint32_t index, const char **ret_word, const char **ret_column);

/* Word number `index` of the grammar that an operand must follow ("sport"); false behind the last.
 */
bool filter_keyword(uint32_t index, const char **ret_word);
