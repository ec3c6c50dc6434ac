/* SPDX-License-Identifier: MIT */
/* Shows a query: once, or again and again; on a terminal, through a pager, to a pipe. */
#include "cli/session.h"

#include "cli/keys.h"
#include "cli/resolve.h"
#include "out/csv.h"
#include "out/json.h"
#include "out/text.h"
#include "table/marks.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>

/* Set by SIGINT, SIGTERM and the key q: --watch ends. */
static volatile sig_atomic_t interrupted;

/* While output is written: the exit code with which they end it at once, as a reader may take
 * nothing for ever. Else -1. */
static volatile sig_atomic_t leave_with = -1;

static void on_interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
    if (leave_with >= 0) {
        keys_end();
        _exit(leave_with);
    }
}

static struct winsize terminal_size(void)
{
    struct winsize size = {0};

    if (isatty(STDOUT_FILENO))
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    return size;
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
        .width = terminal_size().ws_col,
    };

    if (session->resolver && options->format == FORMAT_TEXT)
        resolver_prepare(session->resolver, grid);
    switch (options->format) {
    case FORMAT_JSON:
        return json_write(grid, out);
    case FORMAT_JSONL:
        return jsonl_write(grid, out);
    case FORMAT_CSV:
        return csv_write(grid, options->no_header, out);
    case FORMAT_TEXT:
        break;
    }
    return text_write(grid, &text, out);
}

/* --- one answer --- */

static bool wants_pager(const struct options *options, const struct buf *text)
{
    struct winsize size = terminal_size();
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

/* 0, EXIT_ERROR after a line on stderr, or -EPIPE: the reader went away (`| head`), which is no
 * error of ours. */
static int finish_output(struct buf *out)
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
    return finish_output(out) == EXIT_ERROR ? EXIT_ERROR : 0;
}

int session_select(struct session *session, const struct query *query, struct grid *ret_grid)
{
    struct frame *frame;
    struct grid rows;
    int r;

    if (session_take(session) != 0)
        return EXIT_ERROR;
    frame = session->now;
    r = query_run(query, &frame->view, session->groups ? &rows : ret_grid);
    if (r == 0 && session->groups) {
        r = group_make(session->plan, &rows, &frame->group);
        grid_done(&rows);
        if (r == 0)
            r = query_run(session->groups, &frame->view, ret_grid);
    }
    return r < 0 ? command_error("cannot select the rows: %s", strerror(-r)) : 0;
}

static int show_once(struct session *session, struct query *query)
{
    const struct options *options = session->options;
    bool to_terminal = terminal_size().ws_row > 0;
    struct buf out = to_terminal ? BUF_INIT : BUF_SINK(STDOUT_FILENO);
    struct grid grid;
    int r;

    if (session_select(session, query, &grid) != 0)
        return EXIT_ERROR;
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

/* --- again and again --- */

static void put_title(struct buf *out, const struct snapshot *snapshot, bool clear)
{
    time_t seconds = (time_t)(snapshot->time_ns / 1000000000);
    char text[32] = "";
    struct tm broken;

    if (localtime_r(&seconds, &broken))
        strftime(text, sizeof(text), "%F %T", &broken);
    buf_printf(out, "%s%s\n", clear ? "\033[H\033[2J" : "", text);
}

/* Lines of the screen that the line at `text` takes, and its length in bytes with the newline.
 * Characters of three bytes and more count two columns where most of their block are wide. */
static uint32_t line_height(const char *text, size_t length, uint32_t columns, size_t *ret_length)
{
    const char *end = memchr(text, '\n', length);
    size_t bytes = end ? (size_t)(end - text) : length, width = 0;

    for (size_t i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)text[i];

        if (byte == '\033')
            while (i < bytes && text[i] != 'm')
                i++;
        else if ((byte & 0xc0) != 0x80)
            width += byte >= 0xe3 ? 2 : 1;
    }
    *ret_length = bytes + 1;
    return columns && width > columns ? (uint32_t)((width + columns - 1) / columns) : 1;
}

/* How many of the lines of a text have room; *ret_all: how many there are. */
static uint32_t count_fitting(const char *text, size_t length, const struct winsize *room,
                              uint32_t *ret_all)
{
    uint32_t height = 0, fitting = 0, all = 0;
    size_t line;

    for (size_t at = 0; at < length; at += line) {
        height += line_height(text + at, length - at, room->ws_col, &line);
        fitting += height <= room->ws_row;
        all++;
    }
    *ret_all = all;
    return fitting;
}

/* As many rows as there is room for, and how many more there are. */
static int write_screen(struct session *session, struct grid *grid, struct winsize room,
                        struct buf *out)
{
    uint32_t all = grid->row_count, head = session->options->no_header ? 0 : 1, fitting, lines;
    size_t start = out->length;
    int r = 0;

