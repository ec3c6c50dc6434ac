/* SPDX-License-Identifier: MIT */
/* nwho sniff --json: what a packet says, as objects of their own. */
#include "cli/sniff.h"

#include "base/escape.h"
#include "cli/packet_statistics.h"

#include <netinet/in.h>
#include <string.h>

static const char *bytes_of(const struct packet_facts *facts, struct fact_text text)
{
    return text.length ? facts->texts.data + text.at : "";
}

/* Nothing where it was not said. */
static void put_fact(struct buf *out, const struct packet_facts *facts, const char *key,
                     struct fact_text text)
{
    if (text.length)
        sniff_put_text(out, key, bytes_of(facts, text), text.length);
}

static void put_value(struct buf *out, const struct packet_facts *facts, struct fact_text text)
{
    escape_json(out, bytes_of(facts, text), text.length);
}

/* --- DNS --- */

static void put_answers(struct buf *out, const struct packet_facts *facts)
{
    sniff_put_key(out, "answers");
    buf_byte(out, '[');
    for (uint32_t i = 0; i < facts->dns.answer_count; i++) {
        const struct dns_answer *answer = &facts->dns.answers[i];

        buf_puts(out, i ? ",{\"name\":" : "{\"name\":");
        put_value(out, facts, answer->name);
        sniff_put_key(out, "type");
        put_value(out, facts, answer->type);
        sniff_put_number(out, "ttl_s", answer->ttl_s);
        put_fact(out, facts, "data", answer->data);
        buf_byte(out, '}');
    }
    buf_byte(out, ']');
}

static void put_dns(struct buf *out, const struct packet_facts *facts)
{
    sniff_put_key(out, "dns");
    buf_printf(out, "{\"id\":%u,\"response\":%s", facts->dns.id,
               facts->dns.response ? "true" : "false");
    put_fact(out, facts, "qname", facts->dns.qname);
    put_fact(out, facts, "qtype", facts->dns.qtype);
    put_fact(out, facts, "rcode", facts->dns.rcode);
    if (facts->dns.response || facts->dns.answer_count)
        put_answers(out, facts);
    buf_byte(out, '}');
}

/* --- TLS, HTTP, QUIC --- */

static void put_tls(struct buf *out, const struct packet_facts *facts)
{
    static const char *const names[] = {"ssl3", "1.0", "1.1", "1.2", "1.3"};
    uint16_t version = facts->tls.version;

    sniff_put_key(out, "tls");
    buf_puts(out, "{\"message\":\"ClientHello\"");
    if (version >= 0x0300 && version < 0x0300 + ARRAY_SIZE(names))
        sniff_put_text(out, "version", names[version & 0xff], strlen(names[version & 0xff]));
    put_fact(out, facts, "sni", facts->tls.sni);
    if (facts->tls.alpn_count)
        sniff_put_key(out, "alpn");
    for (uint32_t i = 0; i < facts->tls.alpn_count; i++) {
        buf_byte(out, i ? ',' : '[');
        put_value(out, facts, facts->tls.alpn[i]);
    }
    buf_puts(out, facts->tls.alpn_count ? "]}" : "}");
}

static void put_http(struct buf *out, const struct packet_facts *facts)
{
    sniff_put_key(out, "http");
    if (facts->http.status) {
        buf_printf(out, "{\"status\":%u}", facts->http.status);
        return;
    }
    buf_puts(out, "{\"method\":");
    put_value(out, facts, facts->http.method);
    put_fact(out, facts, "target", facts->http.target);
    put_fact(out, facts, "host", facts->http.host);
    buf_byte(out, '}');
}

static void put_id(struct buf *out, const struct packet_facts *facts, const char *key,
                   struct fact_text id)
{
    sniff_put_key(out, key);
    buf_byte(out, '"');
    for (uint32_t i = 0; i < id.length; i++)
        buf_printf(out, "%02x", (uint8_t)bytes_of(facts, id)[i]);
    buf_byte(out, '"');
}

static void put_quic(struct buf *out, const struct packet_facts *facts)
{
    sniff_put_key(out, "quic");
    buf_printf(out, "{\"type\":\"%s\"", facts->quic.type);
    if (facts->quic.version)
        sniff_put_number(out, "version", facts->quic.version);
    put_id(out, facts, "dcid", facts->quic.dcid);
    put_id(out, facts, "scid", facts->quic.scid);
    buf_byte(out, '}');
}

/* --- ICMP, whose facts are what sockets are found by --- */

static void put_icmp(struct buf *out, const struct packet_flow *flow)
{
    sniff_put_key(out, "icmp");
    buf_printf(out, "{\"type\":%u,\"code\":%u", flow->ends.icmp_type, flow->ends.icmp_code);
    if (flow->quoted.family) {
        sniff_put_key(out, "quoted");
        buf_byte(out, '{');
        packet_ends_put_json(out, &flow->quoted);
        buf_byte(out, '}');
    }
    buf_byte(out, '}');
}

void sniff_put_facts(struct buf *out, const struct packet_facts *facts,
                     const struct packet_flow *flow)
{
    const struct packet_ends *ends = &flow->ends;

    if (facts->has & FACTS_DNS)
        put_dns(out, facts);
    if (facts->has & FACTS_TLS)
        put_tls(out, facts);
    if (facts->has & FACTS_HTTP)
        put_http(out, facts);
    if (facts->has & FACTS_QUIC)
        put_quic(out, facts);
    if (ends->family && !ends->is_short &&
        ends->proto == (ends->family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6))
        put_icmp(out, flow);
}
