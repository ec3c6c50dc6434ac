/* SPDX-License-Identifier: MIT */
/* The present: a child of the recorder reads it as `nwho ls --record` does. */
#include "cli/recorder_present.h"

#include "base/clock.h"
#include "base/confine.h"
#include "cli/recording.h"
#include "cli/session.h"
#include "model/snapshot_file.h"
#include "serve/passing.h"
#include "serve/serve.h"

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

/* Snapshots of one kind. */
struct reading {
    bool wanted;       /* a newer one than the child's */
    pid_t child;       /* 0: there is none */
    uint64_t begun_ns; /* CLOCK_MONOTONIC of the last one; 0: there was none */
    uint64_t cost_ns;  /* of CPU, of the last one that ended */
    bool failed;       /* that one brought nothing */
};

struct recorder_present {
    struct serve *serve;
    struct reading readings[PRESENT_MAX];
};

struct recorder_present *recorder_present_new(struct serve *serve)
{
    struct recorder_present *present = calloc(1, sizeof(*present));

    if (present)
        present->serve = serve;
    return present;
}

void recorder_present_free(struct recorder_present *present)
{
    if (!present)
        return;
    for (unsigned int i = 0; i < PRESENT_MAX; i++) {
        pid_t child = present->readings[i].child;

        if (!child)
            continue;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    free(present);
}

int recorder_present_fd(const struct recorder_present *present)
{
    return serve_wish_fd(present->serve);
}

/* --- the child --- */

static int write_snapshot(const struct serve *serve, enum present kind,
                          const struct snapshot *snapshot)
{
    CLEANUP_CLOSE int memory = passing_memory("nwho-present");
    int r = memory < 0 ? memory : snapshot_write(snapshot, memory);

    if (r == 0)
        r = passing_seal(memory);
    return r < 0 ? r : serve_grant(serve, kind, memory);
}

/* All that such a question may be about, of the namespaces that `nwho ls` reads. */
static int read_machine(const struct serve *serve, enum present kind)
{
    struct options options = {.color = COLOR_NEVER, .all_netns = kind & PRESENT_ALL_NETNS};
    struct session session;
    struct frame *frame = NULL;
    int r = session_begin(&session, &options);

    if (r == 0) {
        recording_widen(&session.request);
        if (kind & PRESENT_NO_TIME_WAIT)
            session.request.states &= ~STATE_BIT(STATE_TIME_WAIT);
        r = session_read(&session, &session.request, &frame);
    }
    if (r == 0)
        r = write_snapshot(serve, kind, &frame->snapshot);
    session_free_frame(frame);
    session_end(&session);
    return r;
}

/* What the recorder has open is none of its business; who asks learns nothing of how it went but
 * that there is a snapshot. */
static void be_child(const struct serve *serve, enum present kind, uint64_t rest_ns)
{
    const int kept[] = {serve_wish_fd(serve)};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&none);
    for (int i = SIGHUP; i <= SIGTERM; i++)
        sigaction(i, &usual, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    confine_to_end_first();
    setpriority(PRIO_PROCESS, 0, NICENESS);
    if (confine_descriptors(kept, ARRAY_SIZE(kept)) < 0)
        _exit(EXIT_ERROR);
    poll(NULL, 0, (int)(rest_ns / MILLISECOND_NS));
    alarm(CHILD_S);
    _exit(read_machine(serve, kind) == 0 ? EXIT_FOUND : EXIT_ERROR);
}

/* --- the recorder --- */

static uint64_t rest_of(const struct reading *reading)
{
    uint64_t rest_ns = reading->cost_ns * REST_TIMES;

    if (rest_ns < REST_NS)
        return REST_NS;
    return rest_ns < REST_MAX_NS ? rest_ns : REST_MAX_NS;
}

static void start(const struct serve *serve, enum present kind, struct reading *reading)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), rest_ns = rest_of(reading);
    uint64_t next_ns = reading->begun_ns ? reading->begun_ns + rest_ns : 0;
    pid_t child;

    rest_ns = next_ns > now_ns ? next_ns - now_ns : 0;
    child = fork();
    if (child == 0)
        be_child(serve, kind, rest_ns);
    if (child < 0)
        return; /* who asks does so again */
    reading->wanted = false;
    reading->child = child;
    reading->begun_ns = now_ns + rest_ns;
}

static uint64_t nanoseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_usec * 1000;
}

/* One that brought nothing is tried again, once: who asks does so again, too, but later. */
static void take_end(struct reading *reading)
{
    struct rusage usage = {.ru_utime = {0}};
    int status = 0;
    pid_t ended = reading->child ? wait4(reading->child, &status, WNOHANG, &usage) : 0;

    if (!ended)
        return;
    reading->child = 0;
    reading->wanted |= status && !reading->failed;
    reading->failed = status != 0;
    reading->cost_ns = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
}

void recorder_present_go_on(struct recorder_present *present)
{
    enum present kind;

    while (serve_take_wish(present->serve, &kind))
        present->readings[kind].wanted = true;
    for (unsigned int i = 0; i < PRESENT_MAX; i++) {
        struct reading *reading = &present->readings[i];

        take_end(reading);
        if (reading->wanted && !reading->child)
            start(present->serve, i, reading);
    }
}
