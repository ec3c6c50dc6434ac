/* SPDX-License-Identifier: MIT */
/* CRC-32: table-driven, "slicing by eight". */
#include "base/crc32.h"

#define REFLECTED_POLYNOMIAL UINT32_C(0xedb88320)

void crc32_init(struct crc32 *crc)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;

        for (int bit = 0; bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ REFLECTED_POLYNOMIAL : sum >> 1;
        crc->table[0][byte] = sum;
    }
    for (int distance = 1; distance < 8; distance++)
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t sum = crc->table[distance - 1][byte];

            crc->table[distance][byte] = sum >> 8 ^ crc->table[0][sum & 0xff];
        }
}

uint32_t crc32_add(const struct crc32 *crc, uint32_t sum, const void *bytes, size_t count)
{
    const uint8_t *at = bytes;

    sum = ~sum;
    for (; count >= 8; count -= 8, at += 8) {
        uint32_t next = 0;

        for (int i = 0; i < 4; i++)
            next ^=
                crc->table[7 - i][(sum >> (8 * i) & 0xff) ^ at[i]] ^ crc->table[3 - i][at[4 + i]];
        sum = next;
    }
    while (count--)
        sum = sum >> 8 ^ crc->table[0][(sum & 0xff) ^ *at++];
    return ~sum;
}
