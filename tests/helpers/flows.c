/* SPDX-License-Identifier: MIT */
/* Counts traffic and prints the flows, one JSON object a line: accounting without anything on top.
 */
/*
 * flows [wire|peers]: with `wire` also packets, with `peers` unconnected sockets by peer.
 * Prints `ready` when it counts. For each line on its standard input it makes one reading, and
 * prints the flows and at last `end`. A `p` in the line: from that reading on peers are asked for,
 * or not any more.
 */
#include "base/buf.h"
#include "collect/accounting.h"
#include "collect/collect.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

static void print_name(struct buf *out, const char *name)
{
    buf_puts(out, "\"");
    for (; *name; name++)
        buf_byte(out, *name >= ' ' && *name <= '~' && *name != '"' && *name != '\\' ? *name : '?');
    buf_puts(out, "\"");
}

static void print_flow(struct buf *out, const struct snapshot *snapshot, const struct flow *flow)
{
    buf_printf(out,
               "{\"id\":%llu,\"cookie\":%llu,\"cgroup\":%llu,\"pid\":%u,\"tid\":%u,\"uid\":%u,"
               "\"netns\":%u,\"ifindex\":%u,\"flags\":%u,\"family\":%u,\"proto\":\"%s\",",
               (unsigned long long)flow->id, (unsigned long long)flow->cookie,
               (unsigned long long)flow->cgroup_id, flow->pid, flow->tid, flow->uid,
               snapshot->netns_count ? snapshot->netns[flow->netns].inode : 0, flow->ifindex,
               flow->flags, flow->family, socket_proto_name(flow->proto));
    buf_printf(out, "\"rx_wire\":%llu,\"tx_wire\":%llu,\"rx_packets\":%llu,\"tx_packets\":%llu,",
               (unsigned long long)flow->wire.rx_bytes, (unsigned long long)flow->wire.tx_bytes,
               (unsigned long long)flow->wire.rx_packets,
               (unsigned long long)flow->wire.tx_packets);
    buf_printf(out,
               "\"rx\":%llu,\"tx\":%llu,\"rx_last\":%llu,\"tx_last\":%llu,\"rx_calls\":%llu,"
               "\"tx_calls\":%llu,\"local_port\":%u,\"peer_port\":%u,\"local\":\"",
               (unsigned long long)flow->total.rx_bytes, (unsigned long long)flow->total.tx_bytes,
               (unsigned long long)flow->window[FLOW_LAST].rx_bytes,
               (unsigned long long)flow->window[FLOW_LAST].tx_bytes,
               (unsigned long long)flow->rx_calls, (unsigned long long)flow->tx_calls,
               flow->local_port, flow->peer_port);
    if (flow->family)
        buf_address(out, flow->family, flow->local.bytes);
    buf_puts(out, "\",\"peer\":\"");
    if (flow->family)
        buf_address(out, flow->family, flow->peer.bytes);
    buf_puts(out, "\",\"comm\":");
    print_name(out, snapshot_string(snapshot, flow->comm, NULL));
    buf_puts(out, "}\n");
}

static void print_note(struct buf *out, const struct note *note, const char *text)
{
    buf_printf(out, "{\"note\":%u,\"error\":%d,\"text\":", note->effect, note->error);
    print_name(out, text);
    buf_puts(out, "}\n");
}

static int read_once(const struct request *request)
{
    CLEANUP(snapshot_done) struct snapshot snapshot;
    CLEANUP(buf_done) struct buf out = BUF_SINK(STDOUT_FILENO);
    int r = snapshot_init(&snapshot);

    if (r == 0)
        r = collect(&snapshot, request);
    if (r < 0)
        return r;
    buf_printf(&out, "{\"accounting\":%u,\"wire\":%s}\n", snapshot.accounting,
               snapshot.wire_ns ? "true" : "false");
    for (uint32_t i = 0; i < snapshot.notes_count; i++)
        print_note(&out, &snapshot.notes[i],
                   snapshot_string(&snapshot, snapshot.notes[i].text, NULL));
    for (uint32_t i = 0; i < snapshot.flows_count; i++)
        print_flow(&out, &snapshot, &snapshot.flows[i]);
    buf_puts(&out, "end\n");
    return buf_flush(&out);
}

/* Until the next line, what comes is taken in. 1: there is none any more. */
static int wait_for_line(struct accounting *accounting, uint64_t *needs)
{
    struct pollfd sources[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = accounting_fd(accounting), .events = POLLIN}};
    char byte;
    int r = 0;

    for (;;) {
        if (poll(sources, ARRAY_SIZE(sources), -1) < 0 && errno != EINTR)
            return -errno;
        if (sources[1].revents)
            r = accounting_drain(accounting);
        if (r < 0)
            return r;
        if (!sources[0].revents)
            continue;
        if (read(STDIN_FILENO, &byte, 1) <= 0)
            return 1;
        if (byte == 'p')
            *needs ^= NEED_PEERS;
        if (byte == '\n')
            return 0;
    }
}

static uint64_t needs_of(const char *word)
{
    if (strcmp(word, "wire") == 0)
        return NEED_WIRE;
    return strcmp(word, "peers") == 0 ? NEED_PEERS : 0;
}

int main(int argc, char **argv)
{
    struct request request = {.needs = NEED_FLOWS | (argc > 1 ? needs_of(argv[1]) : 0),
                              .sources = SOURCE_ALL,
                              .netns_scope = NETNS_SCOPE_ALL};
    struct accounting *accounting;
    int r = accounting_open(&request, &accounting);

    if (r < 0)
        return 1;
    request.accounting = accounting;
    if (write(STDOUT_FILENO, "ready\n", 6) < 0)
        return 1;
    while (r == 0) {
        r = wait_for_line(accounting, &request.needs);
        if (r == 0)
            r = read_once(&request);
    }
    accounting_close(accounting);
    return r < 0;
}
