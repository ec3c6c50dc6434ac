/* SPDX-License-Identifier: MIT */
/* Server: one thread, poll(2), a fixed number of connections. */
#include "serve/server.h"

#include "base/clock.h"
#include "serve/connection.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 128

/* How many new ones are taken before the others go on. */
#define ACCEPTED_AT_ONCE 64

/* How long each has its place, however many come: meanwhile the kernel keeps them. */
#define STAY_NS (5 * MILLISECOND_NS)

/* How long nobody is taken when there is no descriptor or memory for one. */
#define PAUSE_NS (100 * MILLISECOND_NS)

enum { POLL_CHANNEL, POLL_ASKER, POLL_LISTENER, POLL_CONNECTIONS };

struct serving {
    const struct server *server;
    struct connection_context context;
    struct exposition *last; /* numbers that came last */
    uint64_t last_ns;        /* CLOCK_MONOTONIC of that */
    bool is_wished;          /* newer ones */
    uint64_t pause_ns;       /* nobody is taken until then */
    struct connection connections[CONNECTIONS_MAX];
    struct pollfd polled[POLL_CONNECTIONS + CONNECTIONS_MAX];
};

static void update(struct serving *serving)
{
    serving->context.now_ns = clock_ns(CLOCK_MONOTONIC);
    serving->context.exposition =
        serving->last && serving->context.now_ns - serving->last_ns < serving->server->fresh_ns
            ? serving->last
            : NULL;
}

/* --- the recorder --- */

static void give_numbers(struct serving *serving)
{
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
        if (serving->connections[i].fd >= 0 && serving->connections[i].phase == CONNECTION_AWAITING)
            connection_take_numbers(&serving->connections[i], &serving->context);
}

/* 0; -EPIPE: it is gone. */
static int take_numbers(struct serving *serving)
{
    struct exposition *exposition;
    bool came = false;
    int r;

    while ((r = exposition_receive(serving->server->channel, &exposition)) == 0) {
        serving->is_wished = false;
        serving->context.is_outdated = !exposition;
        if (!exposition)
            continue;
        exposition_release(serving->last);
        serving->last = exposition;
        serving->last_ns = serving->context.now_ns;
        came = true;
    }
    update(serving);
    if (came)
        give_numbers(serving);
    return r == -EPIPE || r == -ECONNRESET ? -EPIPE : 0;
}

/* At most once until they come, or there is a tick. */
static void wish_numbers(struct serving *serving)
{
    if (serving->context.wants_numbers && !serving->is_wished)
        serving->is_wished = exposition_want(serving->server->channel) == 0;
    serving->context.wants_numbers = false;
}

/* --- the asker --- */

static struct connection *find_asking(struct serving *serving, uint32_t question)
{
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &serving->connections[i];

        if (connection->fd >= 0 && connection->phase == CONNECTION_ASKING &&
            connection->question == question)
            return connection;
    }
    return NULL;
}

/* Who still waits gets no answer any more. */
static void end_asker(struct serving *serving)
{
    static const struct ask_reply ended = {.status = 503, .text = "who answers it has ended"};

    serving->context.asker = -1;
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
        if (serving->connections[i].fd >= 0 && serving->connections[i].phase == CONNECTION_ASKING)
            connection_take_reply(&serving->connections[i], &ended, -1, &serving->context);
}

static void take_replies(struct serving *serving)
{
    struct ask_reply reply;
    int document, r;

    while ((r = ask_take_reply(serving->context.asker, &reply, &document)) == 0) {
        struct connection *connection = find_asking(serving, reply.id);

        if (connection)
            connection_take_reply(connection, &reply, document, &serving->context);
        if (document >= 0)
            close(document);
    }
    if (r == -EPIPE)
        end_asker(serving);
}

/* --- new connections --- */

static struct connection *find_free(struct serving *serving)
{
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
        if (serving->connections[i].fd < 0)
            return &serving->connections[i];
    return NULL;
}

static bool waits_for_us(const struct connection *connection)
{
    return connection->phase == CONNECTION_AWAITING || connection->phase == CONNECTION_ASKING;
}

/* The one that has kept us waiting for longest, whose place another one may have: whoever opens
 * many and says nothing, or does not take what it asked for, keeps nobody out. NULL: all wait for
 * us. */
static struct connection *find_oldest(struct serving *serving)
{
    struct connection *oldest = NULL;

    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &serving->connections[i];

        if (!waits_for_us(connection) && (!oldest || connection->since_ns < oldest->since_ns))
            oldest = connection;
    }
    return oldest;
}

