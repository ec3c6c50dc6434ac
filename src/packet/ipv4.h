/* SPDX-License-Identifier: MIT */
/* IPv4: header, options and fragments. */
#pragma once

#include "packet/packet.h"

void ipv4_dissect(struct packet *packet, const struct layer *layer);

/* The options of a header; false when bytes of them are missing. */
bool ipv4_put_options(struct packet *packet, uint32_t at, uint32_t length);
