/* SPDX-License-Identifier: MIT */
/* nwho doctor: what is wrong on this machine, whose fault it is, and what to do. */
#include "base/escape.h"
#include "base/suggest.h"
#include "base/translate.h"
#include "base/units.h"
#include "cli/doctor_text.h"
#include "cli/last_reading.h"
#include "cli/least.h"
#include "cli/paragraph.h"
#include "cli/rules.h"
#include "cli/session.h"
#include "derive/health/health.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WINDOW_MS 3000
#define NAGIOS_UNKNOWN 3

/* Which checks to run. */
struct choice {
    uint32_t *items; /* indexes into checks[]; in the session's arena */
    uint32_t count;
};

static int refuse_check(const char *name)
{
    struct suggestion best = suggestion_for(name);

    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")])
        return command_error("doctor takes names of checks (nwho doctor --list), not a filter: "
                             "\"%s\"; what concerns one thing shows nwho TARGET",
                             name);
    for (uint32_t i = 0; i < check_count; i++)
        suggestion_try(&best, checks[i]->name);
    if (best.name)
        return command_error("no check is called \"%s\": did you mean %s?", name, best.name);
    return command_error("no check is called \"%s\": see nwho doctor --list", name);
}

static bool is_chosen(const struct choice *choice, uint32_t check)
{
    for (uint32_t i = 0; i < choice->count; i++)
        if (choice->items[i] == check)
            return true;
    return false;
}

/* Those that the words name, each once, or all. */
static int choose_checks(struct session *session, struct choice *ret_choice)
{
    const struct options *options = session->options;
    uint32_t count = options->word_count ? options->word_count : check_count;
    struct choice choice = {.items = arena_alloc(&session->arena, count * sizeof(uint32_t))};

    if (!choice.items)
        return command_error("out of memory");
    for (uint32_t i = 0; i < count; i++) {
        const char *word = options->word_count ? options->words[i] : NULL;
        uint32_t check = word ? check_find(word) : i;

        if (check == HEALTH_NONE)
            return refuse_check(word);
        if (!is_chosen(&choice, check))
            choice.items[choice.count++] = check;
    }
    *ret_choice = choice;
    return 0;
}

static struct doctor_style style_of(const struct session *session)
{
    return (struct doctor_style){
        .color = session_color(session),
        .width = paragraph_width(),
    };
}

static int list_checks(struct session *session)
{
    struct choice choice = {0};
    struct buf out = BUF_INIT;

    if (choose_checks(session, &choice) != 0)
        return EXIT_ERROR;
    for (uint32_t i = 0; i < choice.count; i++) {
        const struct check *check = checks[choice.items[i]];

        buf_printf(&out, "%-16s %s\n", check->name, translated(check->title));
    }
    return session_output(session, &out);
}

static int explain_check(struct session *session)
{
    uint32_t check = check_find(session->options->explained);
    struct doctor_style style = style_of(session);
    struct buf out = BUF_INIT;

    if (check == HEALTH_NONE)
        return refuse_check(session->options->explained);
    doctor_put_check(checks[check], &style, &out);
    return session_output(session, &out);
}

