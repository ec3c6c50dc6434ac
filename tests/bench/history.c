/* SPDX-License-Identifier: MIT */
/* Makes a day of history (tests/bench/history.py says of what) and measures writing and asking. */
#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PROCESSES 200
#define PEERS 2000
#define PAIRS 8000
#define TICK_NS (10 * SECOND_NS)
#define BEGIN_NS (UINT64_C(1764547200) * SECOND_NS)
#define CHECK(call) check((call), #call)

static void check(int result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "history: %s: %s\n", what, strerror(-result));
    exit(2);
}

/* xorshift64*: the same numbers everywhere. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static double uniform(uint64_t *state)
{
    return ((double)(draw(state) >> 11) + 0.5) / 9007199254740992.0;
}

/* A normal one by Box and Muller, as the exponent: a few transfers are large, most are small. */
static uint64_t lognormal(uint64_t *state, double mean, double deviation)
{
    double normal = sqrt(-2 * log(uniform(state))) * cos(6.283185307179586 * uniform(state));

    return (uint64_t)exp(mean + deviation * normal);
}

struct world {
    uint64_t random;
    struct pair {
        uint32_t process, peer;
        double busy; /* how likely it has traffic in a tick */
    } pairs[PAIRS];
};

/* A few processes have most of the pairs; few pairs are busy all the time, many now and then. */
static void make_world(struct world *world)
{
    world->random = 42;
    for (unsigned int i = 0; i < PAIRS; i++) {
        double u = uniform(&world->random);

        world->pairs[i] = (struct pair){
            .process = (uint32_t)(PROCESSES * pow(uniform(&world->random), 8)),
            .peer = (uint32_t)(draw(&world->random) % PEERS),
            .busy = u * u * u * 0.87,
        };
    }
}

static void add_processes(struct snapshot *snapshot)
{
    char text[64];

    for (uint32_t i = 0; i < PROCESSES; i++) {
        uint32_t index, comm, exe, cgroup;

        snprintf(text, sizeof(text), "process%u", i);
        CHECK(snapshot_intern(snapshot, text, strlen(text), &comm));
        snprintf(text, sizeof(text), "/usr/sbin/process%u", i);
        CHECK(snapshot_intern(snapshot, text, strlen(text), &exe));
        snprintf(text, sizeof(text), "/system.slice/unit%u.service", i / 2);
        CHECK(snapshot_intern(snapshot, text, strlen(text), &cgroup));
        CHECK(snapshot_add_process(snapshot, 1000 + i, &index));
        snapshot->processes[index] = (struct process){
            .pid = 1000 + i,
            .start_ticks = 5000 + i,
            .has = PROCESS_HAS_UID | PROCESS_HAS_START | PROCESS_HAS_EXE | PROCESS_HAS_COMM |
                   PROCESS_HAS_CGROUP | PROCESS_HAS_NETNS,
            .uid = i % 20,
            .comm = comm,
            .exe = exe,
            .cgroup = cgroup,
        };
    }
}

static void add_flow(struct world *world, struct snapshot *snapshot, const struct pair *pair)
{
    uint64_t *random = &world->random;
    const struct process *process = &snapshot->processes[pair->process];
    bool incoming = pair->process % 2;
    struct flow *flow = snapshot_add_flow(snapshot);
    uint64_t rx, tx;

    if (!flow)
        CHECK(-ENOMEM);
    *flow = (struct flow){
        .id = (uint64_t)(pair - world->pairs) + 1,
        .process = pair->process + 1,
        .pid = process->pid,
        .start_ticks = process->start_ticks,
        .comm = process->comm,
        .sockets = 1,
        .proto = PROTO_TCP,
        .family = AF_INET,
        .local_port = incoming ? 443 : (uint16_t)(32768 + pair->peer),
        .peer_port = incoming ? (uint16_t)(32768 + pair->peer) : 5432,
        .peer = {{10, 1, (uint8_t)(pair->peer >> 8), (uint8_t)pair->peer}},
    };
    if (uniform(random) >= pair->busy)
        return;
    rx = lognormal(random, 7.5, 2);
    tx = lognormal(random, 7, 2);
    flow->window[FLOW_LAST] = (struct traffic){rx, tx};
    flow->wire_last = (struct wire){rx + 66 * (rx / 1448 + 1), tx + 66 * (tx / 1448 + 1),
                                    rx / 1448 + 1, tx / 1448 + 1};
}

