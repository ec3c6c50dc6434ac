/* SPDX-License-Identifier: MIT */
/* Answer: what a request is answered with. Pure. */
#pragma once

#include "base/buf.h"
#include "out/openmetrics.h"
#include "serve/request.h"

#include <netinet/in.h>

/* Who may ask. */
struct answer_rules {
    const char *token;   /* that must be shown; NULL: none */
    const char *names;   /* under which the server is asked for besides, with commas; or NULL */
    bool is_unix_socket; /* which no browser reaches: the name does not matter */
};

/* Where a connection came to. */
struct answer_address {
    int family; /* AF_INET, AF_INET6 */
    union {
        struct in_addr ipv4;
        struct in6_addr ipv6;
    };
};

/* 200, or why not. */
unsigned int answer_judge(const struct answer_rules *rules, const struct http_request *request,
                          const struct answer_address *own);

#define ANSWER_PLAIN "text/plain; charset=utf-8"
#define ANSWER_JSON "application/json"
#define ANSWER_CSV "text/csv; charset=utf-8; header=present"

/* What the head of an answer says. */
struct answer_head {
    unsigned int status;
    const char *type; /* NULL: there is no content */
    size_t length;
    bool keeps;          /* the connection */
    const char *policy;  /* what a browser may do with it: NULL: nothing */
    const char *caching; /* NULL: it is not to be kept */
    const char *more;    /* further fields, each with its CR LF; or NULL */
};

/* Up to the empty line. */
void answer_put_head(const struct answer_head *head, struct buf *out);

/* The one line that says why not. */
const char *answer_reason(unsigned int status);

/* An error of the API: {"error": the first line, "detail": [the others]}, and a newline. */
void answer_put_error(const char *text, struct buf *out);

const char *answer_type(enum metric_form form);
