/* SPDX-License-Identifier: MIT */
/* OpenMetrics: families, samples, and the escapes of labels. */
#include "out/openmetrics.h"

#include "base/escape.h"

#include <inttypes.h>

const struct metric_family metric_families[METRIC_MAX] = {
    [METRIC_INTERFACE_BYTES] = {"nwho_network_io_bytes", "bytes",
                                "Bytes that interfaces received and sent.", false},
    [METRIC_INTERFACE_PACKETS] = {"nwho_network_packets", NULL,
                                  "Packets that interfaces received and sent.", false},
    [METRIC_INTERFACE_DROPPED] = {"nwho_network_packets_dropped", NULL,
                                  "Good packets that interfaces threw away.", false},
    [METRIC_INTERFACE_ERRORS] = {"nwho_network_errors", NULL,
                                 "Damaged packets, and those that could not be sent.", false},
    [METRIC_CONNECTIONS] = {"nwho_network_connections", NULL, "Sockets by state.", true},
    [METRIC_TCP_RETRANSMITTED] = {"nwho_tcp_retransmitted_segments", NULL,
                                  "TCP segments that were sent again.", false},
    [METRIC_TCP_LISTEN_OVERFLOWS] = {"nwho_tcp_listen_overflows", NULL,
                                     "Connections refused because an accept queue was full.",
                                     false},
    [METRIC_TCP_RESETS_SENT] = {"nwho_tcp_resets_sent", NULL, "TCP segments with RST sent.", false},
    [METRIC_CONNTRACK_INSERT_FAILED] = {"nwho_conntrack_insert_failed", NULL,
                                        "Connections that conntrack could not take in.", false},
    [METRIC_PROCESS_BYTES] = {"nwho_process_network_io_bytes", "bytes",
                              "Payload that processes received and sent.", false},
};

void openmetrics_family(enum metric metric, struct buf *out)
{
    const struct metric_family *family = &metric_families[metric];

    buf_printf(out, "# TYPE %s %s\n", family->name, family->gauge ? "gauge" : "counter");
    if (family->unit)
        buf_printf(out, "# UNIT %s %s\n", family->name, family->unit);
    buf_printf(out, "# HELP %s %s\n", family->name, family->help);
}

/* A string of JSON has no other escapes than a label: \\ and \". */
void openmetrics_label(const char *name, const char *bytes, size_t length, struct buf *labels)
{
    if (length > OPENMETRICS_LABEL_MAX)
        length = OPENMETRICS_LABEL_MAX;
    buf_printf(labels, "%s%s=", labels->length ? "," : "", name);
    escape_json(labels, bytes, length);
}

void openmetrics_sample(enum metric metric, const char *labels, uint64_t value, uint64_t time_ns,
                        struct buf *out)
{
    const struct metric_family *family = &metric_families[metric];

    buf_puts(out, family->name);
    buf_puts(out, family->gauge ? "" : "_total");
    if (*labels) {
        buf_byte(out, '{');
        buf_puts(out, labels);
        buf_byte(out, '}');
    }
    buf_byte(out, ' ');
    buf_uint(out, value);
    buf_printf(out, " %" PRIu64 ".%03u\n", time_ns / 1000000000,
               (unsigned int)(time_ns / 1000000 % 1000));
}

void openmetrics_end(struct buf *out)
{
    buf_puts(out, "# EOF\n");
}
