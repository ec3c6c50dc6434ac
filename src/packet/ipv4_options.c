/* SPDX-License-Identifier: MIT */
/* Options of IPv4: RFC 791, RFC 2113. */
#include "packet/ipv4.h"
#include "packet/names.h"

enum option {
    END = 0,
    NO_OPERATION = 1,
    RECORD_ROUTE = 7,
    TIMESTAMP = 68,
    LOOSE_ROUTE = 131,
    STRICT_ROUTE = 137,
    ROUTER_ALERT = 148,
};

static const struct number_name option_names[] = {
    {END, "EOL"},
    {NO_OPERATION, "NOP"},
    {TIMESTAMP, "timestamp"},
    {130, "security"},
    {RECORD_ROUTE, "RR"},
    {STRICT_ROUTE, "SSRR"},
    {LOOSE_ROUTE, "LSRR"},
    {ROUTER_ALERT, "RA"},
    {82, "traceroute"},
    {0, NULL},
};

enum timestamp_kind { TIMES = 0, TIMES_AND_ADDRESSES = 1, PRESPECIFIED = 3 };

static bool put_route(struct packet *packet, uint32_t at, uint32_t length)
{
    uint32_t next;

    if (length < 3) {
        packet_printf(packet, " [bad length %u]", length);
        return true;
    }
    if ((length + 1) & 3)
        packet_printf(packet, " [bad length %u]", length);
    next = packet_u8(packet, at + 2) - 1u;
    if (next < 3 || ((next + 1) & 3) || next > length + 1)
        packet_printf(packet, " [bad ptr %u]", next + 1);
    for (uint32_t i = 3; i < length; i += 4) {
        if (!packet_has(packet, at + i, 4))
            return false;
        packet_puts(packet, " ");
        packet_put_ipv4(packet, at + i);
        if (next > i)
            packet_puts(packet, ",");
    }
    return true;
}

/* False: bytes are missing; *ret_end is where the hops end. */
static bool put_hops(struct packet *packet, uint32_t at, uint32_t length, uint32_t next,
                     uint32_t hop_size, uint32_t *ret_end)
{
    uint32_t i = 4;

    for (; i < length; i += hop_size) {
        if (!packet_has(packet, at + i, hop_size))
            return false;
        packet_puts(packet, next == i ? " ^ " : " ");
        packet_printf(packet, "%u@", packet_u32(packet, at + i + hop_size - 4));
        if (hop_size == 8)
            packet_put_ipv4(packet, at + i);
    }
    *ret_end = i;
    return true;
}

static bool put_timestamps(struct packet *packet, uint32_t at, uint32_t length)
{
    uint32_t next, hop_size, kind, overflow, end = 0;

    if (length < 4) {
        packet_printf(packet, "[bad length %u]", length);
        return true;
    }
    kind = packet_u8(packet, at + 3) & 15u;
    overflow = packet_u8(packet, at + 3) >> 4;
    hop_size = kind == TIMES ? 4 : 8;
    packet_puts(packet, " TS{");
    if ((length - 4) & (hop_size - 1))
        packet_printf(packet, "[bad length %u]", length);
    next = packet_u8(packet, at + 2) - 1u;
    if (next < 4 || ((next - 4) & (hop_size - 1)) || next > length + 1)
        packet_printf(packet, "[bad ptr %u]", next + 1);
    if (kind == TIMES || kind == TIMES_AND_ADDRESSES || kind == PRESPECIFIED) {
        packet_puts(packet, kind == TIMES          ? "TSONLY"
                            : kind == PRESPECIFIED ? "PRESPEC"
                                                   : "TS+ADDR");
        if (!put_hops(packet, at, length, next, hop_size, &end))
            return false;
    } else {
        packet_printf(packet, "[bad ts type %u]", kind);
    }
    packet_puts(packet, next == end ? " ^ " : "");
    if (overflow)
        packet_printf(packet, " [%u hops not recorded]} ", overflow);
    else
        packet_puts(packet, "}");
    return true;
}

static bool put_option(struct packet *packet, uint8_t code, uint32_t at, uint32_t length)
{
    switch (code) {
    case TIMESTAMP:
        return put_timestamps(packet, at, length);
    case RECORD_ROUTE:
    case STRICT_ROUTE:
    case LOOSE_ROUTE:
        return put_route(packet, at, length);
    case ROUTER_ALERT:
        if (length < 4)
            packet_printf(packet, " [bad length %u]", length);
        else if (packet_u16(packet, at + 2) != 0)
            packet_printf(packet, " value %u", packet_u16(packet, at + 2));
        return true;
    default:
        return true;
    }
}

bool ipv4_put_options(struct packet *packet, uint32_t at, uint32_t length)
{
    const char *between = "";

    while (length > 0 && !packet->cut) {
        uint8_t code;
        uint32_t size = 1;

        packet_puts(packet, between);
        between = ",";
        code = packet_u8(packet, at);
        packet_put_name(packet, option_names, code, "unknown %u");
        if (code != NO_OPERATION && code != END)
            size = packet_u8(packet, at + 1);
        if (size > length || (code != NO_OPERATION && code != END && size < 2)) {
            packet_printf(packet, " [bad length %u]", size);
            return true;
        }
        if (!packet_has(packet, at, size))
            return false;
        if (code == END)
            return true;
        if (!put_option(packet, code, at, size))
            return false;
        at += size;
        length -= size;
    }
    return true;
}
