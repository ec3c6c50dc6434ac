/* SPDX-License-Identifier: MIT */
/* The table of events: one row for each thing that happened to a connection, in order of time. */
#include "table/events.h"

#include "base/buf.h"
#include "base/format.h"
#include "table/cells.h"
#include "table/nat_cells.h"

#include <sys/socket.h>
#include <time.h>

#define NS_PER_SECOND UINT64_C(1000000000)

static const struct event *get_event(const struct view *view, uint32_t row)
{
    return &view->snapshot->events[row];
}

/* --- words --- */

const char *const event_kinds[EVENT_KIND_MAX] = {
    [EVENT_OPENED] = "opened",
    [EVENT_ACCEPTED] = "accepted",
    [EVENT_CLOSED] = "closed",
    [EVENT_RETRANSMITTED] = "retransmitted",
};

const char *const tracked_kinds[TRACKED_KIND_MAX] = {
    [TRACKED_NEW] = "new",
    [TRACKED_CHANGED] = "changed",
    [TRACKED_FORGOTTEN] = "forgotten",
};

static const char *const verdicts[EVENT_VERDICT_MAX] = {
    [EVENT_CLOSED_NORMALLY] = "ok",
    [EVENT_REFUSED] = "refused",
    [EVENT_RESET] = "reset",
    [EVENT_TIMED_OUT] = "timed-out",
    [EVENT_UNREACHABLE] = "unreachable",
    [EVENT_ABORTED] = "aborted",
};

static const char *const sides[EVENT_SIDE_MAX] = {
    [EVENT_SIDE_LOCAL] = "us",
    [EVENT_SIDE_PEER] = "peer",
};

static const char *const directions[EVENT_DIRECTION_MAX] = {
    [EVENT_OUT] = "out",
    [EVENT_IN] = "in",
};

static const char *const owner_kinds[EVENT_OWNER_KIND_MAX] = {
    [EVENT_OWNED_BY_LISTENER] = "listener", [EVENT_OWNED_BY_HOLDER] = "holder",
    [EVENT_OWNED_BY_CLOSER] = "closer",     [EVENT_OWNED_BY_USER] = "user",
    [EVENT_OWNED_BY_KERNEL] = "kernel",
};

static struct value word(const char *const *names, size_t count, unsigned int number)
{
    return number < count && names[number] ? value_name(names[number]) : value_none();
}

#define WORD_COLUMN(name, names, field)                                                            \
    struct value event_##name(const struct view *view, uint32_t row)                               \
    {                                                                                              \
        return word(names, ARRAY_SIZE(names), get_event(view, row)->field);                        \
    }

WORD_COLUMN(kind, event_kinds, kind)
WORD_COLUMN(verdict, verdicts, verdict)
WORD_COLUMN(ended_by, sides, ended_by)
WORD_COLUMN(direction, directions, direction)
WORD_COLUMN(owner_source, owner_kinds, owned_by)

const char *const *event_words(const struct column *column, size_t *ret_count)
{
    static const struct {
        column_get_fn *get;
        const char *const *words;
        size_t count;
    } sets[] = {
        {event_kind, event_kinds, ARRAY_SIZE(event_kinds)},
        {event_verdict, verdicts, ARRAY_SIZE(verdicts)},
        {event_ended_by, sides, ARRAY_SIZE(sides)},
        {event_direction, directions, ARRAY_SIZE(directions)},
        {event_owner_source, owner_kinds, ARRAY_SIZE(owner_kinds)},
        {nat_event_kind, tracked_kinds, ARRAY_SIZE(tracked_kinds)},
        {nat_event_verdict, verdicts, ARRAY_SIZE(verdicts)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
        if (sets[i].get == column->get) {
            *ret_count = sets[i].count;
            return sets[i].words;
        }
    *ret_count = 0;
    return NULL;
}

/* --- when --- */

/* The snapshot knows one moment by both clocks. */
static uint64_t wall_ns(const struct view *view, uint32_t row)
{
    const struct snapshot *snapshot = view->snapshot;

    return snapshot->time_ns - (snapshot->boot_ns - get_event(view, row)->time_ns);
}

struct value event_clock(const struct view *view, uint32_t row)
{
    uint64_t ns = wall_ns(view, row);
    time_t seconds = (time_t)(ns / NS_PER_SECOND);
    char text[FORMAT_UTC_MAX];
    struct tm tm = {0};

    localtime_r(&seconds, &tm);
    buf_reset(view->scratch);
    buf_put(view->scratch, text, (size_t)(format_clock(text, &tm, ns, 3) - text));
    return cell_scratch(view, 0);
}

struct value event_date(const struct view *view, uint32_t row)
{
    time_t seconds = (time_t)(wall_ns(view, row) / NS_PER_SECOND);
    struct tm tm = {0};
    char text[32] = "";

    localtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%F", &tm);
    buf_reset(view->scratch);
    buf_puts(view->scratch, text);
    return cell_scratch(view, 0);
}

struct value event_time(const struct view *view, uint32_t row)
{
    buf_reset(view->scratch);
    buf_utc(view->scratch, wall_ns(view, row), 6);
    return cell_scratch(view, 0);
}

static struct value get_duration(const struct view *view, uint32_t row)
{
    const struct event *event = get_event(view, row);
    bool over = event->kind == EVENT_CLOSED && event->has & EVENT_HAS_START;

    return cell_number(over && event->time_ns >= event->start_ns,
                       (event->time_ns - event->start_ns) / 1000);
}

static struct value get_error(const struct view *view, uint32_t row)
{
    const struct event *event = get_event(view, row);

    return cell_number(event->has & EVENT_HAS_ERROR && event->error, event->error);
}

/* --- who --- */

static bool has(const struct view *view, uint32_t row, uint32_t bit)
{
    return get_event(view, row)->has & bit;
}

struct value event_pid(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, EVENT_HAS_PROCESS), get_event(view, row)->pid);
}

