/* SPDX-License-Identifier: MIT */
/* Fuzzing of the lines of /proc/net/{tcp,udp,raw}{,6}, unix, packet and netlink. */
#include "collect/proc_net_line.h"
#include "fuzz.h"
#include "model/snapshot.h"

#include <sys/socket.h>

static const struct {
    proc_line_fn *parse;
    enum socket_proto proto;
    uint8_t family;
} files[] = {
    {proc_line_inet, PROTO_TCP, AF_INET},           {proc_line_inet, PROTO_TCP, AF_INET6},
    {proc_line_inet, PROTO_UDP, AF_INET},           {proc_line_inet, PROTO_RAW, AF_INET6},
    {proc_line_unix, PROTO_UNIX, AF_UNIX},          {proc_line_packet, PROTO_PACKET, AF_PACKET},
    {proc_line_netlink, PROTO_NETLINK, AF_NETLINK},
};

static void add(struct snapshot *snapshot, const char *line, size_t length,
                const struct proc_row *row)
{
    struct socket *socket = snapshot_add_socket(snapshot);

    CHECK(socket);
    *socket = row->socket;
    CHECK(socket->state < STATE_MAX);
    if (!row->path)
        return;
    CHECK(row->path >= line && row->path + row->path_length <= line + length);
    CHECK(snapshot_intern(snapshot, row->path, row->path_length, &socket->path) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP_FREE char *text = NULL;
    const char *at, *end;
    size_t file;

    if (size < 1)
        return 0;
    file = fuzz_choose(&data, &size, ARRAY_SIZE(files));
    text = fuzz_text(data, size);
    fuzz_snapshot(&snapshot);
    for (at = text; at < text + size; at = end + 1) {
        struct proc_row row = {
            .socket = {.proto = (uint8_t)files[file].proto, .family = files[file].family}};

        end = memchr(at, '\n', (size_t)(text + size - at));
        end = end ? end : text + size;
        if (files[file].parse(at, (size_t)(end - at), &row) == 0)
            add(&snapshot, at, (size_t)(end - at), &row);
    }
    fuzz_show(&snapshot);
    return 0;
}
