/* SPDX-License-Identifier: MIT */
/* nwho selfcheck: whether the sources agree on this machine, which of them work, and what the
 * others lack. */
#include "cli/show.h"

#include "collect/collect.h"
#include "collect/facilities.h"
#include "derive/agreement_write.h"
#include "fleet/fleet.h"
#include "store/store.h"

#include <limits.h>
#include <string.h>

/* Who is missing in that many readings is no newcomer, and not on its way out. */
#define ROUNDS 5

/* Parts of the screen: queries on the same rows. */
enum section { SECTION_COMPARISONS, SECTION_DIFFERENCES, SECTION_SOURCES, SECTION_LACKS, SECTIONS };

static const struct {
    const char *heading, *if_empty, *filter;
    const char *columns[8]; /* ends with NULL */
} sections[SECTIONS] = {
    [SECTION_COMPARISONS] = {"what each source tells of",
                             ": nothing could be compared",
                             "kind = comparison",
                             {"name", "bpf", "netlink", "proc", "passing", "differing", "result"}},
    [SECTION_DIFFERENCES] = {"differences that stay",
                             ": none",
                             "kind = difference",
                             {"name", "bpf", "netlink", "proc", "detail"}},
    [SECTION_SOURCES] = {"sources", "", "kind = source", {"part", "name", "result", "detail"}},
    [SECTION_LACKS] = {"what is missing",
                       ": nothing",
                       "result = missing",
                       {"name", "lacks", "fix"}},
};

struct selfchecking {
    struct session *session;
    struct query queries[SECTIONS];
    struct request request; /* of the namespaces that were asked for: everything */
    struct facilities found;
};

/* --- one round of readings --- */

struct readings {
    struct snapshot snapshots[TELLERS];
    bool is_read[TELLERS];
};

static void readings_done(struct readings *readings)
{
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        if (readings->is_read[teller])
            snapshot_done(&readings->snapshots[teller]);
    *readings = (struct readings){.is_read = {false}};
}

static const struct {
    uint32_t sources;
    uint64_t needs;
} ways[TELLERS] = {
    [TELLER_BPF] = {SOURCE_BPF, NEED_SOCKETS | NEED_OWNERS},
    [TELLER_NETLINK] = {SOURCE_SOCK_DIAG, NEED_SOCKETS},
    [TELLER_PROC] = {SOURCE_PROC_NET | SOURCE_PROC_FD,
                     NEED_SOCKETS | NEED_OWNERS | NEED_ALL_PROCESSES},
};

static uint32_t protos_of(const struct selfchecking *checking, enum teller teller)
{
    return teller == TELLER_BPF       ? checking->found.bpf_protos
           : teller == TELLER_NETLINK ? checking->found.netlink_protos
                                      : checking->found.proc_protos;
}

/* Who is switched off is not asked. */
static int read_by(const struct selfchecking *checking, enum teller teller,
                   struct readings *readings)
{
    struct request request = checking->request;
    struct snapshot *snapshot = &readings->snapshots[teller];
    int r;

    request.sources &= ways[teller].sources;
    if (!request.sources)
        return 0;
    r = snapshot_init(snapshot);
    if (r < 0)
        return r;
    readings->is_read[teller] = true;
    request.needs = ways[teller].needs;
    request.prefer_bpf = true;
    if (!checking->found.enters_namespaces && request.netns_scope == NETNS_SCOPE_ALL)
        request.netns_scope = NETNS_SCOPE_SELF;
    if (teller != TELLER_BPF) /* which tells owners of sockets that others tell of */
        request.protos = protos_of(checking, teller);
    return collect(snapshot, &request);
}

/* BPF is first and last: what it tells of twice was there while the others were asked. */
static int read_all(const struct selfchecking *checking, struct readings *readings)
{
    static const enum teller order[] = {TELLER_BPF, TELLER_NETLINK, TELLER_PROC};
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(order) && r == 0; i++)
        r = read_by(checking, order[i], readings);
    return r;
}

