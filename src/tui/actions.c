/* SPDX-License-Identifier: MIT */
/* What keys do. */
#include "tui/screen.h"

#include "base/escape.h"

#include <stdarg.h>
#include <stdio.h>

#define WHEEL_ROWS 3

void tui_say(struct tui *tui, bool is_error, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    buf_renew(&tui->message);
    escape_text(&tui->message, text, strlen(text));
    tui->message_is_error = is_error;
}

/* --- groupings and levels --- */

static int change_grouping(struct tui *tui, uint32_t grouping)
{
    struct level *level = tui_level(tui);

    if (grouping >= tui->source->grouping_count) {
        tui_say(tui, true, "there are %u groupings (? lists them)", tui->source->grouping_count);
        return 0;
    }
    if (grouping == level->grouping)
        return 0;
    if (tui->source->groupings[grouping].why_not) {
        tui_say(tui, true, "by %s: %s", tui->source->groupings[grouping].name,
                tui->source->groupings[grouping].why_not);
        return 0;
    }
    level->grouping = grouping;
    level->sort[0] = '\0';
    tui_forget_samples(tui, level->opened);
    list_reset(&tui->list);
    return tui_ask(tui);
}

/* What the rows are opened in. */
static uint32_t opened_grouping(const struct tui *tui)
{
    return tui->source->groupings[tui->levels[tui->level].grouping].opens;
}

/* False: the conditions become too long. */
static bool push_level(struct tui *tui, const struct buf *condition, const char *title)
{
    const char *below = tui_level(tui)->within;
    struct level *level = &tui->levels[tui->level + 1];
    struct buf within = BUF_INIT;
    bool fits;

    if (*below)
        buf_printf(&within, "(%s) and (", below);
    buf_put(&within, condition->data, condition->length);
    if (*below)
        buf_byte(&within, ')');
    fits = !within.error && within.length < sizeof(level->within);
    if (fits) {
        *level = (struct level){.grouping = opened_grouping(tui),
                                .opened = tui->list.rows[list_row(&tui->list)].identity,
                                .back_identity = tui->list.identity,
                                .back_follows = tui->list.follows,
                                .back_top = tui->list.top};
        memcpy(level->within, within.data, within.length);
        snprintf(level->title, sizeof(level->title), "%s", title);
        tui->level++;
        tui_forget_samples(tui, level->opened);
        list_reset(&tui->list);
    }
    buf_done(&within);
    return fits;
}

/* The condition and the name of the selected row; false after saying why there is none. */
static bool selected_condition(struct tui *tui, struct buf *condition, struct buf *title)
{
    uint32_t row = list_row(&tui->list);
    struct buf name = BUF_INIT;
    int r = -ENOENT;

    if (tui->answered && row != LIST_NO_ROW)
        r = tui->source->condition(tui->source->context, tui_level(tui)->grouping,
                                   &tui->answer.grid, row, condition, &name);
    if (r == 0)
        r = condition->error ? condition->error : name.error;
    if (r == 0)
        escape_text(title, buf_string(&name), name.length);
    buf_done(&name);
    if (r == -ENOENT)
        tui_say(tui, true, "no row is selected");
    else if (r == -ENOTSUP)
        tui_say(tui, true, "this row stands for no socket that could be named");
    else if (r < 0)
        tui_say(tui, true, "%s", strerror(-r));
    return r == 0;
}

static int open_row(struct tui *tui)
{
    struct buf condition = BUF_INIT, title = BUF_INIT;
    int r = 0;

    if (opened_grouping(tui) == tui_level(tui)->grouping) {
        tui_say(tui, false, "this is one %s already; 1 to 9 group in other ways",
                tui->source->replay ? "row" : "socket");
        return 0;
    }
    if (selected_condition(tui, &condition, &title)) {
        if (tui->level + 1 < LEVELS_MAX && push_level(tui, &condition, buf_string(&title)))
            r = tui_ask(tui);
        else
            tui_say(tui, true, "deeper than this it does not go");
    }
    buf_done(&condition);
    buf_done(&title);
    return r;
}

static int close_level(struct tui *tui)
{
    struct level *level = tui_level(tui);

    if (tui->level == 0) {
        tui_say(tui, false, "q quits");
        return 0;
    }
    tui->level--;
    tui_forget_samples(tui, level->opened);
    list_reset(&tui->list);
    tui->list.top = level->back_top;
    tui->list.identity = level->back_identity;
    tui->list.follows = level->back_follows;
    return tui_ask(tui);
}

/* --- sorting --- */

bool actions_descends(const struct column *column)
{
    return value_kind_info(column->kind)->number && column->kind != KIND_ID &&
           column->kind != KIND_PORT;
}

int actions_sort(struct tui *tui, const struct column *column, bool descending)
{
    struct level *level = tui_level(tui);

    snprintf(level->sort, sizeof(level->sort), "%s", column->name);
    level->descending = descending;
    list_forget_widths(&tui->list);
    if (tui->frozen)
        tui_say(tui, false, "sorted by %s when f lets the order go", column->name);
    return tui_ask(tui);
}

