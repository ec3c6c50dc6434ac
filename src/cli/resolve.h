/* SPDX-License-Identifier: MIT */
/* Names of hosts for -r: looked up side by side, and never waited for longer than a moment. */
#pragma once

#include "table/query.h"

struct resolver;

/* NULL when there is no memory. */
struct resolver *resolver_new(void);

/* Leaves it alone while a thread still waits for a name server: that ends with the program. */
void resolver_free(struct resolver *resolver);

/*
 * Looks up the addresses of the rows that are to be shown. Returns when all are known or after
 * RESOLVE_WAIT_MS; what is not known then stays a number, and may be known at the next refresh.
 */
void resolver_prepare(struct resolver *resolver, const struct grid *grid);

/* For view.resolve: the name of an address, or NULL. */
const char *resolver_name(void *resolver, const struct value *address);
