/* SPDX-License-Identifier: MIT */
/* The login name of a user id, as this machine has it. */
#pragma once

#include "base/cleanup.h"

#include <stdint.h>

#define USER_NAME_SIZE 256 /* with its NUL; what is longer counts as no name */

/* May ask a directory server. 0; -ENOENT: it has none; else -errno: it could not be asked. */
int user_name(uint32_t uid, char name[USER_NAME_SIZE]) MUST_CHECK;
