/* SPDX-License-Identifier: MIT */
/* Flow table: what was reported becomes totals and windows, and is folded when it is over. */
#include "collect/flow_table.h"

#include "base/clock.h"
#include "collect/flow_entries.h"
#include "collect/flow_row.h"

#include <string.h>

/* How long a flow is listed after its socket was closed or its process ended. */
#define KEEP_NS (60 * SECOND_NS)
/* What has ended has been told, whenever that was; what is only silent stays. */
#define KEEP_OF_TOLD UINT64_MAX

struct flow_table {
    struct flow_entries entries;
    uint32_t limit;
    struct bin_clock seconds, tens;
    struct seconds *noted; /* borrowed; NULL: nobody asks for them */
    uint64_t now_ns, interval_ns;
    uint32_t peers;    /* flows with FLOW_PEER: half of the limit at most */
    bool many_sums;    /* those of what has ended are half of the limit by themselves */
    bool wants_peers;  /* one found no room in this interval */
    bool joined_peers; /* or ever */
    bool tells_once;   /* what has ended is told of its last interval, and then folded */
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
    flow_entries_clear(&table->entries);
    table->peers = 0;
    table->wants_peers = table->joined_peers = false;
    table->now_ns = now_ns;
    table->interval_ns = 0;
    table->seconds = BIN_CLOCK_INIT(SECOND_NS);
    table->tens = BIN_CLOCK_INIT(10 * SECOND_NS);
}

void flow_table_tell_once(struct flow_table *table)
{
    table->tells_once = table->entries.no_history = true;
}

void flow_table_free(struct flow_table *table)
{
    if (!table)
        return;
    flow_entries_done(&table->entries);
    free(table);
}

/* --- reports --- */

/* The flow of the same socket that has no peer. */
static struct flow_report without_peer(const struct flow_report *report)
{
    struct flow_report facts = *report;

    facts.flags &= ~(uint32_t)FLOW_PEER;
    facts.peer = (union address){{0}};
    facts.peer_port = 0;
    return facts;
}

/* Whether the report's peer is a new one that has no room. */
static bool is_too_many(struct flow_table *table, const struct flow_report *report)
{
    if (!(report->flags & FLOW_PEER) || flow_entries_find(&table->entries, report))
        return false;
    if (table->peers < table->limit / 2) {
        table->peers++;
        return false;
    }
    table->wants_peers = table->joined_peers = true;
    return true;
}

static int add_report(struct flow_table *table, const struct flow_report *report)
{
    struct flow_entry *entry;
    struct flow_report *facts;
    int r = flow_entries_take(&table->entries, report, table->now_ns, &entry);

    if (r < 0)
        return r;
    facts = &entry->facts;
    traffic_add(&facts->bytes, report->bytes);
    wire_add(&facts->wire, &report->wire);
    facts->rx_calls += report->rx_calls;
    facts->tx_calls += report->tx_calls;
    facts->flags |= report->flags;
    if (report->peer_port) { /* connected since */
        facts->peer = report->peer;
        facts->peer_port = report->peer_port;
    }
    return table->noted ? seconds_add_flow(table->noted, entry->id, report->bytes) : 0;
}

int flow_table_report(struct flow_table *table, const struct flow_report *report)
{
    struct flow_report joined;

    if (!is_too_many(table, report))
        return add_report(table, report);
    joined = without_peer(report);
    return add_report(table, &joined);
}

void flow_table_note_seconds(struct flow_table *table, struct seconds *seconds)
{
    table->noted = seconds;
}

bool flow_table_joined_peers(const struct flow_table *table)
{
    return table->joined_peers;
}

int flow_table_ahead(struct flow_table *table, const struct flow_report *report)
{
    struct flow_report facts = *report;
    struct flow_entry *entry;
    int r;

    facts.flags = 0;
    r = flow_entries_take(&table->entries, &facts, table->now_ns, &entry);
    if (r < 0)
        return r;
    traffic_add(&entry->ahead, report->bytes);
    entry->ahead_flags |= report->flags;
    return 0;
}

