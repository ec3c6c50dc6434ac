/* SPDX-License-Identifier: MIT */
/* Connection: one client, from request to request. Nothing in it waits. */
#pragma once

#include "serve/answer.h"
#include "serve/exposition.h"

enum connection_phase {
    CONNECTION_READING,
    CONNECTION_WRITING,
    CONNECTION_LINGERING, /* was refused: what still comes is thrown away, lest a reset takes the
                             answer from the client */
};

struct connection {
    int fd; /* -1: it is none */
    enum connection_phase phase;
    bool begun;           /* a part of a request has come */
    bool closes;          /* after the answer */
    uint64_t since_ns;    /* CLOCK_MONOTONIC when the phase began */
    uint64_t deadline_ns; /* when it ends */
    struct answer_address own;
    char request[HTTP_HEAD_MAX];
    size_t have;           /* of the request */
    struct buf head;       /* of the answer, with a short body */
    size_t sent;           /* of the answer */
    struct http_text body; /* behind the head; of `exposition`, which is NULL where there is none */
    struct exposition *exposition;
};

/* What answers are made of. */
struct connection_context {
    struct answer_rules rules;
    struct exposition *exposition; /* NULL: there are no numbers, or they are too old */
    uint64_t now_ns;               /* CLOCK_MONOTONIC */
};

/* Takes the descriptor over. */
void connection_begin(struct connection *connection, int fd,
                      const struct connection_context *context);
void connection_end(struct connection *connection);

/* What poll(2) is to wait for. */
short connection_events(const struct connection *connection);

/* Goes on as far as it can without waiting; may end it. */
void connection_go_on(struct connection *connection, const struct connection_context *context);

/* Its time is over. */
void connection_expire(struct connection *connection, const struct connection_context *context);
