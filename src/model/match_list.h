/* SPDX-License-Identifier: MIT */
/* Conditions for collectors (request.matches), added one after the other. */
#pragma once

#include "base/arena.h"
#include "base/cleanup.h"
#include "model/request.h"

#define MATCH_LIST_MAX 512          /* more are not worth the kernel's time */
#define MATCH_EVERYTHING UINT32_MAX /* instead of an index: a condition that nobody can check */

struct match_list {
    struct match *matches; /* in an arena; room for MATCH_LIST_MAX */
    uint32_t count;
    bool full; /* one had no room: the list is of no use */
};

/* 0 or -ENOMEM. */
int match_list_init(struct match_list *list, struct arena *arena) MUST_CHECK;

/* The index of the condition, or MATCH_EVERYTHING when the list is full. */
uint32_t match_list_add(struct match_list *list, struct match match);

/* Gives the tree below `root` to the request; one that is not whole accepts everything. */
void match_list_push(const struct match_list *list, uint32_t root, struct request *request);