static void make_tick(struct world *world, uint64_t number, bool counts_packets,
                      struct snapshot *ret)
{
    uint32_t netns;

    CHECK(snapshot_init(ret));
    ret->time_ns = BEGIN_NS + (number + 1) * TICK_NS;
    ret->boot_ns = (number + 1) * TICK_NS;
    ret->accounting = ACCOUNTING_BPF;
    ret->window_ns[FLOW_LAST] = TICK_NS;
    CHECK(snapshot_add_netns(ret, 4026531840, &netns));
    ret->netns[0].flags = NETNS_INIT;
    add_processes(ret);
    for (unsigned int i = 0; i < PAIRS; i++)
        add_flow(world, ret, &world->pairs[i]);
    for (uint32_t i = 0; !counts_packets && i < ret->flows_count; i++)
        ret->flows[i].wire_last = (struct wire){0};
}

static int compare_times(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;

    return *left < *right ? -1 : *left > *right;
}

/* Writes the ticks and says what each cost. */
static int write_day(const char *path, uint32_t peers, uint64_t ticks, bool counts_packets)
{
    const struct store_limits limits = {.bytes = UINT64_C(4) << 30, .peers = peers};
    CLEANUP_FREE struct world *world = calloc(1, sizeof(*world));
    CLEANUP_FREE uint64_t *cpu = calloc(ticks, sizeof(*cpu));
    CLEANUP_FREE uint64_t *wall = calloc(ticks, sizeof(*wall));
    struct buf problem = BUF_INIT;
    uint64_t rows = 0, sum = 0;
    struct store *store;
    int pid;

    if (!world || !cpu || !wall)
        return 2;
    make_world(world);
    CHECK(store_open(path, &limits, &store, &pid, &problem));
    for (uint64_t i = 0; i < ticks; i++) {
        struct snapshot tick;
        uint64_t begin;

        make_tick(world, i, counts_packets, &tick);
        for (uint32_t j = 0; j < tick.flows_count; j++)
            rows += tick.flows[j].window[FLOW_LAST].rx_bytes > 0;
        wall[i] = clock_ns(CLOCK_MONOTONIC);
        begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
        CHECK(store_add(store, &tick, NULL));
        cpu[i] = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
        wall[i] = clock_ns(CLOCK_MONOTONIC) - wall[i];
        sum += cpu[i];
        snapshot_done(&tick);
    }
    store_close(store);
    qsort(cpu, ticks, sizeof(*cpu), compare_times);
    qsort(wall, ticks, sizeof(*wall), compare_times);
    printf("{\"active\": %" PRIu64 ", \"cpu_median_us\": %" PRIu64 ", \"cpu_p99_us\": %" PRIu64
           ", \"cpu_max_us\": %" PRIu64 ", \"cpu_sum_us\": %" PRIu64
           ", \"wall_median_us\": %" PRIu64 "}\n",
           rows, cpu[ticks / 2] / 1000, cpu[ticks * 99 / 100] / 1000, cpu[ticks - 1] / 1000,
           sum / 1000, wall[ticks / 2] / 1000);
    return 0;
}

/* --- interfaces and counters --- */

#define INTERFACES 4
#define COUNTERS 100

static void add_counter(struct snapshot *snapshot, uint32_t number, uint64_t value)
{
    struct counter *counter = snapshot_add_counter(snapshot);
    char name[32];
    uint32_t string;

    CHECK(counter ? 0 : -ENOMEM);
    snprintf(name, sizeof(name), "Counter%" PRIu32, number);
    CHECK(snapshot_intern(snapshot, name, strlen(name), &string));
    if (counter)
        *counter = (struct counter){.value = value, .name = string, .source = COUNTER_SNMP};
}

