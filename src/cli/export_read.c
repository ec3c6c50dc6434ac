/* SPDX-License-Identifier: MIT */
/* Export: reads what was recorded, piece by piece, as rows of the tables. */
#include "cli/export.h"
#include "cli/history_subject.h"
#include "model/past_note.h"

#include <string.h>

static uint64_t flows_measured(const struct store_answer *answer)
{
    return answer->measured_ns;
}

/* Interfaces, counters, states and listeners are read together. */
static uint64_t machine_measured(const struct store_answer *answer)
{
    return answer->interface_measured_ns;
}

#define PROCESS "process", "pid", "exe", "user", "uid", "unit", "container"
#define PROCESS_COLUMNS 7

static const char *const flow_columns[] = {PROCESS,     "cgroup",    "netns",      "proto",
                                           "peer_addr", "peer_port", "local_port", "iface",
                                           "flags",     "rx_bytes",  "tx_bytes",   NULL};

static const char *const interface_columns[] = {"iface",
                                                "netns",
                                                "speed_bits",
                                                "rx_bytes",
                                                "tx_bytes",
                                                "rx_packets",
                                                "tx_packets",
                                                "rx_errors",
                                                "tx_errors",
                                                "rx_dropped",
                                                "tx_dropped",
                                                "multicast",
                                                "collisions",
                                                "rx_length_errors",
                                                "rx_over_errors",
                                                "rx_crc_errors",
                                                "rx_frame_errors",
                                                "rx_overruns",
                                                "rx_missed",
                                                "rx_nohandler",
                                                "rx_otherhost_dropped",
                                                "rx_compressed",
                                                "tx_aborted_errors",
                                                "tx_carrier_errors",
                                                "tx_overruns",
                                                "tx_heartbeat_errors",
                                                "tx_window_errors",
                                                "tx_compressed",
                                                NULL};

static const char *const counter_columns[] = {"counter", "netns", "scope", "cpu",
                                              "gauge",   "value", NULL};

static const char *const state_columns[] = {"proto", "state", "netns", "mean",
                                            "least", "most",  NULL};

static const char *const listener_columns[] = {PROCESS,      "netns",  "proto",  "local_addr",
                                               "local_port", "recv_q", "send_q", NULL};

static const char *const connection_columns[] = {
    "time",      "event",       "verdict",      "process",    "pid",       "user",      "uid",
    "direction", "proto",       "local_addr",   "local_port", "peer_addr", "peer_port", "rx_bytes",
    "tx_bytes",  "duration_us", "handshake_us", "rtt_us",     "retrans",   "ended_by",  "error",
    "netns",     NULL};

static const char *const note_columns[] = {"time", "note", "text", NULL};

const struct export_kind export_kinds[] = {
    {"flow", &table_flows, 0, flow_columns, PROCESS_COLUMNS + 2, flows_measured},
    {"interface", &table_interfaces, STORE_INTERFACES, interface_columns, 0, machine_measured},
    {"counter", &table_counters, STORE_COUNTERS | STORE_INTERFACES, counter_columns, 0,
     machine_measured},
    {"state", &table_states, STORE_STATES | STORE_INTERFACES, state_columns, 0, machine_measured},
    {"listener", &table_sockets, STORE_LISTENERS | STORE_INTERFACES, listener_columns, 0,
     machine_measured},
    {"connection", &table_events, STORE_CONNECTIONS, connection_columns, 0, NULL},
    {"note", &table_notes, STORE_NOTES, note_columns, 0, NULL},
};
const uint32_t export_kind_count = ARRAY_SIZE(export_kinds);

const struct export_kind *export_kind_find(const char *name)
{
    for (uint32_t i = 0; i < export_kind_count; i++)
        if (strcmp(export_kinds[i].name, name) == 0)
            return &export_kinds[i];
    return NULL;
}

/* --- reading --- */

struct reading {
    struct export *export;
    struct export_pass *pass;
    struct session session;
    struct query rows;
};

