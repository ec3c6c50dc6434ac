/* SPDX-License-Identifier: MIT */
/* The present on the screen of `nwho top`: the machine is read again and again. */
#include "cli/top_screen.h"

#include "base/clock.h"
#include "collect/accounting.h"

static int take(struct top_screen *screen)
{
    if (session_take(&screen->session) != 0)
        return -EIO;
    screen->needs_read = screen->session.request.needs;
    return top_take_interfaces(screen) == 0 ? top_apply_zero(screen) : -ENOMEM;
}

/*
 * Sockets are looked at in two readings after each other, as some illnesses are in the difference,
 * and then for so long not again that it takes no more than this part of the time.
 */
#define LOOK_PART 50
#define LOOK_NEEDS (NEED_SOCKETS | NEED_TCP_INFO | NEED_MEMORY)

static int look(struct top_screen *screen)
{
    uint64_t start_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    int r = take(screen);

    if (screen->looks_again)
        screen->next_look_ns =
            clock_ns(CLOCK_MONOTONIC) +
            (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start_ns) * (uint64_t)2 * LOOK_PART;
    screen->looks_again = !screen->looks_again;
    return r;
}

static int refresh(void *context)
{
    struct top_screen *screen = context;
    uint64_t needs = screen->session.request.needs;
    int r;

    if (!screen->looks_again && clock_ns(CLOCK_MONOTONIC) < screen->next_look_ns)
        return take(screen);
    screen->session.request.needs |= LOOK_NEEDS;
    r = look(screen);
    screen->session.request.needs = needs;
    return r;
}

static int drain(void *context)
{
    struct top_screen *screen = context;

    return accounting_drain(screen->session.accounting);
}

/* --- what the screen is given --- */

static int open_live(struct top_screen *screen)
{
    static const struct {
        struct tui_choice choice;
        enum top_time time;
    } windows[] = {
        {{.name = "2s", .help = "mean of the last 2 seconds"}, TOP_2S},
        {{.name = "10s", .help = "mean of the last 10 seconds"}, TOP_10S},
        {{.name = "60s", .help = "mean of the last minute"}, TOP_60S},
        {{.name = "total",
          .help = "rates since the reading before, sorted by what was counted in all"},
         TOP_TOTAL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(windows); i++)
        top_add_window(screen, windows[i].choice, windows[i].time);
    for (uint32_t i = 0; i < screen->grouping_count; i++)
        screen->groupings[i].opens = top_find_grouping(screen, "conn");
    return 0;
}

static int begin(struct top_screen *screen)
{
    return session_account(&screen->session);
}

static void offer(struct top_screen *screen, struct tui_source *source)
{
    const struct accounting *accounting = screen->session.accounting;

    source->fd = accounting ? accounting_fd(accounting) : -1;
    source->refresh = refresh;
    source->drain = accounting ? drain : NULL;
    source->status = top_status;
    source->row = top_row_facts;
    source->explain = top_explain;
    source->command = top_command;
    source->ask = top_ask;
    source->act = top_act;
    source->zero = top_zero;
}

const struct top_frames top_live = {.open = open_live, .begin = begin, .offer = offer};
