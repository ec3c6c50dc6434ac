/* SPDX-License-Identifier: MIT */
/* Writes a small history with known numbers and hostile names. README.md here explains it. */
#include "base/buf.h"
#include "base/clock.h"
#include "store/page_sums.h"
#include "store/store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BEGIN_S UINT64_C(1764547200) /* 2025-12-01T00:00:00Z */
#define TICK_NS (10 * SECOND_NS)
#define TICKS 180
#define GAP_BEGIN 90 /* those between are not written */
#define GAP_END 102
#define PROCESSES 130

static const struct names {
    const char *comm, *exe, *cgroup, *interface;
} names[] = {
    {"plain", "/usr/bin/plain", "/system.slice/plain.service", "eth0"},
    {"q\"uo'te,\n", "/opt/a b/q\"uo'te,\n", "/system.slice/e\"vil\n.service", "e\"t,h\n1"},
    {"esc\x1b[31m\\n", "/opt/esc\x1b[31m\\n", "/", "\x1b\\2"},
    {"bad\xff\xc3(", "/opt/bad\xff\xc3(", "/", "\xe2\x80\xae"},
    {"\xc3\xa9\xe6\x97\xa5<b>&{}=#", "/opt/\xc3\xa9\xe6\x97\xa5<b>&{}=#", "/", "\xc3\xa9th"},
};

static int intern(struct snapshot *tick, const char *text, uint32_t *ret_string)
{
    return snapshot_intern(tick, text, strlen(text), ret_string);
}

/* The last one runs another program in the second half of the time. */
static int add_process(struct snapshot *tick, uint32_t number, bool late)
{
    char comm[32], exe[48];
    const char *cgroup = "/";
    struct process *process;
    uint32_t index;
    int r = snapshot_add_process(tick, 1000 + number, &index);

    if (r < 0)
        return r;
    snprintf(comm, sizeof(comm), "p%u", number);
    snprintf(exe, sizeof(exe), "/usr/bin/p%u%s", number,
             late && number == PROCESSES - 1 ? "-other" : "");
    if (number < ARRAY_SIZE(names)) {
        snprintf(comm, sizeof(comm), "%s", names[number].comm);
        snprintf(exe, sizeof(exe), "%s", names[number].exe);
        cgroup = names[number].cgroup;
    }
    process = &tick->processes[index];
    process->start_ticks = 1 + number;
    process->has = PROCESS_HAS_UID | PROCESS_HAS_START | PROCESS_HAS_EXE | PROCESS_HAS_COMM |
                   PROCESS_HAS_NETNS | PROCESS_HAS_CGROUP;
    r = intern(tick, comm, &process->comm);
    if (r == 0)
        r = intern(tick, exe, &tick->processes[index].exe);
    if (r == 0)
        r = intern(tick, cgroup, &tick->processes[index].cgroup);
    return r;
}

/* Process N receives (PROCESSES - N) * 100 bytes in each tick from two peers, and sends one. */
static int add_flows(struct snapshot *tick, uint32_t number)
{
    for (uint8_t peer = 1; peer <= 2; peer++) {
        struct flow *flow = snapshot_add_flow(tick);

        if (!flow)
            return -ENOMEM;
        *flow = (struct flow){
            .id = tick->flows_count,
            .process = number + 1,
            .pid = 1000 + number,
            .start_ticks = 1 + number,
            .comm = tick->processes[number].comm,
            .sockets = 1,
            .proto = PROTO_TCP,
            .family = AF_INET,
            .local_port = 40000,
            .peer_port = 443,
            .peer = {{192, 0, 2, peer}},
            .window[FLOW_LAST] = {(PROCESSES - number) * 50, peer - 1},
        };
    }
    return 0;
}

static int add_interface(struct snapshot *tick, uint32_t number, uint64_t ticks)
{
    struct interface *interface;
    int r = snapshot_add_interface(tick, 0, number + 1, names[number].interface);

    if (r < 0)
        return r;
    interface = &tick->interfaces[number];
    interface->has = INTERFACE_HAS_STATS;
    interface->stats.rx_bytes = ticks * 1000 * (number + 1);
    interface->stats.tx_bytes = ticks * 10;
    interface->stats.rx_packets = ticks;
    return 0;
}

