/* SPDX-License-Identifier: MIT */
/* Flow table: flows in one array, found by socket and thread, folded when they are over. */
#include "collect/flow_table.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "collect/flow_bins.h"

#include <string.h>

/* How long a flow is listed after its socket was closed or its process ended. */
#define KEEP_NS (60 * SECOND_NS)

#define NO_FLOW UINT32_MAX

struct entry {
    struct flow_report facts; /* bytes, calls and packets: not yet counted */
    struct traffic total;
    struct traffic ahead; /* told of this interval; not part of the total */
    struct traffic shown; /* total and ahead, as they were at the last advance */
    struct traffic last;  /* what was shown more than before */
    struct wire wire, wire_last;
    struct bins seconds, tens;
    uint64_t id, first_ns, last_ns;
    uint64_t ended_ns; /* 0: it may go on */
    uint64_t rx_calls, tx_calls;
    uint32_t sockets;
    uint32_t ahead_flags, shown_flags; /* as of the bytes */
    uint32_t next;                     /* of the same socket; NO_FLOW */
};

struct flow_table {
    struct entry *entries;
    uint32_t entries_count, entries_capacity;
    uint32_t limit;
    struct map by_key;    /* hash of cookie, pid, tid and name -> entry */
    struct map by_cookie; /* -> newest entry of the socket, the head of its chain */
    struct bin_clock seconds, tens;
    uint64_t last_id, now_ns, interval_ns;
    bool misses_ends;
};

struct flow_table *flow_table_new(uint32_t limit, uint64_t now_ns)
{
    struct flow_table *table = calloc(1, sizeof(*table));

    if (!table)
        return NULL;
    table->limit = limit;
    flow_table_begin(table, now_ns);
    return table;
}

void flow_table_begin(struct flow_table *table, uint64_t now_ns)
{
    table->entries_count = 0;
    map_clear(&table->by_key);
    map_clear(&table->by_cookie);
    table->now_ns = now_ns;
    table->interval_ns = 0;
    table->seconds = BIN_CLOCK_INIT(SECOND_NS);
    table->tens = BIN_CLOCK_INIT(10 * SECOND_NS);
}

void flow_table_free(struct flow_table *table)
{
    if (!table)
        return;
    map_done(&table->by_key);
    map_done(&table->by_cookie);
    free(table->entries);
    free(table);
}

/* --- finding --- */

static bool is_same(const struct flow_report *a, const struct flow_report *b)
{
    if (a->cookie != b->cookie || a->pid != b->pid || a->tid != b->tid ||
        a->start_ticks != b->start_ticks || (a->flags ^ b->flags) & FLOW_OTHER)
        return false;
    if (a->cookie && a->netns != b->netns) /* a socket of the kernel itself */
        return false;
    /* Without a socket and a process a flow is all that had this name. */
    return a->cookie || a->pid || (a->uid == b->uid && !memcmp(a->comm, b->comm, sizeof(a->comm)));
}

static uint64_t hash_of(const struct flow_report *facts)
{
    uint64_t hash = facts->cookie * UINT64_C(0x9e3779b97f4a7c15);

    hash ^= ((uint64_t)facts->pid << 32 | facts->tid) * UINT64_C(0xc2b2ae3d27d4eb4f);
    if (!facts->cookie && !facts->pid)
        hash = hash_bytes(hash, facts->comm, sizeof(facts->comm));
    return hash;
}

/* The entry, or NO_FLOW and the key that is free for it. */
static uint32_t find(const struct flow_table *table, const struct flow_report *facts,
                     uint64_t *ret_key)
{
    uint64_t key = hash_of(facts);
    uint32_t index;

    while ((index = map_get(&table->by_key, key)) != MAP_NONE &&
           !is_same(&table->entries[index].facts, facts))
        key++;
    *ret_key = key;
    return index == MAP_NONE ? NO_FLOW : index;
}

/* Makes an entry findable. Neither map needs to grow any more. */
static int file_entry(struct flow_table *table, uint32_t index, uint64_t key)
{
    struct entry *entry = &table->entries[index];
    uint32_t head;
    int r = map_set(&table->by_key, key, index);

    entry->next = NO_FLOW;
    if (r < 0 || !entry->facts.cookie)
        return r;
    head = map_get(&table->by_cookie, entry->facts.cookie);
    if (head != MAP_NONE)
        entry->next = head;
    return map_set(&table->by_cookie, entry->facts.cookie, index);
}

static void clear_report(struct flow_report *facts)
{
    facts->bytes = (struct traffic){0};
    facts->wire = (struct wire){0};
    facts->rx_calls = facts->tx_calls = 0;
}