static int sort_beside(struct tui *tui, int step)
{
    const struct grid *grid = &tui->answer.grid;
    uint32_t count = tui->answered ? grid->column_count : 0, at = 0;

    if (count == 0)
        return 0;
    while (at < count && grid->columns[at] != tui->answer.sort)
        at++;
    if (at == count)
        at = step > 0 ? 0 : count - 1;
    else
        at = (at + count + (uint32_t)step) % count;
    return actions_sort(tui, grid->columns[at], actions_descends(grid->columns[at]));
}

static int reverse_order(struct tui *tui)
{
    if (!tui->answered || !tui->answer.sort)
        return 0;
    return actions_sort(tui, tui->answer.sort, !tui->answer.descending);
}

/* --- the rest --- */

static int next_window(struct tui *tui)
{
    tui->settings->window = (tui->settings->window + 1) % tui->source->window_count;
    list_forget_widths(&tui->list);
    tui_say(tui, false, "window: %s", tui->source->windows[tui->settings->window].help);
    return tui_ask(tui);
}

/* The next one that there is. */
static uint32_t next_grouping(const struct tui *tui)
{
    const struct tui_source *source = tui->source;
    uint32_t next = tui->levels[tui->level].grouping;

    do
        next = (next + 1) % source->grouping_count;
    while (source->groupings[next].why_not);
    return next;
}

/* The reading after it is of the whole pause. */
static void toggle_pause(struct tui *tui)
{
    tui->paused = !tui->paused;
    tui_say(tui, false,
            !tui->paused          ? "goes on"
            : tui->source->replay ? "paused"
                                  : "paused; everything is still counted");
}

static int toggle_loopback(struct tui *tui)
{
    struct tui_settings *settings = tui->settings;

    settings->no_loopback = !settings->no_loopback;
    tui_forget_samples(tui, 0);
    tui_say(tui, false, settings->no_loopback ? "without loopback" : "with loopback");
    return tui_ask(tui);
}

static int toggle_freeze(struct tui *tui)
{
    tui->frozen = !tui->frozen;
    tui_say(tui, false, tui->frozen ? "the order stays" : "the order follows the column");
    return tui_ask(tui);
}

static void toggle_units(struct tui *tui, bool totals)
{
    struct tui_settings *settings = tui->settings;

    list_forget_widths(&tui->list);
    if (totals) {
        settings->total_bits = !settings->total_bits;
        tui_say(tui, false, "totals in %s", settings->total_bits ? "bits" : "bytes");
    } else {
        settings->bytes = !settings->bytes;
        tui_say(tui, false, "rates in %s", settings->bytes ? "bytes" : "bits");
    }
}

static int zero_totals(struct tui *tui)
{
    int r = tui->source->zero ? tui->source->zero(tui->source->context) : -ENOTSUP;

    if (r < 0) {
        tui_say(tui, true, "totals cannot begin again: %s", strerror(-r));
        return 0;
    }
    list_forget_widths(&tui->list);
    tui_say(tui, false, "totals are counted from now on");
    return tui_ask(tui);
}

static void show_command(struct tui *tui)
{
    struct tui_question question = tui_question(tui);
    struct buf line = BUF_INIT;

    tui->source->command(tui->source->context, &question, &line);
    tui_say(tui, false, "%s", buf_string(&line));
    buf_done(&line);
}

static void toggle_mouse(struct tui *tui)
{
    terminal_set_mouse(&tui->terminal, !tui->terminal.mouse);
    tui_say(tui, false,
            tui->terminal.mouse ? "mouse on: text is selected with Shift held" : "mouse off");
}

static int mouse_in_table(struct tui *tui, const struct terminal_mouse *mouse)
{
    const struct column *column;

    if (mouse->what == MOUSE_WHEEL_UP || mouse->what == MOUSE_WHEEL_DOWN) {
        list_move(&tui->list, mouse->what == MOUSE_WHEEL_UP ? -WHEEL_ROWS : WHEEL_ROWS);
        return 0;
    }
    if (mouse->what == MOUSE_OTHER || mouse->row < tui->table_line)
        return 0;
    if (mouse->row == tui->table_line) {
        column = list_heading(&tui->list, mouse->column);
        if (!column)
            return 0;
        return column == tui->answer.sort ? reverse_order(tui)
                                          : actions_sort(tui, column, actions_descends(column));
    }
    list_select(&tui->list, tui->list.top + (uint32_t)(mouse->row - tui->table_line - 1));
    return mouse->what == MOUSE_DOUBLE ? open_row(tui) : 0;
}

