/* SPDX-License-Identifier: MIT */
/* Questions and records of DNS. */
#include "packet/dns.h"
#include "packet/names.h"

#include <netinet/in.h>

#define CLASS_IN 1
#define MULTICAST_FLAG                                                                             \
    0x8000 /* of a class, RFC 6762: unicast wanted; the cache is to be flushed                     \
            */

enum type {
    A = 1,
    NS = 2,
    CNAME = 5,
    SOA = 6,
    PTR = 12,
    MX = 15,
    TXT = 16,
    AAAA = 28,
    SRV = 33,
    A6 = 38,
    DNAME = 39,
    OPT = 41,
    UNSPECA = 104,
    TSIG = 250,
    URI = 256,
};

static const struct number_name type_names[] = {
    {A, "A"},         {NS, "NS"},           {3, "MD"},        {4, "MF"},
    {CNAME, "CNAME"}, {SOA, "SOA"},         {7, "MB"},        {8, "MG"},
    {9, "MR"},        {10, "NULL"},         {11, "WKS"},      {PTR, "PTR"},
    {13, "HINFO"},    {14, "MINFO"},        {MX, "MX"},       {TXT, "TXT"},
    {17, "RP"},       {18, "AFSDB"},        {19, "X25"},      {20, "ISDN"},
    {21, "RT"},       {22, "NSAP"},         {23, "NSAP_PTR"}, {24, "SIG"},
    {25, "KEY"},      {26, "PX"},           {27, "GPOS"},     {AAAA, "AAAA"},
    {29, "LOC"},      {30, "NXT"},          {31, "EID"},      {32, "NIMLOC"},
    {SRV, "SRV"},     {34, "ATMA"},         {35, "NAPTR"},    {36, "KX"},
    {37, "CERT"},     {A6, "A6"},           {DNAME, "DNAME"}, {40, "SINK"},
    {OPT, "OPT"},     {42, "APL"},          {43, "DS"},       {44, "SSHFP"},
    {45, "IPSECKEY"}, {46, "RRSIG"},        {47, "NSEC"},     {48, "DNSKEY"},
    {99, "SPF"},      {100, "UINFO"},       {101, "UID"},     {102, "GID"},
    {103, "UNSPEC"},  {UNSPECA, "UNSPECA"}, {249, "TKEY"},    {TSIG, "TSIG"},
    {251, "IXFR"},    {252, "AXFR"},        {253, "MAILB"},   {254, "MAILA"},
    {255, "ANY"},     {URI, "URI"},         {0, NULL},
};

static const struct number_name class_names[] = {
    {CLASS_IN, "IN"}, {3, "CHAOS"}, {4, "HS"}, {255, "ANY"}, {0, NULL}};

static void put_class(struct packet *packet, uint16_t class)
{
    packet_puts(packet, " ");
    packet_put_name(packet, class_names, class, "(Class %u)");
}

uint32_t dns_put_question(struct packet *packet, uint32_t at, uint32_t start, bool multicast)
{
    uint32_t behind = dns_skip_name(packet, at), after;
    uint16_t class;

    if (!behind || !packet_has(packet, behind, 4))
        return 0;
    packet_puts(packet, " ");
    packet_put_name(packet, type_names, packet_u16(packet, behind), "Type%u");
    class = packet_u16(packet, behind + 2);
    if ((multicast ? class & ~MULTICAST_FLAG : class) != CLASS_IN)
        put_class(packet, multicast ? class & (uint16_t)~MULTICAST_FLAG : class);
    if (multicast)
        packet_puts(packet, class & MULTICAST_FLAG ? " (QU)" : " (QM)");
    packet_puts(packet, "? ");
    after = dns_put_name(packet, at, start);
    return after ? after + 4 : 0;
}

/* --- records --- */

struct record {
    uint32_t at, end; /* of its data */
    uint32_t start;   /* of the message */
    uint16_t type, class, flags;
};

