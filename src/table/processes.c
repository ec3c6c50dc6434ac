/* SPDX-License-Identifier: MIT */
/* The tables of processes and of threads. */
#include "derive/join.h"
#include "table/cells.h"

#define PROCESS_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return process_##name(view, row);                                                          \
    }

PROCESS_COLUMN(pid)
PROCESS_COLUMN(ppid)
PROCESS_COLUMN(pgid)
PROCESS_COLUMN(uid)
PROCESS_COLUMN(comm)
PROCESS_COLUMN(user)
PROCESS_COLUMN(exe)
PROCESS_COLUMN(cmdline)
PROCESS_COLUMN(cgroup)
PROCESS_COLUMN(unit)
PROCESS_COLUMN(container)
PROCESS_COLUMN(threads)
PROCESS_COLUMN(age)
PROCESS_COLUMN(sick)

static const struct process *get_process(const struct view *view, uint32_t row)
{
    return &view->snapshot->processes[row];
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    const struct process *process = get_process(view, row);

    return process->has & PROCESS_HAS_NETNS ? netns_label(view, process->netns) : value_none();
}

static struct value get_fds(const struct view *view, uint32_t row)
{
    const struct process *process = get_process(view, row);

    return cell_number(process->has & PROCESS_HAS_FDS, process->fds);
}

static struct value get_fd_limit(const struct view *view, uint32_t row)
{
    const struct process *process = get_process(view, row);

    return cell_number(process->has & PROCESS_HAS_FD_LIMIT, process->fd_limit);
}

static struct value get_deleted(const struct view *view, uint32_t row)
{
    const struct process *process = get_process(view, row);

    return process->has & PROCESS_HAS_EXE
               ? value_bool(process->flags & (PROCESS_EXE_DELETED | PROCESS_EXE_MEMFD))
               : value_none();
}

/* What the process has in the table of sockets; unknown when its descriptors may not be read. */
#define COUNT_COLUMN(name)                                                                         \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        bool known = !(get_process(view, row)->flags & PROCESS_FDS_HIDDEN);                        \
        return cell_number(known, view->join->processes[row].name);                                \
    }

COUNT_COLUMN(sockets)
COUNT_COLUMN(listening)
COUNT_COLUMN(established)
COUNT_COLUMN(close_wait)

#define TRAFFIC_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        const struct flow_sum *sums = view->join->flows.processes;                                 \
        bool all = view->snapshot->accounting == ACCOUNTING_BPF;                                   \
        return cell_traffic(view, sums ? &sums[row] : NULL, all).name;                             \
    }

TRAFFIC_COLUMN(rx_rate)
TRAFFIC_COLUMN(tx_rate)
TRAFFIC_COLUMN(rx_bytes)
TRAFFIC_COLUMN(tx_bytes)

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define TRAFFIC (NEED_FLOWS | NEED_WINDOW)

static const struct column process_columns[] = {
    {"pid", "PID", "Process id", KIND_ID, SHOWN | COLUMN_KEY, 0, get_pid},
    {"ppid", "PPID", "Process id of the parent", KIND_ID, 0, NEED_PROCESS_STAT, get_ppid},
    {"pgid", "PGID", "Process group", KIND_ID, 0, NEED_PROCESS_STAT, get_pgid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, get_comm},
    {"uid", "UID", "User id of the process", KIND_ID, 0, NEED_USER, get_uid},
    {"user", "USER", "User of the process", KIND_TEXT, SHOWN, NEED_USER, get_user},
    {"sockets", "SOCKETS", "Sockets that it holds", KIND_COUNT, SHOWN, 0, get_sockets},
    {"listening", "LISTEN", "Listening sockets", KIND_COUNT, SHOWN, 0, get_listening},
    {"established", "ESTAB", "Established connections", KIND_COUNT, SHOWN, 0, get_established},
    {"close_wait", "CLOSE-WAIT", "Connections that the peer closed and the process did not",
     KIND_COUNT, SHOWN, 0, get_close_wait},
    {"sick", "SICK", "What is wrong with its sockets, in the words of the column of sockets",
     KIND_TEXT, COLUMN_MARK, NEED_TCP_INFO | NEED_MEMORY | NEED_SYN_QUEUE, get_sick},
    {"fds", "FDS", "Open descriptors", KIND_COUNT, SHOWN, NEED_FDS, get_fds},
    {"fd_limit", "FD-LIMIT", "Soft limit of descriptors (RLIMIT_NOFILE)", KIND_COUNT, SHOWN,
     NEED_FDS, get_fd_limit},
    {"rx_rate", "RX/S", "Payload received a second since the reading before (--watch, -d)",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, TRAFFIC, get_rx_rate},
    {"tx_rate", "TX/S", "Payload sent a second since the reading before (--watch, -d)",
     KIND_BYTES_PER_SECOND, COLUMN_RATE, TRAFFIC, get_tx_rate},
    {"rx_bytes", "RX", "Payload received since it is counted (--watch, -d)", KIND_BYTES,
     COLUMN_COUNTER, TRAFFIC, get_rx_bytes},
    {"tx_bytes", "TX", "Payload sent since it is counted (--watch, -d)", KIND_BYTES, COLUMN_COUNTER,
     TRAFFIC, get_tx_bytes},
    {"unit", "UNIT", "systemd unit", KIND_TEXT, SHOWN, NEED_CGROUP, get_unit},
    {"container", "CONTAINER", "Container", KIND_TEXT, COLUMN_MACHINE, NEED_CGROUP, get_container},
    {"exe", "EXE", "Program file", KIND_TEXT, COLUMN_MACHINE, NEED_EXE, get_exe},
    {"cmdline", "CMDLINE", "Command line", KIND_TEXT, 0, NEED_CMDLINE, get_cmdline},
    {"cgroup", "CGROUP", "Control group", KIND_TEXT, 0, NEED_CGROUP, get_cgroup},
    {"netns", "NETNS", "Network namespace", KIND_TEXT, 0, NEED_PROCESS_NETNS, get_netns},
    {"threads", "THREADS", "Number of threads", KIND_COUNT, 0, NEED_PROCESS_STAT, get_threads},
    {"age_s", "AGE", "Time since it was started", KIND_SECONDS, 0, NEED_PROCESS_STAT, get_age},
    {"deleted", "DELETED", "Its program file was deleted or replaced, or never had a name",
     KIND_BOOL, 0, NEED_EXE, get_deleted},
};

