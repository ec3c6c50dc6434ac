/* SPDX-License-Identifier: MIT */
/* UDP. */
#pragma once

#include "packet/packet.h"

void udp_dissect(struct packet *packet, const struct layer *layer);
