/* SPDX-License-Identifier: MIT */
/* Files of pcap, as they are written: in the byte order of this machine. */
#include "savefile/pcap_file.h"

#include "savefile/link_type.h"

#define ORDER_MICROSECONDS 0xa1b2c3d4u
#define ORDER_NANOSECONDS 0xa1b23c4du

void pcap_file_put_header(struct buf *out, const struct packet_interface *interface)
{
    const struct {
        uint32_t order;
        uint16_t major, minor;
        uint32_t reserved[2];
        uint32_t snapshot_length, link_type;
    } header = {interface->nanoseconds ? ORDER_NANOSECONDS : ORDER_MICROSECONDS,
                2,
                4,
                {0, 0},
                interface->snapshot_length,
                link_type_to_file(interface->link_type)};

    buf_put(out, &header, sizeof(header));
}

void pcap_file_put_packet(struct buf *out, const struct captured *captured)
{
    const struct pcap_file_record record = {(uint32_t)captured->seconds, captured->fraction,
                                            captured->captured, captured->length};
    char *at = buf_reserve(out, sizeof(record) + captured->captured);

    if (!at)
        return;
    memcpy(at, &record, sizeof(record));
    memcpy(at + sizeof(record), captured->bytes, captured->captured);
    out->length += sizeof(record) + captured->captured;
}
