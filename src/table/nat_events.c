/* SPDX-License-Identifier: MIT */
/* The table of what happens to tracked connections: a row for each event of the kernel's. */
/* Row i is snapshot.conntracks[i]; its ends are the events at 2 i and behind it. */
#include "table/cells.h"
#include "table/events.h"
#include "table/nat_columns.h"

#define TEXT COLUMN_TEXT
#define MACHINE COLUMN_MACHINE
#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define COMPOSED (COLUMN_TEXT | COLUMN_COMPOSED)

static uint32_t end_row(uint32_t row, enum nat_role role)
{
    return row * NAT_ROLE_MAX + role;
}

static const struct event *get_end(const struct view *view, uint32_t row, enum nat_role role)
{
    return &view->snapshot->events[end_row(row, role)];
}

/* --- what, and when --- */

struct value nat_event_kind(const struct view *view, uint32_t row)
{
    unsigned int kind = get_end(view, row, NAT_CLIENT)->kind;

    return kind < TRACKED_KIND_MAX ? value_name(tracked_kinds[kind]) : value_none();
}

/* What both ends have. */
#define COMMON(get, event_get)                                                                     \
    struct value get(const struct view *view, uint32_t row)                                        \
    {                                                                                              \
        return event_get(view, end_row(row, NAT_CLIENT));                                          \
    }

COMMON(nat_event_verdict, event_verdict)
static COMMON(get_clock, event_clock) static COMMON(get_date, event_date) static COMMON(get_time,
                                                                                        event_time)

    /* By the kernel's own times, else since it was told to be new. */
    static struct value get_duration(const struct view *view, uint32_t row)
{
    const struct conntrack *entry = &view->snapshot->conntracks[row];
    const struct event *end = get_end(view, row, NAT_CLIENT);
    bool stamped = entry->has & CONNTRACK_HAS_START && entry->has & CONNTRACK_HAS_STOP;
    uint64_t start = stamped ? entry->start_ns : end->start_ns;
    uint64_t stop = stamped ? entry->stop_ns : end->time_ns;

    return cell_number(end->kind == TRACKED_FORGOTTEN && stop >= start &&
                           (stamped || end->has & EVENT_HAS_START),
                       (stop - start) / 1000);
}

/* --- who --- */

static bool has_process(const struct view *view, uint32_t row, enum nat_role role)
{
    return get_end(view, row, role)->has & EVENT_HAS_PROCESS;
}

/* The client, where its process is known; else the server. */
static uint32_t main_end(const struct view *view, uint32_t row)
{
    return end_row(row, has_process(view, row, NAT_CLIENT) ? NAT_CLIENT : NAT_SERVER);
}

#define MAIN(name)                                                                                 \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        return event_##name(view, main_end(view, row));                                            \
    }

MAIN(pid)
MAIN(process)
MAIN(unit)
MAIN(container)

static struct value get_owners(const struct view *view, uint32_t row)
{
    uint32_t count = has_process(view, row, NAT_CLIENT) + has_process(view, row, NAT_SERVER);

    return (struct value){.type = VALUE_LIST,
                          .list = {&table_nat_event_owners,
                                   has_process(view, row, NAT_CLIENT) ? end_row(row, NAT_CLIENT)
                                                                      : end_row(row, NAT_SERVER),
                                   count}};
}

/* Why nothing is known of an end; NULL: it is, or the end is elsewhere. */
static const char *end_note(const struct event *end)
{
    static const char *const words[PACKET_END_MAX] = {
        [PACKET_END_TIME_WAIT] = "time-wait",
        [PACKET_END_KERNEL] = "kernel",
        [PACKET_END_CLOSED_PORT] = "no socket",
        [PACKET_END_UNKNOWN] = "not known",
    };

    return end->has & EVENT_HAS_PROCESS || end->end >= PACKET_END_MAX ? NULL : words[end->end];
}

