/* SPDX-License-Identifier: MIT */
/* Names of numbers in packets, in the words of tcpdump. */
#pragma once

#include "packet/packet.h"

struct number_name {
    uint32_t number;
    const char *name;
};

/* The name of `number` in the table, which ends with an entry without a name; else `unknown`. */
const char *number_name(const struct number_name *names, uint32_t number, const char *unknown);

/* The same; a number without a name is written by `unknown`, a format with one %u or %x. */
void packet_put_name(struct packet *packet, const struct number_name *names, uint32_t number,
                     const char *unknown) __attribute__((format(printf, 4, 0)));

/* All whose bits are set, with `between` in between, or "none". */
void packet_put_flags(struct packet *packet, const struct number_name *names, uint32_t flags,
                      const char *between);

extern const struct number_name ether_type_names[];
extern const struct number_name ip_protocol_names[];

/* As /etc/protocols has it; NULL when there is none. */
const char *ip_protocol_short_name(uint8_t protocol);
