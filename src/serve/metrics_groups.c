/* SPDX-License-Identifier: MIT */
/* Metrics of groups of processes: bounded by program, user and service; a pid, a port that the
 * kernel chose or an address of a peer is never a label. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/vec.h"
#include "derive/port_range.h"
#include "derive/service.h"
#include "derive/serving.h"
#include "serve/metrics_parts.h"

#include <stdio.h>
#include <stdlib.h>

/* Places to listen at with series of their own. */
#define QUEUES_MAX 200
#define GROUPS_MAX 100

/* Of so many it is remembered that somebody waited there. */
#define USED_QUEUES_MAX 1000

#define OTHERS "process_executable_name=\"_other\""

/* Values of a group: bytes by protocol and direction, connections, their ends, and what it holds
 * of TCP, then of UDP, by state. */
#define INET_PROTOS PROTO_UNIX
enum { RECEIVED, SENT, DIRECTIONS };
enum {
    OPENED_INBOUND = INET_PROTOS * DIRECTIONS,
    OPENED_OUTBOUND,
    ENDED_RTT_SUM,
    ENDED_RTT_COUNT,
    ENDED_RETRANSMITTED,
    HELD_TCP,
    HELD_UDP = HELD_TCP + STATE_MAX,
    GROUP_VALUES = HELD_UDP + STATE_MAX,
};

_Static_assert(GROUP_VALUES <= COUNTER_SET_VALUES_MAX, "a group has room for its values");

static enum metric group_metric(unsigned int value)
{
    static const enum metric metrics[] = {
        [OPENED_INBOUND] = METRIC_PROCESS_OPENED,
        [OPENED_OUTBOUND] = METRIC_PROCESS_OPENED,
        [ENDED_RTT_SUM] = METRIC_PROCESS_RTT,
        [ENDED_RTT_COUNT] = METRIC_PROCESS_RTT,
        [ENDED_RETRANSMITTED] = METRIC_PROCESS_RETRANSMITTED,
    };

    if (value < OPENED_INBOUND)
        return METRIC_PROCESS_BYTES;
    return value < HELD_TCP ? metrics[value] : METRIC_PROCESS_CONNECTIONS;
}

static enum metric_part group_part(unsigned int value)
{
    if (value == ENDED_RTT_SUM)
        return METRIC_SUM;
    return value == ENDED_RTT_COUNT ? METRIC_COUNT : METRIC_WHOLE;
}

static void put_word(const char *label, const char *word, struct buf *labels)
{
    openmetrics_label(label, word, strlen(word), labels);
}

static void put_held_label(unsigned int value, struct buf *labels)
{
    unsigned int proto = value < HELD_UDP ? PROTO_TCP : PROTO_UDP;
    const char *state = socket_state_name((value - HELD_TCP) % STATE_MAX);

    put_word("network_transport", socket_proto_name(proto), labels);
    openmetrics_state_label(state, strlen(state), labels);
}

static void group_label(unsigned int value, struct buf *labels)
{
    if (value >= HELD_TCP) {
        put_held_label(value, labels);
        return;
    }
    if (value >= OPENED_INBOUND) {
        if (value <= OPENED_OUTBOUND)
            put_word("network_connection_direction",
                     value == OPENED_INBOUND ? "inbound" : "outbound", labels);
        return;
    }
    put_word("network_transport", socket_proto_name(value / DIRECTIONS), labels);
    put_word("network_io_direction", value % DIRECTIONS == RECEIVED ? "receive" : "transmit",
             labels);
}

const struct counter_set_kind metrics_group_kind = {
    .shown_max = GROUPS_MAX,
    .others = OTHERS,
    .values = GROUP_VALUES,
    .metric = group_metric,
    .part = group_part,
    .label = group_label,
};

/* --- labels: what is not known is left out, as for Prometheus an empty one is none --- */

/* Whose something is. Strings of the snapshot. */
struct owner {
    uint32_t exe, comm, cgroup;
    uint32_t uid;
    bool uid_known;
};

static struct owner owner_of_process(const struct process *process)
{
    return (struct owner){.exe = process->has & PROCESS_HAS_EXE ? process->exe : 0,
                          .comm = process->comm,
                          .cgroup = process->has & PROCESS_HAS_CGROUP ? process->cgroup : 0,
                          .uid = process->uid,
                          .uid_known = process->has & PROCESS_HAS_UID};
}