struct value event_process(const struct view *view, uint32_t row)
{
    return has(view, row, EVENT_HAS_PROCESS) ? cell_string(view, get_event(view, row)->comm)
                                             : value_none();
}

struct value event_ppid(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, EVENT_HAS_PARENT), get_event(view, row)->ppid);
}

struct value event_parent(const struct view *view, uint32_t row)
{
    return has(view, row, EVENT_HAS_PARENT) ? cell_string(view, get_event(view, row)->parent)
                                            : value_none();
}

struct value event_uid(const struct view *view, uint32_t row)
{
    return cell_number(has(view, row, EVENT_HAS_UID), get_event(view, row)->uid);
}

struct value event_user(const struct view *view, uint32_t row)
{
    return cell_user(view, has(view, row, EVENT_HAS_UID), get_event(view, row)->uid);
}

static uint32_t cgroup_of(const struct view *view, uint32_t row)
{
    return snapshot_process_cgroup(view->snapshot, get_event(view, row)->cgroup_id);
}

struct value event_cgroup(const struct view *view, uint32_t row)
{
    return cell_string(view, cgroup_of(view, row));
}

struct value event_unit(const struct view *view, uint32_t row)
{
    return cell_unit(view, cgroup_of(view, row));
}

struct value event_container(const struct view *view, uint32_t row)
{
    return cell_container(view, cgroup_of(view, row));
}

/* "curl(123)", "nginx(123) listener" */
static void put_named(const struct view *view, uint32_t comm, uint32_t pid, const char *what)
{
    size_t length;
    const char *bytes = snapshot_string(view->snapshot, comm, &length);

    buf_put(view->scratch, bytes, length);
    buf_byte(view->scratch, '(');
    buf_uint(view->scratch, pid);
    buf_byte(view->scratch, ')');
    if (what)
        buf_printf(view->scratch, " %s", what);
}

/* Who holds the listener need not be who has the connection: that is said. */
bool event_put_owner(const struct view *view, uint32_t row)
{
    const struct event *event = get_event(view, row);

    if (event->owned_by == EVENT_OWNED_BY_KERNEL)
        buf_puts(view->scratch, "(kernel)");
    else if (event->has & EVENT_HAS_PROCESS)
        put_named(view, event->comm, event->pid,
                  event->owned_by == EVENT_OWNED_BY_LISTENER ? owner_kinds[event->owned_by] : NULL);
    else
        return false;
    return true;
}

static struct value get_owner(const struct view *view, uint32_t row)
{
    buf_reset(view->scratch);
    return event_put_owner(view, row) ? cell_scratch(view, 0) : value_none();
}

static struct value get_started_by(const struct view *view, uint32_t row)
{
    const struct event *event = get_event(view, row);

    if (!(event->has & EVENT_HAS_PARENT))
        return value_none();
    buf_reset(view->scratch);
    put_named(view, event->parent, event->ppid, NULL);
    return cell_scratch(view, 0);
}

/* --- how much --- */

#define NUMBER_COLUMN(name, bit)                                                                   \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return cell_number(has(view, row, bit), get_event(view, row)->name);                       \
    }