/* Moves; false: it is another action. */
static bool move_selection(struct tui *tui, enum tui_action action)
{
    struct list *list = &tui->list;
    uint32_t page = list->height > 1 ? list->height - 1 : 1;

    switch (action) {
    case ACTION_UP:
        list_move(list, -1);
        break;
    case ACTION_DOWN:
        list_move(list, 1);
        break;
    case ACTION_PAGE_UP:
        list_move(list, -(int64_t)page);
        break;
    case ACTION_PAGE_DOWN:
        list_move(list, page);
        break;
    case ACTION_FIRST:
        list_select(list, 0);
        list->follows = false;
        break;
    case ACTION_LAST:
        list_select(list, UINT32_MAX - 1);
        break;
    case ACTION_LEFT:
        list->left -= list->left > 0;
        break;
    case ACTION_RIGHT:
        list->left++;
        break;
    default:
        return false;
    }
    return true;
}

static int act_on_rows(struct tui *tui, enum tui_action action)
{
    switch (action) {
    case ACTION_OPEN:
        return open_row(tui);
    case ACTION_BACK:
        return close_level(tui);
    case ACTION_NEXT_GROUPING:
        return change_grouping(tui, next_grouping(tui));
    case ACTION_WINDOW:
        return next_window(tui);
    case ACTION_SORT_LEFT:
        return sort_beside(tui, -1);
    case ACTION_SORT_RIGHT:
        return sort_beside(tui, 1);
    case ACTION_REVERSE:
        return reverse_order(tui);
    case ACTION_LOOPBACK:
        return toggle_loopback(tui);
    case ACTION_FREEZE:
        return toggle_freeze(tui);
    case ACTION_ZERO:
        return zero_totals(tui);
    default:
        return 0;
    }
}

static void act_on_screen(struct tui *tui, enum tui_action action)
{
    switch (action) {
    case ACTION_PAUSE:
        toggle_pause(tui);
        break;
    case ACTION_REFRESH:
        tui->wants_reading = true;
        break;
    case ACTION_SORT_ASK:
        prompts_begin_sort(tui);
        break;
    case ACTION_FILTER:
        prompts_begin_filter(tui);
        break;
    case ACTION_RATE_UNIT:
    case ACTION_TOTAL_UNIT:
        toggle_units(tui, action == ACTION_TOTAL_UNIT);
        break;
    case ACTION_COMMAND:
        show_command(tui);
        break;
    case ACTION_DESTROY:
        prompts_ask(tui, TUI_DESTROY);
        break;
    case ACTION_TERMINATE:
        prompts_ask(tui, TUI_TERMINATE);
        break;
    case ACTION_MOUSE:
        toggle_mouse(tui);
        break;
    case ACTION_REDRAW:
        terminal_resize(&tui->terminal);
        break;
    case ACTION_HELP:
        tui->help_top = 0;
        tui->screen = SCREEN_HELP;
        break;
    case ACTION_QUIT:
        tui->quit = true;
        break;
    default:
        break;
    }
}

static void key_in_help(struct tui *tui, enum tui_action action)
{
    uint32_t page = tui->terminal.rows > 3 ? (uint32_t)tui->terminal.rows - 2 : 1;

    switch (action) {
    case ACTION_UP:
        tui->help_top -= tui->help_top > 0;
        break;
    case ACTION_DOWN:
        tui->help_top++;
        break;
    case ACTION_PAGE_UP:
        tui->help_top = tui->help_top > page ? tui->help_top - page : 0;
        break;
    case ACTION_PAGE_DOWN:
    case ACTION_PAUSE: /* the space bar, as in a pager */
        tui->help_top += page;
        break;
    case ACTION_FIRST:
        tui->help_top = 0;
        break;
    case ACTION_LAST:
        tui->help_top = screen_help_lines(tui);
        break;
    case ACTION_REDRAW:
        terminal_resize(&tui->terminal);
        break;
    default:
        tui->screen = SCREEN_TABLE;
    }
}

/* False after saying that there is no such thing then, or now. */
static bool is_for(struct tui *tui, enum tui_action action)
{
    enum tui_mode mode = tui_mode_of(action);

    if (mode == MODE_PRESENT && tui->source->replay)
        tui_say(tui, true, "this is the past: that is only possible now, in nwho top");
    else if (mode == MODE_PAST && !tui->source->replay)
        tui_say(tui, true, "this is the present: nwho top --since 02:00 plays what was recorded");
    else
        return true;
    return false;
}

int tui_key(struct tui *tui, uint32_t key, const struct terminal_mouse *mouse)
{
    enum tui_action action = tui_action_of(key);

    if (key == TUI_KEY_RESIZE)
        return 0;
    if (tui_asks(tui) || tui->screen == SCREEN_CONFIRM)
        return prompts_key(tui, key);
    if (tui->screen == SCREEN_HELP) {
        key_in_help(tui, action);
        return 0;
    }
    buf_renew(&tui->message);
    if (key == TUI_KEY_MOUSE)
        return mouse_in_table(tui, mouse);
    if (!is_for(tui, action))
        return 0;
    if (action == ACTION_GROUPING)
        return change_grouping(tui, key - '1');
    if (move_selection(tui, action))
        return 0;
    if (tui->source->replay)
        playing_act(tui, action);
    act_on_screen(tui, action);
    return act_on_rows(tui, action);
}
