/* SPDX-License-Identifier: MIT */
/* TLS: the ClientHello, RFC 8446 section 4.1.2, RFC 6066, RFC 7301. */
#include "packet/tls.h"

#include "packet/facts.h"

#define RECORD_HEADER 5
#define RECORD_HANDSHAKE 22
#define CLIENT_HELLO 1
#define SERVER_NAME 0
#define PROTOCOLS 16
#define VERSIONS 43
#define HOST_NAME 0

/* Bytes that a length of its own limits; what was not captured is no error. */
struct span {
    uint32_t at, end;
};

/* Takes a length of `size` bytes and what it is of. False: it goes beyond. */
static bool take(const struct packet *packet, struct span *from, uint32_t size,
                 struct span *ret_span)
{
    uint32_t length = 0;

    if (from->end - from->at < size || !packet_has(packet, from->at, size))
        return false;
    for (uint32_t i = 0; i < size; i++)
        length = length << 8 | packet->bytes[from->at + i];
    from->at += size;
    if (length > from->end - from->at || !packet_has(packet, from->at, length))
        return false;
    *ret_span = (struct span){from->at, from->at + length};
    from->at += length;
    return true;
}

static bool skip(struct span *span, uint32_t count)
{
    if (span->end - span->at < count)
        return false;
    span->at += count;
    return true;
}

static void put_server_name(struct packet *packet, struct span value)
{
    struct span list, name;

    if (!take(packet, &value, 2, &list))
        return;
    while (list.at < list.end) {
        uint8_t type = packet_u8(packet, list.at++);

        if (!take(packet, &list, 2, &name))
            return;
        if (type != HOST_NAME)
            continue;
        packet_puts(packet, ", SNI ");
        packet_put_chars(packet, name.at, name.end - name.at);
        if (packet->facts)
            packet->facts->tls.sni =
                packet_facts_add(packet->facts, packet->bytes + name.at, name.end - name.at);
    }
}

static void take_protocol(struct packet_facts *facts, const uint8_t *name, uint32_t length)
{
    if (facts && facts->tls.alpn_count < FACTS_ALPN_MAX)
        facts->tls.alpn[facts->tls.alpn_count++] = packet_facts_add(facts, name, length);
}

/* The newest that is offered; those of RFC 8701 mean nothing. */
static void take_versions(struct packet *packet, struct span value)
{
    struct span list;

    if (!packet->facts || !take(packet, &value, 1, &list))
        return;
    for (; list.end - list.at >= 2; list.at += 2) {
        uint16_t version = packet_u16(packet, list.at);

        if ((version & 0x0f0f) != 0x0a0a && version > packet->facts->tls.version)
            packet->facts->tls.version = version;
    }
}

static void put_protocols(struct packet *packet, struct span value)
{
    struct span list, name;
    const char *before = ", ALPN ";

    if (!take(packet, &value, 2, &list))
        return;
    while (list.at < list.end && take(packet, &list, 1, &name)) {
        packet_puts(packet, before);
        packet_put_chars(packet, name.at, name.end - name.at);
        take_protocol(packet->facts, packet->bytes + name.at, name.end - name.at);
        before = " ";
    }
}

static void put_extensions(struct packet *packet, struct span list)
{
    struct span value;

    while (list.end - list.at >= 2 && packet_has(packet, list.at, 2)) {
        uint16_t type = packet_u16(packet, list.at);

        list.at += 2;
        if (!take(packet, &list, 2, &value))
            return;
        if (type == SERVER_NAME)
            put_server_name(packet, value);
        else if (type == PROTOCOLS)
            put_protocols(packet, value);
        else if (type == VERSIONS)
            take_versions(packet, value);
    }
}

void tls_dissect(struct packet *packet, uint32_t at, uint32_t length)
{
    struct span hello = {at + RECORD_HEADER + 4, at + length}, ignored;

    if (length < RECORD_HEADER + 4 || !packet_has(packet, at, RECORD_HEADER + 4) ||
        packet_u8(packet, at) != RECORD_HANDSHAKE || packet_u8(packet, at + 1) != 3 ||
        packet_u8(packet, at + RECORD_HEADER) != CLIENT_HELLO)
        return;
    packet_puts(packet, ": TLS ClientHello");
    if (packet->facts) {
        packet->facts->has |= FACTS_TLS;
        if (packet_has(packet, hello.at, 2))
            packet->facts->tls.version = packet_u16(packet, hello.at);
    }
    /* The extensions go on in the next segment: as far as they are here. */
    if (skip(&hello, 2 + 32) && take(packet, &hello, 1, &ignored) &&
        take(packet, &hello, 2, &ignored) && take(packet, &hello, 1, &ignored) && skip(&hello, 2))
        put_extensions(packet, hello);
}
