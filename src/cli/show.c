/* SPDX-License-Identifier: MIT */
/* Shows a query: on a terminal, through a pager, to a pipe. */
#include "cli/show.h"

#include "base/clock.h"
#include "cli/findings.h"
#include "cli/least.h"
#include "cli/resolve.h"
#include "out/csv.h"
#include "out/json.h"
#include "out/text.h"

#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

struct winsize show_terminal(void)
{
    struct winsize size = {0};

    if (isatty(STDOUT_FILENO))
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return size;
}

void show_moment(struct buf *out, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / SECOND_NS);
    char text[32] = "";
    struct tm broken;

    if (localtime_r(&seconds, &broken))
        strftime(text, sizeof(text), "%F %T", &broken);
    buf_puts(out, text);
}

void show_time(const struct session *session, struct buf *out)
{
    show_moment(out, session->now->snapshot.time_ns);
}

bool session_color(const struct session *session)
{
    struct color_inputs inputs = {
        .when = session->options->color,
        .is_terminal = isatty(STDOUT_FILENO),
        .no_color = getenv("NO_COLOR"),
        .clicolor = getenv("CLICOLOR"),
        .clicolor_force = getenv("CLICOLOR_FORCE"),
        .term = getenv("TERM"),
    };

    return color_decide(&inputs);
}

int session_write(struct session *session, const struct grid *grid, struct buf *out)
{
    const struct options *options = session->options;
    struct text_options text = {
        .no_header = options->no_header,
        .color = session_color(session),
        .exact = options->exact,
        .bits = !options->bytes,
        .width = options->batch ? 0 : show_terminal().ws_col,
        .clip = options->watch,
        .keep_marks = options->columns,
    };

    if (session->resolver && options->format == FORMAT_TEXT)
        resolver_prepare(session->resolver, grid);
    switch (options->format) {
    case FORMAT_JSON:
        return json_write(grid, out);
    case FORMAT_JSONL:
        return jsonl_write(grid, NULL, out);
    case FORMAT_CSV:
        return csv_write(grid, options->no_header || (session->traffic && session->shown), out);
    case FORMAT_TEXT:
        break;
    }
    return text_write(grid, &text, out);
}

/* --- one answer --- */

static bool wants_pager(const struct options *options, const struct buf *text)
{
    struct winsize size = show_terminal();
    uint32_t lines = 0;

    if (options->no_pager || options->format != FORMAT_TEXT || size.ws_row == 0)
        return false;
    for (size_t i = 0; i < text->length; i++)
        lines += text->data[i] == '\n';
    return lines >= size.ws_row;
}

/* Runs the pager with the text on its standard input. -errno when there is none to run. */
static int run_pager(const struct buf *text)
{
    const char *pager = getenv("NWHO_PAGER") ? getenv("NWHO_PAGER") : getenv("PAGER");
    struct buf pipe_out = BUF_INIT;
    int ends[2], status;
    pid_t child;

    if (pipe(ends) < 0)
        return -errno;
    child = fork();
    if (child == 0) {
        dup2(ends[0], STDIN_FILENO);
        close(ends[0]);
        close(ends[1]);
        setenv("LESS", "FRX", 0);
        execl("/bin/sh", "sh", "-c", pager && *pager ? pager : "less", (char *)NULL);
        _exit(127);
    }
    close(ends[0]);
    if (child > 0) {
        signal(SIGPIPE, SIG_IGN);
        signal(SIGINT, SIG_IGN); /* for the pager, in which it ends a search, say */
        pipe_out.fd = ends[1];
        buf_put(&pipe_out, text->data, text->length);
        buf_flush(&pipe_out);
        buf_done(&pipe_out);
    }
    close(ends[1]);
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -errno;
    return WIFEXITED(status) && WEXITSTATUS(status) == 127 ? -ENOENT : 0;
}

int show_flush(struct buf *out)
{
    int r;

    if (out->fd < 0)
        out->fd = STDOUT_FILENO;
    r = buf_flush(out);
    buf_done(out);
    if (r < 0 && r != -EPIPE)
        return command_error("cannot write the output: %s", strerror(-r));
    return r;
}