static void make_machine_tick(uint64_t number, uint64_t length_ns, struct snapshot *ret)
{
    uint32_t netns;

    CHECK(snapshot_init(ret));
    ret->time_ns = BEGIN_NS + (number + 1) * length_ns;
    ret->boot_ns = (number + 1) * length_ns;
    CHECK(snapshot_add_netns(ret, 4026531840, &netns));
    ret->netns[0].flags = NETNS_INIT | NETNS_SELF;
    for (uint32_t i = 0; i < INTERFACES; i++) {
        char name[16];
        struct link_stats *stats;

        snprintf(name, sizeof(name), "eth%" PRIu32, i);
        CHECK(snapshot_add_interface(ret, netns, i + 2, name));
        ret->interfaces[i].has = INTERFACE_HAS_STATS;
        stats = &ret->interfaces[i].stats;
        stats->rx_packets = number * (1000 + i);
        stats->tx_packets = number * (900 + i);
        stats->rx_bytes = number * (1000000 + i) + number % 4096;
        stats->tx_bytes = number * (100000 + i) + number % 1024;
    }
    for (uint32_t i = 0; i < COUNTERS; i++)
        add_counter(ret, i, i % 3 ? number / 10 : number * i);
}

static int write_machine(const char *path, uint64_t ticks, uint64_t length_ns)
{
    const struct store_limits limits = {.bytes = UINT64_C(4) << 30};
    struct buf problem = BUF_INIT;
    struct store *store;
    int pid;

    CHECK(store_open(path, &limits, &store, &pid, &problem));
    for (uint64_t i = 0; i < ticks; i++) {
        struct snapshot tick;

        make_machine_tick(i, length_ns, &tick);
        CHECK(store_add(store, &tick, NULL));
        snapshot_done(&tick);
    }
    store_close(store);
    return 0;
}

static int take(struct store_answer *answer, void *context)
{
    uint64_t *numbers = context;

    numbers[0] += answer->snapshot.flows_count;
    for (uint32_t i = 0; i < answer->snapshot.flows_count; i++)
        numbers[1] += answer->snapshot.flows[i].total.rx_bytes;
    return 0;
}

static int ask(const char *path, enum store_tier tier, unsigned int parts, uint64_t since_s,
               uint64_t until_s, uint64_t every_s)
{
    const struct store_question question = {
        .since_ns = BEGIN_NS + since_s * SECOND_NS,
        .until_ns = BEGIN_NS + until_s * SECOND_NS,
        .every_ns = every_s * SECOND_NS,
        .tier = tier,
        .parts = parts,
    };
    uint64_t numbers[2] = {0}, begin = clock_ns(CLOCK_MONOTONIC);
    struct buf problem = BUF_INIT;
    struct store *store;

    CHECK(store_open_to_read(path, &store, &problem));
    CHECK(store_read(store, &question, take, numbers));
    store_close(store);
    printf("{\"ms\": %.1f, \"flows\": %" PRIu64 ", \"rx_bytes\": %" PRIu64 "}\n",
           (double)(clock_ns(CLOCK_MONOTONIC) - begin) / 1e6, numbers[0], numbers[1]);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "write") == 0)
        return write_day(argv[2], (uint32_t)strtoul(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
                         argv[5][0] == '1');
    if (argc == 5 && strcmp(argv[1], "machine") == 0)
        return write_machine(argv[2], strtoull(argv[3], NULL, 10),
                             strtoull(argv[4], NULL, 10) * SECOND_NS);
    if (argc == 8 && strcmp(argv[1], "ask") == 0)
        return ask(argv[2], (enum store_tier)strtoul(argv[3], NULL, 10),
                   (unsigned int)strtoul(argv[4], NULL, 10), strtoull(argv[5], NULL, 10),
                   strtoull(argv[6], NULL, 10), strtoull(argv[7], NULL, 10));
    fputs("usage: history write FILE PEERS TICKS PACKETS\n"
          "       history machine FILE TICKS SECONDS\n"
          "       history ask FILE TIER PARTS SINCE UNTIL EVERY\n",
          stderr);
    return 2;
}