static void refuse_more(int fd)
{
    CLEANUP(buf_done) struct buf head = BUF_INIT;
    const char *reason = answer_reason(503);
    char nothing[HTTP_HEAD_MAX];

    (void)recv(fd, nothing, sizeof(nothing), MSG_DONTWAIT); /* lest its end is a reset */
    answer_put_head(
        &(struct answer_head){.status = 503, .type = ANSWER_PLAIN, .length = strlen(reason)},
        &head);
    buf_puts(&head, reason);
    /* who does not get it sees the end */
    (void)send(fd, buf_string(&head), head.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    close(fd);
}

/* The place may have to be left by the one that has it. */
static void accept_one(struct serving *serving, struct connection *connection, int fd)
{
    if (!connection) {
        refuse_more(fd);
        return;
    }
    if (connection->fd >= 0)
        connection_end(connection);
    connection_begin(connection, fd, &serving->context);
    connection_go_on(connection, &serving->context);
}

static void accept_some(struct serving *serving)
{
    for (unsigned int i = 0; i < ACCEPTED_AT_ONCE; i++) {
        struct connection *place = find_free(serving);
        int fd;

        if (!place)
            place = find_oldest(serving);
        if (place && place->fd >= 0 && serving->context.now_ns - place->since_ns < STAY_NS) {
            serving->pause_ns = place->since_ns + STAY_NS;
            return;
        }
        fd = accept4(serving->server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accept_one(serving, place, fd);
            continue;
        }
        if (errno == EAGAIN)
            return;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            serving->pause_ns = serving->context.now_ns + PAUSE_NS;
            return;
        }
    }
}

/* --- the loop --- */

/* Milliseconds until something is over; -1: nothing is awaited. */
static int until_next(const struct serving *serving)
{
    uint64_t next_ns = serving->pause_ns ? serving->pause_ns : UINT64_MAX;

    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
        if (serving->connections[i].fd >= 0 && serving->connections[i].deadline_ns < next_ns)
            next_ns = serving->connections[i].deadline_ns;
    if (next_ns == UINT64_MAX)
        return -1;
    return next_ns <= serving->context.now_ns
               ? 0
               : (int)((next_ns - serving->context.now_ns) / MILLISECOND_NS) + 1;
}

static int wait_for_some(struct serving *serving)
{
    struct pollfd *polled = serving->polled;
    bool pauses = serving->pause_ns > serving->context.now_ns;

    if (!pauses)
        serving->pause_ns = 0;
    polled[POLL_CHANNEL] = (struct pollfd){.fd = serving->server->channel, .events = POLLIN};
    polled[POLL_ASKER] = (struct pollfd){.fd = serving->context.asker, .events = POLLIN};
    polled[POLL_LISTENER] =
        (struct pollfd){.fd = pauses ? -1 : serving->server->listener, .events = POLLIN};
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
        polled[POLL_CONNECTIONS + i] =
            (struct pollfd){.fd = serving->connections[i].fd,
                            .events = connection_events(&serving->connections[i])};
    if (poll(polled, POLL_CONNECTIONS + CONNECTIONS_MAX, until_next(serving)) < 0)
        return errno == EINTR ? 0 : -errno;
    return 0;
}

static void go_on(struct serving *serving)
{
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++) {
        struct connection *connection = &serving->connections[i];

        if (connection->fd < 0)
            continue;
        if (connection->deadline_ns <= serving->context.now_ns)
            connection_expire(connection, &serving->context);
        else if (serving->polled[POLL_CONNECTIONS + i].revents)
            connection_go_on(connection, &serving->context);
    }
}

static int serve(struct serving *serving)
{
    int r = 0;

    while (r == 0) {
        r = wait_for_some(serving);
        update(serving);
        if (r == 0 && serving->polled[POLL_CHANNEL].revents)
            r = take_numbers(serving);
        if (r < 0)
            break;
        go_on(serving);
        if (serving->polled[POLL_ASKER].revents)
            take_replies(serving);
        if (serving->polled[POLL_LISTENER].revents)
            accept_some(serving);
        wish_numbers(serving);
    }
    return r == -EPIPE ? 0 : r;
}

int server_run(const struct server *server)
{
    struct serving *serving = calloc(1, sizeof(*serving));
    int r;

    if (!serving)
        return -ENOMEM;
    serving->server = server;
    serving->context.rules = server->rules;
    serving->context.asker = server->asker;
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
        serving->connections[i].fd = -1;
    update(serving);
    r = serve(serving);
    for (unsigned int i = 0; i < CONNECTIONS_MAX; i++)
        if (serving->connections[i].fd >= 0)
            connection_end(&serving->connections[i]);
    exposition_release(serving->last);
    free(serving);
    return r;
}
