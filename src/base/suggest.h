/* SPDX-License-Identifier: MIT */
/* "Did you mean": the nearest of some names to a mistyped word. */
#pragma once

/* Start with suggestion_for(), offer names with suggestion_try(); `name` is then the nearest one
 * that is near enough, or NULL. */
struct suggestion {
    const char *word;
    const char *name;
    unsigned int distance;
};

struct suggestion suggestion_for(const char *word);
void suggestion_try(struct suggestion *suggestion, const char *name);
