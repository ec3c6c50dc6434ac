/* SPDX-License-Identifier: MIT */
/* Topics of nwho help that are put together from the tables of the program. */
#pragma once

#include "base/buf.h"

void help_put_filters(struct buf *out);

/* One name a line: for completion, and for the check of the documentation. */
void help_put_command_names(struct buf *out);
void help_put_option_names(struct buf *out);
void help_put_words(struct buf *out); /* of filters */
