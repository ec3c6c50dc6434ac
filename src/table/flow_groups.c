/* SPDX-License-Identifier: MIT */
/* Groups of flows: the words of --by, and which columns their rows have. */
#include "table/flow_groups.h"

#include "base/suggest.h"
#include "table/cells.h"
#include "table/flow_cells.h"
#include "table/flow_keys.h"

enum grouping {
    BY_PROCESS = 1u << 0,
    BY_THREAD = 1u << 1,
    BY_CONN = 1u << 2,
    BY_PEER = 1u << 3,
    BY_CONTAINER = 1u << 4,
    BY_UNIT = 1u << 5,
    BY_USER = 1u << 6,
    BY_IFACE = 1u << 7,
    BY_PORT = 1u << 8,
    BY_NETNS = 1u << 9,
    BY_PROTO = 1u << 10,
    BY_ALL = (1u << 11) - 1,
};

/* Keys that are never shown themselves: columns tell what they are of. */
static const struct column process_key = {.name = "process", .get = flow_process_key};
static const struct column past_process_key = {.name = "process", .get = flow_past_process_key};
static const struct column conn_key = {.name = "conn", .get = flow_conn_key};
static const struct column netns_key = {.name = "netns", .get = flow_netns_inode};

static const struct grouping_word {
    const char *word, *help;
    enum grouping by;
    const char *keys[2]; /* columns of flows */
    const struct column *hidden;
} groupings[] = {
    {"process", "processes", BY_PROCESS, {NULL}, &process_key},
    {"thread", "threads", BY_THREAD, {"tid"}, &process_key},
    {"conn", "connections, and sockets without one", BY_CONN, {NULL}, &conn_key},
    {"peer", "addresses of other ends; peer/24: networks", BY_PEER, {"peer_addr"}, NULL},
    {"container", "containers", BY_CONTAINER, {"container"}, NULL},
    {"unit", "systemd units", BY_UNIT, {"unit"}, NULL},
    {"user", "users", BY_USER, {"uid"}, NULL},
    {"iface", "interfaces", BY_IFACE, {"iface"}, &netns_key},
    {"port", "protocol and port of the side that serves", BY_PORT, {"proto", "service_port"}, NULL},
    {"netns", "network namespaces", BY_NETNS, {NULL}, &netns_key},
    {"proto", "protocols", BY_PROTO, {"proto"}, NULL},
};

bool flow_grouping(uint32_t index, const char **ret_word, const char **ret_help)
{
    if (index >= ARRAY_SIZE(groupings))
        return false;
    *ret_word = groupings[index].word;
    *ret_help = groupings[index].help;
    return true;
}

/* --- the columns --- */

#define OF_PROCESS (BY_PROCESS | BY_THREAD | BY_CONN)
#define OF_MANY                                                                                    \
    (BY_PEER | BY_CONTAINER | BY_UNIT | BY_USER | BY_IFACE | BY_PORT | BY_NETNS | BY_PROTO)

#define TOP(name, by, text, machine)                                                               \
    {                                                                                              \
        name, by, text, machine, GROUP_TOP, NULL, NULL, NULL, NULL, NULL                           \
    }
#define TOP_AS(name, by, text, as, title, help)                                                    \
    {                                                                                              \
        name, by, text, by, GROUP_TOP, NULL, NULL, as, title, help                                 \
    }
#define MADE(name, text, machine, how, part, whole)                                                \
    {                                                                                              \
        name, BY_ALL, text, machine, how, part, whole, NULL, NULL, NULL                            \
    }
#define SUM(name, text, machine) MADE(name, text, machine, GROUP_SUM, NULL, NULL)
#define RATE(name, text, machine, part, whole) MADE(name, text, machine, GROUP_SUM, part, whole)

