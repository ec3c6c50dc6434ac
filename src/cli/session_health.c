/* SPDX-License-Identifier: MIT */
/* Readings of the doctor: the beginning of a window, a glance at its end, and closer looks. */
#include "cli/session.h"

/* By what the glance shows, and then a closer look. Mostly the glance is enough: NULL. */
static int look_closer(struct session *session, const struct frame *glance,
                       struct frame **ret_frame)
{
    const struct frame *now = glance;
    struct frame *closer = NULL;

    for (enum health_look seen = HEALTH_GLANCE; seen < HEALTH_WHOLE; seen++) {
        struct request request = session->request;
        struct frame *frame = NULL;
        bool needed;
        int r = health_request_next(session->health, seen, &session->now->snapshot, &now->snapshot,
                                    &now->join, &request, &needed);

        if (r == 0 && !needed)
            break;
        r = r < 0 ? command_error("out of memory") : session_read(session, &request, &frame);
        session_free_frame(closer);
        if (r != 0)
            return EXIT_ERROR;
        now = closer = frame;
    }
    *ret_frame = closer;
    return 0;
}

int session_look(struct session *session, struct frame **ret_frame, struct frame **ret_glance)
{
    const struct options *options = session->options;
    bool at_once = options->replay || options->record;
    enum health_look look = at_once ? HEALTH_WHOLE : session->now ? HEALTH_GLANCE : HEALTH_BEFORE;
    struct request request = session->request; /* with what is asked for by columns */
    struct frame *glance, *closer = NULL;

    health_request(session->health, look, &request);
    if (session_read(session, &request, &glance) != 0)
        return EXIT_ERROR;
    if (look == HEALTH_GLANCE && look_closer(session, glance, &closer) != 0) {
        session_free_frame(glance);
        return EXIT_ERROR;
    }
    *ret_frame = closer ? closer : glance;
    *ret_glance = closer ? glance : NULL;
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
