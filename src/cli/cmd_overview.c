/* SPDX-License-Identifier: MIT */
/* nwho without a word: the machine on one screen. */
#include "cli/findings.h"
#include "cli/show.h"
#include "cli/talkers.h"

#include "base/escape.h"

#include <stdio.h>

#define LISTENERS_SHOWN 12
#define OWNERS_SHOWN 6
#define SICK_SHOWN 6
#define TALKERS_SHOWN 6

/* The parts of the screen, each a query on the same reading. */
struct overview {
    struct session *session;
    struct query listeners, owners, sick;
    struct query counts, groups; /* the counts: their rows, and as a table */
    struct group_plan plan;      /* of them: protocol and state */
    struct talkers talkers;      /* with -d and --watch */
};

static int set_columns(struct query *query, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        query->columns[query->column_count++] = table_column(query->table, names[i]);
    return 0;
}

static int make_queries(struct session *session, struct overview *overview)
{
    static const char *const of_listeners[] = {"proto", "local",  "serves",
                                               "scope", "accept", "owner"};
    static const char *const of_owners[] = {"pid",       "process",     "user",       "sockets",
                                            "listening", "established", "close_wait", "unit"};
    static const char *const of_sick[] = {"proto", "state", "recv_q", "send_q",
                                          "local", "peer",  "owner"};
    bool with_unix = session->options->protos & PROTO_BIT(PROTO_UNIX);

    overview->listeners = (struct query){.table = &table_sockets, .limit = LISTENERS_SHOWN};
    overview->owners = (struct query){.table = &table_processes, .limit = OWNERS_SHOWN};
    overview->sick = (struct query){.table = &table_sockets, .limit = SICK_SHOWN};
    set_columns(&overview->listeners, of_listeners, ARRAY_SIZE(of_listeners));
    set_columns(&overview->owners, of_owners, ARRAY_SIZE(of_owners));
    set_columns(&overview->sick, of_sick, ARRAY_SIZE(of_sick));
    overview->owners.sort[overview->owners.sort_count++] =
        (struct sort_key){.column = table_column(&table_processes, "sockets"), .descending = true};
    if (session_own_filter(session, &overview->listeners,
                           with_unix ? "listen" : "listen and not unix") != 0 ||
        session_own_filter(session, &overview->owners, "sockets > 0") != 0 ||
        session_own_filter(session, &overview->sick, with_unix ? "sick" : "sick and not unix") != 0)
        return EXIT_ERROR;
    if (session_plan_also(session, &overview->listeners) != 0 ||
        session_plan_also(session, &overview->owners) != 0 ||
        session_plan_also(session, &overview->sick) != 0)
        return EXIT_ERROR;
    return 0;
}

/* Where root itself may not see the owners, a line on stderr says why. */
static const char *if_not_root(const char *advice)
{
    return geteuid() == 0 ? "" : advice;
}

static void put_head_line(struct session *session, struct buf *out)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    size_t length;
    const char *host = snapshot_string(snapshot, snapshot->host, &length);
    bool hidden = join_owners_hidden(snapshot);
    uint32_t processes = 0;

    for (uint32_t i = 0; i < snapshot->processes_count; i++)
        processes += session->now->join.processes[i].sockets > 0;
    escape_text(out, host, length);
    buf_puts(out, "  ");
    if (!session->options->watch) { /* there every reading has a title */
        show_time(session, out);
        buf_puts(out, "  ");
    }
    if (processes || !hidden)
        buf_printf(out, "%u process%s with sockets", processes, processes == 1 ? "" : "es");
    if (hidden)
        buf_printf(out, "%sowners hidden%s", processes ? ", other " : "",
                   if_not_root(": run as root"));
    buf_byte(out, '\n');
}

/* "tcp 120: established 80, listening 12": one line a protocol; groups of one protocol are gathered
 * from the sorted list. */
static void put_counts(struct buf *out, const struct group *group)
{
    for (unsigned int i = PROTO_UNKNOWN + 1; i < PROTO_MAX; i++) {
        const char *proto = socket_proto_name(i);
        uint64_t total = 0;
        const char *separator = ": ";

        for (uint32_t k = 0; k < group->row_count; k++)
            if (strcmp(group->rows[k].keys[0].string.bytes, proto) == 0)
                total += group->rows[k].count;
        if (!total)
            continue;
        buf_printf(out, "  %-8s %6lu", proto, (unsigned long)total);
        for (uint32_t k = 0; k < group->row_count; k++) {
            const struct group_row *row = &group->rows[k];

            if (strcmp(row->keys[0].string.bytes, proto) != 0 || row->keys[1].type != VALUE_STRING)
                continue;
            buf_printf(out, "%s%s %lu", separator, row->keys[1].string.bytes,
                       (unsigned long)row->count);
            separator = ", ";
        }
        buf_byte(out, '\n');
    }
}

/* The letters that make a command show what the screen does; without any `usual`. */
static void put_letters(struct buf *out, const struct options *options, const char *usual)
{
    static const struct {
        unsigned int proto;
        char letter;
    } letters[] = {{PROTO_TCP, 't'},
                   {PROTO_UDP, 'u'},
                   {PROTO_RAW, 'w'},
                   {PROTO_UNIX, 'x'},
                   {PROTO_PACKET, '0'}};

    if (!options->protos && !options->families) {
        buf_puts(out, usual);
        return;
    }
    buf_puts(out, " -");
    for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
        if (options->protos & PROTO_BIT(letters[i].proto))
            buf_byte(out, letters[i].letter);
    if (options->families & FAMILY_BIT(AF_INET))
        buf_byte(out, '4');
    if (options->families & FAMILY_BIT(AF_INET6))
        buf_byte(out, '6');
}

