/* SPDX-License-Identifier: MIT */
/* What packets begin with: Ethernet with VLANs, loopback of BSD, raw IP. */
#pragma once

#include "packet/packet.h"

/* Begins with what `link_type`, a DLT_ of pcap, says. */
void link_begin(struct packet *packet, int link_type, struct layer *layer);

void ether_dissect(struct packet *packet, const struct layer *layer);

/*
 * What an Ethernet type says comes next; false when it is none that is dissected. `captured` is
 * what there is of its `length` bytes.
 */
bool link_push_type(struct packet *packet, uint16_t type, uint32_t at, uint32_t length);

#define ETHER_TYPE_IPV4 0x0800
#define ETHER_TYPE_ARP 0x0806
#define ETHER_TYPE_TRAIL 0x1000
#define ETHER_TYPE_REVERSE_ARP 0x8035
#define ETHER_TYPE_VLAN 0x8100
#define ETHER_TYPE_IPV6 0x86dd
#define ETHER_TYPE_JUMBO 0x8870
#define ETHER_LENGTH_MAX 1500 /* a smaller type is a length */

/* "vlan 7, p 0, " */
void link_put_vlan(struct packet *packet, uint16_t tag);
