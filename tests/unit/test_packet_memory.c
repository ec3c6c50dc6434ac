/* SPDX-License-Identifier: MIT */
/* What is remembered of flows for a moment: each its own, and none longer. */
#include "collect/packet_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define PLACE 3

static struct packet_ends ends_of(uint16_t source_port, uint8_t last)
{
    struct packet_ends ends = {.family = AF_INET,
                               .proto = IPPROTO_TCP,
                               .tcp_flags = TH_ACK,
                               .source_port = source_port,
                               .target_port = 443,
                               .source = {10, 0, 0, 1},
                               .target = {10, 0, 0, last}};

    return ends;
}

static bool knows(struct packet_memory *memory, uint32_t place, const struct packet_ends *ends,
                  const struct packet_process *process)
{
    struct packet_remembered *slot;
    const struct packet_owner *owner = packet_memory_find(memory, place, ends, &slot);

    assert_true(!owner || owner->number != 0);
    return owner && owner->sender.process == process;
}

/* Returns its number. */
static uint32_t keep(struct packet_memory *memory, const struct packet_ends *ends,
                     const struct packet_process *process)
{
    struct packet_owner owner = {.sender = {.kind = PACKET_END_PROCESS, .process = process}};
    struct packet_remembered *slot;

    assert_null(packet_memory_find(memory, PLACE, ends, &slot));
    packet_memory_keep(memory, slot, &owner);
    return owner.number;
}

static void until_it_is_forgotten(void **state)
{
    struct packet_memory *memory = calloc(1, sizeof(*memory));
    const struct packet_process process = {.pid = 1};
    struct packet_ends ends = ends_of(1000, 2), opening = ends, other = ends;

    (void)state;
    packet_memory_forget(memory);
    assert_int_equal(keep(memory, &ends, &process), 1);
    assert_true(knows(memory, PLACE, &ends, &process));
    ends.tcp_flags = TH_ACK | TH_FIN; /* still that connection */
    assert_true(knows(memory, PLACE, &ends, &process));
    packet_memory_forget(memory);
    assert_false(knows(memory, PLACE, &ends, &process));

    /* none of these is the same */
    assert_int_equal(keep(memory, &ends, &process), 1);
    opening.tcp_flags = TH_SYN;
    assert_false(knows(memory, PLACE, &opening, &process));
    assert_false(knows(memory, PLACE + 1, &ends, &process));
    other.proto = IPPROTO_UDP;
    assert_false(knows(memory, PLACE, &other, &process));
    free(memory);
}

/* Those that differ in little have places of their own, mostly; none has another's owner. */
static void flows_beside_each_other(void **state)
{
    struct packet_memory *memory = calloc(1, sizeof(*memory));
    struct packet_process processes[100];
    uint32_t kept = 0;

    (void)state;
    packet_memory_forget(memory);
    for (uint32_t i = 0; i < 100; i++) {
        struct packet_ends ends = ends_of((uint16_t)(40000 + i % 50), (uint8_t)(i / 50));

        assert_int_equal(keep(memory, &ends, &processes[i]), i + 1);
    }
    for (uint32_t i = 0; i < 100; i++) {
        struct packet_ends ends = ends_of((uint16_t)(40000 + i % 50), (uint8_t)(i / 50));
        struct packet_remembered *slot;
        const struct packet_owner *owner = packet_memory_find(memory, PLACE, &ends, &slot);

        assert_true(!owner || owner->sender.process == &processes[i]);
        kept += owner != NULL;
    }
    assert_true(kept > 80);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(until_it_is_forgotten),
        cmocka_unit_test(flows_beside_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
