/* SPDX-License-Identifier: MIT */
/* Copies a file of packets into one of pcapng, with notes; or says what is in such a file. */
/*
 *   pcapng_tool write FROM TO   packet 1, 2, ... have that pid, two interfaces and directions
 *   pcapng_tool read FILE       a line each: time, lengths, interface, direction, pid, tid, comment
 */
#include "collect/capture.h"
#include "savefile/pcapng_reader.h"
#include "savefile/writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>

static int fail(const char *what)
{
    fprintf(stderr, "pcapng_tool: %s\n", what);
    return 1;
}

/* --- write --- */

static int read_counts(void *context, uint32_t interface, struct packet_counts *ret_counts)
{
    const uint32_t *number = context;

    *ret_counts = (struct packet_counts){*number, interface, interface};
    return 0;
}

static int put_one(struct packet_writer *writer, const struct captured *captured, uint32_t number)
{
    const uint8_t address[4] = {192, 0, 2, (uint8_t)(number / 200)}; /* told of twice */
    struct packet_note note = {
        .interface = number % 2, .direction = number % 3, .pid = number, .tid = number + 1};
    char comment[32];

    snprintf(comment, sizeof(comment), "nginx[%u]", number);
    if (number % 5)
        note.comment = comment;
    if (number % 100 == 1 && packet_writer_put_name(writer, AF_INET, address, "web.example") < 0)
        return -1;
    return packet_writer_put(writer, captured, &note);
}

struct copying {
    struct packet_writer *writer;
    uint32_t number;
    int error;
};

static bool copy_one(void *context, const struct captured *captured)
{
    struct copying *copying = context;

    copying->error = put_one(copying->writer, captured, ++copying->number);
    return copying->error == 0;
}

static int copy(struct capture *capture, const char *to)
{
    struct packet_interface interface = {
        "eth0", "netns web", .link_type = capture_link_type(capture),
        .snapshot_length = capture_snapshot_length(capture), .nanoseconds = true};
    struct copying copying = {.number = 0};
    uint32_t second;
    struct packet_writer_request request = {.path = to,
                                            .format = PACKET_FORMAT_PCAPNG,
                                            .application = "pcapng_tool",
                                            .read_counts = read_counts,
                                            .context = &copying.number};
    struct packet_writer *writer;
    struct buf file = BUF_INIT;
    char error[CAPTURE_ERROR_SIZE];
    bool end = false;
    int r = packet_writer_open(&request, &interface, &writer, &file);

    buf_done(&file);
    if (r < 0)
        return r;
    interface.name = "eth1";
    r = packet_writer_add_interface(writer, &interface, &second);
    copying.writer = writer;
    while (r == 0 && !end &&
           capture_read(capture, UINT32_MAX, copy_one, &copying, &end, error) >= 0)
        r = copying.error;
    if (r == 0)
        r = packet_writer_close(writer);
    packet_writer_free(writer);
    return r;
}

static int write_file(const char *from, const char *to)
{
    char error[CAPTURE_ERROR_SIZE];
    struct capture *capture;
    int r;

    if (capture_open_file(from, true, &capture, error) < 0)
        return fail(error);
    r = copy(capture, to);
    capture_close(capture);
    return r < 0 ? fail(strerror(-r)) : 0;
}

/* --- read --- */

static void print_name(void *context, unsigned int family, const uint8_t *address, const char *name)
{
    uint32_t *count = context;

    (void)family;
    (void)address;
    (void)name;
    ++*count;
}

static int read_file(const char *path)
{
    uint32_t names = 0;
    struct pcapng_names teller = {print_name, &names};
    struct pcapng_reader *reader;
    struct captured captured;
    struct packet_note note;
    int fd = open(path, O_RDONLY | O_CLOEXEC), r;

    if (fd < 0 || pcapng_reader_open(fd, &teller, &reader) < 0)
        return fail(path);
    while ((r = pcapng_reader_next(reader, &captured, &note)) > 0)
        printf("%lld.%09u\t%u\t%u\t%s\t%u\t%u\t%u\t%s\n", (long long)captured.seconds,
               captured.fraction, captured.captured, captured.length,
               pcapng_reader_interface(reader, note.interface)->name, (unsigned int)note.direction,
               note.pid, note.tid, note.comment ? note.comment : "");
    printf("%u names, %u interfaces\n", names, pcapng_reader_interface_count(reader));
    if (pcapng_reader_problem(reader))
        return fail(pcapng_reader_problem(reader));
    pcapng_reader_close(reader);
    return r < 0 ? fail(strerror(-r)) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "write") == 0)
        return write_file(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "read") == 0)
        return read_file(argv[2]);
    return fail("usage: write FROM TO, or read FILE");
}
