/* SPDX-License-Identifier: MIT */
/* One reading of the machine for a personality: what was collected, joined, ready for queries. */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"
#include "compat/host_names.h"
#include "derive/join.h"
#include "derive/names.h"
#include "table/query.h"

struct moment {
    struct arena arena;     /* for what the query's plan and filter need */
    struct request request; /* moment_init() sets it wide open but for needs: queries narrow it */
    struct snapshot snapshot;
    struct join join;
    struct names names;
    struct buf scratch;
    struct view view; /* valid after moment_take() */
    bool taken;
};

/* Zero and empty. moment_done() frees. */
void moment_init(struct moment *moment);
void moment_done(struct moment *moment);

/* Adds what `query` needs to the request and reads the machine. 0 or -errno. */
int moment_take(struct moment *moment, const struct query *query) MUST_CHECK;

/*
 * Says on stderr, behind the name of the tool, what is missing and why; with `owners` also whose
 * sockets hide their owners. False: rows or names (of `names`) may be missing, or texts could not
 * be made, and success would be a lie.
 */
bool moment_check(const struct moment *moment, const struct host_names *names, const char *tool,
                  bool owners) MUST_CHECK;
