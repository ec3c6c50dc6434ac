/* SPDX-License-Identifier: MIT */
/* A captured packet as filters and columns of processes see it. */
#include "table/captured.h"

#include "table/cells.h"

static struct value get_netns(const struct view *view, uint32_t row)
{
    (void)row;
    return view->captured && view->captured->netns ? value_name(view->captured->netns)
                                                   : value_none();
}

static struct value get_owners(const struct view *view, uint32_t row)
{
    (void)row;
    return (struct value){
        .type = VALUE_LIST,
        .list = {&table_captured_owners, 0, view->captured ? view->captured->count : 0}};
}

#define PROCESS_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return process_##name(view, view->captured->processes[row]);                               \
    }

PROCESS_COLUMN(pid)
PROCESS_COLUMN(comm)
PROCESS_COLUMN(ppid)
PROCESS_COLUMN(uid)
PROCESS_COLUMN(user)
PROCESS_COLUMN(exe)
PROCESS_COLUMN(cmdline)
PROCESS_COLUMN(cgroup)
PROCESS_COLUMN(unit)
PROCESS_COLUMN(container)

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

/* name, title, help, kind, flags, needs, getter */
static const struct column columns[] = {
    {"netns", "NETNS", "Network namespace in which the packet was captured", KIND_TEXT, SHOWN, 0,
     get_netns},
    {"owners", "OWNERS", "Processes at its ends", KIND_LIST, COLUMN_MACHINE, 0, get_owners},
};

static const struct column owner_columns[] = {
    {"pid", "PID", "Process id", KIND_ID, SHOWN | COLUMN_KEY, 0, get_pid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, get_comm},
    {"ppid", "PPID", "Parent of the process", KIND_ID, 0, NEED_PROCESS_STAT, get_ppid},
    {"uid", "UID", "User id of the process", KIND_ID, COLUMN_MACHINE, NEED_USER, get_uid},
    {"user", "USER", "User of the process", KIND_TEXT, COLUMN_MACHINE, NEED_USER, get_user},
    {"exe", "EXE", "Program file", KIND_TEXT, 0, NEED_EXE, get_exe},
    {"cmdline", "CMDLINE", "Command line", KIND_TEXT, 0, NEED_CMDLINE, get_cmdline},
    {"cgroup", "CGROUP", "Control group", KIND_TEXT, 0, NEED_CGROUP, get_cgroup},
    {"unit", "UNIT", "systemd unit", KIND_TEXT, COLUMN_MACHINE, NEED_CGROUP, get_unit},
    {"container", "CONTAINER", "Container", KIND_TEXT, COLUMN_MACHINE, NEED_CGROUP, get_container},
};

static uint32_t row_count(const struct view *view)
{
    return view->captured != NULL;
}

static uint32_t owner_count(const struct view *view)
{
    return view->captured ? view->captured->count : 0;
}

const struct table table_captured = {
    .name = "captured",
    .help = "A packet, as conditions on processes of `nwho sniff` see it",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .owners = &table_captured_owners,
    .row_count = row_count,
};

const struct table table_captured_owners = {
    .name = "captured_owners",
    .help = "Processes at the ends of a packet: conditions, and -o of `nwho sniff`",
    .columns = owner_columns,
    .column_count = ARRAY_SIZE(owner_columns),
    .row_count = owner_count,
};
