/* SPDX-License-Identifier: MIT */
/* One captured packet on its way to text: what dissectors read from and write to. */
/*
 * A dissector is a function of a packet and of the layer it is to show: it reads checked bytes,
 * writes text, and says what comes next by packet_push(). Nothing is read beyond `end`. The first
 * read that fails says so in the text (" [|tcp]") and cuts the packet: from then on reads give 0,
 * nothing is written, and no further layer is shown. So a dissector need not ask after each read;
 * only its loops do.
 */
#pragma once

#include "base/buf.h"
#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

#define PACKET_LAYERS_MAX 16

struct packet;
struct packet_facts;
struct tcp_flows;

/* What is to be shown of every packet, and how. */
struct packet_options {
    unsigned int verbose; /* 0 to 3: how much of each protocol */
    bool link_header;
    bool quiet;          /* addresses and lengths, no more */
    bool very_quiet;     /* of later fragments nothing */
    bool absolute;       /* sequence numbers of TCP as they are in the packet */
    bool keep_checksums; /* they are not checked */
    bool numeric;        /* no names of hosts, services and vendors */
    bool all_dns;        /* all of UDP is taken for DNS */
    bool own_lines;      /* what tcpdump does not show: TLS, QUIC */
    bool no_dump;        /* packets of unknown protocols are not dumped */
    /* Names, if not `numeric`. Each writes one, or returns false. */
    bool (*put_host)(void *names, struct buf *out, unsigned int family, const uint8_t *address);
    bool (*put_service)(void *names, struct buf *out, bool is_tcp, uint16_t port);
    bool (*put_interface)(void *names, struct buf *out, uint32_t index);
    /* Told of each address that an answer of DNS has for a name; NULL: nobody asks. */
    void (*take_name)(void *names, unsigned int family, const uint8_t *address, const char *name);
    void *names;
};

/* What a dissector is given: where it begins, and how long it says it is. */
struct layer {
    void (*dissect)(struct packet *packet, const struct layer *layer);
    uint32_t at, length;
    uint32_t end;  /* of what it may read */
    uint32_t ip;   /* where the header of the IP packet is that it is in */
    bool fragment; /* of the first fragment: more of it is elsewhere */
    uint8_t protocol, hop_limit;
};

struct packet {
    const uint8_t *bytes;
    uint32_t captured; /* how many there are */
    uint32_t end;      /* how many may be read now */
    uint32_t link_length;
    const char *protocol; /* whose bytes are missing, when the packet is cut */
    bool cut;
    bool dump_all; /* a dump shows the link's header too, as what is behind it is in doubt */
    uint32_t layer_count;
    struct layer layers[PACKET_LAYERS_MAX];
    const struct packet_options *options;
    struct tcp_flows *flows;
    struct packet_facts *facts; /* filled in besides; NULL: nobody asks, or that is said within an
                                   error that quotes a packet */
    struct buf *out;
};

/* --- reading --- */

/* Says that bytes are missing, and ends the packet: at a read that failed, or before one. */
void packet_cut(struct packet *packet);
void packet_end(struct packet *packet);

static inline bool packet_has(const struct packet *packet, uint32_t at, uint32_t count)
{
    return at <= packet->end && count <= packet->end - at;
}

/* False: they are not there, and the packet is cut. */
static inline bool packet_need(struct packet *packet, uint32_t at, uint32_t count)
{
    if (!packet->cut && packet_has(packet, at, count))
        return true;
    packet_cut(packet);
    return false;
}

/* The same, where that is looked at before anything is read. */
static inline bool packet_expect(struct packet *packet, uint32_t at, uint32_t count)
{
    if (!packet->cut && packet_has(packet, at, count))
        return true;
    packet_end(packet);
    return false;
}

/* How many bytes may be read from `at` on. */
static inline uint32_t packet_left(const struct packet *packet, uint32_t at)
{
    return at < packet->end ? packet->end - at : 0;
}

static inline uint8_t packet_u8(struct packet *packet, uint32_t at)
{
    return packet_need(packet, at, 1) ? packet->bytes[at] : 0;
}

static inline uint16_t packet_u16(struct packet *packet, uint32_t at)
{
    const uint8_t *b = packet->bytes + at;

    return packet_need(packet, at, 2) ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static inline uint32_t packet_u32(struct packet *packet, uint32_t at)
{
    const uint8_t *b = packet->bytes + at;

    if (!packet_need(packet, at, 4))
        return 0;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t packet_u64(struct packet *packet, uint32_t at)
{
    uint64_t high = packet_u32(packet, at);

    return high << 32 | packet_u32(packet, at + 4);
}

/* Nothing from `at` + `length` on may be read. */
static inline void packet_narrow(struct packet *packet, uint32_t at, uint32_t length)
{
    if (at <= packet->end && length < packet->end - at)
        packet->end = at + length;
}

/* --- writing; see buf.h --- */

static inline void packet_puts(struct packet *packet, const char *text)
{
    if (!packet->cut)
        buf_puts(packet->out, text);
}

static inline void packet_put_uint(struct packet *packet, uint64_t number)
{
    if (!packet->cut)
        buf_uint(packet->out, number);
}

void packet_printf(struct packet *packet, const char *format, ...) PRINTF_LIKE(2, 3);

/* Bytes are missing, but what the packet is within goes on. */
void packet_put_missing(struct packet *packet);
void packet_put_invalid(struct packet *packet);

/* An address as a number. */
void packet_put_address(struct packet *packet, unsigned int family, const uint8_t *address);

/* Addresses that stand at `at`, with names. */
void packet_put_ipv4(struct packet *packet, uint32_t at);
void packet_put_ipv6(struct packet *packet, uint32_t at);
void packet_put_mac(struct packet *packet, uint32_t at);
/* As bytes with colons between them. */
void packet_put_bytes(struct packet *packet, uint32_t at, uint32_t count);
void packet_put_digits(struct packet *packet, uint32_t at, uint32_t count); /* without */

/* "10.0.0.1 > 10.0.0.2" of the IP packet that begins at `ip`. */
void packet_put_ends(struct packet *packet, uint32_t ip);
void packet_put_port(struct packet *packet, bool is_tcp, uint16_t port);

/* `count` bytes of text from outside, or as many as there are; false when some are missing. */
bool packet_put_chars(struct packet *packet, uint32_t at, uint32_t count);

/* --- layers --- */

/* What is shown next: the last pushed comes first. Too deep: it is left out. */
void packet_push(struct packet *packet, const struct layer *layer);

/* --- the whole packet --- */

/* Whether packets of this type of link can be dissected; `type` is a DLT_ of pcap. */
bool packet_link_known(int type);

/* The text of one packet, without time and line end. */
void packet_dissect(struct packet *packet, int link_type, uint32_t length);
