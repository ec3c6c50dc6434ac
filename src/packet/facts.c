/* SPDX-License-Identifier: MIT */
/* What a packet says, as values for programs. */
#include "packet/facts.h"

#include <stdlib.h>

void packet_facts_reset(struct packet_facts *facts)
{
    struct packet_facts empty = {.texts = facts->texts};

    buf_reset(&empty.texts);
    empty.dns.answers = facts->dns.answers;
    empty.dns.answer_capacity = facts->dns.answer_capacity;
    *facts = empty;
}

void packet_facts_done(struct packet_facts *facts)
{
    buf_done(&facts->texts);
    free(facts->dns.answers);
}

struct fact_text packet_facts_since(const struct packet_facts *facts, size_t begin)
{
    return (struct fact_text){(uint32_t)begin, (uint32_t)(facts->texts.length - begin)};
}

struct fact_text packet_facts_add(struct packet_facts *facts, const void *bytes, uint32_t length)
{
    size_t begin = facts->texts.length;

    buf_put(&facts->texts, bytes, length);
    return packet_facts_since(facts, begin);
}
