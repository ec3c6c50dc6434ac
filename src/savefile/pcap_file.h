/* SPDX-License-Identifier: MIT */
/* Files of pcap, as they are written. */
#pragma once

#include "base/buf.h"
#include "model/captured.h"
#include "savefile/packet_note.h"

/* What a packet's bytes stand behind. */
struct pcap_file_record {
    uint32_t seconds, fraction;
    uint32_t captured, length;
};

/* `interface` is that of all packets. */
void pcap_file_put_header(struct buf *out, const struct packet_interface *interface);
void pcap_file_put_packet(struct buf *out, const struct captured *captured);
