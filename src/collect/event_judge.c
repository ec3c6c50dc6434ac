/* SPDX-License-Identifier: MIT */
/* How a connection ended. */
#include "collect/event_backend.h"

static void end(struct event *event, enum event_verdict verdict, enum event_side side)
{
    event->verdict = (uint8_t)verdict;
    event->ended_by = (uint8_t)side;
}

/* One side at least had closed it before. */
static bool was_finished(unsigned int old_state)
{
    return old_state == STATE_FIN_WAIT_2 || old_state == STATE_CLOSING ||
           old_state == STATE_LAST_ACK || old_state == STATE_TIME_WAIT;
}

/*
 * A reset that came in; after close(2) the kernel also resets by itself when data arrive, and
 * reports that the same way.
 */
static void end_by_reset(struct event *event, unsigned int old_state)
{
    bool closed_here = old_state == STATE_FIN_WAIT_1 || old_state == STATE_FIN_WAIT_2 ||
                       old_state == STATE_CLOSING;

    end(event, EVENT_RESET, closed_here ? EVENT_SIDE_UNKNOWN : EVENT_SIDE_PEER);
}

/* Without any error: a handshake is given up, a connection that is not closed first is reset. */
static void end_silently(struct event *event, unsigned int old_state)
{
    bool established = old_state == STATE_ESTABLISHED || old_state == STATE_CLOSE_WAIT ||
                       old_state == STATE_SYN_RECV;

    end(event, established ? EVENT_RESET : EVENT_ABORTED, EVENT_SIDE_LOCAL);
}

void event_judge(struct event *event, unsigned int old_state, bool closing)
{
    int error = closing ? 0 : (int)event->error; /* of before, which nobody has asked for */

    switch (error) {
    case ETIMEDOUT:
        end(event, EVENT_TIMED_OUT, EVENT_SIDE_UNKNOWN);
        return;
    case ECONNRESET:
    case EPIPE:
        end_by_reset(event, old_state);
        return;
    case ECONNABORTED:
        end(event, EVENT_ABORTED, EVENT_SIDE_LOCAL);
        return;
    default:
        break;
    }
    if (was_finished(old_state)) /* an ICMP message that was reported and did not end it */
        end(event, EVENT_CLOSED_NORMALLY,
            old_state == STATE_LAST_ACK ? EVENT_SIDE_PEER : EVENT_SIDE_LOCAL);
    else if (error == ECONNREFUSED && old_state == STATE_SYN_SENT)
        end(event, EVENT_REFUSED, EVENT_SIDE_PEER);
    else if (error)
        end(event, EVENT_UNREACHABLE, EVENT_SIDE_UNKNOWN);
    else
        end_silently(event, old_state);
}