static struct owner owner_of_flow(const struct snapshot *snapshot, const struct flow *flow)
{
    if (flow->process)
        return owner_of_process(&snapshot->processes[flow->process - 1]);
    if (!flow->pid && !flow->comm)
        return (struct owner){0};
    return (struct owner){.comm = flow->comm,
                          .cgroup = snapshot_process_cgroup(snapshot, flow->cgroup_id),
                          .uid = flow->uid,
                          .uid_known = true};
}

static struct owner owner_of_event(const struct snapshot *snapshot, const struct event *event)
{
    uint32_t process = map_get(&snapshot->process_index, event->pid);

    if (!(event->has & EVENT_HAS_PROCESS))
        return (struct owner){0};
    if (process != MAP_NONE && snapshot->processes[process].has & PROCESS_HAS_COMM)
        return owner_of_process(&snapshot->processes[process]);
    return (struct owner){.comm = event->comm,
                          .cgroup = snapshot_process_cgroup(snapshot, event->cgroup_id),
                          .uid = event->uid,
                          .uid_known = event->has & EVENT_HAS_UID};
}

static void put_program(const struct snapshot *snapshot, const struct owner *owner,
                        struct buf *labels)
{
    size_t length;
    const char *name = snapshot_string(snapshot, owner->exe, &length);
    const char *slash = memrchr(name, '/', length);

    if (slash) {
        length -= (size_t)(slash + 1 - name);
        name = slash + 1;
    }
    if (!length)
        name = snapshot_string(snapshot, owner->comm, &length);
    if (!length) {
        name = "_unknown";
        length = strlen(name);
    }
    openmetrics_label("process_executable_name", name, length, labels);
}

static void put_user(struct names *names, const struct owner *owner, struct buf *labels)
{
    const char *name = owner->uid_known ? names_user(names, owner->uid) : NULL;
    char number[16];

    if (!owner->uid_known)
        return;
    if (!name) {
        snprintf(number, sizeof(number), "%u", owner->uid);
        name = number;
    }
    openmetrics_label("process_owner", name, strlen(name), labels);
}

static void put_service(const struct snapshot *snapshot, const struct owner *owner,
                        struct buf *labels)
{
    size_t length;
    const char *path = snapshot_string(snapshot, owner->cgroup, &length);
    struct path_part part = service_unit(path, length);

    if (!part.length) {
        part = service_container(path, length).id;
        part.length = service_id_shown(part);
    }
    if (part.length)
        openmetrics_label("service", part.start, part.length, labels);
}

/* The labels that were made last: a busy server has thousands of events in a row. */
struct labelling {
    struct buf labels;
    struct owner owner;
    bool is_made; /* the labels are the owner's, and nothing more */
};

static bool is_same(const struct owner *a, const struct owner *b)
{
    return a->exe == b->exe && a->comm == b->comm && a->cgroup == b->cgroup && a->uid == b->uid &&
           a->uid_known == b->uid_known;
}

/* "" when there was no memory. */
static const char *group_labels(struct metrics *metrics, const struct snapshot *snapshot,
                                const struct owner *owner, struct labelling *labelling)
{
    struct buf *labels = &labelling->labels;

    if (!labelling->is_made || !is_same(&labelling->owner, owner)) {
        buf_reset(labels);
        put_program(snapshot, owner, labels);
        put_user(&metrics->names, owner, labels);
        put_service(snapshot, owner, labels);
        labelling->owner = *owner;
        labelling->is_made = true;
    }
    return buf_string(labels);
}

/* --- what they do --- */

static void take_flow(struct metrics *metrics, const struct snapshot *snapshot,
                      const struct flow *flow, struct labelling *labelling)
{
    const struct traffic *last = &flow->window[FLOW_LAST];
    unsigned int proto = flow->proto < INET_PROTOS ? flow->proto : PROTO_UNKNOWN;
    struct owner owner = owner_of_flow(snapshot, flow);
    const char *labels;

    if (!last->rx_bytes && !last->tx_bytes)
        return;
    labels = flow->flags & FLOW_OTHER ? OTHERS : group_labels(metrics, snapshot, &owner, labelling);
    counter_set_add(&metrics->groups, labels, proto * DIRECTIONS + RECEIVED, last->rx_bytes);
    counter_set_add(&metrics->groups, labels, proto * DIRECTIONS + SENT, last->tx_bytes);
}

