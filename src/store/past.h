/* SPDX-License-Identifier: MIT */
/* Past: sums of a time become a snapshot again. */
#pragma once

#include "store/sql.h"
#include "store/sums.h"

/* What is known of one asked piece of the time. */
struct past {
    uint64_t since_ns, until_ns;
    uint64_t measured_ns[CHUNK_KIND_MAX];
    uint64_t ticks[CHUNK_KIND_MAX];
    uint64_t last_ns;     /* when the last tick ended; 0: it has none */
    uint64_t coarsest_ns; /* the longest tick */
    uint64_t accounting;  /* the least of all ticks; 0: there was none */
    struct sums sums[CHUNK_KIND_MAX];
    struct chunk connections; /* the time of each instead of its tick */
};

/* Of all that it is made of, the least exact accounting counts. */
static inline void past_add_accounting(struct past *past, uint64_t accounting)
{
    if (accounting && (!past->accounting || accounting < past->accounting))
        past->accounting = accounting;
}

void past_begin(struct past *past, uint64_t since_ns, uint64_t until_ns);
void past_done(struct past *past);

/* Fills an empty answer, and counts what of it could not be read. 0 or -errno. */
int past_answer(struct store *store, const struct past *past, unsigned int parts,
                struct store_answer *answer, uint32_t *broken) MUST_CHECK;
