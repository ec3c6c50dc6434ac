/* SPDX-License-Identifier: MIT */
/* How events are written, as they come: rows in every format, the summary, the end. */
#include "cli/event_output.h"

#include "cli/show.h"
#include "out/csv.h"
#include "out/json.h"
#include "table/events.h"
#include "table/marks.h"

int event_output_open(struct event_output *output, struct session *session, struct query *query)
{
    *output = (struct event_output){.session = session, .query = query};
    if (session->options->summary) {
        output->summary = event_summary_new();
        if (!output->summary)
            return command_error("out of memory");
    }
    output->buf = BUF_SINK(STDOUT_FILENO);
    return 0;
}

void event_output_done(struct event_output *output)
{
    buf_done(&output->buf);
    event_summary_free(output->summary);
}

/* Of the words that the column can have. */
static size_t longest_word(const struct event_output *output, const struct column *column)
{
    bool retransmits = output->session->options->retransmits;
    size_t count, longest = 0;
    const char *const *words = event_words(column, &count);

    for (size_t i = 0; i < count; i++)
        if (words[i] && strlen(words[i]) > longest &&
            (words != event_kinds || i != EVENT_RETRANSMITTED || retransmits))
            longest = strlen(words[i]);
    return longest;
}

/* Wide enough for what is usual, so that columns rarely move when something longer comes. */
static void start_widths(struct event_output *output)
{
    static const size_t usual[KIND_MAX] = {
        [KIND_TEXT] = 8, [KIND_ENDPOINT] = 21, [KIND_BYTES] = 4, [KIND_MICROSECONDS] = 6};
    size_t *widths = output->layout.widths;

    for (uint32_t i = 0; i < output->query->column_count; i++) {
        const struct column *column = output->query->columns[i];

        widths[i] = column->kind == KIND_NAME ? longest_word(output, column) : usual[column->kind];
        if (strncmp(column->name, "nat_", 4) == 0)
            widths[i] = 0; /* mostly there is no NAT */
        else if (strcmp(column->name, "state") == 0)
            widths[i] = 11; /* established */
        else if (strcmp(column->name, "clock") == 0)
            widths[i] = 12;
        else if (column->flags & COLUMN_OWNER)
            widths[i] = 23; /* python3(12345) listener */
        else if (strcmp(column->name, "started_by") == 0)
            widths[i] = 16;
    }
}

static int write_text(struct event_output *output, const struct grid *grid, bool header)
{
    struct text_options options = {
        .no_header = !header,
        .color = session_color(output->session),
        .exact = output->session->options->exact,
        .width = show_terminal().ws_col,
        .clip = true,
        .layout = &output->layout,
    };

    return text_write(grid, &options, &output->buf);
}

int event_output_begin(struct event_output *output)
{
    const struct options *options = output->session->options;
    const struct view *view = &output->session->now->view;
    struct grid nothing = {.table = output->query->table,
                           .view = view,
                           .columns = output->query->columns,
                           .column_count = output->query->column_count};

    if (options->quiet)
        return 0;
    start_widths(output);
    output->first = true;
    switch (options->format) {
    case FORMAT_JSON:
        return json_begin(output->query->table, view->snapshot, &output->buf);
    case FORMAT_JSONL:
        return 0;
    case FORMAT_CSV:
        return csv_write(&nothing, options->no_header, &output->buf);
    case FORMAT_TEXT:
        break;
    }
    return options->no_header ? 0 : write_text(output, &nothing, true);
}

static int write_rows(struct event_output *output, const struct grid *grid)
{
    const struct options *options = output->session->options;

    if (options->quiet || !grid->row_count)
        return 0;
    switch (options->format) {
    case FORMAT_JSON:
        return json_more(grid, &output->first, &output->buf);
    case FORMAT_JSONL:
        return jsonl_write(grid, NULL, &output->buf);
    case FORMAT_CSV:
        return csv_write(grid, true, &output->buf);
    case FORMAT_TEXT:
        break;
    }
    return write_text(output, grid, false);
}

static int put_json_end(struct event_output *output, const uint64_t *lost)
{
    struct buf more = BUF_INIT;
    int r = 0;

    if (lost) {
        buf_puts(&more, ",\n\"lost\":");
        buf_uint(&more, *lost);
    }
    if (output->summary) {
        buf_puts(&more, ",\n\"summary\":");
        r = event_summary_json(output->summary, &more);
    }
    buf_string(&more);
    if (r == 0)
        r = more.error ? more.error
                       : json_end(&output->session->now->snapshot, more.data, &output->buf);
    buf_done(&more);
    return r;
}

/* Programs that read rows get the summary beside them. */
static int put_summary(struct event_output *output)
{
    struct buf beside = BUF_SINK(STDERR_FILENO);
    int r;

    if (output->session->options->format == FORMAT_TEXT)
        return event_summary_text(output->summary, &output->buf);
    r = event_summary_text(output->summary, &beside);
    if (r == 0)
        r = buf_flush(&beside);
    buf_done(&beside);
    return r;
}

int event_output_end(struct event_output *output, const uint64_t *lost)
{
    const struct options *options = output->session->options;
    int r = 0;

    if (options->quiet)
        return 0;
    if (output->summary)
        event_summary_end(output->summary);
    if (options->format == FORMAT_JSON)
        r = put_json_end(output, lost);
    else if (output->summary)
        r = put_summary(output);
    return r < 0 ? r : buf_flush(&output->buf);
}

bool event_output_is_full(const struct event_output *output)
{
    uint32_t limit = output->session->options->limit;

    return limit && output->shown >= limit;
}

int event_output_add(struct event_output *output)
{
    uint32_t limit = output->session->options->limit;
    struct grid grid;
    int r = query_run(output->query, &output->session->now->view, &grid);

    if (r < 0)
        return r;
    if (limit && grid.row_count > limit - output->shown)
        grid_clip(&grid, limit - output->shown);
    r = write_rows(output, &grid);
    if (r == 0 && output->summary)
        r = event_summary_add(output->summary, &grid);
    output->shown += grid.row_count;
    grid_done(&grid);
    return r;
}
