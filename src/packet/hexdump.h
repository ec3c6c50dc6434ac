/* SPDX-License-Identifier: MIT */
/* Bytes of a packet as they are: in hexadecimal, with characters beside them, or as text. */
#pragma once

#include "packet/packet.h"

/* Lines of 16 bytes, each behind `indent`, which begins with the line end. What is missing of
 * `count` cuts the packet. */
void hexdump_put(struct packet *packet, const char *indent, uint32_t at, uint32_t count);
void hexdump_put_ascii(struct packet *packet, const char *indent, uint32_t at, uint32_t count);

/* As many of `count` bytes as there are. */
void hexdump_put_some(struct packet *packet, const char *indent, uint32_t at, uint32_t count);

/* What is in a frame of an unknown kind; -q, -x and -X leave that out. */
void hexdump_put_unknown(struct packet *packet, uint32_t at, uint32_t count);

/* Text, with dots for what is none. */
void hexdump_put_text(struct packet *packet, uint32_t at, uint32_t count);
