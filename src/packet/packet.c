/* SPDX-License-Identifier: MIT */
/* One captured packet on its way to text: addresses, names, and the order of layers. */
#include "packet/packet.h"

#include "base/format.h"
#include "packet/link.h"
#include "packet/vendor.h"

#include <stdarg.h>
#include <sys/socket.h>

void packet_end(struct packet *packet)
{
    if (!packet->cut)
        packet_put_missing(packet);
    packet->cut = true;
}

void packet_cut(struct packet *packet)
{
    if (!packet->cut)
        packet->dump_all = true;
    packet_end(packet);
}

void packet_printf(struct packet *packet, const char *format, ...)
{
    va_list args;

    if (packet->cut)
        return;
    va_start(args, format);
    buf_vprintf(packet->out, format, args);
    va_end(args);
}

void packet_put_missing(struct packet *packet)
{
    packet_puts(packet, " [|");
    packet_puts(packet, packet->protocol);
    packet_puts(packet, "]");
}

void packet_put_invalid(struct packet *packet)
{
    packet_puts(packet, " (invalid)");
}

void packet_put_address(struct packet *packet, unsigned int family, const uint8_t *address)
{
    static const uint8_t zero[12];

    if (packet->cut)
        return;
    /* As inet_ntop(3) and tcpdump have addresses that are compatible with IPv4, RFC 4291. */
    if (family == AF_INET6 && memcmp(address, zero, 12) == 0 && (address[12] || address[13])) {
        buf_puts(packet->out, "::");
        buf_address(packet->out, AF_INET, address + 12);
    } else {
        buf_address(packet->out, family, address);
    }
}

static void put_address(struct packet *packet, unsigned int family, uint32_t at)
{
    const struct packet_options *options = packet->options;
    const uint8_t *address = packet->bytes + at;

    if (!packet_need(packet, at, family == AF_INET ? 4 : 16))
        return;
    if (!options->numeric && options->put_host(options->names, packet->out, family, address))
        return;
    packet_put_address(packet, family, address);
}

void packet_put_ipv4(struct packet *packet, uint32_t at)
{
    put_address(packet, AF_INET, at);
}

void packet_put_ipv6(struct packet *packet, uint32_t at)
{
    put_address(packet, AF_INET6, at);
}

static void put_hex(struct packet *packet, uint32_t at, uint32_t count, bool colons)
{
    static const char digits[] = "0123456789abcdef";

    if (!packet_need(packet, at, count))
        return;
    for (uint32_t i = 0; i < count; i++) {
        if (colons && i > 0)
            buf_byte(packet->out, ':');
        buf_byte(packet->out, digits[packet->bytes[at + i] >> 4]);
        buf_byte(packet->out, digits[packet->bytes[at + i] & 15]);
    }
}

void packet_put_bytes(struct packet *packet, uint32_t at, uint32_t count)
{
    put_hex(packet, at, count, true);
}

void packet_put_digits(struct packet *packet, uint32_t at, uint32_t count)
{
    put_hex(packet, at, count, false);
}

void packet_put_mac(struct packet *packet, uint32_t at)
{
    packet_put_bytes(packet, at, 6);
    if (!packet->options->numeric && !packet->cut)
        packet_printf(packet, " (oui %s)", vendor_name(packet_u32(packet, at) >> 8, "Unknown"));
}

void packet_put_ends(struct packet *packet, uint32_t ip)
{
    bool is_v4 = packet_u8(packet, ip) >> 4 != 6;
    uint32_t source = ip + (is_v4 ? 12 : 8), size = is_v4 ? 4 : 16;

    if (!packet_need(packet, source, 2 * size))
        return;
    put_address(packet, is_v4 ? AF_INET : AF_INET6, source);
    packet_puts(packet, " > ");
    put_address(packet, is_v4 ? AF_INET : AF_INET6, source + size);
}

void packet_put_port(struct packet *packet, bool is_tcp, uint16_t port)
{
    const struct packet_options *options = packet->options;

    if (packet->cut)
        return;
    if (!options->numeric && options->put_service(options->names, packet->out, is_tcp, port))
        return;
    buf_uint(packet->out, port);
}

/* One byte of text from outside: controls as ^X, those beyond ASCII behind M-. */
static void put_char(struct packet *packet, uint8_t byte)
{
    if (packet->cut)
        return;
    if (byte >= 0x80)
        buf_puts(packet->out, "M-");
    byte &= 0x7f;
    if (byte < ' ' || byte == 0x7f) {
        buf_byte(packet->out, '^');
        byte ^= 0x40;
    }
    buf_byte(packet->out, (char)byte);
}

bool packet_put_chars(struct packet *packet, uint32_t at, uint32_t count)
{
    uint32_t left = packet_left(packet, at), shown = count < left ? count : left;

    for (uint32_t i = 0; i < shown; i++)
        put_char(packet, packet->bytes[at + i]);
    return shown == count;
}

void packet_push(struct packet *packet, const struct layer *layer)
{
    if (packet->layer_count < PACKET_LAYERS_MAX)
        packet->layers[packet->layer_count++] = *layer;
}

void packet_dissect(struct packet *packet, int link_type, uint32_t length)
{
    struct layer layer = {.at = 0, .length = length, .end = packet->captured};

    packet->end = packet->captured;
    packet->cut = false;
    packet->dump_all = false;
    packet->link_length = 0;
    packet->layer_count = 0;
    packet->protocol = "";
    link_begin(packet, link_type, &layer);
    while (packet->layer_count > 0 && !packet->cut) {
        layer = packet->layers[--packet->layer_count];
        packet->end = layer.end;
        layer.dissect(packet, &layer);
    }
    packet->cut = false;
    packet->end = packet->captured;
}
