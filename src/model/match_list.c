/* SPDX-License-Identifier: MIT */
/* Conditions for collectors, added one after the other. */
#include "model/match_list.h"

int match_list_init(struct match_list *list, struct arena *arena)
{
    *list =
        (struct match_list){.matches = arena_alloc(arena, MATCH_LIST_MAX * sizeof(*list->matches))};
    return list->matches ? 0 : -ENOMEM;
}

uint32_t match_list_add(struct match_list *list, struct match match)
{
    if (list->count == MATCH_LIST_MAX) {
        list->full = true;
        return MATCH_EVERYTHING;
    }
    list->matches[list->count] = match;
    return list->count++;
}

void match_list_push(const struct match_list *list, uint32_t root, struct request *request)
{
    if (list->full || root == MATCH_EVERYTHING)
        return;
    request->matches = list->matches;
    request->match_count = root + 1;
}
