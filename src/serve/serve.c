/* SPDX-License-Identifier: MIT */
/* Serve: binds in the recorder, answers in a process of its own. */
#include "serve/serve.h"

#include "base/clock.h"
#include "base/confine.h"
#include "base/escape.h"
#include "serve/asker.h"
#include "serve/passing.h"
#include "serve/place.h"
#include "serve/server.h"

#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TOKEN_MIN 16
#define TOKEN_MAX 1024

/* Numbers are told until they are so many ticks old, and for that time at least. */
#define FRESH_TICKS 3
#define FRESH_NS (10 * SECOND_NS)

/* Of who answers questions of the API: ticks come first. */
#define NICENESS 10

struct serve {
    struct place place;
    char *token; /* NULL: none is needed */
    const char *names;
    const char *store;
    serve_run *run;
    int listener;
    int channel, wishes; /* to the process that answers, and from the one that asks */
    pid_t answers, asks; /* 0: it was not started here */
};

/* --- the token --- */

static int fail(struct buf *problem, int error, const char *what, const char *path,
                const char *more)
{
    buf_puts(problem, what);
    buf_byte(problem, ' ');
    escape_text(problem, path, strlen(path));
    buf_puts(problem, ": ");
    buf_puts(problem, more);
    return error;
}

static bool is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return false;
    return length >= TOKEN_MIN;
}

/* The first line of the file, and no other. */
static int read_token(const char *path, struct buf *problem, char **ret_token)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char text[TOKEN_MAX + 2];
    struct stat status;
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof(text));

    if (fd < 0 || length < 0 || fstat(fd, &status) < 0)
        return fail(problem, -errno, "--token-file", path, strerror(errno));
    if (status.st_mode & (S_IROTH | S_IWOTH))
        return fail(problem, -EPERM, "--token-file", path,
                    "others may read or write it: chmod o= FILE");
    if (length && text[length - 1] == '\n')
        length--;
    if (length > TOKEN_MAX || !is_token(text, (size_t)length))
        return fail(problem, -EINVAL, "--token-file", path,
                    "it needs one line of 16 to 1024 characters without blanks");
    *ret_token = strndup(text, (size_t)length);
    return *ret_token ? 0 : fail(problem, -ENOMEM, "--token-file", path, "out of memory");
}

/* --- the beginning --- */

static int open_place(const struct serve_options *options, struct serve *serve, struct buf *problem)
{
    const char *where = options->listen ? options->listen : PLACE_USUAL;
    int r;

    if (place_parse(where, &serve->place) < 0)
        return fail(problem, -EINVAL, "--listen", where,
                    "it needs ADDR:PORT, [ADDR]:PORT, unix:PATH or none");
    if (options->token_file) {
        r = read_token(options->token_file, problem, &serve->token);
        if (r < 0)
            return r;
    }
    if (serve->place.any.sa_family == AF_UNSPEC)
        return 0;
    if (!place_is_here(&serve->place) && !serve->token)
        return fail(problem, -EPERM, "--listen", where,
                    "other machines could ask there: it needs --token-file FILE");
    r = place_open(&serve->place, &serve->listener);
    if (r < 0)
        fail(problem, r, options->listen ? "--listen" : "nothing is served at", where,
             strerror(-r));
    return r;
}

int serve_open(const struct serve_options *options, struct buf *problem, struct serve **ret_serve)
{
    struct serve *serve = calloc(1, sizeof(*serve));
    int r;

    *ret_serve = NULL;
    if (!serve)
        return fail(problem, -ENOMEM, "--listen", "", "out of memory");
    serve->listener = serve->channel = serve->wishes = -1;
    serve->names = options->names;
    serve->store = options->store;
    serve->run = options->run;
    r = open_place(options, serve, problem);
    if (r < 0 || serve->listener < 0) {
        bool is_usual = !options->listen && !options->token_file;

        serve_close(serve);
        return is_usual ? 0 : r;
    }
    *ret_serve = serve;
    return 0;
}

/* --- processes --- */

