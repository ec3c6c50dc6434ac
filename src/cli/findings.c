/* SPDX-License-Identifier: MIT */
/* Findings of the doctor as a part of other answers. */
#include "cli/findings.h"

#include "cli/doctor_text.h"
#include "cli/paragraph.h"
#include "cli/rules.h"
#include "cli/show.h"
#include "derive/health/concern.h"

#define SHOWN 6

/* Those that one reading is enough for, or all. 0 or EXIT_ERROR. */
static int plan_checks(struct session *session, bool has_window)
{
    struct health_plan *plan = arena_alloc(&session->arena, sizeof(*plan));
    uint32_t *chosen = arena_alloc(&session->arena, check_count * sizeof(*chosen)), count = 0;
    uint64_t needs = 0;

    if (!plan || !chosen)
        return command_error("out of memory");
    for (uint32_t i = 0; i < check_count; i++)
        if (checks[i]->at_once || has_window) {
            chosen[count++] = i;
            needs |= checks[i]->needs;
        }
    *plan = rules_plan(session->rules, chosen, count);
    /* Of counters only differences tell anything. */
    session->request.needs |= has_window ? needs : needs & ~(uint64_t)NEED_COUNTERS;
    session->health = plan;
    return 0;
}

int findings_plan(struct session *session)
{
    const struct options *options = session->options;
    struct buf error CLEANUP(buf_done) = BUF_INIT;
    struct rules *rules = arena_alloc(&session->arena, sizeof(*rules));

    if (!rules)
        return command_error("out of memory");
    if (rules_read(rules, &session->arena, options->replay, &error) < 0) {
        session->no_health = arena_copy(&session->arena, buf_string(&error), error.length);
        return session->no_health ? 0 : command_error("out of memory");
    }
    session->rules = rules;
    return plan_checks(session, !options->replay && (options->delta || options->watch));
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