static uint64_t cpu_ns(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void put_window(const struct session *session, struct buf *out)
{
    uint64_t window_us = session->now->findings.window_ns / 1000;

    if (!session->before) {
        buf_puts(out, translated(N_("a recording is one moment: what only shows in the course of "
                                    "time is not found;")));
        return;
    }
    phrase_put(out,
               &PHRASE(session->continues ? N_("since the last sample of nwho serve, {1} ago:")
                                          : N_("looked for {1} at"),
                       fact_duration(window_us)),
               translated);
}

static void put_cost(const struct session *session, struct buf *out)
{
    const struct frame *now = session->now, *before = session->before;
    uint32_t sockets = now->snapshot.sockets_count + now->snapshot.signless;

    put_window(session, out);
    phrase_put(out,
               &PHRASE(now->snapshot.netns_count == 1 ? N_(" {1} network namespace")
                                                      : N_(" {1} network namespaces"),
                       fact_count(now->snapshot.netns_count)),
               translated);
    phrase_put(
        out, &PHRASE(sockets == 1 ? N_(", {1} socket") : N_(", {1} sockets"), fact_count(sockets)),
        translated);
    if (before)
        phrase_put(out, &PHRASE(N_("; {1} of CPU"), fact_duration(cpu_ns() / 1000)), translated);
    buf_byte(out, '\n');
}

/* Instead of a table, where nobody asks for columns. */
static int write_text(void *context, const struct grid *grid, uint32_t rows, uint32_t columns,
                      struct buf *out)
{
    struct session *session = context;
    struct doctor_style style = style_of(session);

    (void)rows;
    (void)columns;
    doctor_put_findings(grid, &style, out);
    doctor_put_summary(grid->view, &style, out);
    put_cost(session, out);
    return out->error;
}

static int write_nagios(void *context, const struct grid *grid, uint32_t rows, uint32_t columns,
                        struct buf *out)
{
    (void)context;
    (void)rows;
    (void)columns;
    doctor_put_nagios(grid->view, out);
    return out->error;
}

static int exit_code(const struct session *session)
{
    const struct findings *findings = &session->now->findings;
    bool is_fine = findings_worst(findings) < session->options->fail_on;

    if (session->options->nagios)
        return doctor_nagios_state(findings, session->now->snapshot.incomplete);
    return session_exit(session, is_fine);
}

/* Reads both ends of the window, or only the second where it continues, and shows what it is
 * between them. 0 or EXIT_ERROR. */
static int show(struct session *session, struct query *query, struct snapshot *beginning)
{
    struct buf out = BUF_INIT;
    struct grid grid;
    int r = session->continues ? session_continue(session, query, beginning)
                               : session_take_first(session, query);

    if (r != 0 || session_select(session, query, &grid) != 0)
        return EXIT_ERROR;
    least_end();
    r = session->screen && session->options->format == FORMAT_TEXT
            ? session->screen(session->screen_context, &grid, 0, 0, &out)
            : session_write(session, &grid, &out);
    grid_done(&grid);
    if (session->options->quiet)
        buf_reset(&out);
    if (r < 0 && !out.error) {
        buf_done(&out);
        return command_error("cannot show the findings: %s", strerror(-r));
    }
    r = session_output(session, &out);
    session_notes(session);
    return r;
}

/* A plug-in has one line, and a state of its own for what failed. The reason is on stderr, too. */
static int fail_because(const struct options *options, const char *reason)
{
    static const char no_memory[] = "NWHO UNKNOWN - out of memory\n";
    struct buf line = BUF_SINK(STDOUT_FILENO);

    if (!options->nagios)
        return EXIT_ERROR;
    buf_puts(&line, "NWHO UNKNOWN - ");
    escape_part(&line, reason, strlen(reason), "|");
    buf_byte(&line, '\n');
    if (buf_flush(&line) == -ENOMEM)
        (void)!write(STDOUT_FILENO, no_memory, sizeof(no_memory) - 1);
    buf_done(&line);
    return NAGIOS_UNKNOWN;
}

static int fail(const struct options *options)
{
    return fail_because(options, "could not look, see stderr");
}

/* The words are those that were not parsed any more, and some of those that were. */
static int refused(const struct options *options, char **words, uint32_t count, const char *reason)
{
    struct options all = *options;

    for (uint32_t i = 0; i < count; i++)
        all.nagios |= strcmp(words[i], "--nagios") == 0;
    return fail_because(&all, reason);
}

/* The recorder reads every namespace of the machine, by whatever source it can. */
static bool may_continue(const struct options *options)
{
    return options->all_netns && !options->delta_ms && !options->watch && !options->record &&
           !options->sources;
}

static int examine(struct session *session, const struct rules *rules)
{
    const struct options *options = session->options;
    struct snapshot beginning;
    struct query query = {.table = &table_findings};
    struct choice choice = {0};
    struct health_plan plan;
    int r;

    if (choose_checks(session, &choice) != 0)
        return fail(options);
    plan = rules_plan(rules, choice.items, choice.count);
    session->health = &plan;
    session->health_only = true;
    session->screen = options->nagios ? write_nagios : options->columns ? NULL : write_text;
    session->screen_context = session;
    r = session_columns(session, &query, NULL);
    session->continues = r == 0 && session->continues && last_reading_find(options, &beginning);
    plan.goes_on = options->watch || session->continues;
    if (r == 0)
        r = options->watch ? session_show(session, &query) : show(session, &query, &beginning);
    session->health = NULL;
    return r == EXIT_ERROR ? fail(options) : exit_code(session);
}

static bool wants_rows(const struct options *options)
{
    return options->columns || options->format != FORMAT_TEXT || options->sort || options->limit;
}

/* --nagios, --list and --explain have no table. */
static int check_text(const struct options *options)
{
    const char *option = options->nagios      ? "--nagios is one line of text"
                         : options->explained ? "--explain is text"
                         : options->list      ? "--list is text"
                                              : NULL;

    if (options->nagios + options->list + (options->explained != NULL) > 1)
        return command_error("one of --nagios, --list and --explain");
    if (option && (options->watch || wants_rows(options)))
        return command_error("%s: not with --watch, --json, --jsonl, --csv, -o, --sort or --limit",
                             option);
    if (options->nagios && (options->quiet || options->fail_on))
        return command_error("--nagios has a line and exit codes of its own: not with -q or "
                             "--fail-on");
    if (options->explained && options->word_count)
        return command_error("--explain takes one check: \"%s\" is too much", options->words[0]);
    return 0;
}

static int check_options(const struct options *options)
{
    if (options->watch_ms && options->delta_ms && options->watch_ms != options->delta_ms)
        return command_error("--watch=SEC and --window SEC are the same here: each window begins "
                             "where the one before ends");
    if (options->watch && options->record)
        return command_error("--record keeps one reading: it does not go with doctor --watch");
    return check_text(options);
}

static int examine_by_rules(struct session *session)
{
    struct buf error CLEANUP(buf_done) = BUF_INIT;
    struct rules rules;
    int r = rules_read(&rules, &session->arena, session->options->replay, &error);

    if (r < 0) {
        command_error("%s", buf_string(&error));
        return fail_because(session->options, buf_string(&error));
    }
    r = examine(session, &rules);
    rules_done(&rules);
    return r;
}

/* With --watch each window begins where the one before ends. */
static void set_window(struct options *options)
{
    if (!options->delta_ms)
        options->delta_ms = options->watch_ms ? options->watch_ms : WINDOW_MS;
    options->watch_ms = options->delta_ms;
}

static int run_doctor(struct options *options)
{
    struct session session;
    int r;

    if (check_options(options) != 0)
        return fail(options);
    options->all_netns = !options->namespace_count && !options->container && !options->replay;
    if (!options->fail_on)
        options->fail_on = SEVERITY_WARN;
    r = session_begin(&session, options) == 0 ? 0 : fail(options);
    session.continues = may_continue(options);
    set_window(options);
    if (r == 0 && options->list)
        r = list_checks(&session);
    else if (r == 0 && options->explained)
        r = explain_check(&session);
    else if (r == 0)
        r = examine_by_rules(&session);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho doctor",
    "look at the whole machine for three seconds, or since the last sample of nwho serve",
    "nwho doctor close-wait stuck",
    "only these checks",
    "nwho doctor --window 30",
    "look for longer",
    "nwho doctor --explain close-wait",
    "what a check is about",
    "nwho doctor --watch",
    "again and again",
    "nwho doctor --nagios",
    "one line, exit code 0, 1, 2 or 3",
    "nwho doctor --json",
    "for programs",
    NULL,
};

const struct command command_doctor = {
    .name = "doctor",
    .arguments = "[CHECK...]",
    .summary = "what is wrong, with evidence, culprit, cause and what to do",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_DOCTOR | OPTIONS_STORE,
    .run = run_doctor,
    .refused = refused,
};
