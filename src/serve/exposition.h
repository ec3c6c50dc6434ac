/* SPDX-License-Identifier: MIT */
/* Exposition: all metrics as text in both forms, handed from the recorder to the process that
 * answers, as memory which nobody can change any more (memfd with seals, since 3.17). */
#pragma once

#include "out/openmetrics.h"
#include "serve/request.h"

struct exposition {
    unsigned int references;
    void *memory;
    size_t size;
    struct http_text bodies[METRIC_FORM_MAX];
};

/* Never waits. 0; -EAGAIN: the other side has not taken those before; or -errno. */
int exposition_send(int channel, const struct buf bodies[METRIC_FORM_MAX]) MUST_CHECK;

/* 0 and one with one reference; -EAGAIN: there is none; -EPIPE: there will be none; or -errno. */
int exposition_receive(int channel, struct exposition **ret_exposition) MUST_CHECK;

struct exposition *exposition_reference(struct exposition *exposition);
/* NULL is nothing. */
void exposition_release(struct exposition *exposition);
