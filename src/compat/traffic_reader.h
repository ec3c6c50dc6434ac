/* SPDX-License-Identifier: MIT */
/* Readings of traffic, one after the other, for the old tools that tell of it. */
#pragma once

#include "compat/moment.h"

struct accounting;

/* Whose flows count: those of the own namespace that go by one of these interfaces. */
struct traffic_devices {
    char *const *names; /* borrowed; none: every interface that is up */
    uint32_t count;
    bool all;      /* also loopback, and what is down */
    bool loopback; /* loopback where it is named, without `all` */
};

struct traffic_reader {
    const char *tool; /* for messages */
    struct accounting *accounting;
    struct moment moment; /* the last reading */
    struct query query;   /* of flows */
    struct grid grid;     /* of the last reading: rows are indexes into snapshot.flows */
    struct arena arena;   /* of the filter */
    uint64_t more_needs;  /* enum need, beside those of flows */
    bool taken;           /* moment and grid are valid */
    bool said;            /* how it is counted, and what is missing */
};

/*
 * Starts to count; `filter` (NULL: none) are words of pcap-filter(7), as far as they are also words
 * of our filters. 0, or -errno when what failed was said on stderr.
 */
int traffic_open(struct traffic_reader *reader, const char *tool, const char *filter,
                 uint64_t more_needs) MUST_CHECK;
void traffic_done(struct traffic_reader *reader);

/* Reads. What is missing is said once. 0, or -errno when it was said. */
int traffic_take(struct traffic_reader *reader) MUST_CHECK;

/* Takes in what is counted until that time has come. 0 or -errno. */
int traffic_wait(struct traffic_reader *reader, uint64_t until_ns) MUST_CHECK;

/* The interfaces of the last reading that suit, the newest first; to be freed. 0 or -ENOMEM. */
int traffic_interfaces(const struct traffic_reader *reader, const struct traffic_devices *devices,
                       uint32_t **ret_indexes, uint32_t *ret_count) MUST_CHECK;

/*
 * The addresses of an interface one by one, those first that reach furthest: IPv4, IPv6, IPv6 of
 * the link. `at` begins with 0. NULL: there are no more.
 */
const struct link_address *traffic_address(const struct snapshot *snapshot,
                                           const struct interface *interface, uint32_t *at);

/* The flow of a row of the grid; NULL: it is of another namespace, or goes another way. */
const struct flow *traffic_flow(const struct traffic_reader *reader,
                                const struct traffic_devices *devices, uint32_t row);

/* Digits, and nothing else. -EINVAL */
int traffic_parse_number(const char *text, uint32_t *ret_number) MUST_CHECK;
