/* SPDX-License-Identifier: MIT */
/* Accounting: the ladder of sources, and the flows that they report. */
#include "collect/accounting.h"

#include "base/clock.h"
#include "collect/fd_table.h"
#include "collect/flow_interfaces.h"
#include "collect/process_memory.h"
#include "collect/traffic_source.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

/* Flows listed; each takes about 750 bytes here, half of it for windows, and 300 in a snapshot. */
#define FLOWS_MAX 16384

static const struct traffic_source *const ladder[] = {
#if HAVE_BPF
    &traffic_source_bpf,
#endif
    &traffic_source_diag,
};

/* Why a step of the ladder is not used. */
struct failure {
    int error; /* 0: it was not tried */
    char why[256];
};

struct accounting {
    const struct traffic_source *source; /* NULL: interfaces alone */
    void *state;                         /* of the source */
    struct flow_table *flows;
    struct process_memory *processes;
    struct failure failures[ARRAY_SIZE(ladder)];
    struct request request; /* of the opening */
    uint32_t step;          /* of the ladder */
    int epoll;              /* of the source's descriptor: stays when the source changes; or -1 */
};

static void wait_for_source(const struct accounting *accounting)
{
    struct epoll_event event = {.events = EPOLLIN};
    int fd = accounting->source->fd(accounting->state);

    if (fd >= 0 && accounting->epoll >= 0)
        (void)epoll_ctl(accounting->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* Takes the first step that holds, from accounting->step on. */
static void climb_down(struct accounting *accounting)
{
    accounting->source = NULL;
    for (; accounting->step < ARRAY_SIZE(ladder); accounting->step++) {
        const struct traffic_source *source = ladder[accounting->step];
        struct failure *failure = &accounting->failures[accounting->step];

        if (source->source && !(accounting->request.sources & source->source))
            continue;
        failure->error = source->open(&accounting->request, clock_ns(CLOCK_BOOTTIME),
                                      &accounting->state, failure->why, sizeof(failure->why));
        if (failure->error == 0) {
            accounting->source = source;
            wait_for_source(accounting);
            return;
        }
    }
}

int accounting_open(const struct request *request, struct accounting **ret_accounting)
{
    struct accounting *accounting = calloc(1, sizeof(*accounting));
    int r;

    if (!accounting)
        return -ENOMEM;
    accounting->request = *request;
    accounting->epoll = epoll_create1(EPOLL_CLOEXEC);
    accounting->flows = flow_table_new(FLOWS_MAX, clock_ns(CLOCK_BOOTTIME));
    accounting->processes = process_memory_new();
    if (!accounting->flows || !accounting->processes) {
        accounting_close(accounting);
        return -ENOMEM;
    }
    if (request->flows_once)
        flow_table_tell_once(accounting->flows);
    climb_down(accounting);
    r = accounting_begin(accounting);
    if (r < 0) {
        accounting_close(accounting);
        return r;
    }
    *ret_accounting = accounting;
    return 0;
}

void accounting_close(struct accounting *accounting)
{
    if (!accounting)
        return;
    if (accounting->source)
        accounting->source->close(accounting->state);
    if (accounting->epoll >= 0)
        close(accounting->epoll);
    flow_table_free(accounting->flows);
    process_memory_free(accounting->processes);
    free(accounting);
}

int accounting_fd(const struct accounting *accounting)
{
    return accounting->epoll;
}

enum accounting_level accounting_level(const struct accounting *accounting)
{
    return accounting->source ? accounting->source->level : ACCOUNTING_INTERFACES;
}

uint64_t accounting_needs(const struct accounting *accounting)
{
    return NEED_ADDRESSES | (accounting->source ? accounting->source->needs : 0);
}

/* A source that worked until now. The next one counts from here on. */
static int give_up(struct accounting *accounting, int error)
{
    struct failure *failure = &accounting->failures[accounting->step];

    if (error == -ENOMEM)
        return error;
    accounting->source->close(accounting->state);
    failure->error = error;
    snprintf(failure->why, sizeof(failure->why), "stopped: %s", strerror(-error));
    accounting->step++;
    climb_down(accounting);
    return 0;
}

int accounting_begin(struct accounting *accounting)
{
    const struct traffic_source *source = accounting->source;
    uint64_t start_ns = clock_ns(CLOCK_BOOTTIME);
    int r = 0;

    if (source && source->begin)
        r = source->begin(accounting->state, &start_ns);
    if (r < 0)
        r = give_up(accounting, r);
    flow_table_begin(accounting->flows, start_ns);
    return r;
}

int accounting_drain(struct accounting *accounting)
{
    int r = accounting->source ? accounting->source->drain(accounting->state) : 0;

    return r < 0 ? give_up(accounting, r) : 0;
}

int accounting_count(struct accounting *accounting, struct seconds *seconds)
{
    const struct traffic_source *source = accounting->source;
    uint64_t time_ns = clock_ns(CLOCK_REALTIME), boot_ns = clock_ns(CLOCK_BOOTTIME);
    int r;

    if (!source || !source->count)
        return 0;
    flow_table_note_seconds(accounting->flows, seconds);
    r = source->count(accounting->state, accounting->flows, &accounting->request);
    flow_table_note_seconds(accounting->flows, NULL);
    return r < 0 ? give_up(accounting, r) : seconds_end_flows(seconds, time_ns, boot_ns);
}

static void note_failures(const struct accounting *accounting, struct snapshot *snapshot)
{
    for (size_t i = 0; i < ARRAY_SIZE(ladder); i++)
        if (accounting->failures[i].error)
            snapshot_note(snapshot, NOTE_DETAIL, ladder[i]->name, accounting->failures[i].error,
                          "%s", accounting->failures[i].why);
}

/* The first thread has the name of the whole; else /proc has it, while the process is there. */
static int name_process(struct snapshot *snapshot, int proc, const struct flow *flow)
{
    struct process *process = &snapshot->processes[flow->process - 1];
    uint32_t index;

    if (!(process->has & PROCESS_HAS_COMM) && flow->tid == flow->pid) {
        process->comm = flow->comm;
        process->has |= PROCESS_HAS_COMM;
    }
    if (process->flags & PROCESS_GONE || proc < 0)
        return 0;
    return process_add_named(snapshot, proc, process->pid, &index);
}

/* Of the processes that had one pid, one after the other, the last one is in the snapshot. */
static int add_process(struct snapshot *snapshot, const struct flow *flow)
{
    struct process *process;
    uint32_t index;
    int r = snapshot_add_process(snapshot, flow->pid, &index);

    if (r < 0)
        return r;
    process = &snapshot->processes[index];
    if (flow->start_ticks > process->start_ticks) {
        process->start_ticks = flow->start_ticks;
        process->has |= PROCESS_HAS_START;
    }
    return 0;
}

static void end_flow(struct accounting *accounting, struct flow *flow, uint64_t now_ns)
{
    if (flow->flags & FLOW_EXITED)
        return;
    flow->flags |= FLOW_EXITED;
    flow_table_exit(accounting->flows, flow->id, now_ns);
}

static void link_process(struct accounting *accounting, const struct snapshot *snapshot,
                         struct flow *flow, uint64_t now_ns)
{
    uint32_t index = map_get(&snapshot->process_index, flow->pid);

    if (!flow->start_ticks || snapshot->processes[index].start_ticks == flow->start_ticks)
        flow->process = index + 1;
    else
        end_flow(accounting, flow, now_ns);
}

static int link_processes(struct accounting *accounting, struct snapshot *snapshot, uint64_t now_ns)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = 0;

    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++)
        if (snapshot->flows[i].pid)
            r = add_process(snapshot, &snapshot->flows[i]);
    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++)
        if (snapshot->flows[i].pid)
            link_process(accounting, snapshot, &snapshot->flows[i], now_ns);
    if (r == 0)
        r = process_memory_recall(accounting->processes, snapshot);
    for (uint32_t i = 0; i < snapshot->flows_count && r == 0; i++)
        if (snapshot->flows[i].process)
            r = name_process(snapshot, proc, &snapshot->flows[i]);
    return r;
}

