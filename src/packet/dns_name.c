/* SPDX-License-Identifier: MIT */
/* Names in DNS: RFC 1035 section 4.1.4. */
#include "packet/dns.h"

#define NAME_MAX_LENGTH 255
#define KIND 0xc0
#define POINTER 0xc0
#define EXTENDED 0x40
#define BIT_STRING 0x41 /* RFC 2673, historic */
#define NO_LABEL UINT32_MAX

/* What the labels of a name are read with. */
struct name {
    uint32_t at;    /* behind the byte `head` */
    uint32_t start; /* of the message */
    uint32_t limit; /* a pointer goes before this */
    uint32_t after; /* the name, as far as it stands in one place */
    uint32_t shown;
    uint32_t size; /* of the label that `head` begins */
    uint8_t head;
    bool jumped;
};

static uint32_t bit_count(struct packet *packet, uint32_t at)
{
    uint8_t count = packet_u8(packet, at);

    return count ? count : 256;
}

static uint32_t label_size(struct packet *packet, uint32_t at)
{
    uint8_t head;

    if (!packet_has(packet, at, 1))
        return NO_LABEL;
    head = packet_u8(packet, at);
    switch (head & KIND) {
    case 0:
    case POINTER:
        return head;
    case EXTENDED:
        if (head != BIT_STRING) {
            packet_printf(packet, "<ELT %u>", head & ~KIND & 0xffu);
            return NO_LABEL;
        }
        if (!packet_has(packet, at + 1, 1))
            return NO_LABEL;
        return (bit_count(packet, at + 1) + 7) / 8 + 1;
    default:
        packet_puts(packet, "<BAD LABEL TYPE>");
        return NO_LABEL;
    }
}

/* Takes the head of the label at `at`; false: there is none. */
static bool read_head(struct packet *packet, struct name *name, uint32_t at)
{
    name->size = label_size(packet, at);
    if (name->size == NO_LABEL)
        return false;
    name->head = packet_u8(packet, at);
    name->at = at + 1;
    return true;
}

static bool follow_pointer(struct packet *packet, struct name *name)
{
    uint32_t offset;

    if (!name->jumped)
        name->after = name->at + 1;
    name->jumped = true;
    if (!packet_has(packet, name->at, 1))
        return false;
    offset = (name->head & 0x3fu) << 8 | packet_u8(packet, name->at);
    if (offset >= name->limit) {
        packet_puts(packet, "<BAD PTR>");
        return false;
    }
    name->limit = offset;
    return read_head(packet, name, name->start + offset);
}

static void put_bits(struct packet *packet, uint32_t at)
{
    uint32_t bits = bit_count(packet, at), left = bits;

    packet_puts(packet, "\\[x");
    for (at++; left > 7; left -= 8, at++)
        packet_printf(packet, "%02x", packet_u8(packet, at));
    if (left > 4)
        packet_printf(packet, "%02x", packet_u8(packet, at) & (0xffu << (8 - left)));
    else if (left > 0)
        packet_printf(packet, "%1x", packet_u8(packet, at) >> 4 & 15u & (15u << (4 - left)));
    packet_printf(packet, "/%u]", bits);
}

static bool put_label(struct packet *packet, struct name *name)
{
    uint32_t room = name->shown < NAME_MAX_LENGTH ? NAME_MAX_LENGTH - name->shown : 0;

    if ((name->head & KIND) == EXTENDED) {
        put_bits(packet, name->at);
    } else {
        if (!packet_put_chars(packet, name->at, name->size < room ? name->size : room))
            return false;
        name->shown += name->size;
    }
    name->at += name->size;
    if (name->shown <= NAME_MAX_LENGTH)
        packet_puts(packet, ".");
    name->shown++;
    if (!read_head(packet, name, name->at))
        return false;
    if (!name->jumped)
        name->after += name->size + 1;
    return true;
}

uint32_t dns_put_name(struct packet *packet, uint32_t at, uint32_t start)
{
    struct name name = {.start = start, .limit = at - start};

    if (!read_head(packet, &name, at))
        return 0;
    if ((name.head & KIND) != POINTER)
        name.after = name.at + name.size;
    if (name.head == 0)
        packet_puts(packet, ".");
    while (name.head && name.at < packet->end && !packet->cut) {
        bool is_pointer = (name.head & KIND) == POINTER;

        if (is_pointer ? !follow_pointer(packet, &name) : !put_label(packet, &name))
            return 0;
    }
    if (name.shown > NAME_MAX_LENGTH)
        packet_puts(packet, "<DOMAIN NAME TOO LONG>");
    return packet->cut ? 0 : name.after;
}

uint32_t dns_skip_name(const struct packet *packet, uint32_t at)
{
    while (packet_has(packet, at, 1)) {
        uint8_t head = packet->bytes[at++];
        uint32_t bits;

        if (head == 0)
            return at;
        switch (head & KIND) {
        case 0:
            at += head;
            break;
        case POINTER:
            return at + 1;
        case EXTENDED:
            if (head != BIT_STRING || !packet_has(packet, at, 1))
                return 0;
            bits = packet->bytes[at] ? packet->bytes[at] : 256;
            at += 1 + (bits + 7) / 8;
            break;
        default:
            return 0;
        }
    }
    return 0;
}
