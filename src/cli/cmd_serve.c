/* SPDX-License-Identifier: MIT */
/* nwho serve: the daemon that records history, and serves metrics. */
#include "base/clock.h"
#include "base/escape.h"
#include "base/user_path.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/interrupts.h"
#include "cli/recorder.h"
#include "cli/recorder_metrics.h"
#include "cli/recorder_present.h"
#include "cli/recorder_state.h"
#include "serve/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define USUAL_EVERY_MS 10000
#define USUAL_RING_S 60

static uint64_t every_ms_of(const struct options *options)
{
    return options->every_ms ? options->every_ms : USUAL_EVERY_MS;
}

/* Ticks of a second need none. */
static uint32_t ring_of(const struct options *options)
{
    if (every_ms_of(options) <= 1000)
        return 0;
    return options->has_ring ? options->ring_s : USUAL_RING_S;
}

static int open_store(const struct options *options, const char *path, struct store **ret_store)
{
    struct store_limits limits = {
        .bytes = options->size, .peers = options->peers, .ring_s = ring_of(options)};
    struct buf problem = BUF_INIT;
    int pid = 0, r;

    r = store_open(path, &limits, ret_store, &pid, &problem);
    if (r == -EBUSY && pid)
        r = command_error("%s is recorded already, by process %d: one recorder a file", path, pid);
    else if (r < 0)
        r = command_error("%s", buf_string(&problem));
    else if (problem.length)
        command_error("%s", buf_string(&problem));
    buf_done(&problem);
    return r;
}

static void say_on_stderr(const char *line)
{
    command_error("%s", line);
}

static void say_to_log(const char *line)
{
    syslog(LOG_WARNING, "%s", line);
}

static void say_started(const char *path, int pid, const struct serve *serve)
{
    struct buf line = BUF_INIT;

    buf_puts(&line, "nwho: recording into ");
    escape_text(&line, path, strlen(path));
    buf_printf(&line, "; process %d, which SIGTERM ends\n", pid);
    if (serve) {
        buf_puts(&line, "nwho: metrics at ");
        serve_put_place(serve, "/metrics", &line);
        buf_puts(&line, "\nnwho: page at ");
        serve_put_place(serve, "/", &line);
        buf_byte(&line, '\n');
    }
    line.fd = STDOUT_FILENO;
    buf_flush(&line);
    buf_done(&line);
}

/* The parent is told that recording has begun. Files are open: their directories may go away. */
static int leave_parent(int ready)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    openlog("nwho", LOG_PID, LOG_DAEMON);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (nothing < 0 || dup2(nothing, fd) < 0)
            return EXIT_ERROR;
    return setsid() >= 0 && chdir("/") == 0 && write(ready, "", 1) == 1 ? 0 : EXIT_ERROR;
}

struct service {
    const struct options *options;
    const char *path;                 /* of the history */
    struct serve *serve;              /* NULL: nothing is served */
    struct recorder_present *present; /* the same */
    uint64_t every_ms;
    int ready; /* the pipe to a parent that waits for the beginning; -1: it stays in the foreground
                */
    void (*say)(const char *line);
};

/* 0, EXIT_ERROR or -errno. */
static int record_until_end(const struct service *service, struct store *store,
                            const sigset_t *unblocked)
{
    struct recorder_metrics *metrics = NULL;
    struct recorder *recorder = NULL;
    int r = recorder_open(store, service->path, service->every_ms, ring_of(service->options) > 0,
                          service->say, &recorder);

    if (r == 0 && service->serve) {
        metrics = recorder_metrics_new(service->serve, service->path, service->say);
        r = metrics ? 0 : command_error("out of memory");
    }
    if (r == 0 && service->ready >= 0)
        r = leave_parent(service->ready);
    else if (r == 0)
        say_started(service->path, getpid(), service->serve);
    if (r == 0) {
        recorder_set_served(recorder, metrics, service->present);
        r = recorder_run(recorder, unblocked);
        if (r < 0)
            service->say(strerror(-r));
    }
    recorder_close(recorder);
    recorder_metrics_free(metrics);
    return r;
}

