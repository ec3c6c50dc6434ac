/* SPDX-License-Identifier: MIT */
/* Types of links as files name them. */
#include "savefile/link_type.h"

#include "base/cleanup.h"

/* DLT_ of Linux, and the number that means the same on all systems. All others are the same. */
static const struct {
    uint8_t link_type, number;
} differing[] = {{11, 100}, {12, 101}, {13, 102}, {14, 103}, {19, 106}};

uint16_t link_type_to_file(int link_type)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(differing); i++)
        if (link_type == differing[i].link_type)
            return differing[i].number;
    return (uint16_t)link_type;
}

int link_type_from_file(uint16_t number)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(differing); i++)
        if (number == differing[i].number)
            return differing[i].link_type;
    return number;
}
