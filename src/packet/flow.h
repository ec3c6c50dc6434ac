/* SPDX-License-Identifier: MIT */
/* Between whom a packet is, and no more: for each one that is captured. */
#pragma once

#include "model/captured.h"
#include "model/packet_flow.h"

/* `link_type` is a DLT_ of pcap. What cannot be read is 0. */
void flow_read(struct packet_flow *flow, int link_type, const struct captured *captured);
