/* SPDX-License-Identifier: MIT */
/* Loads the programs that count traffic from light skeletons, and attaches them, by bpf(2) alone.
 */
#include "bpf/traffic.h"

#include "bpf/attach.h"
#include "bpf/call.h"
#include "bpf/record.h"

/* Generated; they need the headers above. */
#include "bpf/traffic.lskel.h"
#include "bpf/traffic_close.lskel.h"
#include "bpf/traffic_end.lskel.h"
#include "bpf/traffic_packets.lskel.h"
#include "bpf/traffic_peers.lskel.h"
#include "bpf/traffic_walk.lskel.h"
#include "bpf/traffic_without_tracepoints.lskel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

/* Flows that one call of the kernel gives. */
#define BATCH 2048

/* Of one link: r is what it was made with. */
static int keep_link(struct traffic_program *program, size_t index, int r)
{
    if (r < 0)
        return r;
    program->links[index] = r;
    return 0;
}

/* --- loading --- */

/* Opens and loads one skeleton. */
#define LOAD(name, program)                                                                        \
    ({                                                                                             \
        struct name *skeleton = name##__open();                                                    \
        int result = skeleton ? name##__load(skeleton) : -ENOMEM;                                  \
                                                                                                   \
        if (result < 0) {                                                                          \
            name##__destroy(skeleton);                                                             \
            return result;                                                                         \
        }                                                                                          \
        (program)->skeleton = skeleton;                                                            \
        (program)->state = &skeleton->bss->state;                                                  \
        skeleton;                                                                                  \
    })

static int open_notice(struct traffic_program *program, int map_fd)
{
    return ring_open(map_fd, 4096, &program->notice);
}

/* Reads up to the newline, which takes its place. 0 or -errno. */
static int read_line(int fd, char *text, size_t size)
{
    size_t length = 0;

    while (length == 0 || text[length - 1] != '\n') {
        ssize_t part = read(fd, text + length, size - length);

        if (part < 0 && errno == EINTR)
            continue;
        if (part <= 0)
            return part < 0 ? -errno : -EBADMSG;
        length += (size_t)part;
    }
    text[length - 1] = '\0';
    return 0;
}

/*
 * "0-3,8-11" ends with the highest number that a processor may ever have. The kernel writes a value
 * for each of them: with a part of the line it would write beyond the slots.
 */
static int make_slots(struct traffic_program *program)
{
    CLEANUP_CLOSE int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
    char text[4096];
    const char *last = text;

    if (fd < 0 || read_line(fd, text, sizeof(text)) < 0)
        return -ENOENT;
    for (const char *at = text; *at; at++)
        if (*at == '-' || *at == ',')
            last = at + 1;
    program->processors = (unsigned int)strtoul(last, NULL, 10) + 1;
    program->slots = calloc(program->processors, sizeof(*program->slots));
    return program->slots ? 0 : -ENOMEM;
}

/* What all programs have that count into two halves. */
#define OPEN_HALVES(loaded, program)                                                               \
    ({                                                                                             \
        (program)->flows_fd[0] = (loaded)->maps.flows_0.map_fd;                                    \
        (program)->flows_fd[1] = (loaded)->maps.flows_1.map_fd;                                    \
        (program)->halves_fd = (loaded)->maps.halves.map_fd;                                       \
        (program)->slots_fd = (loaded)->maps.slots.map_fd;                                         \
        make_slots(program);                                                                       \
    })

/* What both programs have that count calls. */
#define OPEN_CALLS(loaded, program)                                                                \
    ({                                                                                             \
        int opened = open_notice(program, (loaded)->maps.notice.map_fd);                           \
                                                                                                   \
        (program)->peer_flows_fd = (loaded)->maps.peer_flows.map_fd;                               \
        (program)->peer_callers_fd = (loaded)->maps.peer_callers.map_fd;                           \
        opened < 0 ? opened : OPEN_HALVES(loaded, program);                                        \
    })

static int attach_all(struct traffic_program *program, const int *prog_fds, size_t count)
{
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = keep_link(program, i, attach_tracing(prog_fds[i]));
    return r;
}

static int open_calls(struct traffic_program *program)
{
    struct traffic_bpf *loaded = LOAD(traffic_bpf, program);
    const int prog_fds[] = {loaded->progs.count_send.prog_fd, loaded->progs.count_receive.prog_fd};
    int r = OPEN_CALLS(loaded, program);

    return r < 0 ? r : attach_all(program, prog_fds, ARRAY_SIZE(prog_fds));
}

