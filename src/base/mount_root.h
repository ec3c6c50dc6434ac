/* SPDX-License-Identifier: MIT */
/* Whether something is mounted at a path. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>

/* Kernels before 5.8 do not tell: then true, for all that exists. 0 or -errno. */
int mount_root(const char *path, bool *ret_is_root) MUST_CHECK;
