/* SPDX-License-Identifier: MIT */
/* Present: which snapshots of now there are, by bits, and the messages that want one and bring it.
 */
#pragma once

#include "serve/passing.h"

enum present {
    PRESENT_ALL_NETNS = 1u << 0,    /* of every network namespace; else of the recorder's */
    PRESENT_NO_TIME_WAIT = 1u << 1, /* without these sockets, of which there may be very many */
    PRESENT_PROCESSES = 1u << 2,    /* with those that have no socket */
    PRESENT_MAX = 1u << 3,
};

/* `memory`: the snapshot; -1: it is wanted. As passing_send(). */
int present_send(int channel, enum present present, int memory) MUST_CHECK;

/* The same on the other side; as passing_receive(), and -EBADMSG: it is none of these. */
int present_receive(int channel, enum present *ret_present, int *ret_memory) MUST_CHECK;
