/* SPDX-License-Identifier: MIT */
/* Metrics: families, samples, and the escapes of labels. */
#include "out/openmetrics.h"

#include "base/clock.h"
#include "base/escape.h"

#include <inttypes.h>

const struct metric_family metric_families[METRIC_MAX] = {
    [METRIC_BUILD] = {"nwho_build", NULL, "What nwho is, and how it measures.", METRIC_INFO},
    [METRIC_START] = {"nwho_start_time_seconds", "seconds",
                      "When counters began at 0, in seconds since 1970.", METRIC_GAUGE},
    [METRIC_COLLECTOR_DURATION] = {"nwho_collector_duration_seconds", "seconds",
                                   "How long the last reading took.", METRIC_GAUGE},
    [METRIC_COLLECTOR_SUCCESS] = {"nwho_collector_success", NULL,
                                  "Whether the last reading brought everything.", METRIC_GAUGE},
    [METRIC_INTERFACE_BYTES] = {"nwho_network_io_bytes", "bytes",
                                "Bytes that interfaces received and sent.", METRIC_COUNTER},
    [METRIC_INTERFACE_PACKETS] = {"nwho_network_packets", NULL,
                                  "Packets that interfaces received and sent.", METRIC_COUNTER},
    [METRIC_INTERFACE_DROPPED] = {"nwho_network_packets_dropped", NULL,
                                  "Good packets that interfaces threw away.", METRIC_COUNTER},
    [METRIC_INTERFACE_ERRORS] = {"nwho_network_errors", NULL,
                                 "Damaged packets, and those that could not be sent.",
                                 METRIC_COUNTER},
    [METRIC_CONNECTIONS] = {"nwho_network_connections", NULL, "Sockets by state.", METRIC_GAUGE},
    [METRIC_TCP_RTT] = {"nwho_tcp_rtt_seconds", "seconds",
                        "Smoothed round trip time of TCP connections when they ended.",
                        METRIC_HISTOGRAM},
    [METRIC_TCP_RETRANSMITTED] = {"nwho_tcp_retransmitted_segments", NULL,
                                  "TCP segments that were sent again.", METRIC_COUNTER},
    [METRIC_TCP_LISTEN_OVERFLOWS] = {"nwho_tcp_listen_overflows", NULL,
                                     "Connections refused because an accept queue was full.",
                                     METRIC_COUNTER},
    [METRIC_TCP_RESETS_SENT] = {"nwho_tcp_resets_sent", NULL, "TCP segments with RST sent.",
                                METRIC_COUNTER},
    [METRIC_CONNTRACK_INSERT_FAILED] = {"nwho_conntrack_insert_failed", NULL,
                                        "Connections that conntrack could not take in.",
                                        METRIC_COUNTER},
    [METRIC_CONNTRACK_ENTRIES] = {"nwho_conntrack_entries", NULL, "Connections that are tracked.",
                                  METRIC_GAUGE},
    [METRIC_CONNTRACK_LIMIT] = {"nwho_conntrack_entries_limit", NULL, "How many of them may be.",
                                METRIC_GAUGE},
    [METRIC_PROCESS_BYTES] = {"nwho_process_network_io_bytes", "bytes",
                              "Payload that processes received and sent.", METRIC_COUNTER},
    [METRIC_PROCESS_CONNECTIONS] = {"nwho_process_connections", NULL,
                                    "Sockets that processes hold, by state.", METRIC_GAUGE},
    [METRIC_PROCESS_OPENED] = {"nwho_process_connections_opened", NULL,
                               "TCP connections that processes opened, or that came to them.",
                               METRIC_COUNTER},
    [METRIC_PROCESS_RTT] = {"nwho_process_tcp_rtt_seconds", "seconds",
                            "Smoothed round trip time of their TCP connections when those ended.",
                            METRIC_SUMMARY},
    [METRIC_PROCESS_RETRANSMITTED] = {"nwho_process_tcp_retransmitted_segments", NULL,
                                      "Segments sent again by their TCP connections that ended.",
                                      METRIC_COUNTER},
    [METRIC_LISTEN_QUEUE_LENGTH] = {"nwho_listen_queue_length", NULL,
                                    "Connections that wait to be accepted.", METRIC_GAUGE},
    [METRIC_LISTEN_QUEUE_LIMIT] = {"nwho_listen_queue_limit", NULL, "How many of them may wait.",
                                   METRIC_GAUGE},
    [METRIC_PROCESS_GROUPS] = {"nwho_process_groups", NULL,
                               "Groups of processes that have series of their own.", METRIC_GAUGE},
    [METRIC_PROCESS_GROUPS_FOLDED] = {"nwho_process_groups_folded", NULL,
                                      "Groups that had no room and are counted as _other.",
                                      METRIC_COUNTER},
    [METRIC_FINDING] = {"nwho_finding", NULL, "What the doctor finds now.", METRIC_GAUGE},
    [METRIC_HISTORY_BYTES] = {"nwho_history_bytes", "bytes", "Size of the history.", METRIC_GAUGE},
    [METRIC_HISTORY_DROPPED] = {"nwho_history_dropped_samples", NULL,
                                "Readings that could not be written into the history.",
                                METRIC_COUNTER},
    [METRIC_EVENTS_LOST] = {"nwho_events_lost", NULL,
                            "Events of connections that came too fast to be counted.",
                            METRIC_COUNTER},
};

