/* SPDX-License-Identifier: MIT */
/* nwho TARGET in words: the facts of what waits, of the connections, and of the process. */
#include "base/advice.h"
#include "base/hash.h"
#include "cli/explain.h"
#include "cli/findings.h"

#include "base/escape.h"
#include "base/map.h"
#include "derive/address.h"
#include "out/format.h"
#include "out/text.h"
#include "table/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define PEERS_SHOWN 5

/* --- facts below each other: a label and a value a line --- */

struct fact {
    const char *label;
    const char *column;
};

static bool put_cell(struct session *session, struct buf *out, const struct table *table,
                     uint32_t row, const char *name)
{
    const struct view *view = &session->now->view;
    const struct column *column = table_column(table, name);
    struct value value = column->get(view, row);
    struct buf scratch = BUF_INIT;
    struct format format = {.view = view, .scratch = &scratch};

    if (value.type == VALUE_NONE)
        return false;
    format_cell(&format, column, &value, out);
    if (scratch.error && !out->error)
        out->error = scratch.error;
    buf_done(&scratch);
    return true;
}

static void put_facts(struct session *session, struct buf *out, const struct table *table,
                      uint32_t row, const struct fact *facts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t start = out->length;

        buf_printf(out, "  %-9s ", facts[i].label);
        if (put_cell(session, out, table, row, facts[i].column))
            buf_byte(out, '\n');
        else
            out->length = start;
    }
}

/* Whether the sockets are of more than one network namespace. */
static bool has_several_netns(const struct snapshot *snapshot)
{
    for (uint32_t i = 1; i < snapshot->sockets_count; i++)
        if (snapshot->sockets[i].netns != snapshot->sockets[0].netns)
            return true;
    return false;
}

/* "tcp 0.0.0.0:443  listening  v4" */
static void put_title(struct session *session, struct buf *out, uint32_t row)
{
    static const char *const names[] = {"proto", "local", "state", "serves", "netns"};
    bool color = session_color(session);
    size_t count = ARRAY_SIZE(names) - !has_several_netns(&session->now->snapshot);

    buf_puts(out, color ? COLOR_HEADER : "");
    for (size_t i = 0; i < count; i++) {
        size_t start = out->length;

        if (i)
            buf_puts(out, i > 1 ? "  " : " ");
        if (strcmp(names[i], "netns") == 0)
            buf_puts(out, "netns ");
        if (!put_cell(session, out, &table_sockets, row, names[i]))
            out->length = start;
    }
    buf_puts(out, color ? COLOR_RESET "\n" : "\n");
}

static void put_started(struct session *session, struct buf *out, uint32_t process)
{
    struct value age = process_age(&session->now->view, process);

    buf_puts(out, "  started   ");
    if (age.type == VALUE_UINT && age.uint == 0)
        buf_puts(out, "just now");
    else if (put_cell(session, out, &table_processes, process, "age_s"))
        buf_puts(out, " ago");
    buf_byte(out, '\n');
}

/* Facts about the process that holds the socket, or the process itself. */
static void put_process(struct session *session, struct buf *out, uint32_t process)
{
    static const struct fact facts[] = {
        {"user", "user"},
        {"started", "age_s"},
        {"exe", "exe"},
        {"command", "cmdline"},
        {"unit", "unit"},
        {"cgroup", "cgroup"},
        {"container", "container"},
        {"netns", "netns"},
        {"threads", "threads"},
        {"fds", "fds"},
        {"fd limit", "fd_limit"},
        {"deleted", "deleted"},
    };
    const struct process *p = &session->now->snapshot.processes[process];

    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        bool is_deleted = strcmp(facts[i].column, "deleted") == 0;

        if (strcmp(facts[i].column, "threads") == 0 && session->options->threads)
            continue; /* they are listed */
        if (strcmp(facts[i].column, "age_s") == 0 && p->has & PROCESS_HAS_START) {
            put_started(session, out, process);
        } else if (is_deleted && p->flags & (PROCESS_EXE_DELETED | PROCESS_EXE_MEMFD)) {
            buf_puts(out, "  warning   its program file was deleted or replaced: restart it after "
                          "an update\n");
        } else if (!is_deleted) {
            put_facts(session, out, &table_processes, process, &facts[i], 1);
        }
    }
}

