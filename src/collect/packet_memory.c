/* SPDX-License-Identifier: MIT */
/* Whose the packets of a flow were found to be, for a moment. */
#include "collect/packet_memory.h"

#include "base/cleanup.h"

#include <netinet/tcp.h>
#include <string.h>

_Static_assert(sizeof(struct packet_ends) == 42, "its bytes are compared: it has no gaps");

/* A slot by the ends: of each packet, so that no step waits for another as in hash_words(). */
static uint32_t slot_of(uint32_t place, const struct packet_ends *ends)
{
    static const uint64_t odd[] = {UINT64_C(0x9e3779b97f4a7c15), UINT64_C(0xbf58476d1ce4e5b9),
                                   UINT64_C(0x94d049bb133111eb), UINT64_C(0xff51afd7ed558ccd),
                                   UINT64_C(0xc4ceb9fe1a85ec53)};
    uint64_t words[ARRAY_SIZE(odd)], sum = place;
    uint16_t last;

    memcpy(words, ends, sizeof(words));
    memcpy(&last, (const char *)ends + sizeof(words), sizeof(last));
    for (uint32_t i = 0; i < ARRAY_SIZE(odd); i++)
        sum += words[i] * odd[i];
    sum = (sum ^ last ^ sum >> 32) * odd[0]; /* what differs may be in the upper bits alone */
    return (uint32_t)(sum >> 32) % PACKET_MEMORY_SIZE;
}

void packet_memory_forget(struct packet_memory *memory)
{
    memory->moment++;
    memory->count = 0;
}

const struct packet_owner *packet_memory_find(struct packet_memory *memory, uint32_t place,
                                              const struct packet_ends *ends,
                                              struct packet_remembered **ret_slot)
{
    struct packet_ends key = *ends;
    struct packet_remembered *slot;

    key.tcp_flags &= TH_SYN;
    slot = &memory->flows[slot_of(place, &key)];
    *ret_slot = slot;
    if (slot->moment == memory->moment && slot->place == place &&
        memcmp(&slot->ends, &key, sizeof(key)) == 0)
        return &slot->owner;
    *slot = (struct packet_remembered){.place = place, .ends = key};
    return NULL;
}

void packet_memory_keep(struct packet_memory *memory, struct packet_remembered *slot,
                        struct packet_owner *owner)
{
    owner->number = ++memory->count;
    slot->owner = *owner;
    slot->moment = memory->moment;
}