/* The socket's flow that has most traffic now, or had some last; NULL: no process uses it. */
static struct flow_entry *find_busiest(const struct flow_table *table, uint64_t cookie)
{
    struct flow_entry *entry = flow_entries_of_socket(&table->entries, cookie), *busiest = NULL;
    uint64_t most = 0, last_ns = 0;

    for (; entry; entry = flow_entries_next(&table->entries, entry)) {
        uint64_t bytes = entry->facts.bytes.rx_bytes + entry->facts.bytes.tx_bytes;

        if (!entry->facts.pid ||
            (busiest && (bytes < most || (bytes == most && entry->last_ns <= last_ns))))
            continue;
        busiest = entry;
        most = bytes;
        last_ns = entry->last_ns;
    }
    return busiest;
}

int flow_table_report_wire(struct flow_table *table, const struct flow_report *report)
{
    struct flow_entry *busiest = report->cookie ? find_busiest(table, report->cookie) : NULL;

    if (!busiest)
        return flow_table_report(table, report);
    wire_add(&busiest->facts.wire, &report->wire);
    return 0;
}

void flow_table_close(struct flow_table *table, uint64_t cookie, uint64_t now_ns)
{
    struct flow_entry *entry = flow_entries_of_socket(&table->entries, cookie);

    for (; entry; entry = flow_entries_next(&table->entries, entry)) {
        entry->facts.flags |= FLOW_CLOSED;
        entry->ended_ns = now_ns;
    }
}

void flow_table_miss_ends(struct flow_table *table)
{
    table->misses_ends = true;
}

void flow_table_exit(struct flow_table *table, uint64_t id, uint64_t now_ns)
{
    struct flow_entry *entry = flow_entries_by_id(&table->entries, id);

    if (!entry)
        return;
    entry->facts.flags |= FLOW_EXITED;
    entry->ended_ns = now_ns;
}

/* --- time --- */

