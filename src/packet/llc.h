/* SPDX-License-Identifier: MIT */
/* IEEE 802.2: frames with a length where others have a type. */
#pragma once

#include "packet/packet.h"

#define LLC_NO_MACS UINT32_MAX

/*
 * Shows the frame at `at`, or pushes what is in it. `macs` is where its addresses are, or
 * LLC_NO_MACS. False: it was dumped, as what it carries is not known.
 */
bool llc_dissect(struct packet *packet, uint32_t at, uint32_t length, uint32_t macs,
                 uint32_t *ret_header);
