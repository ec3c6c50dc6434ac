/* SPDX-License-Identifier: MIT */
/* nethogs 0.8.7: what each process sends and receives. */
#include "compat/nethogs.h"

#include "base/clock.h"
#include "compat/handover.h"
#include "compat/personality.h"
#include "compat/say.h"

#include <net/if_arp.h>
#include <string.h>

/* The shortest time between two refreshes: -d 0. */
#define SHORTEST_NS (100 * MILLISECOND_NS)

/* A raw IP link (a tunnel) is number 12 to whoever captures. */
static void put_link(struct buf *out, uint32_t type)
{
    switch (type) {
    case ARPHRD_ETHER:
    case ARPHRD_LOOPBACK:
        buf_puts(out, "Ethernet link detected\n");
        break;
    case ARPHRD_PPP:
        buf_puts(out, "PPP link detected\n");
        break;
    default:
        buf_puts(out, "No PPP or Ethernet link: 12\n");
        break;
    }
}

/* The interfaces and their addresses. -ENODEV: there is none of those that were named. */
static int put_interfaces(const struct traffic_reader *reader,
                          const struct nethogs_options *options, struct buf *out)
{
    const struct snapshot *snapshot = &reader->moment.snapshot;
    CLEANUP_FREE uint32_t *indexes = NULL;
    uint32_t count;
    int r = traffic_interfaces(reader, &options->devices, &indexes, &count);

    for (uint32_t i = 0; i < count && r == 0; i++) {
        const struct interface *interface = &snapshot->interfaces[indexes[i]];
        const struct link_address *address;
        uint32_t at = 0;

        while ((address = traffic_address(snapshot, interface, &at))) {
            buf_puts(out, "Adding local address: ");
            buf_address(out, address->family, address->address.bytes);
            buf_byte(out, '\n');
        }
        put_link(out, interface->type);
    }
    if (r == 0 && count == 0) {
        say("nethogs", "no interface %s is up; -a takes loopback, and those that are down",
            options->devices.count ? options->devices.names[0] : "but loopback");
        return -ENODEV;
    }
    return r;
}

/* 0 or -errno; that nobody reads any more is an end. */
static int trace(struct traffic_reader *reader, struct nethogs_rows *rows,
                 const struct nethogs_options *options, struct buf *out)
{
    uint64_t step_ns = options->delay ? options->delay * SECOND_NS : SHORTEST_NS;
    uint64_t next_ns = clock_ns(CLOCK_MONOTONIC);
    bool terminal = isatty(STDOUT_FILENO) == 1;
    int r = traffic_take(reader);

    if (r == 0)
        r = put_interfaces(reader, options, out);
    if (r == 0)
        r = nethogs_rows_add(rows, reader, options);
    for (uint32_t i = 0; r == 0 && (options->refreshes == 0 || i < options->refreshes); i++) {
        r = buf_flush(out);
        next_ns += step_ns;
        if (r == 0)
            r = traffic_wait(reader, next_ns);
        if (r == 0)
            r = traffic_take(reader);
        if (r == 0)
            r = nethogs_rows_add(rows, reader, options);
        if (r == 0)
            r = nethogs_rows_write(rows, options, terminal, out);
    }
    return r;
}

static int run_trace(const struct nethogs_options *options)
{
    struct buf out = BUF_SINK(STDOUT_FILENO);
    struct traffic_reader reader;
    struct nethogs_rows rows;
    int r = nethogs_rows_init(&rows);

    if (r == 0) {
        r = traffic_open(&reader, "nethogs", options->filter, NEED_CMDLINE);
        if (r == 0)
            r = trace(&reader, &rows, options, &out);
        traffic_done(&reader);
    }
    if (buf_flush(&out) < 0 && out.error != -EPIPE) {
        say("nethogs", "the output is not whole: %s", strerror(-out.error));
        r = out.error;
    }
    buf_done(&out);
    nethogs_rows_done(&rows);
    return r == 0 || r == -EPIPE ? 0 : NETHOGS_FAILED;
}

static int put_text(const char *text)
{
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int r;

    buf_puts(&out, text);
    r = buf_flush(&out);
    buf_done(&out);
    return r == 0 || r == -EPIPE ? 0 : NETHOGS_FAILED;
}

static int run(int argc, char **argv)
{
    CLEANUP(nethogs_options_done) struct nethogs_options options;

    if (nethogs_options_parse(argc, argv, &options) < 0)
        return NETHOGS_FAILED;
    if (options.show == NETHOGS_SHOW_HELP)
        return put_text(nethogs_help);
    if (options.show == NETHOGS_SHOW_VERSION)
        return put_text(" version 0.8.7-2\n");
    if (options.show == NETHOGS_SHOW_SCREEN)
        say("nethogs", "this nwho has no screen: lines of text, as with -t");
    return run_trace(&options);
}

/* The words of `nwho top` that show the same. */
static void put_words(struct handover *handover, const struct nethogs_options *options)
{
    handover_top(handover, "process");
    handover_add(handover, "--bytes");
    if (options->delay != 1) {
        handover_add(handover, "-d");
        handover_printf(handover, "%u", options->delay ? options->delay : 1);
    }
    if (options->refreshes) {
        handover_add(handover, "-n");
        handover_printf(handover, "%u", options->refreshes);
    }
    handover_add(handover, "--sort");
    handover_add(handover, options->by_sent ? "tx_rate:desc" : "rx_rate:desc");
    if (!options->udp)
        handover_add(handover, "tcp");
    if (options->devices.count)
        handover_any(handover, "iface", options->devices.names, options->devices.count);
    else if (!options->devices.all)
        handover_add(handover, "not iface = \"lo\"");
    if (options->pid_count) {
        handover_add(handover, "(");
        for (uint32_t i = 0; i < options->pid_count; i++)
            handover_printf(handover, "%spid %u", i ? "or " : "", options->pids[i]);
        handover_add(handover, ")");
    }
    if (options->filter && *options->filter)
        handover_printf(handover, "(%s)", options->filter);
}

static enum handover_result hand_over(int argc, char **argv, struct handover *handover)
{
    CLEANUP(nethogs_options_done) struct nethogs_options options;
    int r = nethogs_options_parse(argc, argv, &options);

    if (r < 0)
        return HANDOVER_FAILED;
    if (options.show != NETHOGS_SHOW_SCREEN)
        return HANDOVER_NONE;
    put_words(handover, &options);
    return HANDOVER_WORDS;
}

const struct personality personality_nethogs = {
    .name = "nethogs",
    .summary = "what each process sends and receives, as nethogs -t shows it",
    .run = run,
    .hand_over = hand_over,
};
