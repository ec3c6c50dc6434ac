/* SPDX-License-Identifier: MIT */
/* TCP sockets from a file in which sock_diag's answer was kept. */
#include "collect/inet_diag_dump.h"

#include "collect/inet_diag_message.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>

/* A message of the kernel is at most as large as what it was asked to fill. */
#define MESSAGE_MAX ((size_t)64 * 1024)

struct dump_reader {
    struct collection *collection;
    FILE *file;
    const char *name;  /* of the file, for notes */
    uint32_t left_out; /* messages that are of no TCP socket */
    char *payload;     /* MESSAGE_MAX bytes, of the message under way */
};

/* Also a socket that was there before: the file is shown as it is. */
static int add_socket(struct dump_reader *reader, const struct nlmsghdr *header, size_t length)
{
    struct snapshot *snapshot = reader->collection->snapshot;
    const struct inet_diag_msg *message = (const void *)reader->payload;
    struct socket *socket;

    if (header->nlmsg_type < NLMSG_MIN_TYPE)
        return 0;
    if ((header->nlmsg_type != SOCK_DIAG_BY_FAMILY && header->nlmsg_type != TCPDIAG_GETSOCK) ||
        length < sizeof(*message) ||
        (message->idiag_family != AF_INET && message->idiag_family != AF_INET6)) {
        reader->left_out++;
        return 0;
    }
    socket = snapshot_add_socket(snapshot);
    if (!socket)
        return -ENOMEM;
    socket->proto = PROTO_TCP;
    inet_diag_fill(socket, message);
    return inet_diag_details(snapshot, snapshot->sockets_count - 1, reader->payload, length);
}

static void note(struct dump_reader *reader, int error, const char *text)
{
    snapshot_note(reader->collection->snapshot, NOTE_INCOMPLETE, reader->name, error,
                  "%s: %s%s%s: TCP sockets are missing", reader->name, text, error ? ": " : "",
                  error ? strerror(-error) : "");
}

/* Reads so many bytes. False: they are not all there, and why has been said. */
static bool get(struct dump_reader *reader, void *bytes, size_t size)
{
    if (fread(bytes, 1, size, reader->file) == size)
        return true;
    if (ferror(reader->file))
        note(reader, -errno, "cannot be read");
    else
        note(reader, 0, "it ends before the answer does");
    return false;
}

static void note_refusal(struct dump_reader *reader, size_t length)
{
    int error = 0;

    if (length >= sizeof(error))
        memcpy(&error, reader->payload, sizeof(error));
    if (error < 0 && error > -4096)
        note(reader, error, "the kernel's answer is an error");
    else
        note(reader, 0, "the kernel's answer is an error that was cut");
}

/* 1 when there is more to come; 0 at the end, of whatever kind; or -ENOMEM. */
static int read_message(struct dump_reader *reader)
{
    struct nlmsghdr header;
    size_t length;
    int r;

    if (!get(reader, &header, sizeof(header)))
        return 0;
    length = header.nlmsg_len - sizeof(header);
    if (header.nlmsg_len < sizeof(header) || NLMSG_ALIGN(length) > MESSAGE_MAX) {
        note(reader, 0, "it is no answer of sock_diag, or it is broken");
        return 0;
    }
    if (!get(reader, reader->payload, NLMSG_ALIGN(length)) || header.nlmsg_type == NLMSG_DONE)
        return 0;
    if (header.nlmsg_type == NLMSG_ERROR) {
        note_refusal(reader, length);
        return 0;
    }
    r = add_socket(reader, &header, length);
    return r < 0 ? r : 1;
}

int inet_diag_read_stream(struct collection *collection, FILE *file, const char *name)
{
    struct dump_reader reader = {
        .collection = collection, .file = file, .name = name, .payload = malloc(MESSAGE_MAX)};
    int r = reader.payload ? 1 : -ENOMEM;

    while (r > 0)
        r = read_message(&reader);
    if (reader.left_out)
        snapshot_note(collection->snapshot, NOTE_INCOMPLETE, name, 0,
                      "%s: %u messages are not of TCP sockets and are left out", name,
                      reader.left_out);
    free(reader.payload);
    return r;
}

int inet_diag_read_dump(struct collection *collection)
{
    const struct request_files *files = collection->request->files;
    FILE *file;
    int r = 0;

    if (!files || !files->tcp_dump || !collection_protos(collection, PROTO_BIT(PROTO_TCP)))
        return 0;
    collection->protos_done |= PROTO_BIT(PROTO_TCP);
    snapshot_source(collection->snapshot, socket_proto_name(PROTO_TCP), files->tcp_dump_name);
    file = fopen(files->tcp_dump, "re");
    if (file) {
        r = inet_diag_read_stream(collection, file, files->tcp_dump_name);
        fclose(file);
    } else {
        snapshot_note(collection->snapshot, NOTE_INCOMPLETE, files->tcp_dump_name, -errno,
                      "TCP sockets are missing: %s: %s: %s", files->tcp_dump_name, files->tcp_dump,
                      strerror(errno));
    }
    return r;
}
