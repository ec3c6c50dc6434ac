/* SPDX-License-Identifier: MIT */
/* The commands of nwho-lite, in place of cli/commands.c. */
#include "cli/command.h"

const struct command *const command_table[] = {
    &command_ls, &command_ports, &command_ps, &command_count, &command_columns, &command_help,
};
const uint32_t command_table_count = ARRAY_SIZE(command_table);

const struct command *const command_alone = &command_help;
const struct command *const command_of_target = NULL;
