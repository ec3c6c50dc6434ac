/* SPDX-License-Identifier: MIT */
/* nwho TARGET: what a word means, and the queries that explain it. */
#include "cli/explain.h"
#include "cli/findings.h"

#define BLOCKS_SHOWN 12
#define CONNECTIONS_SHOWN 20
#define TALKERS_SHOWN 12

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
    static const char *const of_waiting[] = {"owner",  "exe",       "cmdline",   "unit",
                                             "accept", "serves",    "syn_queue", "iface",
                                             "drops",  "peer_owner"};
    static const char *const of_connections[] = {"proto", "state", "recv_q", "send_q",
                                                 "local", "peer",  "owner"};
    static const char *const of_window[] = {"rx_rate", "tx_rate"};
    static const char *const of_processes[] = {"user", "exe",   "cmdline", "cgroup",
                                               "fds",  "age_s", "netns"};
    struct buf text = BUF_INIT, error = BUF_INIT;
    int r;

    explain->waiting = (struct query){.table = &table_sockets, .limit = BLOCKS_SHOWN};
    explain->connections = (struct query){.table = &table_sockets, .limit = CONNECTIONS_SHOWN};
    explain->processes = (struct query){.table = &table_processes, .limit = BLOCKS_SHOWN};
    add_columns(&explain->waiting, of_waiting, ARRAY_SIZE(of_waiting));
    add_columns(&explain->connections, of_connections, ARRAY_SIZE(of_connections));
    if (session->window)
        add_columns(&explain->connections, of_window, ARRAY_SIZE(of_window));
    add_columns(&explain->processes, of_processes, ARRAY_SIZE(of_processes));
    buf_printf(&text,
               "state listening,unconnected,bound-inactive and not (unix and unconnected) and %s",
               filter);
    r = own_filter(session, &explain->waiting, &text);
    buf_reset(&text);
    buf_printf(&text, "not state listening,unconnected,bound-inactive and %s", filter);
    if (r == 0)
        r = own_filter(session, &explain->connections, &text);
    if (r == 0 && (group_plan(&table_sockets, "peer", &explain->peer_plan, &error) < 0 ||
                   group_plan(&table_sockets, "state", &explain->state_plan, &error) < 0))
        r = command_error("out of memory");
    if (r == 0 && session->window)
        r = talkers_plan(session, filter, TALKERS_SHOWN, &explain->talkers);
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

    if (r == 0 && session->options->format == FORMAT_JSON)
        r = findings_plan(session);
    return r ? r : session_show(session, rows);
}

/* `rows` is everything that has to do with the target: what is read is narrowed by it, and by
 * nothing else. */
static int explain_text(struct session *session, struct explain *explain, struct query *rows,
                        const char *filter)
{
    struct buf text = BUF_INIT;
    int r;

    session_put_letters(session, &text);
    buf_printf(&text, "%s(%s)", text.length ? " and " : "", filter);
    buf_string(&text);
    r = text.error ? command_error("out of memory") : plan_queries(session, explain, text.data);
    buf_done(&text);
    if (r == 0 && strncmp(filter, "pid ", 4) == 0)
        r = session_own_filter(session, &explain->processes, filter);
    if (r == 0)
        r = findings_plan(session);
    if (r == 0)
        r = session_plan(session, rows);
    if (r == 0)
        r = plan_needs(session, explain);
    return r ? r : explain_show(session, explain);
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
    session.health_of_rows = true;
    explain.rows = &rows;
    session.all_flows = true;
    session.window |= options->watch && !options->replay;
    if (options->word_count > 1)
        explain.target = buf_string(&text);
    if (r == 0)
        r = session_filter_text(&session, &rows, NULL, buf_string(&text));
    if (r == 0 && (options->format != FORMAT_TEXT || options->watch || options->columns))
        r = show_rows(&session, &rows);
    else if (r == 0)
        r = explain_text(&session, &explain, &rows, buf_string(&text));
    buf_done(&text);
    talkers_done(&explain.talkers);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho :443",
    "who listens on port 443, and who is connected",
    "nwho tcp/9000",
    "the same for one protocol",
    "nwho -t 10.0.0.9",
    "only TCP",
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
    "nwho 1234 -d 60",
    "what process 1234 sends and receives in a minute, through which connections",
    "nwho :5432 --watch",
    "the connections of a port and what they move, each second",
    NULL,
};

const struct command command_explain = {
    .name = "TARGET",
    .arguments = "",
    .summary = "one thing: :443 1234 nginx 10.0.0.0/8 %user /run/x.sock",
    .examples = examples,
    .options = OPTIONS_SOCKETS | OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_TRAFFIC |
               OPTIONS_THREADS,
    .run = run_explain,
};
