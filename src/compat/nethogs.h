/* SPDX-License-Identifier: MIT */
/* nethogs 0.8.7: what its parts share. */
#pragma once

#include "base/buf.h"
#include "compat/traffic_reader.h"

#define NETHOGS_FAILED 1 /* exit status */

enum nethogs_show {
    NETHOGS_SHOW_SCREEN,
    NETHOGS_SHOW_TRACE,
    NETHOGS_SHOW_HELP,
    NETHOGS_SHOW_VERSION,
};

/* What -v chooses. */
enum nethogs_view {
    NETHOGS_KB_PER_SECOND,
    NETHOGS_TOTAL_KB,
    NETHOGS_TOTAL_BYTES,
    NETHOGS_TOTAL_MB,
    NETHOGS_MB_PER_SECOND,
    NETHOGS_GB_PER_SECOND,
    NETHOGS_VIEW_MAX,
};

struct nethogs_options {
    enum nethogs_show show;
    enum nethogs_view view;
    uint32_t delay;     /* seconds between refreshes */
    uint32_t refreshes; /* 0: without end */
    bool by_sent, command_line, base_name, udp;
    const char *filter; /* NULL: none */
    uint32_t *pids;     /* owned; none: every process */
    uint32_t pid_count, pid_capacity;
    struct traffic_devices devices;
};

extern const char nethogs_help[];

/* 0; -EINVAL, with what is wrong said on stderr. To be freed by nethogs_options_done() in any case.
 */
int nethogs_options_parse(int argc, char **argv, struct nethogs_options *ret_options) MUST_CHECK;
void nethogs_options_done(struct nethogs_options *options);

/* --- rows: what each process has done since nwho began --- */

struct nethogs_row {
    char *name;           /* owned; of the connection where there is no process */
    uint64_t start_ticks; /* of the process */
    uint64_t last_ns;     /* CLOCK_BOOTTIME of its last traffic */
    uint32_t pid, uid;
    struct traffic total, last;
};

/* Each run begins with these. */
enum nethogs_unknown {
    NETHOGS_UNKNOWN_TCP,
    NETHOGS_UNKNOWN_UDP,
    NETHOGS_UNKNOWN_MAX,
};

struct nethogs_rows {
    struct nethogs_row *rows;
    uint32_t count, capacity;
    struct map index;       /* hash of pid and start, or of the name, -> row */
    struct buf scratch;     /* a name that is made */
    struct buf connections; /* lines of what nobody has, of the last reading */
    uint64_t interval_ns, now_ns;
};

int nethogs_rows_init(struct nethogs_rows *rows) MUST_CHECK;
void nethogs_rows_done(struct nethogs_rows *rows);

/* Adds the traffic since the reading before. 0 or -ENOMEM. */
int nethogs_rows_add(struct nethogs_rows *rows, const struct traffic_reader *reader,
                     const struct nethogs_options *options) MUST_CHECK;

/* A block. 0 or -ENOMEM. */
int nethogs_rows_write(const struct nethogs_rows *rows, const struct nethogs_options *options,
                       bool terminal, struct buf *out) MUST_CHECK;

/* A number as the view shows it. `interval_ns`: of rates. */
double nethogs_number(enum nethogs_view view, uint64_t total, uint64_t last, uint64_t interval_ns);
