/* SPDX-License-Identifier: MIT */
/* -d: two readings and the time between them. */
#include "cli/session.h"

#include "base/clock.h"
#include "collect/accounting.h"

#include <limits.h>
#include <poll.h>

static uint64_t now_ms(void)
{
    return clock_ns(CLOCK_MONOTONIC) / MILLISECOND_NS;
}

/* Takes in what is counted meanwhile, as the buffers of the kernel are bounded. 0 or EXIT_ERROR. */
static int wait_ms(struct accounting *accounting, uint64_t milliseconds)
{
    uint64_t end_ms = now_ms() + milliseconds, now;

    while ((now = now_ms()) < end_ms) {
        struct pollfd counted = {.fd = accounting ? accounting_fd(accounting) : -1,
                                 .events = POLLIN};
        uint64_t left_ms = end_ms - now;

        if (poll(&counted, 1, left_ms < INT_MAX ? (int)left_ms : INT_MAX) > 0 &&
            accounting_drain(accounting) < 0)
            return command_error("out of memory");
    }
    return 0;
}

int session_take_first(struct session *session, const struct query *query)
{
    const struct options *options = session->options;

    if (options->watch)
        return command_error("-d ends after its second reading: it does not go with --watch");
    if (options->replay)
        return 0;
    if (session_plan_also(session, query) != 0 || session_account(session) != 0 ||
        session_take(session) != 0)
        return EXIT_ERROR;
    return wait_ms(session->accounting, options->delta_ms);
}