static struct value get_owner_note(const struct view *view, uint32_t row)
{
    const struct event *client = get_end(view, row, NAT_CLIENT),
                       *server = get_end(view, row, NAT_SERVER);
    const char *note = end_note(client) ? end_note(client) : end_note(server);

    if (has_process(view, row, NAT_CLIENT) || has_process(view, row, NAT_SERVER))
        return value_none();
    return value_name(note ? note : "forwarded");
}

/* "curl(12) > nginx(34) listener": who asks whom; "?": here, but not known. */
static struct value get_owner(const struct view *view, uint32_t row)
{
    struct buf *text = view->scratch;

    buf_reset(text);
    for (enum nat_role role = 0; role < NAT_ROLE_MAX; role++) {
        const struct event *end = get_end(view, row, role);
        const char *note = end_note(end);

        if (end->end == PACKET_END_ELSEWHERE)
            continue;
        buf_puts(text, text->length ? " > " : "");
        if (!event_put_owner(view, end_row(row, role)))
            buf_puts(text, end->end == PACKET_END_UNKNOWN || !note ? "?" : note);
    }
    buf_puts(text, text->length ? "" : "(forwarded)");
    return cell_scratch(view, 0);
}

/* --- the tables --- */

/* name, title, help, kind, flags, needs, getter */
static const struct column columns[] = {
    {"date", "DATE", "Local date", KIND_TEXT, COLUMN_COMPOSED, 0, get_date},
    {"clock", "TIME", "Local time of day", KIND_TEXT, COMPOSED, 0, get_clock},
    {"time", "TIME",
     "When it happened, in UTC (RFC 3339); when it was read, where the kernel does not tell "
     "(nf_conntrack_timestamp)",
     KIND_TEXT, MACHINE | COLUMN_KEY, 0, get_time},
    {"event", "EVENT", "new; changed: its state, its mark; forgotten", KIND_NAME, SHOWN, 0,
     nat_event_kind},
    {"proto", "PROTO", "Protocol", KIND_NAME, SHOWN, 0, nat_proto},
    {"family", "FAMILY", "Address family", KIND_NAME, MACHINE, 0, nat_family},
    {"state", "STATE", "State as the kernel follows it; of one that is forgotten the last one",
     KIND_NAME, SHOWN, 0, nat_state},
    {"verdict", "VERDICT",
     "How it ended: ok, reset; timed-out: no answer, or nothing more came; aborted: by a program",
     KIND_NAME, SHOWN, 0, nat_event_verdict},
    {"owner", "PROCESS",
     "Processes at its ends (client > server where both are here); ?: not known", KIND_TEXT,
     COMPOSED | COLUMN_OWNER, 0, get_owner},
    NAT_SIDE_COLUMNS,
    {"orig_bytes", "ORIG",
     "Bytes of the side that began, with all headers of IP (nf_conntrack_acct)", KIND_BYTES,
     SHOWN | COLUMN_MINOR, 0, nat_orig_bytes},
    {"reply_bytes", "REPLY", "Those of the other side", KIND_BYTES, SHOWN | COLUMN_MINOR, 0,
     nat_reply_bytes},
    {"orig_packets", "ORIG-PKTS", "Packets of the side that began (nf_conntrack_acct)", KIND_COUNT,
     MACHINE, 0, nat_orig_packets},
    {"reply_packets", "REPLY-PKTS", "Those of the other side", KIND_COUNT, MACHINE, 0,
     nat_reply_packets},
    {"duration_us", "DURATION",
     "How long it lasted (nf_conntrack_timestamp), or since it was told to be new",
     KIND_MICROSECONDS, SHOWN | COLUMN_MINOR, 0, get_duration},
    {"timeout_s", "LEFT", "Time until it is forgotten, if no packet comes", KIND_SECONDS, MACHINE,
     0, nat_timeout},
    {"role", "ROLE", "Which end is a socket of this machine: client, server, both, none", KIND_NAME,
     MACHINE, 0, nat_role},
    {"pid", "PID", "Process of the client's end, else of the server's", KIND_ID, MACHINE, 0,
     get_pid},
    {"process", "PROCESS", "Its name", KIND_TEXT, MACHINE, 0, get_process},
    {"unit", "UNIT", "Its systemd unit (cgroup v2)", KIND_TEXT, 0, NEED_CGROUP, get_unit},
    {"container", "CONTAINER", "Its container (cgroup v2)", KIND_TEXT, 0, NEED_CGROUP,
     get_container},
    {"owners", "OWNERS", "The processes of both ends", KIND_LIST, MACHINE, 0, get_owners},
    {"owner_note", "OWNER-NOTE", "Why there is none: forwarded, kernel, no socket, not known",
     KIND_TEXT, MACHINE, 0, get_owner_note},
    {"flags", "FLAGS", "As of the table nat", KIND_TEXT, MACHINE, 0, nat_flags},
    NAT_ENTRY_COLUMNS,
    {"netns", "NETNS", "Network namespace whose table it is in: its name, init, or its inode",
     KIND_TEXT, MACHINE | COLUMN_KEY, 0, nat_netns},
};

