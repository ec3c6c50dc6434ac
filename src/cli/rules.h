/* SPDX-License-Identifier: MIT */
/* Rules: what the doctor goes by on this machine: the configuration, and the baseline that it
 * names.
 */
#pragma once

#include "cli/config.h"
#include "derive/health/health.h"

struct rules {
    struct config config;
    struct snapshot baseline;
    bool has_baseline;
};

/*
 * Texts of the configuration live in the arena. 0, or -errno with one line in `error`: what is
 * wrong in which file. A baseline that may not be read is left out with a line on stderr; of a
 * recording, which may be of another machine, it is not looked for.
 */
int rules_read(struct rules *rules, struct arena *arena, bool of_recording, struct buf *error)
    MUST_CHECK;
void rules_done(struct rules *rules);

/* What is to be examined by them; the plan borrows both. */
struct health_plan rules_plan(const struct rules *rules, const uint32_t *chosen, uint32_t count);
