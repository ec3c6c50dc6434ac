/* SPDX-License-Identifier: MIT */
/* Notes of the history as `nwho history` shows them: marks, gaps, findings, losses. */
#pragma once

#include "base/buf.h"
#include "store/store.h"

struct history_notes {
    bool json;
    struct buf out;
    /* In text, losses of one kind that follow each other are one line: those not yet written. */
    struct buf loss; /* what is behind their number */
    uint64_t since_ns, until_ns;
    uint64_t lost; /* their sum */
    uint32_t losses;
};

#define HISTORY_NOTES_INIT(is_json)                                                                \
    ((struct history_notes){.json = (is_json), .out = BUF_INIT, .loss = BUF_INIT})

void history_notes_done(struct history_notes *notes);

/* A line, or the next element of an array. Its text is of the snapshot. */
void history_notes_add(struct history_notes *notes, const struct snapshot *snapshot,
                       const struct store_note *note);

/* After the last one: `out` has all of them. 0 or -errno. */
int history_notes_end(struct history_notes *notes) MUST_CHECK;
