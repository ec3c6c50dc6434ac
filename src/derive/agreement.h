/* SPDX-License-Identifier: MIT */
/* Agreement: what independent sources tell of the same sockets and owners, compared over several
 * readings. */
/*
 * Nothing can be read at one moment: what comes and goes differs between sources that are right.
 * So the sources are read in turn, again and again, and a difference only counts when the same
 * thing (by cookie, else by inode, else by its ends) differs in the same way in every round.
 */
#pragma once

#include "model/selfcheck.h"
#include "model/snapshot.h"

/* One round: each teller's snapshot, in the order of the enum. */
struct agreement_reading {
    const struct snapshot *snapshots[TELLERS]; /* borrowed; NULL: it was not asked */
    uint32_t protos[TELLERS]; /* PROTO_BIT()s that it is able to tell of, also where it has none */
};

struct agreement;

struct agreement *agreement_new(void); /* NULL: no memory */
void agreement_free(struct agreement *agreement);

/* Takes a round in. 0 or -ENOMEM. */
int agreement_add(struct agreement *agreement, const struct agreement_reading *reading) MUST_CHECK;

/* Whether nothing differs any more: further rounds would change nothing. */
bool agreement_is_settled(const struct agreement *agreement);

/*
 * Adds a row for each sort of thing, and one for each difference that stayed; texts are made in
 * `snapshot`. `reading` is the last one that was added. 0 or -ENOMEM.
 */
int agreement_write(const struct agreement *agreement, const struct agreement_reading *reading,
                    struct snapshot *snapshot, struct selfcheck *selfcheck) MUST_CHECK;
