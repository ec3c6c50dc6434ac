/* SPDX-License-Identifier: MIT */
/* The table of findings: one row for each thing that the doctor found wrong; and the tables of the
 * lists in them, evidence and advice. */
#include "table/finding_text.h"

#include "table/cells.h"
#include "table/socket_text.h"

static const struct finding *get_finding(const struct view *view, uint32_t row)
{
    return &view->findings->items[row];
}

static struct value get_check(const struct view *view, uint32_t row)
{
    return value_name(get_finding(view, row)->check->name);
}

static struct value get_severity(const struct view *view, uint32_t row)
{
    return value_name(severity_name(get_finding(view, row)->severity));
}

static struct value get_what(const struct view *view, uint32_t row)
{
    return value_name(get_finding(view, row)->what);
}

static struct value get_cause(const struct view *view, uint32_t row)
{
    const struct finding *finding = get_finding(view, row);

    buf_reset(view->scratch);
    finding_expand(view, finding, finding->advice->cause, untranslated, view->scratch);
    return cell_scratch(view, 0);
}

static struct value get_netns(const struct view *view, uint32_t row)
{
    return netns_label(view, get_finding(view, row)->subject.netns);
}

#define PROCESS_COLUMN(name)                                                                       \
    static struct value get_##name(const struct view *view, uint32_t row)                          \
    {                                                                                              \
        uint32_t process = get_finding(view, row)->subject.process;                                \
                                                                                                   \
        return process == HEALTH_NONE ? value_none() : process_##name(view, process);              \
    }

PROCESS_COLUMN(pid)
PROCESS_COLUMN(comm)
PROCESS_COLUMN(user)
PROCESS_COLUMN(unit)
PROCESS_COLUMN(container)

static struct value get_local(const struct view *view, uint32_t row)
{
    uint32_t socket = get_finding(view, row)->subject.socket;

    return socket == HEALTH_NONE ? value_none() : socket_local_text(view, socket);
}

static struct value get_peer(const struct view *view, uint32_t row)
{
    const struct finding *finding = get_finding(view, row);

    if (!finding->subject.peer_family)
        return value_none();
    buf_reset(view->scratch);
    finding_expand(view, finding, "{peer}", untranslated, view->scratch);
    return cell_scratch(view, 0);
}

static struct value get_peer_port(const struct view *view, uint32_t row)
{
    uint16_t port = get_finding(view, row)->subject.peer_port;

    return cell_number(port, port);
}

static struct value get_iface(const struct view *view, uint32_t row)
{
    uint32_t interface = get_finding(view, row)->subject.interface;

    return interface == HEALTH_NONE ? value_none()
                                    : cell_string(view, view->snapshot->interfaces[interface].name);
}

static struct value get_evidence(const struct view *view, uint32_t row)
{
    const struct finding *finding = get_finding(view, row);

    return (struct value){
        .type = VALUE_LIST,
        .list = {&table_evidence, finding->evidence, finding->evidence_count},
    };
}

/* --- advice: rows are (finding, part, text) --- */

#define ROWS_OF_FINDING (ADVICE_PART_MAX * CHECK_TEXTS_MAX)

static struct value get_advice(const struct view *view, uint32_t row, enum advice_part part)
{
    struct value value = {.type = VALUE_LIST, .list = {.table = &table_advice}};

    finding_advice(get_finding(view, row), part, &value.list.count);
    value.list.first = row * ROWS_OF_FINDING + part * CHECK_TEXTS_MAX;
    return value;
}

static struct value get_fix(const struct view *view, uint32_t row)
{
    return get_advice(view, row, ADVICE_FIX);
}

static struct value get_avoid(const struct view *view, uint32_t row)
{
    return get_advice(view, row, ADVICE_AVOID);
}

static struct value get_next(const struct view *view, uint32_t row)
{
    return get_advice(view, row, ADVICE_NEXT);
}

static struct value get_text(const struct view *view, uint32_t row)
{
    const struct finding *finding = get_finding(view, row / ROWS_OF_FINDING);
    uint32_t part = row % ROWS_OF_FINDING / CHECK_TEXTS_MAX, count;
    const char *const *texts = finding_advice(finding, part, &count);

    if (row % CHECK_TEXTS_MAX >= count)
        return value_none();
    buf_reset(view->scratch);
    finding_expand(view, finding, texts[row % CHECK_TEXTS_MAX], untranslated, view->scratch);
    return cell_scratch(view, 0);
}

static uint32_t advice_count(const struct view *view)
{
    return view->findings ? view->findings->count * ROWS_OF_FINDING : 0;
}

static const struct column advice_columns[] = {
    {"text", "ADVICE", "What to do, not to do, or to look at", KIND_TEXT,
     COLUMN_TEXT | COLUMN_MACHINE, 0, get_text},
};

const struct table table_advice = {
    .name = "advice",
    .help = "What a finding advises: the elements of its columns fix, avoid and next",
    .columns = advice_columns,
    .column_count = ARRAY_SIZE(advice_columns),
    .is_plain_list = true,
    .row_count = advice_count,
};

