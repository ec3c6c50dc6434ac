/* SPDX-License-Identifier: MIT */
/* Following events: batches of a source into rows until it is enough. */
#include "cli/follow.h"

#include "base/clock.h"
#include "cli/event_output.h"
#include "cli/interrupts.h"
#include "table/events.h"

#include <poll.h>

/* After the first event others are waited for, so that many are written at once. */
#define GATHER_MS 40

/* Events of one batch; and how many batches are more than the kernel keeps. */
#define BATCH 4096
#define BATCHES_KEPT 16

struct follower {
    struct event_output output;
    struct session *session;
    struct event_source *source;
    uint64_t end_ns; /* CLOCK_MONOTONIC; 0: none */
    uint64_t lost;   /* that were said */
    sigset_t unblocked;
};

/* What has happened so far; interrupted, not more than had happened then. */
static int take_all(struct follower *follower)
{
    struct snapshot snapshot;
    unsigned int batches = 0;
    bool more = true;
    int r = 0;

    while (more && r == 0 && !event_output_is_full(&follower->output) &&
           !(interrupts_came() && batches++ == BATCHES_KEPT)) {
        r = snapshot_init(&snapshot);
        if (r < 0)
            return r;
        r = event_source_read(follower->source, &snapshot, BATCH, &more);
        if (r < 0) {
            snapshot_done(&snapshot);
            return r;
        }
        if (session_adopt(follower->session, &snapshot) != 0)
            return -ENOMEM;
        r = event_output_add(&follower->output);
    }
    return r < 0 ? r : buf_flush(&follower->output.buf);
}

/* Signals are open while it writes, and while it waits; else one could come just before it waits.
 */
static int take_events(struct follower *follower)
{
    int r;

    interrupts_let_in(&follower->unblocked, -1, 0);
    r = take_all(follower);
    interrupts_shut_out();
    return r;
}

static void say_lost(struct follower *follower)
{
    uint64_t lost = event_source_lost(follower->source);

    if (lost == follower->lost || follower->session->options->quiet)
        return;
    follower->lost = lost;
    command_error("incomplete: at least %llu events were lost: they came faster than they could be "
                  "taken",
                  (unsigned long long)lost);
}

/* Milliseconds until it ends or the source wants to be read; -1: never. */
static int next_ms(const struct follower *follower)
{
    int wait = event_source_timeout_ms(follower->source);
    uint64_t now = clock_ns(CLOCK_MONOTONIC);
    uint64_t left = follower->end_ns > now ? (follower->end_ns - now) / MILLISECOND_NS + 1 : 0;

    if (!follower->end_ns)
        return wait;
    return wait < 0 || left < (uint64_t)wait ? (int)(left < INT32_MAX ? left : INT32_MAX) : wait;
}

static struct timespec timespec_of(int ms)
{
    return (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
}

/* True when the source is to be read. False: it was interrupted, or nobody reads us any more. */
static bool wait_for_events(struct follower *follower)
{
    struct pollfd fds[2] = {{.fd = event_source_fd(follower->source), .events = POLLIN},
                            {.fd = STDOUT_FILENO}};
    int ms = next_ms(follower);
    struct timespec until = timespec_of(ms < 0 ? 0 : ms), gather = timespec_of(GATHER_MS);
    int ready = interrupts_wait(fds, ARRAY_SIZE(fds), ms < 0 ? NULL : &until, &follower->unblocked);

    if (ready > 0 && fds[1].revents & (POLLERR | POLLNVAL))
        return false;
    if (ready > 0 && ms != 0)
        interrupts_wait(NULL, 0, &gather, &follower->unblocked);
    return !interrupts_came();
}

static bool is_over(const struct follower *follower)
{
    return interrupts_came() || event_output_is_full(&follower->output) ||
           (follower->end_ns && clock_ns(CLOCK_MONOTONIC) >= follower->end_ns);
}

static int follow(struct follower *follower)
{
    int r = 0;

    do {
        r = take_events(follower);
        say_lost(follower);
    } while (r == 0 && !is_over(follower) && wait_for_events(follower));
    if (r == 0 && interrupts_came())
        r = take_events(follower);
    return r;
}

/* What the source says of itself, as the session's now: for the notes, the head and the exit code.
 */
static int take_description(struct follower *follower)
{
    struct snapshot snapshot;

    if (snapshot_init(&snapshot) < 0)
        return command_error("out of memory");
    if (event_source_describe(follower->source, &snapshot) < 0) {
        snapshot_done(&snapshot);
        return command_error("out of memory");
    }
    return session_adopt(follower->session, &snapshot);
}

static int finish(struct follower *follower, int r)
{
    uint64_t lost;

    if (r == 0 || r == -EPIPE) {
        if (take_description(follower) != 0)
            return EXIT_ERROR;
        lost = event_source_lost(follower->source);
        if (r == 0)
            r = event_output_end(&follower->output, &lost);
    }
    say_lost(follower);
    if (r < 0 && r != -EPIPE)
        return command_error("cannot %s: %s",
                             follower->output.buf.error ? "write the output" : "follow the events",
                             strerror(-r));
    if (!follower->output.shown)
        session_hint(follower->session);
    return session_exit(follower->session, follower->output.shown);
}

/* Who asks for what is not told would wait for ever. */
static void hint_retransmits(const struct session *session)
{
    const struct options *options = session->options;

    if (!options->quiet && !options->retransmits && !options->events && session->words &&
        filter_wants(session->words, "event", event_kinds[EVENT_RETRANSMITTED]))
        command_error("retransmissions are only told with --retrans");
}

static int run_follower(struct follower *follower)
{
    const struct options *options = follower->session->options;
    int r;

    if (take_description(follower) != 0)
        return EXIT_ERROR;
    session_notes(follower->session);
    hint_retransmits(follower->session);
    if (options->for_ms)
        follower->end_ns = clock_ns(CLOCK_MONOTONIC) + options->for_ms * MILLISECOND_NS;
    r = event_output_begin(&follower->output);
    if (r == 0)
        r = buf_flush(&follower->output.buf);
    if (r == 0)
        r = follow(follower);
    return finish(follower, r);
}

int events_follow(struct session *session, struct query *query, enum event_subject subject)
{
    struct follower follower = {.session = session};
    int r;

    if (session->options->sort)
        return command_error("events come in the order of time: --sort goes with --since");
    if (session->options->record)
        return command_error("--record takes one moment; --jsonl > FILE keeps events");
    if (subject != EVENTS_OF_CONNTRACK &&
        !(session->request.sources & (SOURCE_BPF | SOURCE_SOCK_DIAG)))
        return command_error("events are told by bpf and sock_diag alone: name one of them, or "
                             "leave out --sources");
    if (session_plan(session, query) != 0)
        return EXIT_ERROR;
    query->limit = 0; /* of all batches together */
    interrupts_catch(&follower.unblocked);
    signal(SIGPIPE, SIG_IGN);
    r = event_source_open(&session->request, subject, &follower.source);
    if (r == -EPERM && subject == EVENTS_OF_CONNTRACK)
        return command_error("cannot follow the events: only CAP_NET_ADMIN may hear of them; try "
                             "it with sudo");
    if (r < 0)
        return command_error("cannot follow the events: %s", strerror(-r));
    r = event_output_open(&follower.output, session, query);
    if (r == 0)
        r = run_follower(&follower);
    event_output_done(&follower.output);
    event_source_close(follower.source);
    return r;
}
