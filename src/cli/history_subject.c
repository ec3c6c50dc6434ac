/* SPDX-License-Identifier: MIT */
/* Subjects of `nwho history`: traffic in groups, interfaces, states. */
#include "cli/history_subject.h"

#include "base/clock.h"
#include "cli/history.h"
#include "model/state_count.h"
#include "table/flow_groups.h"

#include <string.h>
#include <time.h>

static struct value get_unrecorded(const struct view *view, uint32_t row)
{
    (void)view;
    (void)row;
    return value_none();
}

static bool is_listed(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names;
}

static const struct column *recorded_column(struct session *session, const char *const *recorded,
                                            const struct column *column)
{
    struct column *blank;

    if (is_listed(recorded, column->name))
        return column;
    blank = arena_alloc(&session->arena, sizeof(*blank));
    if (!blank)
        return NULL;
    *blank = *column;
    blank->get = get_unrecorded;
    blank->needs = 0;
    return blank;
}

/* Columns that are not recorded become unknown: their getters would make something of the sums. */
static int blank(struct session *session, struct query *query, const char *const *recorded)
{
    bool made = true;

    for (uint32_t i = 0; i < query->column_count && made; i++)
        made = (query->columns[i] = recorded_column(session, recorded, query->columns[i]));
    for (uint32_t i = 0; i < query->sort_count && made; i++)
        made = (query->sort[i].column = recorded_column(session, recorded, query->sort[i].column));
    return made ? 0 : command_error("out of memory");
}

static int plan_rows(struct session *session, struct query *rows, const struct table *table,
                     const char *usual)
{
    int r;

    rows->table = table;
    r = session_filter(session, rows, NULL);
    if (r == 0)
        r = session_columns(session, rows, usual);
    return r == 0 ? session_plan(session, rows) : r;
}

/* --- traffic --- */

static const char *const recorded_of_flows[] = {
    "time",         "proto",     "family",   "peer",        "peer_addr", "peer_port", "local_port",
    "service_port", "iface",     "pid",      "user",        "uid",       "process",   "exe",
    "unit",         "container", "cgroup",   "netns",       "rate",      "rx_rate",   "tx_rate",
    "bytes",        "rx_bytes",  "tx_bytes", "top_process", "top_pid",   "top_peer",  NULL};

/* Sockets and threads are not told apart in what is recorded. */
static bool is_too_fine(const char *by)
{
    return strstr(by, "conn") || strstr(by, "thread") || strstr(by, "tid");
}

int history_check_by(const char *by, bool has_states)
{
    const char *words =
        has_states ? "--by process, peer, port, user, unit, container, netns, proto, iface or state"
                   : "--by process, peer, port, user, unit, container, netns, proto or iface";

    if (by && is_too_fine(by))
        return command_error("threads and connections are not recorded one by one: %s", words);
    if (by && !flow_grouping_exists(by))
        return command_error("what was recorded cannot be shown by \"%s\": %s", by, words);
    return 0;
}

static int plan_flows(struct session *session, struct query *rows, struct query *groups,
                      struct group_plan *by)
{
    int r = history_check_by(session->options->by, true);

    if (r == 0)
        r = session_plan_groups(session, by);
    if (r != 0)
        return r;
    flow_group_past(by);
    rows->table = &table_flows;
    groups->table = &by->table;
    session->groups = groups;
    r = session_filter(session, rows, NULL);
    if (r == 0)
        r = session_split_filter(session, groups);
    if (r == 0)
        r = session_columns(session, groups, NULL);
    if (r == 0)
        r = blank(session, groups, recorded_of_flows);
    if (r != 0)
        return r;
    flow_group_sort(groups);
    if (groups->sort_count < ARRAY_SIZE(groups->sort)) /* so that it is known, for trends */
        groups->sort[groups->sort_count++] =
            (struct sort_key){.column = table_column(groups->table, "bytes"), .descending = true};
    flow_group_keys(by, rows);
    r = session_plan(session, rows);
    return r == 0 ? session_plan_also(session, groups) : r;
}

unsigned int history_flow_parts(const struct session *session)
{
    return session->request.needs & NEED_ENDS ? STORE_PEERS : STORE_PROCESSES;
}

static uint64_t bytes_of_group(const struct view *view, uint32_t row)
{
    return group_number(view->group, row, "bytes").number;
}

/* --- interfaces --- */

static const char *const recorded_of_interfaces[] = {"time",
                                                     "iface",
                                                     "netns",
                                                     "speed_bits",
                                                     "rx_rate",
                                                     "tx_rate",
                                                     "rx_packet_rate",
                                                     "tx_packet_rate",
                                                     "util",
                                                     "rx_bytes",
                                                     "tx_bytes",
                                                     "rx_packets",
                                                     "tx_packets",
                                                     "errors",
                                                     "drops",
                                                     "rx_errors",
                                                     "tx_errors",
                                                     "rx_dropped",
                                                     "tx_dropped",
                                                     "rx_overruns",
                                                     "tx_overruns",
                                                     "multicast",
                                                     "collisions",
                                                     "rx_missed",
                                                     "rx_length_errors",
                                                     "rx_over_errors",
                                                     "rx_crc_errors",
                                                     "rx_frame_errors",
                                                     "rx_nohandler",
                                                     "rx_otherhost_dropped",
                                                     "rx_compressed",
                                                     "tx_aborted_errors",
                                                     "tx_carrier_errors",
                                                     "tx_heartbeat_errors",
                                                     "tx_window_errors",
                                                     "tx_compressed",
                                                     NULL};

