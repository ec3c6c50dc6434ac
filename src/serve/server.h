/* SPDX-License-Identifier: MIT */
/* Server: the process that answers, with no right but to answer. */
#pragma once

#include "serve/answer.h"

struct server {
    int listener; /* a socket that listens and does not block */
    int channel;  /* to the recorder and back: its end is that of the server */
    int asker;    /* where questions of the API go; -1: nobody answers them */
    struct answer_rules rules;
    uint64_t fresh_ns; /* numbers that are older are not told */
};

/* Answers until the recorder is gone. 0 or -errno. */
int server_run(const struct server *server) MUST_CHECK;
