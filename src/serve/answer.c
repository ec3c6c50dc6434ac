/* SPDX-License-Identifier: MIT */
/* Answer: who may ask what, and the head of what is said. */
#include "serve/answer.h"

#include "base/clock.h"
#include "base/escape.h"
#include "serve/question.h"
#include "serve/web.h"

#include <arpa/inet.h>

static const struct status {
    unsigned int number;
    const char *name, *reason;
} statuses[] = {
    {200, "OK", ""},
    {400, "Bad Request", "this is no request of HTTP/1.1\n"},
    {401, "Unauthorized", "a token is needed: Authorization: Bearer TOKEN\n"},
    {403, "Forbidden", "a page of another server may not ask here\n"},
    {404, "Not Found", "there are /, /metrics and /api/v1/: see docs/api.md\n"},
    {405, "Method Not Allowed", "only GET and HEAD\n"},
    {408, "Request Timeout", "the request did not come in time\n"},
    {413, "Content Too Large", "a request has no content here\n"},
    {414, "URI Too Long", "the address is too long\n"},
    {417, "Expectation Failed", "nothing is expected here\n"},
    {421, "Misdirected Request", "the field Host names another server: see --host\n"},
    {431, "Request Header Fields Too Large", "too many fields, or too long\n"},
    {500, "Internal Server Error", "the answer could not be made\n"},
    {501, "Not Implemented", "only GET and HEAD\n"},
    {503, "Service Unavailable", "there are no numbers of late, or too many ask at once\n"},
    {304, "Not Modified", ""},
    {504, "Gateway Timeout", "the answer takes too long: ask for less\n"},
    {505, "HTTP Version Not Supported", "only HTTP/1.1\n"},
};

static const struct status *find_status(unsigned int number)
{
    const struct status *status = &statuses[1];

    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (statuses[i].number == number)
            status = &statuses[i];
    return status;
}

const char *answer_reason(unsigned int status)
{
    return find_status(status)->reason;
}

void answer_put_error(const char *text, struct buf *out)
{
    const char *separator = ",\"detail\":[";

    buf_puts(out, "{\"error\":");
    escape_json(out, text, strcspn(text, "\n"));
    for (text += strcspn(text, "\n"); *text && text[1]; text += strcspn(text, "\n")) {
        text++;
        buf_puts(out, separator);
        escape_json(out, text, strcspn(text, "\n"));
        separator = ",";
    }
    buf_puts(out, *separator == ',' && separator[1] ? "}\n" : "]}\n");
}

const char *answer_type(enum metric_form form)
{
    return form == METRIC_TEXT ? "text/plain; version=0.0.4; charset=utf-8"
                               : "application/openmetrics-text; version=1.0.0; charset=utf-8";
}

/* --- who may ask --- */

static bool is_own_address(const char *text, int family, const struct answer_address *own)
{
    struct answer_address named = {.family = family};

    if (inet_pton(family, text, &named.ipv6) != 1)
        return false;
    if (family == AF_INET && ntohl(named.ipv4.s_addr) == INADDR_LOOPBACK)
        return true;
    if (family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&named.ipv6))
        return true;
    return family == own->family &&
           memcmp(&named.ipv6, &own->ipv6,
                  family == AF_INET ? sizeof(named.ipv4) : sizeof(named.ipv6)) == 0;
}

static bool is_listed(struct http_text name, const char *names)
{
    while (names && *names) {
        size_t length = strcspn(names, ",");

        if (length == name.length && strncasecmp(names, name.start, length) == 0)
            return true;
        names += length + (names[length] == ',');
    }
    return false;
}

/* A page of somebody else may make a browser ask here, under a name of its own that it had resolved
 * to this address: then the name tells. */
static bool is_for_us(const struct answer_rules *rules, struct http_text host,
                      const struct answer_address *own)
{
    char text[INET6_ADDRSTRLEN + 2];
    struct http_text name;

    if (rules->is_unix_socket)
        return true;
    if (!http_split_host(host, &name))
        return false;
    if (http_text_matches(name, "localhost") || is_listed(name, rules->names))
        return true;
    if (name.length >= sizeof(text))
        return false;
    memcpy(text, name.start, name.length);
    text[name.length] = '\0';
    if (*text != '[')
        return is_own_address(text, AF_INET, own);
    text[name.length - 1] = '\0';
    return is_own_address(text + 1, AF_INET6, own);
}

/* Takes as long whatever is wrong with it; how long the token is is no secret. */
static bool is_token(const char *token, struct http_text shown)
{
    size_t length = strlen(token);
    unsigned char differs = 0;

    if (shown.length != length)
        return false;
    for (size_t i = 0; i < length; i++)
        differs |= (unsigned char)(token[i] ^ shown.start[i]);
    return differs == 0;
}

static bool may_ask(const struct answer_rules *rules, struct http_text authorization)
{
    const char *const scheme = "Bearer ";
    size_t length = strlen(scheme);

    if (!rules->token)
        return true;
    if (!authorization.start || authorization.length <= length ||
        strncasecmp(authorization.start, scheme, length) != 0)
        return false;
    return is_token(rules->token, (struct http_text){authorization.start + length,
                                                     authorization.length - length});
}

/* What a browser says of whose page made it ask; others say nothing. */
static bool is_of_other_site(struct http_text fetch_site)
{
    return fetch_site.start && !http_text_is(fetch_site, "same-origin") &&
           !http_text_is(fetch_site, "none");
}

/* The page has no secrets, and asks for the token itself. */
unsigned int answer_judge(const struct answer_rules *rules, const struct http_request *request,
                          const struct answer_address *own)
{
    if (!is_for_us(rules, request->host, own))
        return 421;
    if (web_find(request->path))
        return 200;
    if (is_of_other_site(request->fetch_site))
        return 403;
    if (!may_ask(rules, request->authorization))
        return 401;
    return http_text_is(request->path, "/metrics") || question_is_known(request->path) ? 200 : 404;
}

/* --- the head --- */

static void put_date(struct buf *out)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = (time_t)(clock_ns(CLOCK_REALTIME) / SECOND_NS);
    struct tm utc = {0};

    gmtime_r(&now, &utc);
    buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[utc.tm_wday], utc.tm_mday,
               months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

void answer_put_head(const struct answer_head *head, struct buf *out)
{
    buf_printf(out, "HTTP/1.1 %u %s\r\n", head->status, find_status(head->status)->name);
    put_date(out);
    if (head->type)
        buf_printf(out, "Content-Type: %s\r\nContent-Length: %zu\r\n", head->type, head->length);
    buf_printf(out, "Cache-Control: %s\r\n", head->caching ? head->caching : "no-store");
    buf_printf(out, "Content-Security-Policy: default-src 'none'%s; frame-ancestors 'none'\r\n",
               head->policy ? head->policy : "");
    buf_puts(out, "Vary: Accept\r\nX-Content-Type-Options: nosniff\r\n"
                  "X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"
                  "Cross-Origin-Resource-Policy: same-origin\r\n"
                  "Cross-Origin-Opener-Policy: same-origin\r\n");
    if (head->status == 401)
        buf_puts(out, "WWW-Authenticate: Bearer\r\n");
    if (head->status == 405)
        buf_puts(out, "Allow: GET, HEAD\r\n");
    if (head->more)
        buf_puts(out, head->more);
    buf_puts(out, head->keeps ? "\r\n" : "Connection: close\r\n\r\n");
}
