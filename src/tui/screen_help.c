/* SPDX-License-Identifier: MIT */
/* The help screen: made from the table of keys and from what the source offers. */
#include "tui/screen.h"

#include <stdio.h>

#define KEY_COLUMNS 18

/* Draws line after line, those that are scrolled away and those below the screen nowhere. */
struct help {
    const struct tui *tui;
    uint32_t line; /* the next one */
    bool draws;
};

static struct pen next_line(struct help *help)
{
    const struct terminal *terminal = &help->tui->terminal;
    int64_t row = (int64_t)help->line++ - help->tui->help_top;

    if (!help->draws || row < 0 || row >= terminal->rows - 1)
        row = -1;
    return pen_at(terminal, (int)row, 0, -1);
}

static void put_line(struct help *help, enum paint paint, const char *text)
{
    struct pen pen = next_line(help);

    pen_text(&pen, paint, text);
}

static void put_pair(struct help *help, const char *key, const char *text)
{
    struct pen pen = next_line(help);

    pen_text(&pen, PAINT_PLAIN, "  ");
    pen_text(&pen, PAINT_KEY, key);
    pen_blanks(&pen, PAINT_PLAIN, KEY_COLUMNS - pen.column);
    pen_text(&pen, PAINT_PLAIN, text);
}

static void put_choices(struct help *help, const char *title, const char *prefix,
                        const struct tui_choice *choices, uint32_t count)
{
    char text[160];

    put_line(help, PAINT_PLAIN, "");
    put_line(help, PAINT_TITLE, title);
    for (uint32_t i = 0; i < count; i++) {
        if (prefix)
            snprintf(text, sizeof(text), "%s%u  %s", prefix, i + 1, choices[i].name);
        else
            snprintf(text, sizeof(text), "%s", choices[i].name);
        put_pair(help, text, choices[i].why_not ? choices[i].why_not : choices[i].help);
    }
}

static void put_lines(struct help *help, const char *text)
{
    for (const char *at = text; at && *at;) {
        size_t length = strcspn(at, "\n");
        struct pen pen = next_line(help);
        char line[200];

        snprintf(line, sizeof(line), "%.*s", (int)length, at);
        pen_outside(&pen, PAINT_PLAIN, line);
        at += length + (at[length] == '\n');
    }
}

static void put_legend(struct help *help)
{
    const char *legend = help->tui->source->legend, *notes = help->tui->status.notes;

    put_line(help, PAINT_PLAIN, "");
    put_line(help, PAINT_TITLE, "In front of a row");
    put_pair(help, ">", "it is selected");
    if (!help->tui->source->replay) {
        put_pair(help, "x", "closed, or its process has exited; goes after a minute");
        put_pair(help, "!", "sick: the last line says why, when it is selected");
    }
    if (legend)
        put_line(help, PAINT_PLAIN, "");
    put_lines(help, legend);
    if (!notes || !*notes)
        return;
    put_line(help, PAINT_PLAIN, "");
    put_line(help, PAINT_TITLE, "What is missing");
    put_lines(help, notes);
}

static uint32_t put_help(const struct tui *tui, bool draws)
{
    const struct tui_source *source = tui->source;
    struct help help = {.tui = tui, .draws = draws};

    put_line(&help, PAINT_TITLE, "Keys");
    for (const struct tui_binding *binding = tui_bindings; binding->name; binding++)
        if (tui_mode_of(binding->action) != (source->replay ? MODE_PRESENT : MODE_PAST))
            put_pair(&help, binding->name, binding->help);
    put_choices(&help, "Groupings", "", source->groupings, source->grouping_count);
    put_choices(&help, "Windows", NULL, source->windows, source->window_count);
    put_legend(&help);
    return help.line;
}

uint32_t screen_help_lines(const struct tui *tui)
{
    return put_help(tui, false);
}

void screen_help_draw(struct tui *tui)
{
    uint32_t lines = screen_help_lines(tui);
    uint32_t seen = tui->terminal.rows > 1 ? (uint32_t)tui->terminal.rows - 1 : 0;
    struct pen pen = pen_at(&tui->terminal, tui->terminal.rows - 1, 0, -1);

    if (tui->help_top + seen > lines)
        tui->help_top = lines > seen ? lines - seen : 0;
    put_help(tui, true);
    pen_printf(&pen, PAINT_KEY, "%s",
               lines > seen ? "Up, Down, PgUp, PgDn scroll; q goes back" : "q goes back");
}
