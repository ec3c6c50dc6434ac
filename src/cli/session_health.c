/* SPDX-License-Identifier: MIT */
/* Readings of the doctor: the beginning of a window, a glance at its end, and a second look. */
#include "cli/session.h"

/* With what is asked for by columns. */
static struct request request_of(const struct session *session,
                                 void (*ask)(const struct health_plan *plan,
                                             struct request *request))
{
    struct request request = session->request;

    ask(session->health, &request);
    return request;
}

/* By what the glance shows; where nothing is suspected it is enough. */
static int look_again(struct session *session, struct frame **frame)
{
    struct frame *glance = *frame;
    struct request request = session->request;
    bool needed;

    if (health_request_second(session->health, &session->now->snapshot, &glance->snapshot,
                              &glance->join, &request, &needed) < 0)
        return command_error("out of memory");
    if (!needed)
        return 0;
    session_free_frame(glance);
    *frame = NULL;
    return session_read(session, &request, frame);
}

int session_look(struct session *session, struct frame **ret_frame)
{
    const struct options *options = session->options;
    bool at_once = options->replay || options->record;
    struct request request = request_of(session, at_once        ? health_request
                                                 : session->now ? health_request_glance
                                                                : health_request_before);
    struct frame *frame;

    if (session_read(session, &request, &frame) != 0)
        return EXIT_ERROR;
    if (!at_once && session->now && look_again(session, &frame) != 0) {
        session_free_frame(frame);
        return EXIT_ERROR;
    }
    *ret_frame = frame;
    return 0;
}

int session_find(struct session *session)
{
    struct frame *now = session->now, *before = session->before;

    if (session->no_health)
        snapshot_note(&now->snapshot, NOTE_DETAIL, "configuration", 0,
                      "what the doctor finds is missing: %s", session->no_health);
    if (!session->health || (session->health_only && !before && !session->options->replay))
        return 0;
    if (health_examine(session->health, before ? &before->snapshot : &now->snapshot, &now->snapshot,
                       &now->join, &now->findings) < 0)
        return command_error("out of memory");
    now->view.findings = &now->findings;
    return 0;
}