enum metric metric_of_counter(const char *name, size_t length)
{
    static const struct {
        const char *name;
        enum metric metric;
    } counters[] = {{"TcpRetransSegs", METRIC_TCP_RETRANSMITTED},
                    {"TcpExtListenOverflows", METRIC_TCP_LISTEN_OVERFLOWS},
                    {"TcpOutRsts", METRIC_TCP_RESETS_SENT},
                    {"ConntrackInsertFailed", METRIC_CONNTRACK_INSERT_FAILED}};

    for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
        if (strlen(counters[i].name) == length && memcmp(counters[i].name, name, length) == 0)
            return counters[i].metric;
    return METRIC_MAX;
}

static const char *suffix(const struct metric_family *family)
{
    static const char *const suffixes[] = {[METRIC_COUNTER] = "_total",
                                           [METRIC_GAUGE] = "",
                                           [METRIC_INFO] = "_info",
                                           [METRIC_SUMMARY] = "",
                                           [METRIC_HISTOGRAM] = ""};

    return suffixes[family->type];
}

/* In the older format a family is called as its samples are, and knows no info. */
void openmetrics_family(enum metric metric, enum metric_form form, struct buf *out)
{
    static const char *const types[METRIC_FORM_MAX][5] = {
        {"counter", "gauge", "gauge", "summary", "histogram"},
        {"counter", "gauge", "info", "summary", "histogram"}};
    const struct metric_family *family = &metric_families[metric];
    const char *end = form == METRIC_TEXT ? suffix(family) : "";

    buf_printf(out, "# TYPE %s%s %s\n", family->name, end, types[form][family->type]);
    if (family->unit && form == METRIC_OPENMETRICS)
        buf_printf(out, "# UNIT %s %s\n", family->name, family->unit);
    buf_printf(out, "# HELP %s%s %s\n", family->name, end, family->help);
}

/* A string of JSON has no other escapes than a label: \\ and \". */
void openmetrics_label(const char *name, const char *bytes, size_t length, struct buf *labels)
{
    if (length > OPENMETRICS_LABEL_MAX)
        length = OPENMETRICS_LABEL_MAX;
    if (labels->length)
        buf_byte(labels, ',');
    buf_puts(labels, name);
    buf_byte(labels, '=');
    escape_json(labels, bytes, length);
}

/* As OpenTelemetry calls them. */
void openmetrics_state_label(const char *state, size_t length, struct buf *labels)
{
    static const char *const others[][2] = {{"listening", "listen"}, {"syn-recv", "syn_received"}};
    char name[32];

    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strlen(others[i][0]) == length && memcmp(others[i][0], state, length) == 0) {
            openmetrics_label("network_connection_state", others[i][1], strlen(others[i][1]),
                              labels);
            return;
        }
    length = length < sizeof(name) ? length : sizeof(name);
    for (size_t i = 0; i < length; i++)
        name[i] = state[i] == '-' ? '_' : state[i];
    openmetrics_label("network_connection_state", name, length, labels);
}

static void put_series(const struct metric_family *family, const char *end, const char *labels,
                       struct buf *out)
{
    buf_puts(out, family->name);
    buf_puts(out, end);
    if (*labels) {
        buf_byte(out, '{');
        buf_puts(out, labels);
        buf_byte(out, '}');
    }
    buf_byte(out, ' ');
}

static void put_seconds(uint64_t time_ns, struct buf *out)
{
    buf_printf(out, "%" PRIu64 ".%03u", time_ns / SECOND_NS,
               (unsigned int)(time_ns % SECOND_NS / MILLISECOND_NS));
}

void openmetrics_sample(enum metric metric, const char *labels, uint64_t value, uint64_t time_ns,
                        struct buf *out)
{
    const struct metric_family *family = &metric_families[metric];

    put_series(family, suffix(family), labels, out);
    buf_uint(out, value);
    buf_byte(out, ' ');
    put_seconds(time_ns, out);
    buf_byte(out, '\n');
}

static bool is_seconds(const struct metric_family *family)
{
    return family->unit && strcmp(family->unit, "seconds") == 0;
}

void openmetrics_part(enum metric metric, enum metric_part part, const char *labels, uint64_t value,
                      struct buf *out)
{
    static const char *const suffixes[] = {
        [METRIC_BUCKET] = "_bucket", [METRIC_SUM] = "_sum", [METRIC_COUNT] = "_count"};
    const struct metric_family *family = &metric_families[metric];

    put_series(family, part == METRIC_WHOLE ? suffix(family) : suffixes[part], labels, out);
    if (is_seconds(family) && (part == METRIC_WHOLE || part == METRIC_SUM))
        buf_printf(out, "%.6f", (double)value / (double)SECOND_NS);
    else
        buf_uint(out, value);
    buf_byte(out, '\n');
}

void openmetrics_now(enum metric metric, const char *labels, uint64_t value, struct buf *out)
{
    openmetrics_part(metric, METRIC_WHOLE, labels, value, out);
}

void openmetrics_end(struct buf *out)
{
    buf_puts(out, "# EOF\n");
}