/* Listeners and owners, each below the command that shows all of them. */
static int put_lists(struct session *session, struct overview *overview, struct buf *out)
{
    bool hidden = join_owners_hidden(&session->now->snapshot);
    struct buf heading = BUF_INIT;
    char if_empty[32];
    int r;

    snprintf(if_empty, sizeof(if_empty), ": %s%s", hidden ? "hidden" : "none",
             hidden ? if_not_root(" (run as root)") : "");
    buf_puts(&heading, "LISTENERS (nwho ports");
    put_letters(&heading, session->options, "");
    buf_puts(&heading, ")");
    r = show_section(session, &overview->listeners, buf_string(&heading), ": none", out);
    buf_reset(&heading);
    buf_puts(&heading, "BUSIEST OWNERS (nwho ps");
    put_letters(&heading, session->options, " -a");
    buf_puts(&heading, ")");
    if (r == 0)
        r = show_section(session, &overview->owners, buf_string(&heading), if_empty, out);
    if (r == 0)
        r = heading.error;
    buf_done(&heading);
    return r;
}

static int put_screen(struct session *session, struct overview *overview, struct buf *out)
{
    uint32_t talkers = 0;
    int r;

    put_head_line(session, out);
    show_heading(session, "SOCKETS", out);
    buf_byte(out, '\n');
    put_counts(out, &session->now->group);
    findings_write(session, out);
    r = talkers_write(session, &overview->talkers, "TALKERS", out, &talkers);
    if (r == 0)
        r = show_section(session, &overview->sick, "SICK",
                         ": none (close-wait, full queues, peers that do not read)", out);
    return r == 0 ? put_lists(session, overview, out) : r;
}

/* No more lines than the terminal has: what is above would be lost. */
static int write_screen(void *context, const struct grid *grid, uint32_t rows, uint32_t columns,
                        struct buf *out)
{
    struct overview *overview = context;
    size_t at = out->length;
    int r = put_screen(overview->session, overview, out);

    (void)grid;
    (void)columns;
    for (; rows && at < out->length; at++)
        if (out->data[at] == '\n' && --rows == 0)
            out->length = at + 1;
    return r;
}

/* Whether it is the screen; else the counts are shown, a table like every other. */
static bool wants_screen(const struct options *options)
{
    return options->format == FORMAT_TEXT &&
           !(options->watch && (options->columns || options->sort || options->limit));
}

static int plan_counts(struct session *session, struct overview *overview)
{
    struct buf error = BUF_INIT;
    int r = group_plan(&table_sockets, "proto,state", &overview->plan, &error);

    if (r == 0)
        r = group_plan_sums(&overview->plan, &table_sockets);
    buf_done(&error);
    if (r < 0)
        return command_error("out of memory");
    overview->counts.table = &table_sockets;
    overview->groups.table = &overview->plan.table;
    session->plan = &overview->plan;
    session->groups = &overview->groups;
    return 0;
}

static int plan_screen(struct session *session, struct overview *overview)
{
    const struct options *options = session->options;
    struct buf filter = BUF_INIT;
    int r = make_queries(session, overview);

    overview->session = session;
    session->screen = write_screen;
    session->screen_context = overview;
    session_put_letters(session, &filter);
    if (r == 0 && !options->replay && (options->delta || options->watch))
        r = talkers_plan(session, buf_string(&filter), TALKERS_SHOWN, &overview->talkers);
    buf_done(&filter);
    return r;
}

/* The screen is several tables: what is said of one would silently be left out. */
static int check_options(const struct options *options)
{
    if (options->listening)
        return command_error("-l chooses rows: nwho ports, or nwho ls -l");
    if (options->format == FORMAT_TEXT && !options->watch &&
        (options->columns || options->sort || options->limit))
        return command_error("-o, --sort and --limit are for one table: nwho ls, ports or ps");
    return 0;
}

static int run_overview(struct options *options)
{
    struct session session;
    struct overview overview = {.session = NULL};
    int r = session_begin(&session, options);

    if (r == 0)
        r = check_options(options);
    session_narrow(&session, PROTO_ALL);
    if (r == 0 && (options->format == FORMAT_JSON || wants_screen(options)))
        r = findings_plan(&session);
    if (r == 0)
        r = plan_counts(&session, &overview);
    if (r == 0)
        r = wants_screen(options) ? plan_screen(&session, &overview)
                                  : session_columns(&session, &overview.groups, NULL);
    if (r == 0) {
        group_plan_rows(&overview.plan, &overview.groups, &overview.counts);
        r = session_show(&session, &overview.counts);
    }
    talkers_done(&overview.talkers);
    session_end(&session);
    group_plan_done(&overview.plan);
    return r;
}

static const char *const examples[] = {
    "nwho",
    "the machine on one screen",
    "nwho :443",
    "who is on port 443",
    "nwho --replay FILE",
    "the same from a recording",
    "nwho -d 5",
    "the same, and who sends and receives in the next five seconds",
    "nwho --watch",
    "the same each second",
    NULL,
};

const struct command command_overview = {
    .name = "",
    .arguments = "",
    .summary = "one screen: what listens, who is busy, what is sick",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_TRAFFIC | OPTIONS_THREADS |
               OPTIONS_SOCKETS,
    .run = run_overview,
};
