/* SPDX-License-Identifier: MIT */
/* Loss: what SQLite has forgotten of the journal of a writer that was killed, as it is damaged. */
#pragma once

#include "store/sql.h"

/*
 * Before a file is written: -EBADMSG where what is left of the journal does not fit it. Who closes
 * the file then does not write that into it.
 */
int loss_check(struct store *store) MUST_CHECK;

/* Who writes from now on says it in the file and in `problem`, as nothing else tells of it
 * afterwards. */
int loss_note(struct store *store, const char *path, struct buf *problem) MUST_CHECK;

/* Of who opens the file beside a writer, with these flags of SQLite's: one that lives has said it
 * itself, or is just writing what seems to be wrong. */
int loss_find(struct store *store, const char *path, int flags, struct buf *problem) MUST_CHECK;