/* Each connection is counted once: when it is opened, and when it ended. */
static void count_event(struct metrics *metrics, const struct event *event,
                        struct event_tally *tally)
{
    tally->opened += event->kind == EVENT_OPENED;
    tally->accepted += event->kind == EVENT_ACCEPTED;
    if (event->kind != EVENT_CLOSED)
        return;
    if (event->has & EVENT_HAS_RTT) {
        uint64_t rtt_ns = event->rtt_us * (MILLISECOND_NS / 1000);

        metrics_take_rtt(metrics, rtt_ns);
        tally->rtt_sum_ns += rtt_ns;
        tally->rtt_count++;
    }
    if (event->has & EVENT_HAS_RETRANSMITS)
        tally->retransmitted += event->retransmits;
}

static void take_tally(struct metrics *metrics, const struct snapshot *snapshot,
                       const struct event *event, const struct event_tally *tally,
                       struct labelling *labelling)
{
    const struct {
        unsigned int value;
        uint64_t count;
    } counts[] = {
        {OPENED_OUTBOUND, tally->opened},
        {OPENED_INBOUND, tally->accepted},
        {ENDED_RTT_SUM, tally->rtt_sum_ns},
        {ENDED_RTT_COUNT, tally->rtt_count},
        {ENDED_RETRANSMITTED, tally->retransmitted},
    };
    struct owner owner = owner_of_event(snapshot, event);
    const char *labels = group_labels(metrics, snapshot, &owner, labelling);

    for (size_t i = 0; i < ARRAY_SIZE(counts); i++)
        if (counts[i].count)
            counter_set_add(&metrics->groups, labels, counts[i].value, counts[i].count);
}

static int take_events(struct metrics *metrics, const struct snapshot *snapshot,
                       struct labelling *labelling)
{
    int r = metrics->surplus_error;

    for (uint32_t i = 0; i < snapshot->events_count; i++) {
        struct event_tally tally = {0};

        count_event(metrics, &snapshot->events[i], &tally);
        take_tally(metrics, snapshot, &snapshot->events[i], &tally, labelling);
    }
    for (uint32_t i = 0; i < metrics->surplus_count; i++)
        take_tally(metrics, snapshot, &metrics->surplus[i].example, &metrics->surplus[i].tally,
                   labelling);
    metrics->surplus_count = 0;
    metrics->surplus_error = 0;
    map_clear(&metrics->surplus_index);
    return r;
}

/* Those that differ in nothing that owner_of_event() looks at are one. */
static uint64_t hash_owner(const struct event *event)
{
    uint64_t hash = hash_number(HASH_INIT, event->pid);

    hash = hash_number(hash, event->has & (EVENT_HAS_PROCESS | EVENT_HAS_UID));
    hash = hash_number(hash, event->cgroup_id);
    return hash_number(hash, (uint64_t)event->comm << 32 | event->uid);
}

/* NULL: there is no memory. */
static struct surplus *find_surplus(struct metrics *metrics, const struct event *event)
{
    uint64_t hash = hash_owner(event);
    uint32_t index = map_get(&metrics->surplus_index, hash);

    if (index != MAP_NONE)
        return &metrics->surplus[index];
    index = metrics->surplus_count;
    if (VEC_RESERVE(&metrics->surplus, &metrics->surplus_capacity, index, 1) < 0 ||
        map_set(&metrics->surplus_index, hash, index) < 0)
        return NULL;
    metrics->surplus_count++;
    metrics->surplus[index] = (struct surplus){.example = *event};
    return &metrics->surplus[index];
}

void metrics_take_surplus(struct metrics *metrics, const struct event *events, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct surplus *surplus = find_surplus(metrics, &events[i]);

        if (surplus)
            count_event(metrics, &events[i], &surplus->tally);
        else
            metrics->surplus_error = -ENOMEM;
    }
}

/* --- what they hold --- */

/* But for listeners, which have families of their own. */
static void take_held(struct metrics *metrics, const struct snapshot *snapshot,
                      const struct held_counts *held, struct labelling *labelling)
{
    counter_set_clear(&metrics->groups, HELD_TCP, GROUP_VALUES);
    for (uint32_t i = 0; i < held->count; i++) {
        const struct held_count *count = &held->items[i];
        struct owner owner = owner_of_process(&snapshot->processes[count->process]);
        unsigned int first = count->proto == PROTO_TCP ? HELD_TCP : HELD_UDP;

        if (count->state != STATE_LISTENING)
            counter_set_add(&metrics->groups, group_labels(metrics, snapshot, &owner, labelling),
                            first + count->state, count->count);
    }
}

/* --- who listens --- */

static void put_port(const struct socket *socket, struct buf *labels)
{
    char port[8];

    snprintf(port, sizeof(port), "%u", socket->local_port);
    openmetrics_label("server_port", port, strlen(port), labels);
}

