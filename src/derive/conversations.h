/* SPDX-License-Identifier: MIT */
/* What packets add up to: who talked with whom, by which processes, how much and how long. */
#pragma once

#include "base/cleanup.h"
#include "model/packet_flow.h"

#include <stdbool.h>
#include <stdint.h>

#define CONVERSATIONS_MAX (1u << 20) /* of more, packets are counted and no more is known */
#define CONVERSATION_NOBODY UINT32_MAX

/* Who sent or got a packet. */
struct conversation_process {
    uint32_t pid;     /* 0: unknown, or nobody */
    const char *name; /* copied, raw bytes */
};

struct packet_sum {
    uint64_t packets[2], bytes[2]; /* sent and received; of a conversation by its first end */
    uint64_t first_ns, last_ns;    /* since 1970 */
};

struct conversation {
    struct packet_ends ends; /* of its first packet; flags and types of ICMP are 0 */
    struct packet_sum sum;
    uint32_t processes[2]; /* of its two ends the last that was known, or CONVERSATION_NOBODY */
};

struct talking_process {
    uint32_t pid;
    char name[16]; /* a NUL behind it */
    struct packet_sum sum;
};

/* What was not added up. */
struct packet_rest {
    uint64_t packets, bytes; /* of no protocol that has ends, or for which there was no room */
};

struct conversations;

int conversations_new(struct conversations **ret_conversations) MUST_CHECK;
void conversations_free(struct conversations *conversations); /* NULL is fine */

/* One packet of `length` bytes; either process may be NULL. 0 or -ENOMEM. */
int conversations_add(struct conversations *conversations, const struct packet_ends *ends,
                      uint64_t time_ns, uint32_t length, const struct conversation_process *sender,
                      const struct conversation_process *receiver) MUST_CHECK;

/* All of them, those with most bytes first; NULL: no memory. Valid until something is added. */
const struct conversation *conversations_all(struct conversations *conversations,
                                             uint32_t *ret_count);
/* The same of processes; an index of a conversation is none into these, see below. */
const struct talking_process *conversations_processes(struct conversations *conversations,
                                                      uint32_t *ret_count);
/* The process that a conversation names; NULL: nobody. */
const struct talking_process *conversations_process(const struct conversations *conversations,
                                                    uint32_t number);
const struct packet_rest *conversations_rest(const struct conversations *conversations);

static inline uint64_t packet_sum_bytes(const struct packet_sum *sum)
{
    return sum->bytes[0] + sum->bytes[1];
}

static inline uint64_t packet_sum_packets(const struct packet_sum *sum)
{
    return sum->packets[0] + sum->packets[1];
}
