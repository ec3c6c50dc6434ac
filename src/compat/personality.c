/* SPDX-License-Identifier: MIT */
/* The old tools that nwho can stand in for. */
#include "compat/personality.h"

#include "base/cleanup.h"

#include <string.h>

static const struct personality *const personalities[] = {
    &personality_ss,    &personality_netstat, &personality_lsof,  &personality_nethogs,
    &personality_iftop, &personality_nload,   &personality_iptraf};

const struct personality *personality_find(const char *name)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(personalities); i++)
        if (strcmp(personalities[i]->name, name) == 0)
            return personalities[i];
    return NULL;
}
