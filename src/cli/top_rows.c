/* SPDX-License-Identifier: MIT */
/* What the screen of `nwho top` asks of one row: facts, names, the condition that it stands for. */
#include "cli/top_screen.h"

#include "base/rate.h"
#include "collect/proc_file.h"
#include "collect/process_text.h"
#include "derive/health/ills.h"
#include "table/flow_groups.h"

#include <fcntl.h>
#include <stdio.h>

uint64_t top_number(const struct view *view, uint32_t row, const char *column)
{
    return group_number(view->group, row, column).number;
}

void top_row_facts(void *context, const struct grid *grid, uint32_t row, struct tui_row *ret_row)
{
    const struct view *view = grid->view;
    uint64_t window_ns = view->snapshot->window_ns[FLOW_LAST];
    uint32_t at = grid->rows[row];
    struct group_number flags = group_number(view->group, at, "flags");
    struct group_number open = group_number(view->group, at, "connections");

    (void)context;
    ret_row->identity = grid->table->identity(view, at);
    ret_row->rx = per_second(top_number(view, at, "rx_rate"), window_ns, 0.5);
    ret_row->tx = per_second(top_number(view, at, "tx_rate"), window_ns, 0.5);
    ret_row->sick = group_number(view->group, at, "sick").number != 0;
    if (flags.known)
        ret_row->gone = flags.number & (FLOW_EXITED | (open.number ? 0 : FLOW_CLOSED));
    else
        ret_row->gone = open.known && open.number == 0;
}

/* A cell as people would say it; the screen escapes it. */
void top_put_cell(const struct view *view, uint32_t row, const struct column *column,
                  struct buf *out)
{
    struct value value = column->get(view, row);

    if (value.type == VALUE_STRING)
        buf_put(out, value.string.bytes, value.string.length);
    else if (value.type == VALUE_UINT)
        buf_uint(out, value.uint);
    else if (value.type == VALUE_ADDRESS)
        buf_address(out, value.address.family, value.address.bytes);
    else
        buf_byte(out, '-');
}

/* "nginx(1203)", else what it is grouped by. */
void top_put_title(const struct grid *grid, uint32_t row, struct buf *title)
{
    const struct column *process = table_column(grid->table, "process");
    const struct column *pid = table_column(grid->table, "pid");
    const struct column *peer = table_column(grid->table, "peer");

    if (!pid || pid->get(grid->view, grid->rows[row]).type == VALUE_NONE) {
        top_put_cell(grid->view, grid->rows[row], peer ? peer : grid->columns[0], title);
        return;
    }
    top_put_cell(grid->view, grid->rows[row], process, title);
    buf_byte(title, '(');
    top_put_cell(grid->view, grid->rows[row], pid, title);
    buf_byte(title, ')');
}

/* --- what there is to say of it --- */

bool top_is_started_at(uint32_t pid, uint64_t start_ticks)
{
    struct process_stat stat;
    char path[32], text[1024];
    size_t length;

    snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    return proc_read(AT_FDCWD, path, text, sizeof(text), &length) == 0 &&
           process_stat_parse(text, &stat) && stat.start_ticks == start_ticks;
}

void top_put_command_line(uint32_t pid, struct buf *line)
{
    char path[32], text[256];
    size_t length;

    snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
    if (proc_read(AT_FDCWD, path, text, sizeof(text), &length) < 0 || length == 0)
        return;
    while (length > 0 && text[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        buf_byte(line, text[i] == '\0' || text[i] == '\n' ? ' ' : text[i]);
}

const struct flow *top_process(const struct view *view, uint32_t row)
{
    const struct flow *flow = &view->snapshot->flows[view->group->rows[row].top];

    return table_column(&view->group->plan->table, "pid") && flow->pid && flow->start_ticks ? flow
                                                                                            : NULL;
}

/* What is wrong with its sockets, else what its process was called with. */
void top_explain(void *context, const struct grid *grid, uint32_t row, struct buf *line)
{
    const struct view *view = grid->view;
    uint32_t at = grid->rows[row];
    uint64_t ills = group_number(view->group, at, "sick").number;
    const struct flow *process = top_process(view, at);

    (void)context;
    for (unsigned int i = 0; i < ILL_COUNT; i++)
        if (ills & 1u << i)
            buf_printf(line, "%s%s", line->length ? "; " : "sick: ", ill_help(i));
    if (line->length == 0 && process && top_is_started_at(process->pid, process->start_ticks))
        top_put_command_line(process->pid, line);
}

int top_condition(void *context, uint32_t grouping, const struct grid *grid, uint32_t row,
                  struct buf *text, struct buf *title)
{
    (void)context;
    (void)grouping;
    if (!flow_group_condition(grid->view, grid->rows[row], text))
        return -ENOTSUP;
    top_put_title(grid, row, title);
    return 0;
}

void top_put_argument(struct buf *line, const char *text)
{
    buf_puts(line, " '");
    for (; *text; text++) {
        if (*text == '\'')
            buf_puts(line, "'\\'");
        buf_byte(line, *text);
    }
    buf_byte(line, '\'');
}

/* What was chosen when the screen was opened. */
static void put_source(const struct options *options, struct buf *line)
{
    if (options->all_netns)
        buf_puts(line, " --all-netns");
    for (uint32_t i = 0; i < options->namespace_count; i++) {
        buf_puts(line, " -N");
        top_put_argument(line, options->namespaces[i]);
    }
    if (options->container) {
        buf_puts(line, " --container");
        top_put_argument(line, options->container);
    }
}

/* The screen opens with the first window; of others plain blocks have the rates. */
static void put_window(const struct top_screen *screen, const struct tui_question *question,
                       struct buf *line)
{
    const char *name = screen->windows[question->window].name;

    if (question->window + 1 == screen->window_count)
        buf_printf(line, " --batch%s", *question->sort ? "" : " --sort bytes:desc");
    else if (question->window > 0)
        buf_printf(line, " -o +rx_rate_%s,tx_rate_%s", name, name);
}

void top_put_question(const struct tui_question *question, struct buf *line)
{
    if (*question->sort)
        buf_printf(line, " --sort %s%s", question->sort, question->descending ? ":desc" : "");
    if (*question->within)
        top_put_argument(line, question->within);
    if (*question->filter)
        top_put_argument(line, question->filter);
    if (question->no_loopback)
        top_put_argument(line, TOP_WITHOUT_LOOPBACK);
}

void top_command(void *context, const struct tui_question *question, struct buf *line)
{
    const struct top_screen *screen = context;

    buf_printf(line, "nwho top --by %s", screen->groupings[question->grouping].name);
    put_source(screen->options, line);
    if (question->bytes)
        buf_puts(line, " --bytes");
    put_window(screen, question, line);
    top_put_question(question, line);
}
