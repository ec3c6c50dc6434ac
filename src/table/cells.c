/* SPDX-License-Identifier: MIT */
/* Values that several tables show. */
#include "table/cells.h"

#include "base/rate.h"
#include "derive/join.h"
#include "derive/names.h"
#include "derive/service.h"

struct value cell_string(const struct view *view, uint32_t string)
{
    size_t length;
    const char *bytes = snapshot_string(view->snapshot, string, &length);

    return length ? value_bytes(bytes, length) : value_none();
}

struct value cell_scratch(const struct view *view, size_t start)
{
    return value_bytes(view->scratch->data + start, view->scratch->length - start);
}

/* In a recording only what it says: the same id may be somebody else here. */
const char *cell_user_name(const struct view *view, uint32_t uid)
{
    for (uint32_t i = 0; i < view->snapshot->users_count; i++)
        if (view->snapshot->users[i].uid == uid)
            return snapshot_string(view->snapshot, view->snapshot->users[i].name, NULL);
    return view->names ? names_user(view->names, uid) : NULL;
}

struct value cell_user(const struct view *view, bool known, uint32_t uid)
{
    const char *name;

    if (!known)
        return value_none();
    name = cell_user_name(view, uid);
    if (name)
        return value_name(name);
    buf_reset(view->scratch);
    buf_uint(view->scratch, uid);
    return cell_scratch(view, 0);
}

static const struct process *get_process(const struct view *view, uint32_t process)
{
    return &view->snapshot->processes[process];
}

struct value process_pid(const struct view *view, uint32_t process)
{
    uint32_t pid = get_process(view, process)->pid;

    return cell_number(pid, pid);
}

struct value process_ppid(const struct view *view, uint32_t process)
{
    const struct process *p = get_process(view, process);

    return cell_number(p->has & PROCESS_HAS_PPID, p->ppid);
}

struct value process_pgid(const struct view *view, uint32_t process)
{
    const struct process *p = get_process(view, process);

    return cell_number(p->has & PROCESS_HAS_PPID, p->pgid);
}

struct value process_uid(const struct view *view, uint32_t process)
{
    const struct process *p = get_process(view, process);

    return cell_number(p->has & PROCESS_HAS_UID, p->uid);
}

struct value process_comm(const struct view *view, uint32_t process)
{
    const struct process *p = get_process(view, process);
    size_t length;
    const char *bytes = snapshot_string(view->snapshot, p->comm, &length);

    /* A process may have the empty name; that is known, and not "unknown". */
    return p->has & PROCESS_HAS_COMM ? value_bytes(bytes, length) : value_none();
}

struct value process_exe(const struct view *view, uint32_t process)
{
    return cell_string(view, get_process(view, process)->exe);
}

struct value process_cmdline(const struct view *view, uint32_t process)
{
    return cell_string(view, get_process(view, process)->cmdline);
}

struct value process_argv0(const struct view *view, uint32_t process)
{
    return cell_string(view, get_process(view, process)->argv0);
}

struct value process_user(const struct view *view, uint32_t process)
{
    const struct process *p = get_process(view, process);

    return cell_user(view, p->has & PROCESS_HAS_UID, p->uid);
}

struct value process_cgroup(const struct view *view, uint32_t process)
{
    return cell_string(view, get_process(view, process)->cgroup);
}

static struct value part_value(struct path_part part)
{
    return part.length ? value_bytes(part.start, part.length) : value_none();
}

struct value cell_unit(const struct view *view, uint32_t cgroup)
{
    size_t length;
    const char *path = snapshot_string(view->snapshot, cgroup, &length);

    return part_value(service_unit(path, length));
}

struct value cell_container(const struct view *view, uint32_t cgroup)
{
    size_t length;
    const char *path = snapshot_string(view->snapshot, cgroup, &length);
    struct path_part id = service_container(path, length).id;

    id.length = service_id_shown(id);
    return part_value(id);
}

struct value process_unit(const struct view *view, uint32_t process)
{
    return cell_unit(view, get_process(view, process)->cgroup);
}

struct value process_container(const struct view *view, uint32_t process)
{
    return cell_container(view, get_process(view, process)->cgroup);
}

struct value process_threads(const struct view *view, uint32_t process)
{
    const struct process *p = get_process(view, process);

    return cell_number(p->has & PROCESS_HAS_THREADS, p->threads);
}

/* Start time counts in clock ticks after boot, and so does our own clock. */
struct value process_age(const struct view *view, uint32_t process)
{
    const struct process *p = get_process(view, process);
    uint64_t start_ns;

    if (!(p->has & PROCESS_HAS_START) || !view->snapshot->clock_ticks)
        return value_none();
    start_ns = p->start_ticks * (UINT64_C(1000000000) / view->snapshot->clock_ticks);
    return value_uint(view->snapshot->boot_ns > start_ns
                          ? (view->snapshot->boot_ns - start_ns) / UINT64_C(1000000000)
                          : 0);
}

/* Bytes that were counted before the first reading are of no time that is known. */
static struct value rate_of(const struct view *view, uint64_t bytes)
{
    uint64_t ns = view->snapshot->window_ns[FLOW_LAST];

    return view->rates && ns ? value_uint(per_second(bytes, ns, 0.5)) : value_none();
}

struct cell_traffic cell_traffic(const struct view *view, const struct flow_sum *sum, bool counted)
{
    static const struct flow_sum nothing = {.known = true};
    struct cell_traffic none = {value_none(), value_none(), value_none(), value_none()};

    if ((!sum || !sum->known) && counted)
        sum = &nothing;
    if (!sum || !sum->known)
        return none;
    return (struct cell_traffic){value_uint(sum->total.rx_bytes), value_uint(sum->total.tx_bytes),
                                 rate_of(view, sum->last.rx_bytes),
                                 rate_of(view, sum->last.tx_bytes)};
}

struct value netns_label(const struct view *view, uint32_t netns)
{
    if (netns >= view->snapshot->netns_count || !view->snapshot->netns[netns].inode)
        return value_none();
    buf_reset(view->scratch);
    snapshot_put_netns(view->snapshot, netns, view->scratch);
    return cell_scratch(view, 0);
}

const struct holder *view_holder(const struct view *view, uint32_t row)
{
    return &view->snapshot->holders[view->join->order[row]];
}

struct value holder_fd(const struct view *view, uint32_t row)
{
    return value_uint((uint64_t)view_holder(view, row)->fd);
}

struct value holder_tid(const struct view *view, uint32_t row)
{
    const struct holder *holder = view_holder(view, row);

    return cell_number(holder->tid, holder->tid);
}

struct value holder_thread_list(const struct view *view, uint32_t row)
{
    const struct process_join *process = &view->join->processes[view_holder(view, row)->process];

    if (!process->thread_count)
        return value_none();
    return (struct value){.type = VALUE_LIST,
                          .list = {&table_threads, process->first_thread, process->thread_count}};
}

struct value cell_time(const struct view *view, uint32_t row)
{
    (void)row;
    buf_reset(view->scratch);
    buf_utc(view->scratch, view->snapshot->time_ns, 3);
    return cell_scratch(view, 0);
}
