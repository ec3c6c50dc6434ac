/* SPDX-License-Identifier: MIT */
/* QUIC: the long header that connections begin with. */
#pragma once

#include "packet/packet.h"

/* ", QUIC Initial v1, dcid 8394c8f03e515708", or nothing when it is none. */
void quic_dissect(struct packet *packet, uint32_t at, uint32_t length);