/* "nginx(1187): nginx(1187), worker(1188, own descriptors)" */
static void put_threads(struct session *session, struct buf *out, uint32_t index)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    const struct process_join *process = &session->now->join.processes[index];

    put_cell(session, out, &table_processes, index, "process");
    buf_printf(out, "(%u): ", snapshot->processes[index].pid);
    for (uint32_t i = 0; i < process->thread_count; i++) {
        uint32_t row = process->first_thread + i;

        buf_puts(out, i ? ", " : "");
        put_cell(session, out, &table_threads, row, "thread");
        buf_byte(out, '(');
        buf_uint(out, snapshot->threads[row].tid);
        buf_puts(out, snapshot->threads[row].private_files ? ", own descriptors)" : ")");
    }
    buf_byte(out, '\n');
}

/* Those of a process once, at the first socket that it holds. Returns whether they were told. */
static bool put_threads_once(struct session *session, struct explain *explain, struct buf *out,
                             uint32_t process, const char *label)
{
    if (!explain->told || explain->told[process] ||
        !session->now->join.processes[process].thread_count)
        return false;
    buf_printf(out, "  %-9s ", label);
    put_threads(session, out, process);
    explain->told[process] = true;
    return true;
}

/* The process that holds the socket; workers of one program are told by the first of them. Threads
 * are those of every holder. */
static void put_holder(struct session *session, struct explain *explain, struct buf *out,
                       uint32_t socket)
{
    const struct join *join = &session->now->join;
    uint32_t count = join->sockets[socket].holder_count;
    const char *label = "threads";

    for (uint32_t i = 0; i < count; i++) {
        uint32_t process = join_holder(&session->now->snapshot, join, socket, i)->process;

        if (i == 0 && process != explain->process)
            put_process(session, out, process);
        if (i == 0)
            explain->process = process;
        if (put_threads_once(session, explain, out, process, label))
            label = "";
    }
}

static void put_socket(struct session *session, struct explain *explain, struct buf *out,
                       uint32_t row)
{
    static const struct fact facts[] = {
        {"owner", "owner"},  {"reach", "scope"}, {"accept", "accept"},   {"syn queue", "syn_queue"},
        {"device", "iface"}, {"drops", "drops"}, {"peer", "peer_owner"},
    };

    put_title(session, out, row);
    put_facts(session, out, &table_sockets, row, facts, ARRAY_SIZE(facts));
    put_holder(session, explain, out, row);
}

/* --- the parts --- */

/* Behind `label` the largest groups; nothing where the key of all rows is unknown. */
static int count_by(struct session *session, const struct query *rows,
                    const struct group_plan *plan, const char *label, uint32_t shown,
                    struct buf *out)
{
    struct group group = {0};
    struct grid grid;
    struct view view = session->now->view;
    struct buf scratch = BUF_INIT;
    struct format format = {.view = &view, .scratch = &scratch};
    uint32_t known = 0;
    int r = query_run(rows, &session->now->view, &grid);

    if (r < 0)
        return r;
    r = group_make(plan, &grid, &group);
    view.group = &group;
    for (uint32_t i = 0; r == 0 && i < group.row_count; i++) {
        struct value value = plan->columns[0].get(&view, i);

        if (value.type == VALUE_NONE || known++ >= shown)
            continue;
        buf_puts(out, known > 1 ? ", " : label);
        format_cell(&format, &plan->columns[0], &value, out);
        buf_byte(out, ' ');
        buf_uint(out, group.rows[i].count);
    }
    if (known > shown)
        buf_printf(out, ", %u more", known - shown);
    if (r == 0)
        r = scratch.error;
    group_done(&group);
    grid_done(&grid);
    buf_done(&scratch);
    return r;
}

static int put_waiting(struct session *session, struct explain *explain, struct buf *out,
                       uint32_t *ret_count)
{
    struct grid grid;
    int r = query_run(&explain->waiting, &session->now->view, &grid);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < grid.row_count; i++) {
        if (out->length)
            buf_byte(out, '\n');
        put_socket(session, explain, out, grid.rows[i]);
    }
    if (grid.matched > grid.row_count)
        buf_printf(out, "... and %u more (nwho ls)\n", grid.matched - grid.row_count);
    *ret_count = grid.matched;
    grid_done(&grid);
    return 0;
}