int accounting_read(struct accounting *accounting, struct collection *collection)
{
    struct snapshot *snapshot = collection->snapshot;
    uint64_t now_ns = clock_ns(CLOCK_BOOTTIME);
    int r = 0;

    if (accounting->source)
        r = accounting->source->read(accounting->state, accounting->flows, collection, now_ns);
    /* The next source has nothing to tell yet, and the collectors did not bring what it needs. */
    if (r < 0)
        r = give_up(accounting, r);
    if (r < 0)
        return r;
    snapshot->accounting = accounting_level(accounting);
    note_failures(accounting, snapshot);
    if (collection->request->needs & NEED_WIRE && snapshot->accounting < ACCOUNTING_BPF)
        snapshot_note(snapshot, NOTE_DETAIL, "accounting", 0,
                      "packets are counted by BPF only: wire bytes are not known");
    r = flow_table_advance(accounting->flows, now_ns);
    if (r == 0)
        r = flow_table_write(accounting->flows, snapshot);
    return r < 0 ? r : link_processes(accounting, snapshot, now_ns);
}

/* Of what it was, the flow knows the parent. */
static void end_process(struct process *process, const struct flow *flow)
{
    if (process->has & PROCESS_HAS_PPID || !flow->ppid)
        return;
    process->ppid = flow->ppid;
    process->has |= PROCESS_HAS_PPID;
}

int accounting_finish(struct accounting *accounting, struct collection *collection)
{
    struct snapshot *snapshot = collection->snapshot;
    int r;

    for (uint32_t i = 0; i < snapshot->flows_count; i++) {
        struct flow *flow = &snapshot->flows[i];
        struct process *process = flow->process ? &snapshot->processes[flow->process - 1] : NULL;

        if (process && process->flags & PROCESS_GONE) {
            end_flow(accounting, flow, snapshot->boot_ns);
            end_process(process, flow);
        }
    }
    r = flow_interfaces(snapshot);
    if (r == 0)
        r = process_memory_keep(accounting->processes, snapshot);
    return r < 0 ? r : flow_table_end_told(accounting->flows);
}