static int open_calls_by_functions(struct traffic_program *program)
{
    struct traffic_without_tracepoints_bpf *loaded = LOAD(traffic_without_tracepoints_bpf, program);
    const int prog_fds[] = {
        loaded->progs.count_send_v4.prog_fd,        loaded->progs.count_send_v6.prog_fd,
        loaded->progs.count_send_packet.prog_fd,    loaded->progs.count_send_page.prog_fd,
        loaded->progs.count_receive_v4.prog_fd,     loaded->progs.count_receive_v6.prog_fd,
        loaded->progs.count_receive_raw_v6.prog_fd,
    };
    int r = OPEN_CALLS(loaded, program);

    return r < 0 ? r : attach_all(program, prog_fds, ARRAY_SIZE(prog_fds));
}

static int open_packets(struct traffic_program *program)
{
    struct traffic_packets_bpf *loaded = LOAD(traffic_packets_bpf, program);
    int sent = loaded->progs.count_sent.prog_fd, received = loaded->progs.count_received.prog_fd;
    int r = open_notice(program, loaded->maps.notice.map_fd);

    if (r == 0)
        r = OPEN_HALVES(loaded, program);
    if (r == 0)
        r = keep_link(program, 0, attach_to_root_cgroup(sent, BPF_CGROUP_INET_EGRESS));
    if (r == 0)
        r = keep_link(program, 1, attach_to_root_cgroup(received, BPF_CGROUP_INET_INGRESS));
    return r;
}

static int open_peers(struct traffic_program *program)
{
    struct traffic_peers_bpf *loaded = LOAD(traffic_peers_bpf, program);
    const struct {
        int prog_fd;
        enum bpf_attach_type type;
    } hooks[] = {{loaded->progs.send_v4.prog_fd, BPF_CGROUP_UDP4_SENDMSG},
                 {loaded->progs.send_v6.prog_fd, BPF_CGROUP_UDP6_SENDMSG},
                 {loaded->progs.receive_v4.prog_fd, BPF_CGROUP_UDP4_RECVMSG},
                 {loaded->progs.receive_v6.prog_fd, BPF_CGROUP_UDP6_RECVMSG}};
    int r = 0;

    program->flows_fd[0] = loaded->maps.flows_0.map_fd;
    program->flows_fd[1] = loaded->maps.flows_1.map_fd;
    program->callers_fd = loaded->maps.callers.map_fd;
    for (size_t i = 0; i < ARRAY_SIZE(hooks) && r == 0; i++)
        r = keep_link(program, i, attach_to_root_cgroup(hooks[i].prog_fd, hooks[i].type));
    return r;
}

static int open_end(struct traffic_program *program)
{
    struct traffic_end_bpf *loaded = LOAD(traffic_end_bpf, program);
    int r = open_notice(program, loaded->maps.notice.map_fd);

    if (r == 0)
        r = ring_open(loaded->maps.ring.map_fd, TRAFFIC_RING_SIZE, &program->ring);
    if (r == 0)
        r = keep_link(program, 0, attach_tracing(loaded->progs.tell_end.prog_fd));
    return r;
}

static int open_close(struct traffic_program *program)
{
    struct traffic_close_bpf *loaded = LOAD(traffic_close_bpf, program);
    int prog_fd = loaded->progs.tell_close.prog_fd;
    int r = open_notice(program, loaded->maps.notice.map_fd);

    if (r == 0)
        r = ring_open(loaded->maps.ring.map_fd, TRAFFIC_RING_SIZE, &program->ring);
    if (r == 0)
        r = keep_link(program, 0, attach_to_root_cgroup(prog_fd, BPF_CGROUP_INET_SOCK_RELEASE));
    return r;
}

static int open_walk(struct traffic_program *program)
{
    struct traffic_walk_bpf *loaded = LOAD(traffic_walk_bpf, program);

    program->prog_fd = loaded->progs.walk_counters.prog_fd;
    return 0;
}

int traffic_program_open(enum traffic_part part, uint32_t pidns,
                         struct traffic_program *ret_program)
{
    static int (*const open_part[])(struct traffic_program *) = {
        [TRAFFIC_CALLS] = open_calls, [TRAFFIC_CALLS_BY_FUNCTIONS] = open_calls_by_functions,
        [TRAFFIC_END] = open_end,     [TRAFFIC_CLOSE] = open_close,
        [TRAFFIC_WALK] = open_walk,   [TRAFFIC_PACKETS] = open_packets,
        [TRAFFIC_PEERS] = open_peers,
    };
    struct traffic_program opened = TRAFFIC_PROGRAM_INIT;
    int r;

