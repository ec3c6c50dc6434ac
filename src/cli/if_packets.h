/* SPDX-License-Identifier: MIT */
/* nwho if DEV --by size|proto. */
#pragma once

#include "cli/options.h"

/* Returns the exit code. Takes DEV off the words. */
int if_packets(struct options *options);
