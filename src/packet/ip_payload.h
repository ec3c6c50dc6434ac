/* SPDX-License-Identifier: MIT */
/* What is within IP, by its protocol's number. */
#pragma once

#include "packet/packet.h"

/* layer->protocol says which; layer->ip is the header that it is behind. */
void ip_payload_dissect(struct packet *packet, const struct layer *layer);

/* Shows its ports behind the addresses, so that IP leaves those to it. */
bool ip_payload_puts_addresses(uint8_t protocol);
