/* SPDX-License-Identifier: MIT */
/* Options of TCP. */
#include "packet/names.h"
#include "packet/tcp.h"

#define HEADER 20
#define MD5_SIZE 16
#define FAST_OPEN_MAGIC 0xf989 /* RFC 6994, 7413 */

enum option {
    END = 0,
    NO_OPERATION = 1,
    SEGMENT_SIZE = 2,
    WINDOW_SCALE = 3,
    SACK_PERMITTED = 4,
    SACK = 5,
    ECHO = 6,
    ECHO_REPLY = 7,
    TIMESTAMP = 8,
    CONNECTION_COUNT = 11,
    CONNECTION_COUNT_NEW = 12,
    CONNECTION_COUNT_ECHO = 13,
    MD5_SIGNATURE = 19,
    SCPS = 20,
    USER_TIMEOUT = 28,
    AUTHENTICATION = 29,
    MULTIPATH = 30,
    FAST_OPEN = 34,
    EXPERIMENT = 254,
};

static const struct number_name option_names[] = {
    {END, "eol"},
    {NO_OPERATION, "nop"},
    {SEGMENT_SIZE, "mss"},
    {WINDOW_SCALE, "wscale"},
    {SACK_PERMITTED, "sackOK"},
    {SACK, "sack"},
    {ECHO, "echo"},
    {ECHO_REPLY, "echoreply"},
    {TIMESTAMP, "TS"},
    {CONNECTION_COUNT, "cc"},
    {CONNECTION_COUNT_NEW, "ccnew"},
    {CONNECTION_COUNT_ECHO, ""},
    {MD5_SIGNATURE, "md5"},
    {SCPS, "scps"},
    {USER_TIMEOUT, "uto"},
    {AUTHENTICATION, "tcp-ao"},
    {MULTIPATH, "mptcp"},
    {FAST_OPEN, "tfo"},
    {EXPERIMENT, "exp"},
    {0, NULL},
};

enum outcome {
    SHOWN,
    BROKEN,  /* the option does not fit into the header */
    MISSING, /* bytes were not captured */
};

/* One option: its value is at `at`, of `size` bytes; the header has `left` more from there on. */
struct option_value {
    uint32_t at, size, left;
    uint32_t shown; /* of the value: what was made sense of */
};

/* Whether the first `count` bytes of the value are there. */
static enum outcome need(const struct packet *packet, const struct option_value *value,
                         uint32_t count)
{
    if (count > value->left)
        return BROKEN;
    return packet_has(packet, value->at, count) ? SHOWN : MISSING;
}

/* Those with a value of a fixed size. */
static enum outcome put_fixed(struct packet *packet, uint8_t code, struct option_value *value)
{
    static const uint8_t sizes[] = {[SEGMENT_SIZE] = 2,
                                    [WINDOW_SCALE] = 1,
                                    [ECHO] = 4,
                                    [ECHO_REPLY] = 4,
                                    [TIMESTAMP] = 8,
                                    [CONNECTION_COUNT] = 4,
                                    [CONNECTION_COUNT_NEW] = 4,
                                    [CONNECTION_COUNT_ECHO] = 4,
                                    [SCPS] = 2,
                                    [USER_TIMEOUT] = 2};
    enum outcome outcome;
    uint32_t number;

    value->shown = sizes[code];
    outcome = need(packet, value, value->shown);
    if (outcome != SHOWN)
        return outcome;
    switch (code) {
    case TIMESTAMP:
        packet_puts(packet, " val ");
        packet_put_uint(packet, packet_u32(packet, value->at));
        packet_puts(packet, " ecr ");
        packet_put_uint(packet, packet_u32(packet, value->at + 4));
        break;
    case SCPS:
        packet_printf(packet, " cap %02x id %u", packet_u8(packet, value->at),
                      packet_u8(packet, value->at + 1));
        break;
    case USER_TIMEOUT:
        number = packet_u16(packet, value->at);
        packet_printf(packet, " 0x%x %u", number, number & 1 ? (number >> 1) * 60 : number >> 1);
        break;
    default:
        number = value->shown == 1   ? packet_u8(packet, value->at)
                 : value->shown == 2 ? packet_u16(packet, value->at)
                                     : packet_u32(packet, value->at);
        packet_puts(packet, " ");
        packet_put_uint(packet, number);
    }
    return SHOWN;
}

static enum outcome put_sack(struct packet *packet, struct option_value *value, uint32_t origin)
{
    value->shown = value->size;
    if (value->size % 8) {
        packet_puts(packet, " invalid sack");
        return SHOWN;
    }
    packet_printf(packet, " %u ", value->size / 8);
    for (uint32_t i = 0; i < value->size; i += 8) {
        enum outcome outcome = need(packet, value, i + 8);

        if (outcome != SHOWN)
            return outcome;
        packet_printf(packet, "{%u:%u}", packet_u32(packet, value->at + i) - origin,
                      packet_u32(packet, value->at + i + 4) - origin);
    }
    return SHOWN;
}

/* Without the secret it cannot be checked. */
static enum outcome put_md5(struct packet *packet, struct option_value *value,
                            const struct tcp_header *tcp)
{
    enum outcome outcome;

    value->shown = MD5_SIZE;
    outcome = need(packet, value, MD5_SIZE);
    if (outcome != SHOWN)
        return outcome;
    packet_puts(packet, packet_has(packet, tcp->at, tcp->length)
                            ? " shared secret not supplied with -M, can't check - "
                            : " snaplen too short, can't check - ");
    packet_put_digits(packet, value->at, MD5_SIZE);
    return SHOWN;
}