/* A column of the groups: that of flows with this name, and what differs from it. */
static const struct group_source {
    const char *name;
    uint32_t by;            /* the groupings whose rows have it */
    uint32_t text, machine; /* those that show it unless columns are named */
    enum group_how how;
    column_get_fn *part; /* NULL: the column's own */
    struct value (*whole)(const struct view *view, uint64_t number);
    const char *as, *title, *help; /* NULL: the column's own */
} sources[] = {
    TOP("time", BY_ALL, 0, BY_ALL),
    TOP("proto", BY_CONN | BY_PORT | BY_PROTO, BY_ALL, BY_ALL),
    TOP("family", BY_CONN, 0, BY_ALL),
    TOP("local", BY_CONN, BY_ALL, 0),
    TOP("peer", BY_CONN, BY_ALL, 0),
    TOP("local_addr", BY_CONN, 0, BY_ALL),
    TOP("local_port", BY_CONN, 0, BY_ALL),
    TOP("peer_addr", BY_CONN | BY_PEER, BY_PEER, BY_ALL),
    TOP("peer_port", BY_CONN, 0, BY_ALL),
    TOP("service_port", BY_CONN | BY_PORT, BY_PORT, BY_PORT),
    TOP("iface", BY_CONN | BY_IFACE, BY_IFACE, BY_IFACE),
    TOP("cookie", BY_CONN, 0, BY_ALL),
    TOP("pid", OF_PROCESS, BY_ALL, BY_ALL),
    TOP("tid", BY_THREAD, BY_ALL, BY_ALL),
    TOP("user", OF_PROCESS | BY_USER, BY_PROCESS | BY_USER, BY_ALL),
    TOP("uid", OF_PROCESS | BY_USER, 0, BY_ALL),
    TOP("process", OF_PROCESS, BY_ALL, BY_ALL),
    TOP("thread", BY_THREAD, BY_ALL, BY_ALL),
    TOP("unit", OF_PROCESS | BY_UNIT, BY_PROCESS | BY_UNIT, BY_ALL),
    TOP("container", OF_PROCESS | BY_CONTAINER, BY_CONTAINER, BY_ALL),
    TOP("cgroup", OF_PROCESS, 0, 0),
    TOP("exe", OF_PROCESS, 0, BY_PROCESS),
    TOP("cmdline", OF_PROCESS, 0, 0),
    TOP("netns", OF_PROCESS | BY_IFACE | BY_NETNS, BY_NETNS | BY_IFACE, BY_ALL),
    {"connections", BY_ALL, BY_ALL & ~BY_CONN, BY_ALL, GROUP_SUM_ONCE, NULL, NULL, NULL, NULL,
     NULL},
    {"sockets", BY_ALL, 0, BY_ALL, GROUP_SUM_ONCE, NULL, NULL, NULL, NULL, NULL},
    RATE("rx_rate", BY_ALL, BY_ALL, flow_rx_last, flow_rate_last),
    RATE("tx_rate", BY_ALL, BY_ALL, flow_tx_last, flow_rate_last),
    RATE("rate", 0, 0, flow_last, flow_rate_last),
    RATE("rx_rate_2s", 0, BY_ALL, flow_rx_2s, flow_rate_2s),
    RATE("tx_rate_2s", 0, BY_ALL, flow_tx_2s, flow_rate_2s),
    RATE("rx_rate_10s", 0, BY_ALL, flow_rx_10s, flow_rate_10s),
    RATE("tx_rate_10s", 0, BY_ALL, flow_tx_10s, flow_rate_10s),
    RATE("rx_rate_40s", 0, BY_ALL, flow_rx_40s, flow_rate_40s),
    RATE("tx_rate_40s", 0, BY_ALL, flow_tx_40s, flow_rate_40s),
    RATE("rx_rate_60s", 0, BY_ALL, flow_rx_60s, flow_rate_60s),
    RATE("tx_rate_60s", 0, BY_ALL, flow_tx_60s, flow_rate_60s),
    SUM("rx_bytes", BY_ALL, BY_ALL),
    SUM("tx_bytes", BY_ALL, BY_ALL),
    SUM("bytes", 0, 0),
    SUM("rx_calls", 0, BY_ALL),
    SUM("tx_calls", 0, BY_ALL),
    RATE("rx_wire_rate", 0, 0, flow_rx_wire_bytes_last, flow_rate_last),
    RATE("tx_wire_rate", 0, 0, flow_tx_wire_bytes_last, flow_rate_last),
    SUM("rx_wire_bytes", 0, 0),
    SUM("tx_wire_bytes", 0, 0),
    RATE("rx_packet_rate", 0, 0, flow_rx_packets_last, flow_rate_last),
    RATE("tx_packet_rate", 0, 0, flow_tx_packets_last, flow_rate_last),
    SUM("rx_packets", 0, 0),
    SUM("tx_packets", 0, 0),
    MADE("age_s", 0, BY_ALL, GROUP_MOST, NULL, NULL),
    MADE("last_s", 0, BY_ALL, GROUP_LEAST, NULL, NULL),
    MADE("flags", OF_PROCESS, BY_ALL, GROUP_AND, flow_flag_bits, flow_flag_words),
    MADE("sick", 0, 0, GROUP_OR, flow_ill_bits, cell_ills),
    TOP_AS("peer", BY_ALL & ~(BY_CONN | BY_PEER), BY_ALL, "top_peer", "TOP-PEER",
           "Other end of the socket with most traffic"),
    TOP_AS("process", OF_MANY, BY_ALL, "top_process", "TOP-PROCESS",
           "Process with most traffic through one socket"),
    TOP_AS("pid", OF_MANY, 0, "top_pid", "TOP-PID", "Its process id"),
    TOP("holders", BY_CONN, 0, 0),
};

