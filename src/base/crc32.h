/* SPDX-License-Identifier: MIT */
/* CRC-32 (ISO-HDLC, as in gzip and PNG): finds accidental damage, no protection against intent. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Tables for eight bytes a step; 8 KiB, made in microseconds by whoever needs checksums. */
struct crc32 {
    uint32_t table[8][256];
};

void crc32_init(struct crc32 *crc);

/* Goes on from the checksum of the bytes before; 0 for the first ones. */
uint32_t crc32_add(const struct crc32 *crc, uint32_t sum, const void *bytes, size_t count);
