/* SPDX-License-Identifier: MIT */
/* nwho-lite keeps nothing of the past but --record: in place of cli/history.c and
 * cli/ports_baseline.c. */
#include "cli/command.h"
#include "cli/history.h"
#include "cli/ports_baseline.h"

int history_read(const struct options *options, unsigned int parts, struct snapshot *ret_snapshot)
{
    (void)options;
    (void)parts;
    (void)ret_snapshot;
    return command_error("%s", STORE_NONE);
}

int ports_baseline(struct options *options)
{
    return command_error("--%s: this nwho was built without baselines; --record and --replay keep "
                         "a whole reading",
                         options->diff ? "diff" : "save-baseline");
}
