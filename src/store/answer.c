/* SPDX-License-Identifier: MIT */
/* Answers of the store: who owns them, and its words. */
#include "store/store.h"

#include <errno.h>
#include <string.h>

static const char *const note_kinds[STORE_NOTE_KIND_MAX] = {
    [STORE_STARTED] = "started", [STORE_STOPPED] = "stopped", [STORE_GAP] = "gap",
    [STORE_CLOCK] = "clock",     [STORE_LOST] = "lost",       [STORE_FINDING] = "finding",
    [STORE_MARK] = "mark",
};

const char *store_note_kind_name(unsigned int kind)
{
    return kind < STORE_NOTE_KIND_MAX ? note_kinds[kind] : "unknown";
}

const char *store_failure(int error)
{
    return error == -EBADMSG ? "the file of the history is damaged" : strerror(-error);
}

void store_answer_take(struct store_answer *answer, struct store_answer *ret_answer)
{
    *ret_answer = *answer;
    *answer = (struct store_answer){0};
}

void store_answer_done(struct store_answer *answer)
{
    snapshot_done(&answer->snapshot);
    free(answer->states);
    free(answer->notes);
    *answer = (struct store_answer){0};
}
