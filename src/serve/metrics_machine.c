/* SPDX-License-Identifier: MIT */
/* Metrics of the machine: interfaces, counters of the kernel, and how many sockets are in each
 * state. */
#include "base/clock.h"
#include "base/hash.h"
#include "serve/metrics_parts.h"

#define INTERFACES_MAX 100

/* Values of an interface: each of these received, then sent. */
static const enum metric interface_metrics[] = {METRIC_INTERFACE_BYTES, METRIC_INTERFACE_PACKETS,
                                                METRIC_INTERFACE_DROPPED, METRIC_INTERFACE_ERRORS};
#define INTERFACE_VALUES (2 * ARRAY_SIZE(interface_metrics))

static enum metric interface_metric(unsigned int value)
{
    return interface_metrics[value / 2];
}

static void interface_label(unsigned int value, struct buf *labels)
{
    const char *way = value % 2 ? "transmit" : "receive";

    openmetrics_label("network_io_direction", way, strlen(way), labels);
}

const struct counter_set_kind metrics_interface_kind = {
    .shown_max = INTERFACES_MAX,
    .others = "network_interface_name=\"_other\"",
    .values = INTERFACE_VALUES,
    .metric = interface_metric,
    .label = interface_label,
};

static const char *interface_labels(const struct snapshot *snapshot,
                                    const struct interface *interface, struct buf *scratch)
{
    CLEANUP(buf_done) struct buf netns = BUF_INIT;
    size_t length;
    const char *name = snapshot_string(snapshot, interface->name, &length);

    buf_reset(scratch);
    openmetrics_label("network_interface_name", name, length, scratch);
    if (!(snapshot->netns[interface->netns].flags & NETNS_INIT)) {
        snapshot_put_netns(snapshot, interface->netns, &netns);
        openmetrics_label("netns", buf_string(&netns), netns.length, scratch);
    }
    return buf_string(scratch);
}

/* An interface that is new in a namespace that was read before has counted everything since then,
 * and one that was made anew (another index) begins at zero. */
static uint64_t counted(struct metrics *metrics, uint64_t key, bool netns_known, uint64_t value)
{
    uint64_t before = 0;

    if (!meters_read(&metrics->meters, key, value, &before) && !netns_known)
        return 0;
    return value > before ? value - before : 0;
}

/* An interface that never had a packet has no series: there is one in each namespace. */
static void take_interface(struct metrics *metrics, const struct snapshot *snapshot,
                           const struct interface *interface, bool netns_known, struct buf *scratch)
{
    const struct link_stats *stats = &interface->stats;
    const uint64_t values[INTERFACE_VALUES] = {
        stats->rx_bytes,   stats->tx_bytes,   stats->rx_packets, stats->tx_packets,
        stats->rx_dropped, stats->tx_dropped, stats->rx_errors,  stats->tx_errors,
    };
    const char *labels = interface_labels(snapshot, interface, scratch);
    uint64_t key = hash_number(hash_bytes(HASH_INIT, labels, strlen(labels)), interface->ifindex);
    uint64_t any = 0;

    for (unsigned int i = 0; i < INTERFACE_VALUES; i++)
        any |= values[i];
    for (unsigned int i = 0; i < INTERFACE_VALUES && any; i++)
        counter_set_add(&metrics->interfaces, labels, i,
                        counted(metrics, hash_number(key, i), netns_known, values[i]));
}

/* Interfaces of one namespace stand together. */
static int take_interfaces(struct metrics *metrics, const struct snapshot *snapshot)
{
    CLEANUP(buf_done) struct buf scratch = BUF_INIT;
    uint32_t netns = UINT32_MAX;
    bool known = false;

    for (uint32_t i = 0; i < snapshot->interfaces_count; i++) {
        const struct interface *interface = &snapshot->interfaces[i];
        uint64_t before;

        if (!(interface->has & INTERFACE_HAS_STATS))
            continue;
        if (interface->netns != netns) {
            uint64_t key = hash_number(HASH_INIT, snapshot->netns[interface->netns].inode);

            netns = interface->netns;
            known = meters_read(&metrics->meters, key, 1, &before);
        }
        take_interface(metrics, snapshot, interface, known, &scratch);
    }
    return scratch.error;
}