static uint32_t process_rows(const struct view *view)
{
    return view->snapshot->processes_count;
}

static uint64_t process_order(const struct view *view, uint32_t row)
{
    return get_process(view, row)->pid;
}

/* A pid may be given again: pid and start time are one process. */
static uint64_t process_identity(const struct view *view, uint32_t row)
{
    const struct process *process = get_process(view, row);
    uint64_t start = process->has & PROCESS_HAS_START ? process->start_ticks : 0;

    return (uint64_t)process->pid << 40 ^ start;
}

const struct table table_processes = {
    .name = "processes",
    .help = "Processes and what they have on the network",
    .needs = NEED_SOCKETS | NEED_OWNERS,
    .columns = process_columns,
    .column_count = ARRAY_SIZE(process_columns),
    .row_count = process_rows,
    .order = process_order,
    .identity = process_identity,
};

/* --- threads --- */

static uint32_t process_of(const struct view *view, uint32_t row)
{
    return view->snapshot->threads[row].process;
}

static struct value get_tid(const struct view *view, uint32_t row)
{
    return value_uint(view->snapshot->threads[row].tid);
}

static struct value get_thread_name(const struct view *view, uint32_t row)
{
    return cell_string(view, view->snapshot->threads[row].comm);
}

static struct value get_thread_pid(const struct view *view, uint32_t row)
{
    return process_pid(view, process_of(view, row));
}

static struct value get_thread_process(const struct view *view, uint32_t row)
{
    return process_comm(view, process_of(view, row));
}

static struct value get_thread_user(const struct view *view, uint32_t row)
{
    return process_user(view, process_of(view, row));
}

static struct value get_private(const struct view *view, uint32_t row)
{
    return value_bool(view->snapshot->threads[row].private_files);
}

static struct value get_thread_sockets(const struct view *view, uint32_t row)
{
    return get_sockets(view, process_of(view, row));
}

static const struct column thread_columns[] = {
    {"pid", "PID", "Process id", KIND_ID, SHOWN, 0, get_thread_pid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, get_thread_process},
    {"tid", "TID", "Thread id", KIND_ID, SHOWN | COLUMN_KEY, 0, get_tid},
    {"thread", "THREAD", "Name of the thread", KIND_TEXT, SHOWN, 0, get_thread_name},
    {"user", "USER", "User of the process", KIND_TEXT, SHOWN, NEED_USER, get_thread_user},
    {"sockets", "SOCKETS", "Sockets in the descriptor table of the process", KIND_COUNT, SHOWN, 0,
     get_thread_sockets},
    {"private", "PRIVATE", "Has a descriptor table of its own", KIND_BOOL, SHOWN, 0, get_private},
};

static uint32_t thread_rows(const struct view *view)
{
    return view->snapshot->threads_count;
}

static uint64_t thread_identity(const struct view *view, uint32_t row)
{
    return view->snapshot->threads[row].tid;
}

const struct table table_threads = {
    .name = "threads",
    .help = "Threads of the processes that hold sockets",
    .needs = NEED_SOCKETS | NEED_OWNERS | NEED_THREADS,
    .list_name = "thread",
    .columns = thread_columns,
    .column_count = ARRAY_SIZE(thread_columns),
    .row_count = thread_rows,
    .order = thread_identity,
    .identity = thread_identity,
};
