/* SPDX-License-Identifier: MIT */
/* Present: which snapshots of now there are, and the messages that want one and bring it. */
#pragma once

#include "serve/passing.h"

enum present {
    PRESENT_OWN, /* of the network namespace of the recorder */
    PRESENT_ALL, /* of every one */
    PRESENT_MAX,
};

/* `memory`: the snapshot; -1: it is wanted. As passing_send(). */
int present_send(int channel, enum present present, int memory) MUST_CHECK;

/* The same on the other side; as passing_receive(), and -EBADMSG: it is none of these. */
int present_receive(int channel, enum present *ret_present, int *ret_memory) MUST_CHECK;
