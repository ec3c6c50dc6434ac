/* SPDX-License-Identifier: MIT */
/* ARP and reverse ARP. */
#pragma once

#include "packet/packet.h"

void arp_dissect(struct packet *packet, const struct layer *layer);
