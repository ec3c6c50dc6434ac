/* SPDX-License-Identifier: MIT */
/* The doctor of the recorder: a session that looks at the whole machine, and a log of what it
 * found. */
#include "cli/recorder_health.h"

#include "base/clock.h"
#include "base/hash.h"
#include "cli/doctor_text.h"
#include "cli/last_reading.h"
#include "cli/rules.h"
#include "cli/session.h"
#include "collect/process_facts.h"
#include "derive/health/finding_log.h"
#include "serve/metrics.h"
#include "serve/question.h"
#include "store/store.h"

/* It rests for so many times the CPU time that its last look took, and never for longer than that:
 * so it costs 0.1 % of a CPU, and more only on a very large machine. */
#define REST 1000
#define REST_MAX_NS (30 * SECOND_NS)

struct recorder_health {
    struct options options;
    struct session session;
    struct rules rules;
    struct health_plan plan;
    struct finding_log log;
    struct store *store;
    char reading[PATH_MAX];        /* file of the last one; "": it is kept nowhere */
    uint64_t looked_ns;            /* CLOCK_BOOTTIME of the last look */
    uint64_t cost_ns;              /* of it; 0: of the first one, which also loads what it needs */
    bool examines;                 /* there are rules */
    struct finding_counts *counts; /* of the last look, for each of checks[] */
    bool counted;
    struct query findings;                   /* the document's columns */
    struct buf documents[QUESTION_FORM_MAX]; /* of the last look */
};

static int note(const char *text, void *context)
{
    return store_note(context, clock_ns(CLOCK_REALTIME), STORE_FINDING, text);
}

/* All checks, also those that one reading is enough for. 0 or EXIT_ERROR. */
static int plan_checks(struct recorder_health *health)
{
    struct session *session = &health->session;
    uint32_t *chosen = arena_alloc(&session->arena, check_count * sizeof(*chosen));

    if (!chosen)
        return command_error("out of memory");
    for (uint32_t i = 0; i < check_count; i++)
        chosen[i] = i;
    health->plan = rules_plan(&health->rules, chosen, check_count);
    health->plan.goes_on = true;
    session->health = &health->plan;
    session->health_only = true;
    return 0;
}

/* Of all that is read for the checks only culprits have what these columns need: see
 * read_culprits(). */
static int plan_documents(struct recorder_health *health)
{
    struct request ignored = REQUEST_ALL;

    health->findings.table = &table_findings;
    health->options.format = FORMAT_JSON; /* all columns; CSV has the same */
    if (session_columns(&health->session, &health->findings, NULL) != 0)
        return EXIT_ERROR;
    return query_plan(&health->findings, &health->session.arena, &ignored) < 0
               ? command_error("out of memory")
               : 0;
}

static void say_no_rules(struct recorder_health *health, const char *why,
                         void (*say)(const char *line))
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    int r;

    buf_puts(&text, "the doctor does not look: ");
    buf_puts(&text, why);
    say(buf_string(&text));
    r = note(buf_string(&text), health->store);
    (void)r; /* it was said */
}

static int begin(struct recorder_health *health, void (*say)(const char *line))
{
    struct buf error CLEANUP(buf_done) = BUF_INIT;

    health->options.all_netns = true;
    if (session_begin(&health->session, &health->options) != 0)
        return EXIT_ERROR;
    if (rules_read(&health->rules, &health->session.arena, false, &error) < 0) {
        say_no_rules(health, buf_string(&error), say);
        return 0;
    }
    health->examines = true;
    if (plan_documents(health) != 0)
        return EXIT_ERROR;
    return plan_checks(health);
}

int recorder_health_open(struct store *store, const char *path, struct programs *programs,
                         void (*say)(const char *line), struct recorder_health **ret_health)
{
    struct recorder_health *health = calloc(1, sizeof(*health));

    if (!health)
        return command_error("out of memory");
    health->store = store;
    for (unsigned int form = 0; form < QUESTION_FORM_MAX; form++)
        health->documents[form] = BUF_INIT;
    health->counts = calloc(check_count, sizeof(*health->counts));
    if (!last_reading_path(path, health->reading))
        *health->reading = '\0';
    if (!health->counts)
        command_error("out of memory");
    if (!health->counts || begin(health, say) != 0) {
        recorder_health_close(health);
        return EXIT_ERROR;
    }
    health->session.request.programs = programs;
    *ret_health = health;
    return 0;
}

void recorder_health_close(struct recorder_health *health)
{
    if (!health)
        return;
    if (health->examines)
        rules_done(&health->rules);
    if (*health->reading)
        unlink(health->reading);
    finding_log_done(&health->log);
    free(health->counts);
    for (unsigned int form = 0; form < QUESTION_FORM_MAX; form++)
        buf_done(&health->documents[form]);
    session_end(&health->session);
    free(health);
}

/* --- one look --- */

/* Which of those that a process does is an example of several, and its port the next time another
 * one, unless it listens there. */
static uint16_t port_of(const struct snapshot *snapshot, const struct subject *subject)
{
    const struct socket *socket =
        subject->socket == HEALTH_NONE ? NULL : &snapshot->sockets[subject->socket];

    return socket && socket->state == STATE_LISTENING ? socket->local_port : 0;
}

