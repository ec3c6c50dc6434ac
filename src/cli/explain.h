/* SPDX-License-Identifier: MIT */
/* nwho TARGET: between its queries and their wording. */
#pragma once

#include "cli/talkers.h"

struct explain {
    const char *target;       /* as the user wrote it; several words joined */
    const struct query *rows; /* all that has to do with the target */
    struct query waiting, connections, processes;
    struct query peers, states; /* what is counted of the connections */
    struct group_plan peer_plan, state_plan;
    struct talkers talkers; /* with -d */
    uint32_t process;       /* whose facts were shown last: they are not repeated; JOIN_NONE */
    bool elsewhere; /* a process in a namespace that was not read: only its traffic is known */
    bool *told;     /* one for each process: its threads are listed; NULL without --threads */
};

/* Reads the machine and shows all parts as text. Returns the exit code. */
int explain_show(struct session *session, struct explain *explain) MUST_CHECK;
