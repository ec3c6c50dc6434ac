/* SPDX-License-Identifier: MIT */
/* A chart of the first rows of an answer of `nwho history`. */
#pragma once

#include "store/store.h"
#include "table/query.h"

/* Writes it to a file. The view of the grid has trends, in pieces of `question`, and its snapshot
 * the texts of the notes of the answer. 0, or EXIT_ERROR after one line on stderr. */
int history_chart_write(const struct grid *grid, const struct store_answer *answer,
                        const struct store_question *question, const char *path) MUST_CHECK;
