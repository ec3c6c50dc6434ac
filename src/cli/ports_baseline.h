/* SPDX-License-Identifier: MIT */
/* nwho ports --save-baseline and --diff. */
#pragma once

#include "cli/options.h"

/* The exit code. */
int ports_baseline(struct options *options);
