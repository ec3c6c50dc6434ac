/* SPDX-License-Identifier: MIT */
/* Serve: the recorder's side of the server: where it listens, its process, and the numbers that it
 * is given. */
#pragma once

#include "base/buf.h"
#include "serve/exposition.h"
#include "serve/present.h"

struct serve;

/* Who answers questions of the API: runs a command line as main() would, and ends the process with
 * its exit code. */
typedef void serve_run(int argc, char **argv);

/* As the command line says it. */
struct serve_options {
    const char *listen;     /* a place; NULL: the usual one, if it is free */
    const char *token_file; /* NULL: none */
    const char *names;      /* of --host; NULL: none */
    const char *store;      /* file of the history */
    serve_run *run;
};

/*
 * Binds. 0; *ret_serve is NULL where nothing is to be served, or where the usual place is not free,
 * which `problem` says in one line. -errno after such a line.
 */
int serve_open(const struct serve_options *options, struct buf *problem, struct serve **ret_serve)
    MUST_CHECK;

/* Starts the processes that answer: one that talks with clients, and one that reads the history for
 * it; to be called before anything is opened that is none of their business. `every_ns`: how often
 * there will be numbers. 0 or -errno; 1 in those processes, when there is nothing more to do but to
 * end at once: _exit(2). */
int serve_start(struct serve *serve, uint64_t every_ns) MUST_CHECK;

/* There was a tick. Never waits. 0, or -EPIPE: the process is gone. */
int serve_outdate(const struct serve *serve) MUST_CHECK;

/* Readable when somebody asks for the numbers of the last tick; -1: nobody will. */
int serve_numbers_fd(const struct serve *serve);

/* Takes that wish. False: there was none. */
bool serve_take_numbers_wish(struct serve *serve);

/* Gives the numbers of now. Never waits. 0, or -EPIPE: the process is gone. */
int serve_publish(const struct serve *serve, const struct buf bodies[EXPOSITION_BODIES]) MUST_CHECK;

/* Readable when a snapshot of now is wanted; -1: nobody will want one. */
int serve_wish_fd(const struct serve *serve);

/* Takes a wish. False: there is none any more. */
bool serve_take_wish(struct serve *serve, enum present *ret_present);

/* Grants it: memory that is sealed. Never waits. 0 or -errno. */
int serve_grant(const struct serve *serve, enum present present, int memory) MUST_CHECK;

/* Ends the processes, if they were started here. NULL is nothing. */
void serve_close(struct serve *serve);

/* Where it listens: "http://127.0.0.1:9477/metrics", where `path` is "/metrics". */
void serve_put_place(const struct serve *serve, const char *path, struct buf *out);
