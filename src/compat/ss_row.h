/* SPDX-License-Identifier: MIT */
/* One socket as a row of ss(8). */
#pragma once

#include "compat/ss_filter.h"
#include "compat/ss_layout.h"
#include "compat/ss_names.h"
#include "compat/ss_options.h"
#include "table/table.h"

/* What the rows of one output share. */
struct ss_writer {
    const struct ss_options *options;
    const struct ss_filter *filter;
    const struct view *view;
    struct ss_layout layout;
    struct ss_names *names;
};

/* Puts the socket in row `row` of the table of sockets; also what -i and others show below it. */
void ss_row(struct ss_writer *writer, uint32_t row);
