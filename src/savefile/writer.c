/* SPDX-License-Identifier: MIT */
/* Writes packets into files, one or many in turn. */
#include "savefile/writer.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "savefile/command.h"
#include "savefile/opener.h"
#include "savefile/pcap_file.h"
#include "savefile/pcapng.h"

#include <strings.h>
#include <sys/socket.h>

#define NUMBER_MAX 1000000 /* of files beside each other that are passed over */

struct packet_writer {
    struct packet_writer_request request;
    struct packet_interface *interfaces; /* their texts are owned */
    uint32_t interface_count, interface_capacity;
    struct opener opener;
    struct commands commands;
    struct output output;
    struct map named;  /* what the file says of names, by hash */
    struct buf path;   /* of the file that is written */
    time_t begin;      /* of the time that it is named after */
    uint64_t deadline; /* of CLOCK_MONOTONIC, when the next one begins; 0: never */
    uint32_t number;   /* of the file, behind its name */
    uint32_t periods;  /* that have begun */
};

enum packet_format packet_format_of(const char *path)
{
    const char *end = strrchr(path, '.');

    return end && strcasecmp(end, ".pcapng") == 0 ? PACKET_FORMAT_PCAPNG : PACKET_FORMAT_PCAP;
}

static bool is_standard_output(const struct packet_writer *writer)
{
    return strcmp(writer->request.path, "-") == 0;
}

/* --- one file --- */

/* Names the file in `path`; returns its name within the opener's directory by `ret_name`. */
static int set_path(struct packet_writer *writer, const char **ret_name)
{
    size_t directory = strlen(writer->opener.path);
    int r;

    buf_reset(&writer->path);
    r = rotation_put_name(&writer->path, &writer->request.rotation, writer->request.path,
                          writer->begin, writer->number);
    *ret_name = buf_string(&writer->path) + directory;
    return r;
}

/* Numbers whose files are there already are passed over. */
static int create_file(struct packet_writer *writer, int *ret_fd)
{
    bool again = rotation_overwrites(&writer->request.rotation);
    uint32_t last = writer->number + NUMBER_MAX;
    const char *name;
    int r;

    do {
        r = set_path(writer, &name);
        if (r < 0)
            return r;
        r = opener_create(&writer->opener, name, again, ret_fd);
    } while (r == -EEXIST && writer->number++ < last);
    return r;
}

static int begin_file(struct packet_writer *writer)
{
    struct output *output = &writer->output;
    int fd, r;

    if (is_standard_output(writer)) {
        fd = dup(STDOUT_FILENO);
        r = fd < 0 ? -errno : 0;
        buf_puts(&writer->path, "standard output");
    } else {
        r = create_file(writer, &fd);
    }
    if (r < 0)
        return r;
    output_begin(output, writer->request.format, fd);
    map_clear(&writer->named);
    if (writer->request.format == PACKET_FORMAT_PCAP) {
        pcap_file_put_header(&output->buffer, &writer->interfaces[0]);
    } else {
        pcapng_put_section(&output->buffer, writer->request.application);
        for (uint32_t i = 0; i < writer->interface_count; i++)
            pcapng_put_interface(&output->buffer, &writer->interfaces[i]);
    }
    return output_flush(output);
}

static int end_file(struct packet_writer *writer)
{
    const struct packet_writer_request *request = &writer->request;
    struct packet_counts counts;

    if (request->format == PACKET_FORMAT_PCAPNG && request->read_counts)
        for (uint32_t i = 0; i < writer->interface_count; i++)
            if (request->read_counts(request->context, i, &counts) == 0)
                pcapng_put_statistics(&writer->output.buffer, i, &writer->interfaces[i],
                                      clock_ns(CLOCK_REALTIME), &counts);
    return output_end(&writer->output);
}

/* --- the next file --- */

/* The file is over, and there are others. A command that cannot be run ends no capture. */
static int finish_file(struct packet_writer *writer)
{
    const char *command = writer->request.command;
    int r = end_file(writer);

    if (r == 0 && command)
        commands_begin(&writer->commands, command, buf_string(&writer->path));
    return r;
}

static int next_file(struct packet_writer *writer)
{
    int r = finish_file(writer);

    return r < 0 ? r : begin_file(writer);
}

/* A time is over: the next file has a new name, and its numbers begin anew. */
static int next_period(struct packet_writer *writer)
{
    const struct rotation_options *rotation = &writer->request.rotation;
    uint64_t now = clock_ns(CLOCK_MONOTONIC), length = rotation->seconds * SECOND_NS;

    if (!rotation->size && rotation->files && writer->periods >= rotation->files) {
        int r = finish_file(writer);

        return r < 0 ? r : PACKET_WRITER_FULL;
    }
    writer->deadline += (now - writer->deadline) / length * length + length;
    writer->begin = time(NULL);
    writer->number = 0;
    writer->periods++;
    return next_file(writer);
}

static int next_number(struct packet_writer *writer)
{
    uint32_t files = writer->request.rotation.files;

    writer->number++;
    if (files)
        writer->number %= files;
    return next_file(writer);
}

int packet_writer_tick(struct packet_writer *writer)
{
    if (writer->deadline && clock_ns(CLOCK_MONOTONIC) >= writer->deadline)
        return next_period(writer);
    return 0;
}

int packet_writer_wait_ms(const struct packet_writer *writer)
{
    uint64_t now = clock_ns(CLOCK_MONOTONIC);

    if (!writer->deadline)
        return -1;
    if (now >= writer->deadline)
        return 0;
    return (int)((writer->deadline - now + MILLISECOND_NS - 1) / MILLISECOND_NS);
}

