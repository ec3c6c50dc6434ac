/* SPDX-License-Identifier: MIT */
/* The tables of the fleet: what a server says of many hosts. */
#include "model/fleet.h"
#include "base/buf.h"
#include "base/hash.h"
#include "table/cells.h"

static const struct fleet_row *get_row(const struct view *view, uint32_t row)
{
    return &view->fleet->rows[row];
}

static struct value get_host(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->host);
}

static struct value get_process(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->process);
}

static struct value get_user(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->user);
}

static struct value get_service(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->service);
}

static struct value get_check(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->check);
}

static struct value get_severity(const struct view *view, uint32_t row)
{
    return cell_string(view, get_row(view, row)->severity);
}

static struct value get_port(const struct view *view, uint32_t row)
{
    return cell_number(get_row(view, row)->port, get_row(view, row)->port);
}

static struct value get_time(const struct view *view, uint32_t row)
{
    uint64_t until_ns = get_row(view, row)->until_ns;

    if (!until_ns)
        return value_none();
    buf_reset(view->scratch);
    buf_utc(view->scratch, until_ns, 0);
    return cell_scratch(view, 0);
}

static struct value get_number(const struct view *view, uint32_t row, enum fleet_value value)
{
    return cell_number(get_row(view, row)->has & 1u << value, get_row(view, row)->values[value]);
}

static struct value get_received(const struct view *view, uint32_t row)
{
    return get_number(view, row, FLEET_RECEIVED);
}

static struct value get_sent(const struct view *view, uint32_t row)
{
    return get_number(view, row, FLEET_SENT);
}

static struct value get_established(const struct view *view, uint32_t row)
{
    return get_number(view, row, FLEET_ESTABLISHED);
}

static struct value get_close_wait(const struct view *view, uint32_t row)
{
    return get_number(view, row, FLEET_CLOSE_WAIT);
}

static struct value get_waiting(const struct view *view, uint32_t row)
{
    return get_number(view, row, FLEET_WAITING);
}

static struct value get_backlog(const struct view *view, uint32_t row)
{
    return get_number(view, row, FLEET_BACKLOG);
}

static struct value get_findings(const struct view *view, uint32_t row)
{
    return get_number(view, row, FLEET_FINDINGS);
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)
#define NAME(name, title, help, get)                                                               \
    {                                                                                              \
        name, title, help, KIND_TEXT, SHOWN | COLUMN_KEY, 0, get                                   \
    }
#define HOST NAME("host", "HOST", "What the server calls the host: its label instance", get_host)
#define PROCESS NAME("process", "PROCESS", "Program, or _other: those without room", get_process)
#define USER NAME("user", "USER", "Whose process it is", get_user)
#define SERVICE NAME("service", "SERVICE", "Its unit, or its container", get_service)

static const struct column top_columns[] = {
    HOST,
    PROCESS,
    USER,
    SERVICE,
    {"rx_rate", "RX/s", "Payload received a second", KIND_BYTES_PER_SECOND, SHOWN, 0, get_received},
    {"tx_rate", "TX/s", "Payload sent a second", KIND_BYTES_PER_SECOND, SHOWN, 0, get_sent},
    {"established", "ESTAB", "TCP connections that are held", KIND_COUNT, SHOWN, 0,
     get_established},
    {"close_wait", "CLOSE-WAIT", "Those that the peer has closed", KIND_COUNT, SHOWN, 0,
     get_close_wait},
};

static const struct column ports_columns[] = {
    HOST,
    {"local_port", "TCP-PORT", "TCP port that is listened at", KIND_PORT, SHOWN | COLUMN_KEY, 0,
     get_port},
    PROCESS,
    USER,
    SERVICE,
    {"recv_q", "RECV-Q", "Connections that wait to be accepted", KIND_COUNT, SHOWN, 0, get_waiting},
    {"send_q", "SEND-Q", "How many may wait", KIND_COUNT, SHOWN, 0, get_backlog},
};

static const struct column findings_columns[] = {
    NAME("severity", "SEVERITY", "warn or crit", get_severity),
    HOST,
    NAME("check", "CHECK", "What was looked for: nwho doctor --list", get_check),
    {"findings", "FINDINGS", "How many there are", KIND_COUNT, SHOWN, 0, get_findings},
};

static const struct column history_columns[] = {
    {"time", "TIME", "End of the time that the row is about, with --every", KIND_TEXT,
     SHOWN | COLUMN_KEY, 0, get_time},
    HOST,
    PROCESS,
    USER,
    SERVICE,
    {"rx_bytes", "RX", "Payload received", KIND_BYTES, SHOWN, 0, get_received},
    {"tx_bytes", "TX", "Payload sent", KIND_BYTES, SHOWN, 0, get_sent},
};

static uint32_t row_count(const struct view *view)
{
    return view->fleet ? view->fleet->count : 0;
}

static uint64_t row_identity(const struct view *view, uint32_t row)
{
    const struct fleet_row *names = get_row(view, row);
    const uint32_t strings[] = {names->host,    names->process, names->user,
                                names->service, names->check,   names->severity};
    uint64_t hash = hash_number(hash_number(HASH_INIT, names->port), names->until_ns);

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        size_t length;
        const char *bytes = snapshot_string(view->snapshot, strings[i], &length);

        hash = hash_number(hash_bytes(hash, bytes, length), length);
    }
    return hash;
}

/* What moves most comes first; of a series each time. */
static uint64_t traffic_order(const struct view *view, uint32_t row)
{
    const struct fleet_row *moved = get_row(view, row);

    return UINT64_MAX - moved->values[FLEET_RECEIVED] - moved->values[FLEET_SENT];
}

static uint64_t history_order(const struct view *view, uint32_t row)
{
    uint64_t until_ns = get_row(view, row)->until_ns;

    return until_ns ? until_ns : traffic_order(view, row);
}

static uint64_t ports_order(const struct view *view, uint32_t row)
{
    return get_row(view, row)->port;
}

/* "crit" comes before "warn". */
static uint64_t findings_order(const struct view *view, uint32_t row)
{
    const char *severity = snapshot_string(view->snapshot, get_row(view, row)->severity, NULL);

    return (uint64_t)(unsigned char)*severity;
}

static const char *const words[] = {"host", "process", "service", NULL};
static const char *const finding_words[] = {"host", "check", NULL};

#define FLEET_TABLE(id, columns_of, order_by, words_of, words_name, what)                          \
    const struct table table_##id = {                                                              \
        .name = #id,                                                                               \
        .help = what,                                                                              \
        .columns = columns_of,                                                                     \
        .column_count = ARRAY_SIZE(columns_of),                                                    \
        .words = words_of,                                                                         \
        .words_are_parts = true,                                                                   \
        .words_are = words_name,                                                                   \
        .row_count = row_count,                                                                    \
        .order = order_by,                                                                         \
        .identity = row_identity,                                                                  \
    }

FLEET_TABLE(fleet_top, top_columns, traffic_order, words, "part of a host, a process or a service",
            "Who uses the network of many hosts (nwho fleet top)");
FLEET_TABLE(fleet_ports, ports_columns, ports_order, words,
            "part of a host, a process or a service", "Who listens where (nwho fleet ports)");
FLEET_TABLE(fleet_findings, findings_columns, findings_order, finding_words,
            "part of a host or a check", "What is wrong with many hosts (nwho fleet doctor)");
FLEET_TABLE(fleet_history, history_columns, history_order, words,
            "part of a host, a process or a service",
            "Who used the network of many hosts then (nwho fleet history)");
