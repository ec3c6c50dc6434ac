/* SPDX-License-Identifier: MIT */
/* What packets added up to, at the end of a capture or a file: as text, or as JSON. */
#pragma once

#include "base/buf.h"
#include "derive/conversations.h"

/* Of where the packets came from. */
struct packet_losses {
    bool live; /* else of a file, where the kernel has no part */
    uint64_t by_kernel, by_interface, by_us;
};

/* "proto":"tcp","family":"inet","src_addr":... as all that is about packets has it. */
void packet_ends_put_json(struct buf *out, const struct packet_ends *ends);

/* The largest ones and what was dropped; `out` may be that of the lines. */
void packet_statistics_put_text(struct buf *out, struct conversations *conversations,
                                const struct packet_losses *losses);
/* One line of JSON, with all of them. */
void packet_statistics_put_json(struct buf *out, struct conversations *conversations,
                                const struct packet_losses *losses);
