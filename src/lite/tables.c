/* SPDX-License-Identifier: MIT */
/* The tables of nwho-lite, in place of table/tables.c. */
#include "table/table.h"

const struct table *const tables[] = {
    &table_sockets,
    &table_processes,
    &table_threads,
};
const uint32_t table_count = ARRAY_SIZE(tables);

/* Others ask whether it is one of these that is shown: it never is. */
const struct table table_interfaces = {.name = "interfaces"};
const struct table table_findings = {.name = "findings"};
