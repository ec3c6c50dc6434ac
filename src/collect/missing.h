/* SPDX-License-Identifier: MIT */
/* What is said of protocols that no source could bring, or only one that is not exact. */
#pragma once

#include "collect/source.h"

/* After all sources have run. Rows that may be missing make the snapshot incomplete. */
void missing_protos_note(struct collection *collection);