/* The one process, socket or whatever a group has most of is not to change with every packet. */
static struct group_weight weigh(const struct view *view, uint32_t row)
{
    const struct flow *flow = &view->snapshot->flows[row];
    const struct traffic *recent = &flow->window[FLOW_10S];

    return (struct group_weight){.most = recent->rx_bytes + recent->tx_bytes,
                                 .then = flow->total.rx_bytes + flow->total.tx_bytes};
}

static struct group_column column_of(const struct group_source *source, uint32_t by)
{
    const struct column *flows = table_column(&table_flows, source->name);
    struct group_column made = {.column = *flows,
                                .how = source->how,
                                .part = source->part ? source->part : flows->get,
                                .whole = source->whole};

    made.column.flags &= ~(uint32_t)(COLUMN_TEXT | COLUMN_MACHINE);
    if (source->text & by)
        made.column.flags |= COLUMN_TEXT;
    if (source->machine & by)
        made.column.flags |= COLUMN_MACHINE;
    if (source->as) {
        made.column.needs &= ~(uint64_t)NEED_PEERS; /* it takes what is known */
        made.column.name = source->as;
        made.column.title = source->title;
        made.column.help = source->help;
    }
    return made;
}

/* --- the plan --- */

static const struct grouping_word *find_grouping(const char *word)
{
    static const char *const others[][2] = {
        {"proc", "process"}, {"connection", "conn"},   {"connections", "conn"},
        {"dst", "peer"},     {"peer_addr", "peer"},    {"interface", "iface"},
        {"dev", "iface"},    {"service_port", "port"}, {"uid", "user"},
        {"tid", "thread"},   {"pid", "process"},       {"protocol", "proto"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strcmp(word, others[i][0]) == 0)
            word = others[i][1];
    for (size_t i = 0; i < ARRAY_SIZE(groupings); i++)
        if (strcmp(word, groupings[i].word) == 0)
            return &groupings[i];
    return NULL;
}

bool flow_grouping_exists(const char *words)
{
    CLEANUP_FREE char *copy = strdup(words);
    char *rest = copy, *word;

    while (copy && (word = strsep(&rest, ","))) {
        word[strcspn(word, "/")] = '\0';
        if (!find_grouping(word))
            return false;
    }
    return true;
}

static int unknown_grouping(const char *word, struct buf *error)
{
    struct suggestion best = suggestion_for(word);

    for (size_t i = 0; i < ARRAY_SIZE(groupings); i++)
        suggestion_try(&best, groupings[i].word);
    buf_puts(error, "traffic cannot be shown by \"");
    buf_puts(error, word);
    buf_byte(error, '"');
    if (best.name) {
        buf_printf(error, ": did you mean %s?", best.name);
        return -EINVAL;
    }
    buf_byte(error, ':');
    for (size_t i = 0; i < ARRAY_SIZE(groupings); i++)
        buf_printf(error, " %s", groupings[i].word);
    return -EINVAL;
}

static bool has_key(const struct group_plan *plan, const struct column *column)
{
    for (uint32_t i = 0; i < plan->key_count; i++)
        if (plan->keys[i].column == column)
            return true;
    return false;
}

static int add_keys(struct group_plan *plan, char *word, uint32_t *by, struct buf *error)
{
    char *prefix = strchr(word, '/');
    const struct grouping_word *grouping;
    const struct column *keys[3];
    int r = 0;

    if (prefix)
        *prefix++ = '\0';
    grouping = find_grouping(word);
    if (!grouping)
        return unknown_grouping(word, error);
    keys[0] = grouping->hidden;
    for (size_t i = 0; i < 2; i++)
        keys[i + 1] = grouping->keys[i] ? table_column(&table_flows, grouping->keys[i]) : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(keys) && r == 0; i++)
        if (keys[i] && !has_key(plan, keys[i]))
            r = group_plan_key(plan, keys[i], prefix, error);
    *by |= grouping->by;
    return r;
}

