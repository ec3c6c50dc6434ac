/* SPDX-License-Identifier: MIT */
/* Tries to load and attach each program of BPF alone, and prints "NAME ok" or "NAME ERROR". */
#include "bpf/event_stream.h"
#include "bpf/iterators.h"
#include "bpf/packet_count.h"
#include "bpf/packet_owners.h"
#include "bpf/traffic.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void tell(const char *name, int r)
{
    printf("%s %s\n", name, r < 0 ? strerror(-r) : "ok");
}

static void try_iterators(void)
{
    static const char *const names[ITERATOR_KINDS] = {
        [ITERATOR_TASK_FILE] = "task_file",
        [ITERATOR_TCP] = "tcp",
        [ITERATOR_GLANCE] = "glance",
        [ITERATOR_UDP] = "udp",
    };

    for (enum iterator_kind kind = 0; kind < ITERATOR_KINDS; kind++) {
        struct iterator iterator = ITERATOR_INIT;

        tell(names[kind], iterator_open(kind, &iterator));
        iterator_close(&iterator);
    }
}

static void try_traffic(uint32_t pidns)
{
    static const char *const names[] = {
        [TRAFFIC_CALLS] = "traffic_calls",
        [TRAFFIC_CALLS_BY_FUNCTIONS] = "traffic_calls_by_functions",
        [TRAFFIC_END] = "traffic_end",
        [TRAFFIC_CLOSE] = "traffic_close",
        [TRAFFIC_WALK] = "traffic_walk",
        [TRAFFIC_PACKETS] = "traffic_packets",
        [TRAFFIC_PEERS] = "traffic_peers",
    };

    for (size_t part = 0; part < ARRAY_SIZE(names); part++) {
        struct traffic_program program = TRAFFIC_PROGRAM_INIT;

        tell(names[part], traffic_program_open((enum traffic_part)part, pidns, &program));
        traffic_program_close(&program);
    }
}

static void try_events(uint32_t pidns)
{
    const struct event_control control = {.pidns = pidns};
    struct event_stream stream = EVENT_STREAM_INIT;
    int r = event_stream_open(&stream, &control, true);

    tell("events", r);
    tell("events_use", r < 0 ? r : stream.with_use ? 0 : -ENOENT);
    event_stream_close(&stream);
}

static void try_packets(uint32_t pidns)
{
    struct packet_owners_program owners = PACKET_OWNERS_PROGRAM_INIT;
    struct packet_program count = PACKET_PROGRAM_INIT;

    tell("packet_owners", packet_owners_program_open(&owners, pidns));
    packet_owners_program_close(&owners);
    tell("packet_count", packet_program_open(1, 65536, true, &count));
    packet_program_close(&count);
}

int main(void)
{
    struct stat status;

    if (stat("/proc/self/ns/pid", &status) < 0)
        return 1;
    try_iterators();
    try_traffic((uint32_t)status.st_ino);
    try_events((uint32_t)status.st_ino);
    try_packets((uint32_t)status.st_ino);
    return 0;
}
