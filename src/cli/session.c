/* SPDX-License-Identifier: MIT */
/* A session: options -> request -> snapshot -> join -> grid -> output -> exit code. */
#include "cli/session.h"

#include "base/escape.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/recording.h"
#include "cli/resolve.h"
#include "cli/rules.h"
#include "collect/accounting.h"
#include "collect/collect.h"
#include "collect/programs.h"
#include "derive/health/ills.h"
#include "fleet/fleet.h"
#include "table/flow_groups.h"

#include <malloc.h>
#include <stdio.h>

int session_begin(struct session *session, const struct options *options)
{
    *session = (struct session){
        .options = options, .scratch = BUF_INIT, .window = options->delta && !options->replay};
    session->request = REQUEST_ALL;
    session->request.programs = session->programs = programs_new();
    if (options->watch && options->delta)
        return command_error("-d ends after its second reading: it does not go with --watch");
    if (options->resolve && !(session->resolver = resolver_new()))
        return command_error("-r: names of hosts cannot be looked up here");
    return session_sources(session);
}

void session_free_frame(struct frame *frame)
{
    if (!frame)
        return;
    findings_done(&frame->findings);
    group_done(&frame->group);
    fleet_done(&frame->fleet);
    selfcheck_done(&frame->selfcheck);
    rates_done(&frame->rates);
    link_history_done(&frame->links);
    join_done(&frame->join);
    snapshot_done(&frame->snapshot);
    free(frame->process_ills);
    free(frame);
}

void session_end(struct session *session)
{
    session_free_frame(session->now);
    session_free_frame(session->before);
    map_done(&session->ills);
    accounting_close(session->accounting);
    programs_free(session->programs);
    for (uint32_t i = 0; i < session->filter_count; i++)
        filter_done(session->filters[i]);
    if (session->rules)
        rules_done(session->rules);
    names_done(&session->names);
    resolver_free(session->resolver);
    buf_done(&session->scratch);
    arena_done(&session->arena);
}

/* Where connections have no rows their traffic is that of their listeners. Whose it is only shows
 * beside all other listeners and their owners. */
static void plan_served(struct request *request)
{
    uint32_t both = STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_ESTABLISHED);

    if (!(request->needs & NEED_WINDOW) || (request->states & both) != STATE_BIT(STATE_LISTENING))
        return;
    request->needs |= NEED_SERVED | NEED_OWNERS;
    request->families = REQUEST_ALL.families;
    request->match_count = 0;
    request->matches = NULL;
    request->pids = NULL;
}

int session_plan(struct session *session, struct query *query)
{
    /* Nobody will look at the columns, but who matches must be found, and --strict asks whether all
     * owners could be. */
    if (session->options->quiet && !session->options->strict)
        query->column_count = 0;
    if (query_plan(query, &session->arena, &session->request) < 0)
        return command_error("out of memory");
    if (query->table == &table_sockets)
        plan_served(&session->request);
    if (session->options->threads)
        session->request.needs |= NEED_THREADS;
    if (session->options->watch && query->table == &table_processes)
        session->request.needs |= NEED_PROCESS_STAT; /* who is the same as before */
    session->marks_processes |= query->table == &table_processes;
    return 0;
}

int session_plan_also(struct session *session, const struct query *query)
{
    struct request request = session->request;

    if (query_plan(query, &session->arena, &request) < 0)
        return command_error("out of memory");
    session->request.needs |= request.needs;
    session->request.rows_by_owner |= request.rows_by_owner;
    session->marks_processes |= query->table == &table_processes;
    if (!request.pids)
        session->request.pids = NULL;
    return 0;
}

