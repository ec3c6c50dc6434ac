/* SPDX-License-Identifier: MIT */
/* Configuration: thresholds of checks, listeners that are meant, and where their baseline is; from
 * the files of the machine and of the user. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "derive/health/allowed.h"
#include "derive/health/check.h"

struct config {
    struct limit *limits; /* CHECK_LIMITS_MAX for each of checks[] */
    struct allowed_listener *allowed;
    uint32_t allowed_count, allowed_capacity;
    const char *fleet_server, *fleet_token_file; /* NULL: none */
    const char *baseline;                        /* file; "off": none; NULL: the usual one */
};

/*
 * The usual values, then what /etc/nwho/nwho.conf says, then $XDG_CONFIG_HOME/nwho/nwho.conf
 * (~/.config where that is not set); NWHO_CONFIG names a file in the place of both. Texts live in
 * the arena. 0, or -errno with one line in `error`, which says what line of which file is wrong.
 * A file that may not be read, as that of another user under sudo, is left out with a line on
 * stderr.
 */
int config_read(struct arena *arena, struct config *ret_config, struct buf *error) MUST_CHECK;

/* The same where nothing can be done without. 0, or EXIT_ERROR after that line on stderr. */
int config_require(struct arena *arena, struct config *ret_config) MUST_CHECK;
void config_done(struct config *config);
