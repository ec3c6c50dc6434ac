/* SPDX-License-Identifier: MIT */
/* The interactive form of `nwho top`: how its screen begins and ends. */
#include "cli/top_screen.h"

#include "cli/replay.h"
#include "out/color.h"
#include "table/flow_groups.h"

#include <signal.h>
#include <stdio.h>

/* The groupings that have a name, and before them one that was put together (--by peer/24). */
static uint32_t list_groupings(struct top_screen *screen, const char *by)
{
    const char *word, *help;
    uint32_t wanted = UINT32_MAX;

    for (uint32_t i = 0; screen->grouping_count + 1 < TOP_GROUPINGS; i++) {
        if (!flow_grouping(i, &word, &help))
            break;
        if (by && strcmp(by, word) == 0)
            wanted = i;
        screen->groupings[screen->grouping_count++] =
            (struct tui_choice){.name = word, .help = help};
    }
    if (!by || wanted != UINT32_MAX)
        return by ? wanted : 0;
    screen->groupings[screen->grouping_count] =
        (struct tui_choice){.name = by, .help = "as --by has it"};
    return screen->grouping_count++;
}

uint32_t top_find_grouping(const struct top_screen *screen, const char *name)
{
    for (uint32_t i = 0; i < screen->grouping_count; i++)
        if (strcmp(screen->groupings[i].name, name) == 0)
            return i;
    return 0;
}

void top_add_window(struct top_screen *screen, struct tui_choice choice, enum top_time time)
{
    screen->windows[screen->window_count] = choice;
    screen->usual[screen->window_count++] = &top_both_ways[time];
}

static int take_filter(struct top_screen *screen, struct tui_settings *settings)
{
    struct session *session = &screen->session;
    struct query query = {.table = &table_flows};
    struct buf words = BUF_INIT;
    int r;

    for (uint32_t i = 0; i < screen->options->word_count; i++) {
        buf_puts(&words, i ? " " : "");
        session_put_word(session, &table_flows, screen->options->words[i], &words);
    }
    r = session_filter_text(session, &query, NULL, buf_string(&words));
    if (r == 0 && words.length >= sizeof(settings->filter))
        r = command_error("the filter is too long for the screen; --batch takes it");
    if (r == 0)
        memcpy(settings->filter, buf_string(&words), words.length);
    buf_done(&words);
    return r;
}

/* The first key of --sort; a wrong one is told. */
static int take_sort(struct top_screen *screen, struct tui_settings *settings)
{
    struct query query = {.table = screen->groups.table};

    if (session_columns(&screen->session, &query, NULL) != 0)
        return EXIT_ERROR;
    if (query.sort_count) {
        snprintf(settings->sort, sizeof(settings->sort), "%s", query.sort[0].column->name);
        settings->descending = query.sort[0].descending;
    }
    return 0;
}

static int begin(struct top_screen *screen, const struct options *options,
                 struct tui_settings *settings)
{
    int r = session_begin(&screen->session, options);
    bool more;

    screen->session.traffic = screen->session.all_flows = screen->session.everywhere = true;
    *settings = (struct tui_settings){
        .interval_ms = options->watch_ms ? (uint32_t)options->watch_ms : 1000,
        .refreshes = options->watch_count,
        .bytes = options->bytes,
        .color = session_color(&screen->session),
    };
    session_narrow(&screen->session, PROTO_INET_ALL);
    if (r != 0 || take_filter(screen, settings) != 0)
        return EXIT_ERROR;
    settings->grouping = list_groupings(screen, options->by);
    if (screen->frames->open(screen) != 0)
        return EXIT_ERROR;
    if (top_use_plan(screen, settings->grouping) < 0)
        return EXIT_ERROR;
    screen->groups.table = &screen->plans[settings->grouping].table;
    if (take_sort(screen, settings) != 0)
        return EXIT_ERROR;
    if (top_prepare(screen,
                    &(struct tui_question){
                        .grouping = settings->grouping,
                        .filter = settings->filter,
                        .within = "",
                        .sort = settings->sort,
                    },
                    &more) < 0)
        return command_error("out of memory");
    return screen->frames->begin ? screen->frames->begin(screen) : 0;
}

static void end(struct top_screen *screen)
{
    if (screen->frames->end)
        screen->frames->end(screen);
    top_victims_done(screen);
    top_status_done(screen);
    filter_done(screen->filter);
    arena_done(&screen->arena);
    buf_done(&screen->filter_text);
    session_end(&screen->session);
    for (uint32_t i = 0; i < screen->grouping_count; i++)
        group_plan_done(&screen->plans[i]);
    free(screen);
}

static const char legend[] =
    "A filter chooses traffic before it is added up: process nginx, dport 443, sick.\n"
    "Only conditions on what is added up are about the rows that are shown:\n"
    "tx_rate > 1Mbit, bytes > 1G, connections > 3. 'and' joins them with the rest.";

static int run(struct top_screen *screen, struct tui_settings *settings)
{
    struct tui_source source = {
        .context = screen,
        .groupings = screen->groupings,
        .windows = screen->windows,
        .grouping_count = screen->grouping_count,
        .window_count = screen->window_count,
        .legend = legend,
        .fd = -1,
        .answer = top_answer,
        .check = top_check,
        .condition = top_condition,
    };
    int number = 0, r;

    screen->frames->offer(screen, &source);
    r = tui_run(&source, settings, &number);

    if (number) { /* what the signal does, now that the terminal is as it was */
        signal(number, SIG_DFL);
        raise(number);
    }
    if (r < 0 && r != -EIO && r != -EINVAL) /* those were told */
        command_error("cannot show the screen: %s", strerror(-r));
    return r < 0 ? EXIT_ERROR : EXIT_FOUND;
}

bool top_screen_run(const struct options *options, int *ret_exit)
{
    struct top_screen *screen;
    struct tui_settings settings;
    struct buf reason = BUF_INIT;
    int r = tui_check(&reason);

    if (r < 0)
        command_error("%s: shown in plain blocks, as with --batch", buf_string(&reason));
    buf_done(&reason);
    if (r < 0)
        return false;
    screen = calloc(1, sizeof(*screen));
    if (!screen) {
        *ret_exit = command_error("out of memory");
        return true;
    }
    screen->options = options;
    screen->frames = replay_is_asked(options) ? &top_past : &top_live;
    screen->victims = (struct top_victims){.pidfd = -1, .title = BUF_INIT};
    screen->accounting = screen->reconcile = screen->note = screen->filter_text = BUF_INIT;
    r = begin(screen, options, &settings);
    *ret_exit = r == 0 ? run(screen, &settings) : EXIT_ERROR;
    end(screen);
    return true;
}
