/* SPDX-License-Identifier: MIT */
/* nwho TARGET: explains one port, process, address, network, path, user, container or name. */
#include "cli/session.h"

#include "base/escape.h"
#include "out/format.h"
#include "out/text.h"
#include "table/cells.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BLOCKS_SHOWN 12
#define CONNECTIONS_SHOWN 20
#define PEERS_SHOWN 5

struct explain {
    const char *target; /* as the user wrote it; several words joined */
    struct query waiting, connections, processes;
    struct query peers, states; /* what is counted of the connections */
    struct group_plan peer_plan, state_plan;
    uint32_t process; /* whose facts were shown last: they are not repeated; JOIN_NONE */
};

/* What the words mean as a filter: a number alone is a pid, tcp/9000 is a port. The rest the filter
 * language knows. */
static void translate(struct session *session, const char *word, struct buf *text)
{
    const char *slash = strchr(word, '/');
    size_t digits = strspn(word, "0123456789");

    if (*word && (word[digits] == '\0' || (digits && strcmp(word + digits, "+") == 0)))
        buf_printf(text, "pid %s", word);
    else if (slash && (strncmp(word, "tcp/", 4) == 0 || strncmp(word, "udp/", 4) == 0))
        buf_printf(text, "%.*s and port :%s", (int)(slash - word), word, slash + 1);
    else if (digits && (strcmp(word + digits, "/tcp") == 0 || strcmp(word + digits, "/udp") == 0))
        buf_printf(text, "%s and port :%.*s", word + digits + 1, (int)digits, word);
    else if (*word == '/' && strpbrk(word, " ()<>!&|\"'"))
        session_put_quoted(word, text);
    else
        session_put_word(session, &table_sockets, word, text);
}

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

/* "tcp 0.0.0.0:443  listening  v4" */
static void put_title(struct session *session, struct buf *out, uint32_t row)
{
    static const char *const names[] = {"proto", "local", "state", "serves", "netns"};
    bool color = session_color(session);

    buf_puts(out, color ? COLOR_HEADER : "");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        size_t start = out->length;

        if (strcmp(names[i], "netns") == 0 && session->now->snapshot.netns_count < 3)
            continue;
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

static void put_threads(struct session *session, struct buf *out, uint32_t index)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    const struct process_join *process = &session->now->join.processes[index];

    for (uint32_t i = 0; i < process->thread_count; i++) {
        uint32_t row = process->first_thread + i;

        buf_puts(out, i ? ", " : "  threads   ");
        put_cell(session, out, &table_threads, row, "thread");
        buf_byte(out, '(');
        buf_uint(out, snapshot->threads[row].tid);
        buf_puts(out, snapshot->threads[row].private_files ? ", own descriptors)" : ")");
    }
    if (process->thread_count)
        buf_byte(out, '\n');
}

