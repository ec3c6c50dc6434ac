/* SPDX-License-Identifier: MIT */
/* Linux' cooked captures, which packets of all interfaces have. */
#pragma once

#include "packet/packet.h"

void sll_dissect(struct packet *packet, const struct layer *layer);
void sll2_dissect(struct packet *packet, const struct layer *layer);
