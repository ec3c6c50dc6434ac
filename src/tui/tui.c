/* SPDX-License-Identifier: MIT */
/* The loop: waits for keys, signals, time and the source, and draws. */
#include "tui/tui.h"

#include "base/escape.h"
#include "tui/screen.h"

#include <poll.h>
#include <stdio.h>
#include <time.h>

#define SAMPLED_ROWS 1000 /* the first ones; nobody scrolls further for a graph */
#define FIRST_MS 300      /* until the second reading, which is the first with rates */
#define SHORTEST_MS 1000  /* between readings, unless the interval is shorter */

int tui_check(struct buf *reason)
{
    return terminal_check(reason);
}

/* --- asking --- */

struct tui_question tui_question(const struct tui *tui)
{
    const struct level *level = &tui->levels[tui->level];

    return (struct tui_question){
        .grouping = level->grouping,
        .window = tui->settings->window,
        .filter = tui->settings->filter,
        .within = level->within,
        .sort = level->sort,
        .descending = level->descending,
        .no_loopback = tui->settings->no_loopback,
        .bytes = tui->settings->bytes,
    };
}

static void drop_answer(struct tui *tui)
{
    if (tui->answered)
        grid_done(&tui->answer.grid);
    tui->answered = false;
}

/* The opened row has the sum of what is shown of it. */
int tui_sample_rows(struct tui *tui, const struct list *list)
{
    uint64_t sum = 0;
    int r = 0;

    for (uint32_t row = 0; row < list->count && r == 0; row++) {
        const struct tui_row *facts = &list->rows[row];

        sum += facts->rx + facts->tx;
        if (row < SAMPLED_ROWS)
            r = series_add(&tui->series, facts->identity, facts->rx + facts->tx);
    }
    if (r == 0 && tui->level > 0)
        r = series_add(&tui->series, tui_level(tui)->opened, sum);
    return r;
}

int tui_sample_interfaces(struct tui *tui, const struct tui_status *status)
{
    int r = 0;

    for (uint32_t i = 0; i < status->interface_count && r == 0; i++) {
        const struct tui_interface *interface = &status->interfaces[i];

        if (!interface->known)
            continue;
        r = series_add(&tui->rx, interface->identity, interface->rx);
        if (r == 0)
            r = series_add(&tui->tx, interface->identity, interface->tx);
    }
    return r;
}

int tui_ask(struct tui *tui)
{
    struct tui_question question = tui_question(tui);
    int r;

    drop_answer(tui);
    tui->answer.incomplete = false;
    r = tui->source->replay ? playing_show(tui) : 0;
    if (r == 0)
        r = tui->source->answer(tui->source->context, &question, &tui->answer);
    tui->answered = r == 0;
    tui->wants_reading |= tui->answered && tui->answer.incomplete;
    if (r == 0)
        r = list_update(&tui->list, tui->source, question.grouping, &tui->answer, tui->frozen);
    /* The first reading has no rates. */
    if (r < 0 || tui->source->replay || tui->refreshes < 2 || tui->answer.incomplete)
        return r;
    return tui_sample_rows(tui, &tui->list);
}

