/* SPDX-License-Identifier: MIT */
/* Keys: the table. */
#include "tui/keys.h"

#include "base/cleanup.h"

const struct tui_binding tui_bindings[] = {
    {{'1'}, ACTION_GROUPING, "1 ... 9", "group by what stands in that place of the list below"},
    {{'b'}, ACTION_NEXT_GROUPING, "b", "the next grouping"},
    {{'w'}, ACTION_WINDOW, "w", "the next window: over which time rates are counted, or totals"},
    {{TUI_KEY_UP}, ACTION_UP, "Up", "select the row above"},
    {{TUI_KEY_DOWN}, ACTION_DOWN, "Down", "select the row below"},
    {{TUI_KEY_PAGE_UP}, ACTION_PAGE_UP, "PgUp", "a page up"},
    {{TUI_KEY_PAGE_DOWN}, ACTION_PAGE_DOWN, "PgDn", "a page down"},
    {{TUI_KEY_HOME, 'g'}, ACTION_FIRST, "Home, g", "the first row, whichever it is"},
    {{TUI_KEY_END, 'G'}, ACTION_LAST, "End, G", "the last row"},
    {{TUI_KEY_LEFT}, ACTION_LEFT, "Left", "columns further left"},
    {{TUI_KEY_RIGHT}, ACTION_RIGHT, "Right", "columns further right"},
    {{TUI_KEY_ENTER},
     ACTION_OPEN,
     "Enter",
     "the sockets of the selected row; of the past its peers"},
    {{TUI_KEY_BACKSPACE, TUI_KEY_ESCAPE}, ACTION_BACK, "Backspace, Esc", "back to where it was"},
    {{'<', ','}, ACTION_SORT_LEFT, "<", "sort by the column to the left"},
    {{'>', '.'}, ACTION_SORT_RIGHT, ">", "sort by the column to the right"},
    {{'s'}, ACTION_SORT_ASK, "s", "sort by a column by its name; without a name as usual"},
    {{'r'}, ACTION_REVERSE, "r", "reverse the order"},
    {{'/'}, ACTION_FILTER, "/", "filter: the language of every command; empty shows all"},
    {{'l'}, ACTION_LOOPBACK, "l", "without loopback, or with it: rows, and the line of lo"},
    {{' '}, ACTION_PAUSE, "Space", "pause, and go on; nothing is lost meanwhile"},
    {{'f'}, ACTION_FREEZE, "f", "freeze the order of the rows; new ones come last"},
    {{'u'}, ACTION_RATE_UNIT, "u", "rates in bits or bytes"},
    {{'U'}, ACTION_TOTAL_UNIT, "U", "totals in bytes or bits"},
    {{'z'}, ACTION_ZERO, "z", "totals begin again at zero"},
    {{'[', 'p'}, ACTION_STEP_BACK, "[, p", "of the past: a piece back"},
    {{']', 'n'}, ACTION_STEP, "], n", "of the past: a piece forward"},
    {{'{', 'P'}, ACTION_LEAP_BACK, "{, P", "of the past: ten pieces back"},
    {{'}', 'N'}, ACTION_LEAP, "}, N", "of the past: ten pieces forward"},
    {{'(', '^'}, ACTION_TO_BEGINNING, "(, ^", "of the past: to the beginning"},
    {{')', '$'}, ACTION_TO_END, "), $", "of the past: to the end"},
    {{'t'}, ACTION_TO_TIME, "t", "of the past: to a time, as --since takes it"},
    {{'-', '_'}, ACTION_SLOWER, "-", "of the past: play slower"},
    {{'+', '='}, ACTION_FASTER, "+", "of the past: play faster"},
    {{'c'}, ACTION_COMMAND, "c", "the command line that shows the same"},
    {{'k'}, ACTION_DESTROY, "k", "destroy the sockets of the selected row; asks first"},
    {{'K'}, ACTION_TERMINATE, "K", "end the process of the row (SIGTERM); asks first"},
    {{'m'}, ACTION_MOUSE, "m", "mouse on or off: click selects or sorts, the wheel scrolls"},
    {{TUI_KEY_F5, 'R'}, ACTION_REFRESH, "F5, R", "read again now"},
    {{TUI_CONTROL('L')}, ACTION_REDRAW, "Ctrl-L", "draw the whole screen again"},
    {{'?', 'h', TUI_KEY_F1}, ACTION_HELP, "?, h, F1", "this help"},
    {{'q', TUI_KEY_F10}, ACTION_QUIT, "q, F10", "quit"},
    {{0}, ACTION_NONE, NULL, NULL},
};

enum tui_action tui_action_of(uint32_t key)
{
    if (key >= '1' && key <= '9')
        return ACTION_GROUPING;
    for (const struct tui_binding *binding = tui_bindings; binding->name; binding++)
        for (size_t i = 0; i < ARRAY_SIZE(binding->keys) && binding->keys[i]; i++)
            if (binding->keys[i] == key)
                return binding->action;
    return ACTION_NONE;
}

enum tui_mode tui_mode_of(enum tui_action action)
{
    switch (action) {
    case ACTION_STEP_BACK:
    case ACTION_STEP:
    case ACTION_LEAP_BACK:
    case ACTION_LEAP:
    case ACTION_TO_BEGINNING:
    case ACTION_TO_END:
    case ACTION_TO_TIME:
    case ACTION_SLOWER:
    case ACTION_FASTER:
        return MODE_PAST;
    case ACTION_ZERO:
    case ACTION_DESTROY:
    case ACTION_TERMINATE:
    case ACTION_REFRESH:
        return MODE_PRESENT;
    default:
        return MODE_ANY;
    }
}