/* The process that holds the socket; workers of one program are told by the first of them. */
static void put_holder(struct session *session, struct explain *explain, struct buf *out,
                       uint32_t socket)
{
    const struct join *join = &session->now->join;
    uint32_t process;

    if (!join->sockets[socket].holder_count)
        return;
    process = join_holder(&session->now->snapshot, join, socket, 0)->process;
    if (process != explain->process) {
        put_process(session, out, process);
        put_threads(session, out, process);
    }
    explain->process = process;
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

static int put_connections(struct session *session, struct explain *explain, struct buf *out,
                           uint32_t *ret_count)
{
    struct grid grid;
    int r = query_run(&explain->connections, &session->now->view, &grid);

    if (r < 0)
        return r;
    *ret_count = grid.matched;
    if (grid.matched) {
        buf_printf(out, "%s%u connection%s:", out->length ? "\n" : "", grid.matched,
                   grid.matched == 1 ? "" : "s");
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
        put_threads(session, out, grid.rows[i]);
        explain->process = grid.rows[i];
    }
    *ret_count = grid.row_count;
    grid_done(&grid);
    return 0;
}

/* --- queries --- */

static void add_columns(struct query *query, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        query->columns[query->column_count++] = table_column(query->table, names[i]);
}

/* An expression that was not put together whole would mean something else. */
static int own_filter(struct session *session, struct query *query, struct buf *text)
{
    const char *expression = buf_string(text);

    if (text->error)
        return command_error("out of memory");
    return session_own_filter(session, query, expression);
}

static int plan_queries(struct session *session, struct explain *explain, const char *filter)
{
    static const char *const of_waiting[] = {"owner",  "exe",        "cmdline",   "unit",
                                             "cgroup", "accept",     "syn_queue", "serves",
                                             "iface",  "peer_owner", "drops"};
    static const char *const of_connections[] = {"proto", "state", "recv_q", "send_q",
                                                 "local", "peer",  "owner"};
    static const char *const of_processes[] = {"user", "exe",   "cmdline", "cgroup",
                                               "fds",  "age_s", "netns"};
    struct buf text = BUF_INIT, error = BUF_INIT;
    int r;

    explain->waiting = (struct query){.table = &table_sockets, .limit = BLOCKS_SHOWN};
    explain->connections = (struct query){.table = &table_sockets, .limit = CONNECTIONS_SHOWN};
    explain->processes = (struct query){.table = &table_processes, .limit = BLOCKS_SHOWN};
    add_columns(&explain->waiting, of_waiting, ARRAY_SIZE(of_waiting));
    add_columns(&explain->connections, of_connections, ARRAY_SIZE(of_connections));
    add_columns(&explain->processes, of_processes, ARRAY_SIZE(of_processes));
    buf_printf(&text,
               "state listening,unconnected,bound-inactive and not (unix and unconnected) and (%s)",
               filter);
    r = own_filter(session, &explain->waiting, &text);
    buf_reset(&text);
    buf_printf(&text, "not state listening,unconnected,bound-inactive and (%s)", filter);
    if (r == 0)
        r = own_filter(session, &explain->connections, &text);
    if (r == 0 && (group_plan(&table_sockets, "peer", &explain->peer_plan, &error) < 0 ||
                   group_plan(&table_sockets, "state", &explain->state_plan, &error) < 0))
        r = command_error("out of memory");
    explain->peers = explain->connections;
    explain->peers.limit = 0;
    explain->states = explain->peers;
    buf_done(&text);
    buf_done(&error);
    return r;
}

static int plan_needs(struct session *session, struct explain *explain)
{
    if (session_plan_also(session, &explain->waiting) != 0 ||
        session_plan_also(session, &explain->connections) != 0)
        return EXIT_ERROR;
    session->request.needs |=
        NEED_EXE | NEED_CMDLINE | NEED_CGROUP | NEED_USER | NEED_PROCESS_STAT | NEED_FDS;
    if (explain->processes.filter && session_plan_also(session, &explain->processes) != 0)
        return EXIT_ERROR;
    if (session->options->threads)
        session->request.needs |= NEED_THREADS;
    return 0;
}

/* Why a process that was asked for by its id shows nothing. Returns the exit code. */
static int explain_no_process(struct session *session, const char *pid)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    char path[64];
    struct stat status;
    uint32_t own = snapshot->netns_count ? snapshot->netns[0].inode : 0;

    snprintf(path, sizeof(path), "/proc/%s", pid);
    if (stat(path, &status) < 0)
        return command_error("there is no process %s", pid);
    snprintf(path, sizeof(path), "/proc/%s/ns/net", pid);
    if (stat(path, &status) < 0)
        command_error("process %s does not show its network namespace to you; run as root", pid);
    else if (status.st_ino != own && session->request.netns_scope == NETNS_SCOPE_SELF)
        command_error("process %s is in another network namespace: nwho -N %s %s", pid, pid, pid);
    else
        command_error("process %s holds no socket that can be seen from here", pid);
    return session_exit(session, 0);
}

