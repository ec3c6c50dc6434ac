/* SPDX-License-Identifier: MIT */
/* sar of sysstat 12.6.1, its reports of the network: what its parts share. */
#pragma once

#include "base/buf.h"

#include <net/if.h>
#include <sys/utsname.h>

enum sar_status {
    SAR_WRONG_USE = 1,
    SAR_FAILED = 2,
    SAR_REFUSED = 2, /* by nwho: the real tool could */
    SAR_NOT_THERE = 3,
};

/* --- reports: the layout as data --- */

/* In the order in which they are shown. */
enum sar_report_id {
    SAR_DEV,
    SAR_EDEV,
    SAR_NFS,
    SAR_NFSD,
    SAR_SOCK,
    SAR_IP,
    SAR_EIP,
    SAR_ICMP,
    SAR_EICMP,
    SAR_TCP,
    SAR_ETCP,
    SAR_UDP,
    SAR_SOCK6,
    SAR_IP6,
    SAR_EIP6,
    SAR_ICMP6,
    SAR_EICMP6,
    SAR_UDP6,
    SAR_FC,
    SAR_SOFT,
    SAR_REPORT_MAX,
};

#define SAR_REPORT_BIT(id) (1u << (id))
#define SAR_COLUMNS_MAX 17
#define SAR_SUMMANDS 4

enum sar_unit {
    SAR_PER_SECOND,
    SAR_KB_PER_SECOND, /* the counter is in bytes */
    SAR_UTILIZATION,   /* of the interface: made of SAR_KB_PER_SECOND columns and the speed */
    SAR_NOW,           /* no counter: as it is, in the end the average of all samples */
};

enum sar_rows {
    SAR_OF_MACHINE, /* one row, without a name */
    SAR_OF_INTERFACES,
    SAR_OF_CPUS,
    SAR_OF_NOTHING, /* a row of zeros as long as the machine has no such `file` */
    SAR_OF_NOBODY,  /* no row: nothing that could be shown is there */
};

struct sar_column {
    const char *title;
    /* Columns of table_interfaces, or names of table_counters, of which it is the sum. */
    const char *counters[SAR_SUMMANDS];
    enum sar_unit unit;
};

struct sar_report {
    const char *keyword;
    enum sar_rows rows;
    const char *file; /* where there is such a file, nwho would have to count and cannot */
    const struct sar_column *columns;
    uint32_t column_count;
};

extern const struct sar_report sar_reports[SAR_REPORT_MAX];

/* --- options --- */

enum sar_show { SAR_SHOW_REPORTS, SAR_SHOW_HISTORY, SAR_SHOW_HELP, SAR_SHOW_VERSION };

#define SAR_CPU_MAX 8192

/* A part of a word of argv. */
struct sar_name {
    const char *bytes;
    size_t length;
};

struct sar_options {
    enum sar_show show;
    uint32_t reports;            /* SAR_REPORT_BIT()s */
    struct sar_name *interfaces; /* owned; none: all */
    uint32_t interface_count, interface_capacity;
    uint8_t cpus[SAR_CPU_MAX / 8 + 1]; /* bit 0: all together; bit 1 + n: CPU n */
    uint32_t interval;                 /* seconds; 0: once, since the machine was started */
    uint32_t count;                    /* 0: without end */
    bool has_start, has_end;
    uint32_t start, end; /* seconds of the day that the shown time is between */
    const char *file;    /* history to be read; NULL: the usual one */
    uint32_t days_ago;
    uint32_t decimals;
    bool human, pretty, omit_zeros;
};

/* 0; or an exit status, with what is wrong said on stderr. sar_options_done() in any case. */
int sar_options_parse(int argc, char **argv, struct sar_options *ret_options) MUST_CHECK;
void sar_options_done(struct sar_options *options);

extern const char sar_help[];

/* --- samples --- */

struct sar_row {
    char name[IFNAMSIZ];              /* of the interface; "all" or a number: of CPUs */
    uint64_t values[SAR_COLUMNS_MAX]; /* one of each column of the report */
    uint64_t sums[SAR_COLUMNS_MAX];   /* SAR_NOW: of all samples that were shown */
    uint64_t speed_bits;              /* a second; 0: not known */
    bool full_duplex;
};

