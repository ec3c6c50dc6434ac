/* SPDX-License-Identifier: MIT */
/* The list of tables. */
#include "table/table.h"

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