void tui_forget_samples(struct tui *tui, uint64_t but_of)
{
    tui->playing.has_samples = false;
    series_keep(&tui->series, but_of);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int read_now(struct tui *tui)
{
    int r = tui->source->refresh(tui->source->context);

    if (r < 0)
        return r;
    series_tick(&tui->series);
    series_tick(&tui->rx);
    series_tick(&tui->tx);
    tui->status = (struct tui_status){0};
    tui->source->status(tui->source->context, &tui->status);
    return tui_sample_interfaces(tui, &tui->status);
}

int tui_refresh(struct tui *tui)
{
    int r;

    drop_answer(tui); /* it is of the reading before */
    tui->wants_reading = false;
    tui->read_ms = now_ms();
    r = tui->source->replay ? 0 : read_now(tui);
    if (r < 0)
        return r;
    tui->refreshes++;
    return tui_ask(tui);
}

/* What somebody said on stderr is the message; the last line of it. */
static void take_errors(struct tui *tui)
{
    struct buf text = BUF_INIT;
    const char *line;
    size_t length;

    terminal_errors(&text);
    length = text.length;
    while (length > 0 && text.data[length - 1] == '\n')
        length--;
    if (length > 0) {
        line = memrchr(text.data, '\n', length);
        line = line ? line + 1 : text.data;
        buf_renew(&tui->message);
        escape_text(&tui->message, line, length - (size_t)(line - text.data));
        tui->message_is_error = true;
    }
    buf_done(&text);
}

/* --- waiting --- */

struct loop {
    struct tui *tui;
    uint64_t next_ms; /* of CLOCK_MONOTONIC: the next refresh */
    bool changed;     /* something has to be drawn */
    int signal;       /* that ended it */
};

static uint32_t interval_ms(const struct tui *tui)
{
    return tui->source->replay ? playing_interval_ms(tui) : tui->settings->interval_ms;
}

/* When the next reading is due; UINT64_MAX: not before a key says so. A question must be about what
 * is seen. */
static uint64_t due_ms(const struct loop *loop)
{
    const struct tui *tui = loop->tui;
    uint32_t interval = interval_ms(tui);
    uint64_t due = tui->paused || interval == 0 ? UINT64_MAX : loop->next_ms;
    uint64_t soonest = tui->read_ms + (interval < SHORTEST_MS ? interval : SHORTEST_MS);

    if (tui->screen == SCREEN_CONFIRM)
        return UINT64_MAX;
    if (tui->source->replay)
        return tui->wants_reading ? 0 : tui->paused ? UINT64_MAX : tui->read_ms + interval;
    return tui->wants_reading && soonest < due ? soonest : due;
}

static int wait_ms(const struct loop *loop)
{
    uint64_t now = now_ms(), due = due_ms(loop);

    if (due == UINT64_MAX)
        return -1;
    return due > now ? (int)(due - now) : 0;
}

static void handle_signals(struct loop *loop)
{
    struct terminal_events events = terminal_events();
    struct terminal *terminal = &loop->tui->terminal;

    if (events.leave) {
        loop->signal = events.leave;
        return;
    }
    if (events.suspend)
        terminal_suspend(terminal);
    else if (events.resized || events.continued)
        terminal_resize(terminal);
    if (events.resized || events.suspend)
        list_forget_widths(&loop->tui->list);
    loop->changed |= events.suspend || events.resized || events.continued;
}

static int handle_time(struct loop *loop)
{
    struct tui *tui = loop->tui;
    uint64_t now = now_ms(), interval = interval_ms(tui);
    int r = 0;

    if (now < due_ms(loop))
        return 0;
    if (!tui->source->replay || tui->wants_reading || playing_advance(tui))
        r = tui_refresh(tui);
    loop->next_ms += interval;
    if (loop->next_ms < now + interval / 2 || loop->next_ms > now + interval)
        loop->next_ms = now + interval; /* it was late, or a key's */
    loop->changed = true;
    if (tui->settings->refreshes && tui->refreshes >= tui->settings->refreshes)
        tui->quit = true;
    return r;
}

static int handle_keys(struct loop *loop)
{
    struct terminal_mouse mouse = {0};
    uint32_t key;
    int r = 0;

    while (r == 0 && !loop->tui->quit && (key = terminal_key(&mouse)) != TUI_KEY_NONE) {
        r = tui_key(loop->tui, key, &mouse);
        loop->changed = true;
        if (r == 0 && !loop->tui->source->replay) /* there keys are quicker than pieces */
            r = handle_time(loop);
    }
    return r;
}

static int wait_and_handle(struct loop *loop)
{
    const struct tui_source *source = loop->tui->source;
    struct pollfd wanted[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = terminal_event_fd(), .events = POLLIN},
        {.fd = source->drain ? source->fd : -1, .events = POLLIN},
    };
    int r = 0;

    if (poll(wanted, ARRAY_SIZE(wanted), wait_ms(loop)) < 0 && errno != EINTR)
        return -errno;
    handle_signals(loop);
    if (loop->signal)
        return 0;
    if (wanted[0].revents & POLLIN)
        r = handle_keys(loop);
    else if (wanted[0].revents)
        loop->tui->quit = true; /* the terminal is gone */
    if (r == 0 && source->drain && wanted[2].revents)
        r = source->drain(source->context);
    return r == 0 && !loop->tui->quit ? handle_time(loop) : r;
}

static int run_loop(struct loop *loop)
{
    struct tui *tui = loop->tui;
    uint32_t interval = interval_ms(tui);
    int r = tui_refresh(tui);

    loop->next_ms = now_ms() + (interval < FIRST_MS ? interval : FIRST_MS);
    loop->changed = true;
    while (r == 0 && !tui->quit && !loop->signal) {
        take_errors(tui);
        if (loop->changed)
            tui_draw(tui);
        loop->changed = false;
        r = wait_and_handle(loop);
    }
    return r;
}

static void begin(struct tui *tui)
{
    struct level *level = &tui->levels[0];
    const struct tui_settings *settings = tui->settings;

    level->grouping = settings->grouping;
    level->descending = settings->descending;
    snprintf(level->sort, sizeof(level->sort), "%s", settings->sort);
    if (tui->source->replay)
        playing_begin(tui);
}

static void end(struct tui *tui)
{
    drop_answer(tui);
    list_done(&tui->list);
    series_done(&tui->series);
    series_done(&tui->rx);
    series_done(&tui->tx);
    buf_done(&tui->question);
    buf_done(&tui->message);
}

int tui_run(const struct tui_source *source, struct tui_settings *settings, int *ret_signal)
{
    struct tui *tui = calloc(1, sizeof(*tui));
    struct loop loop = {.tui = tui};
    int r;

    if (!tui)
        return -ENOMEM;
    tui->source = source;
    tui->settings = settings;
    tui->question = tui->message = BUF_INIT;
    begin(tui);
    r = terminal_start(
        &(struct terminal_options){.color = settings->color, .ascii = settings->dumb_glyphs},
        &tui->terminal);
    if (r == 0) {
        r = run_loop(&loop);
        terminal_stop();
    }
    end(tui);
    free(tui);
    if (r == 0)
        *ret_signal = loop.signal;
    return r;
}
