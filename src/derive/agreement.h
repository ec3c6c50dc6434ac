/* SPDX-License-Identifier: MIT */
/* Agreement: what independent sources tell of the same sockets and owners, compared over several
 * readings. */
/*
 * Nothing can be read at one moment: what comes and goes differs between sources that are right.
 * So the sources are read in turn, again and again, and a difference only counts when the same
 * thing (by cookie, else by inode, else by its ends) differs in the same way in every round.
 */
#pragma once

#include "model/selfcheck.h" /* enum teller */
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

/* --- what came out; before the first round, nothing --- */

/* A sort of thing: a protocol (enum socket_proto), or which process holds which socket. */
#define AGREEMENT_OWNERS PROTO_MAX
#define AGREEMENT_SUBJECTS (PROTO_MAX + 1)

/* Of all that is of one sort. */
struct agreement_result {
    uint32_t counts[TELLERS]; /* how many each told of, in the last round */
    uint32_t tellers;         /* 1u << enum teller: who could tell; 0: nobody */
    uint32_t differing;       /* in every round */
    uint32_t passing;         /* in the first round, and not in all that followed */
};

/* One thing that differed in every round. */
struct agreement_difference {
    unsigned int subject;
    uint32_t tells, silent; /* 1u << enum teller: who told of it; who could, and did not */
    uint32_t index;         /* of the socket, or holder, in the last round's snapshot of `teller` */
    enum teller teller;
};

uint32_t agreement_rounds(const struct agreement *agreement);
void agreement_result(const struct agreement *agreement, unsigned int subject,
                      struct agreement_result *ret_result);

/* How many things differed in every round, and the one at `index` of them. */
uint32_t agreement_count(const struct agreement *agreement);
struct agreement_difference agreement_difference(const struct agreement *agreement, uint32_t index);