    opened.part = part;
    r = open_part[part](&opened);
    if (r < 0) {
        traffic_program_close(&opened);
        return r;
    }
    opened.state->pidns = pidns;
    *ret_program = opened;
    return 0;
}

/* No tracepoint of that name (ENOENT), or another one than is expected. */
static bool may_do_without_tracepoints(int error)
{
    return error != -EPERM && error != -EACCES && error != -ENOMEM;
}

int traffic_calls_open(uint32_t pidns, struct traffic_program *ret_program)
{
    int r = traffic_program_open(TRAFFIC_CALLS, pidns, ret_program);

    if (r < 0 && may_do_without_tracepoints(r) &&
        traffic_program_open(TRAFFIC_CALLS_BY_FUNCTIONS, pidns, ret_program) == 0)
        return 0;
    return r;
}

static void destroy_skeleton(struct traffic_program *program)
{
    switch (program->part) {
    case TRAFFIC_CALLS:
        traffic_bpf__destroy(program->skeleton);
        break;
    case TRAFFIC_CALLS_BY_FUNCTIONS:
        traffic_without_tracepoints_bpf__destroy(program->skeleton);
        break;
    case TRAFFIC_END:
        traffic_end_bpf__destroy(program->skeleton);
        break;
    case TRAFFIC_CLOSE:
        traffic_close_bpf__destroy(program->skeleton);
        break;
    case TRAFFIC_WALK:
        traffic_walk_bpf__destroy(program->skeleton);
        break;
    case TRAFFIC_PACKETS:
        traffic_packets_bpf__destroy(program->skeleton);
        break;
    case TRAFFIC_PEERS:
        traffic_peers_bpf__destroy(program->skeleton);
        break;
    }
}

void traffic_program_close(struct traffic_program *program)
{
    for (size_t i = 0; i < ARRAY_SIZE(program->links); i++)
        if (program->links[i] >= 0)
            close(program->links[i]);
    ring_close(&program->ring);
    ring_close(&program->notice);
    free(program->slots);
    if (program->skeleton)
        destroy_skeleton(program);
    *program = TRAFFIC_PROGRAM_INIT;
}

/* --- flows --- */

/* A key of peers is one of flows, and more. */
struct batch {
    struct traffic_peer_key keys[BATCH]; /* room for either kind */
    struct traffic_flow flows[BATCH];
};

/* `token` is the kernel's place in the hash. 1: there is more. */
static int take_batch(int map_fd, struct batch *batch, bool first, uint64_t *token,
                      uint32_t *ret_count)
{
    union bpf_attr attr = bpf_no_attr();
    int r;

    attr.batch.in_batch = first ? 0 : (uintptr_t)token;
    attr.batch.out_batch = (uintptr_t)token;
    attr.batch.keys = (uintptr_t)batch->keys;
    attr.batch.values = (uintptr_t)batch->flows;
    attr.batch.count = BATCH;
    attr.batch.map_fd = (uint32_t)map_fd;
    do
        r = bpf_call(BPF_MAP_LOOKUP_AND_DELETE_BATCH, &attr);
    while (r == -EINTR || r == -EAGAIN);
    if (r < 0 && r != -ENOENT)
        return r;
    *ret_count = attr.batch.count;
    return r == 0;
}

static int take_all(int map_fd, size_t key_size, traffic_flow_fn *fn, void *context)
{
    CLEANUP_FREE struct batch *batch = malloc(sizeof(*batch));
    uint64_t token = 0;
    bool first = true;
    int more, r = 0;

    if (!batch)
        return -ENOMEM;
    do {
        uint32_t count = 0;

        more = take_batch(map_fd, batch, first, &token, &count);
        first = false;
        for (uint32_t i = 0; i < count && r == 0; i++)
            r = fn(context, (const void *)((const char *)batch->keys + i * key_size),
                   &batch->flows[i]);
    } while (more > 0);
    return more < 0 ? more : r;
}

/* One key and one value of a map, by `command`. */
static int map_element(enum bpf_cmd command, int map_fd, const void *key, void *value)
{
    union bpf_attr attr = bpf_no_attr();

    attr.map_fd = (uint32_t)map_fd;
    attr.key = (uintptr_t)key;
    attr.value = (uintptr_t)value;
    return bpf_call(command, &attr);
}

