/* SPDX-License-Identifier: MIT */
/* iftop: pairs of hosts, and what they have sent each other. */
#include "base/hash.h"
#include "compat/iftop.h"

#include "base/vec.h"
#include "derive/address.h"

#include <string.h>
#include <sys/socket.h>

static const enum flow_window windows[IFTOP_WINDOW_MAX] = {FLOW_2S, FLOW_10S, FLOW_40S};

void iftop_pairs_done(struct iftop_pairs *pairs)
{
    free(pairs->pairs);
    map_done(&pairs->index);
}

double iftop_rate(const struct iftop_pairs *pairs, enum iftop_window window, uint64_t bytes)
{
    uint64_t ns = pairs->window_ns[window];

    return ns ? (double)bytes * 1e9 / (double)ns : 0;
}

static uint64_t hash_of(const struct iftop_pair *pair)
{
    uint64_t hash = HASH_INIT ^ pair->family ^ (uint64_t)pair->proto << 8;

    hash = hash_bytes(hash, &pair->local, sizeof(pair->local));
    hash = hash_bytes(hash, &pair->peer, sizeof(pair->peer));
    return hash_number(hash, (uint64_t)pair->local_port << 16 | pair->peer_port);
}

static bool is_same(const struct iftop_pair *a, const struct iftop_pair *b)
{
    return a->family == b->family && a->proto == b->proto && a->local_port == b->local_port &&
           a->peer_port == b->peer_port && memcmp(&a->local, &b->local, sizeof(a->local)) == 0 &&
           memcmp(&a->peer, &b->peer, sizeof(a->peer)) == 0;
}

static uint32_t find(const struct iftop_pairs *pairs, const struct iftop_pair *pair,
                     uint64_t *ret_key)
{
    uint64_t key = hash_of(pair);
    uint32_t index;

    while ((index = map_get(&pairs->index, key)) != MAP_NONE &&
           !is_same(&pairs->pairs[index], pair))
        key++;
    *ret_key = key;
    return index;
}

static int find_or_add(struct iftop_pairs *pairs, const struct iftop_pair *wanted,
                       uint32_t *ret_index)
{
    uint64_t key;
    uint32_t index = find(pairs, wanted, &key);
    int r;

    if (index == MAP_NONE) {
        r = VEC_RESERVE(&pairs->pairs, &pairs->capacity, pairs->count, 1);
        if (r == 0)
            r = map_set(&pairs->index, key, pairs->count);
        if (r < 0)
            return r;
        index = pairs->count++;
        pairs->pairs[index] = *wanted;
    }
    *ret_index = index;
    return 0;
}

/* --- which pair a flow is of --- */

static bool is_within(const struct iftop_net *net, const union address *address)
{
    return address_in_prefix(address->bytes, net->address, net->bits);
}

static void plain(unsigned int family, const union address *address, union address *ret_plain)
{
    memset(ret_plain, 0, sizeof(*ret_plain));
    if (family == AF_INET)
        memcpy(ret_plain->bytes, address->bytes, 4);
    else if (address_is_mapped(family, address))
        memcpy(ret_plain->bytes, address->bytes + 12, 4);
    else
        memcpy(ret_plain->bytes, address->bytes, 16);
}

static void turn(struct iftop_pair *pair)
{
    union address address = pair->local;
    uint16_t port = pair->local_port;

    pair->local = pair->peer;
    pair->local_port = pair->peer_port;
    pair->peer = address;
    pair->peer_port = port;
}

