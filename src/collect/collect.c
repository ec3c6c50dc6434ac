/* SPDX-License-Identifier: MIT */
/* Collecting: the walk over the sources. */
#include "collect/collect.h"

#include "base/clock.h"
#include "collect/accounting.h"
#include "collect/missing.h"
#include "collect/netns.h"
#include "collect/source.h"

#include <fcntl.h>
#include <string.h>

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

    for (size_t i = 0; i < collector_count && r == 0; i++)
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
