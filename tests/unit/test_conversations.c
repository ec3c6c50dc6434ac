/* SPDX-License-Identifier: MIT */
/* What packets add up to: conversations in both directions, and processes. */
#include "derive/conversations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static struct packet_ends between(uint8_t from, uint16_t source_port, uint8_t to,
                                  uint16_t target_port, uint8_t proto)
{
    return (struct packet_ends){.family = AF_INET,
                                .proto = proto,
                                .source_port = source_port,
                                .target_port = target_port,
                                .source = {10, 0, 0, from},
                                .target = {10, 0, 0, to}};
}

static void add(struct conversations *all, struct packet_ends ends, uint64_t time_ns,
                uint32_t length, const struct conversation_process *sender,
                const struct conversation_process *receiver)
{
    ends.tcp_flags = (uint8_t)length; /* what differs from packet to packet means nothing */
    assert_int_equal(conversations_add(all, &ends, time_ns, length, sender, receiver), 0);
}

static void both_directions_are_one(void **state)
{
    const struct conversation_process curl = {12, "curl"}, nginx = {1187, "nginx"},
                                      worker = {1190, "nginx"};
    struct conversations *all;
    const struct conversation *found;
    const struct talking_process *processes;
    uint32_t count;

    (void)state;
    assert_int_equal(conversations_new(&all), 0);
    add(all, between(1, 5000, 2, 80, IPPROTO_TCP), 100, 60, &curl, &nginx);
    add(all, between(2, 80, 1, 5000, IPPROTO_TCP), 300, 1500, &worker, &curl);
    add(all, between(2, 80, 1, 5000, IPPROTO_TCP), 200, 40, NULL, &curl);
    add(all, between(1, 5000, 2, 80, IPPROTO_UDP), 150, 100, NULL, NULL);
    add(all, between(1, 5001, 2, 80, IPPROTO_TCP), 150, 99, NULL, NULL);
    add(all, (struct packet_ends){0}, 150, 42, NULL, NULL);
    found = conversations_all(all, &count);
    assert_int_equal(count, 3);
    assert_int_equal(found[0].ends.source_port, 5000);
    assert_int_equal(found[0].ends.tcp_flags, 0);
    assert_int_equal(found[0].sum.packets[0], 1);
    assert_int_equal(found[0].sum.packets[1], 2);
    assert_int_equal(found[0].sum.bytes[0], 60);
    assert_int_equal(found[0].sum.bytes[1], 1540);
    assert_int_equal(found[0].sum.first_ns, 100);
    assert_int_equal(found[0].sum.last_ns, 300);
    assert_string_equal(conversations_process(all, found[0].processes[0])->name, "curl");
    assert_int_equal(conversations_process(all, found[0].processes[1])->pid, 1190);
    assert_int_equal(found[1].ends.proto, IPPROTO_UDP);
    assert_int_equal(found[2].sum.bytes[0], 99);
    assert_null(conversations_process(all, found[1].processes[0]));
    processes = conversations_processes(all, &count);
    assert_int_equal(count, 3);
    assert_string_equal(processes[0].name, "curl");
    assert_int_equal(processes[0].sum.bytes[0], 60);
    assert_int_equal(processes[0].sum.bytes[1], 1540);
    assert_int_equal(processes[1].pid, 1190);
    assert_int_equal(processes[1].sum.bytes[0], 1500);
    assert_int_equal(processes[2].sum.bytes[1], 60);
    assert_int_equal(conversations_rest(all)->packets, 1);
    assert_int_equal(conversations_rest(all)->bytes, 42);
    conversations_free(all);
}

/* A packet between the same two ports of one address goes in the direction of the first one. */
static void with_oneself(void **state)
{
    struct conversations *all;
    const struct conversation *found;
    uint32_t count;

    (void)state;
    assert_int_equal(conversations_new(&all), 0);
    for (uint32_t i = 0; i < 3; i++)
        add(all, between(1, 7, 1, 7, IPPROTO_UDP), i, 10, NULL, NULL);
    found = conversations_all(all, &count);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].sum.packets[0], 3);
    conversations_free(all);
}

/* Sums hold beside a count that is made apart. */
static void many(void **state)
{
    struct conversations *all;
    const struct conversation *found;
    uint64_t bytes = 0, packets = 0;
    uint32_t count;

    (void)state;
    assert_int_equal(conversations_new(&all), 0);
    for (uint32_t i = 0; i < 50000; i++) {
        uint16_t port = (uint16_t)(i * 7919 % 5000);
        bool back = i & 1;

        add(all, back ? between(2, 80, 1, port, IPPROTO_TCP) : between(1, port, 2, 80, IPPROTO_TCP),
            i, i % 1500, NULL, NULL);
    }
    found = conversations_all(all, &count);
    assert_int_equal(count, 5000);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(i == 0 ||
                    packet_sum_bytes(&found[i - 1].sum) >= packet_sum_bytes(&found[i].sum));
        bytes += packet_sum_bytes(&found[i].sum);
        packets += packet_sum_packets(&found[i].sum);
    }
    assert_int_equal(packets, 50000);
    assert_int_equal(bytes, 33 * (1500ull * 1499 / 2) + 500ull * 499 / 2);
    conversations_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_are_one),
        cmocka_unit_test(with_oneself),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