static int plan(struct reading *reading)
{
    const struct export_kind *kind = reading->pass->kind;
    struct query *rows = &reading->rows;
    int r;

    rows->table = kind->table;
    r = session_filter(&reading->session, rows, NULL);
    for (const char *const *name = kind->columns; *name; name++)
        rows->columns[rows->column_count++] = table_column(kind->table, *name);
    return r == 0 ? session_plan_also(&reading->session, rows) : r;
}

static int convert_notes(const struct store_answer *answer, struct past_note **ret_notes)
{
    struct past_note *notes = calloc(answer->note_count + 1, sizeof(*notes));

    if (!notes)
        return -ENOMEM;
    for (uint32_t i = 0; i < answer->note_count; i++)
        notes[i] = (struct past_note){.time_ns = answer->notes[i].time_ns,
                                      .kind = store_note_kind_name(answer->notes[i].kind),
                                      .text = answer->notes[i].text};
    *ret_notes = notes;
    return 0;
}

static int select_and_take(struct reading *reading, struct store_answer *answer)
{
    CLEANUP_FREE struct past_note *notes = NULL;
    struct view *view = &reading->session.now->view;
    struct grid grid;
    int r = convert_notes(answer, &notes);

    if (r < 0)
        return r;
    view->states = answer->states;
    view->state_count = answer->state_count;
    view->past_notes = notes;
    view->past_note_count = answer->note_count;
    r = query_run(&reading->rows, view, &grid);
    if (r < 0)
        return r;
    r = reading->pass->take(reading->pass, answer, &grid);
    reading->export->rows += grid.row_count;
    grid_done(&grid);
    return r;
}

/* Nothing is compared with the piece before: rows are what happened in theirs. */
static int take_piece(struct store_answer *answer, void *context)
{
    struct reading *reading = context;
    struct session *session = &reading->session;
    struct snapshot snapshot = answer->snapshot;
    int r;

    answer->snapshot = (struct snapshot){0};
    session_free_frame(session->now);
    session->now = NULL;
    if (session_adopt_reading(session, &snapshot) != 0)
        return EXIT_ERROR;
    r = select_and_take(reading, answer);
    return r == 0 ? session_check(session) : r;
}

static void finish(struct reading *reading)
{
    struct session *session = &reading->session;

    if (session->now && session->now->snapshot.incomplete && !reading->export->incomplete) {
        session_notes(session);
        reading->export->incomplete = true;
    }
    session_end(session);
}

int export_read(struct export *export, struct export_pass *pass,
                const struct store_question *question)
{
    struct reading reading = {.export = export, .pass = pass};
    struct store_question asked = *question;
    int r = session_begin(&reading.session, export->options);

    if (r == 0)
        r = plan(&reading);
    asked.parts = pass->kind->parts;
    if (pass->kind->table == &table_flows)
        asked.parts |= history_flow_parts(&reading.session);
    if (r == 0)
        r = store_read(export->store, &asked, take_piece, &reading);
    finish(&reading);
    return r;
}

/* --- which kinds --- */

int export_filter_fits(const struct options *options, const struct export_kind *kind,
                       bool *ret_fits)
{
    struct session session;
    int r = session_begin(&session, options);

    if (r == 0)
        r = session_filter_fits(&session, kind->table, ret_fits);
    session_end(&session);
    return r;
}

/* Of traffic every word can be said: what is wrong with one is told by its filter. */
int export_each_kind(struct export *export,
                     int (*take)(struct export *export, const struct export_kind *kind,
                                 void *context),
                     void *context)
{
    const char *by = export->options->by;
    int r = 0;

    if (by)
        return take(export, export_kind_find(by), context);
    for (uint32_t i = 0; i < export_kind_count && r == 0; i++) {
        bool fits = true;

        if (i > 0)
            r = export_filter_fits(export->options, &export_kinds[i], &fits);
        if (r == 0 && fits)
            r = take(export, &export_kinds[i], context);
    }
    return r;
}
