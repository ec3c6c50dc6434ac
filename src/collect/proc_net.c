/* SPDX-License-Identifier: MIT */
/* Sockets from the text files in /proc/net: for what no better source has brought. */
#include "collect/diag.h"
#include "collect/netns.h"
#include "collect/proc_net_line.h"
#include "collect/proc_path.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/net.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BUFFER_SIZE ((size_t)1024 * 1024)

struct proc_file {
    const char *name;
    enum socket_proto proto;
    uint8_t family;
    uint8_t type; /* 0: the lines tell it */
    proc_line_fn *parse;
    bool always; /* every kernel has it, so that its absence is worth a word */
};

static const struct proc_file proc_files[] = {
    {"tcp", PROTO_TCP, AF_INET, SOCK_STREAM, proc_line_inet, true},
    {"tcp6", PROTO_TCP, AF_INET6, SOCK_STREAM, proc_line_inet, false},
    {"udp", PROTO_UDP, AF_INET, SOCK_DGRAM, proc_line_inet, true},
    {"udp6", PROTO_UDP, AF_INET6, SOCK_DGRAM, proc_line_inet, false},
    {"udplite", PROTO_UDPLITE, AF_INET, SOCK_DGRAM, proc_line_inet, false},
    {"udplite6", PROTO_UDPLITE, AF_INET6, SOCK_DGRAM, proc_line_inet, false},
    {"raw", PROTO_RAW, AF_INET, SOCK_RAW, proc_line_inet, false},
    {"raw6", PROTO_RAW, AF_INET6, SOCK_RAW, proc_line_inet, false},
    {"icmp", PROTO_ICMP, AF_INET, SOCK_DGRAM, proc_line_inet, false},
    {"icmp6", PROTO_ICMP, AF_INET6, SOCK_DGRAM, proc_line_inet, false},
    {"unix", PROTO_UNIX, AF_UNIX, 0, proc_line_unix, true},
    {"packet", PROTO_PACKET, AF_PACKET, 0, proc_line_packet, false},
    {"netlink", PROTO_NETLINK, AF_NETLINK, 0, proc_line_netlink, true},
};

/* The files of one namespace being read, one after the other. */
struct proc_reader {
    struct collection *collection;
    const struct proc_file *file;
    char path[PATH_MAX]; /* of it */
    bool is_instead;     /* it is read in the place of the kernel's: a copy, in which nothing moves
                          */
    uint32_t netns;
    uint32_t states;
    uint32_t malformed;
    bool header_seen;
    uint32_t unread; /* PROTO_BIT()s of files in the place of the kernel's that cannot be read */
    bool no_memory;  /* ours, not an error of read() */
    struct map seen; /* inode -> index of the socket */
    char *buffer;    /* BUFFER_SIZE bytes */
};

static void reader_done(struct proc_reader *reader)
{
    map_done(&reader->seen);
    free(reader->buffer);
}

/*
 * As the file has it. In the machine's own table a connection that nobody has accepted yet counts
 * as established, which it is for its program.
 */
static void settle_instead(struct proc_row *row)
{
    struct socket *socket = &row->socket;

    if (socket->proto == PROTO_TCP || socket->proto == PROTO_NETLINK)
        socket->kernel_address = row->kernel_address;
    if (socket->proto != PROTO_UNIX || socket->state == STATE_LISTENING)
        return;
    if (row->unix_state == SS_CONNECTING)
        socket->state = STATE_SYN_SENT;
    else if (row->unix_state == SS_DISCONNECTING)
        socket->state = STATE_CLOSING;
}

/*
 * A socket with a file has an inode of its own: one that comes again was shown twice because the
 * table moved.
 */
static int add_row(struct proc_reader *reader, struct proc_row *row)
{
    struct snapshot *snapshot = reader->collection->snapshot;
    uint32_t inode = row->socket.inode, path = 0;
    struct socket *socket;
    int r = 0;

    if (reader->is_instead)
        settle_instead(row);
    if (!(reader->states & STATE_BIT(row->socket.state)))
        return 0;
    if (inode && !reader->is_instead && map_get(&reader->seen, inode) != MAP_NONE)
        return 0;
    if (row->path)
        r = snapshot_intern(snapshot, row->path, row->path_length, &path);
    socket = r == 0 ? snapshot_add_socket(snapshot) : NULL;
    if (!socket)
        return -ENOMEM;
    *socket = row->socket;
    socket->netns = reader->netns;
    socket->path = path;
    return inode ? map_set(&reader->seen, inode, snapshot->sockets_count - 1) : 0;
}

static int read_line(struct proc_reader *reader, const char *line, size_t length)
{
    const struct proc_file *file = reader->file;
    struct proc_row row = {
        .socket = {.proto = (uint8_t)file->proto, .family = file->family, .type = file->type}};

    if (!reader->header_seen) {
        reader->header_seen = true;
        return 0;
    }
    if (file->parse(line, length, &row) < 0) {
        reader->malformed++;
        return 0;
    }
    return add_row(reader, &row);
}

/*
 * Takes the whole lines among the first *length bytes of the buffer and moves the rest to its
 * front.
 */
static int read_lines(struct proc_reader *reader, size_t *length)
{
    const char *at = reader->buffer, *end = at + *length, *newline;
    int r = 0;

    while (r == 0 && (newline = memchr(at, '\n', (size_t)(end - at)))) {
        r = read_line(reader, at, (size_t)(newline - at));
        at = newline + 1;
    }
    *length = (size_t)(end - at);
    memmove(reader->buffer, at, *length);
    return r;
}