static int add_machine(struct snapshot *tick, uint64_t ticks)
{
    struct counter *counter = snapshot_add_counter(tick);
    struct socket *socket = snapshot_add_socket(tick);
    struct event *event = snapshot_add_event(tick);
    int r = counter && socket && event ? 0 : -ENOMEM;

    if (r == 0)
        r = intern(tick, "TcpRetransSegs", &counter->name);
    if (r < 0)
        return r;
    counter->value = ticks * 3;
    *socket = (struct socket){.proto = PROTO_TCP, .family = AF_INET, .state = STATE_ESTABLISHED};
    *event = (struct event){
        .time_ns = tick->boot_ns - SECOND_NS,
        .kind = EVENT_CLOSED,
        .verdict = EVENT_RESET,
        .proto = PROTO_TCP,
        .family = AF_INET,
        .pid = 1001,
        .comm = tick->processes[1].comm,
        .has = EVENT_HAS_PROCESS | EVENT_HAS_BYTES,
        .peer = {{192, 0, 2, 1}},
        .peer_port = 443,
        .rx_bytes = 7,
    };
    return 0;
}

static int make_tick(uint64_t begin_ns, uint64_t number, struct snapshot *tick)
{
    uint32_t netns;
    int r = snapshot_init(tick);

    tick->time_ns = begin_ns + number * TICK_NS;
    tick->boot_ns = (1000 + number) * TICK_NS;
    tick->accounting = ACCOUNTING_BPF;
    tick->window_ns[FLOW_LAST] = TICK_NS;
    if (r == 0)
        r = snapshot_add_netns(tick, 4026531840, &netns);
    if (r == 0)
        tick->netns[netns].flags = NETNS_INIT | NETNS_SELF | NETNS_READ;
    for (uint32_t i = 0; i < PROCESSES && r == 0; i++) {
        r = add_process(tick, i, number > GAP_END);
        if (r == 0)
            r = add_flows(tick, i);
    }
    for (uint32_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
        r = add_interface(tick, i, number);
    return r == 0 ? add_machine(tick, number) : r;
}

static int write_tick(struct store *store, uint64_t begin_ns, uint64_t number)
{
    struct snapshot tick;
    int r = make_tick(begin_ns, number, &tick);

    if (r == 0)
        r = store_add(store, &tick, NULL);
    snapshot_done(&tick);
    return r;
}

/* SQLite does so by itself when the journal is long: what it has goes into the file, and what comes
 * afterwards takes the place of that in the journal. */
static int empty_journal(const char *path)
{
    sqlite3 *db;
    int r = page_sums_register();

    if (r < 0)
        return r;
    r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, PAGE_SUMS_LAYER) == SQLITE_OK &&
                sqlite3_exec(db, "PRAGMA wal_checkpoint(PASSIVE)", NULL, NULL, NULL) == SQLITE_OK
            ? 0
            : -EIO;
    sqlite3_close(db);
    return r;
}

/* As the recorder it goes on after a tick that could not be written. The journal of `path` (or
 * NULL) is emptied on the way. */
static int write_ticks(struct store *store, uint64_t begin_ns, uint64_t ticks, const char *path)
{
    int r = 0;

    for (uint64_t number = 1; number <= ticks; number++) {
        bool in_gap = number > GAP_BEGIN && number <= GAP_END;
        int written = in_gap ? 0 : write_tick(store, begin_ns, number);

        r = r < 0 ? r : written;
        if (path && r == 0 && number == ticks * 2 / 3)
            r = empty_journal(path);
    }
    return r;
}

int main(int argc, char **argv)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    uint64_t begin_ns = (argc > 2 ? strtoull(argv[2], NULL, 10) : BEGIN_S) * SECOND_NS;
    uint64_t ticks = argc > 3 ? strtoull(argv[3], NULL, 10) : TICKS;
    int pid, r;

    if (argc < 2 || argc > 5) {
        fputs("usage: history_maker FILE [BEGIN [TICKS [killed]]]\n", stderr);
        return 2;
    }
    r = store_open(argv[1], NULL, &store, &pid, &problem);
    if (r == 0)
        r = write_ticks(store, begin_ns, ticks, argc == 5 ? argv[1] : NULL);
    if (r == 0)
        r = store_note(store, begin_ns + 5 * TICK_NS, STORE_MARK,
                       "v2 \"x\",\n\x1b[1m\xff \xc3\xa9");
    if (r < 0) {
        fprintf(stderr, "history_maker: %s %s\n", strerror(-r), buf_string(&problem));
        store_close(store);
        return 1;
    }
    if (argc == 5)
        raise(SIGKILL);
    store_close(store);
    return 0;
}
