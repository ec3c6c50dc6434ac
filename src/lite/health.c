/* SPDX-License-Identifier: MIT */
/* nwho-lite has no doctor, whose session never asks for anything here: in place of
 * cli/session_health.c, cli/findings.c and cli/rules.c. */
#include "cli/findings.h"
#include "cli/rules.h"

int session_look(struct session *session, struct frame **ret_frame, struct frame **ret_glance)
{
    (void)session;
    (void)ret_frame;
    (void)ret_glance;
    return command_error("this nwho was built without the doctor");
}

int session_find(struct session *session)
{
    (void)session;
    return 0;
}

int findings_narrow(struct session *session, const struct grid *grid)
{
    (void)session;
    (void)grid;
    return 0;
}

uint32_t check_find(const char *name)
{
    (void)name;
    return HEALTH_NONE;
}

void rules_done(struct rules *rules)
{
    (void)rules;
}
