/* SPDX-License-Identifier: MIT */
/* The list of tables, and finding columns by name. */
#include "table/table.h"

#include "base/suggest.h"
#include "table/filter.h"

const struct table *const tables[] = {
    &table_sockets,
    &table_processes,
    &table_threads,
    &table_owners,
    &table_descriptors,
    &table_interfaces,
    &table_addresses,
    &table_counters,
    &table_routes,
    &table_groups,
    &table_members,
    &table_flows,
    &table_nat,
    &table_nat_owners,
    &table_nat_events,
    &table_nat_event_owners,
    &table_events,
    &table_states,
    &table_notes,
    &table_packet_sizes,
    &table_packet_protocols,
    &table_findings,
    &table_evidence,
    &table_advice,
    &table_captured,
    &table_captured_owners,
    &table_selfcheck,
    &table_fleet_top,
    &table_fleet_ports,
    &table_fleet_findings,
    &table_fleet_history,
};
const uint32_t table_count = ARRAY_SIZE(tables);

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
