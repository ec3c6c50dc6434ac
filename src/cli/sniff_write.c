/* SPDX-License-Identifier: MIT */
/* nwho sniff -w: packets into files, with the processes at their ends where that is pcapng. */
#include "cli/sniff.h"

#include <stdio.h>
#include <string.h>

#define DNS_PORT 53

/* --- opening --- */

static enum packet_format format_of(const struct sniff *sniff)
{
    return sniff->session.options->pcapng ? PACKET_FORMAT_PCAPNG
                                          : packet_format_of(sniff->options->write_file);
}

static struct packet_interface interface_of(const struct sniff *sniff,
                                            const struct sniff_source *source, struct buf *text)
{
    buf_reset(text);
    if (source->labelled)
        buf_printf(text, "netns %s", source->netns);
    return (struct packet_interface){.name = source->interface,
                                     .description = source->labelled ? buf_string(text) : NULL,
                                     .link_type = source->link_type,
                                     .snapshot_length = capture_snapshot_length(source->capture),
                                     .nanoseconds = sniff->options->capture.nanoseconds};
}

static int read_counts(void *context, uint32_t number, struct packet_counts *ret_counts)
{
    const struct sniff *sniff = context;
    struct capture_counts counts;

    if (!sniff_is_live(sniff) || capture_read_counts(sniff->sources[number].capture, &counts) < 0)
        return -ENODATA;
    *ret_counts =
        (struct packet_counts){counts.received, counts.dropped_by_interface, counts.dropped};
    return 0;
}

static int fail(const struct sniff *sniff, int r)
{
    return command_error("sniff: %s: %s",
                         sniff->writer ? packet_writer_file(sniff->writer)
                                       : sniff->options->write_file,
                         strerror(-r));
}

/* One more; pcap has one type of link. */
static int add_interface(struct sniff *sniff, const struct sniff_source *source)
{
    struct buf text = BUF_INIT;
    const struct packet_interface interface = interface_of(sniff, source, &text);
    uint32_t number;
    int r = 0;

    if (format_of(sniff) == PACKET_FORMAT_PCAPNG)
        r = packet_writer_add_interface(sniff->writer, &interface, &number);
    buf_done(&text);
    if (r < 0)
        return fail(sniff, r);
    if (format_of(sniff) == PACKET_FORMAT_PCAP && source->link_type != sniff->sources[0].link_type)
        return command_error("sniff: pcap has one type of link in a file: --pcapng has any");
    return 0;
}

/* Files go on to be made after the capabilities are given up. */
static int open_files(struct sniff *sniff)
{
    const struct tcpdump_options *options = sniff->options;
    struct packet_writer_request request = {.path = options->write_file,
                                            .format = format_of(sniff),
                                            .application = "nwho " NWHO_VERSION,
                                            .rotation = options->rotation,
                                            .command = options->command,
                                            .read_counts = read_counts,
                                            .context = sniff};
    struct buf text = BUF_INIT, file = BUF_INIT;
    struct packet_interface first = interface_of(sniff, &sniff->sources[0], &text);
    int r = packet_writer_open(&request, &first, &sniff->writer, &file);

    buf_done(&file);
    buf_done(&text);
    if (r == 0 && sniff_is_live(sniff))
        r = packet_writer_delegate(sniff->writer, (uid_t)-1, (gid_t)-1);
    return r < 0 ? fail(sniff, r) : 0;
}

int sniff_open_writer(struct sniff *sniff)
{
    int r = open_files(sniff);

    for (uint32_t i = 1; i < sniff->source_count && r == 0; i++)
        r = add_interface(sniff, &sniff->sources[i]);
    return r;
}

int sniff_write_source(struct sniff *sniff)
{
    return sniff->writer ? add_interface(sniff, &sniff->sources[sniff->source_count - 1])
                         : sniff_open_writer(sniff);
}

/* --- packets --- */

static void put(struct sniff *sniff, const struct captured *captured,
                const struct packet_note *note)
{
    int r = packet_writer_put(sniff->writer, captured, note);

    if (r == 0 && sniff->options->packet_buffered)
        r = packet_writer_flush(sniff->writer);
    sniff->full = r == PACKET_WRITER_FULL;
    if (r < 0)
        sniff->failed = r;
}

static void take_name(void *context, unsigned int family, const uint8_t *address, const char *name)
{
    struct sniff *sniff = context;
    int r = packet_writer_put_name(sniff->writer, family, address, name);

    if (r < 0)
        sniff->failed = r;
}

/* Names that an answer of DNS tells stand before it. */
static void write_names(struct sniff *sniff, const struct sniff_source *source,
                        const struct captured *captured)
{
    struct packet_options options = {.numeric = true, .take_name = take_name, .names = sniff};
    struct buf text = BUF_INIT;
    struct packet packet = {.bytes = captured->bytes,
                            .captured = captured->captured,
                            .options = &options,
                            .flows = source->flows,
                            .out = &text};

    packet_dissect(&packet, source->link_type, captured->length);
    if (text.error)
        sniff->failed = text.error;
    buf_done(&text);
}

static struct packet_note note_of(struct sniff *sniff, uint32_t interface,
                                  const struct packet_owner *owner)
{
    bool out = owner->sender.kind != PACKET_END_ELSEWHERE,
         in = owner->receiver.kind != PACKET_END_ELSEWHERE;
    const struct packet_process *process =
        owner->sender.process ? owner->sender.process : owner->receiver.process;
    struct packet_note note = {.interface = interface};

    if (out != in)
        note.direction = out ? PACKET_OUT : PACKET_IN;
    if (process)
        note.pid = process->pid;
    note.comment = sniff_owner_text(sniff, owner) + 2; /* spaces */
    return note;
}

void sniff_write(struct sniff *sniff, const struct sniff_source *source,
                 const struct captured *captured, const struct packet_flow *flow,
                 const struct packet_owner *owner)
{
    struct packet_note note = {.interface = (uint32_t)(source - sniff->sources)};

    if (sniff->noted)
        note = *sniff->noted;
    else if (owner)
        note = note_of(sniff, note.interface, owner);
    if (flow->ends.source_port == DNS_PORT)
        write_names(sniff, source, captured);
    put(sniff, captured, &note);
}

bool sniff_wants_owners(const struct sniff *sniff)
{
    return !sniff->options->write_file || sniff->options->print ||
           format_of(sniff) != PACKET_FORMAT_PCAP || sniff->filter.root ||
           sniff->session.options->packet_statistics;
}

void sniff_write_unowned(struct sniff *sniff, const struct captured *captured)
{
    put(sniff, captured, NULL);
    sniff->shown += !sniff->full && !sniff->failed;
}

void sniff_write_idle(struct sniff *sniff)
{
    int r;

    if (!sniff->writer || sniff->failed || sniff->full)
        return;
    r = packet_writer_flush(sniff->writer);
    if (r == 0)
        r = packet_writer_tick(sniff->writer);
    sniff->full = r == PACKET_WRITER_FULL;
    sniff->failed = r < 0 ? r : 0;
}

int sniff_close_writer(struct sniff *sniff)
{
    int r = packet_writer_close(sniff->writer), failed = packet_writer_command_error(sniff->writer);

    if (failed < 0)
        command_error("-z %s: %s", sniff->options->command, strerror(-failed));
    if (sniff->failed)
        r = sniff->failed;
    return r < 0 ? fail(sniff, r) : 0;
}
