/* SPDX-License-Identifier: MIT */
/* What a packet says, as values for programs: dissectors fill them in while they write the text. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum fact_kind {
    FACTS_DNS = 1u << 0,
    FACTS_TLS = 1u << 1,
    FACTS_HTTP = 1u << 2,
    FACTS_QUIC = 1u << 3,
};

#define FACTS_ALPN_MAX 16 /* protocols that are kept of a ClientHello */

/* Bytes from outside, a part of packet_facts.texts; length 0: it was not said. */
struct fact_text {
    uint32_t at, length;
};

struct dns_answer {
    struct fact_text name, type, data; /* data: as text; of types without a form none */
    uint32_t ttl_s;
};

struct packet_facts {
    unsigned int has; /* enum fact_kind */
    struct buf texts;
    struct {
        uint16_t id;
        bool response;
        struct fact_text rcode, qname, qtype; /* rcode: of a response */
        struct dns_answer *answers;           /* those that were captured whole */
        uint32_t answer_count, answer_capacity;
    } dns;
    struct {
        struct fact_text sni, alpn[FACTS_ALPN_MAX];
        uint32_t alpn_count;
        uint16_t version; /* the newest that is offered, as in the protocol: 0x0304 */
    } tls;
    struct {
        struct fact_text method, target, host;
        uint16_t status; /* of a response */
    } http;
    struct {
        const char *type;
        uint32_t version;            /* 1, 2; 0: they are negotiated */
        struct fact_text dcid, scid; /* raw */
    } quic;
};

/* Forgets what was said, before the next packet. */
void packet_facts_reset(struct packet_facts *facts);
void packet_facts_done(struct packet_facts *facts);

struct fact_text packet_facts_add(struct packet_facts *facts, const void *bytes, uint32_t length);
/* What was written to `texts` from `begin` on. */
struct fact_text packet_facts_since(const struct packet_facts *facts, size_t begin);
