/* SPDX-License-Identifier: MIT */
/* sar: samples of what nwho serve recorded. */
#pragma once

#include "compat/sar.h"
#include "store/store.h"

/* What was recorded between two starts of the recorder. Times are of CLOCK_REALTIME. */
struct sar_run {
    uint64_t since_ns, until_ns;
    bool restarted; /* at since_ns */
    enum store_tier tier;
    uint32_t reports;           /* SAR_REPORT_BIT()s of those that were recorded */
    uint64_t base_ns;           /* before all that is shown; 0: nothing was recorded */
    uint64_t first_ns, tick_ns; /* how long the first tick was; the longer one of two */
    struct sar_sample base;     /* rows of then, that have counted nothing yet */
};

struct sar_past {
    const struct sar_options *options;
    struct store *store;
    uint64_t since_ns, until_ns; /* the day, or what of it is asked for */
    struct sar_run *runs;        /* owned; at least one */
    uint32_t run_count, run_capacity;
};

/* The time that the options name, of the history that they name. 0; or an exit status, with what is
 * wrong said on stderr. sar_past_close() in any case. */
int sar_past_open(const struct sar_options *options, struct sar_past *ret_past) MUST_CHECK;
void sar_past_close(struct sar_past *past);

/* The machine at that time. 0 or -errno. */
int sar_past_machine(const struct sar_past *past, uint64_t time_ns, struct sar_source *ret_source)
    MUST_CHECK;

/* A report of a run. */
struct sar_reading {
    const struct sar_past *past;
    const struct sar_run *run;
    uint32_t id;
    struct sar_sample samples[3]; /* owned */
    uint64_t measured_ns;
    /* One interval after the other. Other than 0 ends the reading, and is returned. */
    int (*take)(struct sar_sample *sample, const struct sar_sample *before, void *context);
    void *context;
};

/* 0, what take() returned, or -errno. *ret_last is the last sample, or the base of the run. */
int sar_past_read(struct sar_reading *reading, const struct sar_sample **ret_last) MUST_CHECK;
