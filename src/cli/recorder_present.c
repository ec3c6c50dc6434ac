/* SPDX-License-Identifier: MIT */
/* The present: a process beside the recorder has a child read it as `nwho ls --record` does. */
/*
 * The process is forked while the recorder has nothing yet: to fork the recorder itself each time
 * would cost it a copy of each page that it writes to next. It keeps what children need that takes
 * long to make.
 */
#include "cli/recorder_present.h"

#include "base/clock.h"
#include "base/confine.h"
#include "cli/recording.h"
#include "cli/session.h"
#include "collect/programs.h"
#include "model/snapshot_file.h"
#include "serve/passing.h"
#include "serve/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* How long a child may read. */
#define CHILD_S 10

/* From the beginning of one to that of the next of the same kind: so long, or so many times the CPU
 * time that the last one took, up to a limit that questions have the patience for. */
#define REST_NS (2 * SECOND_NS)
#define REST_TIMES 5
#define REST_MAX_NS (8 * SECOND_NS)

/* What ticks need comes first. */
#define NICENESS 5

/* What neither sockets nor processes are asked for. */
#define OF_OTHERS                                                                                  \
    (NEED_LINKS | NEED_LINK_DETAILS | NEED_COUNTERS | NEED_FORWARDED | NEED_ROUTES |               \
     NEED_ROUTE_USE | NEED_MEMBERSHIPS | NEED_MEMBERS | NEED_SETTINGS | NEED_FD_FLAGS)

/* Snapshots of one kind. */
struct reading {
    bool wanted;       /* a newer one than the child's */
    bool failed;       /* the last one brought nothing */
    pid_t child;       /* 0: there is none */
    int end;           /* a pipe that the child holds: it ends with it; -1: there is none */
    uint64_t begun_ns; /* CLOCK_MONOTONIC of the last one */
    uint64_t next_ns;  /* the same: not before */
};

/* The process that has them read. */
struct reader {
    struct serve *serve;
    struct programs *programs; /* that one child at a time is lent; NULL: each loads its own */
    pid_t borrower;            /* who has them; 0: nobody */
    struct reading readings[PRESENT_MAX];
    bool has_read; /* somebody has asked before */
};

struct recorder_present {
    struct serve *serve;
    pid_t reader; /* 0: it could not be started */
};

/* --- a child of it --- */

static int write_snapshot(const struct serve *serve, enum present kind,
                          const struct snapshot *snapshot)
{
    CLEANUP_CLOSE int memory = passing_memory("nwho-present");
    int r = memory < 0 ? memory : snapshot_write(snapshot, memory);

    if (r == 0)
        r = passing_seal(memory);
    return r < 0 ? r : serve_grant(serve, kind, memory);
}

/* All that such a question may be about. */
static void widen(enum present kind, struct request *request)
{
    recording_widen(request);
    request->needs &= ~(uint64_t)OF_OTHERS;
    if (!(kind & PRESENT_PROCESSES))
        request->needs &= ~(uint64_t)NEED_ALL_PROCESSES;
    if (kind & PRESENT_NO_TIME_WAIT)
        request->states &= ~STATE_BIT(STATE_TIME_WAIT);
}

/* Of the namespaces that `nwho ls` reads. */
static int read_machine(const struct reader *reader, enum present kind)
{
    struct options options = {.color = COLOR_NEVER, .all_netns = kind & PRESENT_ALL_NETNS};
    struct session session;
    struct frame *frame = NULL;
    int r = session_begin(&session, &options);

    if (r == 0) {
        widen(kind, &session.request);
        session.request.programs = reader->borrower ? NULL : reader->programs;
        r = session_read(&session, &session.request, &frame);
    }
    if (r == 0)
        r = write_snapshot(reader->serve, kind, &frame->snapshot);
    session_free_frame(frame);
    session_end(&session);
    return r;
}

static void be_child(const struct reader *reader, enum present kind)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(CHILD_S);
    _exit(read_machine(reader, kind) == 0 ? EXIT_FOUND : EXIT_ERROR);
}

/* --- the process --- */

static uint64_t nanoseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_usec * 1000;
}

static uint64_t rest_of(uint64_t cost_ns)
{
    uint64_t rest_ns = cost_ns * REST_TIMES;

    if (rest_ns < REST_NS)
        return REST_NS;
    return rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS;
}

/* To load what searches for owners takes longer than to search. */
static void keep_programs(struct reader *reader)
{
    if (!reader->programs || programs_prepare(reader->programs, ITERATOR_TASK_FILE) == 0)
        return;
    programs_free(reader->programs);
    reader->programs = NULL;
}

