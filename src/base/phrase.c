/* SPDX-License-Identifier: MIT */
/* Writes phrases: each "{N}" is replaced by fact number N, counted from 1, in the order that the
 * language wants. */
#include "base/phrase.h"

#include "base/units.h"

#include <sys/socket.h>

const char *untranslated(const char *text)
{
    return text;
}

struct phrase_fact fact_count(uint64_t number)
{
    return (struct phrase_fact){.kind = PHRASE_COUNT, .number = number};
}

struct phrase_fact fact_bytes(uint64_t bytes)
{
    return (struct phrase_fact){.kind = PHRASE_BYTES, .number = bytes};
}

struct phrase_fact fact_duration(uint64_t microseconds)
{
    return (struct phrase_fact){.kind = PHRASE_DURATION, .number = microseconds};
}

struct phrase_fact fact_percent(uint64_t percent)
{
    return (struct phrase_fact){.kind = PHRASE_PERCENT, .number = percent};
}

struct phrase_fact fact_permille(uint64_t permille)
{
    return (struct phrase_fact){.kind = PHRASE_PERMILLE, .number = permille};
}

struct phrase_fact fact_word(const char *word)
{
    return (struct phrase_fact){.kind = PHRASE_WORD, .word = word};
}

struct phrase_fact fact_address(unsigned int family, const uint8_t *address)
{
    struct phrase_fact fact = {.kind = PHRASE_ADDRESS, .family = family};

    memcpy(fact.address, address, family == AF_INET ? 4 : sizeof(fact.address));
    return fact;
}

static void put_fact(struct buf *out, const struct phrase_fact *fact, translation *translate)
{
    switch (fact->kind) {
    case PHRASE_COUNT:
        buf_uint(out, fact->number);
        return;
    case PHRASE_BYTES:
        units_write_bytes(out, fact->number);
        return;
    case PHRASE_DURATION:
        units_write_duration(out, fact->number);
        return;
    case PHRASE_PERCENT:
        buf_uint(out, fact->number);
        buf_byte(out, '%');
        return;
    case PHRASE_PERMILLE:
        buf_uint(out, fact->number / 10);
        buf_byte(out, '.');
        buf_uint(out, fact->number % 10);
        buf_byte(out, '%');
        return;
    case PHRASE_WORD:
        buf_puts(out, translate(fact->word));
        return;
    case PHRASE_ADDRESS:
        buf_address(out, fact->family, fact->address);
        return;
    }
}

/* A place for a fact begins here. */
static bool is_place(const char *text)
{
    return text[0] == '{' && text[1] >= '1' && text[1] <= '0' + PHRASE_FACTS_MAX && text[2] == '}';
}

void phrase_put(struct buf *out, const struct phrase *phrase, translation *translate)
{
    const char *text = translate(phrase->text);

    while (*text) {
        if (is_place(text)) {
            put_fact(out, &phrase->facts[text[1] - '1'], translate);
            text += 3;
        } else {
            buf_byte(out, *text++);
        }
    }
}
