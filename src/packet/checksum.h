/* SPDX-License-Identifier: MIT */
/* The checksum of internet protocols, of parts of a packet. */
#pragma once

#include "packet/packet.h"

/* The sum of `length` bytes at `at`, which are there: 0 when the checksum within them is right. */
uint16_t checksum_of(const struct packet *packet, uint32_t at, uint32_t length);

/* The same with the pseudo header of the IP packet that begins at `ip`. */
uint16_t checksum_of_upper(struct packet *packet, uint32_t ip, uint8_t protocol, uint32_t at,
                           uint32_t length);

/* What a checksum should be, if it is `found` and `sum` was left. */
uint16_t checksum_right(uint16_t found, uint16_t sum);
