/* SPDX-License-Identifier: MIT */
/* DNS: messages, RFC 1035. */
#include "packet/dns.h"

#include "packet/names.h"

#define HEADER 12
#define TYPE_OPT 41
#define INVERSE_QUERY 1

enum flag {
    RESPONSE = DNS_RESPONSE,
    AUTHORITATIVE = 0x0400,
    TRUNCATED = 0x0200,
    RECURSION_DESIRED = 0x0100,
    RECURSION_AVAILABLE = 0x0080,
    AUTHENTIC = 0x0020,
    CHECKING_DISABLED = 0x0010,
    ODD_IN_REQUEST = 0x06cf, /* what no request has */
};

static const char *const operations[16] = {
    "",     " inv_q",   " stat",    " op3",      " notify",  " update",   " op6",      " op7",
    " op8", " updateA", " updateD", " updateDA", " updateM", " updateMA", " zoneInit", " zoneRef",
};

static const struct number_name response_names[] = {
    {0, ""},          {1, " FormErr"},    {2, " ServFail"}, {3, " NXDomain"}, {4, " NotImp"},
    {5, " Refused"},  {6, " YXDomain"},   {7, " YXRRSet"},  {8, " NXRRSet"},  {9, " NotAuth"},
    {10, " NotZone"}, {15, " NoChange"},  {16, " BadVers"}, {17, "Resp17"}, /* tcpdump leaves the
                                                                               blank out of two of
                                                                               them */
    {21, "Resp21"},   {23, " BadCookie"}, {0, NULL},
};

struct message {
    uint32_t start;
    uint32_t at; /* of what is read */
    uint16_t id, flags;
    uint32_t questions, answers, authorities, additions;
    bool multicast;
};

/* Past a record, whose type is told. False: it is not all there. */
static bool skip_record(const struct packet *packet, uint32_t *at, uint16_t *ret_type,
                        uint8_t *ret_high)
{
    uint32_t behind = dns_skip_name(packet, *at);
    const uint8_t *head = packet->bytes + behind;

    if (!behind || !packet_has(packet, behind, 5))
        return false;
    *ret_type = (uint16_t)(head[0] << 8 | head[1]);
    *ret_high = head[4];
    if (*ret_type == TYPE_OPT)
        return true;
    if (!packet_has(packet, behind, 10))
        return false;
    *at = behind + 10 + (uint32_t)(head[8] << 8 | head[9]);
    return *at < packet->end;
}

static bool skip_answer(const struct packet *packet, uint32_t *at)
{
    uint32_t behind = dns_skip_name(packet, *at);
    const uint8_t *head = packet->bytes + behind;

    if (!behind || !packet_has(packet, behind, 10))
        return false;
    *at = behind + 10 + (uint32_t)(head[8] << 8 | head[9]);
    return *at < packet->end;
}

/* The upper bits of the response code are in the record OPT, which stands among the last. */
static uint16_t response_code(const struct packet *packet, const struct message *message)
{
    uint16_t code = message->flags & 15, type;
    uint32_t at = message->start + HEADER;
    uint8_t high;

    for (uint32_t i = 0; i < message->questions; i++) {
        at = dns_skip_name(packet, at);
        if (!at || at + 4 >= packet->end)
            return code;
        at += 4;
    }
    for (uint32_t i = 0; i < message->answers + message->authorities; i++)
        if (!skip_answer(packet, &at))
            return code;
    for (uint32_t i = 0; i < message->additions; i++) {
        if (!skip_record(packet, &at, &type, &high))
            return code;
        if (type == TYPE_OPT)
            return (uint16_t)(code | high << 4);
    }
    return code;
}

/* The same as a word of its own. */
static const char *response_word(const struct packet *packet, const struct message *message)
{
    const char *name = number_name(response_names, response_code(packet, message), "unknown");

    return !*name ? "NoError" : *name == ' ' ? name + 1 : name;
}

/* `count` records; false: not all of them are there. */
static bool put_records(struct packet *packet, struct message *message, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            if (message->at >= packet->end)
                return false;
            packet_puts(packet, ",");
        }
        message->at = dns_put_record(packet, message->at, message->start, message->multicast);
        if (!message->at)
            return false;
    }
    return true;
}

static bool put_section(struct packet *packet, struct message *message, const char *title,
                        uint32_t count)
{
    if (count == 0)
        return true;
    if (message->at >= packet->end)
        return false;
    packet_puts(packet, title);
    return put_records(packet, message, count);
}

static bool put_last_sections(struct packet *packet, struct message *message)
{
    return put_section(packet, message, " ns:", message->authorities) &&
           put_section(packet, message, " ar:", message->additions);
}

