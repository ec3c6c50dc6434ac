/* SPDX-License-Identifier: MIT */
/* Connection: reading, answering, lingering. */
#include "serve/connection.h"

#include "base/clock.h"
#include "serve/web.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How long a client may take: for the first request and each other one, for the rest of one that
 * has begun, to take the answer, and to see why it was refused; and how long it waits for numbers
 * of the last tick (a tick that is running comes first), and for the asker. */
#define IDLE_NS (75 * SECOND_NS)
#define REQUEST_NS (10 * SECOND_NS)
#define ANSWER_NS (30 * SECOND_NS)
#define LINGER_NS (2 * SECOND_NS)
#define NUMBERS_NS (2 * SECOND_NS)
#define ASKING_NS (30 * SECOND_NS)

/* Bytes of documents at once that clients take their time with, but for a single one. */
#define HELD_MAX ((size_t)64 << 20)

/* What the page may do: use its own files, and ask this server. */
#define PAGE_POLICY                                                                                \
    "; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "            \
    "base-uri 'none'; form-action 'none'"

static void enter(struct connection *connection, enum connection_phase phase, uint64_t time_ns,
                  const struct connection_context *context)
{
    connection->phase = phase;
    connection->since_ns = context->now_ns;
    connection->deadline_ns = context->now_ns + time_ns;
}

static struct answer_address own_address(int fd)
{
    struct answer_address own = {0};
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } name = {0};
    socklen_t length = sizeof(name);

    if (getsockname(fd, &name.any, &length) < 0)
        return own;
    own.family = name.any.sa_family;
    if (own.family == AF_INET)
        own.ipv4 = name.ipv4.sin_addr;
    if (own.family == AF_INET6)
        own.ipv6 = name.ipv6.sin6_addr;
    if (own.family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&own.ipv6)) {
        own.family = AF_INET;
        memcpy(&own.ipv4, &name.ipv6.sin6_addr.s6_addr[12], sizeof(own.ipv4));
    }
    return own;
}

void connection_begin(struct connection *connection, int fd, struct connection_context *context)
{
    connection->fd = fd;
    connection->begun = connection->closes = connection->waited = false;
    connection->have = connection->sent = 0;
    connection->head = BUF_INIT;
    connection->fields = BUF_INIT;
    connection->exposition = NULL;
    connection->own = own_address(fd);
    enter(connection, CONNECTION_READING, IDLE_NS, context);
}

static void end_answer(struct connection *connection)
{
    buf_done(&connection->head);
    connection->head = BUF_INIT;
    buf_done(&connection->fields);
    connection->fields = BUF_INIT;
    exposition_release(connection->exposition);
    connection->exposition = NULL;
    connection->body = (struct http_text){0};
    connection->sent = 0;
}

void connection_end(struct connection *connection)
{
    end_answer(connection);
    close(connection->fd);
    connection->fd = -1;
}

short connection_events(const struct connection *connection)
{
    switch (connection->phase) {
    case CONNECTION_WRITING:
        return POLLOUT;
    case CONNECTION_AWAITING:
    case CONNECTION_ASKING:
        return 0; /* its end shows all the same */
    default:
        return POLLIN;
    }
}

/* --- answers --- */

static void begin_answer(struct connection *connection, const struct connection_context *context)
{
    enter(connection, CONNECTION_WRITING, ANSWER_NS, context);
    if (connection->head.error)
        connection_end(connection);
}

/* The text may have several lines, of which a client of the API gets all. */
static void answer_problem(struct connection *connection, unsigned int status, const char *text,
                           const struct connection_context *context)
{
    CLEANUP(buf_done) struct buf body = BUF_INIT;

    if (connection->is_api)
        answer_put_error(text, &body);
    else
        buf_puts(&body, text);
    answer_put_head(&(struct answer_head){.status = status,
                                          .type = connection->is_api ? ANSWER_JSON : ANSWER_PLAIN,
                                          .length = body.length,
                                          .keeps = !connection->closes},
                    &connection->head);
    if (!connection->is_head)
        buf_put(&connection->head, body.data, body.length);
    if (body.error)
        connection->head.error = body.error;
    begin_answer(connection, context);
}

static void answer_error(struct connection *connection, unsigned int status,
                         const struct connection_context *context)
{
    answer_problem(connection, status, answer_reason(status), context);
}

/* Answers with an error, and closes after that. */
static void refuse(struct connection *connection, unsigned int status,
                   const struct connection_context *context)
{
    connection->closes = true;
    connection->is_head = connection->is_api = false;
    answer_error(connection, status, context);
}

