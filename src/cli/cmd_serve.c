/* SPDX-License-Identifier: MIT */
/* nwho serve: the daemon that records history. */
#include "base/escape.h"
#include "base/user_path.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/interrupts.h"
#include "cli/recorder.h"
#include "cli/recorder_state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#define USUAL_EVERY_MS 10000

static int open_store(const struct options *options, const char *path, struct store **ret_store)
{
    struct store_limits limits = {.bytes = options->size, .peers = options->peers};
    struct buf problem = BUF_INIT;
    int pid = 0, r;

    if (!options->store)
        user_path_make(path);
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

static void say_started(const char *path, int pid)
{
    struct buf line = BUF_INIT;

    buf_puts(&line, "nwho: recording into ");
    escape_text(&line, path, strlen(path));
    buf_printf(&line, "; process %d, which SIGTERM ends\n", pid);
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

/* `ready`: the pipe to a parent that waits for the beginning; -1: it stays in the foreground. */
static int record(const struct options *options, const char *path, int ready)
{
    uint64_t every_ms = options->every_ms ? options->every_ms : USUAL_EVERY_MS;
    void (*say)(const char *line) = ready >= 0 ? say_to_log : say_on_stderr;
    struct recorder *recorder = NULL;
    struct store *store = NULL;
    sigset_t unblocked;
    int r;

    interrupts_catch(&unblocked);
    r = open_store(options, path, &store);
    if (r == 0)
        r = recorder_open(store, path, every_ms, say, &recorder);
    if (r == 0 && ready >= 0)
        r = leave_parent(ready);
    else if (r == 0)
        say_started(path, getpid());
    if (r == 0) {
        r = recorder_run(recorder, &unblocked);
        if (r < 0)
            say(strerror(-r));
    }
    recorder_close(recorder);
    store_close(store);
    return r == 0 ? EXIT_FOUND : EXIT_ERROR;
}

static int record_in_background(const struct options *options, const char *path)
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
        return record(options, path, ends[1]);
    }
    close(ends[1]);
    if (read(ends[0], &byte, 1) != 1)
        return EXIT_ERROR;
    say_started(path, child);
    return EXIT_FOUND;
}

static int run_serve(struct options *options)
{
    char path[PATH_MAX];

    if (options->word_count)
        return command_error("serve takes no words: \"%s\"", options->words[0]);
    if (!history_path(options, !options->status, path))
        return command_error("there is no place for the history: use --store FILE");
    if (options->status)
        return recorder_status(path);
    if (options->stop)
        return recorder_stop(path);
    return options->foreground ? record(options, path, -1) : record_in_background(options, path);
}

static const char *const examples[] = {
    "nwho serve",
    "record in the background from now on",
    "nwho serve --foreground --every 1 --size 2G",
    "each second, in at most two gigabytes, and stay in the foreground",
    "nwho serve --status",
    "whether it is being recorded, and since when",
    NULL,
};

const struct command command_serve = {
    .name = "serve",
    .arguments = "",
    .summary = "record the history that nwho history shows",
    .examples = examples,
    .options = OPTIONS_SERVE | OPTIONS_STORE,
    .run = run_serve,
};
