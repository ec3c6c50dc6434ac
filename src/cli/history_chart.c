/* SPDX-License-Identifier: MIT */
/* A chart of the first rows of an answer of `nwho history`. */
#include "cli/history_chart.h"

#include "base/format.h"
#include "cli/command.h"
#include "cli/replace_file.h"
#include "out/svg.h"
#include "table/trends.h"

#include <string.h>

#define MARKS_MAX 40

struct chart {
    struct svg_chart svg;
    struct svg_line lines[SVG_LINES_MAX];
    struct buf names[SVG_LINES_MAX];
    struct svg_mark marks[MARKS_MAX];
};

static void put_value(const struct value *value, struct buf *out)
{
    if (value->type == VALUE_UINT)
        buf_uint(out, value->uint);
    else if (value->type == VALUE_ADDRESS)
        buf_address(out, value->address.family, value->address.bytes);
    else if (value->type == VALUE_STRING)
        buf_put(out, value->string.bytes, value->string.length);
}

/* What tells rows apart: everything that is no amount. */
static void put_name(const struct grid *grid, uint32_t row, struct buf *out)
{
    for (uint32_t i = 0; i < grid->column_count; i++) {
        const struct column *column = grid->columns[i];
        struct value value;

        if (column == &column_trend || column->flags & (COLUMN_SUM | COLUMN_COUNTER | COLUMN_RATE))
            continue;
        value = column->get(grid->view, row);
        if (value.type == VALUE_NONE)
            continue;
        buf_puts(out, out->length ? " " : "");
        put_value(&value, out);
    }
}

static void add_line(struct chart *chart, const struct grid *grid, uint32_t row)
{
    const struct trends *trends = grid->view->trends;
    const uint64_t *bytes = trends_get(trends, trends->identity(grid->view, row));
    struct svg_line *line = &chart->lines[chart->svg.count];
    struct buf *name = &chart->names[chart->svg.count];

    if (!bytes)
        return;
    *name = BUF_INIT;
    put_name(grid, row, name);
    *line = (struct svg_line){.bytes = bytes, .name = buf_string(name), .length = name->length};
    for (uint32_t i = 0; i < trends->pieces; i++)
        line->total += bytes[i];
    chart->svg.count++;
}

/* What people said has its words, the rest only says what it is. What the doctor found is too much.
 */
static void add_marks(struct chart *chart, const struct grid *grid,
                      const struct store_answer *answer)
{
    for (uint32_t i = 0; i < answer->note_count && chart->svg.mark_count < MARKS_MAX; i++) {
        const struct store_note *note = &answer->notes[i];
        struct svg_mark *mark = &chart->marks[chart->svg.mark_count];

        if (note->kind == STORE_FINDING)
            continue;
        *mark =
            (struct svg_mark){.time_ns = note->time_ns, .text = store_note_kind_name(note->kind)};
        mark->length = strlen(mark->text);
        if (note->kind == STORE_MARK)
            mark->text = snapshot_string(grid->view->snapshot, note->text, &mark->length);
        chart->svg.mark_count++;
    }
}

static int write_chart(const void *content, int fd)
{
    struct buf out = BUF_SINK(fd);
    int r = svg_write(content, &out);

    if (r == 0)
        r = buf_flush(&out);
    buf_done(&out);
    return r;
}

int history_chart_write(const struct grid *grid, const struct store_answer *answer,
                        const struct store_question *question, const char *path)
{
    struct chart chart = {.svg = {.title = "bits a second, both ways",
                                  .since_ns = question->since_ns,
                                  .until_ns = question->until_ns,
                                  .every_ns = question->every_ns,
                                  .pieces = grid->view->trends->pieces,
                                  .lines = chart.lines,
                                  .measured_ns = grid->view->trends->measured,
                                  .marks = chart.marks}};
    int r;

    for (uint32_t i = 0; i < grid->row_count && chart.svg.count < SVG_LINES_MAX; i++)
        add_line(&chart, grid, grid->rows[i]);
    add_marks(&chart, grid, answer);
    r = replace_file(path, write_chart, &chart.svg);
    for (uint32_t i = 0; i < chart.svg.count; i++)
        buf_done(&chart.names[i]);
    return r < 0 ? command_error("cannot write %s: %s", path, strerror(-r)) : 0;
}