/* A body of the exposition. */
static void answer_body(struct connection *connection, struct exposition *exposition,
                        unsigned int body, const char *type,
                        const struct connection_context *context)
{
    answer_put_head(&(struct answer_head){.status = 200,
                                          .type = type,
                                          .length = exposition->bodies[body].length,
                                          .keeps = !connection->closes,
                                          .more = buf_string(&connection->fields)},
                    &connection->head);
    if (connection->fields.error)
        connection->head.error = connection->fields.error;
    if (!connection->is_head) {
        connection->exposition = exposition_reference(exposition);
        connection->body = exposition->bodies[body];
    }
    begin_answer(connection, context);
}

/* Nobody makes numbers that nobody asks for. */
static bool must_await_numbers(struct connection *connection, struct connection_context *context)
{
    if (connection->waited || (context->exposition && !context->is_outdated))
        return false;
    context->wants_numbers = true;
    enter(connection, CONNECTION_AWAITING, NUMBERS_NS, context);
    return true;
}

static void answer_metrics(struct connection *connection, const struct http_request *request,
                           struct connection_context *context)
{
    enum metric_form form =
        http_wants_openmetrics(request->accept) ? METRIC_OPENMETRICS : METRIC_TEXT;

    if (must_await_numbers(connection, context))
        return;
    if (context->exposition)
        answer_body(connection, context->exposition, form, answer_type(form), context);
    else
        answer_error(connection, 503, context);
}

/* --- the API --- */

static void put_fields(const struct http_request *request, const struct question *question,
                       struct buf *out)
{
    buf_puts(out, "Nwho-Command: ");
    question_put_command(question, out);
    buf_puts(out, "\r\n");
    if (question->form != QUESTION_CSV)
        return;
    buf_puts(out, "Content-Disposition: attachment; filename=\"");
    question_put_name(request->path, out);
    buf_puts(out, "\"\r\n");
}

static void answer_doctor(struct connection *connection, const struct question *question,
                          const struct connection_context *context)
{
    unsigned int body = EXPOSITION_DOCTOR + question->form;

    if (context->exposition && context->exposition->bodies[body].length)
        answer_body(connection, context->exposition, body, connection->type, context);
    else
        answer_problem(connection, 503, "the doctor of the recorder has not looked yet", context);
}

static void ask(struct connection *connection, const struct question *question,
                struct connection_context *context)
{
    int r = context->asker < 0 ? -EPIPE : ask_send(context->asker, ++context->questions, question);

    if (r < 0) {
        answer_problem(connection, 503,
                       r == -EPIPE ? "there is nobody any more who answers it"
                                   : "too much is asked at once: ask again later",
                       context);
        return;
    }
    connection->question = context->questions;
    enter(connection, CONNECTION_ASKING, ASKING_NS, context);
}

static void answer_question(struct connection *connection, const struct http_request *request,
                            struct connection_context *context)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    CLEANUP(question_done) struct question question;
    int r = question_make(request->path, request->query, &question, &problem);

    if (r < 0) {
        answer_problem(connection, r == -EINVAL ? 400 : 500,
                       r == -EINVAL ? buf_string(&problem) : strerror(-r), context);
        return;
    }
    if (question.source == QUESTION_DOCTOR && must_await_numbers(connection, context))
        return;
    put_fields(request, &question, &connection->fields);
    connection->type = question.form == QUESTION_CSV ? ANSWER_CSV : ANSWER_JSON;
    if (question.source == QUESTION_DOCTOR)
        answer_doctor(connection, &question, context);
    else
        ask(connection, &question, context);
}

void connection_take_reply(struct connection *connection, const struct ask_reply *reply,
                           int document, struct connection_context *context)
{
    struct exposition *exposition;
    int r;

    if (reply->status != 200) {
        answer_problem(connection, reply->status,
                       *reply->text ? reply->text : answer_reason(reply->status), context);
        return;
    }
    if (context->held && context->held + reply->length > HELD_MAX) {
        answer_problem(connection, 503, answer_reason(503), context);
        return;
    }
    r = exposition_map(document, reply->length, &context->held, &exposition);
    if (r < 0) {
        answer_problem(connection, 500, strerror(-r), context);
        return;
    }
    answer_body(connection, exposition, 0, connection->type, context);
    exposition_release(exposition);
}

