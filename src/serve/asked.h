/* SPDX-License-Identifier: MIT */
/* Asked: a question of the API and the child that answers it. */
#pragma once

#include "serve/ask.h"
#include "serve/asker.h"

#include <sys/types.h>

struct asked {
    struct ask_request request;
    enum question_source source;
    enum present present; /* of QUESTION_PRESENT: what it is about */
    uint64_t came_ns;     /* CLOCK_MONOTONIC */
    pid_t child;
    int end;                 /* a pipe that the child holds: it ends with it */
    int document, complaint; /* memory that it writes: standard output, standard error */
};

#define ASKED_INIT .end = -1, .document = -1, .complaint = -1

/* It is no longer running, and was made by malloc(). */
void asked_free(struct asked *asked);

/* Forks a child that can do nothing but read the history or, where the question is about now, the
 * snapshot `present`, and write. 0 or -errno; 1 in a child that could not begin. */
int asked_start(struct asked *asked, const struct asker *asker, int present) MUST_CHECK;

/* Waits for the end of the child. With status 200 the answer is asked->document, sealed. */
void asked_finish(struct asked *asked, struct ask_reply *ret_answer);

/* Ends the child, whatever it does. */
void asked_kill(struct asked *asked);
