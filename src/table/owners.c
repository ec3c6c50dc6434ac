/* SPDX-License-Identifier: MIT */
/* The table behind a socket's list of owners: one row a descriptor. Rows are positions in
 * join.order. */
#include "derive/join.h"
#include "table/cells.h"

#define PROCESS_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return process_##name(view, view_holder(view, row)->process);                              \
    }

PROCESS_COLUMN(pid)
PROCESS_COLUMN(comm)
PROCESS_COLUMN(user)
PROCESS_COLUMN(exe)
PROCESS_COLUMN(cmdline)
PROCESS_COLUMN(cgroup)
PROCESS_COLUMN(unit)
PROCESS_COLUMN(container)
PROCESS_COLUMN(threads)

static const struct column columns[] = {
    {"pid", "PID", "Process id", KIND_ID, COLUMN_TEXT | COLUMN_MACHINE | COLUMN_KEY, 0, get_pid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, COLUMN_TEXT | COLUMN_MACHINE, 0,
     get_comm},
    {"fd", "FD", "Descriptor", KIND_ID, COLUMN_TEXT | COLUMN_MACHINE | COLUMN_KEY, 0, holder_fd},
    {"tid", "TID", "Thread, when the descriptor is in a table of its own", KIND_ID, 0, NEED_THREADS,
     holder_tid},
    {"user", "USER", "User of the process", KIND_TEXT, COLUMN_MACHINE, NEED_USER, get_user},
    {"exe", "EXE", "Program file", KIND_TEXT, 0, NEED_EXE, get_exe},
    {"cmdline", "CMDLINE", "Command line", KIND_TEXT, 0, NEED_CMDLINE, get_cmdline},
    {"cgroup", "CGROUP", "Control group of the process", KIND_TEXT, 0, NEED_CGROUP, get_cgroup},
    {"unit", "UNIT", "systemd unit", KIND_TEXT, 0, NEED_CGROUP, get_unit},
    {"container", "CONTAINER", "Container", KIND_TEXT, 0, NEED_CGROUP, get_container},
    {"threads", "THREADS", "Number of threads of the process", KIND_COUNT, COLUMN_MACHINE,
     NEED_PROCESS_STAT, get_threads},
    {"thread_list", "THREADS", "Threads that share the descriptor", KIND_LIST, 0, NEED_THREADS,
     holder_thread_list},
};

static uint32_t row_count(const struct view *view)
{
    return view->join->order_count;
}

const struct table table_owners = {
    .name = "owners",
    .help = "Holders of a socket: the elements of its owners column",
    .needs = NEED_SOCKETS | NEED_OWNERS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
};