/* They end with the recorder, whatever a terminal or a service manager sends to all. */
static void ignore_signals(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

static void answer(const struct serve *serve, int channel, int asker, uint64_t every_ns)
{
    const uint64_t fresh_ns = FRESH_TICKS * every_ns;
    const struct server server = {
        .listener = serve->listener,
        .channel = channel,
        .asker = asker,
        .rules = {.token = serve->token,
                  .names = serve->names,
                  .is_unix_socket = serve->place.any.sa_family == AF_UNIX},
        .fresh_ns = fresh_ns > FRESH_NS ? fresh_ns : FRESH_NS,
    };
    const int kept[] = {server.listener, server.channel, server.asker};
    int r = confine_descriptors(kept, ARRAY_SIZE(kept));

    ignore_signals();
    if (r == 0)
        r = confine();
    if (r == 0)
        r = server_run(&server);
    (void)r; /* nobody is there who could be told: the recorder sees its end */
}

/* Users have names, and moments their time zone. */
static void ask(const struct serve *serve, int questions, int recorder)
{
    CLEANUP_FREE char *store = strdup(serve->store);
    CLEANUP_FREE char *real = realpath(serve->store, NULL); /* it may be a link to elsewhere */
    const char *const readable[] = {store ? dirname(store) : "", real ? dirname(real) : "",
                                    "/etc/passwd", "/etc/nsswitch.conf", "/usr/share/zoneinfo"};
    const struct asker asker = {
        .questions = questions, .recorder = recorder, .store = serve->store, .run = serve->run};
    const int kept[] = {questions, recorder};
    int r = confine_descriptors(kept, ARRAY_SIZE(kept));

    ignore_signals();
    if (serve->token)
        explicit_bzero(serve->token, strlen(serve->token));
    confine_to_end_first();
    setpriority(PRIO_PROCESS, 0, NICENESS);
    if (r == 0)
        r = confine_to_ask(readable, ARRAY_SIZE(readable));
    if (r == 0)
        r = asker_run(&asker);
    (void)r; /* the process that answers says so to those who ask */
}

static int open_pair(int ends[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? -errno : 0;
}

static void close_pair(const int ends[2])
{
    for (unsigned int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
}

enum { QUESTIONS, WISHES, NUMBERS, PAIR_MAX };

/* 0, -errno, or 1 in one of the processes. */
static int start_both(struct serve *serve, int pairs[PAIR_MAX][2], uint64_t every_ns)
{
    serve->asks = fork();
    if (serve->asks == 0) {
        ask(serve, pairs[QUESTIONS][1], pairs[WISHES][1]);
        return 1;
    }
    serve->answers = serve->asks < 0 ? -1 : fork();
    if (serve->answers == 0) {
        serve->asks = 0;
        answer(serve, pairs[NUMBERS][1], pairs[QUESTIONS][0], every_ns);
        return 1;
    }
    return serve->answers < 0 ? -errno : 0;
}

int serve_start(struct serve *serve, uint64_t every_ns)
{
    int pairs[PAIR_MAX][2] = {{-1, -1}, {-1, -1}, {-1, -1}};
    int r = 0;

    for (unsigned int i = 0; i < PAIR_MAX && r == 0; i++)
        r = open_pair(pairs[i]);
    if (r == 0)
        r = start_both(serve, pairs, every_ns);
    if (r > 0)
        return r;
    serve->answers = serve->answers < 0 ? 0 : serve->answers;
    serve->asks = serve->asks < 0 ? 0 : serve->asks;
    if (r == 0) {
        serve->channel = TAKE_FD(pairs[NUMBERS][0]);
        serve->wishes = TAKE_FD(pairs[WISHES][0]);
        close(TAKE_FD(serve->listener));
    }
    for (unsigned int i = 0; i < PAIR_MAX; i++)
        close_pair(pairs[i]);
    return r;
}

int serve_outdate(const struct serve *serve)
{
    return serve->channel < 0 || exposition_outdate(serve->channel) == -EPIPE ? -EPIPE : 0;
}

int serve_numbers_fd(const struct serve *serve)
{
    return serve->channel;
}

bool serve_take_numbers_wish(struct serve *serve)
{
    int r = serve->channel < 0 ? -EAGAIN : exposition_take_wish(serve->channel);

    if (r == -EPIPE)
        close(TAKE_FD(serve->channel));
    return r == 0;
}

int serve_publish(const struct serve *serve, const struct buf bodies[EXPOSITION_BODIES])
{
    return serve->channel < 0 || exposition_send(serve->channel, bodies) == -EPIPE ? -EPIPE : 0;
}

int serve_wish_fd(const struct serve *serve)
{
    return serve->wishes;
}

bool serve_take_wish(struct serve *serve, enum present *ret_present)
{
    CLEANUP_CLOSE int memory = -1;
    int r = serve->wishes < 0 ? -EAGAIN : present_receive(serve->wishes, ret_present, &memory);

    if (r == -EPIPE)
        close(TAKE_FD(serve->wishes));
    return r == 0;
}

int serve_grant(const struct serve *serve, enum present present, int memory)
{
    return present_send(serve->wishes, present, memory);
}

static void end_process(pid_t process)
{
    if (!process)
        return;
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
}

void serve_close(struct serve *serve)
{
    if (!serve)
        return;
    if (serve->listener >= 0)
        close(serve->listener);
    if (serve->channel >= 0)
        close(serve->channel);
    if (serve->wishes >= 0)
        close(serve->wishes);
    end_process(serve->asks);
    end_process(serve->answers);
    if (serve->answers)
        place_close(&serve->place);
    free(serve->token);
    free(serve);
}

void serve_put_place(const struct serve *serve, const char *path, struct buf *out)
{
    place_put(&serve->place, path, out);
}