/* Readings follow each other: each takes the memory that the one before gave back. */
static void keep_memory(void)
{
#ifdef M_TRIM_THRESHOLD
    mallopt(M_MMAP_THRESHOLD, 8 * 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
#endif
}

int session_account(struct session *session)
{
    int r;

    if (session->options->replay || !(session->request.needs & NEED_FLOWS))
        return 0;
    r = accounting_open(&session->request, &session->accounting);
    if (r < 0)
        return command_error("%s", r == -ENOMEM ? "out of memory"
                                                : "this nwho was built without counting traffic");
    keep_memory();
    session->request.accounting = session->accounting;
    if (session->everywhere && accounting_level(session->accounting) == ACCOUNTING_BPF &&
        session->request.netns_scope == NETNS_SCOPE_SELF)
        session->request.netns_scope = NETNS_SCOPE_ALL;
    return 0;
}

/* Traffic is counted in every namespace; `top` and TARGET show all of it unless namespaces are
 * named. */
static void drop_other_flows(struct snapshot *snapshot, const struct session *session)
{
    enum netns_scope scope = session->request.netns_scope;
    uint32_t kept = 0;

    if (scope == NETNS_SCOPE_ALL || (scope == NETNS_SCOPE_SELF && session->all_flows))
        return;
    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        if (snapshot->netns[snapshot->flows[i].netns].flags & NETNS_READ)
            snapshot->flows[kept++] = snapshot->flows[i];
    snapshot->flows_count = kept;
}

/* Of the sockets `top` needs those that wait for others, to know which side serves. */
static void narrow_for_traffic(const struct session *session, struct request *request)
{
    uint64_t needs = request->needs;

    if (!session->traffic || !session->accounting)
        return;
    needs |= accounting_needs(session->accounting);
    if (!(needs & (NEED_OWNERS | NEED_TCP_INFO)))
        request->states &= STATE_BIT(STATE_LISTENING) | STATE_BIT(STATE_UNCONNECTED);
}

/* Without BPF only connections that are read are counted. */
static void widen_for_served(const struct session *session, struct request *request)
{
    if (request->needs & NEED_SERVED && session->accounting &&
        accounting_level(session->accounting) == ACCOUNTING_TCP_INFO)
        request->states = STATE_ALL;
}

static int fill_frame(struct session *session, const struct request *asked, struct frame *frame)
{
    const struct options *options = session->options;
    struct request request = *asked;
    int r;

    if (options->replay) {
        if (recording_read(options->replay, &frame->snapshot) != 0)
            return EXIT_ERROR;
    } else if (session->recorded) {
        if (history_read(options, session->recorded, &frame->snapshot) != 0)
            return EXIT_ERROR;
    } else if (session->reader) {
        if (session->reader(session->reader_context, frame) != 0)
            return EXIT_ERROR;
    } else {
        narrow_for_traffic(session, &request);
        widen_for_served(session, &request);
        if (options->record)
            recording_widen(&request);
        r = snapshot_init(&frame->snapshot);
        if (r == 0)
            r = collect(&frame->snapshot, &request);
        if (r < 0)
            return command_error("cannot read the sockets: %s", strerror(-r));
    }
    if (options->record && recording_write(options->record, &frame->snapshot) != 0)
        return EXIT_ERROR;
    if (options->record || options->replay)
        recording_narrow(&frame->snapshot, asked);
    drop_other_flows(&frame->snapshot, session);
    r = join_make(&frame->snapshot, asked->needs, &frame->join);
    return r < 0 ? command_error("cannot join the sockets: %s", strerror(-r)) : 0;
}

int session_read(struct session *session, const struct request *request, struct frame **ret_frame)
{
    struct frame *frame = calloc(1, sizeof(*frame));

    if (!frame) {
        command_error("out of memory");
        return EXIT_ERROR;
    }
    if (fill_frame(session, request, frame) != 0) {
        session_free_frame(frame);
        return EXIT_ERROR;
    }
    *ret_frame = frame;
    return 0;
}

static int add_rates(struct session *session)
{
    struct frame *now = session->now;

    if (!session->before ||
        !(session->request.needs & (NEED_TCP_INFO | NEED_LINKS | NEED_COUNTERS | NEED_FORWARDED |
                                    NEED_FLOWS | NEED_PACKET_COUNTS)))
        return 0;
    if (rates_make(&now->snapshot, &session->before->snapshot, &session->before->rates,
                   &now->rates) < 0)
        return command_error("out of memory");
    now->view.rates = &now->rates;
    return 0;
}

/* What interfaces did since the first frame. */
static int add_link_history(struct session *session)
{
    static const struct link_history none = {.links = NULL};
    struct frame *now = session->now, *before = session->before;

    if (!(session->request.needs & NEED_LINKS))
        return 0;
    if (link_history_make(&now->snapshot, now->view.rates, before ? &before->links : &none,
                          &now->links) < 0)
        return command_error("out of memory");
    now->view.links = &now->links;
    return 0;
}

/* Which sockets are sick. A reading without sockets leaves what is known of them. */
static int add_ills(struct session *session)
{
    struct frame *now = session->now;

    if (session->traffic && session->request.needs & NEED_MEMORY) {
        map_clear(&session->ills);
        session->looked = true;
        if (ills_map(&now->snapshot, &now->join, now->view.rates, &session->ills) < 0)
            return command_error("out of memory");
    }
    now->view.ills = session->looked ? &session->ills : NULL;
    if (session->marks_processes &&
        ills_of_processes(&now->snapshot, &now->join, now->view.rates, &now->process_ills) < 0)
        return command_error("out of memory");
    now->view.process_ills = now->process_ills;
    return 0;
}

static void make_view(struct session *session, struct frame *frame)
{
    frame->view = (struct view){
        .snapshot = &frame->snapshot,
        .join = &frame->join,
        .names = session->options->replay ? NULL : &session->names,
        .scratch = &session->scratch,
        .catalogue = session->catalogue,
        .group = &frame->group,
        .fleet = &frame->fleet,
        .selfcheck = &frame->selfcheck,
    };
    if (session->resolver) {
        frame->view.resolve = resolver_name;
        frame->view.resolve_context = session->resolver;
    }
}

static void set_now(struct session *session, struct frame *frame)
{
    session->now = frame;
    make_view(session, frame);
}

int session_push(struct session *session, struct frame *frame)
{
    session_free_frame(session->before);
    session->before = session->now;
    set_now(session, frame);
    if (add_rates(session) != 0 || add_ills(session) != 0)
        return EXIT_ERROR;
    if (add_link_history(session) != 0)
        return EXIT_ERROR;
    return session_find(session);
}

int session_take(struct session *session)
{
    struct frame *frame, *glance = NULL;
    int r = session->health_only ? session_look(session, &frame, &glance)
                                 : session_read(session, &session->request, &frame);

    session_free_frame(glance);
    if (r != 0)
        return EXIT_ERROR;
    return session_push(session, frame);
}

int session_frame(struct session *session, struct snapshot *snapshot, struct frame **ret_frame)
{
    struct frame *frame = calloc(1, sizeof(*frame));

    if (!frame) {
        snapshot_done(snapshot);
        command_error("out of memory");
        return EXIT_ERROR;
    }
    frame->snapshot = *snapshot;
    if (join_make(&frame->snapshot, session->request.needs, &frame->join) < 0) {
        session_free_frame(frame);
        command_error("out of memory");
        return EXIT_ERROR;
    }
    make_view(session, frame);
    *ret_frame = frame;
    return 0;
}

int session_adopt_reading(struct session *session, struct snapshot *snapshot)
{
    struct frame *frame = NULL;

    return session_frame(session, snapshot, &frame) == 0 ? session_push(session, frame)
                                                         : EXIT_ERROR;
}

int session_adopt(struct session *session, struct snapshot *snapshot)
{
    struct frame *frame = calloc(1, sizeof(*frame));

    if (!frame) {
        snapshot_done(snapshot);
        return command_error("out of memory");
    }
    frame->snapshot = *snapshot;
    session_free_frame(session->now);
    set_now(session, frame);
    return 0;
}

/* A recording may be of anybody. */
static void put_string(struct buf *line, const struct snapshot *snapshot, uint32_t string)
{
    size_t length;
    const char *bytes = snapshot_string(snapshot, string, &length);

    escape_text(line, bytes, length);
}

/* The error may be any number, too. */
static void print_note(const struct snapshot *snapshot, const struct note *note)
{
    struct buf line = BUF_SINK(2);

    buf_puts(&line, note->effect == NOTE_INCOMPLETE ? "nwho: incomplete: " : "nwho: ");
    put_string(&line, snapshot, note->text);
    buf_puts(&line, " [");
    put_string(&line, snapshot, note->source);
    if (note->error) {
        buf_puts(&line, ": ");
        buf_puts(&line, strerror((int)(0 - (uint32_t)note->error)));
    }
    buf_puts(&line, "]\n");
    command_say(&line);
}

static void print_sources(const struct snapshot *snapshot)
{
    struct buf line = BUF_SINK(2);

    for (uint32_t i = 0; i < snapshot->sources_count; i++) {
        buf_puts(&line, "nwho: source of ");
        put_string(&line, snapshot, snapshot->sources[i].fact);
        buf_puts(&line, ": ");
        put_string(&line, snapshot, snapshot->sources[i].source);
        buf_byte(&line, '\n');
    }
    command_say(&line);
}

/* Later refreshes of --watch do not repeat them, but say each time when rows may be missing. */
static bool is_shown(const struct session *session, const struct note *note)
{
    if (session->shown)
        return note->effect == NOTE_INCOMPLETE;
    return note->effect != NOTE_INFO || session->options->explain;
}

void session_notes(struct session *session)
{
    const struct snapshot *snapshot = &session->now->snapshot;

    if (session->options->quiet)
        return;
    if (session->options->explain && !session->shown)
        print_sources(snapshot);
    for (uint32_t i = 0; i < snapshot->notes_count; i++)
        if (is_shown(session, &snapshot->notes[i]))
            print_note(snapshot, &snapshot->notes[i]);
    session->shown = true;
}

int session_check(const struct session *session)
{
    if (session->scratch.error || session->names.failed)
        return command_error("texts of the rows could not be made: %s",
                             session->scratch.error ? strerror(-session->scratch.error)
                                                    : "users could not be looked up");
    return 0;
}

int session_exit(const struct session *session, uint32_t rows)
{
    const struct snapshot *snapshot = &session->now->snapshot;

    if (session_check(session) != 0)
        return EXIT_ERROR;
    if (snapshot->incomplete)
        return EXIT_INCOMPLETE;
    for (uint32_t i = 0; session->options->strict && i < snapshot->notes_count; i++)
        if (snapshot->notes[i].effect == NOTE_OWNERS)
            return EXIT_INCOMPLETE;
    return rows ? EXIT_FOUND : EXIT_NOTHING;
}
