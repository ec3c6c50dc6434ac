/* SPDX-License-Identifier: MIT */
/* Exposition: what the recorder hands to the process that answers when somebody asks: all metrics
 * of the last tick as text in both forms, and what its doctor found. */
#pragma once

#include "out/openmetrics.h"
#include "serve/question.h"
#include "serve/request.h"

/* Its bodies: of each enum metric_form, then the doctor's, of each enum question_form; those are
 * empty until it has looked. */
#define EXPOSITION_DOCTOR METRIC_FORM_MAX
#define EXPOSITION_BODIES (METRIC_FORM_MAX + QUESTION_FORM_MAX)

struct exposition {
    unsigned int references;
    void *memory;
    size_t size;
    struct http_text bodies[EXPOSITION_BODIES];
    size_t *held; /* where its size is counted as long as it is mapped; or NULL */
};

/* Never waits. 0; -EAGAIN: the other side has not taken those before; or -errno. */
int exposition_send(int channel, const struct buf bodies[EXPOSITION_BODIES]) MUST_CHECK;

/* There was a tick: what was sent before is no longer all there is to know. As exposition_send().
 */
int exposition_outdate(int channel) MUST_CHECK;

/* 0 and one with one reference, or NULL: there was a tick; -EAGAIN: there is no message; -EPIPE:
 * there will be none; or -errno. */
int exposition_receive(int channel, struct exposition **ret_exposition) MUST_CHECK;

/* The other direction: one is wanted. As exposition_send(). */
int exposition_want(int channel) MUST_CHECK;

/* 0: one is wanted; -EAGAIN: not so; -EPIPE: nobody will want one; or -errno. */
int exposition_take_wish(int channel) MUST_CHECK;

/* Of sealed memory: one with one reference, and one body. Its size is added to *held, until it is
 * released. 0 or -errno. */
int exposition_map(int memory, size_t length, size_t *held, struct exposition **ret_exposition)
    MUST_CHECK;

struct exposition *exposition_reference(struct exposition *exposition);
/* NULL is nothing. */
void exposition_release(struct exposition *exposition);
