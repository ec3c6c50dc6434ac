/* SPDX-License-Identifier: MIT */
/* Addresses in answers of DNS, told with the name that was asked for. */
#include "packet/dns.h"

#include <sys/socket.h>

#define HEADER 12
#define RECORD_HEAD 10 /* behind its name: type, class, time to live, length */
#define TYPE_A 1
#define TYPE_AAAA 28
#define CLASS_INTERNET 1

/* The name at `at` into `packet->out`, without the last dot; 0 where it is broken. */
static uint32_t read_name(struct packet *packet, uint32_t start, uint32_t at)
{
    struct buf *name = packet->out;
    uint32_t behind = dns_put_name(packet, at, start);

    if (name->length && name->data[name->length - 1] == '.')
        name->length--;
    return name->length ? behind : 0;
}

/* Returns what is behind the record; 0: there is none. */
static uint32_t tell_record(struct packet *packet, uint32_t at)
{
    const struct packet_options *options = packet->options;
    const char *name = buf_string(packet->out);
    uint16_t type, length;
    uint32_t data;

    at = dns_skip_name(packet, at);
    if (!at || !packet_has(packet, at, RECORD_HEAD))
        return 0;
    type = packet_u16(packet, at);
    length = packet_u16(packet, at + 8);
    data = at + RECORD_HEAD;
    if (!packet_has(packet, data, length))
        return 0;
    if (name[0] && packet_u16(packet, at + 2) == CLASS_INTERNET &&
        ((type == TYPE_A && length == 4) || (type == TYPE_AAAA && length == 16)))
        options->take_name(options->names, type == TYPE_A ? AF_INET : AF_INET6,
                           packet->bytes + data, name);
    return data + length;
}

void dns_tell_answers(const struct packet *packet, uint32_t start)
{
    struct buf name = BUF_INIT;
    struct packet reading = *packet;
    uint16_t count;
    uint32_t at;

    reading.out = &name;
    if (packet_has(packet, start, HEADER) && packet_u16(&reading, start + 4) == 1) {
        count = packet_u16(&reading, start + 6);
        at = read_name(&reading, start, start + HEADER);
        if (at)
            at += 4; /* the type and the class that were asked for */
        while (at && count-- > 0 && !reading.cut)
            at = tell_record(&reading, at);
    }
    if (name.error)
        packet->out->error = name.error;
    buf_done(&name);
}
