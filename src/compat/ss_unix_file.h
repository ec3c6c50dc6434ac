/* SPDX-License-Identifier: MIT */
/* How ss(8) shows unix sockets of a file like /proc/net/unix: other states, another order. */
#pragma once

#include "model/snapshot.h"

/* The state that is shown, and selected by. Sockets from elsewhere have their own. */
unsigned int ss_shown_state(const struct socket *socket);

/* How much of a name is shown: up to the first blank. */
size_t ss_unix_file_name(const char *name, size_t length);

/* Puts rows that are all to be shown, in the order of the file, into that of ss. */
void ss_unix_file_sort(const struct snapshot *snapshot, uint32_t *rows, uint32_t count);
