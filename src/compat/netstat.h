/* SPDX-License-Identifier: MIT */
/* netstat of net-tools 2.10: what its parts share. */
#pragma once

#include "base/buf.h"
#include "compat/host_names.h"
#include "compat/moment.h"
#include "compat/netstat_options.h"

#define NETSTAT_FAILED 1 /* exit statuses */
#define NETSTAT_USAGE 3

/* One run. */
struct netstat {
    struct netstat_options options;
    struct host_names names;
    struct buf out;      /* sink: stdout */
    uint64_t more_needs; /* of netstat_table(), beside those of its query */
    bool repeated;       /* -c, and not the first round: what is missing was said */
    bool terminal;       /* stdout is one: what comes from other processes is escaped */
};

/*
 * The layouts. Each writes one whole output, and returns the exit status (a table that the kernel
 * does not have is an error only where it was asked for by name).
 */
int netstat_sockets(struct netstat *netstat);
int netstat_statistics(struct netstat *netstat);
int netstat_interfaces(struct netstat *netstat);
int netstat_routes(struct netstat *netstat);
int netstat_groups(struct netstat *netstat);

/*
 * Asks for `count` columns by their names, reads the machine and has the grid printed by `put`,
 * which returns an exit status. The exit status.
 */
int netstat_table(struct netstat *netstat, struct query *query, const char *const *columns,
                  uint32_t count, int (*put)(struct netstat *netstat, const struct grid *grid));

/* The two parts of netstat_sockets(), of which each writes its headings and the rows that it takes
 * from the grid (columns: enum netstat_column). */
int netstat_inet(struct netstat *netstat, const struct grid *grid);
int netstat_unix(struct netstat *netstat, const struct grid *grid);

/* Columns of the grid of sockets. */
enum netstat_column {
    NETSTAT_PROTO,
    NETSTAT_FAMILY,
    NETSTAT_TYPE,
    NETSTAT_STATE,
    NETSTAT_RECV_Q,
    NETSTAT_SEND_Q,
    NETSTAT_LOCAL_ADDR,
    NETSTAT_LOCAL_PORT,
    NETSTAT_PEER_ADDR,
    NETSTAT_PEER_PORT,
    NETSTAT_PROTOCOL,
    NETSTAT_UID,
    NETSTAT_INODE,
    NETSTAT_TIMER,
    NETSTAT_TIMER_MS,
    NETSTAT_TRIES,
    NETSTAT_PATH,
    NETSTAT_REFERENCES,
    NETSTAT_PID, /* from here on only with -p */
    NETSTAT_ARGV0,
    NETSTAT_COLUMN_MAX,
};

/* 0 where there is none. */
uint64_t netstat_cell_uint(const struct grid *grid, uint32_t row, uint32_t column);

/* Pieces of a row. */
void netstat_left(struct buf *out, const char *text, size_t length, size_t width);
void netstat_number(struct buf *out, uint64_t number, size_t width); /* aligned to the right */
void netstat_number_left(struct buf *out, uint64_t number, size_t width);
/* From other processes: escaped on a terminal. */
void netstat_escaped(struct netstat *netstat, const char *text, size_t length, size_t width);
void netstat_program(struct netstat *netstat, const struct grid *grid, uint32_t row);

/* Less than, equal to or greater than 0; not transitive. */
int netstat_compare_names(const char *a, const char *b);

/* "(w/o servers)" and the like. */
const char *netstat_which(const struct netstat_options *options);

/* Says on stderr that this system has no such table. */
void netstat_no_support(const char *what);

/* The usage text, on stderr. */
void netstat_usage(void);

/* A line on stderr, escaped. */
void netstat_say(const char *format, ...) PRINTF_LIKE(1, 2);