static struct agreement_reading reading_of(const struct selfchecking *checking,
                                           const struct readings *readings)
{
    struct agreement_reading reading = {.snapshots = {NULL}};

    for (unsigned int teller = 0; teller < TELLERS; teller++) {
        reading.snapshots[teller] = readings->is_read[teller] ? &readings->snapshots[teller] : NULL;
        reading.protos[teller] = readings->is_read[teller] ? protos_of(checking, teller) : 0;
    }
    return reading;
}

/*
 * A reading that was cut cannot be compared; why it was goes into `to`. Namespaces that nobody may
 * enter are read by nobody.
 */
static bool is_whole(const struct readings *readings, struct snapshot *to)
{
    bool whole = true;

    for (unsigned int teller = TELLER_NETLINK; teller < TELLERS; teller++) {
        const struct snapshot *snapshot = &readings->snapshots[teller];

        for (uint32_t i = 0; readings->is_read[teller] && i < snapshot->notes_count; i++) {
            const struct note *note = &snapshot->notes[i];
            const char *source = snapshot_string(snapshot, note->source, NULL);

            if (note->effect != NOTE_INCOMPLETE || strcmp(source, "netns") == 0)
                continue;
            whole = false;
            if (to)
                snapshot_note(to, NOTE_INCOMPLETE, source, note->error, "not compared: %s",
                              snapshot_string(snapshot, note->text, NULL));
        }
    }
    return whole;
}

/* Reads until nothing differs any more. *ret_last: the last round that was compared. */
static int read_rounds(const struct selfchecking *checking, struct agreement *agreement,
                       struct snapshot *to, struct readings *ret_last)
{
    int r = 0;

    for (unsigned int round = 0; round < ROUNDS && r == 0 && !agreement_is_settled(agreement);
         round++) {
        CLEANUP(readings_done) struct readings readings = {.is_read = {false}};
        struct agreement_reading reading;

        r = read_all(checking, &readings);
        if (r < 0 || !is_whole(&readings, round + 1 == ROUNDS ? to : NULL))
            continue;
        reading = reading_of(checking, &readings);
        r = agreement_add(agreement, &reading);
        readings_done(ret_last);
        *ret_last = readings;
        readings = (struct readings){.is_read = {false}};
    }
    return r;
}

static int compare(const struct selfchecking *checking, struct frame *frame)
{
    CLEANUP(readings_done) struct readings last = {.is_read = {false}};
    struct agreement *agreement = agreement_new();
    struct agreement_reading reading;
    int r = agreement ? read_rounds(checking, agreement, &frame->snapshot, &last) : -ENOMEM;

    if (r == 0) {
        reading = reading_of(checking, &last);
        r = agreement_write(agreement, &reading, &frame->snapshot, &frame->selfcheck);
    }
    agreement_free(agreement);
    return r;
}

/* --- what the parts above the collectors need --- */

static int check_store(struct frame *frame)
{
    struct facility_row row = {
        .result = SELFCHECK_WORKS, .part = "history", .name = "store", .detail = "the past"};
    char path[PATH_MAX] = "";
    uint64_t since_ns;
    int pid, r;

    r = store_usual_path(false, path, sizeof(path)) ? store_writer(path, &pid, &since_ns) : -ENOENT;
    if (r == -ENOTSUP) {
        row.result = SELFCHECK_MISSING;
        row.detail = "for nwho serve and nwho history";
        row.lacks = STORE_NONE;
        row.fix = "build it with the headers of SQLite and zstd";
    } else if (r <= 0) {
        row.result = SELFCHECK_UNUSED;
        row.detail = "nobody records here: nwho serve does";
    } else {
        row.detail = "the past, which nwho serve is recording";
    }
    return facility_write(&frame->snapshot, &frame->selfcheck, &row);
}

static int check_fleet(struct frame *frame)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct facility_row row = {.result = SELFCHECK_WORKS,
                               .part = "fleet",
                               .name = "libcurl, jansson",
                               .detail = "the same about many hosts"};

    if (fleet_works(&problem) < 0) {
        row.result = SELFCHECK_MISSING;
        row.detail = "for nwho fleet";
        row.lacks = buf_string(&problem);
        row.fix = "install libcurl and jansson (Debian: libcurl4, libjansson4), or build with "
                  "their headers";
    }
    return facility_write(&frame->snapshot, &frame->selfcheck, &row);
}

/* --- the rows --- */

