/* SPDX-License-Identifier: MIT */
/* Two readings and the time between them: -d, and where rates are asked for. */
#include "base/clock.h"
#include "cli/interrupts.h"
#include "cli/session.h"
#include "collect/accounting.h"

#include <poll.h>

/* For so long traffic is counted when nobody says how long. */
#define USUAL_MS 1000

/* In less time counters say too little of a second. */
#define LEAST_MS 1000

/* Takes in what is counted meanwhile, as the buffers of the kernel are bounded. 0 or EXIT_ERROR. */
static int wait_until(struct accounting *accounting, uint64_t end_ns, const sigset_t *unblocked)
{
    uint64_t now;

    while (!interrupts_came() && (now = clock_ns(CLOCK_MONOTONIC)) < end_ns) {
        struct pollfd counted = {.fd = accounting ? accounting_fd(accounting) : -1,
                                 .events = POLLIN};
        struct timespec left = {.tv_sec = (time_t)((end_ns - now) / SECOND_NS),
                                .tv_nsec = (long)((end_ns - now) % SECOND_NS)};

        if (interrupts_wait(&counted, 1, &left, unblocked) > 0 && accounting_drain(accounting) < 0)
            return command_error("out of memory");
    }
    return 0;
}

/* SIGINT ends the time early, and another one the program. */
static int wait_ms(const struct session *session, uint64_t milliseconds)
{
    sigset_t unblocked;
    int r;

    interrupts_catch(&unblocked);
    if (session->options->explain && !session->options->quiet)
        command_error("counting for %.10g s", (double)milliseconds / 1000);
    r = wait_until(session->accounting, clock_ns(CLOCK_MONOTONIC) + milliseconds * MILLISECOND_NS,
                   &unblocked);
    interrupts_let_in(&unblocked, 128 + SIGINT, 0);
    return r;
}

int session_take_baseline(struct session *session)
{
    if (session_take(session) != 0)
        return EXIT_ERROR;
    if (session->accounting && accounting_begin(session->accounting) < 0)
        return command_error("out of memory");
    return 0;
}

int session_take_first(struct session *session, const struct query *query)
{
    const struct options *options = session->options;

    if (options->replay)
        return 0;
    if (session_plan_also(session, query) != 0 || session_account(session) != 0 ||
        session_take_baseline(session) != 0)
        return EXIT_ERROR;
    return wait_ms(session, options->delta_ms);
}

int session_continue(struct session *session, const struct query *query, struct snapshot *snapshot)
{
    uint64_t age_ms = (clock_ns(CLOCK_BOOTTIME) - snapshot->boot_ns) / MILLISECOND_NS;

    if (session_plan_also(session, query) != 0) {
        snapshot_done(snapshot);
        return EXIT_ERROR;
    }
    if (session_adopt_reading(session, snapshot) != 0)
        return EXIT_ERROR;
    return age_ms < LEAST_MS ? wait_ms(session, LEAST_MS - age_ms) : 0;
}

int session_measure(struct session *session)
{
    const struct options *options = session->options;

    if (session->now || options->replay)
        return 0;
    if (options->delta && options->record)
        return command_error("--record keeps one reading: it does not go with -d");
    if (!(session->request.needs & NEED_WINDOW)) {
        if (options->delta && !options->quiet && session->request.needs & NEED_SOCKETS)
            return command_error("-d counts traffic, of which nothing is shown here: nwho top");
        return 0;
    }
    if (options->record)
        return 0;
    if (!options->delta && !options->quiet)
        command_error("traffic is counted for a second (-d SEC: longer; --watch: on and on)");
    if (session_account(session) != 0 || session_take_baseline(session) != 0)
        return EXIT_ERROR;
    return wait_ms(session, options->delta ? options->delta_ms : USUAL_MS);
}