/* Bytes from `from` on, each after it was looked whether it is there. */
static enum outcome put_bytes(struct packet *packet, const struct option_value *value,
                              uint32_t from)
{
    for (uint32_t i = from; i < value->size; i++) {
        enum outcome outcome = need(packet, value, i + 1);

        if (outcome != SHOWN)
            return outcome;
        packet_put_digits(packet, value->at + i, 1);
    }
    return SHOWN;
}

static enum outcome put_authentication(struct packet *packet, struct option_value *value)
{
    enum outcome outcome;

    value->shown = value->size;
    if (value->size < 2) {
        packet_put_invalid(packet);
        return SHOWN;
    }
    outcome = need(packet, value, 1);
    if (outcome != SHOWN)
        return outcome;
    packet_printf(packet, " keyid %u", packet_u8(packet, value->at));
    outcome = need(packet, value, 2);
    if (outcome != SHOWN)
        return outcome;
    packet_printf(packet, " rnextkeyid %u", packet_u8(packet, value->at + 1));
    if (value->size > 2)
        packet_puts(packet, " mac 0x");
    return put_bytes(packet, value, 2);
}

static void put_cookie(struct packet *packet, uint32_t at, uint32_t size)
{
    if (size == 0) {
        packet_puts(packet, " cookiereq");
    } else if (size % 2 || size < 4 || size > 16) {
        packet_put_invalid(packet);
    } else {
        packet_puts(packet, " cookie ");
        packet_put_digits(packet, at, size);
    }
}

static enum outcome put_experiment(struct packet *packet, const struct option_value *value)
{
    uint16_t magic;

    if (value->size < 2)
        return BROKEN;
    magic = packet_u16(packet, value->at);
    if (magic == FAST_OPEN_MAGIC) {
        packet_puts(packet, "-tfo");
        put_cookie(packet, value->at + 2, value->size - 2);
    } else {
        packet_printf(packet, "-%04x", magic);
    }
    return SHOWN;
}

/* Those whose value is as long as they say. */
static enum outcome put_variable(struct packet *packet, uint8_t code, struct option_value *value,
                                 uint8_t flags)
{
    enum outcome outcome = need(packet, value, value->size);
    uint32_t end = packet->end;
    bool shown;

    value->shown = value->size;
    if (outcome != SHOWN)
        return outcome;
    switch (code) {
    case MULTIPATH:
        packet_narrow(packet, value->at, value->size);
        shown = mptcp_put_option(packet, value->at - 2, value->size + 2, flags);
        packet->end = end;
        return shown ? SHOWN : BROKEN;
    case FAST_OPEN:
        packet_puts(packet, " ");
        put_cookie(packet, value->at, value->size);
        return SHOWN;
    default:
        return put_experiment(packet, value);
    }
}

static enum outcome put_value(struct packet *packet, uint8_t code, struct option_value *value,
                              const struct tcp_header *tcp)
{
    switch (code) {
    case END:
    case NO_OPERATION:
    case SACK_PERMITTED:
        return SHOWN;
    case SEGMENT_SIZE:
    case WINDOW_SCALE:
    case ECHO:
    case ECHO_REPLY:
    case TIMESTAMP:
    case CONNECTION_COUNT:
    case CONNECTION_COUNT_NEW:
    case CONNECTION_COUNT_ECHO:
    case SCPS:
    case USER_TIMEOUT:
        return put_fixed(packet, code, value);
    case SACK:
        return put_sack(packet, value, tcp->peer_origin);
    case MD5_SIGNATURE:
        return put_md5(packet, value, tcp);
    case AUTHENTICATION:
        return put_authentication(packet, value);
    case MULTIPATH:
    case FAST_OPEN:
    case EXPERIMENT:
        return put_variable(packet, code, value, tcp->flags);
    default:
        value->shown = value->size;
        if (value->size > 0)
            packet_puts(packet, " 0x");
        return put_bytes(packet, value, 0);
    }
}

/* The option at *at, of which and of those behind it the header has *left bytes. */
static enum outcome put_option(struct packet *packet, const struct tcp_header *tcp, uint32_t *at,
                               uint32_t *left, uint8_t *ret_code)
{
    uint8_t code = packet_u8(packet, *at);
    uint32_t head = code == END || code == NO_OPERATION ? 1 : 2, size = head;
    struct option_value value;
    enum outcome outcome;

    if (head == 2) {
        size = packet_u8(packet, *at + 1);
        if (size < 2 || size > *left)
            return packet->cut ? SHOWN : BROKEN;
    }
    value = (struct option_value){.at = *at + head, .size = size - head, .left = *left - head};
    packet_put_name(packet, option_names, code, "unknown-%u");
    outcome = put_value(packet, code, &value, tcp);
    if (outcome != SHOWN)
        return outcome;
    *at += head + value.shown;
    *left -= head + value.shown;
    if (head + value.shown != size)
        packet_printf(packet, "[len %u]", size);
    *ret_code = code;
    return SHOWN;
}

bool tcp_put_options(struct packet *packet, const struct tcp_header *tcp)
{
    uint32_t at = tcp->at + HEADER, left = tcp->header - HEADER;
    const char *between = "";
    uint8_t code = NO_OPERATION;

    packet_puts(packet, ", options [");
    while (left > 0 && code != END && !packet->cut) {
        enum outcome outcome;

        packet_puts(packet, between);
        outcome = put_option(packet, tcp, &at, &left, &code);
        if (outcome == BROKEN)
            packet_puts(packet, "[bad opt]");
        else if (outcome == MISSING)
            packet_put_missing(packet);
        if (outcome != SHOWN) {
            packet_puts(packet, *between ? (outcome == BROKEN ? "]" : ">") : "");
            return false;
        }
        between = ",";
    }
    packet_puts(packet, "]");
    return true;
}