/* Of a response the question is only shown by -vv. */
static bool put_asked(struct packet *packet, struct message *message)
{
    for (uint32_t i = 0; i < message->questions; i++) {
        packet_puts(packet, i > 0 ? "," : "");
        if (packet->options->verbose > 1) {
            packet_puts(packet, " q:");
            message->at = dns_put_question(packet, message->at, message->start, message->multicast);
        } else {
            message->at = dns_skip_name(packet, message->at);
            message->at += message->at ? 4 : 0;
        }
        if (!message->at)
            return false;
    }
    return true;
}

static bool put_response(struct packet *packet, struct message *message)
{
    uint16_t flags = message->flags;

    packet_put_uint(packet, message->id);
    packet_puts(packet, operations[flags >> 11 & 15]);
    packet_put_name(packet, response_names, response_code(packet, message), " Resp%u");
    packet_printf(packet, "%s%s%s%s", flags & AUTHORITATIVE ? "*" : "",
                  flags & RECURSION_AVAILABLE ? "" : "-", flags & TRUNCATED ? "|" : "",
                  flags & AUTHENTIC ? "$" : "");
    if (message->questions != 1)
        packet_printf(packet, " [%uq]", message->questions);
    if (!put_asked(packet, message))
        return false;
    packet_printf(packet, " %u/%u/%u", message->answers, message->authorities, message->additions);
    if (!put_records(packet, message, message->answers))
        return false;
    return packet->options->verbose <= 1 || put_last_sections(packet, message);
}

/* How many records there are that a request mostly has not. */
static void put_counts(struct packet *packet, const struct message *message)
{
    bool inverse = (message->flags >> 11 & 15) == INVERSE_QUERY;

    if (message->flags & ODD_IN_REQUEST)
        packet_printf(packet, " [b2&3=0x%x]", message->flags);
    if (inverse && message->questions)
        packet_printf(packet, " [%uq]", message->questions);
    if (inverse ? message->answers != 1 : message->answers != 0)
        packet_printf(packet, " [%ua]", message->answers);
    if (!inverse && message->questions != 1)
        packet_printf(packet, " [%uq]", message->questions);
    if (message->authorities)
        packet_printf(packet, " [%un]", message->authorities);
    if (message->additions)
        packet_printf(packet, " [%uau]", message->additions);
}

static bool put_request(struct packet *packet, struct message *message)
{
    uint16_t flags = message->flags;

    packet_put_uint(packet, message->id);
    packet_puts(packet, operations[flags >> 11 & 15]);
    packet_puts(packet, flags & RECURSION_DESIRED ? "+" : "");
    packet_puts(packet, flags & CHECKING_DISABLED ? "%" : "");
    put_counts(packet, message);
    for (uint32_t i = 0; i < message->questions; i++) {
        if (i > 0 && message->at >= packet->end)
            return false;
        message->at = dns_put_question(packet, message->at, message->start, message->multicast);
        if (!message->at)
            return false;
    }
    if (packet->options->verbose <= 1)
        return true;
    return put_records(packet, message, message->answers) && put_last_sections(packet, message);
}

/* Over TCP the length stands before the message. False: it is not the one there is. */
static bool take_prefix(struct packet *packet, uint32_t *at, uint32_t *length)
{
    uint16_t said;

    if (*length < 2) {
        packet_printf(packet, " [DNS over TCP: length %u < 2]", *length);
        packet_put_invalid(packet);
        return false;
    }
    *length -= 2;
    said = packet_u16(packet, *at);
    if (said != *length) {
        packet_printf(packet, " [prefix length(%u) != length(%u)]", said, *length);
        packet_put_invalid(packet);
        return false;
    }
    *at += 2;
    packet_puts(packet, " ");
    return true;
}

void dns_dissect(struct packet *packet, uint32_t at, uint32_t length, enum dns_kind kind)
{
    struct message message = {.multicast = kind == DNS_MULTICAST};
    bool whole;

    packet->protocol = "domain";
    if (kind == DNS_OVER_TCP && !take_prefix(packet, &at, &length))
        return;
    if (length < HEADER) {
        packet_printf(packet, "domain [length %u < %u]", length, HEADER);
        packet_put_invalid(packet);
        return;
    }
    if (!packet_has(packet, at, HEADER)) {
        packet_put_missing(packet);
        return;
    }
    message.start = at;
    message.at = at + HEADER;
    message.id = packet_u16(packet, at);
    message.flags = packet_u16(packet, at + 2);
    message.questions = packet_u16(packet, at + 4);
    message.answers = packet_u16(packet, at + 6);
    message.authorities = packet_u16(packet, at + 8);
    message.additions = packet_u16(packet, at + 10);
    if (packet->options->take_name && message.flags & RESPONSE)
        dns_tell_answers(packet, at);
    if (packet->facts)
        dns_take_facts(packet, at, response_word(packet, &message));
    whole =
        message.flags & RESPONSE ? put_response(packet, &message) : put_request(packet, &message);
    if (whole)
        packet_printf(packet, " (%u)", length);
    else
        packet_put_missing(packet);
}
