/* SPDX-License-Identifier: MIT */
/* Expressions about packets: pcap-filter(7) with conditions on processes of our own language. */
/*
 * A term that begins with a column of processes, and what that is compared with, is ours:
 * "process nginx", "pid 12,13", "user != root". All else goes to libpcap, letter by letter. Both
 * are joined as libpcap joins its own: `and` and `or` bind alike, from left to right, `not` before
 * them, and parentheses as they say.
 */
#pragma once

#include "base/arena.h"
#include "table/filter.h"

struct packet_filter_node;

struct packet_filter {
    const char *packets; /* for libpcap: packets that it does not take are not wanted; "" for all */
    const char **parts; /* expressions for libpcap whose answers packet_filter_accepts() asks for */
    uint32_t part_count;
    uint64_t needs;                  /* enum need, of processes */
    struct packet_filter_node *made; /* the last condition on processes, and so all */
    struct packet_filter_node *root; /* NULL: `packets` says all */
};

/* It lives in `arena`. 0; -EINVAL with *ret_error filled in; -ENOMEM. */
int packet_filter_parse(const char *text, struct arena *arena, struct packet_filter *ret_filter,
                        struct filter_error *ret_error) MUST_CHECK;
/* Gives back what is not in the arena. */
void packet_filter_done(struct packet_filter *filter);

/* Whether a packet that `packets` has taken is wanted; `takes` answers for parts[number]. */
bool packet_filter_accepts(const struct packet_filter *filter, const struct view *view,
                           bool (*takes)(void *context, uint32_t number), void *context);
