/* SPDX-License-Identifier: MIT */
/* nwho help states: what each state of TCP means. */
#pragma once

#include "base/buf.h"

void help_put_states(struct buf *out);
