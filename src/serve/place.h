/* SPDX-License-Identifier: MIT */
/* Place: where the server listens, as --listen says it. */
#pragma once

#include "base/buf.h"

#include <netinet/in.h>
#include <sys/un.h>

#define PLACE_USUAL "127.0.0.1:9477"

struct place {
    union {
        struct sockaddr any; /* AF_UNSPEC: nowhere */
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
        struct sockaddr_un local;
    };
    socklen_t length;
};

/* ADDR:PORT, [ADDR]:PORT, unix:PATH or none. 0 or -EINVAL. */
int place_parse(const char *text, struct place *ret_place) MUST_CHECK;

/* Only processes of this machine come there. */
bool place_is_here(const struct place *place);

/* Binds and listens; the port of `place` is then the one that it got. A file of a socket that
 * nobody listens at any more is replaced. 0 or -errno. */
int place_open(struct place *place, int *ret_fd) MUST_CHECK;

/* Removes the file of a socket. */
void place_close(const struct place *place);

/* "http://127.0.0.1:9477/metrics", where PATH is "/metrics"; "unix:/run/nwho.sock". */
void place_put(const struct place *place, const char *path, struct buf *out);
