/* SPDX-License-Identifier: MIT */
/* Question: a path of the API and its query as the words of a command line. Pure. */
#pragma once

#include "base/buf.h"
#include "serve/present.h"
#include "serve/request.h"

/* Bytes of all words, each with its NUL; and how many there are at most. */
#define QUESTION_MAX 4096
#define QUESTION_WORDS_MAX 24

/* What answers it. */
enum question_source {
    QUESTION_HISTORY, /* the store */
    QUESTION_PRESENT, /* a snapshot of now */
    QUESTION_DOCTOR,  /* what the recorder's doctor found last */
};

enum question_form {
    QUESTION_JSON,
    QUESTION_CSV,
    QUESTION_FORM_MAX,
};

struct question {
    enum question_source source;
    enum question_form form;
    struct buf words; /* NUL behind each: "history", "--since=-1h", "--json", "--", FILTER */
};

/* Whether a path is one of the API, which answers errors as JSON. */
bool question_is_of_api(struct http_text path);

/* Whether there is such a path. */
bool question_is_known(struct http_text path);

/* 0; -ENOENT: there is no such path; -EINVAL after one line in `problem`; -ENOMEM. The question is
 * to be ended by question_done() in any case. */
int question_make(struct http_text path, struct http_text query, struct question *question,
                  struct buf *problem) MUST_CHECK;
void question_done(struct question *question);

/*
 * What the process that runs it checks again: words[0..length) is a command of the API with options
 * of the API, and behind "--" only words. 0 and what answers it, of QUESTION_PRESENT also which
 * snapshot, or -EINVAL.
 */
int question_check(const char *words, size_t length, enum question_source *ret_source,
                   enum present *ret_present) MUST_CHECK;

/* The same as it would be typed into a shell: "nwho history --since=-1h 'dst 10.0.0.1'". */
void question_put_command(const struct question *question, struct buf *out);

/* "sockets.csv": under which name a browser keeps it. */
void question_put_name(struct http_text path, struct buf *out);
