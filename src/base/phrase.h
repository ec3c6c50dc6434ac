/* SPDX-License-Identifier: MIT */
/* Phrases: text with places for facts, "{1} of {2}", which can be put into another language. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* Marks a text that is translated where it is written: po/ has it. */
#define N_(text) text

/* Gives the text in another language, or itself: translated() (base/translate.h), untranslated().
 */
typedef const char *translation(const char *text);

const char *untranslated(const char *text);

enum phrase_fact_kind {
    PHRASE_COUNT,
    PHRASE_BYTES,
    PHRASE_DURATION, /* microseconds */
    PHRASE_PERCENT,
    PHRASE_PERMILLE, /* as percent */
    PHRASE_WORD,
    PHRASE_ADDRESS,
};

struct phrase_fact {
    enum phrase_fact_kind kind;
    unsigned int family; /* of the address: AF_* */
    uint64_t number;
    const char *word; /* translated, too */
    uint8_t address[16];
};

#define PHRASE_FACTS_MAX 5

struct phrase {
    const char *text; /* not translated yet */
    struct phrase_fact facts[PHRASE_FACTS_MAX];
};

struct phrase_fact fact_count(uint64_t number);
struct phrase_fact fact_bytes(uint64_t bytes);
struct phrase_fact fact_duration(uint64_t microseconds);
struct phrase_fact fact_percent(uint64_t percent);
struct phrase_fact fact_permille(uint64_t permille);
struct phrase_fact fact_word(const char *word);
struct phrase_fact fact_address(unsigned int family, const uint8_t *address);

#define PHRASE(marked, ...) ((struct phrase){.text = (marked), .facts = {__VA_ARGS__}})

void phrase_put(struct buf *out, const struct phrase *phrase, translation *translate);
