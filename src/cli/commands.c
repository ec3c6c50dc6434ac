/* SPDX-License-Identifier: MIT */
/* The commands of nwho, in the order of the help. */
#include "cli/command.h"

const struct command *const command_table[] = {
    &command_overview, &command_explain,  &command_ls,        &command_ports,   &command_doctor,
    &command_ps,       &command_top,      &command_count,     &command_events,  &command_sniff,
    &command_if,       &command_stats,    &command_routes,    &command_groups,  &command_nat,
    &command_kill,     &command_why_busy, &command_history,   &command_export,  &command_serve,
    &command_mark,     &command_fleet,    &command_selfcheck, &command_columns, &command_help,
};
const uint32_t command_table_count = ARRAY_SIZE(command_table);

const struct command *const command_alone = &command_overview;
const struct command *const command_of_target = &command_explain;