static uint64_t difference(const struct counter *counter, uint64_t before)
{
    if (counter->value >= before)
        return counter->value - before;
    return counter->flags & COUNTER_WRAPS ? (uint32_t)(counter->value - before) : 0;
}

static void take_counter(struct metrics *metrics, const struct snapshot *snapshot,
                         const struct counter *counter)
{
    size_t length;
    const char *name = snapshot_string(snapshot, counter->name, &length);
    enum metric metric = metric_of_counter(name, length);
    uint64_t key, before;

    if (metric == METRIC_MAX || counter->cpu)
        return;
    key = hash_number(hash_bytes(HASH_INIT, name, length), snapshot->netns[counter->netns].inode);
    if (meters_read(&metrics->meters, key, counter->value, &before))
        metrics->totals[metric] += difference(counter, before);
}

static void take_states(struct metrics *metrics, const struct snapshot *snapshot)
{
    memset(metrics->states, 0, sizeof(metrics->states));
    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        for (unsigned int state = 0; state < STATE_MAX; state++)
            metrics->states[PROTO_TCP][state] += snapshot->netns[i].counted[state];
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        if (socket->proto < PROTO_MAX && socket->state < STATE_MAX)
            metrics->states[socket->proto][socket->state]++;
    }
    for (unsigned int i = 0; i < PROTO_MAX * STATE_MAX; i++)
        metrics->state_seen[i / STATE_MAX][i % STATE_MAX] |=
            metrics->states[i / STATE_MAX][i % STATE_MAX] > 0;
}

/* Borders between what is here, near, far, and sick. */
static const struct {
    uint64_t most_ns;
    const char *label;
} rtt_buckets[RTT_BUCKETS] = {
    {1 * MILLISECOND_NS, "le=\"0.001\""},  {5 * MILLISECOND_NS, "le=\"0.005\""},
    {20 * MILLISECOND_NS, "le=\"0.02\""},  {50 * MILLISECOND_NS, "le=\"0.05\""},
    {100 * MILLISECOND_NS, "le=\"0.1\""},  {250 * MILLISECOND_NS, "le=\"0.25\""},
    {1000 * MILLISECOND_NS, "le=\"1.0\""}, {UINT64_MAX, "le=\"+Inf\""},
};

void metrics_take_rtt(struct metrics *metrics, uint64_t rtt_ns)
{
    for (unsigned int i = 0; i < RTT_BUCKETS; i++)
        metrics->rtt.buckets[i] += rtt_ns <= rtt_buckets[i].most_ns;
    metrics->rtt.sum_ns += rtt_ns;
}

void metrics_put_rtt(const struct metrics *metrics, struct buf *out)
{
    const struct rtt_histogram *rtt = &metrics->rtt;

    for (unsigned int i = 0; i < RTT_BUCKETS; i++)
        openmetrics_part(METRIC_TCP_RTT, METRIC_BUCKET, rtt_buckets[i].label, rtt->buckets[i], out);
    openmetrics_part(METRIC_TCP_RTT, METRIC_SUM, "", rtt->sum_ns, out);
    openmetrics_part(METRIC_TCP_RTT, METRIC_COUNT, "", rtt->buckets[RTT_BUCKETS - 1], out);
}

int metrics_take_machine(struct metrics *metrics, const struct snapshot *snapshot)
{
    int r = take_interfaces(metrics, snapshot);

    for (uint32_t i = 0; i < snapshot->counters_count; i++)
        take_counter(metrics, snapshot, &snapshot->counters[i]);
    take_states(metrics, snapshot);
    return r;
}