static void leave_notes(struct frame *frame)
{
    uint32_t missing = selfcheck_count(&frame->selfcheck, SELFCHECK_MISSING), differing = 0;

    for (uint32_t i = 0; i < frame->selfcheck.count; i++)
        differing += frame->selfcheck.rows[i].kind == SELFCHECK_DIFFERENCE;
    if (differing)
        snapshot_note(&frame->snapshot, NOTE_INCOMPLETE, "selfcheck", 0,
                      "%u difference%s between sources stayed in every reading: something may hide "
                      "sockets or processes",
                      differing, differing == 1 ? "" : "s");
    if (missing)
        snapshot_note(&frame->snapshot, NOTE_INCOMPLETE, "selfcheck", 0,
                      "%u source%s not work here: nwho selfcheck missing -o name,lacks,fix",
                      missing, missing == 1 ? " does" : "s do");
}

static int fill(struct selfchecking *checking, struct frame *frame)
{
    int r = snapshot_init(&frame->snapshot);

    if (r == 0)
        r = collect_moment(&frame->snapshot);
    if (r == 0)
        r = facilities_find(&checking->request, &frame->snapshot, &frame->selfcheck,
                            &checking->found);
    if (r == 0)
        r = check_store(frame);
    if (r == 0)
        r = check_fleet(frame);
    if (r == 0)
        r = compare(checking, frame);
    return r;
}

static int check(void *context, struct frame *frame)
{
    int r = fill(context, frame);

    if (r < 0)
        return command_error("cannot check: %s", strerror(-r));
    leave_notes(frame);
    return 0;
}

static int write_sections(void *context, const struct grid *grid, uint32_t rows, uint32_t columns,
                          struct buf *out)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT; /* whose first heading has nothing above it */
    struct selfchecking *checking = context;
    int r = 0;

    (void)grid;
    (void)rows;
    (void)columns;
    for (size_t i = 0; i < SECTIONS && r == 0; i++)
        r = show_section(checking->session, &checking->queries[i], sections[i].heading,
                         sections[i].if_empty, &text);
    buf_put(out, text.data, text.length);
    return r == 0 ? text.error : r;
}

static int plan_sections(struct selfchecking *checking)
{
    for (size_t i = 0; i < SECTIONS; i++) {
        struct query *query = &checking->queries[i];

        *query = (struct query){.table = &table_selfcheck};
        for (size_t k = 0; sections[i].columns[k]; k++)
            query->columns[query->column_count++] =
                table_column(query->table, sections[i].columns[k]);
        if (session_own_filter(checking->session, query, sections[i].filter) != 0)
            return EXIT_ERROR;
    }
    return 0;
}

static bool wants_table(const struct options *options)
{
    return options->word_count || options->columns || options->sort || options->limit;
}

static int run_selfcheck(struct options *options)
{
    struct query query = {.table = &table_selfcheck};
    struct session session;
    struct selfchecking checking = {.session = &session};
    int r;

    if (options->record || options->replay)
        return command_error("selfcheck is about this machine now: it takes no --record and no "
                             "--replay");
    options->all_netns = !options->namespace_count && !options->container;
    r = session_begin(&session, options);
    checking.request = session.request;
    session.reader = check;
    session.reader_context = &checking;
    if (r == 0)
        r = plan_sections(&checking);
    if (r == 0 && !wants_table(options)) {
        session.screen = write_sections;
        session.screen_context = &checking;
    }
    if (r == 0)
        r = session_filter(&session, &query, NULL);
    if (r == 0)
        r = session_columns(&session, &query, NULL);
    if (r == 0)
        r = session_show(&session, &query);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho selfcheck",
    "whether the sources agree, which of them work, and what the others lack",
    "nwho selfcheck missing -o name,lacks,fix",
    "only what is missing, and how to mend it",
    "nwho selfcheck -N web --json",
    "of one namespace, for programs",
    "nwho selfcheck -q",
    "exit code 0: all agrees and works; 3: not so",
    NULL,
};

const struct command command_selfcheck = {
    .name = "selfcheck",
    .arguments = "[FILTER]",
    .summary = "whether its sources agree and work here, what is missing",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH,
    .run = run_selfcheck,
};
