/* SPDX-License-Identifier: MIT */
/* What is asked before something is done: a column, a filter, whether to destroy. */
#include "tui/screen.h"

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
    list_reset(&tui->list);
    return tui_ask(tui);
}

void prompts_begin_filter(struct tui *tui)
{
    prompt_begin(&tui->prompt, "filter:", tui->settings->filter,
                 "as on the command line: dport 443 and not process nginx; Esc: as it was");
    tui->screen = SCREEN_FILTER;
}

/* --- killing --- */

void prompts_begin_kill(struct tui *tui)
{
    const struct tui_source *source = tui->source;
    struct buf condition = BUF_INIT, title = BUF_INIT, question = BUF_INIT;
    const char *within = tui_level(tui)->within;
    int r;

    if (!source->kill_prepare) {
        tui_say(tui, true, "nothing can be destroyed here");
        return;
    }
    if (actions_condition(tui, &condition, &title)) {
        if (*within)
            buf_printf(&condition, " and (%s)", within);
        if (*tui->settings->filter) /* only what is seen */
            buf_printf(&condition, " and (%s)", tui->settings->filter);
        r = source->kill_prepare(source->context, buf_string(&condition), &question);
        if (r == 0) {
            tui_say(tui, true, "%s [y/N]", buf_string(&question));
            tui->screen = SCREEN_CONFIRM;
        } else {
            tui_say(tui, true, "%s", question.length ? buf_string(&question) : strerror(-r));
        }
    }
    buf_done(&condition);
    buf_done(&title);
    buf_done(&question);
}

static int end_kill(struct tui *tui, bool yes)
{
    struct buf message = BUF_INIT;
    int r = 0;

    tui->screen = SCREEN_TABLE;
    if (!yes) {
        tui_say(tui, false, "nothing was destroyed");
        return 0;
    }
    tui->source->kill(tui->source->context, &message);
    if (!tui->paused)
        r = tui_refresh(tui);
    tui_say(tui, false, "%s", buf_string(&message));
    buf_done(&message);
    return r;
}

/* --- keys --- */

int prompts_key(struct tui *tui, uint32_t key)
{
    if (tui->screen == SCREEN_CONFIRM)
        return end_kill(tui, key == 'y' || key == 'Y');
    switch (prompt_key(&tui->prompt, key)) {
    case PROMPT_GOES_ON:
        break;
    case PROMPT_CANCELLED:
        tui->screen = SCREEN_TABLE;
        break;
    case PROMPT_DONE:
        return tui->screen == SCREEN_SORT ? end_sort_prompt(tui) : end_filter_prompt(tui);
    }
    return 0;
}
