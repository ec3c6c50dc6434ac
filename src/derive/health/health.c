/* SPDX-License-Identifier: MIT */
/* Runs the checks and puts what they found into the order of harm. */
#include "derive/health/health.h"

#include "base/vec.h"

/* Stands for connections without any sign, until all checks have said which they want. */
#define SIGN_NONE (1u << 31)

static uint64_t needs_of(const struct check *check, enum health_look look)
{
    switch (look) {
    case HEALTH_BEFORE:
        return check->before;
    case HEALTH_GLANCE:
        return check->suspects ? check->glance : check->needs;
    case HEALTH_CLOSER:
        return check->confirms ? check->closer : check->needs;
    default:
        return check->needs;
    }
}

static void ask(const struct health_plan *plan, uint32_t index, enum health_look look,
                struct request *request)
{
    const struct check *check = checks[index];
    uint64_t needs = needs_of(check, look);

    if (plan->goes_on)
        needs |= check->before;
    request->needs |= needs;
    if (check->narrow && look <= HEALTH_GLANCE)
        check->narrow(&plan->limits[index * CHECK_LIMITS_MAX], request);
    if (!(needs & NEED_SOCKETS))
        return;
    request->passing &= look != HEALTH_WHOLE;
    request->protos |= check->protos;
    request->states |= check->states;
    if (check->states & STATE_BIT(STATE_ESTABLISHED) && check->protos & PROTO_BIT(PROTO_TCP))
        request->signs |= check->signs && look <= HEALTH_GLANCE ? check->signs : SIGN_NONE;
}

static void begin_asking(struct request *request)
{
    request->protos = request->states = request->signs = 0;
    request->passing = true;
}

static void end_asking(struct request *request)
{
    if (request->signs & SIGN_NONE)
        request->signs = 0;
}

void health_request(const struct health_plan *plan, enum health_look look, struct request *request)
{
    if (look == HEALTH_BEFORE)
        request->needs = 0;
    begin_asking(request);
    for (uint32_t i = 0; i < plan->chosen_count; i++)
        ask(plan, plan->chosen[i], look, request);
    end_asking(request);
}

/* The worst first; what is equally bad stays in the order of the checks. */
static bool is_worse(const struct finding *a, const struct finding *b)
{
    if (a->severity != b->severity)
        return a->severity > b->severity;
    return a->check == b->check && a->harm > b->harm;
}

/* By insertion: there are few, and those of one check come nearly in order. */
static void sort_findings(struct findings *findings)
{
    for (uint32_t i = 1; i < findings->count; i++) {
        struct finding finding = findings->items[i];
        uint32_t at = i;

        for (; at > 0 && is_worse(&finding, &findings->items[at - 1]); at--)
            findings->items[at] = findings->items[at - 1];
        findings->items[at] = finding;
    }
}

static void set_check(struct examination *examination, uint32_t index)
{
    examination->check = checks[index];
    examination->limits = &examination->plan->limits[index * CHECK_LIMITS_MAX];
}

static int run_checks(struct examination *examination)
{
    const struct health_plan *plan = examination->plan;
    struct findings *findings = examination->findings;
    int r = 0;

    findings->results =
        arena_alloc(&findings->arena, (plan->chosen_count + 1u) * sizeof(*findings->results));
    if (!findings->results)
        return -ENOMEM;
    for (uint32_t i = 0; i < plan->chosen_count && r == 0; i++) {
        set_check(examination, plan->chosen[i]);
        examination->result = &findings->results[findings->result_count++];
        examination->result->check = examination->check;
        r = examination->check->run(examination);
    }
    return r;
}

int health_examine(const struct health_plan *plan, const struct snapshot *before,
                   const struct snapshot *now, const struct join *join,
                   struct findings *ret_findings)
{
    CLEANUP(examination_done) struct examination examination;
    struct findings findings = {0};
    int r = examination_begin(&examination, plan, before, now, join);

    examination.findings = &findings;
    findings.window_ns = examination.window_ns;
    if (r == 0)
        r = run_checks(&examination);
    if (r < 0) {
        findings_done(&findings);
        return r;
    }
    sort_findings(&findings);
    *ret_findings = findings;
    return 0;
}

/* How far a check has to look, by what was seen. */
static enum health_look next_look(const struct examination *examination, enum health_look seen)
{
    const struct check *check = examination->check;

