/* SPDX-License-Identifier: MIT */
/* What is asked before something is done: a column, a filter, whether it is meant. */
#include "tui/screen.h"

#include "base/escape.h"

#include <stdio.h>

/* --- sorting --- */

static const struct column *shown_column(const struct tui *tui, const char *name)
{
    const struct grid *grid = &tui->answer.grid;

    for (uint32_t i = 0; tui->answered && i < grid->column_count; i++)
        if (strcmp(grid->columns[i]->name, name) == 0)
            return grid->columns[i];
    return tui->answered ? table_column(grid->table, name) : NULL;
}

static int end_sort_prompt(struct tui *tui)
{
    const struct column *column = shown_column(tui, tui->prompt.text);
    const char *near;
    char message[160];

    if (!*tui->prompt.text) {
        tui->screen = SCREEN_TABLE;
        tui_level(tui)->sort[0] = '\0';
        return tui_ask(tui);
    }
    if (column) {
        tui->screen = SCREEN_TABLE;
        return actions_sort(tui, column, actions_descends(column));
    }
    near = tui->answered ? table_suggest_column(tui->answer.grid.table, tui->prompt.text) : NULL;
    snprintf(message, sizeof(message), near ? "there is no such column: %s?" : "no such column%s",
             near ? near : "");
    prompt_error(&tui->prompt, 0, tui->prompt.length, message);
    return 0;
}

void prompts_begin_sort(struct tui *tui)
{
    char hint[256] = "";
    size_t length = 0;

    for (uint32_t i = 0; tui->answered && i < tui->answer.grid.column_count; i++) {
        const char *name = tui->answer.grid.columns[i]->name;

        if (length + strlen(name) + 2 < sizeof(hint))
            length += (size_t)snprintf(hint + length, sizeof(hint) - length, "%s%s",
                                       length ? " " : "", name);
    }
    prompt_begin(&tui->prompt, "sort by:", "", hint);
    tui->screen = SCREEN_SORT;
}

/* --- filter --- */

static int end_filter_prompt(struct tui *tui)
{
    const struct tui_source *source = tui->source;
    struct filter_error error = {.message = ""};
    int r = source->check(source->context, tui_level(tui)->grouping, tui->prompt.text, &error);

    if (r == -EINVAL) {
        prompt_error(&tui->prompt, error.at, error.length, error.message);
        return 0;
    }
    tui->screen = SCREEN_TABLE;
    if (r < 0)
        return r;
    snprintf(tui->settings->filter, sizeof(tui->settings->filter), "%s", tui->prompt.text);
    tui_forget_samples(tui, 0);
    list_reset(&tui->list);
    return tui_ask(tui);
}

void prompts_begin_filter(struct tui *tui)
{
    prompt_begin(&tui->prompt, "filter:", tui->settings->filter,
                 "as on the command line: dport 443 and not process nginx; Esc: as it was");
    tui->screen = SCREEN_FILTER;
}

/* --- time --- */

static void end_time_prompt(struct tui *tui)
{
    const struct tui_source *source = tui->source;
    struct buf problem = BUF_INIT;
    uint64_t piece;
    int r = source->replay->find(source->context, tui->prompt.text, &piece, &problem);

    if (r == 0) {
        tui->screen = SCREEN_TABLE;
        playing_go_to(tui, piece);
    } else {
        prompt_error(&tui->prompt, 0, tui->prompt.length,
                     r == -EINVAL ? buf_string(&problem) : strerror(-r));
    }
    buf_done(&problem);
}

void prompts_begin_time(struct tui *tui)
{
    prompt_begin(&tui->prompt, "go to:", "",
                 "03:00, 03:00:15, -2h, yesterday 2pm, 2026-11-20 03:00");
    tui->screen = SCREEN_TIME;
}

/* --- deeds --- */

/* The last line is the question, and stands where messages do. */
static void take_question(struct tui *tui, const char *text, size_t all)
{
    const char *last = memrchr(text, '\n', all);
    size_t length = last ? (size_t)(last - text) : 0;

    buf_renew(&tui->question);
    for (size_t at = 0; at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t line = end ? (size_t)(end - text) - at : length - at;

        escape_text(&tui->question, text + at, line);
        buf_byte(&tui->question, '\n');
        at += line + 1;
    }
    tui_say(tui, true, "%s", last ? last + 1 : text);
    tui->screen = SCREEN_CONFIRM;
}

void prompts_ask(struct tui *tui, enum tui_deed deed)
{
    const struct tui_source *source = tui->source;
    uint32_t row = list_row(&tui->list);
    struct buf lines = BUF_INIT;
    int r = source->ask ? -ENOENT : -ENOTSUP;

    if (source->ask && tui->answered && row != LIST_NO_ROW)
        r = source->ask(source->context, deed, &tui->answer.grid, row, &lines);
    if (r == 0 && !lines.error)
        take_question(tui, buf_string(&lines), lines.length);
    else if (lines.length)
        tui_say(tui, true, "%s", buf_string(&lines));
    else
        tui_say(tui, true, "%s", r == -ENOENT ? "no row is selected" : strerror(-r));
    buf_done(&lines);
}

static void end_question(struct tui *tui, bool yes)
{
    struct buf message = BUF_INIT;

    tui->screen = SCREEN_TABLE;
    if (!yes) {
        tui_say(tui, false, "nothing was done");
        return;
    }
    tui->source->act(tui->source->context, &message);
    tui->wants_reading |= !tui->paused;
    tui_say(tui, false, "%s", buf_string(&message));
    buf_done(&message);
}

/* --- keys --- */

static int end_prompt(struct tui *tui)
{
    switch (tui->screen) {
    case SCREEN_SORT:
        return end_sort_prompt(tui);
    case SCREEN_TIME:
        end_time_prompt(tui);
        return 0;
    default:
        return end_filter_prompt(tui);
    }
}

int prompts_key(struct tui *tui, uint32_t key)
{
    if (tui->screen == SCREEN_CONFIRM) {
        end_question(tui, key == 'y' || key == 'Y');
        return 0;
    }
    switch (prompt_key(&tui->prompt, key)) {
    case PROMPT_GOES_ON:
        break;
    case PROMPT_CANCELLED:
        tui->screen = SCREEN_TABLE;
        break;
    case PROMPT_DONE:
        return end_prompt(tui);
    }
    return 0;
}
