/* SPDX-License-Identifier: MIT */
/* Request: the head of an HTTP/1 request (RFC 9110, RFC 9112). Pure; strict where being lenient
 * would let two readers understand two things. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HTTP_HEAD_MAX 8192
#define HTTP_TARGET_MAX 2048
#define HTTP_FIELDS_MAX 64

/* Bytes of the head; start is NULL where there was no such field. */
struct http_text {
    const char *start;
    size_t length;
};

struct http_request {
    size_t length;                /* of the head */
    bool is_head;                 /* HEAD, else GET */
    bool keeps;                   /* the connection, afterwards */
    struct http_text path, query; /* as they were sent; the query without its question mark */
    struct http_text host, accept, authorization, if_none_match, fetch_site;
};

bool http_text_is(struct http_text text, const char *word);

/* The same, whether in capitals or not. */
bool http_text_matches(struct http_text text, const char *word);

/*
 * 200: *ret_request is whole, and points into `bytes`. 0: there is more to come. Else the status
 * with which it is to be refused.
 */
unsigned int http_request_parse(const char *bytes, size_t length, struct http_request *ret_request);

/* Whether the client has what `tag` stands for: the field If-None-Match. */
bool http_has_tag(struct http_text if_none_match, const char *tag);

/* Whether OpenMetrics 1.0.0 is wanted, and rather than plain text: the field Accept. */
bool http_wants_openmetrics(struct http_text accept);

/* A host name, or an address with brackets where it has colons, and the port behind it, which may
 * be missing: "localhost:9477". False: it is none. */
bool http_split_host(struct http_text host, struct http_text *ret_name);
