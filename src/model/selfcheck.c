/* SPDX-License-Identifier: MIT */
/* Selfcheck: its rows and their names. */
#include "model/selfcheck.h"

#include "base/vec.h"

#include <stdlib.h>

void selfcheck_done(struct selfcheck *selfcheck)
{
    free(selfcheck->rows);
    *selfcheck = (struct selfcheck){.rows = NULL};
}

struct selfcheck_row *selfcheck_add(struct selfcheck *selfcheck)
{
    struct selfcheck_row *row;

    if (VEC_RESERVE(&selfcheck->rows, &selfcheck->capacity, selfcheck->count, 1) < 0)
        return NULL;
    row = &selfcheck->rows[selfcheck->count++];
    *row = (struct selfcheck_row){.kind = 0};
    return row;
}

uint32_t selfcheck_count(const struct selfcheck *selfcheck, enum selfcheck_result result)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < selfcheck->count; i++)
        count += selfcheck->rows[i].result == result;
    return count;
}

const char *selfcheck_result_name(unsigned int result)
{
    static const char *const names[SELFCHECK_RESULTS] = {
        [SELFCHECK_AGREES] = "agrees", [SELFCHECK_DIFFERS] = "differs",
        [SELFCHECK_ALONE] = "alone",   [SELFCHECK_WORKS] = "works",
        [SELFCHECK_UNUSED] = "unused", [SELFCHECK_MISSING] = "missing",
    };

    return result < SELFCHECK_RESULTS ? names[result] : "unknown";
}

const char *selfcheck_kind_name(unsigned int kind)
{
    static const char *const names[SELFCHECK_KINDS] = {
        [SELFCHECK_COMPARISON] = "comparison",
        [SELFCHECK_DIFFERENCE] = "difference",
        [SELFCHECK_SOURCE] = "source",
    };

    return kind < SELFCHECK_KINDS ? names[kind] : "unknown";
}

const char *teller_name(unsigned int teller)
{
    static const char *const names[TELLERS] = {
        [TELLER_BPF] = "bpf",
        [TELLER_NETLINK] = "netlink",
        [TELLER_PROC] = "/proc",
    };

    return teller < TELLERS ? names[teller] : "unknown";
}
