/* SPDX-License-Identifier: MIT */
/* The present: a child of the recorder reads it as `nwho ls --record` does. */
#include "cli/recorder_present.h"

#include "base/clock.h"
#include "cli/recording.h"
#include "cli/session.h"
#include "model/snapshot_file.h"
#include "serve/confine.h"
#include "serve/passing.h"
#include "serve/serve.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* From the beginning of one to that of the next; and how long a child may read. */
#define REST_NS (2 * SECOND_NS)
#define CHILD_S 10

/* What ticks need comes first. */
#define NICENESS 5

struct recorder_present {
    struct serve *serve;
    bool wanted;       /* a newer one than the child's */
    pid_t child;       /* 0: there is none */
    uint64_t begun_ns; /* CLOCK_MONOTONIC of the last one; 0: there was none */
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
    if (present->child) {
        kill(present->child, SIGKILL);
        waitpid(present->child, NULL, 0);
    }
    free(present);
}

int recorder_present_fd(const struct recorder_present *present)
{
    return serve_wish_fd(present->serve);
}

/* --- the child --- */

static int write_snapshot(const struct serve *serve, const struct snapshot *snapshot)
{
    CLEANUP_CLOSE int memory = passing_memory("nwho-present");
    int r = memory < 0 ? memory : snapshot_write(snapshot, memory);

    if (r == 0)
        r = passing_seal(memory);
    return r < 0 ? r : serve_grant(serve, memory);
}

/* All that a question may be about, of the namespace that `nwho ls` reads. */
static int read_machine(const struct serve *serve)
{
    struct options options = {.color = COLOR_NEVER};
    struct session session;
    struct frame *frame = NULL;
    int r = session_begin(&session, &options);

    if (r == 0) {
        recording_widen(&session.request);
        r = session_read(&session, &session.request, &frame);
    }
    if (r == 0)
        r = write_snapshot(serve, &frame->snapshot);
    session_free_frame(frame);
    session_end(&session);
    return r;
}

/* What the recorder has open is none of its business; who asks learns nothing of how it went but
 * that there is a snapshot. */
static void be_child(const struct serve *serve, uint64_t rest_ns)
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
    _exit(read_machine(serve) == 0 ? EXIT_FOUND : EXIT_ERROR);
}

/* --- the recorder --- */

static void start(struct recorder_present *present)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC), rest_ns = 0;
    pid_t child;

    if (present->begun_ns && now_ns - present->begun_ns < REST_NS)
        rest_ns = REST_NS - (now_ns - present->begun_ns);
    child = fork();
    if (child == 0)
        be_child(present->serve, rest_ns);
    if (child < 0)
        return; /* who asks does so again */
    present->wanted = false;
    present->child = child;
    present->begun_ns = now_ns + rest_ns;
}

void recorder_present_go_on(struct recorder_present *present)
{
    if (present->child && waitpid(present->child, NULL, WNOHANG) != 0)
        present->child = 0;
    present->wanted |= serve_take_wish(present->serve);
    if (present->wanted && !present->child)
        start(present);
}
