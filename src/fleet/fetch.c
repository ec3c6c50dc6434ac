/* SPDX-License-Identifier: MIT */
/* Fetch: what may go wrong between a question and its answer, each in one line. */
#include "fleet/fetch.h"

#include <errno.h>

/* An answer is not larger. */
#define ANSWER_MAX (64u * 1024 * 1024)

#define SAID_MAX 300 /* bytes of what the server says of an error */

/* Called by libcurl: whatever is not taken ends it. */
static size_t take_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct buf *body = context;

    if (body->length + size * count > ANSWER_MAX)
        return 0;
    buf_put(body, bytes, size * count);
    return body->error ? 0 : size * count;
}

static int put_fields(struct fetcher *fetcher, struct buf *problem)
{
    CLEANUP(buf_done) struct buf field = BUF_INIT;

    if (!fetcher->server->token)
        return 0;
    buf_printf(&field, "Authorization: Bearer %s", fetcher->server->token);
    if (!field.error)
        fetcher->fields = fetcher->libraries.curl_slist_append(NULL, buf_string(&field));
    if (fetcher->fields)
        return 0;
    buf_puts(problem, "out of memory");
    return -ENOMEM;
}

int fetcher_open(struct fetcher *fetcher, const struct fleet_server *server, struct buf *problem)
{
    const struct fleet_libraries *libraries = &fetcher->libraries;
    int r;

    *fetcher = (struct fetcher){.server = server};
    r = fleet_libraries_load(&fetcher->libraries, problem);
    if (r < 0)
        return r;
    if (libraries->curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
        fetcher->curl = libraries->curl_easy_init();
    if (!fetcher->curl) {
        buf_puts(problem, "libcurl does not work here");
        return -EINVAL;
    }
    r = put_fields(fetcher, problem);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_NOSIGNAL, 1L);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_PROTOCOLS,
                                (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_TIMEOUT_MS, (long)server->timeout_ms);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_WRITEFUNCTION, take_bytes);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_HTTPHEADER, fetcher->fields);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_USERAGENT, "nwho/" NWHO_VERSION);
    return r;
}

void fetcher_close(struct fetcher *fetcher)
{
    if (fetcher->curl)
        fetcher->libraries.curl_easy_cleanup(fetcher->curl);
    if (fetcher->fields)
        fetcher->libraries.curl_slist_free_all(fetcher->fields);
    *fetcher = (struct fetcher){0};
}

/* --- what went wrong --- */

static int say(const struct fetcher *fetcher, const char *what, int error, struct buf *problem)
{
    buf_printf(problem, "%s: %s", fetcher->server->url, what);
    return error;
}

/* libcurl's own line is about what it did last; mostly it says more than the name of the error. */
static int not_fetched(const struct fetcher *fetcher, CURLcode code, const char *detail,
                       struct buf *problem)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        buf_printf(problem, "%s: no whole answer within %g s (--timeout)", fetcher->server->url,
                   (double)fetcher->server->timeout_ms / 1000);
        return -ETIMEDOUT;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return say(fetcher, "no URL of a server, like http://prometheus.example.org:9090", -EINVAL,
                   problem);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
        return say(fetcher, "the answer was cut off", -EIO, problem);
    case CURLE_WRITE_ERROR:
        return say(fetcher, "the answer is larger than 64 MiB: ask for less", -EFBIG, problem);
    default:
        return say(fetcher, *detail ? detail : fetcher->libraries.curl_easy_strerror(code), -EIO,
                   problem);
    }
}

static const char *said_in(const struct fetcher *fetcher, const json_t *document)
{
    const struct fleet_libraries *libraries = &fetcher->libraries;
    const char *said = libraries->json_string_value(libraries->json_object_get(document, "error"));

    return said ? said : "";
}

static int refused(const struct fetcher *fetcher, long status, const json_t *document,
                   struct buf *problem)
{
    const char *said = said_in(fetcher, document);

    if (status == 401 || status == 403) {
        buf_printf(problem, "%s: the server wants a token, or another one (%ld): --token-file FILE",
                   fetcher->server->url, status);
        return -EACCES;
    }
    if (*said)
        buf_printf(problem, "%s: the server says: %.*s", fetcher->server->url, SAID_MAX, said);
    else if (status == 200)
        buf_printf(problem, "%s: the answer is no JSON of Prometheus: is it another server?",
                   fetcher->server->url);
    else
        buf_printf(problem,
                   "%s: no API of Prometheus is there (%ld): the URL is that of the "
                   "server, without /api/v1",
                   fetcher->server->url, status);
    return -EPROTO;
}

/* --- asking --- */

static int perform(struct fetcher *fetcher, const char *path, const char *form, struct buf *body,
                   long *ret_status, struct buf *problem)
{
    const struct fleet_libraries *libraries = &fetcher->libraries;
    CLEANUP(buf_done) struct buf url = BUF_INIT;
    char detail[CURL_ERROR_SIZE] = "";
    size_t length = strlen(fetcher->server->url);
    CURLcode code;

    while (length && fetcher->server->url[length - 1] == '/')
        length--;
    buf_put(&url, fetcher->server->url, length);
    buf_puts(&url, path);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_URL, buf_string(&url));
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_POSTFIELDS, form);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_WRITEDATA, body);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_ERRORBUFFER, detail);
    code = libraries->curl_easy_perform(fetcher->curl);
    libraries->curl_easy_setopt(fetcher->curl, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK)
        return not_fetched(fetcher, code, detail, problem);
    libraries->curl_easy_getinfo(fetcher->curl, CURLINFO_RESPONSE_CODE, ret_status);
    return 0;
}

static bool is_success(const struct fetcher *fetcher, const json_t *document)
{
    const struct fleet_libraries *libraries = &fetcher->libraries;
    const char *status =
        libraries->json_string_value(libraries->json_object_get(document, "status"));

    return status && strcmp(status, "success") == 0;
}

int fetcher_ask(struct fetcher *fetcher, const char *path, const char *form, json_t **ret_document,
                struct buf *problem)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT;
    json_t *document;
    long status = 0;
    int r = perform(fetcher, path, form, &body, &status, problem);

    if (r < 0)
        return r;
    document = fetcher->libraries.json_loadb(buf_string(&body), body.length, 0, NULL);
    if (document && status == 200 && is_success(fetcher, document)) {
        *ret_document = document;
        return 0;
    }
    if (!document && status == 200 && *buf_string(&body) == '{')
        return say(fetcher, "the answer was cut off", -EIO, problem);
    r = refused(fetcher, status, document, problem);
    if (document)
        fetcher->libraries.json_delete(document);
    return r;
}
