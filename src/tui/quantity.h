/* SPDX-License-Identifier: MIT */
/* Quantity: rates and totals in bits or bytes; a column has one unit, so that its numbers compare.
 */
#pragma once

#include "base/buf.h"

struct quantity_scale {
    bool bits;
    uint32_t power; /* of 1000 (bits) or 1024 (bytes) */
};

/* The unit in which the largest of some bytes/s has not more than four digits. */
struct quantity_scale quantity_scale(uint64_t largest, bool bits);

/* "Mbit/s", "KiB/s" */
void quantity_unit(struct buf *out, struct quantity_scale scale);

/* Bytes/s in that unit, without it: "12.3", "0", and "<0.1" for what is more than nothing. */
void quantity_scaled(struct buf *out, struct quantity_scale scale, uint64_t bytes);

/* With its own unit: "12.3Mbit/s", "1.2M/s"; without "/s" for a total. */
void quantity_rate(struct buf *out, uint64_t bytes, bool bits);
void quantity_total(struct buf *out, uint64_t bytes, bool bits);
