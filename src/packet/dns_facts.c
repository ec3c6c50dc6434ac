/* SPDX-License-Identifier: MIT */
/* A message of DNS as values: what is asked, and all answers. */
#include "base/vec.h"
#include "packet/dns.h"
#include "packet/facts.h"

#include <errno.h>

#define HEADER 12

/* Without the last dot. *at moves behind it; 0: it is broken or cut, and none is told. */
static struct fact_text take_name(struct packet *reading, uint32_t *at, uint32_t start)
{
    struct packet_facts *facts = reading->facts;
    size_t begin = facts->texts.length;

    *at = dns_put_name(reading, *at, start);
    if (!*at)
        facts->texts.length = begin;
    else if (facts->texts.length > begin + 1 && facts->texts.data[facts->texts.length - 1] == '.')
        facts->texts.length--;
    return packet_facts_since(facts, begin);
}

static struct fact_text take_type(struct packet *reading, uint32_t at)
{
    size_t begin = reading->facts->texts.length;

    if (packet_has(reading, at, 2))
        dns_put_type(reading, packet_u16(reading, at));
    return packet_facts_since(reading->facts, begin);
}

/* Returns what is behind it; 0: there is no whole one. */
static uint32_t take_answer(struct packet *reading, uint32_t at, uint32_t start)
{
    struct packet_facts *facts = reading->facts;
    struct dns_answer answer = {.name = take_name(reading, &at, start)};
    uint32_t behind;
    size_t begin;

    if (!at || !packet_has(reading, at, 10))
        return 0;
    answer.type = take_type(reading, at);
    answer.ttl_s = packet_u32(reading, at + 4);
    begin = facts->texts.length;
    behind = dns_put_data(reading, at, start);
    if (!behind || reading->cut)
        return 0;
    if (facts->texts.length > begin && facts->texts.data[begin] == ' ')
        begin++;
    answer.data = packet_facts_since(facts, begin);
    if (VEC_RESERVE(&facts->dns.answers, &facts->dns.answer_capacity, facts->dns.answer_count, 1) <
        0) {
        facts->texts.error = -ENOMEM;
        return 0;
    }
    facts->dns.answers[facts->dns.answer_count++] = answer;
    return behind;
}

void dns_take_facts(const struct packet *packet, uint32_t start, const char *rcode)
{
    struct packet_facts *facts = packet->facts;
    struct packet reading = *packet;
    uint16_t questions, answers;
    uint32_t at = start + HEADER;

    reading.out = &facts->texts;
    facts->has |= FACTS_DNS;
    facts->dns.id = packet_u16(&reading, start);
    facts->dns.response = packet_u16(&reading, start + 2) & DNS_RESPONSE;
    if (facts->dns.response)
        facts->dns.rcode = packet_facts_add(facts, rcode, (uint32_t)strlen(rcode));
    questions = packet_u16(&reading, start + 4);
    answers = packet_u16(&reading, start + 6);
    for (uint32_t i = 0; i < questions && at; i++) {
        struct fact_text name = take_name(&reading, &at, start);

        if (!at)
            return;
        if (i == 0) {
            facts->dns.qname = name;
            facts->dns.qtype = take_type(&reading, at);
        }
        at += 4;
    }
    while (at && answers-- > 0 && !reading.cut && at < reading.end)
        at = take_answer(&reading, at, start);
}
