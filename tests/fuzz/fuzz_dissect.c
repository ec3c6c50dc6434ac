/* SPDX-License-Identifier: MIT */
/* Fuzzing of what packets say: each dissector, reached through right headers of those around it. */
#include "fuzz.h"
#include "packet/facts.h"
#include "packet/packet.h"
#include "packet/tcp_flows.h"

#include <sys/socket.h>

/* Headers that an input is put behind; IP says its length. */
struct around {
    int link_type;
    const char *bytes;
    size_t size;
    size_t length_at; /* of IP's length, 0: it has none */
};

#define V4(protocol) "\x45\0\0\0\0\1\0\0\x40" protocol "\0\0\xc0\0\2\1\xc6\x33\x64\7"
#define V6(next)                                                                                   \
    "\x60\0\0\0\0\0" next "\x40"                                                                   \
    "2001:db8:0000001"                                                                             \
    "2001:db8:0000002"
#define TCP_PORT(port) "\4\1" port "\0\0\0\1\0\0\0\2\x50\x18\2\0\0\0\0\0"
#define UDP_PORT(port) "\4\1" port "\xff\xff\0\0"
#define AROUND(link, text, at)                                                                     \
    {                                                                                              \
        link, text, sizeof(text) - 1, at                                                           \
    }

static const struct around all[] = {
    AROUND(1, "", 0),                                   /* Ethernet, 802.2 */
    AROUND(0, "", 0),                                   /* loopback of BSD */
    AROUND(113, "", 0),                                 /* cooked */
    AROUND(276, "", 0),                                 /* cooked, version 2 */
    AROUND(1, "\2\0\0\0\0\2\2\0\0\0\0\x0a\x08\x06", 0), /* ARP */
    AROUND(12, "", 0),                                  /* IP */
    AROUND(12, V4("\6"), 2),                            /* TCP */
    AROUND(12, V6("\6"), 4),
    AROUND(12, V4("\x11"), 2), /* UDP */
    AROUND(12, V6("\x11"), 4),
    AROUND(12, V4("\1"), 2),   /* ICMP */
    AROUND(12, V6("\x3a"), 4), /* ICMPv6 */
    AROUND(12, V6("\0"), 4),   /* extension headers */
    AROUND(12, V6("\x2b"), 4),
    AROUND(12, V4("\x11") UDP_PORT("\0\x35"), 2),   /* DNS */
    AROUND(12, V6("\x11") UDP_PORT("\x14\xe9"), 4), /* multicast DNS */
    AROUND(12, V4("\6") TCP_PORT("\0\x35"), 2),     /* DNS over TCP */
    AROUND(12, V4("\6") TCP_PORT("\0\x50"), 2),     /* HTTP */
    AROUND(12, V4("\6") TCP_PORT("\1\xbb"), 2),     /* TLS */
    AROUND(12, V4("\x11") UDP_PORT("\1\xbb"), 2),   /* QUIC */
};

static uint8_t *build(const struct around *around, const uint8_t *data, size_t size)
{
    uint8_t *bytes = malloc(around->size + size + 1);
    size_t length = around->length_at == 4 ? around->size - 40 + size : around->size + size;

    CHECK(bytes);
    memcpy(bytes, around->bytes, around->size);
    memcpy(bytes + around->size, data, size);
    if (around->length_at) {
        bytes[around->length_at] = (uint8_t)(length >> 8);
        bytes[around->length_at + 1] = (uint8_t)length;
    }
    /* Memory of exactly its size. */
    return realloc(bytes, around->size + size ? around->size + size : 1);
}

/* Whatever comes, a terminal is not touched. */
static void check_text(const struct buf *out)
{
    for (size_t i = 0; i < out->length; i++) {
        char byte = out->data[i];

        CHECK((byte >= ' ' && byte < 0x7f) || byte == '\n' || byte == '\t');
    }
}

static void take_name(void *names, unsigned int family, const uint8_t *address, const char *name)
{
    uint8_t copy[16];

    (void)names;
    memcpy(copy, address, family == AF_INET ? 4 : 16);
    CHECK(*name && strlen(name) <= 1024 && text_is_clean(name, strlen(name)));
}

static void check_fact(const struct packet_facts *facts, struct fact_text text)
{
    CHECK(text.at <= facts->texts.length && text.length <= facts->texts.length - text.at);
}

/* What is said as values is a part of the texts; what is not said is empty. */
static void check_facts(const struct packet_facts *facts)
{
    const struct fact_text texts[] = {
        facts->dns.qname, facts->dns.qtype,   facts->dns.rcode,
        facts->tls.sni,   facts->http.method, facts->http.target,
        facts->http.host, facts->quic.dcid,   facts->quic.scid,
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        check_fact(facts, texts[i]);
    CHECK(facts->tls.alpn_count <= FACTS_ALPN_MAX && !facts->texts.error);
    for (uint32_t i = 0; i < facts->tls.alpn_count; i++)
        check_fact(facts, facts->tls.alpn[i]);
    for (uint32_t i = 0; i < facts->dns.answer_count; i++) {
        check_fact(facts, facts->dns.answers[i].name);
        check_fact(facts, facts->dns.answers[i].type);
        check_fact(facts, facts->dns.answers[i].data);
    }
    CHECK(facts->has || !facts->texts.length);
    CHECK(facts->http.status <= 999);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct around *around;
    struct packet_options options = {.numeric = true, .take_name = take_name};
    struct packet_facts facts = {.texts = BUF_INIT};
    struct buf out = BUF_INIT;
    CLEANUP_FREE uint8_t *bytes = NULL;
    struct packet packet;
    size_t choice;

    if (size < 2)
        return 0;
    choice = fuzz_choose(&data, &size, ARRAY_SIZE(all));
    around = &all[choice];
    options.verbose = *data & 3;
    options.link_header = *data & 4;
    options.own_lines = *data & 8;
    options.quiet = (*data & 0x30) == 0x30;
    bytes = build(around, data + 1, size - 1);
    packet = (struct packet){.bytes = bytes,
                             .captured = (uint32_t)(around->size + size - 1),
                             .options = &options,
                             .flows = tcp_flows_new(),
                             .facts = &facts,
                             .out = &out};
    CHECK(packet.flows);
    packet_dissect(&packet, around->link_type, packet.captured + (*data & 0x40 ? 7 : 0));
    CHECK(!out.error && !packet.cut && packet.end == packet.captured);
    check_text(&out);
    check_facts(&facts);
    packet_facts_done(&facts);
    tcp_flows_free(packet.flows);
    buf_done(&out);
    return 0;
}