NUMBER_COLUMN(rx_bytes, EVENT_HAS_BYTES)
NUMBER_COLUMN(tx_bytes, EVENT_HAS_BYTES)
NUMBER_COLUMN(handshake_us, EVENT_HAS_HANDSHAKE)
NUMBER_COLUMN(rtt_us, EVENT_HAS_RTT)
NUMBER_COLUMN(retransmits, EVENT_HAS_RETRANSMITS)

/* --- with whom --- */

static struct value address_value(const struct event *event, const union address *address)
{
    if (event->family != AF_INET && event->family != AF_INET6)
        return value_none();
    return (struct value){.type = VALUE_ADDRESS, .address = {address->bytes, event->family}};
}

static struct value end_text(const struct view *view, const struct event *event, bool local)
{
    struct value value = address_value(event, local ? &event->local : &event->peer);
    const char *name = NULL;
    bool v6 = event->family == AF_INET6;

    if (value.type == VALUE_NONE)
        return value;
    if (view->resolve)
        name = view->resolve(view->resolve_context, &value);
    buf_reset(view->scratch);
    if (name) {
        buf_puts(view->scratch, name);
    } else {
        buf_puts(view->scratch, v6 ? "[" : "");
        buf_address(view->scratch, event->family, value.address.bytes);
        buf_puts(view->scratch, v6 ? "]" : "");
    }
    buf_byte(view->scratch, ':');
    buf_uint(view->scratch, local ? event->local_port : event->peer_port);
    return cell_scratch(view, 0);
}

static struct value get_local(const struct view *view, uint32_t row)
{
    return end_text(view, get_event(view, row), true);
}

static struct value get_peer(const struct view *view, uint32_t row)
{
    return end_text(view, get_event(view, row), false);
}

static struct value get_local_addr(const struct view *view, uint32_t row)
{
    return address_value(get_event(view, row), &get_event(view, row)->local);
}

static struct value get_peer_addr(const struct view *view, uint32_t row)
{
    return address_value(get_event(view, row), &get_event(view, row)->peer);
}

static struct value get_local_port(const struct view *view, uint32_t row)
{
    return value_uint(get_event(view, row)->local_port);
}

static struct value get_peer_port(const struct view *view, uint32_t row)
{
    return value_uint(get_event(view, row)->peer_port);
}

static struct value get_proto(const struct view *view, uint32_t row)
{
    return value_name(socket_proto_name(get_event(view, row)->proto));
}

static struct value get_family(const struct view *view, uint32_t row)
{
    return value_name(socket_family_name(get_event(view, row)->family));
}

struct value event_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_event(view, row)->netns);
}

static struct value get_netns_inode(const struct view *view, uint32_t row)
{
    uint32_t netns = get_event(view, row)->netns;

    return cell_number(netns < view->snapshot->netns_count, netns < view->snapshot->netns_count
                                                                ? view->snapshot->netns[netns].inode
                                                                : 0);
}

struct value event_cookie(const struct view *view, uint32_t row)
{
    return value_uint(get_event(view, row)->cookie);
}

#define TEXT COLUMN_TEXT
#define MACHINE COLUMN_MACHINE
#define COMPOSED COLUMN_COMPOSED
#define MINOR COLUMN_MINOR