/* The one end, seen from (`peer`) the other. The same for an IPv4 address and its mapped form. */
static uint64_t hash_end(const struct socket *socket, bool peer)
{
    const union address *address = peer ? &socket->peer : &socket->local;
    bool mapped = address_is_mapped(socket->family, address);
    uint64_t hash = hash_number(HASH_INIT, peer ? socket->peer_port : socket->local_port);

    for (unsigned int i = mapped ? 3 : 0; i < 4; i++)
        if (address->words[i])
            hash = hash_number(hash, address->words[i]);
    return hash;
}

static uint64_t hash_ends(const struct socket *socket, bool swapped)
{
    if (socket->family == AF_UNIX)
        return swapped ? socket->peer_inode : socket->inode;
    return hash_end(socket, swapped) * 31 + hash_end(socket, !swapped) + socket->proto;
}

/* How many connections the sockets are ends of: both ends of one may be among them. */
static int count_connections(struct session *session, struct explain *explain, uint32_t *ret_count)
{
    struct map ends = {0};
    struct grid grid;
    uint32_t count = 0;
    int r = query_run(&explain->peers, &session->now->view, &grid);

    if (r < 0)
        return r;
    for (uint32_t i = 0; r == 0 && i < grid.row_count; i++) {
        const struct socket *socket = &session->now->snapshot.sockets[grid.rows[i]];

        count += map_get(&ends, hash_ends(socket, true)) == MAP_NONE;
        r = map_set(&ends, hash_ends(socket, false), i);
    }
    map_done(&ends);
    grid_done(&grid);
    *ret_count = count;
    return r;
}

/* "22 sockets of 11 connections" where both ends are on this machine. */
static void put_connection_count(struct buf *out, uint32_t sockets, uint32_t connections)
{
    if (sockets != connections)
        buf_printf(out, "%u sockets of ", sockets);
    buf_printf(out, "%u connection%s:", connections, connections == 1 ? "" : "s");
}

static int put_connections(struct session *session, struct explain *explain, struct buf *out,
                           uint32_t *ret_count)
{
    struct grid grid;
    uint32_t connections = 0;
    int r = query_run(&explain->connections, &session->now->view, &grid);

    if (r < 0)
        return r;
    *ret_count = grid.matched;
    r = count_connections(session, explain, &connections);
    if (r == 0 && grid.matched) {
        buf_puts(out, out->length ? "\n" : "");
        put_connection_count(out, grid.matched, connections);
        r = count_by(session, &explain->states, &explain->state_plan, "  ", STATE_MAX, out);
        if (r == 0)
            r = count_by(session, &explain->peers, &explain->peer_plan, "\n  with  ", PEERS_SHOWN,
                         out);
        buf_puts(out, "\n\n");
        if (r == 0)
            r = session_write(session, &grid, out);
        if (grid.matched > grid.row_count)
            buf_printf(out, "... and %u more (nwho ls)\n", grid.matched - grid.row_count);
    }
    grid_done(&grid);
    return r;
}

/* For a process: what it is, before its sockets. */
static int put_processes(struct session *session, struct explain *explain, struct buf *out,
                         uint32_t *ret_count)
{
    struct grid grid;
    int r = query_run(&explain->processes, &session->now->view, &grid);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < grid.row_count; i++) {
        bool color = session_color(session);

        buf_puts(out, out->length ? "\n" : "");
        buf_puts(out, color ? COLOR_HEADER : "");
        put_cell(session, out, &table_processes, grid.rows[i], "process");
        buf_byte(out, '(');
        put_cell(session, out, &table_processes, grid.rows[i], "pid");
        buf_puts(out, color ? ")" COLOR_RESET "\n" : ")\n");
        put_process(session, out, grid.rows[i]);
        put_threads_once(session, explain, out, grid.rows[i], "threads");
        explain->process = grid.rows[i];
    }
    *ret_count = grid.row_count;
    grid_done(&grid);
    return 0;
}

/* --- the whole --- */

