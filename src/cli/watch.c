/* SPDX-License-Identifier: MIT */
/* Shows a query again and again. */
#include "base/clock.h"
#include "cli/interrupts.h"
#include "cli/keys.h"
#include "cli/show.h"
#include "collect/accounting.h"
#include "table/marks.h"

#include <poll.h>

#define USUAL_INTERVAL_MS 1000

static void put_title(const struct session *session, struct buf *out, bool clear)
{
    buf_puts(out, clear ? "\033[H\033[2J" : "");
    show_time(session, out);
    if (session->headline)
        session->headline(session, out);
    buf_byte(out, '\n');
}

/* A terminal that is cleared before each refresh. */
static bool is_screen(const struct session *session)
{
    return show_terminal().ws_row > 0 && session->options->format == FORMAT_TEXT &&
           !session->options->batch;
}

/* In the line of the cursor, which nothing else has. */
static void put_keys(const struct session *session, struct buf *out)
{
    buf_puts(out, session->shows_keys ? "\r\033[Kq, Ctrl-C: quit   ?: hide this" : "\r\033[K");
}

/* As many rows as there is room for, and how many more there are. */
static int write_screen(struct session *session, struct grid *grid, uint32_t lines, struct buf *out)
{
    uint32_t all = grid->row_count, head = session->options->no_header ? 0 : 1;
    int r;

    if (head + all > lines)
        grid_clip(grid, lines > head + 2 ? lines - head - 1 : 1);
    r = session_write(session, grid, out);
    if (grid->row_count < all)
        buf_printf(out, "... %u more\n", all - grid->row_count);
    return r;
}

static int write_refresh(struct session *session, struct grid *grid, struct winsize room,
                         bool clear, struct buf *out)
{
    if (session->screen && session->options->format == FORMAT_TEXT)
        return session->screen(session->screen_context, grid, room.ws_row, room.ws_col, out);
    return clear ? write_screen(session, grid, room.ws_row, out)
                 : session_write(session, grid, out);
}

/* What is being written is written whole, unless nobody reads it. */
static int write_interruptibly(struct session *session, struct buf *out, const sigset_t *unblocked)
{
    int r;

    interrupts_let_in(unblocked, EXIT_INCOMPLETE, 1);
    r = show_flush(out);
    session_notes(session);
    interrupts_shut_out();
    return r;
}

/* What is new, changed and gone, in tables of what there is at a moment. */
static int mark_rows(struct session *session, struct query *query, struct grid *grid)
{
    if (session->traffic || session->screen || session->health_only)
        return 0;
    return grid_mark(grid, session->groups ? session->groups : query,
                     session->before ? &session->before->view : NULL);
}

/* 0, EXIT_ERROR, or -EPIPE: nobody reads any more. */
static int show_refresh(struct session *session, struct query *query, const sigset_t *unblocked,
                        uint32_t *ret_rows)
{
    struct winsize room = show_terminal();
    bool text = session->options->format == FORMAT_TEXT;
    bool clear = is_screen(session);
    struct buf out = BUF_INIT;
    struct grid grid;
    int r;

    if (session_select(session, query, &grid) != 0)
        return EXIT_ERROR;
    r = mark_rows(session, query, &grid);
    *ret_rows = grid.row_count;
    if (text)
        put_title(session, &out, clear);
    room.ws_row -= room.ws_row > 2 ? 2 : 0; /* the title has a line, and so has the cursor */
    if (r == 0)
        r = write_refresh(session, &grid, room, clear, &out);
    if (clear && session->shows_keys)
        put_keys(session, &out);
    if (!clear && text)
        buf_byte(&out, '\n');
    grid_done(&grid);
    if (r != 0) {
        buf_done(&out);
        return r < 0 ? command_error("cannot show the rows: %s", strerror(-r)) : r;
    }
    if (session->options->quiet)
        buf_reset(&out);
    return write_interruptibly(session, &out, unblocked);
}

/* What may happen before the time has come. */
enum {
    AWAITED_KEY,
    AWAITED_TRAFFIC,
    AWAITED_MAX,
};

/* How long it is until `when_ns` of CLOCK_MONOTONIC; 0 when it was. */
static struct timespec time_until(uint64_t when_ns)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), left_ns = when_ns > now_ns ? when_ns - now_ns : 0;

    return (struct timespec){.tv_sec = (time_t)(left_ns / SECOND_NS),
                             .tv_nsec = (long)(left_ns % SECOND_NS)};
}

static void take_key(struct session *session)
{
    struct buf out = BUF_INIT;
    enum key key = keys_take();

    if (key == KEYS_QUIT)
        interrupts_pretend();
    if (key != KEYS_HELP || !is_screen(session))
        return;
    session->shows_keys = !session->shows_keys;
    put_keys(session, &out);
    show_flush(&out);
}

/* Waits with the signals of `unblocked`, which are blocked elsewhere: one that came before ends it
 * too, and so does a key. What is counted meanwhile is taken in. 0 or EXIT_ERROR. */
static int wait_until(struct session *session, uint64_t when_ns, const sigset_t *unblocked)
{
    struct accounting *accounting = session->accounting;
    int ready, r = 0;

    do {
        struct pollfd awaited[AWAITED_MAX] = {
            [AWAITED_KEY] = {.fd = session->options->batch ? -1 : keys_listen(), .events = POLLIN},
            [AWAITED_TRAFFIC] = {.fd = accounting ? accounting_fd(accounting) : -1,
                                 .events = POLLIN},
        };
        struct timespec left = time_until(when_ns);

        ready = interrupts_wait(awaited, AWAITED_MAX, &left, unblocked);
        if (ready > 0 && awaited[AWAITED_KEY].revents)
            take_key(session);
        if (ready > 0 && awaited[AWAITED_TRAFFIC].revents && accounting_drain(accounting) < 0)
            r = command_error("out of memory");
    } while (ready != 0 && !interrupts_came() && r == 0);
    return r;
}

static int refresh_until_end(struct session *session, struct query *query,
                             const sigset_t *unblocked, uint32_t *ret_rows)
{
    const struct options *options = session->options;
    uint64_t interval_ms = options->watch_ms ? options->watch_ms : USUAL_INTERVAL_MS, next_ns;
    /* What the first refresh is about has yet to happen. */
    bool waits = (session->traffic && session->accounting) || session->health_only;
    int r = 0;

    /* What there was when counting began. */
    if (waits && !options->record)
        r = session_take_baseline(session);
    next_ns = clock_ns(CLOCK_MONOTONIC);
    for (uint32_t i = 0;
         r == 0 && !interrupts_came() && (options->watch_count == 0 || i < options->watch_count);
         i++) {
        if (i > 0 || waits) {
            next_ns += interval_ms * MILLISECOND_NS;
            r = wait_until(session, next_ns, unblocked);
        }
        if (interrupts_came() || r != 0)
            break;
        r = show_refresh(session, query, unblocked, ret_rows);
    }
    return r;
}

int show_watch(struct session *session, struct query *query)
{
    sigset_t unblocked;
    uint32_t rows = 0;
    int r;

    interrupts_catch(&unblocked);
    if (!session->options->batch)
        keys_begin();
    r = refresh_until_end(session, query, &unblocked, &rows);
    keys_end();
    if (r == EXIT_ERROR)
        return r;
    return session->now ? session_exit(session, rows) : EXIT_FOUND;
}