static int add(struct flow_table *table, const struct flow_report *facts, uint64_t key,
               uint32_t *ret_index)
{
    uint32_t index = table->entries_count;
    int r = VEC_RESERVE(&table->entries, &table->entries_capacity, index, 1);

    if (r == 0)
        r = map_reserve(&table->by_key, index + 1);
    if (r == 0)
        r = map_reserve(&table->by_cookie, index + 1);
    if (r < 0)
        return r;
    table->entries[index] = (struct entry){.facts = *facts,
                                           .id = ++table->last_id,
                                           .first_ns = table->now_ns,
                                           .sockets = facts->cookie != 0};
    clear_report(&table->entries[index].facts);
    table->entries_count++;
    *ret_index = index;
    return file_entry(table, index, key);
}

static int find_or_add(struct flow_table *table, const struct flow_report *facts,
                       uint32_t *ret_index)
{
    uint64_t key;

    *ret_index = find(table, facts, &key);
    return *ret_index == NO_FLOW ? add(table, facts, key, ret_index) : 0;
}

/* --- reports --- */

int flow_table_report(struct flow_table *table, const struct flow_report *report)
{
    struct flow_report *facts;
    uint32_t index;
    int r = find_or_add(table, report, &index);

    if (r < 0)
        return r;
    facts = &table->entries[index].facts;
    traffic_add(&facts->bytes, report->bytes);
    wire_add(&facts->wire, &report->wire);
    facts->rx_calls += report->rx_calls;
    facts->tx_calls += report->tx_calls;
    facts->flags |= report->flags;
    if (report->peer_port) { /* connected since */
        facts->peer = report->peer;
        facts->peer_port = report->peer_port;
    }
    return 0;
}

int flow_table_ahead(struct flow_table *table, const struct flow_report *report)
{
    struct flow_report facts = *report;
    uint32_t index;
    int r;

    facts.flags = 0;
    r = find_or_add(table, &facts, &index);
    if (r < 0)
        return r;
    traffic_add(&table->entries[index].ahead, report->bytes);
    table->entries[index].ahead_flags |= report->flags;
    return 0;
}

/* The socket's flow that has most traffic now, or had some last; NO_FLOW: no process uses it. */
static uint32_t find_busiest(const struct flow_table *table, uint64_t cookie)
{
    uint32_t index = map_get(&table->by_cookie, cookie), busiest = NO_FLOW;
    uint64_t most = 0, last_ns = 0;

    for (; index != MAP_NONE && index != NO_FLOW; index = table->entries[index].next) {
        const struct entry *entry = &table->entries[index];
        uint64_t bytes = entry->facts.bytes.rx_bytes + entry->facts.bytes.tx_bytes;

        if (!entry->facts.pid ||
            (busiest != NO_FLOW && (bytes < most || (bytes == most && entry->last_ns <= last_ns))))
            continue;
        busiest = index;
        most = bytes;
        last_ns = entry->last_ns;
    }
    return busiest;
}

int flow_table_report_wire(struct flow_table *table, const struct flow_report *report)
{
    uint32_t index = report->cookie ? find_busiest(table, report->cookie) : NO_FLOW;

    if (index == NO_FLOW)
        return flow_table_report(table, report);
    wire_add(&table->entries[index].facts.wire, &report->wire);
    return 0;
}

void flow_table_close(struct flow_table *table, uint64_t cookie, uint64_t now_ns)
{
    uint32_t index = map_get(&table->by_cookie, cookie);

    for (; index != MAP_NONE && index != NO_FLOW; index = table->entries[index].next) {
        table->entries[index].facts.flags |= FLOW_CLOSED;
        table->entries[index].ended_ns = now_ns;
    }
}

void flow_table_miss_ends(struct flow_table *table)
{
    table->misses_ends = true;
}

