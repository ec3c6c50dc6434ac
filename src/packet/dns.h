/* SPDX-License-Identifier: MIT */
/* DNS, also over TCP, and multicast DNS. */
#pragma once

#include "packet/packet.h"

enum dns_kind { DNS_OVER_UDP, DNS_OVER_TCP, DNS_MULTICAST };

void dns_dissect(struct packet *packet, uint32_t at, uint32_t length, enum dns_kind kind);

/* Calls the option `take_name` for each address that the message at `start` has as an answer. */
void dns_tell_answers(const struct packet *packet, uint32_t start);

#define DNS_RESPONSE 0x8000 /* of the flags */

/* Fills in packet->facts with the message at `start`, whose header was captured. */
void dns_take_facts(const struct packet *packet, uint32_t start, const char *rcode);

/* --- its parts; a position of 0 is that of nothing: the message is broken or cut there --- */

/*
 * The name at `at` in the message that begins at `start`. Pointers have to go backwards, so that
 * there is an end. Returns what is behind it.
 */
uint32_t dns_put_name(struct packet *packet, uint32_t at, uint32_t start);
uint32_t dns_skip_name(const struct packet *packet, uint32_t at);

/* "A example.com.", "A 10.0.0.1". */
uint32_t dns_put_question(struct packet *packet, uint32_t at, uint32_t start, bool multicast);
uint32_t dns_put_record(struct packet *packet, uint32_t at, uint32_t start, bool multicast);

/* "A"; and " 10.0.0.1" of the record whose type stands at `at`. */
void dns_put_type(struct packet *packet, uint16_t type);
uint32_t dns_put_data(struct packet *packet, uint32_t at, uint32_t start);

/* The options of a record OPT, RFC 6891; false when they are broken. */
bool dns_put_options(struct packet *packet, uint32_t at, uint32_t end);