/* Whoever asks for the second time is likely to go on. */
static void start_reading(struct reader *reader, enum present kind)
{
    struct reading *reading = &reader->readings[kind];
    int ends[2];

    if (reader->has_read && !reader->borrower)
        keep_programs(reader);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return; /* who asks does so again */
    reading->child = fork();
    if (reading->child == 0)
        be_child(reader, kind);
    close(ends[1]);
    if (reading->child < 0) {
        close(ends[0]);
        reading->child = 0;
        return;
    }
    if (!reader->borrower)
        reader->borrower = reading->child;
    reader->has_read = true;
    reading->wanted = false;
    reading->end = ends[0];
    reading->begun_ns = clock_ns(CLOCK_MONOTONIC);
}

/* One that brought nothing is tried again, once: who asks does so again, too, but later. And learns
 * nothing of how it went but that there is a snapshot. */
static void end_reading(struct reader *reader, enum present kind)
{
    struct reading *reading = &reader->readings[kind];
    struct rusage usage = {.ru_utime = {0}};
    int status = 0;

    if (wait4(reading->child, &status, 0, &usage) != reading->child)
        status = -1;
    if (reader->borrower == reading->child)
        reader->borrower = 0;
    close(TAKE_FD(reading->end));
    reading->child = 0;
    reading->wanted |= status && !reading->failed;
    reading->failed = status != 0;
    reading->next_ns =
        reading->begun_ns + rest_of(nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime));
}

static bool is_due(const struct reading *reading)
{
    return reading->wanted && !reading->child && reading->next_ns <= clock_ns(CLOCK_MONOTONIC);
}

/* Milliseconds until one that is wanted has rested; -1: none is wanted. */
static int until_next(const struct reader *reader)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), next_ns = UINT64_MAX;

    for (unsigned int i = 0; i < PRESENT_MAX; i++)
        if (reader->readings[i].wanted && !reader->readings[i].child &&
            reader->readings[i].next_ns < next_ns)
            next_ns = reader->readings[i].next_ns;
    if (next_ns == UINT64_MAX)
        return -1;
    return next_ns <= now_ns ? 0 : (int)((next_ns - now_ns) / MILLISECOND_NS) + 1;
}

/* When nobody will ask any more, it waits for its end. */
static void go_on(struct reader *reader)
{
    struct pollfd polled[PRESENT_MAX + 1];
    enum present kind;

    for (unsigned int i = 0; i < PRESENT_MAX; i++)
        polled[i] = (struct pollfd){.fd = reader->readings[i].end, .events = POLLIN};
    polled[PRESENT_MAX] = (struct pollfd){.fd = serve_wish_fd(reader->serve), .events = POLLIN};
    if (poll(polled, ARRAY_SIZE(polled), until_next(reader)) < 0)
        return;
    while (serve_take_wish(reader->serve, &kind))
        reader->readings[kind].wanted = true;
    for (unsigned int i = 0; i < PRESENT_MAX; i++) {
        if (polled[i].revents)
            end_reading(reader, i);
        if (is_due(&reader->readings[i]))
            start_reading(reader, i);
    }
}

/* What the recorder has open is none of its business. It ends with it, whatever a terminal or a
 * service manager sends to all. */
static void be_reader(struct serve *serve, pid_t recorder)
{
    const int kept[] = {serve_wish_fd(serve)};
    struct reader reader = {.serve = serve};
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != recorder)
        _exit(EXIT_ERROR);
    for (int i = SIGHUP; i <= SIGTERM; i++)
        signal(i, SIG_DFL);
    signal(SIGHUP, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    confine_to_end_first();
    setpriority(PRIO_PROCESS, 0, NICENESS);
    if (confine_descriptors(kept, ARRAY_SIZE(kept)) < 0)
        _exit(EXIT_ERROR);
    reader.programs = programs_new();
    for (unsigned int i = 0; i < PRESENT_MAX; i++)
        reader.readings[i].end = -1;
    for (;;)
        go_on(&reader);
}

/* --- the recorder --- */

static void start(struct recorder_present *present)
{
    const pid_t recorder = getpid();

    present->reader = fork();
    if (present->reader == 0)
        be_reader(present->serve, recorder);
    if (present->reader < 0)
        present->reader = 0;
}

struct recorder_present *recorder_present_new(struct serve *serve)
{
    struct recorder_present *present = calloc(1, sizeof(*present));

    if (!present)
        return NULL;
    present->serve = serve;
    start(present);
    return present;
}

void recorder_present_free(struct recorder_present *present)
{
    if (!present)
        return;
    if (present->reader) {
        kill(present->reader, SIGKILL);
        waitpid(present->reader, NULL, 0);
    }
    free(present);
}

void recorder_present_keep(struct recorder_present *present)
{
    if (present->reader && waitpid(present->reader, NULL, WNOHANG) == present->reader)
        present->reader = 0;
    if (!present->reader)
        start(present);
}