/* --- what is written --- */

int packet_writer_put(struct packet_writer *writer, const struct captured *captured,
                      const struct packet_note *note)
{
    uint64_t size = writer->request.rotation.size;
    struct output *output = &writer->output;
    int r = packet_writer_tick(writer);

    if (r == 0 && size && output_size(output) > size)
        r = next_number(writer);
    if (r != 0)
        return r;
    if (writer->request.format == PACKET_FORMAT_PCAP)
        pcap_file_put_packet(&output->buffer, captured);
    else
        pcapng_put_packet(&output->buffer, &writer->interfaces[note->interface], captured, note);
    return output_added(output);
}

int packet_writer_put_name(struct packet_writer *writer, unsigned int family,
                           const uint8_t *address, const char *name)
{
    size_t size = family == AF_INET ? 4 : 16;
    uint64_t key;

    if (writer->request.format == PACKET_FORMAT_PCAP)
        return 0;
    key = hash_bytes(hash_bytes(HASH_INIT, name, strlen(name)), address, size);
    if (map_get(&writer->named, key) != MAP_NONE)
        return 0;
    if (map_set(&writer->named, key, family) < 0)
        return -ENOMEM;
    pcapng_put_name(&writer->output.buffer, family, address, name);
    return output_added(&writer->output);
}

int packet_writer_flush(struct packet_writer *writer)
{
    return output_flush(&writer->output);
}

const char *packet_writer_file(struct packet_writer *writer)
{
    return buf_string(&writer->path);
}

/* --- the whole --- */

static int copy_text(const char *text, const char **ret_copy)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy)
        return -ENOMEM;
    *ret_copy = copy;
    return 0;
}

static int remember_interface(struct packet_writer *writer,
                              const struct packet_interface *interface)
{
    struct packet_interface copy = *interface;

    copy.name = copy.description = NULL;
    if (VEC_RESERVE(&writer->interfaces, &writer->interface_capacity, writer->interface_count, 1) <
            0 ||
        copy_text(interface->name, &copy.name) < 0)
        return -ENOMEM;
    if (copy_text(interface->description, &copy.description) < 0) {
        free((char *)copy.name);
        return -ENOMEM;
    }
    writer->interfaces[writer->interface_count++] = copy;
    return 0;
}

int packet_writer_add_interface(struct packet_writer *writer,
                                const struct packet_interface *interface, uint32_t *ret_number)
{
    int r;

    if (writer->request.format == PACKET_FORMAT_PCAP)
        return -EOPNOTSUPP;
    r = remember_interface(writer, interface);
    if (r < 0)
        return r;
    pcapng_put_interface(&writer->output.buffer, interface);
    r = output_added(&writer->output);
    if (r == 0)
        *ret_number = writer->interface_count - 1;
    return r;
}

static int begin(struct packet_writer *writer, const struct packet_interface *interface)
{
    const struct packet_writer_request *request = &writer->request;
    size_t fixed = rotation_fixed(&request->rotation, request->path);
    int r = remember_interface(writer, interface);

    if (r == 0 && !is_standard_output(writer))
        r = opener_open(&writer->opener, request->path, fixed,
                        rotation_overwrites(&request->rotation));
    if (r < 0) {
        buf_puts(&writer->path, request->path);
        return r;
    }
    writer->begin = time(NULL);
    writer->periods = 1;
    if (request->rotation.seconds)
        writer->deadline = clock_ns(CLOCK_MONOTONIC) + request->rotation.seconds * SECOND_NS;
    return begin_file(writer);
}

int packet_writer_open(const struct packet_writer_request *request,
                       const struct packet_interface *interface, struct packet_writer **ret_writer,
                       struct buf *ret_file)
{
    struct packet_writer *writer = calloc(1, sizeof(*writer));
    int r;

    if (!writer)
        return -ENOMEM;
    writer->request = *request;
    writer->opener = OPENER_NONE;
    writer->output = OUTPUT_NONE;
    writer->path = BUF_INIT;
    r = begin(writer, interface);
    if (r == 0) {
        *ret_writer = writer;
        return 0;
    }
    buf_puts(ret_file, buf_string(&writer->path));
    packet_writer_free(writer);
    return r;
}

int packet_writer_delegate(struct packet_writer *writer, uid_t user, gid_t group)
{
    int r;

    if (is_standard_output(writer))
        return 0;
    writer->opener.user = user;
    writer->opener.group = group;
    r = opener_give(&writer->opener, writer->output.fd);
    if (r < 0 || !rotation_is_any(&writer->request.rotation))
        return r;
    return opener_delegate(&writer->opener);
}

int packet_writer_command_error(const struct packet_writer *writer)
{
    return writer->commands.error;
}

int packet_writer_close(struct packet_writer *writer)
{
    return writer->output.fd >= 0 ? end_file(writer) : 0;
}

void packet_writer_free(struct packet_writer *writer)
{
    if (!writer)
        return;
    output_done(&writer->output);
    opener_close(&writer->opener);
    commands_done(&writer->commands);
    for (uint32_t i = 0; i < writer->interface_count; i++) {
        free((char *)writer->interfaces[i].name);
        free((char *)writer->interfaces[i].description);
    }
    free(writer->interfaces);
    map_done(&writer->named);
    buf_done(&writer->path);
    free(writer);
}
