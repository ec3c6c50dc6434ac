/* SPDX-License-Identifier: MIT */
/* Columns of groups beside their keys: what their rows add up to, and facts of the greatest one. */
#include "base/vec.h"
#include "table/group.h"

static const struct group_number *numbers_of(const struct group *group, uint32_t row)
{
    return &group->numbers[(size_t)group->rows[row].place * group->plan->added_count];
}

static struct value top_cell(const struct view *view, uint32_t row,
                             const struct group_column *added)
{
    const struct group_plan *plan = view->group->plan;

    for (uint32_t i = 0; i < plan->key_count; i++)
        if (plan->keys[i].column->get == added->part)
            return group_key_cell(view, row, i);
    return added->part(view, view->group->rows[row].top);
}

static struct value added_cell(const struct view *view, uint32_t row, uint32_t n)
{
    const struct group_column *added = view->group->plan->added[n];
    struct group_number number;

    if (added->how == GROUP_TOP)
        return top_cell(view, row, added);
    number = numbers_of(view->group, row)[n];
    if (!number.known)
        return value_none();
    return added->whole ? added->whole(view, number.number) : value_uint(number.number);
}

/* A getter is only told the row: each column has one of its own. */
#define GETTER(n)                                                                                  \
    static struct value get_##n(const struct view *view, uint32_t row)                             \
    {                                                                                              \
        return added_cell(view, row, n);                                                           \
    }