struct sar_block {
    struct sar_row *rows; /* owned */
    uint32_t count, capacity;
};

/* Zero is a moment when nothing had been counted. */
struct sar_sample {
    uint64_t time;      /* seconds of CLOCK_REALTIME */
    uint64_t uptime_cs; /* hundredths of a second since the machine was started */
    struct sar_block blocks[SAR_REPORT_MAX];
};

void sar_sample_done(struct sar_sample *sample);

/* No rows; their memory is kept. */
void sar_sample_clear(struct sar_sample *sample);

/* Adds a zeroed row; NULL without memory. Valid until the next one is added. */
struct sar_row *sar_block_add(struct sar_block *block);

/*
 * The row of the same name one sample earlier, or NULL: there was none, or an interface was made
 * anew meanwhile, so that its counters began again.
 */
const struct sar_row *sar_row_before(const struct sar_report *report, const struct sar_row *row,
                                     const struct sar_block *before);

/* What was counted since a value was `before`. */
uint64_t sar_counted(const struct sar_report *report, uint64_t before, uint64_t now);

/* Of a sample that has what was counted since the one before: makes counters of it. */
void sar_sample_accumulate(struct sar_sample *sample, const struct sar_sample *before);

/* Takes over the sums of the sample before, and adds the values if they will be shown. */
void sar_sample_add_up(struct sar_sample *sample, const struct sar_sample *before, bool shown);

/* --- where samples come from --- */

struct sar_source {
    struct utsname machine;
    uint32_t cpus;
    void *context;
    /* Waits for the next sample. 1; 0: there is none any more (SIGINT); -errno. */
    int (*next)(struct sar_source *source, struct sar_sample *sample);
    void (*close)(struct sar_source *source);
};

/* This machine: now, and then again every interval. 0 or -errno; to be closed in any case. */
int sar_live_open(const struct sar_options *options, struct sar_source *ret_source) MUST_CHECK;

/* --- layout --- */

enum sar_color {
    SAR_COLOR_ZERO,
    SAR_COLOR_NUMBER,
    SAR_COLOR_ITEM,
    SAR_COLOR_HALF,
    SAR_COLOR_HIGH,
    SAR_COLOR_RESTART,
    SAR_COLOR_MAX
};

struct sar_layout {
    const struct sar_options *options;
    struct buf out;
    uint32_t reports; /* those of the options that there is something of */
    uint32_t height;  /* lines after which a heading comes again */
    bool terminal;
    bool colors;
    char color[SAR_COLOR_MAX][32]; /* what stands between ESC [ and m */
    bool iso;                      /* dates, whatever the locale */
    bool several;                  /* rows or reports: each sample has its headings */
    bool from_file;                /* one report after the other: as often as lines take */
    uint32_t lines;                /* of this report since the last heading */
    bool heading;                  /* above the next row */
    uint32_t shown;                /* samples */
};

void sar_layout_init(struct sar_layout *layout, const struct sar_options *options, int fd);

/* The first line. */
void sar_put_title(struct sar_layout *layout, const struct sar_source *source,
                   const struct sar_sample *first);

/* A report of what was recorded begins. */
void sar_layout_begin_report(struct sar_layout *layout, uint32_t id);

/* Recording began again. */
void sar_put_restart(struct sar_layout *layout, uint64_t time, uint32_t cpus);

/* One sample, beside the one before; `since_start`: beside nothing at all. */
void sar_put_sample(struct sar_layout *layout, const struct sar_sample *before,
                    const struct sar_sample *sample, bool since_start);

/* Nothing more is recorded of the report: averages may need their heading. */
void sar_layout_end_report(struct sar_layout *layout);

/* The averages at the end: `first` was not shown. Nothing where no sample was. */
void sar_put_averages(struct sar_layout *layout, const struct sar_sample *first,
                      const struct sar_sample *last);

/* --- what was recorded --- */

/* An exit status, with what is wrong said on stderr; or -errno. */
int sar_history_show(const struct sar_options *options, struct sar_layout *layout) MUST_CHECK;