    if (!check->suspects || !check->suspects(examination))
        return HEALTH_GLANCE;
    if (!check->confirms)
        return HEALTH_WHOLE;
    return seen >= HEALTH_CLOSER && check->confirms(examination) ? HEALTH_WHOLE : HEALTH_CLOSER;
}

int health_request_next(const struct health_plan *plan, enum health_look seen,
                        const struct snapshot *before, const struct snapshot *now,
                        const struct join *join, struct request *request, bool *ret_needed)
{
    CLEANUP(examination_done) struct examination examination;
    bool needed = false;
    int r = examination_begin(&examination, plan, before, now, join);

    if (r < 0)
        return r;
    begin_asking(request);
    for (uint32_t i = 0; i < plan->chosen_count; i++) {
        enum health_look look;

        set_check(&examination, plan->chosen[i]);
        look = next_look(&examination, seen);
        ask(plan, plan->chosen[i], look, request);
        /* Who has no closer look had all there already. */
        needed |= look > seen && (seen == HEALTH_GLANCE || examination.check->confirms);
    }
    end_asking(request);
    *ret_needed = needed;
    return 0;
}

/* --- what checks say --- */

void health_say_phrase(struct examination *examination, const struct phrase *phrase)
{
    if (examination->phrase_count < HEALTH_PHRASES_MAX)
        examination->phrases[examination->phrase_count++] = *phrase;
}

struct phrase_fact fact_window(const struct examination *examination)
{
    return fact_duration(examination->window_ns / 1000);
}

/* Moves what was said to the finding. */
static int keep_what(struct examination *examination, struct finding *finding)
{
    struct arena *arena = &examination->findings->arena;
    size_t size = examination->phrase_count * sizeof(*finding->phrases);
    struct phrase *phrases = arena_alloc(arena, size);
    struct buf text = BUF_INIT;

    if (!phrases)
        return -ENOMEM;
    memcpy(phrases, examination->phrases, size);
    finding->phrases = phrases;
    finding->phrase_count = examination->phrase_count;
    examination->phrase_count = 0;
    finding_say(finding, untranslated, &text);
    finding->what = text.error ? NULL : arena_copy(arena, text.data, text.length);
    buf_done(&text);
    return finding->what ? 0 : -ENOMEM;
}

int health_add(struct examination *examination, enum severity severity, uint32_t advice,
               const struct subject *subject, uint64_t harm)
{
    struct findings *findings = examination->findings;
    struct finding finding = {
        .check = examination->check,
        .advice = &examination->check->advice[advice],
        .severity = severity,
        .subject = *subject,
        .harm = harm,
        .evidence = findings->evidence_count,
    };

    if (keep_what(examination, &finding) < 0 ||
        VEC_RESERVE(&findings->items, &findings->capacity, findings->count, 1) < 0)
        return -ENOMEM;
    findings->items[findings->count++] = finding;
    if (severity > SEVERITY_INFO)
        examination->result->findings++;
    return 0;
}

int health_prove(struct examination *examination, struct evidence evidence)
{
    struct findings *findings = examination->findings;

    if (VEC_RESERVE(&findings->evidence, &findings->evidence_capacity, findings->evidence_count,
                    1) < 0)
        return -ENOMEM;
    findings->evidence[findings->evidence_count++] = evidence;
    findings->items[findings->count - 1].evidence_count++;
    return 0;
}

int health_prove_change(struct examination *examination, const char *counter, const char *source,
                        const struct change *change, uint64_t threshold)
{
    return health_prove(
        examination, (struct evidence){
                         .counter = counter,
                         .source = source,
                         .unit = UNIT_COUNT,
                         .before = (int64_t)change->before,
                         .after = (int64_t)change->after,
                         .rate = (int64_t)change->rate,
                         .threshold = threshold == LIMIT_NEVER ? EVIDENCE_NONE : (int64_t)threshold,
                     });
}

int health_prove_number(struct examination *examination, const char *counter, const char *source,
                        enum unit unit, uint64_t number, uint64_t threshold)
{
    return health_prove(
        examination, (struct evidence){
                         .counter = counter,
                         .source = source,
                         .unit = unit,
                         .before = EVIDENCE_NONE,
                         .after = (int64_t)number,
                         .rate = EVIDENCE_NONE,
                         .threshold = threshold == LIMIT_NEVER ? EVIDENCE_NONE : (int64_t)threshold,
                     });
}

void health_skip(struct examination *examination, const char *why)
{
    if (!examination->result->skipped)
        examination->result->skipped = why;
}