/* A file of the page, unless the client has it. */
static void answer_file(struct connection *connection, const struct http_request *request,
                        const struct web_file *file, const struct connection_context *context)
{
    const bool is_known = http_has_tag(request->if_none_match, file->tag);
    CLEANUP(buf_done) struct buf more = BUF_INIT;

    buf_printf(&more, "ETag: %s\r\n%s", file->tag, is_known ? "" : "Content-Encoding: gzip\r\n");
    answer_put_head(&(struct answer_head){.status = is_known ? 304 : 200,
                                          .type = is_known ? NULL : file->type,
                                          .length = file->length,
                                          .keeps = !connection->closes,
                                          .policy = PAGE_POLICY,
                                          .caching = "no-cache",
                                          .more = buf_string(&more)},
                    &connection->head);
    if (!connection->is_head && !is_known)
        connection->body = (struct http_text){(const char *)file->packed, file->length};
    begin_answer(connection, context);
}

static void answer(struct connection *connection, const struct http_request *request,
                   struct connection_context *context)
{
    unsigned int status = answer_judge(&context->rules, request, &connection->own);
    const struct web_file *file = status == 200 ? web_find(request->path) : NULL;

    connection->closes = !request->keeps;
    connection->is_head = request->is_head;
    connection->is_api = question_is_of_api(request->path);
    if (status != 200)
        answer_error(connection, status, context);
    else if (file)
        answer_file(connection, request, file, context);
    else if (connection->is_api)
        answer_question(connection, request, context);
    else
        answer_metrics(connection, request, context);
}

/* --- going on --- */

/* Answers, when a whole request is there. */
static void take_request(struct connection *connection, struct connection_context *context)
{
    struct http_request request;
    unsigned int status = http_request_parse(connection->request, connection->have, &request);

    if (status == 0)
        return;
    connection->begun = false;
    if (status != 200) {
        refuse(connection, status, context);
        return;
    }
    answer(connection, &request, context);
    if (connection->phase == CONNECTION_AWAITING)
        return;
    connection->waited = false;
    connection->have -= request.length;
    memmove(connection->request, connection->request + request.length, connection->have);
}

static void read_more(struct connection *connection, struct connection_context *context)
{
    ssize_t n = recv(connection->fd, connection->request + connection->have,
                     sizeof(connection->request) - connection->have, 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        connection_end(connection);
        return;
    }
    connection->have += (size_t)n;
    if (!connection->begun)
        enter(connection, CONNECTION_READING, REQUEST_NS, context);
    connection->begun = true;
    take_request(connection, context);
}

static void end_of_answer(struct connection *connection, struct connection_context *context)
{
    end_answer(connection);
    if (connection->closes) {
        shutdown(connection->fd, SHUT_WR);
        enter(connection, CONNECTION_LINGERING, LINGER_NS, context);
        return;
    }
    connection->begun = connection->have > 0;
    enter(connection, CONNECTION_READING, connection->begun ? REQUEST_NS : IDLE_NS, context);
    take_request(connection, context);
}

/* Where the answer goes on: in its head, or in the body behind it. */
static struct http_text left_of(const struct connection *connection)
{
    size_t head = connection->head.length, sent = connection->sent;

    if (sent < head)
        return (struct http_text){connection->head.data + sent, head - sent};
    return (struct http_text){connection->body.start + (sent - head),
                              connection->body.length - (sent - head)};
}

static void write_more(struct connection *connection, struct connection_context *context)
{
    while (connection->sent < connection->head.length + connection->body.length) {
        struct http_text left = left_of(connection);
        ssize_t n = send(connection->fd, left.start, left.length, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0) {
            connection_end(connection);
            return;
        }
        connection->sent += (size_t)n;
        connection->since_ns = context->now_ns;
    }
    end_of_answer(connection, context);
}

static void linger(struct connection *connection)
{
    char nothing[4096];
    ssize_t n = recv(connection->fd, nothing, sizeof(nothing), MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        connection_end(connection);
}

void connection_go_on(struct connection *connection, struct connection_context *context)
{
    switch (connection->phase) {
    case CONNECTION_READING:
        read_more(connection, context);
        break;
    case CONNECTION_AWAITING:
    case CONNECTION_ASKING:
        connection_end(connection); /* nobody is there who could be told */
        break;
    case CONNECTION_WRITING:
        write_more(connection, context);
        break;
    case CONNECTION_LINGERING:
        linger(connection);
        break;
    }
}

void connection_take_numbers(struct connection *connection, struct connection_context *context)
{
    connection->waited = true;
    take_request(connection, context);
}

void connection_expire(struct connection *connection, struct connection_context *context)
{
    if (connection->phase == CONNECTION_AWAITING) {
        connection_take_numbers(connection, context);
        return;
    }
    if (connection->phase == CONNECTION_READING && connection->begun)
        refuse(connection, 408, context);
    else if (connection->phase == CONNECTION_ASKING)
        answer_error(connection, 504, context);
    else
        connection_end(connection);
}
