/* SPDX-License-Identifier: MIT */
/* iftop 1.0pre4: which hosts send each other how much. */
#include "compat/iftop.h"

#include "base/clock.h"
#include "compat/handover.h"
#include "compat/personality.h"
#include "compat/say.h"

#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#define REPORT_SECONDS 2 /* between two reports */

/* One run. */
struct run {
    const struct iftop_options *options;
    struct traffic_reader reader;
    struct iftop_pairs pairs;
    struct iftop_layout layout;
    struct traffic_devices devices;
    char *interface;
    struct buf out;
    bool said; /* that there is traffic without a peer */
};

static void say_address(const struct snapshot *snapshot, const struct interface *interface,
                        unsigned int family, const char *label, struct buf *err)
{
    const struct link_address *address;
    uint32_t at = 0;

    while ((address = traffic_address(snapshot, interface, &at))) {
        if (address->family != family)
            continue;
        buf_puts(err, label);
        buf_address(err, family, address->address.bytes);
        buf_byte(err, '\n');
        return;
    }
}

static void say_interface(const struct snapshot *snapshot, const struct interface *interface)
{
    struct buf err = BUF_SINK(STDERR_FILENO);

    buf_puts(&err, "interface: ");
    buf_puts(&err, snapshot_string(snapshot, interface->name, NULL));
    buf_byte(&err, '\n');
    say_address(snapshot, interface, AF_INET, "IP address is: ", &err);
    say_address(snapshot, interface, AF_INET6, "IPv6 address is: ", &err);
    if (interface->type == ARPHRD_ETHER) {
        buf_puts(&err, "MAC address is: ");
        buf_puts(&err, snapshot_string(snapshot, interface->address, NULL));
        buf_byte(&err, '\n');
    }
    (void)buf_flush(&err);
    buf_done(&err);
}

/* The one that is named, or the first that is up; its name is kept. 0 or -errno. */
static int choose_interface(struct run *run)
{
    struct traffic_devices any = {.names = (char *const *)&run->options->interface,
                                  .count = run->options->interface != NULL,
                                  .all = run->options->interface != NULL};
    const struct snapshot *snapshot = &run->reader.moment.snapshot;
    CLEANUP_FREE uint32_t *indexes = NULL;
    const struct interface *interface;
    uint32_t count;
    int r = traffic_interfaces(&run->reader, &any, &indexes, &count);

    if (r < 0)
        return r;
    if (count == 0) {
        say("iftop", run->options->interface ? "no such interface: %s" : "no interface is up",
            run->options->interface);
        return -ENODEV;
    }
    interface = &snapshot->interfaces[indexes[count - 1]];
    run->interface = strdup(snapshot_string(snapshot, interface->name, NULL));
    if (!run->interface)
        return -ENOMEM;
    run->devices = (struct traffic_devices){.names = &run->interface, .count = 1, .all = true};
    say_interface(snapshot, interface);
    buf_puts(&run->out, "Listening on ");
    buf_puts(&run->out, run->interface);
    buf_byte(&run->out, '\n');
    return 0;
}

static int read_more(struct run *run)
{
    int r = iftop_pairs_add(&run->pairs, &run->reader, &run->devices, run->options);

    if (r == 0 && run->pairs.has_unconnected && !run->said) {
        run->said = true;
        say("iftop", "\"*\" is what sockets without a connection send and receive: counted "
                     "at the socket, not by packets");
    }
    return r;
}

/* Reads every second, and reports every two, or once at the end. */
static int report_all(struct run *run)
{
    uint64_t next_ns = clock_ns(CLOCK_MONOTONIC);
    uint32_t every = run->options->seconds ? run->options->seconds : REPORT_SECONDS;
    int r = traffic_take(&run->reader);

    if (r == 0)
        r = choose_interface(run);
    if (r == 0)
        r = read_more(run);
    for (uint32_t second = 1; r == 0; second++) {
        r = buf_flush(&run->out);
        next_ns += SECOND_NS;
        if (r == 0)
            r = traffic_wait(&run->reader, next_ns);
        if (r == 0)
            r = traffic_take(&run->reader);
        if (r == 0)
            r = read_more(run);
        if (r == 0 && second % every == 0)
            r = iftop_write(&run->layout, &run->pairs, &run->out);
        if (run->options->seconds && second == every)
            break;
    }
    return r;
}

static int run_text(const struct iftop_options *options)
{
    struct run run = {.options = options, .out = BUF_SINK(STDOUT_FILENO)};
    int r;

    run.layout = (struct iftop_layout){
        .options = options, .scratch = BUF_INIT, .terminal = isatty(STDOUT_FILENO) == 1};
    r = traffic_open(&run.reader, "iftop", options->filter, 0);
    if (r == 0)
        r = report_all(&run);
    traffic_done(&run.reader);
    if (buf_flush(&run.out) < 0 && run.out.error != -EPIPE) {
        say("iftop", "the output is not whole: %s", strerror(-run.out.error));
        r = run.out.error;
    }
    buf_done(&run.out);
    buf_done(&run.layout.scratch);
    host_names_done(&run.layout.names);
    iftop_pairs_done(&run.pairs);
    free(run.interface);
    return r == 0 || r == -EPIPE ? 0 : IFTOP_FAILED;
}

static int run_iftop(int argc, char **argv)
{
    struct iftop_options options = {.lines = 0};
    struct buf out = BUF_SINK(STDOUT_FILENO);
    int r;

    if (iftop_options_parse(argc, argv, &options) < 0)
        return IFTOP_FAILED;
    if (options.show == IFTOP_SHOW_SCREEN)
        say("iftop", "this nwho has no screen: lines of text, as with -t");
    if (options.show != IFTOP_SHOW_HELP)
        return run_text(&options);
    buf_puts(&out, iftop_help);
    r = buf_flush(&out);
    buf_done(&out);
    return r == 0 || r == -EPIPE ? 0 : IFTOP_FAILED;
}

static const char *sort_word(const struct iftop_options *options)
{
    static const char *const words[] = {[IFTOP_BY_2S] = "rx_rate_2s:desc",
                                        [IFTOP_BY_10S] = "rx_rate_10s:desc",
                                        [IFTOP_BY_40S] = "rx_rate_40s:desc"};

    return options->order < ARRAY_SIZE(words) ? words[options->order] : NULL;
}

/* The words of `nwho top` that show the same. */
static void put_words(struct handover *handover, const struct iftop_options *options)
{
    const char *sort = sort_word(options);

    handover_top(handover, options->ports ? "conn" : "peer");
    if (sort) {
        handover_add(handover, "--sort");
        handover_add(handover, sort);
    }
    if (options->bytes)
        handover_add(handover, "--bytes");
    if (!options->numeric_hosts)
        handover_add(handover, "--resolve");
    if (options->interface)
        handover_any(handover, "iface", (char *const *)&options->interface, 1);
    else
        handover_add(handover, "not iface = \"lo\"");
    if (options->filter && *options->filter)
        handover_printf(handover, "(%s)", options->filter);
}

static enum handover_result hand_over(int argc, char **argv, struct handover *handover)
{
    struct iftop_options options = {.lines = 0};

    if (iftop_options_parse(argc, argv, &options) < 0)
        return HANDOVER_FAILED;
    if (options.show != IFTOP_SHOW_SCREEN)
        return HANDOVER_NONE;
    put_words(handover, &options);
    return HANDOVER_WORDS;
}

const struct personality personality_iftop = {
    .name = "iftop",
    .summary = "which hosts send each other how much, as iftop -t shows it",
    .run = run_iftop,
    .hand_over = hand_over,
};
