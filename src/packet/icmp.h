/* SPDX-License-Identifier: MIT */
/* ICMP of IPv4. */
#pragma once

#include "packet/packet.h"

void icmp_dissect(struct packet *packet, const struct layer *layer);

/* The objects behind the quoted packet of an error, RFC 4884. */
void icmp_extension_dissect(struct packet *packet, const struct layer *layer);
