/* SPDX-License-Identifier: MIT */
/* Names of users, looked up once each. */
#pragma once

#include "base/arena.h"
#include "base/map.h"

#include <stdbool.h>

/* A cache for the life of one command. */
struct names {
    struct arena arena;
    struct map users; /* uid -> index into user_names */
    const char **user_names;
    uint32_t user_count, user_capacity;
    bool failed; /* a name could not be looked up, for want of memory or descriptors */
};

void names_done(struct names *names);

/* The login name of a user id, NULL when it has none. Lives until names_done(). */
const char *names_user(struct names *names, uint32_t uid);