static int plan_interfaces(struct session *session, struct query *rows, struct query *groups,
                           struct group_plan *by)
{
    static const char usual[] =
        "iface,netns,rx_rate,tx_rate,rx_bytes,tx_bytes,rx_packets,tx_packets,rx_errors,tx_errors,"
        "rx_dropped,tx_dropped";
    static const char *const most[] = {"rx_bytes", "tx_bytes"};
    int r;

    (void)groups;
    (void)by;
    if (session->options->format != FORMAT_TEXT && !session->options->columns)
        rows->columns[rows->column_count++] = table_column(&table_interfaces, "time");
    r = plan_rows(session, rows, &table_interfaces, usual);
    if (r == 0)
        r = blank(session, rows, recorded_of_interfaces);
    for (size_t i = 0; i < ARRAY_SIZE(most) && !session->options->sort; i++)
        rows->sort[rows->sort_count++] = (struct sort_key){
            .column = table_column(&table_interfaces, most[i]), .descending = true};
    session->request.needs |= NEED_LINKS;
    return r;
}

static unsigned int interface_parts(const struct session *session)
{
    (void)session;
    return STORE_INTERFACES;
}

static int adopt_zeros(struct session *session, const struct store_answer *answer)
{
    const struct snapshot *now = &answer->snapshot;
    struct snapshot before;
    int r = snapshot_init(&before);

    before.time_ns = now->time_ns - answer->interface_measured_ns;
    before.boot_ns = now->boot_ns - answer->interface_measured_ns;
    for (uint32_t i = 0; i < now->interfaces_count && r == 0; i++) {
        const struct interface *interface = &now->interfaces[i];
        uint32_t netns = 0;
        size_t length;

        r = snapshot_add_netns(&before, now->netns[interface->netns].inode, &netns);
        if (r == 0)
            r = snapshot_add_interface(&before, netns, interface->ifindex,
                                       snapshot_string(now, interface->name, &length));
        if (r == 0)
            before.interfaces[before.interfaces_count - 1].has = interface->has;
    }
    if (r < 0) {
        snapshot_done(&before);
        return command_error("out of memory");
    }
    return session_adopt_reading(session, &before);
}

static uint64_t bytes_of_interface(const struct view *view, uint32_t row)
{
    const struct link_stats *stats = &view->snapshot->interfaces[row].stats;

    return stats->rx_bytes + stats->tx_bytes;
}

/* --- states --- */

static int plan_states(struct session *session, struct query *rows, struct query *groups,
                       struct group_plan *by)
{
    int r = plan_rows(session, rows, &table_states, NULL);

    (void)groups;
    (void)by;
    if (r == 0 && !rows->sort_count)
        rows->sort[rows->sort_count++] =
            (struct sort_key){.column = table_column(&table_states, "mean"), .descending = true};
    return r;
}

/* How long was measured is told by interfaces, which every tick has. */
static unsigned int state_parts(const struct session *session)
{
    (void)session;
    return STORE_STATES | STORE_INTERFACES;
}

static uint64_t most_sockets(const struct view *view, uint32_t row)
{
    return view->states[row].max;
}

/* --- events --- */

static const char *const recorded_of_events[] = {
    "time",         "date",      "clock",        "event",    "verdict",     "owner",
    "pid",          "process",   "owner_source", "uid",      "user",        "direction",
    "proto",        "family",    "local",        "peer",     "local_addr",  "local_port",
    "peer_addr",    "peer_port", "rx_bytes",     "tx_bytes", "duration_us", "ended_by",
    "handshake_us", "rtt_us",    "retrans",      "error",    "netns",       NULL};

/* In text the time of day says too little of a time that is not all of today. */
static int add_date(const struct options *options, struct query *query)
{
    struct store_question question = {0};
    time_t now = time(NULL), since;
    struct tm today = {0}, begin = {0};

    if (history_times(options, &question) != 0)
        return EXIT_ERROR;
    since = (time_t)(question.since_ns / SECOND_NS);
    localtime_r(&now, &today);
    localtime_r(&since, &begin);
    if (options->format == FORMAT_TEXT && !options->columns &&
        (begin.tm_yday != today.tm_yday || begin.tm_year != today.tm_year))
        query->columns[query->column_count++] = table_column(query->table, "date");
    return 0;
}

int history_plan_events(struct session *session, struct query *query)
{
    int r = add_date(session->options, query);

    if (r == 0)
        r = session_columns(session, query, NULL);
    return r == 0 ? blank(session, query, recorded_of_events) : r;
}

/* --- all --- */

static const struct history_subject subjects[] = {
    {"iface", plan_interfaces, interface_parts, adopt_zeros, bytes_of_interface, false, false},
    {"state", plan_states, state_parts, NULL, most_sockets, true, false},
    {NULL, plan_flows, history_flow_parts, NULL, bytes_of_group, false, true},
};

const struct history_subject *history_subject_find(const char *by)
{
    const struct history_subject *subject = subjects;

    while (subject->word && !(by && strcmp(by, subject->word) == 0))
        subject++;
    return subject;
}

void history_hint(const struct session *session)
{
    if (!session->options->quiet && session->words && filter_mentions(session->words, "local_addr"))
        command_error(
            "own addresses are not recorded (src ADDRESS): dst ADDRESS asks for the other "
            "end, sport and dport for ports");
}