/* "1d2h": seconds as tcpdump has them. */
static void put_seconds(struct packet *packet, uint32_t seconds)
{
    static const struct {
        uint32_t size;
        const char *unit;
    } units[] = {{31536000, "y"}, {604800, "w"}, {86400, "d"}, {3600, "h"}, {60, "m"}, {1, "s"}};

    if (seconds == 0)
        packet_puts(packet, "0s");
    for (uint32_t i = 0; i < ARRAY_SIZE(units) && seconds > 0; i++)
        if (seconds >= units[i].size) {
            packet_printf(packet, "%u%s", seconds / units[i].size, units[i].unit);
            seconds %= units[i].size;
        }
}

static bool put_named(struct packet *packet, const struct record *record, uint32_t skip)
{
    packet_puts(packet, " ");
    return (skip == 0 || packet_has(packet, record->at, skip)) &&
           dns_put_name(packet, record->at + skip, record->start);
}

static bool put_authority(struct packet *packet, const struct record *record)
{
    uint32_t at = record->at;

    if (packet->options->verbose == 0)
        return true;
    for (int i = 0; i < 2; i++) {
        packet_puts(packet, " ");
        at = dns_put_name(packet, at, record->start);
        if (!at)
            return false;
    }
    if (!packet_has(packet, at, 20))
        return false;
    for (uint32_t i = 0; i < 20; i += 4)
        packet_printf(packet, " %u", packet_u32(packet, at + i));
    return true;
}

static bool put_strings(struct packet *packet, const struct record *record)
{
    for (uint32_t at = record->at; at < record->end;) {
        packet_puts(packet, " \"");
        if (!packet_has(packet, at, 1) || !packet_put_chars(packet, at + 1, packet_u8(packet, at)))
            return false;
        at += 1u + packet_u8(packet, at);
        packet_puts(packet, "\"");
    }
    return true;
}

/* RFC 2874, historic: a part of an address, and the name of the rest. */
static bool put_a6(struct packet *packet, const struct record *record)
{
    uint8_t address[16] = {0}, bits;
    uint32_t skipped;

    if (!packet_has(packet, record->at, 1))
        return false;
    bits = packet_u8(packet, record->at);
    skipped = bits / 8;
    if (bits > 128) {
        packet_printf(packet, " %u(bad plen)", bits);
        return true;
    }
    if (bits < 128) {
        if (!packet_need(packet, record->at + 1, 16 - skipped))
            return false;
        memcpy(address + skipped, packet->bytes + record->at + 1, 16 - skipped);
        packet_printf(packet, " %u ", bits);
        packet_put_address(packet, AF_INET6, address);
    }
    if (bits == 0)
        return true;
    packet_puts(packet, " ");
    return dns_put_name(packet, record->at + 1 + 16 - skipped, record->start) != 0;
}

static bool put_signature(struct packet *packet, const struct record *record)
{
    static const char *const fields[] = {" origid=", " error=", " otherlen="};
    uint32_t at = record->at;

    if (packet->options->verbose == 0)
        return true;
    packet_puts(packet, " ");
    at = dns_put_name(packet, at, record->start);
    if (!at || !packet_has(packet, at + 6, 2))
        return false;
    packet_printf(packet, " fudge=%u", packet_u16(packet, at + 6));
    at += 8;
    if (!packet_has(packet, at, 2))
        return false;
    packet_printf(packet, " maclen=%u", packet_u16(packet, at));
    at += 2u + packet_u16(packet, at);
    for (uint32_t i = 0; i < ARRAY_SIZE(fields); i++, at += 2) {
        if (!packet_has(packet, at, 2))
            return false;
        packet_puts(packet, fields[i]);
        packet_put_uint(packet, packet_u16(packet, at));
    }
    return true;
}

static bool put_option_record(struct packet *packet, const struct record *record)
{
    packet_printf(packet, " UDPsize=%u%s", record->class, record->flags & 0x8000 ? " DO" : "");
    if (record->at >= record->end)
        return true;
    packet_puts(packet, " [");
    if (!dns_put_options(packet, record->at, record->end))
        return false;
    packet_puts(packet, "]");
    return true;
}

