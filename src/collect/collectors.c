/* SPDX-License-Identifier: MIT */
/* The sources of nwho, in order. */
#include "collect/source.h"

/*
 * Order matters: sockets before owners (an owner search may be narrowed to the sockets found), both
 * before the facts about processes. Within one kind the exact source comes first and leaves nothing
 * to do for its fallbacks.
 */
const struct collector *const collectors[] = {
    &collector_unix_diag,
    &collector_packet_diag,
    &collector_netlink_diag,
    &collector_vsock_diag,
#if HAVE_BPF
    &collector_sockets_bpf,
#endif
    &collector_inet_diag,
#if HAVE_BPF
    &collector_sockets_bpf_instead,
#endif
    &collector_proc_net,
#if HAVE_BPF
    &collector_owners_bpf,
#endif
    &collector_owners_proc,
    &collector_fd_flags,
    &collector_next_hops,
    /* First interfaces, then flows: what flows have more is carried over (derive/reconcile.c). */
    &collector_interfaces,
    &collector_traffic,
    &collector_processes,
    &collector_threads,
    &collector_cgroups,
    &collector_counters,
    &collector_port_range,
    &collector_settings,
    &collector_routes,
    &collector_memberships,
    &collector_addresses,
    &collector_conntrack,
    &collector_group_members,
    &collector_packet_counts,
    &collector_traffic_end,
    &collector_users,
};
const size_t collector_count = ARRAY_SIZE(collectors);