/* The target, where it is a process by its id on this machine; else NULL. */
static const char *get_pid(const struct session *session, const struct explain *explain)
{
    const char *pid = explain->target;
    bool is_one = explain->processes.filter && !session->options->replay && strlen(pid) < 12 &&
                  pid[strspn(pid, "0123456789")] == '\0';

    return is_one ? pid : NULL;
}

/* Whether only sockets of another namespace than the process's were read. */
static bool is_elsewhere(const struct session *session, const char *pid)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    char path[64];
    struct stat status;

    snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
    return session->request.netns_scope == NETNS_SCOPE_SELF && stat(path, &status) == 0 &&
           status.st_ino != (snapshot->netns_count ? snapshot->netns[0].inode : 0);
}

static void hint_elsewhere(const char *pid)
{
    command_error("process %s is in another network namespace: nwho -N %s %s", pid, pid, pid);
}

/* Why a process that was asked for by its id shows nothing. Returns the exit code. */
static int explain_no_process(struct session *session, const char *pid)
{
    bool port = strtoul(pid, NULL, 10) <= UINT16_MAX; /* a number of other tools is mostly one */
    char path[64];
    struct stat status;

    snprintf(path, sizeof(path), "/proc/%s", pid);
    if (stat(path, &status) < 0)
        return command_error("there is no process %s%s%s%s", pid, port ? " (the port: nwho :" : "",
                             port ? pid : "", port ? ")" : "");
    snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
    if (stat(path, &status) < 0)
        command_error("process %s does not show its network namespace to you" RUN_AS_ROOT, pid);
    else if (is_elsewhere(session, pid))
        hint_elsewhere(pid);
    else
        command_error("process %s holds no socket that can be seen from here", pid);
    return session_exit(session, 0);
}

static int explain_nothing(struct session *session, const struct explain *explain)
{
    const char *pid = get_pid(session, explain);

    if (session->options->quiet)
        return session_exit(session, 0);
    if (pid)
        return explain_no_process(session, pid);
    command_error("nothing has to do with \"%s\" now", explain->target);
    if (session->options->word_count > 1)
        session_hint(session);
    else
        session_hint_netns(session);
    return session_exit(session, 0);
}

static int put_all(struct session *session, struct explain *explain, struct buf *out,
                   uint32_t *ret_count)
{
    uint32_t processes = 0, waiting = 0, connections = 0, talkers = 0;
    int r = 0;

    findings_write(session, out);
    if (explain->processes.filter)
        r = put_processes(session, explain, out, &processes);
    if (r == 0)
        r = put_waiting(session, explain, out, &waiting);
    if (r == 0)
        r = put_connections(session, explain, out, &connections);
    if (r == 0)
        r = talkers_write(session, &explain->talkers, "TRAFFIC", out, &talkers);
    *ret_count = (explain->elsewhere ? 0 : processes) + waiting + connections + talkers;
    return r;
}

/* 0 or EXIT_ERROR. */
static int read_target(struct session *session, const struct explain *explain)
{
    struct grid grid;
    int r;

    if (session_measure(session) != 0 || session_take(session) != 0)
        return EXIT_ERROR;
    if (query_run(explain->rows, &session->now->view, &grid) < 0)
        return command_error("out of memory");
    r = findings_narrow(session, &grid);
    grid_done(&grid);
    return r;
}

int explain_show(struct session *session, struct explain *explain)
{
    CLEANUP_FREE bool *told = NULL;
    struct buf out = BUF_INIT;
    const char *pid;
    uint32_t count = 0;
    int r = read_target(session, explain);

    if (r != 0)
        return r;
    if (session->options->threads) {
        told = calloc(session->now->snapshot.processes_count + 1u, sizeof(*told));
        r = told ? 0 : -ENOMEM;
    }
    explain->told = told;
    pid = get_pid(session, explain);
    explain->elsewhere = pid && is_elsewhere(session, pid);
    if (r == 0)
        r = put_all(session, explain, &out, &count);
    if (r < 0)
        return command_error("out of memory");
    if (session->options->quiet)
        buf_reset(&out);
    r = session_output(session, &out);
    session_notes(session);
    if (r == 0 && count == 0)
        return explain_nothing(session, explain);
    if (r == 0 && explain->elsewhere && !session->options->quiet)
        hint_elsewhere(pid);
    return r ? r : session_exit(session, count);
}
