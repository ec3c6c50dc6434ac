/* SPDX-License-Identifier: MIT */
/* Units: quantities as people read and write them, and the exact numbers that they stand for. */
#pragma once

#include "base/buf.h"

/* What a number counts. A quantity without a unit of its own is a number of these. */
enum unit {
    UNIT_NONE, /* a number that is a name: an id, a port */
    UNIT_COUNT,
    UNIT_BYTES,
    UNIT_BYTES_PER_SECOND,
    UNIT_BITS_PER_SECOND,
    UNIT_MICROSECONDS,
    UNIT_MILLISECONDS,
    UNIT_SECONDS,
};

/*
 * Short forms: two or three significant digits, rounded to the nearest. Bytes and rates count by
 * 1024 as ss(8) and ls(1) -h do: "512", "1.2M", "34G", "1.2M/s". Durations: "85us", "4.1ms",
 * "212ms", "4.1s", "3m12s", "3h12m", "2d4h"; nothing at all is "0". units_parse() understands each
 * of them. A count is written in full, and so are bits: "10Gbit". All return the number of bytes,
 * which are as many columns; `buf` has no sink.
 */
size_t units_write(struct buf *buf, enum unit unit, uint64_t number);
size_t units_write_bytes(struct buf *buf, uint64_t bytes);
size_t units_write_duration(struct buf *buf, uint64_t microseconds);

/* A rate in bytes a second as bits, in the same short form but counted by 1000: "9.6Mbit". */
size_t units_write_bit_rate(struct buf *buf, uint64_t bytes);

/*
 * Reads a quantity of exactly `length` bytes into a number of `unit`s. Letters may be of either
 * case, except b (bits) and B (bytes) in rates. "0x1f" is hexadecimal, in the unit itself.
 *   UNIT_NONE      "12"
 *   UNIT_COUNT     "12" "1.5K" "2M"       K M G T P E are powers of 1000
 *   UNIT_BYTES     "64K" "64KiB" "64KB"   K and KiB are 1024, KB is 1000, as in dd(1) and head(1)
 *   UNIT_BYTES_PER_SECOND                 the same with or without "/s"; "10Mbit", "10Mbit/s" and
 *                                         "10Mb/s" and "10Mbps" are 10,000,000 bits
 *   UNIT_BITS_PER_SECOND                  the same; "10G" are 10,000,000,000 bits
 *   durations      "100ms" "1.5s" "2h30m" ns us ms s m (min) h d w
 * A quantity between two numbers is rounded down, and *ret_more (may be NULL) tells that it is a
 * fraction more. -EINVAL: no quantity of this unit; -ERANGE: larger than 64 bits.
 */
int units_parse(const char *text, size_t length, enum unit unit, uint64_t *ret_number,
                bool *ret_more) MUST_CHECK;