/* Addresses in it are no ends of the packet: they stay numbers. */
static bool put_plain_address(struct packet *packet, const struct record *record,
                              unsigned int family)
{
    if (!packet_has(packet, record->at, family == AF_INET ? 4 : 16))
        return false;
    packet_puts(packet, " ");
    packet_put_address(packet, family, packet->bytes + record->at);
    return true;
}

static bool put_data(struct packet *packet, const struct record *record)
{
    uint32_t at = record->at, length = record->end - at;

    switch (record->type) {
    case A:
        return put_plain_address(packet, record, AF_INET);
    case AAAA:
        return put_plain_address(packet, record, AF_INET6);
    case NS:
    case CNAME:
    case PTR:
    case DNAME:
        return put_named(packet, record, 0);
    case MX:
        if (!put_named(packet, record, 2))
            return false;
        packet_printf(packet, " %u", packet_u16(packet, at));
        return true;
    case SRV:
        if (!put_named(packet, record, 6))
            return false;
        packet_printf(packet, ":%u %u %u", packet_u16(packet, at + 4), packet_u16(packet, at),
                      packet_u16(packet, at + 2));
        return true;
    case SOA:
        return put_authority(packet, record);
    case TXT:
        return put_strings(packet, record);
    case A6:
        return put_a6(packet, record);
    case URI:
        packet_printf(packet, " %u %u ", packet_u16(packet, at), packet_u16(packet, at + 2));
        return packet_put_chars(packet, at + 4, length - 4);
    case UNSPECA:
        return packet_put_chars(packet, at, length);
    case OPT:
        return put_option_record(packet, record);
    case TSIG:
        return put_signature(packet, record);
    default:
        return true;
    }
}

/* The type, class and flags at `at`; what they say is written. */
static void read_head(struct packet *packet, uint32_t at, bool multicast, struct record *record)
{
    uint16_t class = packet_u16(packet, at + 2);

    record->type = packet_u16(packet, at);
    record->class = multicast ? class & (uint16_t)~MULTICAST_FLAG : class;
    if (record->class != CLASS_IN && record->type != OPT)
        put_class(packet, record->class);
    if (multicast && class & MULTICAST_FLAG)
        packet_puts(packet, " (Cache flush)");
    if (record->type == OPT) {
        record->flags = packet_u16(packet, at + 6);
    } else if (packet->options->verbose > 2) {
        packet_puts(packet, " [");
        put_seconds(packet, packet_u32(packet, at + 4));
        packet_puts(packet, "]");
    }
    record->at = at + 10;
    record->end = record->at + packet_u16(packet, at + 8);
    packet_puts(packet, " ");
    packet_put_name(packet, type_names, record->type, "Type%u");
}

uint32_t dns_put_record(struct packet *packet, uint32_t at, uint32_t start, bool multicast)
{
    struct record record = {.start = start};

    if (packet->options->verbose > 0) {
        packet_puts(packet, " ");
        at = dns_put_name(packet, at, start);
        if (!at)
            return 0;
    } else {
        at = dns_skip_name(packet, at);
    }
    if (!at || !packet_has(packet, at, 10))
        return packet->end;
    read_head(packet, at, multicast, &record);
    if (record.end > packet->end || !put_data(packet, &record))
        return 0;
    return record.end;
}

void dns_put_type(struct packet *packet, uint16_t type)
{
    packet_put_name(packet, type_names, type, "TYPE%u");
}

uint32_t dns_put_data(struct packet *packet, uint32_t at, uint32_t start)
{
    struct record record = {.start = start, .at = at + 10, .type = packet_u16(packet, at)};

    record.class = packet_u16(packet, at + 2);
    record.flags = packet_u16(packet, at + 6);
    record.end = record.at + packet_u16(packet, at + 8);
    if (packet->cut || record.end > packet->end || !put_data(packet, &record))
        return 0;
    return record.end;
}