static int add_columns(struct group_plan *plan, uint32_t by)
{
    struct group_column *columns =
        arena_alloc(&plan->arena, sizeof(*columns) * ARRAY_SIZE(sources));

    if (!columns)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
        if (sources[i].by & by) {
            columns[i] = column_of(&sources[i], by);
            group_plan_add(plan, &columns[i]);
        }
    return 0;
}

_Static_assert(ARRAY_SIZE(sources) <= GROUP_ADDED_MAX, "a group has room for all columns");

static const struct group_plan empty_plan = {
    .table = {.name = "traffic",
              .help = "Traffic, by process or whatever it is grouped by (nwho top)",
              .needs = NEED_FLOWS,
              .hint = "only what sends or receives while it is counted has a row",
              .row_count = group_rows,
              .identity = group_identity},
    .weigh = weigh,
    .once = flow_socket_key,
};

int flow_group_plan(const char *words, struct group_plan *ret_plan, struct buf *error)
{
    CLEANUP_FREE char *copy = strdup(words);
    char *rest = copy, *word;
    uint32_t by = 0;
    int r = copy ? 0 : -ENOMEM;

    *ret_plan = empty_plan;
    while (r == 0 && (word = strsep(&rest, ",")))
        r = add_keys(ret_plan, word, &by, error);
    if (r == 0)
        r = add_columns(ret_plan, by);
    if (r < 0)
        group_plan_done(ret_plan);
    return r;
}

int flow_group_all(struct group_plan *ret_plan)
{
    *ret_plan = empty_plan;
    return add_columns(ret_plan, BY_ALL);
}

void flow_group_past(struct group_plan *plan)
{
    static const char *const machine[] = {"time", "uid"};
    static const char *const both[] = {
        "proto", "service_port", "peer_addr", "iface",   "pid",     "user",     "process",
        "unit",  "netns",        "container", "rx_rate", "tx_rate", "rx_bytes", "tx_bytes"};

    for (uint32_t i = 0; i < plan->key_count; i++)
        if (plan->keys[i].column == &process_key)
            plan->keys[i].column = &past_process_key;
    for (uint32_t i = 0; i < plan->table.column_count; i++) {
        struct column *column = &plan->columns[i];

        column->flags &= ~(uint32_t)(COLUMN_TEXT | COLUMN_MACHINE);
        for (size_t k = 0; k < ARRAY_SIZE(machine); k++)
            if (strcmp(column->name, machine[k]) == 0)
                column->flags |= COLUMN_MACHINE;
        for (size_t k = 0; k < ARRAY_SIZE(both); k++)
            if (strcmp(column->name, both[k]) == 0)
                column->flags |= COLUMN_TEXT | COLUMN_MACHINE;
    }
}

void flow_group_keys(const struct group_plan *plan, struct query *query)
{
    for (uint32_t i = 0; i < plan->key_count; i++)
        query->columns[query->column_count++] = plan->keys[i].column;
}

void flow_group_sort(struct query *groups)
{
    static const char *const names[] = {"rate", "bytes"};

    if (groups->sort_count)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        groups->sort[groups->sort_count++] =
            (struct sort_key){.column = table_column(groups->table, names[i]), .descending = true};
}

/* --- what a group stands for --- */

