/* SPDX-License-Identifier: MIT */
/* Configuration: thresholds of checks, from the files of the machine and of the user. */
#pragma once

#include "base/arena.h"
#include "derive/health/check.h"

struct config {
    struct limit *limits; /* CHECK_LIMITS_MAX for each of checks[] */
};

/*
 * The usual values, then what /etc/nwho/nwho.conf says, then $XDG_CONFIG_HOME/nwho/nwho.conf
 * (~/.config where that is not set); NWHO_CONFIG names a file in the place of both. Lives in the
 * arena. 0, or EXIT_ERROR after a line on stderr that says which line of which file is wrong.
 */
int config_read(struct arena *arena, struct config *ret_config) MUST_CHECK;
