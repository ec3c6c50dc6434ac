/* SPDX-License-Identifier: MIT */
/* Collecting: the ordered array of sources, and the walk over it. */
#include "collect/collect.h"

#include "base/clock.h"
#include "collect/accounting.h"
#include "collect/missing.h"
#include "collect/netns.h"
#include "collect/source.h"

#include <fcntl.h>
#include <string.h>

/*
 * Order matters: sockets before owners (an owner search may be narrowed to the sockets found), both
 * before the facts about processes. Within one kind the exact source comes first and leaves nothing
 * to do for its fallbacks.
 */
static const struct collector *const collectors[] = {
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

int collect_moment(struct snapshot *snapshot)
{
    char name[256] = "";

    gethostname(name, sizeof(name) - 1);
    snapshot->time_ns = clock_ns(CLOCK_REALTIME);
    snapshot->boot_ns = clock_ns(CLOCK_BOOTTIME);
    snapshot->clock_ticks = (uint32_t)sysconf(_SC_CLK_TCK);
    return snapshot_intern(snapshot, name, strlen(name), &snapshot->host);
}

/* BPF tells of this machine alone. */
static bool is_wanted(const struct collector *collector, const struct request *request)
{
    bool machine = !request_files_stand_for_machine(request->files);
    uint32_t sources = request->sources & ~(machine ? 0 : (uint32_t)SOURCE_BPF);

    return (collector->provides & request->needs) &&
           (!collector->source || collector->source & sources);
}

static int run_collectors(struct collection *collection)
{
    int r = netns_discover(collection);

    for (size_t i = 0; i < ARRAY_SIZE(collectors) && r == 0; i++)
        if (is_wanted(collectors[i], collection->request))
            r = collectors[i]->collect(collection);
    if (r == 0)
        missing_protos_note(collection);
    return r;
}

int collect(struct snapshot *snapshot, const struct request *request)
{
    struct request widened = *request;
    struct collection collection = {
        .snapshot = snapshot,
        .request = &widened,
        .own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
    };
    int r = collect_moment(snapshot);

    if (request->accounting)
        widened.needs |= accounting_needs(request->accounting);
    if (r == 0)
        r = run_collectors(&collection);
    if (collection.own_netns >= 0)
        close(collection.own_netns);
    map_done(&collection.by_cookie);
    free(collection.suspects);
    return r;
}