/* What the key is called in a filter, and its value. */
static const struct column *key_column(const struct view *view, uint32_t row, uint32_t n,
                                       struct value *ret_value)
{
    static const struct {
        const struct column *key;
        const char *name;
    } others[] = {{&process_key, "pid"},
                  {&past_process_key, "pid"},
                  {&conn_key, "cookie"},
                  {&netns_key, "netns"}};
    const struct column *key = view->group->plan->keys[n].column;

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (key == others[i].key) {
            key = table_column(&table_flows, others[i].name);
            *ret_value = key->get(view, view->group->rows[row].top);
            return key;
        }
    *ret_value = group_key_cell(view, row, n);
    return key;
}

static void put_quoted(struct buf *out, const char *bytes, size_t length)
{
    buf_byte(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            buf_byte(out, '\\');
        buf_byte(out, bytes[i]);
    }
    buf_byte(out, '"');
}

/* False: what it is unknown of cannot be said. */
static bool put_unknown(struct buf *out, const struct column *column)
{
    buf_printf(out, "not %s ", column->name);
    if (strcmp(column->name, "proto") == 0)
        buf_puts(out, "tcp,udp,udplite,raw,icmp,sctp,dccp,mptcp");
    else if (column->kind == KIND_ADDRESS)
        buf_byte(out, '*');
    else
        buf_puts(out, value_kind_info(column->kind)->number ? ">= 0" : "~ \"\"");
    return column->kind != KIND_LIST;
}

static bool put_condition(struct buf *out, const struct column *column, const struct value *value)
{
    if (value->type == VALUE_NONE)
        return put_unknown(out, column);
    buf_printf(out, "%s = ", column->name);
    switch (value->type) {
    case VALUE_UINT:
        buf_uint(out, value->uint);
        return true;
    case VALUE_ADDRESS:
        buf_address(out, value->address.family, value->address.bytes);
        return true;
    case VALUE_STRING:
        if (column->kind == KIND_ADDRESS) /* a network */
            buf_put(out, value->string.bytes, value->string.length);
        else
            put_quoted(out, value->string.bytes, value->string.length);
        return memchr(value->string.bytes, '\0', value->string.length) == NULL;
    default:
        return false;
    }
}

/* What has no pid: processes that have ended are told apart by what is left of them. */
static bool put_without_pid(struct buf *out, const struct view *view, uint32_t flow)
{
    static const char *const left[] = {"process", "uid", "netns", "cgroup"};
    uint32_t flags = view->snapshot->flows[flow].flags;
    bool sayable = true;

    if (flags & FLOW_OTHER)
        buf_puts(out, " and flags ~ other");
    else if (!(flags & FLOW_EXITED))
        buf_puts(out, " and not (flags ~ other or flags ~ exited)");
    for (size_t i = 0; i < ARRAY_SIZE(left) && flags & FLOW_EXITED && sayable; i++) {
        const struct column *column = table_column(&table_flows, left[i]);
        struct value value = column->get(view, flow);

        buf_puts(out, " and ");
        sayable = put_condition(out, column, &value);
    }
    return sayable;
}

/* A socket that is not connected has a row for each peer. */
static void put_peer(struct buf *out, const struct flow *flow)
{
    if (!(flow->flags & FLOW_PEER))
        return;
    buf_puts(out, " and peer_addr = ");
    buf_address(out, flow->family, flow->peer.bytes);
    buf_printf(out, " and peer_port = %u", flow->peer_port);
}

bool flow_group_condition(const struct view *view, uint32_t row, struct buf *condition)
{
    const struct group_plan *plan = view->group->plan;
    uint32_t top = view->group->rows[row].top;
    bool sayable = true;

    for (uint32_t i = 0; i < plan->key_count && sayable; i++) {
        struct value value;
        const struct column *column = key_column(view, row, i, &value);

        if (i > 0)
            buf_puts(condition, " and ");
        sayable = put_condition(condition, column, &value);
        if (plan->keys[i].column == &conn_key)
            put_peer(condition, &view->snapshot->flows[top]);
        if (plan->keys[i].column == &process_key && value.type == VALUE_NONE)
            sayable = sayable && put_without_pid(condition, view, top);
    }
    return sayable;
}
