/* SPDX-License-Identifier: MIT */
/* Schema: the tables of the file, and how an older file becomes a present one. */
#pragma once

#include "store/layout.h"
#include "store/store.h"

#define SCHEMA_APPLICATION 0x6e77686f /* "nwho": PRAGMA application_id */
#define SCHEMA_VERSION 5
#define SCHEMA_WITH_HOST 3
#define SCHEMA_WITH_SECONDS 4
#define SCHEMA_WITH_SUMS 5 /* of pages: only files that were begun with them have this version */

/* The tables of sums: how long a row of each is. */
enum coarse {
    COARSE_MINUTE,
    COARSE_HOUR,
    COARSE_PROCESS_HOUR, /* of flows, without their peers, as minutes are */
    COARSE_MAX,
};

extern const uint32_t coarse_seconds[COARSE_MAX];

/* Whether there is such a table; its name: "flow_minute". */
bool coarse_has(enum chunk_kind kind, enum coarse coarse);
void coarse_put_table(enum chunk_kind kind, enum coarse coarse, struct buf *out);

/* Whether a file of this version has it. */
static inline bool schema_has(int64_t version, enum coarse coarse)
{
    return coarse != COARSE_PROCESS_HOUR || version >= 2;
}

/* How many of its key columns the table has: flows of processes have no endpoint. */
uint32_t coarse_keys(enum chunk_kind kind, enum coarse coarse);

/* Whether the file can be used: 0; -EPROTONOSUPPORT: of a newer nwho; -EBADMSG: no store of ours.
 * store->version is 0 of a new file. */
int schema_check(struct store *store) MUST_CHECK;

/* The version that the file can be brought to. */
int64_t schema_newest(struct store *store);

/* Brings the file to that version, in one transaction. */
int schema_make(struct store *store) MUST_CHECK;