/* name, title, help, kind, flags, needs, getter */
static const struct column columns[] = {
    {"date", "DATE", "Local date", KIND_TEXT, COMPOSED, 0, event_date},
    {"clock", "TIME", "Local time of day", KIND_TEXT, TEXT | COMPOSED, 0, event_clock},
    {"time", "TIME", "When it happened, in UTC (RFC 3339)", KIND_TEXT, MACHINE | COLUMN_KEY, 0,
     event_time},
    {"event", "EVENT", "opened, accepted, closed, retransmitted", KIND_NAME, TEXT | MACHINE, 0,
     event_kind},
    {"verdict", "VERDICT",
     "How it ended: ok, refused, reset, timed-out, unreachable, aborted; unknown where it goes on",
     KIND_NAME, TEXT | MACHINE, 0, event_verdict},
    {"owner", "PROCESS", "Process, its pid, and whether it is only known to hold the listener",
     KIND_TEXT, TEXT | COMPOSED | COLUMN_OWNER, 0, get_owner},
    {"pid", "PID", "Process that connected, or was the first to use the connection that came in",
     KIND_ID, MACHINE, 0, event_pid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, MACHINE, 0, event_process},
    {"ppid", "PPID", "Parent of the process", KIND_ID, MACHINE, 0, event_ppid},
    {"parent", "PARENT", "Name of its parent", KIND_TEXT, MACHINE, 0, event_parent},
    {"owner_source", "OWNER-SOURCE",
     "What the process has to do with it: user, closer, holder, listener (which may have given it "
     "to another process), kernel",
     KIND_NAME, MACHINE, 0, event_owner_source},
    {"uid", "UID", "User id of the process, else of the socket", KIND_ID, MACHINE, 0, event_uid},
    {"unit", "UNIT", "systemd unit of the process (cgroup v2)", KIND_TEXT, MACHINE, NEED_CGROUP,
     event_unit},
    {"container", "CONTAINER", "Container of the process (cgroup v2)", KIND_TEXT, MACHINE,
     NEED_CGROUP, event_container},
    {"cgroup", "CGROUP", "Control group of the process (cgroup v2)", KIND_TEXT, 0, NEED_CGROUP,
     event_cgroup},
    {"direction", "DIR", "out: we connected; in: we were connected to", KIND_NAME, MACHINE, 0,
     event_direction},
    {"proto", "PROTO", "Protocol", KIND_NAME, MACHINE, 0, get_proto},
    {"family", "FAMILY", "Address family", KIND_NAME, 0, 0, get_family},
    {"local", "LOCAL", "Own address and port", KIND_ENDPOINT, TEXT | COMPOSED | MINOR, 0,
     get_local},
    {"peer", "PEER", "Address and port of the other end", KIND_ENDPOINT, TEXT | COMPOSED, 0,
     get_peer},
    {"local_addr", "LOCAL-ADDR", "Own address", KIND_ADDRESS, MACHINE, 0, get_local_addr},
    {"local_port", "LPORT", "Own port", KIND_PORT, MACHINE, 0, get_local_port},
    {"peer_addr", "PEER-ADDR", "Address of the other end", KIND_ADDRESS, MACHINE, 0, get_peer_addr},
    {"peer_port", "PPORT", "Port of the other end", KIND_PORT, MACHINE, 0, get_peer_port},
    {"rx_bytes", "RX", "Payload that arrived", KIND_BYTES, TEXT | MACHINE | MINOR, 0, get_rx_bytes},
    {"tx_bytes", "TX", "Payload that was sent, each byte once", KIND_BYTES, TEXT | MACHINE | MINOR,
     0, get_tx_bytes},
    {"duration_us", "DURATION", "From connect() or acceptance to the end", KIND_MICROSECONDS,
     TEXT | MACHINE | MINOR, 0, get_duration},
    {"ended_by", "BY", "Who closed first, or reset: us, peer", KIND_NAME, TEXT | MACHINE | MINOR, 0,
     event_ended_by},
    {"user", "USER", "User of the process, else of the socket", KIND_TEXT, TEXT | MACHINE | MINOR,
     0, event_user},
    {"started_by", "PARENT", "Its parent process and that one's pid", KIND_TEXT,
     TEXT | COMPOSED | MINOR, 0, get_started_by},
    {"handshake_us", "HANDSHAKE", "From the first SYN, or our answer to it, to established",
     KIND_MICROSECONDS, TEXT | MACHINE | MINOR, 0, get_handshake_us},
    {"rtt_us", "RTT", "Smoothed round trip time at that moment", KIND_MICROSECONDS,
     TEXT | MACHINE | MINOR, 0, get_rtt_us},
    {"retrans", "RETRANS", "Segments that were sent again, so far", KIND_COUNT,
     TEXT | MACHINE | MINOR, 0, get_retransmits},
    {"error", "ERROR", "Error number of the socket (errno) at its end", KIND_ID, MACHINE, 0,
     get_error},
    {"netns", "NETNS", "Network namespace: its name, init, or its inode", KIND_TEXT, MACHINE, 0,
     event_netns},
    {"netns_inode", "NETNS-INO", "Inode of the network namespace", KIND_ID, 0, 0, get_netns_inode},
    {"cookie", "COOKIE", "Cookie of the socket (SO_COOKIE): the same in all events of a connection",
     KIND_ID, MACHINE | COLUMN_KEY, 0, event_cookie},
};

static uint32_t row_netns(const struct view *view, uint32_t row)
{
    return get_event(view, row)->netns;
}

static uint32_t row_count(const struct view *view)
{
    return view->snapshot->events_count;
}

static const char *const words[] = {"process", "event", "verdict", "direction", NULL};

const struct table table_events = {
    .name = "events",
    .help = "What happens to TCP connections: opened, accepted, closed and how",
    .needs = NEED_EVENTS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "a process, an event, a verdict or a direction",
    .fixed_words = event_words,
    .row_count = row_count,
    .netns = row_netns,
};
