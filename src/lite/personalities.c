/* SPDX-License-Identifier: MIT */
/* The old tools that nwho-lite stands in for, in place of compat/personalities.c. */
#include "compat/personality.h"

const struct personality *const personality_table[] = {&personality_ss, &personality_netstat,
                                                       &personality_lsof, NULL};