static uint32_t row_count(const struct view *view)
{
    uint32_t pairs = view->snapshot->events_count / NAT_ROLE_MAX;
    uint32_t entries = view->snapshot->conntracks_count;

    return pairs < entries ? pairs : entries; /* a recording may have anything */
}

static uint32_t row_netns(const struct view *view, uint32_t row)
{
    return view->snapshot->conntracks[row].netns;
}

static const char *const words[] = {"process", "event", "verdict", "state", "proto", NULL};

const struct table table_nat_events = {
    .name = "nat_events",
    .help = "What happens to tracked connections: new, changed, forgotten, and by whom they were",
    .needs = NEED_EVENTS,
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .words = words,
    .words_are = "a process, an event, a verdict, a state or a protocol",
    .fixed_words = event_words,
    .owners = &table_nat_event_owners,
    .row_count = row_count,
    .netns = row_netns,
};

static struct value get_role(const struct view *view, uint32_t row)
{
    (void)view;
    return value_name(row % NAT_ROLE_MAX == NAT_CLIENT ? "client" : "server");
}

static const struct column owner_columns[] = {
    {"role", "ROLE", "client, server", KIND_NAME, SHOWN, 0, get_role},
    {"pid", "PID", "Process id", KIND_ID, SHOWN | COLUMN_KEY, 0, event_pid},
    {"process", "PROCESS", "Name of the process", KIND_TEXT, SHOWN, 0, event_process},
    {"owner_source", "OWNER-SOURCE",
     "user; listener: nobody else has used the connection that came in yet", KIND_NAME, MACHINE, 0,
     event_owner_source},
    {"ppid", "PPID", "Parent of the process", KIND_ID, MACHINE, 0, event_ppid},
    {"parent", "PARENT", "Name of its parent", KIND_TEXT, MACHINE, 0, event_parent},
    {"user", "USER", "User of the process", KIND_TEXT, MACHINE, 0, event_user},
    {"unit", "UNIT", "systemd unit (cgroup v2)", KIND_TEXT, 0, NEED_CGROUP, event_unit},
    {"container", "CONTAINER", "Container (cgroup v2)", KIND_TEXT, 0, NEED_CGROUP, event_container},
    {"cookie", "COOKIE", "Cookie of the socket (SO_COOKIE)", KIND_ID, MACHINE, 0, event_cookie},
    {"netns", "NETNS", "Network namespace of the socket", KIND_TEXT, MACHINE, 0, event_netns},
};

static uint32_t owner_count(const struct view *view)
{
    return view->snapshot->events_count;
}

const struct table table_nat_event_owners = {
    .name = "nat_event_owners",
    .help = "Processes at the ends of a tracked connection: elements of the owners of nat_events",
    .needs = NEED_EVENTS,
    .columns = owner_columns,
    .column_count = ARRAY_SIZE(owner_columns),
    .row_count = owner_count,
};
