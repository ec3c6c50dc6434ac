/* SPDX-License-Identifier: MIT */
/* TCP. */
#pragma once

#include "packet/packet.h"

enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
};

struct tcp_header {
    uint32_t at;
    uint32_t length; /* with the header, as IP says */
    uint32_t header;
    uint16_t source, destination;
    uint8_t flags;
    uint32_t peer_origin; /* what is subtracted from selective acknowledgements */
};

void tcp_dissect(struct packet *packet, const struct layer *layer);

/* ", options [...]"; false when they are broken, as was said. */
bool tcp_put_options(struct packet *packet, const struct tcp_header *tcp);

/* Option 30, `size` bytes with its kind and length; false when it makes no sense. */
bool mptcp_put_option(struct packet *packet, uint32_t at, uint32_t size, uint8_t flags);
