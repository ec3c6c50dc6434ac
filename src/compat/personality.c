/* SPDX-License-Identifier: MIT */
/* The old tools that nwho can stand in for. */
#include "compat/personality.h"

#include "base/cleanup.h"

#include <string.h>

const struct personality *const personality_table[] = {&personality_ss,
                                                       &personality_netstat,
                                                       &personality_lsof,
                                                       &personality_nethogs,
                                                       &personality_iftop,
                                                       &personality_nload,
                                                       &personality_iptraf,
                                                       &personality_sar,
                                                       &personality_tcpdump,
                                                       &personality_conntrack,
                                                       NULL};

const struct personality *personality_find(const char *name)
{
    for (uint32_t i = 0; personality_table[i]; i++)
        if (strcmp(personality_table[i]->name, name) == 0)
            return personality_table[i];
    return NULL;
}
