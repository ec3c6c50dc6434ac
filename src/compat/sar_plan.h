/* SPDX-License-Identifier: MIT */
/* sar: which tables its reports need, and samples that are made of them. */
#pragma once

#include "compat/sar.h"
#include "table/query.h"

struct sar_plan {
    uint32_t reports; /* SAR_REPORT_BIT()s */
    bool needs_links, needs_counters;
    struct query links, counters;
};

void sar_plan_init(struct sar_plan *plan, uint32_t reports);

/* Adds to the sample what one of the queries finds. 0 or -errno. */
int sar_plan_take(const struct sar_plan *plan, const struct query *query, const struct view *view,
                  struct sar_sample *sample) MUST_CHECK;