/* --- evidence --- */

static const struct evidence *evidence_of(const struct view *view, uint32_t row)
{
    return &view->findings->evidence[row];
}

static struct value number(int64_t number)
{
    return cell_number(number != EVIDENCE_NONE, (uint64_t)number);
}

static struct value get_counter(const struct view *view, uint32_t row)
{
    return value_name(evidence_of(view, row)->counter);
}

static struct value get_before(const struct view *view, uint32_t row)
{
    return number(evidence_of(view, row)->before);
}

static struct value get_after(const struct view *view, uint32_t row)
{
    return number(evidence_of(view, row)->after);
}

static struct value get_rate(const struct view *view, uint32_t row)
{
    return number(evidence_of(view, row)->rate);
}

static struct value get_threshold(const struct view *view, uint32_t row)
{
    return number(evidence_of(view, row)->threshold);
}

static struct value get_source(const struct view *view, uint32_t row)
{
    return value_name(evidence_of(view, row)->source);
}

static uint32_t evidence_count(const struct view *view)
{
    return view->findings ? view->findings->evidence_count : 0;
}

#define SHOWN (COLUMN_TEXT | COLUMN_MACHINE)

static const struct column evidence_columns[] = {
    {"counter", "COUNTER", "What was counted", KIND_TEXT, SHOWN | COLUMN_KEY, 0, get_counter},
    {"before", "BEFORE", "At the beginning of the window", KIND_COUNT, SHOWN, 0, get_before},
    {"after", "AFTER", "At its end", KIND_COUNT, SHOWN, 0, get_after},
    {"rate", "PER-S", "A second, rounded up", KIND_COUNT, SHOWN, 0, get_rate},
    {"threshold", "LIMIT", "From which on it is a finding", KIND_COUNT, SHOWN, 0, get_threshold},
    {"source", "SOURCE", "Where the kernel says it", KIND_TEXT, SHOWN, 0, get_source},
};

const struct table table_evidence = {
    .name = "evidence",
    .help = "Numbers that a finding rests on: the elements of its column evidence",
    .columns = evidence_columns,
    .column_count = ARRAY_SIZE(evidence_columns),
    .row_count = evidence_count,
};

/* --- findings --- */

static uint32_t row_count(const struct view *view)
{
    return view->findings ? view->findings->count : 0;
}

static const struct column columns[] = {
    {"severity", "SEVERITY", "How bad it is: crit, warn, info", KIND_NAME, SHOWN, 0, get_severity},
    {"check", "CHECK", "The check that found it", KIND_NAME, SHOWN | COLUMN_KEY, 0, get_check},
    {"netns", "NETNS", "Network namespace", KIND_TEXT, COLUMN_MACHINE | COLUMN_KEY, 0, get_netns},
    {"process", "PROCESS", "Process that causes it", KIND_TEXT, SHOWN, 0, get_comm},
    {"pid", "PID", "Its process id", KIND_ID, SHOWN | COLUMN_KEY, 0, get_pid},
    {"user", "USER", "User of the process", KIND_TEXT, COLUMN_MACHINE, NEED_USER, get_user},
    {"unit", "UNIT", "systemd unit of the process", KIND_TEXT, COLUMN_MACHINE, NEED_CGROUP,
     get_unit},
    {"container", "CONTAINER", "Container of the process", KIND_TEXT, COLUMN_MACHINE, NEED_CGROUP,
     get_container},
    {"local", "LOCAL", "The listener, or an example of the sockets", KIND_ENDPOINT,
     COLUMN_MACHINE | COLUMN_KEY, 0, get_local},
    {"peer", "PEER", "The other side: address or network", KIND_ENDPOINT,
     COLUMN_MACHINE | COLUMN_KEY, 0, get_peer},
    {"peer_port", "PEER-PORT", "Its port", KIND_PORT, COLUMN_MACHINE, 0, get_peer_port},
    {"iface", "IFACE", "Interface", KIND_TEXT, COLUMN_MACHINE | COLUMN_KEY, 0, get_iface},
    {"what", "WHAT", "What is wrong", KIND_TEXT, SHOWN, 0, get_what},
    {"evidence", "EVIDENCE", "The numbers that say so", KIND_LIST, COLUMN_MACHINE, 0, get_evidence},
    {"cause", "CAUSE", "Why that is so", KIND_TEXT, COLUMN_MACHINE, 0, get_cause},
    {"fix", "FIX", "What to do", KIND_LIST, COLUMN_MACHINE, 0, get_fix},
    {"avoid", "AVOID", "What not to do", KIND_LIST, COLUMN_MACHINE, 0, get_avoid},
    {"next", "NEXT", "Commands that show more", KIND_LIST, COLUMN_MACHINE, 0, get_next},
};

const struct table table_findings = {
    .name = "findings",
    .help = "What is wrong, with evidence, culprit, cause and advice: nwho doctor",
    .columns = columns,
    .column_count = ARRAY_SIZE(columns),
    .row_count = row_count,
};