void flow_table_exit(struct flow_table *table, uint64_t id, uint64_t now_ns)
{
    uint32_t low = 0, high = table->entries_count;

    while (low < high) { /* entries are in the order of their ids */
        uint32_t middle = low + (high - low) / 2;

        if (table->entries[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == table->entries_count || table->entries[low].id != id)
        return;
    table->entries[low].facts.flags |= FLOW_EXITED;
    table->entries[low].ended_ns = now_ns;
}

/* --- time --- */

static uint64_t more_than(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

/* What was ahead may turn out to be of another flow: then less is shown than before. */
static void show(struct entry *entry)
{
    struct traffic shown = entry->total;

    traffic_add(&shown, entry->ahead);
    entry->last = (struct traffic){more_than(shown.rx_bytes, entry->shown.rx_bytes),
                                   more_than(shown.tx_bytes, entry->shown.tx_bytes)};
    entry->shown = shown;
    entry->shown_flags = entry->ahead_flags;
    entry->ahead = (struct traffic){0};
    entry->ahead_flags = 0;
}

static void count_report(const struct flow_table *table, struct entry *entry)
{
    struct flow_report *facts = &entry->facts;

    traffic_add(&entry->total, facts->bytes);
    show(entry);
    entry->wire_last = facts->wire;
    wire_add(&entry->wire, &facts->wire);
    entry->rx_calls += facts->rx_calls;
    entry->tx_calls += facts->tx_calls;
    if (entry->last.rx_bytes || entry->last.tx_bytes) {
        bins_add(&entry->seconds, &table->seconds, entry->last);
        bins_add(&entry->tens, &table->tens, entry->last);
        entry->last_ns = table->now_ns;
    }
    if (facts->rx_calls || facts->tx_calls || facts->wire.rx_packets || facts->wire.tx_packets)
        entry->last_ns = table->now_ns;
    clear_report(facts);
}

/* What remains of a flow that is not listed any more: the sums of its process; of a process that
 * has ended, those of all that had its name. */
static struct flow_report folded_facts(const struct entry *entry)
{
    struct flow_report facts = {.pid = entry->facts.pid,
                                .uid = entry->facts.uid,
                                .cgroup_id = entry->facts.cgroup_id,
                                .netns = entry->facts.netns,
                                .start_ticks = entry->facts.start_ticks,
                                .flags = FLOW_FOLDED};

    memcpy(facts.comm, entry->facts.comm, sizeof(facts.comm));
    if (entry->facts.flags & FLOW_EXITED) {
        facts.pid = 0;
        facts.start_ticks = 0;
        facts.flags |= FLOW_EXITED;
    }
    return facts;
}

static void merge(const struct flow_table *table, const struct entry *from, struct entry *to)
{
    traffic_add(&to->total, from->total);
    traffic_add(&to->shown, from->shown);
    traffic_add(&to->last, from->last);
    wire_add(&to->wire, &from->wire);
    wire_add(&to->wire_last, &from->wire_last);
    bins_merge(&to->seconds, &table->seconds, &from->seconds);
    bins_merge(&to->tens, &table->tens, &from->tens);
    to->rx_calls += from->rx_calls;
    to->tx_calls += from->tx_calls;
    if (from->first_ns < to->first_ns)
        to->first_ns = from->first_ns;
    if (from->last_ns > to->last_ns)
        to->last_ns = from->last_ns;
}

static int fold(struct flow_table *table, uint32_t index)
{
    struct flow_report facts = folded_facts(&table->entries[index]);
    uint32_t target;
    int r = find_or_add(table, &facts, &target);

    if (r < 0)
        return r;
    merge(table, &table->entries[index], &table->entries[target]);
    table->entries[target].sockets += table->entries[index].sockets;
    return 0;
}

/* Packets that came before any process used the socket are of the one that does now. */
static bool give_to_user(struct flow_table *table, uint32_t index)
{
    const struct entry *entry = &table->entries[index];
    uint32_t user;

    if (!entry->facts.cookie || entry->facts.pid || entry->shown.rx_bytes || entry->shown.tx_bytes)
        return false;
    user = find_busiest(table, entry->facts.cookie);
    if (user == NO_FLOW)
        return false;
    merge(table, entry, &table->entries[user]);
    return true;
}

/* Where there are too many, or ends are not told, silence is an end as well. */
static bool is_over(const struct flow_table *table, const struct entry *entry, uint64_t keep_ns)
{
    bool silence = table->misses_ends || table->entries_count > table->limit;
    uint64_t end_ns = entry->ended_ns ? entry->ended_ns : entry->last_ns;

    if (!entry->facts.cookie && (!entry->facts.pid || !(entry->facts.flags & FLOW_EXITED)))
        return false; /* is what others are folded into */
    return (entry->ended_ns || silence) && end_ns + keep_ns <= table->now_ns;
}

/* The entries moved: the maps are made anew. They have room already. */
static int refile(struct flow_table *table)
{
    uint64_t key;
    int r = 0;

    map_clear(&table->by_key);
    map_clear(&table->by_cookie);
    for (uint32_t i = 0; i < table->entries_count && r == 0; i++) {
        find(table, &table->entries[i].facts, &key);
        r = file_entry(table, i, key);
    }
    return r;
}

/* Folds the flows that ended so long ago. What they are folded into may come behind them. */
static int fold_old(struct flow_table *table, uint64_t keep_ns)
{
    uint32_t count = table->entries_count, kept = 0, folded = 0;
    int r = 0;

    for (uint32_t i = 0; i < count && r == 0; i++) {
        bool over = give_to_user(table, i);

        if (!over && is_over(table, &table->entries[i], keep_ns)) {
            r = fold(table, i);
            over = r == 0;
        }
        if (over)
            table->entries[i].id = 0;
        folded += over;
    }
    if (!folded)
        return r;
    for (uint32_t i = 0; i < table->entries_count; i++)
        if (table->entries[i].id)
            table->entries[kept++] = table->entries[i];
    table->entries_count = kept;
    return r < 0 ? r : refile(table);
}

int flow_table_advance(struct flow_table *table, uint64_t now_ns)
{
    static const uint64_t keep_ns[] = {KEEP_NS, 10 * SECOND_NS, 2 * SECOND_NS, 1, 0};
    int r = 0;

    table->interval_ns = now_ns - table->now_ns;
    table->now_ns = now_ns;
    for (uint32_t i = 0; i < table->entries_count; i++)
        count_report(table, &table->entries[i]);
    for (size_t i = 0; i < ARRAY_SIZE(keep_ns) && r == 0; i++)
        if (i == 0 || table->entries_count > table->limit)
            r = fold_old(table, keep_ns[i]);
    bin_clock_advance(&table->seconds, table->interval_ns);
    bin_clock_advance(&table->tens, table->interval_ns);
    return r;
}

/* --- the snapshot --- */

static void write_windows(const struct flow_table *table, const struct entry *entry,
                          struct flow *flow)
{
    flow->window[FLOW_LAST] = entry->last;
    flow->window[FLOW_2S] = bins_window(&entry->seconds, &table->seconds, 2 * SECOND_NS);
    flow->window[FLOW_10S] = bins_window(&entry->seconds, &table->seconds, 10 * SECOND_NS);
    flow->window[FLOW_40S] = bins_window(&entry->tens, &table->tens, 40 * SECOND_NS);
    flow->window[FLOW_60S] = bins_window(&entry->tens, &table->tens, 60 * SECOND_NS);
}

static int write_entry(const struct flow_table *table, const struct entry *entry,
                       struct snapshot *snapshot)
{
    const struct flow_report *facts = &entry->facts;
    struct flow *flow;
    uint32_t netns, comm;
    int r =
        snapshot_intern(snapshot, facts->comm, strnlen(facts->comm, sizeof(facts->comm)), &comm);

    if (r == 0)
        r = snapshot_add_netns(snapshot, facts->netns, &netns);
    if (r < 0)
        return r;
    flow = snapshot_add_flow(snapshot);
    if (!flow)
        return -ENOMEM;
    *flow = (struct flow){
        .id = entry->id,
        .cookie = facts->cookie,
        .cgroup_id = facts->cgroup_id,
        .first_ns = entry->first_ns,
        .last_ns = entry->last_ns,
        .total = entry->shown,
        .wire = entry->wire,
        .wire_last = entry->wire_last,
        .rx_calls = entry->rx_calls,
        .tx_calls = entry->tx_calls,
        .start_ticks = facts->start_ticks,
        .pid = facts->pid,
        .tid = facts->tid,
        .uid = facts->uid,
        .comm = comm,
        .netns = netns,
        .ifindex = facts->ifindex,
        .flags = facts->flags | entry->shown_flags,
        .sockets = entry->sockets,
        .local_port = facts->local_port,
        .peer_port = facts->peer_port,
        .proto = facts->proto,
        .family = facts->family,
        .local = facts->local,
        .peer = facts->peer,
    };
    write_windows(table, entry, flow);
    return 0;
}

/* Bytes that were ahead turned out to be of another flow. */
static bool is_empty(const struct entry *entry)
{
    return !entry->shown.rx_bytes && !entry->shown.tx_bytes && !entry->rx_calls &&
           !entry->tx_calls && !entry->wire.rx_packets && !entry->wire.tx_packets;
}

int flow_table_write(const struct flow_table *table, struct snapshot *snapshot)
{
    int r = 0;

    snapshot->window_ns[FLOW_LAST] = table->interval_ns;
    snapshot->window_ns[FLOW_2S] = bin_clock_window(&table->seconds, 2 * SECOND_NS);
    snapshot->window_ns[FLOW_10S] = bin_clock_window(&table->seconds, 10 * SECOND_NS);
    snapshot->window_ns[FLOW_40S] = bin_clock_window(&table->tens, 40 * SECOND_NS);
    snapshot->window_ns[FLOW_60S] = bin_clock_window(&table->tens, 60 * SECOND_NS);
    for (uint32_t i = 0; i < table->entries_count && r == 0; i++)
        if (!is_empty(&table->entries[i]))
            r = write_entry(table, &table->entries[i], snapshot);
    return r;
}
