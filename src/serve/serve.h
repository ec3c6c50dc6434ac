/* SPDX-License-Identifier: MIT */
/* Serve: the recorder's side of the server: where it listens, its process, and the numbers that it
 * is given. */
#pragma once

#include "base/buf.h"
#include "out/openmetrics.h"

struct serve;

/* As the command line says it. */
struct serve_options {
    const char *listen;     /* a place; NULL: the usual one, if it is free */
    const char *token_file; /* NULL: none */
    const char *names;      /* of --host; NULL: none */
};

/*
 * Binds. 0; *ret_serve is NULL where nothing is to be served, or where the usual place is not free,
 * which `problem` says in one line. -errno after such a line.
 */
int serve_open(const struct serve_options *options, struct buf *problem, struct serve **ret_serve)
    MUST_CHECK;

/* Starts the process that answers; to be called before anything is opened that is none of its
 * business. `every_ns`: how often there will be numbers. 0 or -errno; 1 in that process, when there
 * is nothing more to do but to end at once: _exit(2). */
int serve_start(struct serve *serve, uint64_t every_ns) MUST_CHECK;

/* Gives it the numbers of now. Never waits. 0, or -EPIPE: the process is gone. */
int serve_publish(struct serve *serve, const struct buf bodies[METRIC_FORM_MAX]) MUST_CHECK;

/* Ends the process, if it was started here. NULL is nothing. */
void serve_close(struct serve *serve);

/* Where it listens: "http://127.0.0.1:9477/metrics", where `path` is "/metrics". */
void serve_put_place(const struct serve *serve, const char *path, struct buf *out);