static int explain_nothing(struct session *session, const struct explain *explain)
{
    const char *pid = explain->target;

    if (session->options->quiet)
        return session_exit(session, 0);
    if (explain->processes.filter && !session->options->replay && strlen(pid) < 12 &&
        pid[strspn(pid, "0123456789")] == '\0')
        return explain_no_process(session, pid);
    command_error("nothing has to do with \"%s\" now", pid);
    if (session->options->word_count > 1)
        session_hint(session);
    return session_exit(session, 0);
}

static int show_text(struct session *session, struct explain *explain)
{
    struct buf out = BUF_INIT;
    uint32_t processes = 0, waiting = 0, connections = 0;
    int r = session_take(session);

    if (r != 0)
        return r;
    if (explain->processes.filter)
        r = put_processes(session, explain, &out, &processes);
    if (r == 0)
        r = put_waiting(session, explain, &out, &waiting);
    if (r == 0)
        r = put_connections(session, explain, &out, &connections);
    if (r < 0)
        return command_error("out of memory");
    if (session->options->quiet)
        buf_reset(&out);
    r = session_output(session, &out);
    session_notes(session);
    if (r == 0 && processes + waiting + connections == 0)
        return explain_nothing(session, explain);
    return r ? r : session_exit(session, processes + waiting + connections);
}

static void join_target(struct session *session, struct buf *text)
{
    const struct options *options = session->options;

    if (options->word_count == 1) {
        translate(session, options->words[0], text);
        return;
    }
    for (uint32_t i = 0; i < options->word_count; i++) {
        buf_puts(text, i ? " " : "");
        session_put_word(session, &table_sockets, options->words[i], text);
    }
}

/* Other forms than text get the rows: a table like every other. */
static int show_rows(struct session *session, struct query *rows)
{
    int r = session_columns(session, rows, NULL);

    return r ? r : session_show(session, rows);
}

/* `rows` is everything that has to do with the target: what is read is narrowed by it, and by
 * nothing else. */
static int explain_text(struct session *session, struct explain *explain, struct query *rows,
                        const char *filter)
{
    int r = plan_queries(session, explain, filter);

    if (r == 0 && strncmp(filter, "pid ", 4) == 0)
        r = session_own_filter(session, &explain->processes, filter);
    if (r == 0)
        r = session_plan(session, rows);
    if (r == 0)
        r = plan_needs(session, explain);
    return r ? r : show_text(session, explain);
}

static int run_explain(struct options *options)
{
    struct session session;
    struct explain explain = {.target = options->word_count ? options->words[0] : "",
                              .process = JOIN_NONE};
    struct query rows = {.table = &table_sockets};
    struct buf text = BUF_INIT;
    int r = session_begin(&session, options);

    join_target(&session, &text);
    if (r == 0 && buf_string(&text)[strspn(buf_string(&text), " ")] == '\0')
        r = command_error("explain what? for example: nwho :443");
    if (r == 0 && text.error)
        r = command_error("out of memory");
    options->all = true;
    if (options->word_count > 1)
        explain.target = buf_string(&text);
    if (r == 0)
        r = session_filter_text(&session, &rows, NULL, buf_string(&text));
    if (r == 0 && (options->format != FORMAT_TEXT || options->watch || options->columns))
        r = show_rows(&session, &rows);
    else if (r == 0)
        r = explain_text(&session, &explain, &rows, buf_string(&text));
    buf_done(&text);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho :443",
    "who listens on port 443, and who is connected",
    "nwho tcp/9000",
    "the same for one protocol",
    "nwho 1234",
    "what process 1234 is and does",
    "nwho 10.0.0.0/8",
    "who talks to a network",
    "nwho /run/x.sock",
    "who listens on and is connected to a unix socket",
    "nwho %www-data",
    "a user",
    "nwho nginx",
    "a process, unit or container by name",
    "nwho :22 --threads",
    "which threads hold the socket",
    NULL,
};

const struct command command_explain = {
    .name = "TARGET",
    .arguments = "",
    .summary = "explain one thing: :443 tcp/9000 1234 10.0.0.9 10.0.0.0/8 /run/x.sock %user "
               "@container @abstract NAME",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_THREADS,
    .run = run_explain,
};
