/* SPDX-License-Identifier: MIT */
/* The sources of nwho-lite, in place of collect/collectors.c, which says why they are in this
 * order. */
#include "collect/source.h"

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
    &collector_interfaces,
    &collector_processes,
    &collector_threads,
    &collector_cgroups,
    &collector_port_range,
    &collector_users,
};
const size_t collector_count = ARRAY_SIZE(collectors);
