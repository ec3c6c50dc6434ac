/* SPDX-License-Identifier: MIT */
/* Fuzzing of requests of HTTP: what is understood lies within the bytes, and does not change with
 * what follows. */
#include "fuzz.h"
#include "serve/answer.h"
#include "serve/web.h"

static void check_text(const char *bytes, size_t length, struct http_text text)
{
    if (text.start)
        CHECK(text.start >= bytes && text.start + text.length <= bytes + length);
}

static void check_request(const char *bytes, size_t size, const struct http_request *request)
{
    const struct answer_rules rules = {.token = "0123456789abcdef", .names = "a.example"};
    const struct answer_address own = {.family = AF_INET6, .ipv6 = IN6ADDR_LOOPBACK_INIT};
    struct http_request again;
    struct http_text name;
    unsigned int status = answer_judge(&rules, request, &own);

    CHECK(request->length <= size && request->length <= HTTP_HEAD_MAX);
    CHECK(memcmp(bytes + request->length - 4, "\r\n\r\n", 4) == 0);
    CHECK(request->path.length && request->path.start[0] == '/');
    CHECK(!memchr(request->path.start, '?', request->path.length));
    check_text(bytes, request->length, request->path);
    check_text(bytes, request->length, request->query);
    check_text(bytes, request->length, request->host);
    check_text(bytes, request->length, request->accept);
    check_text(bytes, request->length, request->authorization);
    if (http_split_host(request->host, &name))
        check_text(request->host.start, request->host.length, name);
    (void)http_wants_openmetrics(request->accept);
    CHECK(status == 200 || status == 401 || status == 403 || status == 404 || status == 421);
    CHECK(status != 200 || web_find(request->path) ||
          memmem(bytes, request->length, rules.token, strlen(rules.token)));
    CHECK(http_request_parse(bytes, request->length, &again) == 200);
    CHECK(http_request_parse(bytes, request->length - 1, &again) != 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *bytes = fuzz_bytes(data, size);
    struct http_request request;
    unsigned int status = http_request_parse(bytes, size, &request);

    CHECK(status == 0 || status == 200 || *answer_reason(status));
    CHECK(status != 0 || size < HTTP_HEAD_MAX);
    if (status == 200)
        check_request(bytes, size, &request);
    return 0;
}
