/* SPDX-License-Identifier: MIT */
/* Plain meanings of counters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What the counter of this name ("TcpExtListenOverflows") says, or NULL. */
const char *counter_meaning(const char *name, size_t length);

/* Name number `index` that has a meaning, sorted; false behind the last. For the tests. */
bool counter_meaning_at(size_t index, const char **ret_name);
