/* SPDX-License-Identifier: MIT */
/* Fuzzing of the settling of traffic: whatever order calls, looks and ends come in, each byte is
 * counted once. */
#include "collect/traffic_sockets.h"
#include "fuzz.h"

#define SOCKETS 3
#define USERS 3

/* The truth about a socket. */
struct truth {
    struct traffic calls, tcp;
    bool known; /* somebody used, had or closed it; else it is from before the start */
    bool over;
};

struct scene {
    struct traffic_sockets *sockets;
    struct flow_table *table;
    struct truth truths[SOCKETS];
    uint64_t now_ns;
};

/* One step of four bytes: what, which socket, by whom, how much. */
struct step {
    uint8_t what, socket, user, bytes;
};

static struct traffic_tcp tcp_of(const struct scene *scene, uint8_t socket)
{
    const struct truth *truth = &scene->truths[socket];

    return (struct traffic_tcp){.cookie = socket + 1u,
                                .counters = {truth->tcp.rx_bytes, truth->tcp.tx_bytes},
                                .socket = {.proto = PROTO_TCP, .family = 2}};
}

static void call(struct scene *scene, const struct step *step)
{
    const struct traffic_key key = {step->socket + 1u, step->user, step->user};
    const struct traffic_flow flow = {.sums = {step->bytes, step->bytes / 2, 1, 1},
                                      .user = {.pid = step->user, .tid = step->user},
                                      .socket = {.proto = PROTO_TCP, .family = 2}};

    scene->truths[step->socket].known = true;
    traffic_add(&scene->truths[step->socket].calls, (struct traffic){step->bytes, step->bytes / 2});
    CHECK(traffic_sockets_count(scene->sockets, scene->table, &key, &flow) == 0);
}

static void look(struct scene *scene, const struct step *step)
{
    const struct traffic_held held = {.tcp = tcp_of(scene, step->socket),
                                      .user = {.pid = step->user, .tid = step->user}};

    scene->truths[step->socket].known = true;
    traffic_sockets_look_around(scene->sockets, step->bytes % 2);
    CHECK(traffic_sockets_look(scene->sockets, &held) == 0);
    CHECK(traffic_sockets_show(scene->sockets, scene->table) == 0);
    CHECK(flow_table_advance(scene->table, scene->now_ns) == 0);
}

static void shut(struct scene *scene, const struct step *step)
{
    const struct traffic_close closed = {.cookie = step->socket + 1u,
                                         .user = {.pid = step->user, .tid = step->user},
                                         .proto = PROTO_TCP};

    scene->truths[step->socket].known = true;
    CHECK(traffic_sockets_close(scene->sockets, scene->table, &closed, scene->now_ns) == 0);
}

static uint64_t larger(uint64_t one, uint64_t other)
{
    return one > other ? one : other;
}

/* TCP knows all that calls moved, but for what they handed over and was never sent. */
static void end(struct scene *scene, uint8_t socket)
{
    struct truth *truth = &scene->truths[socket];
    struct traffic_tcp ended;

    truth->tcp.rx_bytes = larger(truth->tcp.rx_bytes, truth->calls.rx_bytes);
    ended = tcp_of(scene, socket);
    if (!truth->known)
        truth->tcp = (struct traffic){0};
    CHECK(traffic_sockets_end(scene->sockets, scene->table, &ended, scene->now_ns) == 0);
    ended.counters.rx_bytes++; /* is forgotten with it */
    CHECK(traffic_sockets_end(scene->sockets, scene->table, &ended, scene->now_ns) == 0);
    truth->over = true;
}

static void play(struct scene *scene, const struct step *step)
{
    struct truth *truth = &scene->truths[step->socket];

    scene->now_ns++;
    if (truth->over)
        return;
    switch (step->what % 6) {
    case 0:
    case 1:
        call(scene, step);
        break;
    case 2: /* TCP moves data, of a call under way or without any */
        traffic_add(&truth->tcp, (struct traffic){step->bytes, step->bytes / 2});
        break;
    case 3:
        look(scene, step);
        break;
    case 4:
        shut(scene, step);
        break;
    default:
        end(scene, step->socket);
    }
}

static void check_flows(struct scene *scene)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};

    CHECK(snapshot_init(&snapshot) == 0);
    CHECK(traffic_sockets_show(scene->sockets, scene->table) == 0);
    CHECK(flow_table_advance(scene->table, scene->now_ns + 1) == 0);
    CHECK(flow_table_write(scene->table, &snapshot) == 0);
    for (uint8_t socket = 0; socket < SOCKETS; socket++) {
        const struct truth *truth = &scene->truths[socket];
        struct traffic sum = {0};

        for (uint32_t i = 0; i < snapshot.flows_count; i++)
            if (snapshot.flows[i].cookie == socket + 1u)
                traffic_add(&sum, snapshot.flows[i].total);
        CHECK(sum.rx_bytes == truth->tcp.rx_bytes);
        CHECK(sum.tx_bytes == larger(truth->tcp.tx_bytes, truth->calls.tx_bytes));
    }
    fuzz_show(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scene scene = {
        .sockets = traffic_sockets_new(), .table = flow_table_new(1000, 1), .now_ns = 2};
    struct step step;

    CHECK(scene.sockets && scene.table);
    for (; size >= sizeof(step); data += sizeof(step), size -= sizeof(step)) {
        memcpy(&step, data, sizeof(step));
        step.socket %= SOCKETS;
        step.user = (uint8_t)(step.user % USERS + 1);
        play(&scene, &step);
    }
    for (uint8_t i = 0; i < SOCKETS; i++)
        if (!scene.truths[i].over)
            end(&scene, i);
    check_flows(&scene);
    traffic_sockets_free(scene.sockets);
    flow_table_free(scene.table);
    return 0;
}
