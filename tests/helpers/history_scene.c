/* SPDX-License-Identifier: MIT */
/* Writes ten minutes of a made-up history, the same each time. README.md here says what is in it.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BEGIN_NS (UINT64_C(1764547200) * SECOND_NS) /* 2025-12-01T00:00:00Z */
#define TICK_NS (10 * SECOND_NS)
#define LATE_NS (2 * MILLISECOND_NS)
#define TICKS 60
#define GAP_BEGIN 30 /* the last tick before nothing was recorded, and the first one after that */
#define GAP_END 42
#define MARK_NS (75 * SECOND_NS)

struct actor {
    uint32_t pid, uid;
    const char *name, *unit;
    uint8_t peers;           /* it talks to so many */
    uint16_t port;           /* of theirs */
    uint64_t rx, tx;         /* bytes in a tick, to the first peer */
    unsigned int from, upto; /* ticks */
};

static const struct actor actors[] = {
    {1203, 0, "nginx", "/system.slice/nginx.service", 3, 443, 400000, 9000000, 1, TICKS + 1},
    {877, 0, "rsync", "/system.slice/backup.service", 1, 873, 20000, 3000000, 10, 50},
    {4410, 65534, "curl", "/user.slice/user-65534.slice/session-4.scope", 2, 80, 5000000, 60000, 5,
     16},
};

static int check(int result, const char *what)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "history_scene: %s: %s\n", what, strerror(-result));
    exit(2);
}

static uint32_t text_of(struct snapshot *snapshot, const char *text)
{
    uint32_t string = 0;

    check(snapshot_intern(snapshot, text, strlen(text), &string), "text");
    return string;
}

static uint32_t add_process(struct snapshot *snapshot, const struct actor *actor)
{
    uint32_t index, comm = text_of(snapshot, actor->name);
    char exe[64];

    snprintf(exe, sizeof(exe), "/usr/bin/%s", actor->name);
    check(snapshot_add_process(snapshot, actor->pid, &index), "process");
    snapshot->processes[index] = (struct process){
        .pid = actor->pid,
        .start_ticks = actor->pid,
        .has = PROCESS_HAS_UID | PROCESS_HAS_START | PROCESS_HAS_EXE | PROCESS_HAS_COMM |
               PROCESS_HAS_NETNS | PROCESS_HAS_CGROUP,
        .uid = actor->uid,
        .comm = comm,
        .exe = text_of(snapshot, exe),
        .cgroup = text_of(snapshot, actor->unit),
    };
    return index;
}

/* A pattern, so that sparklines show something. */
static uint64_t wave(uint64_t most, unsigned int tick)
{
    static const uint64_t eighths[] = {8, 6, 7, 3, 1, 4, 5, 8, 2, 6};

    return most * eighths[tick % ARRAY_SIZE(eighths)] / 8;
}

static void add_flows(struct snapshot *snapshot, const struct actor *actor, unsigned int tick)
{
    uint32_t process = add_process(snapshot, actor);

    for (uint8_t peer = 0; peer < actor->peers; peer++) {
        struct flow *flow = snapshot_add_flow(snapshot);

        check(flow ? 0 : -ENOMEM, "flow");
        *flow = (struct flow){
            .id = snapshot->flows_count,
            .process = process + 1,
            .pid = actor->pid,
            .start_ticks = actor->pid,
            .uid = actor->uid,
            .comm = snapshot->processes[process].comm,
            .window[FLOW_LAST] = {wave(actor->rx, tick) >> peer, wave(actor->tx, tick) >> peer},
            .sockets = 1,
            .proto = PROTO_TCP,
            .family = AF_INET,
            .local_port = 40000,
            .peer_port = actor->port,
            .peer = {{198, 51, 100, (uint8_t)(7 + peer)}},
        };
    }
}

static void add_interface(struct snapshot *snapshot, uint32_t ifindex, const char *name,
                          uint64_t bytes)
{
    struct interface *interface;

    check(snapshot_add_interface(snapshot, 0, ifindex, name), "interface");
    interface = &snapshot->interfaces[snapshot->interfaces_count - 1];
    interface->has = INTERFACE_HAS_STATS;
    interface->stats = (struct link_stats){
        .rx_bytes = bytes / 4,
        .tx_bytes = bytes,
        .rx_packets = bytes / 4000,
        .tx_packets = bytes / 1400,
        .rx_dropped = bytes / 90000000,
    };
}

static void make_tick(struct snapshot *snapshot, unsigned int tick)
{
    uint32_t netns;

    check(snapshot_init(snapshot), "snapshot");
    snapshot->time_ns = BEGIN_NS + tick * TICK_NS + LATE_NS;
    snapshot->boot_ns = (1000 + tick * UINT64_C(10)) * SECOND_NS;
    snapshot->clock_ticks = 100;
    snapshot->accounting = ACCOUNTING_BPF;
    snapshot->window_ns[FLOW_LAST] = TICK_NS;
    check(snapshot_add_netns(snapshot, 4026531840, &netns), "namespace");
    snapshot->netns[netns].flags = NETNS_INIT | NETNS_SELF | NETNS_READ;
    for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
        if (tick >= actors[i].from && tick < actors[i].upto)
            add_flows(snapshot, &actors[i], tick);
    add_interface(snapshot, 1, "lo", tick * UINT64_C(1000));
    add_interface(snapshot, 2, "eth0", tick * UINT64_C(15000000) + wave(4000000, tick));
}

int main(int argc, char **argv)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store;
    int pid = 0;

    if (argc != 2) {
        fputs("usage: history_scene FILE\n", stderr);
        return 2;
    }
    check(store_open(argv[1], NULL, &store, &pid, &problem), buf_string(&problem));
    for (unsigned int tick = 0; tick <= TICKS; tick++) {
        struct snapshot snapshot;

        if (tick > GAP_BEGIN && tick < GAP_END)
            continue;
        make_tick(&snapshot, tick);
        check(store_add(store, &snapshot, NULL), "writing");
        snapshot_done(&snapshot);
    }
    check(store_note(store, BEGIN_NS + MARK_NS, STORE_MARK, "deployed v2"), "note");
    store_close(store);
    return 0;
}
