/* SPDX-License-Identifier: MIT */
/* The table of options. */
#include "cli/options.h"

#include "base/units.h"
#include "derive/health/finding.h"
#include "model/request.h"

#include <limits.h>

#define FLAG(name, statement)                                                                      \
    static int set_##name(struct options *options, const char *argument, struct buf *error)        \
    {                                                                                              \
        (void)argument;                                                                            \
        (void)error;                                                                               \
        statement;                                                                                 \
        return 0;                                                                                  \
    }

FLAG(tcp, options->protos |= PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_MPTCP))
FLAG(udp, options->protos |= PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE))
FLAG(raw, options->protos |= PROTO_BIT(PROTO_RAW) | PROTO_BIT(PROTO_ICMP))
FLAG(unix, options->protos |= PROTO_BIT(PROTO_UNIX))
FLAG(packet, options->protos |= PROTO_BIT(PROTO_PACKET))
FLAG(inet, options->families |= FAMILY_BIT(AF_INET))
FLAG(inet6, options->families |= FAMILY_BIT(AF_INET6))
FLAG(listening, options->listening = true)
FLAG(no_time_wait, options->no_time_wait = true)
FLAG(all, options->all = true)
FLAG(nothing, (void)options)
FLAG(resolve, options->resolve = true)
FLAG(all_netns, options->all_netns = true)
FLAG(no_header, options->no_header = true)
FLAG(quiet, options->quiet = true)
FLAG(strict, options->strict = true)
FLAG(explain, options->explain = true)
FLAG(events, options->events = true)
FLAG(no_pager, options->no_pager = true)
FLAG(exact, options->exact = true)
FLAG(threads, options->threads = true)
FLAG(batch, options->batch = true)
FLAG(bytes, options->bytes = true)
FLAG(exposed, options->exposed = true)
FLAG(yes, options->yes = true)
FLAG(dry_run, options->dry_run = true)
FLAG(retransmits, options->retransmits = true)
FLAG(summary, options->summary = true)
FLAG(follow, options->follow = true)
FLAG(list, options->list = true)
FLAG(nagios, options->nagios = true)
FLAG(help, options->help = true)
FLAG(version, options->version = true)

static int refuse(struct buf *error, const char *what, const char *argument)
{
    buf_puts(error, what);
    buf_puts(error, ", not \"");
    buf_puts(error, argument);
    buf_byte(error, '"');
    return -EINVAL;
}

#define TEXT(name)                                                                                 \
    static int set_##name(struct options *options, const char *argument, struct buf *error)        \
    {                                                                                              \
        (void)error;                                                                               \
        options->name = argument;                                                                  \
        return 0;                                                                                  \
    }

TEXT(container)
TEXT(record)
TEXT(replay)
TEXT(sources)
TEXT(sort)
TEXT(by)
TEXT(explained)
TEXT(since)
TEXT(until)
TEXT(at)
TEXT(store)
TEXT(svg)
TEXT(export_format)
TEXT(file)
TEXT(listen)
TEXT(token_file)
TEXT(hosts)
TEXT(server)

/* Of top, where a FILE may be left out. */
static int set_replay_past(struct options *options, const char *argument, struct buf *error)
{
    options->past = !argument;
    return argument ? set_replay(options, argument, error) : 0;
}

static int set_netns(struct options *options, const char *argument, struct buf *error)
{
    if (options->namespace_count == OPTION_NAMESPACES_MAX) {
        buf_printf(error, "-N can be given %d times; use --all-netns", OPTION_NAMESPACES_MAX);
        return -EINVAL;
    }
    options->namespaces[options->namespace_count++] = argument;
    return 0;
}

static int set_form(struct options *options, enum output_format format, struct buf *error)
{
    if (options->format != FORMAT_TEXT && options->format != format) {
        buf_puts(error, "one form only: --json, --jsonl or --csv");
        return -EINVAL;
    }
    options->format = format;
    return 0;
}

static int choose_columns(struct options *options, const char *list, const char *option)
{
    options->columns = list;
    options->columns_option = option;
    return 0;
}

