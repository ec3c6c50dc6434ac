/* SPDX-License-Identifier: MIT */
/* Passing: messages between the processes of the server, each with memory that nobody can change
 * any more (memfd with seals, since 3.17), or without. */
#pragma once

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>

/* An empty one that can be sealed. A descriptor or -errno. */
int passing_memory(const char *name) MUST_CHECK;

/* From now on nobody changes it. 0 or -errno: somebody still has it mapped. */
int passing_seal(int memory) MUST_CHECK;

/* Never waits. `memory`: -1: there is none. 0; -EAGAIN: the other side has not taken those before;
 * -EPIPE: it is gone; or -errno. */
int passing_send(int channel, const void *message, size_t size, int memory) MUST_CHECK;

/* How long the message is, which is at most `size`; -EAGAIN: there is none; -EPIPE: there will be
 * none; -EBADMSG: it is longer; or -errno. *ret_memory: -1: it has none. */
int passing_receive(int channel, void *message, size_t size, int *ret_memory) MUST_CHECK;
