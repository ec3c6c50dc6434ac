/* SPDX-License-Identifier: MIT */
/* Connection: one client, from request to request. Nothing in it waits. */
#pragma once

#include "serve/answer.h"
#include "serve/ask.h"
#include "serve/exposition.h"

enum connection_phase {
    CONNECTION_READING,
    CONNECTION_AWAITING, /* numbers of the last tick; the request stays where it is */
    CONNECTION_ASKING,   /* the asker has the question */
    CONNECTION_WRITING,
    CONNECTION_LINGERING, /* was refused: what still comes is thrown away, lest a reset takes the
                             answer from the client */
};

struct connection {
    int fd; /* -1: it is none */
    enum connection_phase phase;
    bool begun;           /* a part of a request has come */
    bool closes;          /* after the answer */
    bool is_head, is_api; /* the request that is being answered */
    bool waited;          /* for numbers: it is answered with those that there are */
    uint32_t question;    /* its id, while asking */
    const char *type;     /* of the document that is asked for */
    struct buf fields;    /* of its head */
    uint64_t since_ns;    /* CLOCK_MONOTONIC when the phase began, or the client took more of the
                             answer */
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
    bool is_outdated;              /* they are not of the last tick */
    bool wants_numbers;            /* somebody awaits those */
    uint64_t now_ns;               /* CLOCK_MONOTONIC */
    int asker;                     /* where questions go; -1: nobody answers them */
    uint32_t questions;            /* that were asked, ever */
    size_t held;                   /* bytes of documents that clients have not taken yet */
};

/* Takes the descriptor over. */
void connection_begin(struct connection *connection, int fd, struct connection_context *context);
void connection_end(struct connection *connection);

/* What poll(2) is to wait for. */
short connection_events(const struct connection *connection);

/* Goes on as far as it can without waiting; may end it. */
void connection_go_on(struct connection *connection, struct connection_context *context);

/* Numbers have come. */
void connection_take_numbers(struct connection *connection, struct connection_context *context);

/* What the asker says; `document` is its memory (or -1), and stays the caller's. */
void connection_take_reply(struct connection *connection, const struct ask_reply *reply,
                           int document, struct connection_context *context);

/* Its time is over. */
void connection_expire(struct connection *connection, struct connection_context *context);