/* 0, EXIT_ERROR or -errno. */
static int record_into_store(const struct service *service)
{
    struct store *store = NULL;
    sigset_t unblocked;
    int r;

    interrupts_catch(&unblocked);
    r = open_store(service->options, service->path, &store);
    if (r == 0)
        r = record_until_end(service, store, &unblocked);
    store_close(store);
    return r;
}

/* What serves is begun first: it has nothing then that it could not have. It may read the directory
 * of the history, which has to be there. */
static int record(struct service *service)
{
    int r;

    if (!service->options->store)
        user_path_make(service->path);
    r = service->serve ? serve_start(service->serve, service->every_ms * MILLISECOND_NS) : 0;
    if (r > 0)
        _exit(EXIT_FOUND);
    if (r < 0)
        return command_error("cannot serve metrics: %s", strerror(-r));
    if (service->serve)
        service->present = recorder_present_new(service->serve);
    if (service->serve && !service->present)
        return command_error("out of memory");
    r = record_into_store(service);
    recorder_present_free(service->present);
    return r == 0 ? EXIT_FOUND : EXIT_ERROR;
}

static int record_in_background(struct service *service)
{
    int ends[2];
    pid_t child;
    char byte;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return command_error("cannot begin in the background: %s", strerror(errno));
    child = fork();
    if (child < 0)
        return command_error("cannot begin in the background: %s", strerror(errno));
    if (child == 0) {
        close(ends[0]);
        service->ready = ends[1];
        service->say = say_to_log;
        return record(service);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1)
        return EXIT_ERROR;
    say_started(service->path, child, service->serve);
    return EXIT_FOUND;
}

/* In a child of the process that answers the API. */
static void run_and_end(int argc, char **argv)
{
    _exit(command_run_line(argc, argv));
}

static int run_service(const struct options *options, const char *path)
{
    const struct serve_options wanted = {.listen = options->listen,
                                         .token_file = options->token_file,
                                         .names = options->hosts,
                                         .store = path,
                                         .run = run_and_end};
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct service service = {
        .options = options,
        .path = path,
        .every_ms = every_ms_of(options),
        .ready = -1,
        .say = say_on_stderr,
    };
    int r = serve_open(&wanted, &problem, &service.serve);

    if (problem.length)
        command_error("%s", buf_string(&problem));
    else if (r < 0) /* also for the line that tells it there was no memory */
        command_error("cannot serve metrics: %s", strerror(-r));
    if (r < 0)
        return EXIT_ERROR;
    r = options->foreground ? record(&service) : record_in_background(&service);
    serve_close(service.serve);
    return r;
}

static int run_serve(struct options *options)
{
    char path[PATH_MAX];

    if (options->word_count)
        return command_error("serve takes no words: \"%s\"", options->words[0]);
    if (!history_path(options, !options->status, path))
        return command_error("there is no place for the history: use --store FILE");
    if (options->status)
        return recorder_status(path, options->format == FORMAT_JSON);
    if (options->format == FORMAT_JSON)
        return command_error("--json goes with --status");
    if (options->stop)
        return recorder_stop(path);
    return run_service(options, path);
}

static const char *const examples[] = {
    "nwho serve",
    "record in the background from now on",
    "nwho serve --foreground --every 1 --size 2G",
    "each second, in at most two gigabytes, and stay in the foreground",
    "nwho serve --status",
    "whether it is being recorded, and since when",
    "nwho serve --status --json",
    "the same for programs",
    "nwho serve --listen 192.0.2.7:9477 --token-file /etc/nwho/token",
    "metrics for Prometheus on another machine, which has the token, too",
    NULL,
};

const struct command command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "record the history that nwho history shows, and serve metrics",
    .examples = examples,
    .options = OPTIONS_SERVE | OPTIONS_STORE,
    .run = run_serve,
};