#define EIGHT(apply, tens)                                                                         \
    apply(tens##0) apply(tens##1) apply(tens##2) apply(tens##3) apply(tens##4) apply(tens##5)      \
        apply(tens##6) apply(tens##7)
#define NAME(n) get_##n,
#define ALL(apply)                                                                                 \
    EIGHT(apply, 0)                                                                                \
    EIGHT(apply, 01)                                                                               \
    EIGHT(apply, 02)                                                                               \
    EIGHT(apply, 03) EIGHT(apply, 04) EIGHT(apply, 05) EIGHT(apply, 06) EIGHT(apply, 07)

ALL(GETTER)

/* In octal, as the names are. */
static column_get_fn *const getters[] = {ALL(NAME)};

_Static_assert(ARRAY_SIZE(getters) == GROUP_ADDED_MAX, "a getter for each column");

/* Bits, and what one row of the group has, are asked of the rows. */
static bool is_sum(enum group_how how)
{
    return how != GROUP_TOP && how != GROUP_AND && how != GROUP_OR;
}

void group_plan_add(struct group_plan *plan, const struct group_column *added)
{
    uint32_t n = plan->added_count;
    struct column *column = &plan->columns[plan->table.column_count];

    if (plan->table.column_count == GROUP_ADDED_MAX)
        return;
    plan->added[n] = added;
    *column = added->column;
    column->get = getters[n];
    if (is_sum(added->how))
        column->flags |= COLUMN_SUM;
    plan->added_count++;
    plan->table.columns = plan->columns;
    plan->table.column_count++;
}

int group_plan_sums(struct group_plan *plan, const struct table *table)
{
    const uint32_t summed = COLUMN_COUNTER | COLUMN_RATE;
    struct group_column *columns =
        arena_alloc(&plan->arena, sizeof(*columns) * (table->column_count + 1));

    if (!columns)
        return -ENOMEM;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *column = &table->columns[i];

        if (!(column->flags & summed) || table_column(&plan->table, column->name))
            continue;
        columns[i] =
            (struct group_column){.column = *column, .how = GROUP_SUM, .part = column->get};
        columns[i].column.flags &= ~(uint32_t)(COLUMN_TEXT | COLUMN_MACHINE);
        group_plan_add(plan, &columns[i]);
    }
    return 0;
}

static bool is_asked_for(const struct query *groups, const char *name)
{
    for (uint32_t i = 0; i < groups->column_count; i++)
        if (strcmp(groups->columns[i]->name, name) == 0)
            return true;
    for (uint32_t i = 0; i < groups->sort_count; i++)
        if (strcmp(groups->sort[i].column->name, name) == 0)
            return true;
    return false;
}

void group_plan_rows(struct group_plan *plan, const struct query *groups, struct query *rows)
{
    for (uint32_t i = 0; i < plan->key_count; i++)
        rows->columns[rows->column_count++] = plan->keys[i].column;
    for (uint32_t i = 0; i < plan->added_count; i++) {
        const struct column *part = table_column(rows->table, plan->added[i]->column.name);

        if (!is_asked_for(groups, plan->added[i]->column.name))
            plan->added[i] = NULL;
        else if (part)
            rows->columns[rows->column_count++] = part;
    }
}

void group_plan_done(struct group_plan *plan)
{
    arena_done(&plan->arena);
    *plan = (struct group_plan){.key_count = 0};
}

/* --- adding up --- */

int group_new_numbers(struct group *group, struct group_row *row)
{
    uint32_t count = group->plan->added_count;
    int r = VEC_RESERVE(&group->numbers, &group->number_capacity, group->number_count, count);

    if (r < 0)
        return r;
    row->place = group->row_count;
    for (uint32_t i = 0; i < count; i++)
        group->numbers[group->number_count++] = (struct group_number){.known = false};
    return 0;
}

static void add_number(enum group_how how, struct group_number *to, uint64_t number)
{
    if (!to->known) {
        *to = (struct group_number){.number = number, .known = true};
        return;
    }
    switch (how) {
    case GROUP_MOST:
        to->number = number > to->number ? number : to->number;
        break;
    case GROUP_LEAST:
        to->number = number < to->number ? number : to->number;
        break;
    case GROUP_AND:
        to->number &= number;
        break;
    case GROUP_OR:
        to->number |= number;
        break;
    default:
        to->number += number;
    }
}

/* Whether it is the first row of the group with the same plan.once(). */
static int is_first(struct group *group, const struct view *view, uint32_t row,
                    const struct group_row *to, bool *ret_first)
{
    struct value once = group->plan->once ? group->plan->once(view, row) : value_none();
    uint64_t key;

    *ret_first = true;
    if (once.type != VALUE_UINT)
        return 0;
    key = (once.uint + 1) * UINT64_C(0x9e3779b97f4a7c15) ^ to->place * UINT64_C(0xff51afd7ed558ccd);
    *ret_first = map_get(&group->seen, key) == MAP_NONE;
    return *ret_first ? map_set(&group->seen, key, 1) : 0;
}

static void weigh(const struct group_plan *plan, const struct view *view, uint32_t row,
                  struct group_row *to)
{
    struct group_weight weight = {0};

    if (plan->weigh)
        weight = plan->weigh(view, row);
    if (to->count == 1 || weight.most > to->weight.most ||
        (weight.most == to->weight.most && weight.then > to->weight.then)) {
        to->weight = weight;
        to->top = row;
    }
}

int group_add(struct group *group, const struct view *view, uint32_t row, struct group_row *to)
{
    const struct group_plan *plan = group->plan;
    struct group_number *numbers = &group->numbers[(size_t)to->place * plan->added_count];
    bool first;
    int r = is_first(group, view, row, to, &first);

    weigh(plan, view, row, to);
    for (uint32_t i = 0; i < plan->added_count; i++) {
        const struct group_column *added = plan->added[i];
        struct value part;

        if (!added || added->how == GROUP_TOP || (added->how == GROUP_SUM_ONCE && !first))
            continue;
        part = added->part(view, row);
        if (part.type == VALUE_UINT)
            add_number(added->how, &numbers[i], part.uint);
    }
    return r;
}

static uint32_t find_added(const struct group_plan *plan, const char *column)
{
    for (uint32_t i = 0; i < plan->added_count; i++)
        if (plan->added[i] && plan->added[i]->how != GROUP_TOP &&
            strcmp(plan->added[i]->column.name, column) == 0)
            return i;
    return plan->added_count;
}

struct group_number group_number(const struct group *group, uint32_t row, const char *column)
{
    uint32_t added = find_added(group->plan, column);

    return added < group->plan->added_count ? numbers_of(group, row)[added]
                                            : (struct group_number){.known = false};
}

struct group_number group_sum(const struct group *group, const char *column)
{
    uint32_t added = find_added(group->plan, column);
    struct group_number sum = {.known = false};

    for (uint32_t i = 0; added < group->plan->added_count && i < group->row_count; i++)
        if (numbers_of(group, i)[added].known)
            add_number(GROUP_SUM, &sum, numbers_of(group, i)[added].number);
    return sum;
}
