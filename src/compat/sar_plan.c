/* SPDX-License-Identifier: MIT */
/* sar: samples are made of what the tables of interfaces and of counters have. */
#include "compat/sar_plan.h"

#include <stdio.h>

enum link_column { LINK_NAME, LINK_SPEED, LINK_DUPLEX, LINK_COUNTERS };
enum counter_column { COUNTER_NAME, COUNTER_CPU, COUNTER_VALUE, COUNTER_COLUMNS };

static const char *const link_columns[LINK_COUNTERS] = {
    [LINK_NAME] = "iface",
    [LINK_SPEED] = "speed_bits",
    [LINK_DUPLEX] = "duplex",
};
static const char *const counter_columns[COUNTER_COLUMNS] = {
    [COUNTER_NAME] = "counter",
    [COUNTER_CPU] = "cpu",
    [COUNTER_VALUE] = "value",
};

static bool takes(const struct sar_plan *plan, uint32_t id, enum sar_rows rows)
{
    return plan->reports & SAR_REPORT_BIT(id) && sar_reports[id].rows == rows;
}

static void add_columns(struct query *query, const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count && names[i]; i++)
        query->columns[query->column_count++] = table_column(query->table, names[i]);
}

/* Of interfaces: what every report needs, then the counters in the order of the reports. */
void sar_plan_init(struct sar_plan *plan, uint32_t reports)
{
    *plan = (struct sar_plan){.reports = reports};
    plan->links = (struct query){.table = &table_interfaces, .as_found = true};
    add_columns(&plan->links, link_columns, LINK_COUNTERS);
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        plan->needs_links |= takes(plan, id, SAR_OF_INTERFACES);
        for (uint32_t i = 0; i < sar_reports[id].column_count; i++)
            if (takes(plan, id, SAR_OF_INTERFACES))
                add_columns(&plan->links, sar_reports[id].columns[i].counters, SAR_SUMMANDS);
    }
    plan->needs_counters = plan->reports & ~(SAR_REPORT_BIT(SAR_DEV) | SAR_REPORT_BIT(SAR_EDEV));
    plan->counters = (struct query){.table = &table_counters, .as_found = true};
    add_columns(&plan->counters, counter_columns, COUNTER_COLUMNS);
}

static uint64_t number(const struct grid *grid, uint32_t row, uint32_t column)
{
    struct value value = grid_cell(grid, row, column);

    return value.type == VALUE_UINT ? value.uint : 0;
}

/* --- interfaces --- */

static int add_link(const struct grid *grid, uint32_t row, const struct sar_report *report,
                    uint32_t *at, struct sar_block *block)
{
    struct value name = grid_cell(grid, row, LINK_NAME);
    struct value duplex = grid_cell(grid, row, LINK_DUPLEX);
    struct sar_row *added = sar_block_add(block);

    if (!added)
        return -ENOMEM;
    snprintf(added->name, sizeof(added->name), "%.*s", (int)name.string.length, name.string.bytes);
    added->speed_bits = number(grid, row, LINK_SPEED);
    added->full_duplex = value_is_text(&duplex, "full");
    for (uint32_t i = 0; i < report->column_count; i++)
        for (uint32_t j = 0; j < SAR_SUMMANDS && report->columns[i].counters[j]; j++)
            added->values[i] += number(grid, row, (*at)++);
    return 0;
}

static int take_links(const struct sar_plan *plan, const struct grid *grid,
                      struct sar_sample *sample)
{
    int r = 0;

    for (uint32_t row = 0; row < grid->row_count && r == 0; row++) {
        uint32_t at = LINK_COUNTERS;

        for (uint32_t id = 0; id < SAR_REPORT_MAX && r == 0; id++)
            if (takes(plan, id, SAR_OF_INTERFACES))
                r = add_link(grid, row, &sar_reports[id], &at, &sample->blocks[id]);
    }
    return r;
}

/* --- counters --- */

/* The column of a report that a counter is a part of; -1 none. */
static int column_of(const struct sar_report *report, const struct value *counter)
{
    for (uint32_t i = 0; i < report->column_count; i++)
        for (uint32_t j = 0; j < SAR_SUMMANDS && report->columns[i].counters[j]; j++)
            if (value_is_text(counter, report->columns[i].counters[j]))
                return (int)i;
    return -1;
}

/* Mostly the last one, or new: the kernel tells of one CPU after the other. */
static struct sar_row *row_of_cpu(struct sar_block *block, const struct value *cpu)
{
    char name[IFNAMSIZ] = "all";
    struct sar_row *row;

    if (cpu->type == VALUE_UINT)
        snprintf(name, sizeof(name), "%u", (unsigned int)cpu->uint);
    for (uint32_t i = block->count; i-- > 0;)
        if (strcmp(block->rows[i].name, name) == 0)
            return &block->rows[i];
    row = sar_block_add(block);
    if (row)
        memcpy(row->name, name, sizeof(name));
    return row;
}

static struct sar_row *row_of(const struct sar_plan *plan, uint32_t id, const struct value *cpu,
                              struct sar_block *block)
{
    if (takes(plan, id, SAR_OF_CPUS))
        return row_of_cpu(block, cpu);
    return block->count ? block->rows : sar_block_add(block);
}

static int take_counters(const struct sar_plan *plan, const struct grid *grid,
                         struct sar_sample *sample)
{
    for (uint32_t row = 0; row < grid->row_count; row++) {
        struct value counter = grid_cell(grid, row, COUNTER_NAME);
        struct value cpu = grid_cell(grid, row, COUNTER_CPU);

        for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
            struct sar_row *of;
            int column = takes(plan, id, SAR_OF_MACHINE) || takes(plan, id, SAR_OF_CPUS)
                             ? column_of(&sar_reports[id], &counter)
                             : -1;

            if (column < 0)
                continue;
            of = row_of(plan, id, &cpu, &sample->blocks[id]);
            if (!of)
                return -ENOMEM;
            of->values[column] += number(grid, row, COUNTER_VALUE);
        }
    }
    return 0;
}

int sar_plan_take(const struct sar_plan *plan, const struct query *query, const struct view *view,
                  struct sar_sample *sample)
{
    struct grid grid;
    int r = query_run(query, view, &grid);

    if (r < 0)
        return r;
    r = query == &plan->links ? take_links(plan, &grid, sample)
                              : take_counters(plan, &grid, sample);
    grid_done(&grid);
    return r;
}
