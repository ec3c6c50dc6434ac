/* SPDX-License-Identifier: MIT */
/* Answers of sock_diag about TCP that are kept in a file: written as they come, and read again. */
#pragma once

#include "base/buf.h"
#include "collect/source.h"

#include <stdio.h>

/* Asks for the TCP sockets of this namespace and writes what the kernel answers. 0 or -errno. */
int inet_diag_write_dump(const struct request *request, struct buf *out) MUST_CHECK;

/* Asks for no socket of a protocol: whether sock_diag can tell of any. 0 or -errno. */
int inet_diag_try(enum socket_proto proto) MUST_CHECK;

/*
 * Reads the sockets of request->files->tcp_dump, if there is one: all that are in it, up to its
 * first end of an answer. What is wrong with the file leaves a note. 0 or -ENOMEM.
 */
int inet_diag_read_dump(struct collection *collection) MUST_CHECK;

/* The same of an open file; `name` is for the notes. */
int inet_diag_read_stream(struct collection *collection, FILE *file, const char *name) MUST_CHECK;