static int add_queue(struct metrics *metrics, const struct socket *socket, const char *labels)
{
    int r = VEC_RESERVE(&metrics->queues, &metrics->queue_capacity, metrics->queue_count, 1);
    const char *copy = r == 0 ? arena_copy(&metrics->arena, labels, strlen(labels)) : NULL;

    if (!copy)
        return -ENOMEM;
    metrics->queues[metrics->queue_count++] =
        (struct listen_queue){.labels = copy, .length = socket->recv_q, .limit = socket->send_q};
    return 0;
}

/* Its group exists from now on, with nothing counted. */
static int take_serving(struct metrics *metrics, const struct snapshot *snapshot,
                        const struct socket *socket, uint32_t process, struct labelling *labelling)
{
    unsigned int value = socket->proto * DIRECTIONS;
    struct owner owner = owner_of_process(&snapshot->processes[process]);
    const char *labels = group_labels(metrics, snapshot, &owner, labelling);

    counter_set_add(&metrics->groups, labels, value + RECEIVED, 0);
    counter_set_add(&metrics->groups, labels, value + SENT, 0);
    if (socket->proto != PROTO_TCP)
        return 0;
    counter_set_add(&metrics->groups, labels, OPENED_INBOUND, 0);
    if (!(socket->has & SOCKET_HAS_BACKLOG) ||
        port_range_has(snapshot, socket->netns, socket->local_port))
        return 0;
    put_port(socket, &labelling->labels);
    labelling->is_made = false;
    return add_queue(metrics, socket, buf_string(&labelling->labels));
}

static bool is_fuller(const struct listen_queue *a, const struct listen_queue *b)
{
    return (uint64_t)a->length * b->limit > (uint64_t)b->length * a->limit;
}

static int compare_queues(const void *a, const void *b)
{
    const struct listen_queue *left = a, *right = b;

    return strcmp(left->labels, right->labels);
}

/* One of each labels, and those that are too many as one. */
static void fold_queues(struct metrics *metrics)
{
    struct listen_queue *queues = metrics->queues;
    uint32_t kept = 0;

    if (metrics->queue_count)
        qsort(queues, metrics->queue_count, sizeof(*queues), compare_queues);
    for (uint32_t i = 0; i < metrics->queue_count; i++) {
        struct listen_queue queue = queues[i];

        if (kept > QUEUES_MAX || (kept == QUEUES_MAX && compare_queues(&queues[kept - 1], &queue)))
            queue.labels = OTHERS;
        if (!kept || compare_queues(&queues[kept - 1], &queue))
            queues[kept++] = queue;
        else if (is_fuller(&queue, &queues[kept - 1]))
            queues[kept - 1] = queue;
    }
    metrics->queue_count = kept;
}

/* Without memory it is as if nobody had waited there before. */
static void note_used(struct metrics *metrics, struct listen_queue *queue)
{
    struct map *known = &metrics->used_queues;
    uint64_t hash = hash_bytes(HASH_INIT, queue->labels, strlen(queue->labels));

    queue->used = queue->length || map_get(known, hash) != MAP_NONE;
    if (known->count >= USED_QUEUES_MAX)
        map_clear(known);
    if (queue->used && map_set(known, hash, 1) < 0)
        map_clear(known);
}

static int take_serving_sockets(struct metrics *metrics, const struct snapshot *snapshot,
                                struct labelling *labelling)
{
    CLEANUP(map_done) struct map holders = {0};
    int r = serving_holders(snapshot, &holders);

    arena_done(&metrics->arena);
    metrics->queue_count = 0;
    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];
        uint32_t process =
            serving_is(snapshot, socket) ? serving_holder(snapshot, &holders, socket) : MAP_NONE;

        if (process != MAP_NONE)
            r = take_serving(metrics, snapshot, socket, process, labelling);
    }
    fold_queues(metrics);
    for (uint32_t i = 0; i < metrics->queue_count; i++)
        note_used(metrics, &metrics->queues[i]);
    return r;
}

/* Those that listen come first, so that they have room. */
int metrics_take_groups(struct metrics *metrics, const struct snapshot *snapshot,
                        const struct held_counts *held)
{
    struct labelling labelling = {.labels = BUF_INIT};
    int r = take_serving_sockets(metrics, snapshot, &labelling), events;

    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        take_flow(metrics, snapshot, &snapshot->flows[i], &labelling);
    events = take_events(metrics, snapshot, &labelling);
    if (held)
        take_held(metrics, snapshot, held, &labelling);
    if (r == 0)
        r = events < 0 ? events : labelling.labels.error;
    buf_done(&labelling.labels);
    return r;
}