int session_output(struct session *session, struct buf *out)
{
    if (wants_pager(session->options, out) && run_pager(out) == 0)
        buf_reset(out);
    return show_flush(out) == EXIT_ERROR ? EXIT_ERROR : 0;
}

int session_select_now(struct session *session, const struct query *query, struct grid *ret_grid)
{
    struct frame *frame = session->now;
    struct grid rows;
    int r = session_note_doubts(session, query, session->plan);

    if (r == 0)
        r = query_run(query, &frame->view, session->groups ? &rows : ret_grid);
    if (r == 0 && session->groups) {
        r = group_make(session->plan, &rows, &frame->group);
        grid_done(&rows);
        if (r == 0)
            r = query_run(session->groups, &frame->view, ret_grid);
    }
    if (r == 0)
        return 0;
    command_error("cannot select the rows: %s", strerror(-r));
    return EXIT_ERROR;
}

int session_select(struct session *session, const struct query *query, struct grid *ret_grid)
{
    if (session_take(session) != 0 || session_select_now(session, query, ret_grid) != 0)
        return EXIT_ERROR;
    return session->health_of_rows ? findings_narrow(session, ret_grid) : 0;
}

/* --- a screen of several tables --- */

void show_heading(const struct session *session, const char *heading, struct buf *out)
{
    bool color = session_color(session);

    buf_puts(out, out->length || out->fd >= 0 ? "\n" : "");
    buf_printf(out, "%s%s%s", color ? COLOR_HEADER : "", heading, color ? COLOR_RESET : "");
}

int show_grid(struct session *session, const struct grid *grid, const char *heading,
              const char *if_empty, struct buf *out)
{
    int r = 0;

    show_heading(session, heading, out);
    if (!grid->matched)
        buf_puts(out, if_empty);
    buf_byte(out, '\n');
    if (grid->matched)
        r = session_write(session, grid, out);
    if (grid->matched > grid->row_count)
        buf_printf(out, "  ... and %u more\n", grid->matched - grid->row_count);
    return r;
}

int show_section(struct session *session, const struct query *query, const char *heading,
                 const char *if_empty, struct buf *out)
{
    struct grid grid;
    int r = query_run(query, &session->now->view, &grid);

    if (r < 0)
        return r;
    r = show_grid(session, &grid, heading, if_empty, out);
    grid_done(&grid);
    return r;
}

/* --- one query --- */

static int show_once(struct session *session, struct query *query)
{
    const struct options *options = session->options;
    bool to_terminal = show_terminal().ws_row > 0;
    struct buf out = to_terminal ? BUF_INIT : BUF_SINK(STDOUT_FILENO);
    struct grid grid;
    int r;

    if (session_select(session, query, &grid) != 0)
        return EXIT_ERROR;
    if (grid.row_count) /* else a hint may look into other namespaces */
        least_end();
    if (session->screen && options->format == FORMAT_TEXT && !options->quiet)
        r = session->screen(session->screen_context, &grid, 0, 0, &out);
    else
        r = options->quiet ? 0 : session_write(session, &grid, &out);
    /* An output that cannot be written is told by session_output(), once. */
    if (r < 0 && !out.error)
        command_error("cannot show the rows: %s", strerror(-r));
    r = session_output(session, &out) == 0 && (r == 0 || r == -EPIPE)
            ? session_exit(session, grid.row_count)
            : EXIT_ERROR;
    session_notes(session);
    if (r == EXIT_NOTHING)
        session_hint(session);
    grid_done(&grid);
    return r;
}

int session_show(struct session *session, struct query *query)
{
    if (session_plan(session, query) != 0)
        return EXIT_ERROR;
    session_mark(session, query);
    if (session->options->watch)
        return session_account(session) == 0 ? show_watch(session, query) : EXIT_ERROR;
    return session_measure(session) == 0 ? show_once(session, query) : EXIT_ERROR;
}

int session_answer(const struct options *options, struct query *query, const char *own,
                   const char *usual)
{
    struct session session;
    int r = session_begin(&session, options);

    if (r == 0)
        r = session_filter(&session, query, own);
    if (r == 0)
        r = session_columns(&session, query, usual);
    if (r == 0)
        r = session_show(&session, query);
    session_end(&session);
    return r;
}