/* 0, -ENOMEM, or the error of read(). A last line without its end counts as malformed. */
static int read_all(struct proc_reader *reader, int fd)
{
    size_t length = 0;
    ssize_t got;
    int r = 0;

    do {
        if (length == BUFFER_SIZE) {
            reader->malformed++;
            length = 0;
        }
        do
            got = read(fd, reader->buffer + length, BUFFER_SIZE - length);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return -errno;
        length += (size_t)got;
        r = read_lines(reader, &length);
        reader->no_memory = r < 0;
    } while (r == 0 && got > 0);
    reader->malformed += length > 0;
    return r;
}

static void note_file(struct proc_reader *reader, int error)
{
    struct snapshot *snapshot = reader->collection->snapshot;
    const struct proc_file *file = reader->file;
    uint32_t malformed = reader->malformed;
    char kernels[32];
    const char *source = reader->is_instead ? reader->path : kernels;

    snprintf(kernels, sizeof(kernels), "/proc/net/%s", file->name);
    if (error < 0 && (error != -ENOENT || file->always))
        snapshot_note(snapshot, NOTE_INCOMPLETE, source, error, "%s sockets are missing: %s: %s",
                      socket_proto_name(file->proto), source, strerror(-error));
    if (malformed && file->proto == PROTO_UNIX)
        snapshot_note(snapshot, NOTE_DETAIL, source, 0,
                      "%u lines are not the kernel's: some name has a line break in it and is "
                      "shown cut, and rows of unix sockets may be forged by such names",
                      malformed);
    else if (malformed)
        snapshot_note(snapshot, NOTE_INCOMPLETE, source, 0,
                      "%s: %u lines could not be understood and are left out", source, malformed);
}

/* Where the file is: of this thread's namespace, unless others are read in its place. */
static int find_path(struct proc_reader *reader)
{
    const struct request_files *files = reader->collection->request->files;
    char name[32];

    reader->is_instead =
        (collection_file_protos(reader->collection) & PROTO_BIT(reader->file->proto)) != 0;
    snprintf(name, sizeof(name), "net/%s", reader->file->name);
    return proc_path(reader->is_instead ? files : NULL, name, reader->path, sizeof(reader->path));
}

static int read_file(struct proc_reader *reader)
{
    CLEANUP_CLOSE int fd = -1;
    int r = find_path(reader);

    reader->malformed = 0;
    reader->header_seen = false;
    map_clear(&reader->seen);
    if (r == 0) {
        fd = open(reader->path, O_RDONLY | O_CLOEXEC);
        r = fd < 0 ? -errno : read_all(reader, fd);
    }
    if (reader->no_memory)
        return -ENOMEM;
    if (r < 0 && reader->is_instead)
        reader->unread |= PROTO_BIT(reader->file->proto);
    note_file(reader, r);
    return 0;
}

static bool is_asked(const struct collection *collection, const struct proc_file *file)
{
    return collection_protos(collection, PROTO_BIT(file->proto)) &&
           request_wants_family(collection->request, file->family);
}

static int read_namespace(struct collection *collection, uint32_t netns)
{
    CLEANUP(reader_done)
    struct proc_reader reader = {
        .collection = collection, .netns = netns, .buffer = malloc(BUFFER_SIZE)};
    int r = 0;

    if (!reader.buffer)
        return -ENOMEM;
    for (size_t i = 0; i < ARRAY_SIZE(proc_files) && r == 0; i++) {
        reader.file = &proc_files[i];
        reader.states = diag_states(collection->request, proc_files[i].proto);
        /* Half of what was to be read instead would look like the whole. */
        if (is_asked(collection, &proc_files[i]) &&
            !(reader.unread & PROTO_BIT(proc_files[i].proto)))
            r = read_file(&reader);
    }
    return r;
}

/* What these files cannot promise. */
static void note_limits(struct snapshot *snapshot, uint32_t protos)
{
    if (protos & PROTO_BIT(PROTO_UNIX))
        snapshot_note(snapshot, NOTE_INFO, "/proc/net/unix", 0,
                      "a name with line breaks can look like another socket there");
}

uint32_t proc_net_protos(void)
{
    uint32_t protos = 0;

    for (size_t i = 0; i < ARRAY_SIZE(proc_files); i++) {
        char name[32], path[PATH_MAX];

        snprintf(name, sizeof(name), "net/%s", proc_files[i].name);
        if (proc_path(NULL, name, path, sizeof(path)) == 0 && access(path, R_OK) == 0)
            protos |= PROTO_BIT(proc_files[i].proto);
    }
    return protos;
}

static int collect_proc_net(struct collection *collection)
{
    uint32_t protos = 0;
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(proc_files); i++)
        if (is_asked(collection, &proc_files[i]))
            protos |= PROTO_BIT(proc_files[i].proto);
    if (!protos)
        return 0;
    r = netns_for_each(collection, read_namespace);
    if (r == -ENOMEM)
        return r;
    note_limits(collection->snapshot, protos);
    for (unsigned int proto = PROTO_UNKNOWN + 1; proto < PROTO_MAX; proto++)
        if (protos & PROTO_BIT(proto))
            snapshot_source(collection->snapshot, socket_proto_name(proto), "/proc/net");
    collection->protos_done |= protos;
    collection->protos_by_files |= protos;
    if (protos & PROTO_BIT(PROTO_NETLINK) && collection->request->needs & NEED_PORT_NAMES)
        return netlink_name_ports(collection);
    return 0;
}

const struct collector collector_proc_net = {
    .name = "proc_net",
    .provides = NEED_SOCKETS,
    .source = SOURCE_PROC_NET,
    .collect = collect_proc_net,
};