static bool is_link_local(const struct iftop_pair *pair)
{
    const uint8_t *a = pair->local.bytes, *b = pair->peer.bytes;

    return pair->family == AF_INET6 &&
           ((a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || (b[0] == 0xfe && (b[1] & 0xc0) == 0x80));
}

/* A socket without an address of its own sends from one of the interface. */
static void put_own(const struct snapshot *snapshot, const struct flow *flow,
                    struct iftop_pair *pair)
{
    const struct interface *interface =
        flow->ifindex ? snapshot_interface(snapshot, flow->netns, flow->ifindex) : NULL;
    const struct link_address *address;
    uint32_t at = 0;

    if (!interface || !address_is_any(pair->family, &pair->local))
        return;
    while ((address = traffic_address(snapshot, interface, &at)))
        if (address->family == pair->family) {
            plain(address->family, &address->address, &pair->local);
            return;
        }
}

/* The pair, with the side whose traffic is "sent" first. False: it is not to be shown. */
static bool pair_of(const struct snapshot *snapshot, const struct flow *flow,
                    const struct iftop_options *options, struct iftop_pair *ret_pair,
                    bool *ret_turned)
{
    bool v4 = flow->family == AF_INET || address_is_mapped(flow->family, &flow->local) ||
              address_is_mapped(flow->family, &flow->peer);
    const struct iftop_net *net = v4 ? &options->net : &options->net6;
    struct iftop_pair pair = {.family = v4 ? AF_INET : AF_INET6};

    *ret_turned = false;
    if (!address_is_inet(flow->family))
        return false;
    plain(flow->family, &flow->local, &pair.local);
    plain(flow->family, &flow->peer, &pair.peer);
    put_own(snapshot, flow, &pair);
    if (options->ports) {
        pair.proto = flow->proto;
        pair.local_port = flow->local_port;
        pair.peer_port = flow->peer_port;
    }
    if (net->given && !is_within(net, &pair.local)) {
        if (!is_within(net, &pair.peer))
            return false;
        turn(&pair);
        *ret_turned = true;
    }
    *ret_pair = pair;
    return options->link_local || !is_link_local(&pair);
}

static struct traffic turned(struct traffic traffic, bool turn_it)
{
    if (turn_it)
        return (struct traffic){.rx_bytes = traffic.tx_bytes, .tx_bytes = traffic.rx_bytes};
    return traffic;
}

/* --- adding up --- */

static int add_flow(struct iftop_pairs *pairs, const struct snapshot *snapshot,
                    const struct flow *flow, const struct iftop_options *options)
{
    struct iftop_pair wanted, *pair;
    struct traffic last;
    uint32_t index;
    bool is_turned;
    int r;

    if (!pair_of(snapshot, flow, options, &wanted, &is_turned))
        return 0;
    if (!(flow->window[FLOW_40S].rx_bytes | flow->window[FLOW_40S].tx_bytes))
        return 0;
    pairs->has_unconnected |= address_is_any(flow->family, &flow->peer);
    r = find_or_add(pairs, &wanted, &index);
    if (r < 0)
        return r;
    pair = &pairs->pairs[index];
    last = turned(flow->window[FLOW_LAST], is_turned);
    traffic_add(&pair->total, last);
    traffic_add(&pairs->total, last);
    for (uint32_t i = 0; i < IFTOP_WINDOW_MAX; i++) {
        struct traffic bytes = turned(flow->window[windows[i]], is_turned);

        traffic_add(&pair->window[i], bytes);
        traffic_add(&pairs->window[i], bytes);
    }
    return 0;
}

/* Pairs that have been silent for 40 seconds go. 0 or -ENOMEM. */
static int forget_silent(struct iftop_pairs *pairs)
{
    uint32_t kept = 0;
    int r = 0;

    for (uint32_t i = 0; i < pairs->count; i++)
        if (pairs->pairs[i].window[IFTOP_40S].rx_bytes | pairs->pairs[i].window[IFTOP_40S].tx_bytes)
            pairs->pairs[kept++] = pairs->pairs[i];
    if (kept == pairs->count)
        return 0;
    pairs->count = kept;
    map_clear(&pairs->index);
    for (uint32_t i = 0; i < kept && r == 0; i++) {
        uint64_t key;

        find(pairs, &pairs->pairs[i], &key);
        r = map_set(&pairs->index, key, i);
    }
    return r;
}

static void note_peak(struct iftop_pairs *pairs)
{
    double rx = iftop_rate(pairs, IFTOP_2S, pairs->window[IFTOP_2S].rx_bytes);
    double tx = iftop_rate(pairs, IFTOP_2S, pairs->window[IFTOP_2S].tx_bytes);

    if (rx > pairs->peak_rx)
        pairs->peak_rx = rx;
    if (tx > pairs->peak_tx)
        pairs->peak_tx = tx;
    if (rx + tx > pairs->peak)
        pairs->peak = rx + tx;
}

int iftop_pairs_add(struct iftop_pairs *pairs, const struct traffic_reader *reader,
                    const struct traffic_devices *devices, const struct iftop_options *options)
{
    int r = 0;

    memset(pairs->window, 0, sizeof(pairs->window));
    for (uint32_t i = 0; i < IFTOP_WINDOW_MAX; i++)
        pairs->window_ns[i] = reader->moment.snapshot.window_ns[windows[i]];
    for (uint32_t i = 0; i < pairs->count; i++)
        memset(pairs->pairs[i].window, 0, sizeof(pairs->pairs[i].window));
    for (uint32_t i = 0; i < reader->grid.row_count && r == 0; i++) {
        const struct flow *flow = traffic_flow(reader, devices, i);

        if (flow)
            r = add_flow(pairs, &reader->moment.snapshot, flow, options);
    }
    if (r < 0)
        return r;
    note_peak(pairs);
    return forget_silent(pairs);
}
