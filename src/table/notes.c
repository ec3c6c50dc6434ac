/* SPDX-License-Identifier: MIT */
/* The table of notes: what was noted in the history. */
#include "base/buf.h"
#include "model/past_note.h"
#include "table/cells.h"

static struct value get_time(const struct view *view, uint32_t row)
{
    buf_reset(view->scratch);
    buf_utc(view->scratch, view->past_notes[row].time_ns, 3);
    return cell_scratch(view, 0);
}

static struct value get_note(const struct view *view, uint32_t row)
{
    return value_name(view->past_notes[row].kind);
}

static struct value get_text(const struct view *view, uint32_t row)
{
    return cell_string(view, view->past_notes[row].text);
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column columns[] = {
    {"time", "TIME", "When, in UTC (RFC 3339)", KIND_TEXT, SHOWN, 0, get_time},
    {"note", "NOTE", "mark (of nwho mark), started, stopped, gap, clock, lost, finding", KIND_NAME,
     SHOWN, 0, get_note},
    {"text", "TEXT", "What it says", KIND_TEXT, SHOWN, 0, get_text},
};

static uint32_t row_count(const struct view *view)
{
    return view->past_note_count;
}

static const char *const words[] = {"note", "text", NULL};

const struct table table_notes = {
    .name = "notes",
    .help = "Marks, and what the recorder said of itself (nwho export)",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "a kind of note or its text",
    .row_count = row_count,
};
