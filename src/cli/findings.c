/* SPDX-License-Identifier: MIT */
/* Findings of the doctor as a part of other answers. */
#include "cli/findings.h"

#include "cli/config.h"
#include "cli/doctor_text.h"
#include "cli/paragraph.h"
#include "cli/show.h"
#include "derive/health/concern.h"

#define SHOWN 6

/* What only the doctor reads: interfaces, and from where they can be reached. */
#define NEED_OF_DOCTOR (NEED_LINKS | NEED_ADDRESSES)

int findings_plan(struct session *session)
{
    const struct options *options = session->options;
    bool has_window = !options->replay && (options->delta || options->watch);
    struct health_plan *plan = arena_alloc(&session->arena, sizeof(*plan));
    uint32_t *chosen = arena_alloc(&session->arena, check_count * sizeof(*chosen));
    struct buf error CLEANUP(buf_done) = BUF_INIT;
    struct config config;
    uint64_t needs = 0;

    if (!plan || !chosen)
        return command_error("out of memory");
    if (config_read(&session->arena, &config, &error) < 0) {
        session->no_health = arena_copy(&session->arena, buf_string(&error), error.length);
        return session->no_health ? 0 : command_error("out of memory");
    }
    config_done(&config);
    *plan = (struct health_plan){.chosen = chosen, .limits = config.limits};
    for (uint32_t i = 0; i < check_count; i++)
        if (checks[i]->at_once || (has_window && !(checks[i]->needs & NEED_OF_DOCTOR))) {
            chosen[plan->chosen_count++] = i;
            needs |= checks[i]->needs;
        }
    /* Of counters only differences tell anything. */
    session->request.needs |= has_window ? needs : needs & ~(uint64_t)NEED_COUNTERS;
    session->health = plan;
    return 0;
}

int findings_narrow(struct session *session, const struct grid *grid)
{
    struct frame *now = session->now;

    if (!now->view.findings)
        return 0;
    if (findings_keep_concerned(&now->findings, &now->snapshot, &now->join, grid->rows,
                                grid->row_count) < 0)
        return command_error("out of memory");
    return 0;
}

void findings_write(const struct session *session, struct buf *out)
{
    const struct findings *findings = session->now->view.findings;
    struct doctor_style style = {.color = session_color(session), .width = paragraph_width()};
    uint32_t harmful = 0, shown;

    if (!findings || !findings->count)
        return;
    while (harmful < findings->count && findings->items[harmful].severity > SEVERITY_INFO)
        harmful++;
    shown = harmful < SHOWN ? harmful : SHOWN;
    show_heading(session, "FINDINGS (nwho doctor)", out);
    if (!harmful)
        buf_printf(out, ": %u to know", findings->count);
    buf_byte(out, '\n');
    for (uint32_t i = 0; i < shown; i++)
        doctor_put_line(&session->now->view, &findings->items[i], &style, out);
    if (harmful && findings->count > shown)
        buf_printf(out, "  ... and %u more\n", findings->count - shown);
}
