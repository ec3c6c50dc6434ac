/* SPDX-License-Identifier: MIT */
/* nwho doctor: what is wrong on this machine, whose fault it is, and what to do. */
#include "base/units.h"
#include "cli/baseline.h"
#include "cli/doctor_text.h"
#include "cli/paragraph.h"
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

        buf_printf(&out, "%-14s %s\n", check->name, check->title);
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

static void put_cost(const struct session *session, struct buf *out)
{
    const struct frame *now = session->now, *before = session->before;

    if (before) {
        buf_puts(out, "looked for ");
        units_write_duration(out, (now->snapshot.boot_ns - before->snapshot.boot_ns) / 1000);
    } else {
        buf_puts(out,
                 "a recording is one moment: what only shows in the course of time is not found;");
    }
    buf_printf(out, "%s %u network namespace%s, %u socket%s", before ? " at" : "",
               now->snapshot.netns_count, now->snapshot.netns_count == 1 ? "" : "s",
               now->snapshot.sockets_count, now->snapshot.sockets_count == 1 ? "" : "s");
    if (before) {
        buf_puts(out, "; ");
        units_write_duration(out, cpu_ns() / 1000);
        buf_puts(out, " of CPU");
    }
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
    doctor_put_findings(grid->view, &style, out);
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
    enum severity worst = findings_worst(&session->now->findings);

    if (session->options->nagios)
        return doctor_nagios_state(&session->now->findings, session->now->snapshot.incomplete);
    if (session->now->snapshot.incomplete)
        return EXIT_INCOMPLETE;
    return worst >= session->options->fail_on ? EXIT_NOTHING : EXIT_FOUND;
}

/* Reads both ends of the window and shows what it is between them. 0 or EXIT_ERROR. */
static int show(struct session *session, struct query *query)
{
    struct buf out = BUF_INIT;
    struct grid grid;
    int r;

    if (session_take_first(session, query) != 0 || session_select(session, query, &grid) != 0)
        return EXIT_ERROR;
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

/* A plug-in has one line, and a state of its own for what failed; the message is on stderr. */
static int fail(const struct options *options)
{
    if (!options->nagios)
        return EXIT_ERROR;
    puts("NWHO UNKNOWN - could not look");
    return NAGIOS_UNKNOWN;
}

static int examine(struct session *session, const struct config *config,
                   const struct snapshot *baseline)
{
    const struct options *options = session->options;
    struct query query = {.table = &table_findings};
    struct choice choice = {0};
    struct health_plan plan;
    int r;

    if (choose_checks(session, &choice) != 0)
        return fail(options);
    plan = (struct health_plan){
        .chosen = choice.items,
        .chosen_count = choice.count,
        .limits = config->limits,
        .allowed = config->allowed,
        .allowed_count = config->allowed_count,
        .baseline = baseline,
    };
    session->health = &plan;
    session->health_only = true;
    session->screen = options->nagios ? write_nagios : options->columns ? NULL : write_text;
    session->screen_context = session;
    health_request(&plan, &session->request);
    r = session_columns(session, &query, NULL);
    if (r == 0)
        r = options->watch ? session_show(session, &query) : show(session, &query);
    session->health = NULL;
    return r == EXIT_ERROR ? fail(options) : exit_code(session);
}

static int check_options(const struct options *options)
{
    if (options->nagios && (options->watch || options->columns || options->format != FORMAT_TEXT))
        return command_error("--nagios is one line of text: not with --watch, -o, --json, --jsonl "
                             "or --csv");
    if (options->explained && options->word_count)
        return command_error("--explain takes one check: \"%s\" is too much", options->words[0]);
    return 0;
}

/* Where none was saved, or it is somebody else's, there is none. */
static int examine_by_baseline(struct session *session, const struct config *config)
{
    struct baseline_file file;
    struct snapshot baseline;
    int r = baseline_find(NULL, config, &file);

    if (r == 0)
        r = baseline_load(&file, &baseline);
    if (r < 0 && r != -ENOENT)
        command_error("the baseline %s is left out: %s", file.path, strerror(-r));
    if (r < 0)
        return examine(session, config, NULL);
    if (r != 0)
        return fail(session->options);
    r = examine(session, config, &baseline);
    snapshot_done(&baseline);
    return r;
}

static int examine_by_config(struct session *session)
{
    struct config config = {0};
    int r;

    if (config_read(&session->arena, &config) != 0)
        return fail(session->options);
    r = examine_by_baseline(session, &config);
    config_done(&config);
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

    options->all_netns = !options->namespace_count && !options->container && !options->replay;
    if (!options->fail_on)
        options->fail_on = SEVERITY_WARN;
    set_window(options);
    if (check_options(options) != 0)
        return fail(options);
    r = session_begin(&session, options) == 0 ? 0 : fail(options);
    if (r == 0 && options->list)
        r = list_checks(&session);
    else if (r == 0 && options->explained)
        r = explain_check(&session);
    else if (r == 0)
        r = examine_by_config(&session);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho doctor",
    "look at the whole machine for three seconds",
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
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_DOCTOR,
    .run = run_doctor,
};
