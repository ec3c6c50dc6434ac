/* SPDX-License-Identifier: MIT */
/* Multicast listeners: RFC 2710, RFC 3810. */
#include "packet/icmp6.h"
#include "packet/names.h"

#define VERSION1_LENGTH 24
#define VERSION2_LENGTH 28
#define GROUP_HEADER 20

static const struct number_name record_names[] = {
    {1, "is_in"}, {2, "is_ex"}, {3, "to_in"}, {4, "to_ex"}, {5, "allow"}, {6, "block"}, {0, NULL},
};

static void put_version1(struct packet *packet, uint32_t at)
{
    if (!packet_has(packet, at, VERSION1_LENGTH))
        return;
    packet_printf(packet, "max resp delay: %u addr: ", packet_u16(packet, at + 4));
    packet_put_ipv6(packet, at + 8);
}

/* A number of few bits that can be large: RFC 3810 section 5.1.3. */
static uint32_t expand(uint32_t code, uint32_t bits)
{
    uint32_t mantissa = bits - 4, top = 1u << (bits - 1);

    if (code < top)
        return code;
    return ((code & ((1u << mantissa) - 1)) | 1u << mantissa) << ((code >> mantissa & 7) + 3);
}

/* Addresses of sources, each behind a blank. */
static void put_sources(struct packet *packet, uint32_t at, uint32_t count)
{
    packet_puts(packet, " {");
    for (uint32_t i = 0; i < count && packet_need(packet, at + 16 * i, 16); i++) {
        packet_puts(packet, " ");
        packet_put_ipv6(packet, at + 16 * i);
    }
    packet_puts(packet, " }");
}

static void put_query_details(struct packet *packet, uint32_t at)
{
    uint8_t flags = packet_u8(packet, at + 24);

    if (flags & 0x08)
        packet_puts(packet, " sflag");
    if (flags & 0x07)
        packet_printf(packet, " robustness=%u", flags & 0x07u);
    packet_printf(packet, " qqi=%u", expand(packet_u8(packet, at + 25), 8));
}

static void put_query(struct packet *packet, uint32_t at, uint32_t length)
{
    uint16_t delay = packet_u16(packet, at + 4), sources;
    unsigned int verbose = packet->options->verbose;

    if (verbose > 0)
        packet_printf(packet, " [max resp delay=%u]", expand(delay, 16));
    if (!packet_need(packet, at + 8, 16))
        return;
    packet_puts(packet, " [gaddr ");
    packet_put_ipv6(packet, at + 8);
    if (verbose > 0)
        put_query_details(packet, at);
    sources = packet_u16(packet, at + 26);
    if (sources > 0 && length < VERSION2_LENGTH + sources * 16u)
        packet_puts(packet, " [invalid number of sources]");
    else if (sources > 0 && verbose > 1)
        put_sources(packet, at + VERSION2_LENGTH, sources);
    else if (sources > 0)
        packet_printf(packet, ", %u source(s)", sources);
    packet_puts(packet, "]");
}

/* The group at *at; false: it does not fit. */
static bool put_group(struct packet *packet, uint32_t *at, uint32_t end)
{
    uint16_t sources;

    if (end - *at < GROUP_HEADER) {
        packet_puts(packet, " [invalid number of groups]");
        return false;
    }
    if (!packet_need(packet, *at + 4, 16))
        return false;
    packet_puts(packet, " [gaddr ");
    packet_put_ipv6(packet, *at + 4);
    packet_puts(packet, " ");
    packet_put_name(packet, record_names, packet_u8(packet, *at), " [v2-report-#%u]");
    sources = packet_u16(packet, *at + 2);
    *at += GROUP_HEADER;
    if (end - *at < sources * 16u) {
        packet_printf(packet, " [invalid number of sources %u]", sources);
        return false;
    }
    if (packet->options->verbose == 1)
        packet_printf(packet, ", %u source(s)", sources);
    else
        put_sources(packet, *at, sources);
    *at += sources * 16u;
    packet_puts(packet, "]");
    return true;
}

static void put_report(struct packet *packet, uint32_t at, uint32_t length)
{
    uint32_t group = at + 8;
    uint16_t groups;

    if (length < 8) {
        packet_printf(packet, " [invalid len %u]", length);
        return;
    }
    groups = packet_u16(packet, at + 6);
    packet_printf(packet, ", %u group record(s)", groups);
    if (packet->options->verbose == 0)
        return;
    for (uint32_t i = 0; i < groups && !packet->cut; i++)
        if (!put_group(packet, &group, at + length))
            return;
}

void icmp6_put_listener(struct packet *packet, uint8_t type, uint32_t at, uint32_t length)
{
    if (type == ICMP6_LISTENER_REPORT2) {
        put_report(packet, at, length);
    } else if (type != ICMP6_LISTENER_QUERY || length == VERSION1_LENGTH) {
        put_version1(packet, at);
    } else if (length >= VERSION2_LENGTH) {
        packet_puts(packet, " v2");
        put_query(packet, at, length);
    } else {
        packet_printf(packet, " unknown-version (len %u) ", length);
    }
}