/* Who has it, by what stays the same. */
static uint64_t identity_of(const struct snapshot *snapshot, const struct finding *finding)
{
    const struct subject *subject = &finding->subject;
    uint64_t hash = hash_bytes(HASH_INIT, finding->check->name, strlen(finding->check->name));

    hash = hash_number(hash,
                       subject->netns == HEALTH_NONE ? 0 : snapshot->netns[subject->netns].inode);
    hash = hash_number(hash, port_of(snapshot, subject));
    if (subject->interface != HEALTH_NONE)
        hash = hash_number(hash, snapshot->interfaces[subject->interface].ifindex);
    if (subject->process != HEALTH_NONE)
        return hash_number(hash, snapshot->processes[subject->process].pid);
    return hash_bytes(hash_number(hash, subject->peer_family), subject->peer.bytes,
                      subject->peer_prefix / 8);
}

/* What is only to know is not kept. */
static int log_findings(struct recorder_health *health)
{
    const struct frame *now = health->session.now;
    CLEANUP(buf_done) struct buf what = BUF_INIT;
    int r = 0;

    for (uint32_t i = 0; i < now->findings.count && r == 0; i++) {
        const struct finding *finding = &now->findings.items[i];

        if (finding->severity < SEVERITY_WARN)
            continue;
        buf_reset(&what);
        doctor_put_what(&now->view, finding, untranslated, &what);
        r = what.error
                ? what.error
                : finding_log_see(&health->log, identity_of(&now->snapshot, finding),
                                  finding->severity, finding->check->name, buf_string(&what));
    }
    return r < 0 ? r : finding_log_note(&health->log, note, health->store);
}

static void count_findings(struct recorder_health *health)
{
    const struct findings *findings = &health->session.now->findings;

    memset(health->counts, 0, check_count * sizeof(*health->counts));
    for (uint32_t i = 0; i < findings->count; i++)
        for (uint32_t check = 0; check < check_count; check++)
            if (checks[check] == findings->items[i].check)
                health->counts[check].of[findings->items[i].severity]++;
    health->counted = true;
}

/* Whose fault it is, as `nwho doctor` tells it. 0 or -ENOMEM. */
static int read_culprits(const struct recorder_health *health)
{
    struct frame *now = health->session.now;
    int r = 0;

    for (uint32_t i = 0; i < now->findings.count && r == 0; i++) {
        uint32_t process = now->findings.items[i].subject.process;

        if (process != HEALTH_NONE)
            r = process_read_facts(&now->snapshot, process, NEED_USER | NEED_CGROUP);
    }
    return r;
}

/* What cannot be made is empty, and then it is not served. */
static void write_documents(struct recorder_health *health)
{
    static const enum output_format formats[QUESTION_FORM_MAX] = {
        [QUESTION_JSON] = FORMAT_JSON, [QUESTION_CSV] = FORMAT_CSV};
    struct grid grid;
    int r = read_culprits(health);

    if (r == 0)
        r = session_select_now(&health->session, &health->findings, &grid);
    for (unsigned int form = 0; form < QUESTION_FORM_MAX; form++) {
        struct buf *document = &health->documents[form];

        buf_renew(document);
        health->options.format = formats[form];
        if (r == 0 && session_write(&health->session, &grid, document) < 0)
            buf_reset(document);
    }
    if (r == 0)
        grid_done(&grid);
}

/* The next window begins with what the glance has shown: it is much smaller than what was looked at
 * then. */
static void keep_glance(struct session *session, struct frame *glance)
{
    session_free_frame(session->before);
    session->before = NULL;
    if (!glance)
        return;
    session_free_frame(session->now);
    session->now = glance;
}

/* A disk that is full is said with the tick. */
static void keep_reading(const struct recorder_health *health)
{
    int r =
        *health->reading ? last_reading_write(health->reading, &health->session.now->snapshot) : 0;

    (void)r;
}

static int look(struct recorder_health *health)
{
    struct session *session = &health->session;
    struct frame *frame, *glance = NULL;
    int r = 0;

    buf_renew(&session->scratch);
    if (session_look(session, &frame, &glance) != 0)
        return 0; /* it has said why, and there is a next time */
    if (session_push(session, frame) == 0 && session->before) {
        count_findings(health);
        write_documents(health);
        r = log_findings(health);
    }
    keep_glance(session, glance);
    keep_reading(health);
    return r;
}

static bool is_rested(const struct recorder_health *health, uint64_t now_ns)
{
    uint64_t rest = health->cost_ns * REST;

    return now_ns - health->looked_ns >= (rest < REST_MAX_NS ? rest : REST_MAX_NS);
}

int recorder_health_look(struct recorder_health *health)
{
    uint64_t now_ns = clock_ns(CLOCK_BOOTTIME), cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    bool is_first = !health->looked_ns;
    int r;

    if (!health->examines || !is_rested(health, now_ns))
        return 0;
    r = look(health);
    health->looked_ns = now_ns;
    health->cost_ns = is_first ? 0 : clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
    return r;
}

uint64_t recorder_health_looked(const struct recorder_health *health)
{
    return health->looked_ns;
}

const struct buf *recorder_health_documents(const struct recorder_health *health)
{
    return health->documents;
}

const struct finding_counts *recorder_health_counts(const struct recorder_health *health)
{
    return health->counted ? health->counts : NULL;
}
