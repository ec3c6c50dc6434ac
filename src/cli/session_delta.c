/* SPDX-License-Identifier: MIT */
/* -d: two readings and the time between them. */
#include "cli/session.h"

#include <time.h>

static void sleep_ms(uint64_t milliseconds)
{
    struct timespec left = {.tv_sec = (time_t)(milliseconds / 1000),
                            .tv_nsec = (long)(milliseconds % 1000) * 1000000};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

int session_take_first(struct session *session, const struct query *query)
{
    const struct options *options = session->options;

    if (options->watch)
        return command_error("-d ends after its second reading: it does not go with --watch");
    if (options->replay)
        return 0;
    if (session_plan_also(session, query) != 0 || session_take(session) != 0)
        return EXIT_ERROR;
    sleep_ms(options->delta_ms);
    return 0;
}
