/* SPDX-License-Identifier: MIT */
/* Groups of tracked connections: how much of the table each of them takes. */
#include "table/nat_groups.h"

/* The same in every namespace, each of which has a table of its own. False: it is not known. */
static bool find_limit(const struct snapshot *snapshot, uint64_t *ret_limit)
{
    for (uint32_t i = 0; i < snapshot->settings_count; i++) {
        const struct setting *setting = &snapshot->settings[i];

        if (strcmp(snapshot_string(snapshot, setting->name, NULL),
                   "net.netfilter.nf_conntrack_max") == 0) {
            *ret_limit = setting->numbers[0];
            return setting->count && setting->numbers[0];
        }
    }
    return false;
}

static bool is_key(const struct group_plan *plan, const char *column)
{
    for (uint32_t i = 0; i < plan->key_count; i++)
        if (strcmp(plan->keys[i].column->name, column) == 0)
            return true;
    return false;
}

static bool has_several_tables(const struct snapshot *snapshot)
{
    for (uint32_t i = 1; i < snapshot->conntracks_count; i++)
        if (snapshot->conntracks[i].netns != snapshot->conntracks[0].netns)
            return true;
    return false;
}

static struct value get_one(const struct view *view, uint32_t row)
{
    (void)view;
    (void)row;
    return value_uint(1);
}

static struct value share_of_limit(const struct view *view, uint64_t entries)
{
    uint64_t limit;

    if (!find_limit(view->snapshot, &limit) ||
        (has_several_tables(view->snapshot) && !is_key(view->group->plan, "netns")))
        return value_none();
    return value_uint((entries * 100 + limit / 2) / limit);
}

static const struct group_column of_limit = {
    .column = {"of_limit", "%LIMIT",
               "Share of nf_conntrack_max, in percent; of several tables only by netns", KIND_COUNT,
               COLUMN_TEXT | COLUMN_MACHINE, NEED_SETTINGS, NULL},
    .how = GROUP_SUM,
    .part = get_one,
    .whole = share_of_limit,
};

int nat_group_plan(const char *words, struct group_plan *ret_plan, struct buf *error)
{
    int r = group_plan(&table_nat, words, ret_plan, error);

    if (r < 0)
        return r;
    group_plan_add(ret_plan, &of_limit);
    return group_plan_sums(ret_plan, &table_nat);
}
