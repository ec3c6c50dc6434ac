/* SPDX-License-Identifier: MIT */
/* Finding columns by name. */
#include "table/table.h"

#include "base/suggest.h"
#include "table/filter.h"

const struct column *table_column(const struct table *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

const char *table_suggest_column(const struct table *table, const char *word)
{
    struct suggestion best = suggestion_for(word);
    const char *alias, *stands_for;

    for (uint32_t i = 0; i < table->column_count; i++)
        suggestion_try(&best, table->columns[i].name);
    for (uint32_t i = 0; filter_alias_help(i, &alias, &stands_for); i++)
        if (table_column(table, stands_for))
            suggestion_try(&best, alias);
    return best.name;
}
