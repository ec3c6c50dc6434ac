/* SPDX-License-Identifier: MIT */
/* Request: a cursor over the head, line by line. */
#include "serve/request.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define OK 200

/* Those that RFC 9110 knows, and what has no body here. */
static const char *const other_methods[] = {"POST",    "PUT",   "DELETE", "CONNECT",
                                            "OPTIONS", "TRACE", "PATCH"};

bool http_text_is(struct http_text text, const char *word)
{
    return text.start && text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

bool http_text_matches(struct http_text text, const char *word)
{
    return text.start && text.length == strlen(word) &&
           strncasecmp(text.start, word, text.length) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A character of a name: "token" of RFC 9110. */
static bool is_token(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_all(struct http_text text, bool (*is)(char c))
{
    for (size_t i = 0; i < text.length; i++)
        if (!is(text.start[i]))
            return false;
    return text.length > 0;
}

static bool is_visible(char c)
{
    return c > ' ' && c < 0x7f;
}

/* Bytes of other alphabets too, but no controls. */
static bool is_of_value(char c)
{
    return (unsigned char)c >= ' ' ? c != 0x7f : c == '\t';
}

/* Takes what is before `end` off the text; false: `end` is not in it. */
static bool split(struct http_text *text, char end, struct http_text *ret_part)
{
    const char *at = text->length ? memchr(text->start, end, text->length) : NULL;

    if (!at)
        return false;
    *ret_part = (struct http_text){text->start, (size_t)(at - text->start)};
    text->length -= ret_part->length + 1;
    text->start = at + 1;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static struct http_text trim(struct http_text text)
{
    while (text.length && is_blank(text.start[0])) {
        text.start++;
        text.length--;
    }
    while (text.length && is_blank(text.start[text.length - 1]))
        text.length--;
    return text;
}

/* --- the first line --- */

static unsigned int parse_method(struct http_text method, struct http_request *request)
{
    request->is_head = http_text_is(method, "HEAD");
    if (request->is_head || http_text_is(method, "GET"))
        return OK;
    for (size_t i = 0; i < sizeof(other_methods) / sizeof(*other_methods); i++)
        if (http_text_is(method, other_methods[i]))
            return 405;
    return is_all(method, is_token) ? 501 : 400;
}

/* "/path?query", or the whole address, whose host counts instead of the field's. */
static unsigned int parse_target(struct http_text target, struct http_request *request)
{
    const char *const scheme = "http://";
    size_t length = strlen(scheme);
    struct http_text host, path;

    if (target.length > HTTP_TARGET_MAX)
        return 414;
    if (!is_all(target, is_visible))
        return 400;
    if (target.length > length && strncasecmp(target.start, scheme, length) == 0) {
        path = (struct http_text){target.start + length, target.length - length};
        if (!split(&path, '/', &host))
            return 400;
        request->host = host;
        target = (struct http_text){path.start - 1, path.length + 1};
    }
    if (target.start[0] != '/')
        return 400;
    request->query = target;
    if (split(&request->query, '?', &request->path))
        return OK;
    request->query = (struct http_text){0};
    request->path = target;
    return OK;
}

static unsigned int parse_version(struct http_text version, bool *ret_is_old)
{
    if (version.length != strlen("HTTP/1.1") || memcmp(version.start, "HTTP/", 5) != 0 ||
        !is_digit(version.start[5]) || version.start[6] != '.' || !is_digit(version.start[7]))
        return 400;
    if (version.start[5] != '1')
        return 505;
    *ret_is_old = version.start[7] == '0';
    return OK;
}

static unsigned int parse_first_line(struct http_text line, struct http_request *request,
                                     bool *ret_is_old)
{
    struct http_text method, target;
    unsigned int status, methods;

    if (!split(&line, ' ', &method) || !split(&line, ' ', &target))
        return 400;
    methods = parse_method(method, request);
    if (methods == 400)
        return 400;
    status = parse_version(line, ret_is_old);
    if (status != OK)
        return status;
    return methods == OK ? parse_target(target, request) : methods;
}

/* --- fields --- */

/* What each field may be only once; 400 where it comes again. */
static unsigned int keep_once(struct http_text *kept, struct http_text value)
{
    if (kept->start)
        return 400;
    *kept = value;
    return OK;
}

static bool list_has(struct http_text list, const char *word)
{
    struct http_text part;

    while (split(&list, ',', &part))
        if (http_text_matches(trim(part), word))
            return true;
    return http_text_matches(trim(list), word);
}

struct fields {
    struct http_text host, length;
    bool closes, keeps;
};

/* No request here has content: what could be some is refused before it is understood. */
static unsigned int parse_length(struct fields *fields, struct http_text value)
{
    if (keep_once(&fields->length, value) != OK || !is_all(value, is_digit))
        return 400;
    for (size_t i = 0; i < value.length; i++)
        if (value.start[i] != '0')
            return 413;
    return OK;
}

static unsigned int take_field(struct http_text name, struct http_text value,
                               struct http_request *request, struct fields *fields)
{
    if (http_text_matches(name, "host"))
        return keep_once(&fields->host, value);
    if (http_text_matches(name, "authorization"))
        return keep_once(&request->authorization, value);
    if (http_text_matches(name, "accept") && !request->accept.start)
        request->accept = value;
    if (http_text_matches(name, "if-none-match") && !request->if_none_match.start)
        request->if_none_match = value;
    if (http_text_matches(name, "sec-fetch-site"))
        return keep_once(&request->fetch_site, value);
    if (http_text_matches(name, "content-length"))
        return parse_length(fields, value);
    if (http_text_matches(name, "transfer-encoding"))
        return 413;
    if (http_text_matches(name, "expect"))
        return 417;
    if (http_text_matches(name, "connection")) {
        fields->closes |= list_has(value, "close");
        fields->keeps |= list_has(value, "keep-alive");
    }
    return OK;
}

static unsigned int parse_field(struct http_text line, struct http_request *request,
                                struct fields *fields)
{
    struct http_text name, value = line;

    if (!split(&value, ':', &name) || !is_all(name, is_token))
        return 400;
    value = trim(value);
    if (value.length && !is_all(value, is_of_value))
        return 400;
    return take_field(name, value, request, fields);
}

/* The next line without its CR LF; anything else that could end one is an error later. */
static bool next_line(struct http_text *rest, struct http_text *ret_line)
{
    const char *end = rest->length ? memmem(rest->start, rest->length, "\r\n", 2) : NULL;

    if (!end)
        return false;
    *ret_line = (struct http_text){rest->start, (size_t)(end - rest->start)};
    rest->length -= ret_line->length + 2;
    rest->start = end + 2;
    return true;
}

static unsigned int parse_fields(struct http_text *rest, bool is_old, struct http_request *request)
{
    struct fields fields = {0};
    struct http_text line;
    unsigned int count = 0, status;

    for (;;) {
        if (!next_line(rest, &line))
            return 400;
        if (!line.length)
            break;
        if (count++ == HTTP_FIELDS_MAX)
            return 431;
        status = parse_field(line, request, &fields);
        if (status != OK)
            return status;
    }
    if (!fields.host.start && !is_old)
        return 400;
    if (!request->host.start)
        request->host = fields.host;
    request->keeps = !fields.closes && (!is_old || fields.keeps);
    return OK;
}

/* Whether there may still come what makes it whole. A line that is ended by less than CR LF never
 * does. */
static unsigned int judge_part(const char *bytes, size_t length)
{
    const char *line = memchr(bytes, '\n', length);

    if (line && (line == bytes || line[-1] != '\r'))
        return 400;
    if (!line && length > HTTP_TARGET_MAX + 32)
        return 414;
    return length >= HTTP_HEAD_MAX ? 431 : 0;
}

unsigned int http_request_parse(const char *bytes, size_t length, struct http_request *ret_request)
{
    struct http_request request = {0};
    struct http_text rest = {bytes, length}, line;
    const char *end = length ? memmem(bytes, length, "\r\n\r\n", 4) : NULL;
    unsigned int status;
    bool is_old = false;

    if (!end)
        return length ? judge_part(bytes, length) : 0;
    rest.length = (size_t)(end - bytes) + 4;
    if (rest.length > HTTP_HEAD_MAX)
        return 431;
    request.length = rest.length;
    if (!next_line(&rest, &line))
        return 400;
    status = parse_first_line(line, &request, &is_old);
    if (status == OK)
        status = parse_fields(&rest, is_old, &request);
    if (status == OK)
        *ret_request = request;
    return status;
}

/* --- what fields mean --- */

/* "0.75" in thousandths; -1: it is none. */
static int parse_weight(struct http_text text)
{
    int weight = 0, scale = 1000;

    if (!text.length || text.length > 5 || (text.start[0] != '0' && text.start[0] != '1'))
        return -1;
    weight = (text.start[0] - '0') * scale;
    for (size_t i = 1; i < text.length; i++) {
        if (i == 1 ? text.start[i] != '.' : !is_digit(text.start[i]))
            return -1;
        scale = i == 1 ? scale : scale / 10;
        weight += i == 1 ? 0 : (text.start[i] - '0') * scale;
    }
    return weight <= 1000 ? weight : -1;
}

/* One of the accepted types: how much it is wanted, and whether it is of version 1.0.0 or of any.
 */
static int weigh(struct http_text range, struct http_text *ret_type, bool *ret_is_version)
{
    struct http_text part;
    bool more = split(&range, ';', ret_type);
    int weight = 1000;

    if (!more)
        *ret_type = range;
    *ret_type = trim(*ret_type);
    *ret_is_version = true;
    while (more) {
        more = split(&range, ';', &part);
        part = trim(more ? part : range);
        if (part.length > 2 && strncasecmp(part.start, "q=", 2) == 0)
            weight = parse_weight((struct http_text){part.start + 2, part.length - 2});
        if (part.length > 8 && strncasecmp(part.start, "version=", 8) == 0)
            *ret_is_version = http_text_is(part, "version=1.0.0");
    }
    return weight;
}

bool http_wants_openmetrics(struct http_text accept)
{
    int metrics = 0, plain = 0;
    bool more = accept.start != NULL;

    while (more) {
        struct http_text range, type;
        bool is_version;
        int weight;

        more = split(&accept, ',', &range);
        weight = weigh(more ? range : accept, &type, &is_version);
        if (http_text_matches(type, "application/openmetrics-text") && is_version)
            metrics = weight > metrics ? weight : metrics;
        if (http_text_matches(type, "text/plain"))
            plain = weight > plain ? weight : plain;
    }
    return metrics > 0 && metrics >= plain;
}

bool http_has_tag(struct http_text if_none_match, const char *tag)
{
    struct http_text part;
    bool more = if_none_match.start != NULL;

    while (more) {
        more = split(&if_none_match, ',', &part);
        part = trim(more ? part : if_none_match);
        if (part.length > 2 && strncmp(part.start, "W/", 2) == 0)
            part = (struct http_text){part.start + 2, part.length - 2};
        if (http_text_is(part, tag) || http_text_is(part, "*"))
            return true;
    }
    return false;
}

bool http_split_host(struct http_text host, struct http_text *ret_name)
{
    const char *colon;
    size_t name = host.length;

    if (!host.start || !host.length)
        return false;
    if (host.start[0] == '[') {
        const char *end = memchr(host.start, ']', host.length);

        if (!end)
            return false;
        name = (size_t)(end - host.start) + 1;
    } else {
        colon = memchr(host.start, ':', host.length);
        name = colon ? (size_t)(colon - host.start) : name;
    }
    if (name < host.length && host.start[name] != ':')
        return false;
    for (size_t i = name + 1; i < host.length; i++)
        if (!is_digit(host.start[i]))
            return false;
    *ret_name = (struct http_text){host.start, name};
    return name > 0;
}
