/* SPDX-License-Identifier: MIT */
/* Agreement in rows and words, as `nwho selfcheck` shows it. */
#pragma once

#include "derive/agreement.h"

/*
 * Adds a row for each sort of thing, and one for each difference that stayed; texts are made in
 * `snapshot`. `reading` is the last one that was added. 0 or -ENOMEM.
 */
int agreement_write(const struct agreement *agreement, const struct agreement_reading *reading,
                    struct snapshot *snapshot, struct selfcheck *selfcheck) MUST_CHECK;