static uint64_t more_than(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

/* What was ahead may turn out to be of another flow: then less is shown than before. */
static void show(struct flow_entry *entry)
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

static void note_history(const struct flow_table *table, const struct flow_entry *entry)
{
    struct flow_history *history = flow_entries_history(&table->entries, entry);

    if (!history)
        return;
    bins_add(&history->seconds, &table->seconds, entry->last);
    bins_add(&history->tens, &table->tens, entry->last);
}

static void count_report(const struct flow_table *table, struct flow_entry *entry)
{
    struct flow_report *facts = &entry->facts;

    traffic_add(&entry->total, facts->bytes);
    show(entry);
    entry->wire_last = facts->wire;
    wire_add(&entry->wire, &facts->wire);
    entry->rx_calls += facts->rx_calls;
    entry->tx_calls += facts->tx_calls;
    if (entry->last.rx_bytes || entry->last.tx_bytes) {
        note_history(table, entry);
        entry->last_ns = table->now_ns;
    }
    if (facts->rx_calls || facts->tx_calls || facts->wire.rx_packets || facts->wire.tx_packets)
        entry->last_ns = table->now_ns;
    flow_entry_clear_report(entry);
}

/* What others are folded into. */
static bool is_rest(const struct flow_entry *entry)
{
    return !entry->facts.cookie;
}

/* Of processes that have ended: what is folded last. */
static bool is_sum_of_ended(const struct flow_entry *entry)
{
    return is_rest(entry) && !entry->facts.pid;
}

/* What remains of a flow that is not listed any more: of a peer the socket's own flow, else the
 * sums of its process; of a process that has ended, those of all that had its name in its cgroup
 * and network namespace; of these, those of all cgroups, and then of all namespaces. */
static struct flow_report folded_facts(const struct flow_entry *entry)
{
    struct flow_report facts = {.pid = entry->facts.pid,
                                .ppid = entry->facts.ppid,
                                .uid = entry->facts.uid,
                                .cgroup_id = entry->facts.cgroup_id,
                                .netns = entry->facts.netns,
                                .start_ticks = entry->facts.start_ticks,
                                .flags = FLOW_FOLDED};

    if (entry->facts.flags & FLOW_PEER)
        return without_peer(&entry->facts);
    memcpy(facts.comm, entry->facts.comm, sizeof(facts.comm));
    if (entry->facts.flags & FLOW_EXITED) {
        facts.pid = facts.ppid = 0;
        facts.start_ticks = 0;
        facts.flags |= FLOW_EXITED;
    }
    if (is_sum_of_ended(entry) && entry->facts.cgroup_id)
        facts.cgroup_id = 0;
    else if (is_sum_of_ended(entry))
        facts.netns = 0;
    return facts;
}

static void merge_history(const struct flow_table *table, const struct flow_entry *from,
                          const struct flow_entry *to)
{
    const struct flow_history *other = flow_entries_history(&table->entries, from);
    struct flow_history *history = flow_entries_history(&table->entries, to);

    if (!history)
        return;
    bins_merge(&history->seconds, &table->seconds, &other->seconds);
    bins_merge(&history->tens, &table->tens, &other->tens);
}

static void merge(const struct flow_table *table, const struct flow_entry *from,
                  struct flow_entry *to)
{
    traffic_add(&to->total, from->total);
    traffic_add(&to->shown, from->shown);
    traffic_add(&to->last, from->last);
    wire_add(&to->wire, &from->wire);
    wire_add(&to->wire_last, &from->wire_last);
    merge_history(table, from, to);
    to->rx_calls += from->rx_calls;
    to->tx_calls += from->tx_calls;
    if (from->first_ns < to->first_ns)
        to->first_ns = from->first_ns;
    if (from->last_ns > to->last_ns)
        to->last_ns = from->last_ns;
}

static int fold(struct flow_table *table, uint32_t index)
{
    struct flow_report facts = folded_facts(&table->entries.all[index]);
    struct flow_entry *target;
    const struct flow_entry *entry;
    int r = flow_entries_take(&table->entries, &facts, table->now_ns, &target);

    if (r < 0)
        return r;
    entry = &table->entries.all[index];
    merge(table, entry, target);
    if (!(entry->facts.flags & FLOW_PEER))
        target->sockets += entry->sockets;
    else if (entry->ended_ns)
        target->ended_ns = entry->ended_ns;
    return 0;
}

/* Packets that came before any process used the socket are of the one that does now. */
static bool give_to_user(const struct flow_table *table, const struct flow_entry *entry)
{
    struct flow_entry *user;

    if (!entry->facts.cookie || entry->facts.pid || entry->shown.rx_bytes || entry->shown.tx_bytes)
        return false;
    user = find_busiest(table, entry->facts.cookie);
    if (!user)
        return false;
    merge(table, entry, user);
    return true;
}

/* Sums of what has ended keep their place, unless they are too many themselves: in a crowd of
 * other flows it would be of no use to give that up. */
static bool may_be_over(const struct flow_table *table, const struct flow_entry *entry)
{
    if (is_sum_of_ended(entry))
        return table->many_sums && (entry->facts.cgroup_id || entry->facts.netns);
    return !is_rest(entry) || entry->facts.flags & FLOW_EXITED;
}

static bool has_many_sums(const struct flow_table *table)
{
    uint32_t sums = 0;

    for (uint32_t i = 0; i < table->entries.count; i++)
        sums += is_sum_of_ended(&table->entries.all[i]);
    return sums > table->limit / 2;
}

/* Where there are too many, or ends are not told, silence is an end as well. */
static bool is_over(const struct flow_table *table, const struct flow_entry *entry,
                    uint64_t keep_ns)
{
    bool crowded = table->entries.count > table->limit;
    bool silence =
        table->misses_ends || crowded || (entry->facts.flags & FLOW_PEER && table->wants_peers);
    uint64_t end_ns = entry->ended_ns ? entry->ended_ns : entry->last_ns;

    if (!may_be_over(table, entry))
        return false;
    if (keep_ns == KEEP_OF_TOLD)
        return entry->ended_ns != 0;
    return (entry->ended_ns || silence) && end_ns + keep_ns <= table->now_ns;
}

/* Of the first entries those of peers, or the others. What they are folded into may come behind. */
static int fold_those(struct flow_table *table, uint32_t count, bool peers, uint64_t keep_ns,
                      uint32_t *folded)
{
    int r = 0;

    for (uint32_t i = 0; i < count && r == 0; i++) {
        struct flow_entry *entry = &table->entries.all[i];
        bool over;

        if (((entry->facts.flags & FLOW_PEER) != 0) != peers)
            continue;
        over = give_to_user(table, entry);
        if (!over && is_over(table, entry, keep_ns)) {
            r = fold(table, i);
            over = r == 0;
        }
        if (over)
            table->entries.all[i].id = 0;
        *folded += over;
        table->peers -= over && peers;
    }
    return r;
}

/* Folds the flows that ended so long ago: a peer before the flow of its socket is. */
static int fold_old(struct flow_table *table, uint64_t keep_ns)
{
    uint32_t count = table->entries.count, folded = 0;
    int r = table->peers ? fold_those(table, count, true, keep_ns, &folded) : 0, swept;

    table->many_sums = has_many_sums(table);
    if (r == 0)
        r = fold_those(table, count, false, keep_ns, &folded);
    if (!folded)
        return r;
    swept = flow_entries_sweep(&table->entries);
    return r < 0 ? r : swept;
}

int flow_table_advance(struct flow_table *table, uint64_t now_ns)
{
    const uint64_t interval_ns = now_ns - table->now_ns;
    const uint64_t keep_ns[] = {table->tells_once ? interval_ns : KEEP_NS, 10 * SECOND_NS,
                                2 * SECOND_NS, 1, 0};
    int r = 0;

    table->interval_ns = interval_ns;
    table->now_ns = now_ns;
    for (uint32_t i = 0; i < table->entries.count; i++)
        count_report(table, &table->entries.all[i]);
    for (size_t i = 0; i < ARRAY_SIZE(keep_ns) && r == 0; i++)
        if (i == 0 || table->entries.count > table->limit)
            r = fold_old(table, keep_ns[i]);
    table->wants_peers = false;
    bin_clock_advance(&table->seconds, table->interval_ns);
    bin_clock_advance(&table->tens, table->interval_ns);
    return r;
}

int flow_table_end_told(struct flow_table *table)
{
    return table->tells_once ? fold_old(table, KEEP_OF_TOLD) : 0;
}

/* --- the snapshot --- */

static struct flow_windows make_windows(const struct flow_table *table)
{
    if (table->entries.no_history)
        return (struct flow_windows){.entries = &table->entries,
                                     .of = {[FLOW_LAST] = {.length_ns = table->interval_ns}}};
    return (struct flow_windows){
        .entries = &table->entries,
        .seconds = &table->seconds,
        .tens = &table->tens,
        .of = {[FLOW_LAST] = {.length_ns = table->interval_ns},
               [FLOW_2S] = bin_clock_window(&table->seconds, 2 * SECOND_NS),
               [FLOW_10S] = bin_clock_window(&table->seconds, 10 * SECOND_NS),
               [FLOW_40S] = bin_clock_window(&table->tens, 40 * SECOND_NS),
               [FLOW_60S] = bin_clock_window(&table->tens, 60 * SECOND_NS)},
    };
}

/* Bytes that were ahead turned out to be of another flow. */
static bool is_empty(const struct flow_entry *entry)
{
    return !entry->shown.rx_bytes && !entry->shown.tx_bytes && !entry->rx_calls &&
           !entry->tx_calls && !entry->wire.rx_packets && !entry->wire.tx_packets;
}

int flow_table_write(const struct flow_table *table, struct snapshot *snapshot)
{
    const struct flow_windows windows = make_windows(table);
    int r = snapshot_reserve_flows(snapshot, table->entries.count);

    for (int i = 0; i < FLOW_WINDOW_MAX; i++)
        snapshot->window_ns[i] = windows.of[i].length_ns;
    for (uint32_t i = 0; i < table->entries.count && r == 0; i++)
        if (!is_empty(&table->entries.all[i]))
            r = flow_row_write(&windows, &table->entries.all[i], snapshot);
    return r;
}
