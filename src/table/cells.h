/* SPDX-License-Identifier: MIT */
/* What the getters of several tables share: values out of a process, and names in the wording of
 * the text form. */
#pragma once

#include "derive/flow_join.h"
#include "table/table.h"

/* The socket of a row of the table of sockets. */
static inline const struct socket *view_socket(const struct view *view, uint32_t row)
{
    return &view->snapshot->sockets[row];
}

/* A string of the snapshot; VALUE_NONE for the empty one. */
struct value cell_string(const struct view *view, uint32_t string);

/* The content of scratch from `start` on. */
struct value cell_scratch(const struct view *view, size_t start);

/* When the snapshot was read, in UTC as RFC 3339 wants it; the same for every row. */
column_get_fn cell_time;

/* A number that is only known when `known` is. */
static inline struct value cell_number(bool known, uint64_t number)
{
    return known ? value_uint(number) : value_none();
}

struct value cell_user(const struct view *view, bool known, uint32_t uid);

/* Path of the cgroup, a string of the snapshot: what it says about unit and container. */
struct value cell_unit(const struct view *view, uint32_t cgroup);
struct value cell_container(const struct view *view, uint32_t cgroup);

/* NULL: no name is known. */
const char *cell_user_name(const struct view *view, uint32_t uid);

/* Words of enum ill; VALUE_NONE: nothing is wrong. */
struct value cell_ills(const struct view *view, uint64_t bits);

/* What is wrong with a socket, or with those of a process, as far as is read. */
column_get_fn socket_sick, process_sick;

/* One fact about a process, by its index in the snapshot. */
struct value process_pid(const struct view *view, uint32_t process);
struct value process_ppid(const struct view *view, uint32_t process);
struct value process_pgid(const struct view *view, uint32_t process);
struct value process_uid(const struct view *view, uint32_t process);
struct value process_comm(const struct view *view, uint32_t process);
struct value process_exe(const struct view *view, uint32_t process);
struct value process_cmdline(const struct view *view, uint32_t process);
struct value process_argv0(const struct view *view, uint32_t process);
struct value process_user(const struct view *view, uint32_t process);
struct value process_cgroup(const struct view *view, uint32_t process);
struct value process_unit(const struct view *view, uint32_t process);
struct value process_container(const struct view *view, uint32_t process);
struct value process_threads(const struct view *view, uint32_t process);
struct value process_age(const struct view *view, uint32_t process);

/* The holder of a row of the tables of owners and of descriptors: a position in join.order. */
const struct holder *view_holder(const struct view *view, uint32_t row);

/* One fact about it. */
struct value holder_fd(const struct view *view, uint32_t row);
struct value holder_tid(const struct view *view, uint32_t row);
struct value holder_thread_list(const struct view *view, uint32_t row);

/* What was counted of a socket or process while nwho ran. */
struct cell_traffic {
    struct value rx_bytes, tx_bytes, rx_rate, tx_rate;
};

/* `sum`: of its flows, or NULL: none was seen. `counted`: all that it has would have been seen. */
struct cell_traffic cell_traffic(const struct view *view, const struct flow_sum *sum, bool counted);

/* A namespace: its name, "init" for that of process 1, else its inode number. */
struct value netns_label(const struct view *view, uint32_t netns);
