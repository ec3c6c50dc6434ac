/* SPDX-License-Identifier: MIT */
/* The old tools that nwho can stand in for. */
#include "compat/personality.h"

#include "base/cleanup.h"

#include <string.h>

const struct personality *personality_find(const char *name)
{
    for (uint32_t i = 0; personality_table[i]; i++)
        if (strcmp(personality_table[i]->name, name) == 0)
            return personality_table[i];
    return NULL;
}
