/* SPDX-License-Identifier: MIT */
/* ss of nwho-lite lists sockets: in place of compat/ss_summary.c and compat/ss_events.c. */
#include "compat/ss_events.h"
#include "compat/ss_summary.h"

int ss_summary(void)
{
    ss_complain("-s: this nwho was built without the counters of the kernel");
    return -ENOTSUP;
}

int ss_events_groups(const struct ss_selection *selection, uint32_t *ret_groups)
{
    (void)selection;
    (void)ret_groups;
    ss_complain("-E: this nwho was built without events");
    return -ENOTSUP;
}

int ss_events(const struct ss_options *options, const struct ss_filter *filter, uint32_t groups)
{
    (void)options;
    (void)filter;
    (void)groups;
    return -ENOTSUP;
}