    grid_clip(grid, room.ws_row);
    do {
        struct winsize left = room;

        left.ws_row -= grid->row_count < all; /* for the line below */
        out->length = start;
        r = session_write(session, grid, out);
        fitting = count_fitting(out->data + start, out->length - start, &left, &lines);
        if (fitting < lines)
            grid_clip(grid, fitting > head + 1 ? fitting - head : 1);
    } while (r == 0 && fitting < lines && lines > head + 1);
    if (grid->row_count < all)
        buf_printf(out, "... %u more\n", all - grid->row_count);
    return r;
}

/* Writes and says with SIGINT and SIGTERM open: they end it wherever it is stuck. */
static int write_interruptibly(struct session *session, struct buf *out, uint32_t rows,
                               const sigset_t *unblocked)
{
    sigset_t blocked;
    int r;

    leave_with = session_exit(session, rows);
    sigprocmask(SIG_SETMASK, unblocked, &blocked);
    r = finish_output(out);
    session_notes(session);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    leave_with = -1;
    return r;
}

/* 0, EXIT_ERROR, or -EPIPE: nobody reads any more. */
static int show_refresh(struct session *session, struct query *query, const sigset_t *unblocked,
                        uint32_t *ret_rows)
{
    struct winsize room = terminal_size();
    bool text = session->options->format == FORMAT_TEXT, clear = room.ws_row > 0 && text;
    struct buf out = BUF_INIT;
    struct grid grid;
    int r;

    if (session_select(session, query, &grid) != 0)
        return EXIT_ERROR;
    r = grid_mark(&grid, session->groups ? session->groups : query,
                  session->before ? &session->before->view : NULL);
    *ret_rows = grid.row_count;
    if (text)
        put_title(&out, &session->now->snapshot, clear);
    room.ws_row -= room.ws_row > 2 ? 2 : 0; /* the title has a line, and so has the cursor */
    if (r == 0)
        r = clear ? write_screen(session, &grid, room, &out) : session_write(session, &grid, &out);
    if (!clear && text)
        buf_byte(&out, '\n');
    grid_done(&grid);
    if (r < 0) {
        buf_done(&out);
        return command_error("cannot show the rows: %s", strerror(-r));
    }
    if (session->options->quiet)
        buf_reset(&out);
    return write_interruptibly(session, &out, *ret_rows, unblocked);
}

/* Waits with the signals of `unblocked`, which are blocked elsewhere: one that came before ends it
 * too, and so does a key. */
static void wait_until(const struct timespec *when, const sigset_t *unblocked)
{
    struct timespec left, now;
    int ready;

    do {
        struct pollfd keys = {.fd = keys_listen(), .events = POLLIN};

        clock_gettime(CLOCK_MONOTONIC, &now);
        left.tv_sec = when->tv_sec - now.tv_sec - (when->tv_nsec < now.tv_nsec);
        left.tv_nsec = when->tv_nsec - now.tv_nsec + (when->tv_nsec < now.tv_nsec) * 1000000000L;
        if (left.tv_sec < 0)
            left = (struct timespec){0};
        ready = ppoll(&keys, 1, &left, unblocked);
        if (ready > 0 && keys_quit())
            interrupted = 1;
    } while (ready != 0 && !interrupted);
}

static void catch_interrupts(sigset_t *ret_unblocked)
{
    struct sigaction action = {.sa_handler = on_interrupt};
    sigset_t blocked;

    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_BLOCK, &blocked, ret_unblocked);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int refresh_until_end(struct session *session, struct query *query,
                             const sigset_t *unblocked, uint32_t *ret_rows)
{
    const struct options *options = session->options;
    struct timespec next;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &next);
    for (uint32_t i = 0; r == 0 && (options->watch_count == 0 || i < options->watch_count); i++) {
        if (i > 0)
            wait_until(&next, unblocked);
        if (interrupted)
            break;
        r = show_refresh(session, query, unblocked, ret_rows);
        next.tv_nsec += (long)(options->watch_ms % 1000) * 1000000;
        next.tv_sec += (time_t)(options->watch_ms / 1000) + next.tv_nsec / 1000000000;
        next.tv_nsec %= 1000000000;
    }
    return r;
}

static int show_watch(struct session *session, struct query *query)
{
    sigset_t unblocked;
    uint32_t rows = 0;
    int r;

    catch_interrupts(&unblocked);
    keys_begin();
    r = refresh_until_end(session, query, &unblocked, &rows);
    keys_end();
    if (r == EXIT_ERROR)
        return r;
    return session->now ? session_exit(session, rows) : EXIT_FOUND;
}

int session_show(struct session *session, struct query *query)
{
    if (session_plan(session, query) != 0)
        return EXIT_ERROR;
    return session->options->watch ? show_watch(session, query) : show_once(session, query);
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
