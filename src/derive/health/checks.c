/* SPDX-License-Identifier: MIT */
/* The list of checks. */
#include "derive/health/check.h"

#include <string.h>

const struct check *const checks[] = {
    &check_syn_flood,     &check_accept_queue, &check_close_wait,
    &check_fin_wait2,     &check_half_open,    &check_resets,
    &check_tw_overflow,   &check_orphans,      &check_ports,
    &check_syn_sent,      &check_stuck,        &check_pmtu,
    &check_retrans,       &check_conntrack,    &check_udp_drops,
    &check_drops,         &check_nic,          &check_rp_filter,
    &check_exposed,       &check_deleted_exe,  &check_unknown_outbound,
    &check_port_conflict, &check_mem,          &check_fd_limit,
};

const uint32_t check_count = ARRAY_SIZE(checks);

uint32_t check_find(const char *name)
{
    for (uint32_t i = 0; i < check_count; i++)
        if (strcmp(checks[i]->name, name) == 0)
            return i;
    return HEALTH_NONE;
}
