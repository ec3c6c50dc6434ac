/* SPDX-License-Identifier: MIT */
/* nwho sniff -r of a file of pcapng: packets with what is noted of them. */
#include "cli/sniff.h"

#include <string.h>
#include <sys/socket.h>

#define NS_PER_US 1000

static void pass_name_on(void *context, unsigned int family, const uint8_t *address,
                         const char *name)
{
    struct sniff *sniff = context;
    int r = sniff->writer ? packet_writer_put_name(sniff->writer, family, address, name) : 0;

    if (r < 0)
        sniff->failed = r;
}

int sniff_take_pcapng(struct sniff *sniff, int fd)
{
    const struct pcapng_names names = {pass_name_on, sniff};
    uint8_t begin[4];
    int r;

    if (pread(fd, begin, sizeof(begin), 0) != sizeof(begin) || !pcapng_begins(begin, sizeof(begin)))
        return 0;
    r = pcapng_reader_open(fd, &names, &sniff->reader);
    return r < 0 ? r : 1;
}

/* "web" of "netns web", as it is written. */
static const char *netns_of(const char *description)
{
    static const char begin[] = "netns ";
    size_t length = sizeof(begin) - 1;

    return description && strncmp(description, begin, length) == 0 ? description + length : NULL;
}

/* Interfaces are sources, in the same order. */
static int add_source(struct sniff *sniff)
{
    const struct packet_interface *interface =
        pcapng_reader_interface(sniff->reader, sniff->source_count);
    struct sniff_source *sources =
        reallocarray(sniff->sources, sniff->source_count + 1, sizeof(*sources));
    char error[CAPTURE_ERROR_SIZE];

    if (!sources)
        return command_error("out of memory");
    sniff->sources = sources;
    sources += sniff->source_count;
    *sources = (struct sniff_source){.interface = interface->name,
                                     .netns = netns_of(interface->description)};
    sources->labelled = sources->netns;
    if (capture_open_none(interface->link_type, interface->snapshot_length, &sources->capture,
                          error) < 0)
        return command_error("sniff: %s", error);
    sniff->source_count++;
    if (sniff_finish_source(sniff, sources, error) != 0)
        return EXIT_ERROR;
    return sniff->options->write_file ? sniff_write_source(sniff) : 0;
}

/* All that are known by now. */
static int add_sources(struct sniff *sniff)
{
    int r = 0;

    while (r == 0 && sniff->source_count < pcapng_reader_interface_count(sniff->reader))
        r = add_source(sniff);
    return r;
}

static int take_packet(struct sniff *sniff, struct captured *captured,
                       const struct packet_note *note)
{
    int r = add_sources(sniff);

    if (r != 0 || !capture_matches(sniff->sources[note->interface].capture, captured))
        return r;
    if (!sniff->options->capture.nanoseconds)
        captured->fraction /= NS_PER_US;
    sniff->noted = note;
    sniff_show(sniff, &sniff->sources[note->interface], captured);
    sniff->noted = NULL;
    return 0;
}

int sniff_read_pcapng(struct sniff *sniff)
{
    struct captured captured;
    struct packet_note note;
    const char *problem;
    int r = 1, taken = 0;

    while (r > 0 && taken == 0 && !sniff_is_full(sniff) && !sniff->out.error) {
        r = pcapng_reader_next(sniff->reader, &captured, &note);
        if (r > 0)
            taken = take_packet(sniff, &captured, &note);
    }
    if (r == 0 && taken == 0)
        taken = add_sources(sniff);
    problem = pcapng_reader_problem(sniff->reader);
    if (problem)
        taken = sniff_file_error(sniff, problem);
    (void)buf_flush(&sniff->out);
    if (r < 0)
        return r;
    return sniff->out.error && sniff->out.error != -EPIPE ? sniff->out.error : taken;
}