static int add_slot(const struct traffic_program *program, int flows_fd,
                    const struct traffic_slot *slot)
{
    struct traffic_sums *other = &program->state->other.rest;
    struct traffic_flow flow;
    int r = map_element(BPF_MAP_LOOKUP_ELEM, flows_fd, &slot->key, &flow);

    if (r < 0) { /* a slot is only given to what is in the hash */
        __atomic_fetch_add(&other->rx_bytes, slot->sums.rx_bytes, __ATOMIC_RELAXED);
        __atomic_fetch_add(&other->tx_bytes, slot->sums.tx_bytes, __ATOMIC_RELAXED);
        __atomic_fetch_add(&other->rx_count, slot->sums.rx_count, __ATOMIC_RELAXED);
        __atomic_fetch_add(&other->tx_count, slot->sums.tx_count, __ATOMIC_RELAXED);
        return 0;
    }
    flow.sums.rx_bytes += slot->sums.rx_bytes;
    flow.sums.tx_bytes += slot->sums.tx_bytes;
    flow.sums.rx_count += slot->sums.rx_count;
    flow.sums.tx_count += slot->sums.tx_count;
    return map_element(BPF_MAP_UPDATE_ELEM, flows_fd, &slot->key, &flow);
}

/* What each processor has in its slots goes to the hash, and the slots are freed. */
static int empty_slots(const struct traffic_program *program, uint32_t half)
{
    bool used = false;
    int r = map_element(BPF_MAP_LOOKUP_ELEM, program->slots_fd, &half, program->slots);

    for (unsigned int i = 0; i < program->processors && r == 0; i++)
        for (unsigned int j = 0; j < TRAFFIC_SLOTS && r == 0; j++) {
            const struct traffic_slot *slot = &program->slots[i].slots[j];

            used = used || slot->other || slot->key.cookie;
            if (slot->key.cookie)
                r = add_slot(program, program->flows_fd[half], slot);
        }
    if (r < 0 || !used)
        return r;
    memset(program->slots, 0, program->processors * sizeof(*program->slots));
    return map_element(BPF_MAP_UPDATE_ELEM, program->slots_fd, &half, program->slots);
}

int traffic_take_flows(struct traffic_program *program, traffic_flow_fn *fn, void *context)
{
    struct traffic_state *state = program->state;
    uint32_t half = state->half;
    int r;

    if (!__atomic_load_n(&state->made, __ATOMIC_ACQUIRE))
        return 0;
    /* Before the exchange: what is made meanwhile may count for both, never for none. */
    __atomic_store_n(&state->made, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&state->half, !half, __ATOMIC_SEQ_CST);
    /*
     * Nothing changes by this, but a change of a map in a map returns when no program that began
     * before it is at work any more (since 4.20).
     */
    r = map_element(BPF_MAP_UPDATE_ELEM, program->halves_fd, &half, &program->flows_fd[half]);
    if (r == 0)
        r = empty_slots(program, half);
    return r < 0 ? r : take_all(program->flows_fd[half], sizeof(struct traffic_key), fn, context);
}

/* --- peers --- */

static int put_map(int outer_fd, const int *map_fd)
{
    const uint32_t only = 0;

    return map_element(BPF_MAP_UPDATE_ELEM, outer_fd, &only, (void *)(uintptr_t)map_fd);
}

int traffic_split(struct traffic_program *calls, struct traffic_program *peers)
{
    int r = put_map(calls->peer_flows_fd, &peers->flows_fd[peers->state->half]);

    if (r == 0)
        r = put_map(calls->peer_callers_fd, &peers->callers_fd);
    if (r < 0)
        return r;
    /* In this order: what is remembered is also taken. */
    __atomic_store_n(&calls->state->split, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&peers->state->split, 1, __ATOMIC_SEQ_CST);
    return 0;
}

int traffic_take_peers(const struct traffic_program *calls, struct traffic_program *peers,
                       traffic_flow_fn *fn, void *context)
{
    uint32_t half = peers->state->half;
    int r;

    peers->state->half = !half;
    r = put_map(calls->peer_flows_fd, &peers->flows_fd[!half]); /* waits, as above */
    return r < 0 ? r
                 : take_all(peers->flows_fd[half], sizeof(struct traffic_peer_key), fn, context);
}

static int remove_map(int outer_fd)
{
    const uint32_t only = 0;

    return map_element(BPF_MAP_DELETE_ELEM, outer_fd, &only, NULL);
}

int traffic_join(struct traffic_program *calls, struct traffic_program *peers, traffic_flow_fn *fn,
                 void *context)
{
    int r = 0;

    __atomic_store_n(&peers->state->split, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&calls->state->split, 0, __ATOMIC_SEQ_CST);
    /* A program that began before may count into either half. */
    for (int i = 0; i < 2 && r == 0; i++)
        r = traffic_take_peers(calls, peers, fn, context);
    (void)remove_map(calls->peer_flows_fd);
    (void)remove_map(calls->peer_callers_fd);
    return r;
}