#define FORM(name, form)                                                                           \
    static int set_##name(struct options *options, const char *argument, struct buf *error)        \
    {                                                                                              \
        int r = set_form(options, form, error);                                                    \
                                                                                                   \
        return r < 0 || !argument ? r : choose_columns(options, argument, "--" #name);             \
    }

FORM(json, FORMAT_JSON)
FORM(jsonl, FORMAT_JSONL)
FORM(csv, FORMAT_CSV)

static int set_pcapng(struct options *options, const char *argument, struct buf *error)
{
    (void)argument;
    (void)error;
    options->pcapng = true;
    return 0;
}

static int set_children(struct options *options, const char *argument, struct buf *error)
{
    (void)argument;
    (void)error;
    options->children = true;
    return 0;
}

static int set_packet_statistics(struct options *options, const char *argument, struct buf *error)
{
    (void)argument;
    (void)error;
    options->packet_statistics = true;
    return 0;
}

static int set_columns(struct options *options, const char *argument, struct buf *error)
{
    (void)error;
    return choose_columns(options, argument, "-o");
}

static int parse_number(const char *argument, uint32_t *ret_number)
{
    uint64_t number;

    if (units_parse(argument, strlen(argument), UNIT_COUNT, &number, NULL) < 0 || number > INT_MAX)
        return -EINVAL;
    *ret_number = (uint32_t)number;
    return 0;
}

static int set_limit(struct options *options, const char *argument, struct buf *error)
{
    return parse_number(argument, &options->limit) == 0 && options->limit > 0
               ? 0
               : refuse(error, "--limit needs a number of rows", argument);
}

static int set_times(struct options *options, const char *argument, struct buf *error)
{
    return parse_number(argument, &options->watch_count) == 0 && options->watch_count
               ? 0
               : refuse(error, "--times needs a number of refreshes, 1 or more", argument);
}

static int set_iterations(struct options *options, const char *argument, struct buf *error)
{
    return parse_number(argument, &options->watch_count) == 0 && options->watch_count
               ? 0
               : refuse(error, "-n needs a number of refreshes, 1 or more", argument);
}

/* A number without a unit. */
static int parse_seconds(const char *argument, uint64_t *ret_ms)
{
    char text[32];
    size_t length = strlen(argument);

    if (length == 0 || length > sizeof(text) - 2 || argument[strspn(argument, "0123456789.")])
        return -EINVAL;
    text[0] = '0'; /* ".5" */
    memcpy(text + 1, argument, length);
    text[length + 1] = 's';
    return units_parse(text, length + 2, UNIT_MILLISECONDS, ret_ms, NULL);
}

static int parse_interval(const char *argument, uint64_t *ret_ms)
{
    uint64_t ms;

    if (parse_seconds(argument, &ms) < 0 || ms < 10 || ms > 86400 * 1000)
        return -EINVAL;
    *ret_ms = ms;
    return 0;
}

static int set_watch(struct options *options, const char *argument, struct buf *error)
{
    if (argument && parse_interval(argument, &options->watch_ms) < 0)
        return refuse(error, "--watch needs seconds between 0.01 and 86400", argument);
    options->watch = true;
    return 0;
}

static int set_delta(struct options *options, const char *argument, struct buf *error)
{
    if (parse_interval(argument, &options->delta_ms) < 0)
        return refuse(error, "--delta needs seconds between 0.01 and 86400", argument);
    options->delta = true;
    return 0;
}

static int set_window(struct options *options, const char *argument, struct buf *error)
{
    return parse_interval(argument, &options->delta_ms) == 0
               ? 0
               : refuse(error, "--window needs seconds between 0.01 and 86400", argument);
}

static int set_timeout(struct options *options, const char *argument, struct buf *error)
{
    return parse_interval(argument, &options->timeout_ms) == 0
               ? 0
               : refuse(error, "--timeout needs seconds between 0.01 and 86400", argument);
}

static int set_fail_on(struct options *options, const char *argument, struct buf *error)
{
    for (uint32_t severity = SEVERITY_INFO; severity < SEVERITY_MAX; severity++)
        if (strcmp(argument, severity_name(severity)) == 0) {
            options->fail_on = severity;
            return 0;
        }
    return refuse(error, "--fail-on needs info, warn or crit", argument);
}

static int set_delay(struct options *options, const char *argument, struct buf *error)
{
    return parse_interval(argument, &options->watch_ms) == 0
               ? 0
               : refuse(error, "--delay needs seconds between 0.01 and 86400", argument);
}

static int set_for(struct options *options, const char *argument, struct buf *error)
{
    uint64_t milliseconds;

    if ((parse_seconds(argument, &milliseconds) < 0 &&
         units_parse(argument, strlen(argument), UNIT_MILLISECONDS, &milliseconds, NULL) < 0) ||
        milliseconds == 0)
        return refuse(error, "--for needs a time like 10, 1.5s or 2m", argument);
    options->for_ms = milliseconds;
    return 0;
}

static int set_every(struct options *options, const char *argument, struct buf *error)
{
    uint64_t ms;

    if (parse_interval(argument, &ms) < 0 &&
        units_parse(argument, strlen(argument), UNIT_MILLISECONDS, &ms, NULL) < 0)
        ms = 0;
    if (ms < 1000)
        return refuse(error, "--every needs a time of a second or more, like 10, 5m or 1h",
                      argument);
    options->every_ms = ms;
    return 0;
}

FLAG(foreground, options->foreground = true)
FLAG(status, options->status = true)
FLAG(stop, options->stop = true)

static int set_size(struct options *options, const char *argument, struct buf *error)
{
    return units_parse(argument, strlen(argument), UNIT_BYTES, &options->size, NULL) == 0 &&
                   options->size >= 1 << 20
               ? 0
               : refuse(error, "--size needs a number of bytes, 1M or more", argument);
}

static int set_peers(struct options *options, const char *argument, struct buf *error)
{
    return parse_number(argument, &options->peers) == 0 && options->peers > 0 &&
                   options->peers <= 1000
               ? 0
               : refuse(error, "--peers needs a number from 1 to 1000", argument);
}

static int set_ring(struct options *options, const char *argument, struct buf *error)
{
    options->has_ring = true;
    return parse_number(argument, &options->ring_s) == 0 && options->ring_s <= 600
               ? 0
               : refuse(error, "--ring needs a number of seconds, 600 at most; 0: none", argument);
}

static int set_save_baseline(struct options *options, const char *argument, struct buf *error)
{
    (void)error;
    options->save_baseline = true;
    options->baseline = argument;
    return 0;
}

static int set_diff(struct options *options, const char *argument, struct buf *error)
{
    (void)error;
    options->diff = true;
    options->baseline = argument;
    return 0;
}

static int set_count(struct options *options, const char *argument, struct buf *error)
{
    return parse_number(argument, &options->limit) == 0 && options->limit > 0
               ? 0
               : refuse(error, "-n needs a number of events", argument);
}

static int set_color(struct options *options, const char *argument, struct buf *error)
{
    return color_when_parse(argument, &options->color) == 0
               ? 0
               : refuse(error, "--color needs auto, always or never", argument);
}

#define SOCKETS OPTIONS_SOCKETS
#define SOURCE OPTIONS_SOURCE
#define OUTPUT OPTIONS_OUTPUT

/* letter, name, argument, help, groups, what it does */
const struct option_info option_table[] = {
    {'t', "tcp", NULL, "TCP sockets (and MPTCP)", SOCKETS, set_tcp},
    {'u', "udp", NULL, "UDP sockets (and UDP-Lite)", SOCKETS, set_udp},
    {'w', "raw", NULL, "raw and ping sockets", SOCKETS, set_raw},
    {'x', "unix", NULL, "unix sockets", SOCKETS, set_unix},
    {'0', "packet", NULL, "packet sockets", SOCKETS, set_packet},
    {'4', "ipv4", NULL, "IPv4 only", SOCKETS | OPTIONS_ROUTES | OPTIONS_GROUPS | OPTIONS_NAT,
     set_inet},
    {'6', "ipv6", NULL, "IPv6 only", SOCKETS | OPTIONS_ROUTES | OPTIONS_GROUPS | OPTIONS_NAT,
     set_inet6},
    {'l', "listening", NULL, "only what waits for others: listening TCP, unconnected UDP", SOCKETS,
     set_listening},
    {0, "no-time-wait", NULL, "without connections that are over (time-wait)", SOCKETS,
     set_no_time_wait},
    {'a', "all", NULL, "every kind of socket, also unix, packet and netlink", SOCKETS, set_all},
    {'p', "processes", NULL, "(owners are always shown)", SOCKETS, set_nothing},
    {0, "exposed", NULL, "only what other machines can reach", OPTIONS_PORTS, set_exposed},
    {0, "save-baseline", "[=FILE]", "keep the listeners of now, for --diff and nwho doctor",
     OPTIONS_PORTS, set_save_baseline},
    {0, "diff", "[=FILE]", "which listeners are new, gone, or another's since then", OPTIONS_PORTS,
     set_diff},
    {0, "threads", NULL, "the threads of the owners too", OPTIONS_THREADS, set_threads},
    {'a', "all", NULL, "also what is zero, and of each processor", OPTIONS_STATS, set_all},
    {'a', "all", NULL, "also routes that were learned, and what the kernel keeps for itself",
     OPTIONS_ROUTES, set_all},
    {'a', "all", NULL, "also groups of the link layer", OPTIONS_GROUPS, set_all},
    {'d', "delta", "SEC", "only what counts in the next SEC seconds, and how much", OPTIONS_STATS,
     set_delta},
    {'d', "delta", "SEC", "read twice, SEC seconds apart, and show what happened meanwhile",
     OPTIONS_IF, set_delta},
    {'d', "delta", "SEC", "count traffic for SEC seconds, and show it", OPTIONS_TRAFFIC, set_delta},
    {0, "by", "KEY", "count packets of DEV for a second (or -d SEC) by size or proto", OPTIONS_IF,
     set_by},
    {0, "window", "SEC", "look for SEC seconds, usually 3", OPTIONS_DOCTOR, set_window},
    {0, "fail-on", "SEVERITY", "exit code 1 from this on: info, warn (the usual) or crit",
     OPTIONS_DOCTOR, set_fail_on},
    {0, "nagios", NULL, "one line and the exit code of a Nagios plug-in", OPTIONS_DOCTOR,
     set_nagios},
    {0, "list", NULL, "the checks that there are", OPTIONS_DOCTOR, set_list},
    {0, "explain", "CHECK", "what a check looks for, from when on, and what to do", OPTIONS_DOCTOR,
     set_explained},
    {'y', "yes", NULL, "do not ask", OPTIONS_KILL, set_yes},
    {0, "dry-run", NULL, "only show what would be destroyed", OPTIONS_KILL, set_dry_run},
    {0, "events", NULL, "what is tracked, changed and forgotten, as it happens", OPTIONS_NAT,
     set_events},
    {'n', "count", "N", "end after N events", OPTIONS_EVENTS, set_count},
    {0, "for", "SEC", "end after SEC seconds (also 1.5s, 2m)", OPTIONS_EVENTS | OPTIONS_NAT,
     set_for},
    {0, "follow", NULL, "until Ctrl-C, as always without --since", OPTIONS_EVENTS, set_follow},
    {0, "retrans", NULL, "each retransmission too", OPTIONS_EVENTS, set_retransmits},
    {0, "summary", NULL, "at the end: how many of which kind, by process", OPTIONS_EVENTS,
     set_summary},
    {'W', "watch", "[=SEC]",
     "repeat each second (or SEC) until q, marking new, changed and gone rows", OPTIONS_WATCH,
     set_watch},
    {0, "times", "N", "end --watch after N refreshes", OPTIONS_WATCH, set_times},
    {0, "since", "TIME", "from then on: 03:00, -2h, \"yesterday 2pm\", 2026-11-20 (usually -24h)",
     OPTIONS_PAST, set_since},
    {0, "until", "TIME", "until then (usually now)", OPTIONS_PAST, set_until},
    {0, "at", "TIME", "only the ten seconds from then on", OPTIONS_HISTORY, set_at},
    {0, "every", "TIME", "a series: what happened in each 5m, 1h, ...", OPTIONS_HISTORY, set_every},
    {0, "format", "FORMAT", "openmetrics, jsonl, csv or sqlite", OPTIONS_EXPORT, set_export_format},
    {'o', "output", "FILE", "into this file instead of standard output", OPTIONS_EXPORT, set_file},
    {0, "by", "KEY",
     "only flow, interface, counter, state, listener, connection or note; CSV has one: flow",
     OPTIONS_EXPORT, set_by},
    {0, "every", "TIME", "a row for each piece: 10, 5m, 1h (usually 1m, of more than two days 1h)",
     OPTIONS_EXPORT, set_every},
    {0, "svg", "FILE", "also a chart of the first rows", OPTIONS_HISTORY, set_svg},
    {0, "every", "TIME", "record that often, usually each 10 seconds", OPTIONS_SERVE, set_every},
    {0, "size", "BYTES", "the file is never larger, usually 512M: what is oldest goes",
     OPTIONS_SERVE, set_size},
    {0, "peers", "N", "peers of a process that are kept apart each time, usually 10", OPTIONS_SERVE,
     set_peers},
    {0, "ring", "SECONDS",
     "kept one by one around a mark or a finding, usually 60 before and after; 0: none",
     OPTIONS_SERVE, set_ring},
    {0, "foreground", NULL, "stay in the foreground, as for systemd", OPTIONS_SERVE,
     set_foreground},
    {0, "listen", "PLACE", "serve metrics at ADDR:PORT (127.0.0.1:9477), unix:PATH or none",
     OPTIONS_SERVE, set_listen},
    {0, "token-file", "FILE",
     "whoever asks needs the token in FILE; without one only this machine may ask", OPTIONS_SERVE,
     set_token_file},
    {0, "host", "NAMES", "names that the server is asked by, besides its addresses: NAME,...",
     OPTIONS_SERVE, set_hosts},
    {0, "status", NULL, "who records, since when, and what there is; exit code 1 when nobody does",
     OPTIONS_SERVE, set_status},
    {0, "json", NULL, "--status as a JSON document", OPTIONS_SERVE, set_json},
    {0, "stop", NULL, "end the recorder, and wait until it is gone", OPTIONS_SERVE, set_stop},
    {0, "store", "FILE", "the file of the history (usually /var/lib/nwho/history.db)",
     OPTIONS_STORE, set_store},
    {0, "by", "KEY",
     "a row for each process (the usual), thread, conn, peer, container, unit, user, iface, "
     "port, netns or proto; peer/24; user,port",
     OPTIONS_TOP, set_by},
    {0, "by", "KEY",
     "a row for each process (the usual), peer, port, user, unit, container, netns, proto, "
     "iface or state; peer/24; user,port",
     OPTIONS_HISTORY, set_by},
    {0, "server", "URL", "the Prometheus, VictoriaMetrics, Thanos or Mimir that is asked",
     OPTIONS_FLEET, set_server},
    {0, "token-file", "FILE", "it is asked with the token in FILE", OPTIONS_FLEET, set_token_file},
    {0, "timeout", "SEC", "so long for each answer, usually 10", OPTIONS_FLEET, set_timeout},
    {0, "by", "KEY", "a row for each process (the usual), host or service", OPTIONS_FLEET, set_by},
    {'d', "delta", "SEC",
     "rates of the last SEC seconds, usually 120: four times as often as is "
     "scraped, or more",
     OPTIONS_FLEET, set_delta},
    {0, "every", "TIME", "of the history: a row for each 5m, 1h, ...", OPTIONS_FLEET, set_every},
    {0, "by", "KEYS", "count by columns (process, peer, state, netns, peer/24), against the limit",
     OPTIONS_NAT, set_by},
    {'d', "delay", "SEC", "seconds between refreshes, usually 1", OPTIONS_TOP, set_delay},
    {'n', "iterations", "N", "end after N refreshes", OPTIONS_TOP, set_iterations},
    {0, "replay", "[FILE]", "play the history, as with --since; or answer from FILE, a recording",
     OPTIONS_TOP, set_replay_past},
    {0, "every", "TIME", "of the history: pieces of so long, usually 10 seconds", OPTIONS_TOP,
     set_every},
    {'b', "batch", NULL, "plain blocks of rows also on a terminal", OPTIONS_TOP, set_batch},
    {0, "bytes", NULL, "rates in bytes a second, not in bits", OPTIONS_TOP | OPTIONS_WATCH,
     set_bytes},
    {'N', "netns", "NS", "network namespace: name, pid, inode or path; may be repeated",
     SOURCE | OPTIONS_SNIFF, set_netns},
    {0, "all-netns", NULL, "every network namespace of the machine", SOURCE | OPTIONS_SNIFF,
     set_all_netns},
    {0, "container", "ID", "network namespace of a container (its id, or the beginning of it)",
     SOURCE | OPTIONS_SNIFF, set_container},
    {0, "record", "FILE", "write what was read to FILE (mode 0600), for --replay", SOURCE,
     set_record},
    {0, "replay", "FILE", "answer from FILE instead of this machine", SOURCE, set_replay},
    {0, "sources", "LIST", "use only these: bpf,sock_diag,proc_net,proc_fd (for debugging)",
     SOURCE | OPTIONS_SNIFF, set_sources},
    {'o', "output", "COLUMNS", "columns; +COLUMNS adds to the usual ones; all (nwho columns)",
     OUTPUT, set_columns},
    {0, "sort", "KEY[:desc]", "sort by one or more columns, separated by commas", OUTPUT, set_sort},
    {0, "limit", "N", "at most N rows", OUTPUT, set_limit},
    {0, "json", NULL, "a JSON object for each packet", OPTIONS_SNIFF, set_jsonl},
    {'o', "output", "COLUMNS",
     "+unit,container,user: these of each process too (nwho columns captured_owners)",
     OPTIONS_SNIFF, set_columns},
    {0, "children", NULL, "conditions on processes also hold for their children, and theirs",
     OPTIONS_SNIFF, set_children},
    {0, "pcapng", NULL, "-w writes pcapng, also where FILE does not end in .pcapng", OPTIONS_SNIFF,
     set_pcapng},
    {0, "stats", NULL, "at the end: conversations and processes, those with most bytes first",
     OPTIONS_SNIFF, set_packet_statistics},
    {0, "json", "[=COLUMNS]", "a JSON document", OUTPUT, set_json},
    {0, "jsonl", "[=COLUMNS]", "JSON, one row a line", OUTPUT, set_jsonl},
    {0, "csv", "[=COLUMNS]", "CSV with a header line", OUTPUT, set_csv},
    {'H', "no-header", NULL, "no header line", OUTPUT, set_no_header},
    {'q', "quiet", NULL, "no output, only the exit code", OUTPUT, set_quiet},
    {'n', "numeric", NULL, "numbers instead of host names (always so without -r)", OUTPUT,
     set_nothing},
    {'r', "resolve", NULL, "names of hosts", OUTPUT, set_resolve},
    {0, "exact", NULL, "numbers in full instead of 1.2M and 3h12m", OUTPUT, set_exact},
    {0, "explain", NULL, "say which sources were used and what they cannot see", OUTPUT,
     set_explain},
    {0, "strict", NULL, "exit code 3 also when only owners are hidden", OUTPUT, set_strict},
    {0, "color", "WHEN", "auto, always or never", OUTPUT, set_color},
    {0, "no-pager", NULL, "never start a pager", OUTPUT, set_no_pager},
    {'h', "help", NULL, "this help", ~0u, set_help},
    {'V', "version", NULL, "version of the program", ~0u, set_version},
};

const uint32_t option_count = ARRAY_SIZE(option_table);

const char *options_family(const struct options *options)
{
    switch (options->families) {
    case FAMILY_BIT(AF_INET):
        return "family inet";
    case FAMILY_BIT(AF_INET6):
        return "family inet6";
    default:
        return NULL;
    }
}
