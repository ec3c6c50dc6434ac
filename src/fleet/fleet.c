/* SPDX-License-Identifier: MIT */
/* Fleet: the questions, and the rows that answers become. */
#include "fleet/fleet.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/vec.h"
#include "fleet/fetch.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* A host that had numbers in this time, and has none now, is missing. */
#define KNOWN "[1h]"

#define BYTES_METRIC "nwho_process_network_io_bytes_total"
#define SENT "network_io_direction=\"transmit\""
#define RECEIVED "network_io_direction=\"receive\""
#define HELD "nwho_process_connections{network_transport=\"tcp\",network_connection_state="
#define LISTENER "instance,process_executable_name,process_owner,service,server_port"

struct asking {
    struct fetcher fetcher;
    const struct fleet_question *question;
    struct snapshot *snapshot;
    struct fleet fleet;
    struct map index; /* hash of what names a row -> row */
    struct buf *problem;
    bool is_partial;        /* the server says so */
    enum fleet_value value; /* of the answer that is read */
    const json_t *labels;   /* of the series that is read */
};

static const struct fleet_libraries *libraries_of(const struct asking *asking)
{
    return &asking->fetcher.libraries;
}

/* --- rows --- */

static int intern_label(const struct asking *asking, const char *name, uint32_t *ret_string)
{
    const json_t *label = libraries_of(asking)->json_object_get(asking->labels, name);
    const char *bytes = libraries_of(asking)->json_string_value(label);

    *ret_string = 0;
    return bytes ? snapshot_intern(asking->snapshot, bytes,
                                   libraries_of(asking)->json_string_length(label), ret_string)
                 : 0;
}

/* What names the row of a series. */
static int read_names(const struct asking *asking, uint64_t until_ns, struct fleet_row *ret_row)
{
    static const struct {
        const char *label;
        size_t offset;
    } names[] = {
        {"instance", offsetof(struct fleet_row, host)},
        {"process_executable_name", offsetof(struct fleet_row, process)},
        {"process_owner", offsetof(struct fleet_row, user)},
        {"service", offsetof(struct fleet_row, service)},
        {"check", offsetof(struct fleet_row, check)},
        {"severity", offsetof(struct fleet_row, severity)},
    };
    struct fleet_row row = {.until_ns = until_ns};
    const char *port = libraries_of(asking)->json_string_value(
        libraries_of(asking)->json_object_get(asking->labels, "server_port"));
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++) {
        uint32_t string;

        r = intern_label(asking, names[i].label, &string);
        memcpy((char *)&row + names[i].offset, &string, sizeof(string));
    }
    row.port = port ? (uint16_t)strtoul(port, NULL, 10) : 0;
    *ret_row = row;
    return r;
}

static uint64_t hash_names(const struct fleet_row *row)
{
    const uint32_t names[] = {row->host,  row->process,  row->user, row->service,
                              row->check, row->severity, row->port};

    return hash_numbers(hash_number(HASH_INIT, row->until_ns), names, ARRAY_SIZE(names));
}

static int find_row(struct asking *asking, const struct fleet_row *names,
                    struct fleet_row **ret_row)
{
    struct fleet *fleet = &asking->fleet;
    uint64_t hash = hash_names(names);
    uint32_t at = map_get(&asking->index, hash);
    int r = 0;

    if (at == MAP_NONE) {
        r = VEC_RESERVE(&fleet->rows, &fleet->capacity, fleet->count, 1);
        at = fleet->count;
        if (r == 0)
            r = map_set(&asking->index, hash, at);
        if (r < 0)
            return r;
        fleet->rows[fleet->count++] = *names;
    }
    *ret_row = &fleet->rows[at];
    return 0;
}

/* [seconds, "number"]; what is no number (NaN of a division by nothing) is unknown. */
static int take_sample(struct asking *asking, const json_t *sample, bool has_time)
{
    const struct fleet_libraries *libraries = libraries_of(asking);
    const char *text = libraries->json_string_value(libraries->json_array_get(sample, 1));
    double seconds = libraries->json_number_value(libraries->json_array_get(sample, 0));
    double number = text ? strtod(text, NULL) : NAN;
    struct fleet_row names, *row = NULL;
    int r;

    if (!isfinite(number) || number < 0 || number > 1e18 || seconds < 0 || seconds > 1e10)
        return 0;
    r = read_names(asking, has_time ? (uint64_t)(seconds * 1e3) * MILLISECOND_NS : 0, &names);
    if (r == 0)
        r = find_row(asking, &names, &row);
    if (r != 0)
        return r;
    row->values[asking->value] += (uint64_t)(number + 0.5);
    row->has |= 1u << asking->value;
    return 0;
}

static int take_series(struct asking *asking, const json_t *series)
{
    const struct fleet_libraries *libraries = libraries_of(asking);
    const json_t *samples = libraries->json_object_get(series, "values");
    bool has_time = asking->question->subject == FLEET_HISTORY && asking->question->every_ns;
    int r = 0;

    asking->labels = libraries->json_object_get(series, "metric");
    if (!samples)
        return take_sample(asking, libraries->json_object_get(series, "value"), has_time);
    for (size_t i = 0; i < libraries->json_array_size(samples) && r == 0; i++)
        r = take_sample(asking, libraries->json_array_get(samples, i), has_time);
    return r;
}

/* --- answers --- */

/* Prometheus and Thanos give warnings, VictoriaMetrics says isPartial. */
static void note_warnings(struct asking *asking, const json_t *document)
{
    const struct fleet_libraries *libraries = libraries_of(asking);
    const json_t *warnings = libraries->json_object_get(document, "warnings");
    const json_t *partial = libraries->json_object_get(document, "isPartial");
    const char *said = libraries->json_string_value(libraries->json_array_get(warnings, 0));

    if (asking->is_partial || (!said && !json_is_true(partial)))
        return;
    asking->is_partial = true;
    snapshot_note(asking->snapshot, NOTE_INCOMPLETE, "server", 0,
                  "the server says that its answer lacks something%s%.300s", said ? ": " : "",
                  said ? said : "");
}

typedef int series_fn(struct asking *asking, const json_t *series);

static int each_series(struct asking *asking, const char *path, const char *form, series_fn *fn)
{
    const struct fleet_libraries *libraries = libraries_of(asking);
    json_t *document = NULL;
    const json_t *result;
    int r = fetcher_ask(&asking->fetcher, path, form, &document, asking->problem);

    if (r < 0)
        return r;
    result = libraries->json_object_get(libraries->json_object_get(document, "data"), "result");
    note_warnings(asking, document);
    for (size_t i = 0; i < libraries->json_array_size(result) && r == 0; i++)
        r = fn(asking, libraries->json_array_get(result, i));
    libraries->json_delete(document);
    if (r < 0)
        buf_puts(asking->problem, "out of memory");
    return r;
}

static void put_form(struct buf *form, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;

        if ((byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= '0' && byte <= '9') || byte == '_')
            buf_byte(form, (char)byte);
        else
            buf_printf(form, "%%%02X", byte);
    }
}

static void put_seconds(struct buf *form, const char *name, uint64_t time_ns)
{
    buf_printf(form, "&%s=%" PRIu64 ".%03" PRIu64, name, time_ns / SECOND_NS,
               time_ns % SECOND_NS / MILLISECOND_NS);
}

/* Rows of a series of the past, or of its end. */
static int ask_past(struct asking *asking, const char *expression)
{
    const struct fleet_question *question = asking->question;
    CLEANUP(buf_done) struct buf form = BUF_INIT;

    buf_puts(&form, "query=");
    put_form(&form, expression);
    if (!question->every_ns) {
        put_seconds(&form, "time", question->until_ns);
        return each_series(asking, "/api/v1/query", buf_string(&form), take_series);
    }
    put_seconds(&form, "start", question->since_ns + question->every_ns);
    put_seconds(&form, "end", question->until_ns);
    put_seconds(&form, "step", question->every_ns);
    return each_series(asking, "/api/v1/query_range", buf_string(&form), take_series);
}

static int ask_now(struct asking *asking, const char *expression, series_fn *fn)
{
    CLEANUP(buf_done) struct buf form = BUF_INIT;

    buf_puts(&form, "query=");
    put_form(&form, expression);
    return each_series(asking, "/api/v1/query", buf_string(&form), fn);
}

/* --- what is asked --- */

static const char *labels_of(enum fleet_by by)
{
    static const char *const labels[] = {
        [FLEET_BY_HOST] = "instance",
        [FLEET_BY_PROCESS] = "instance,process_executable_name,process_owner,service",
        [FLEET_BY_SERVICE] = "instance,service",
    };

    return labels[by];
}

/* A value of the rows, and where it comes from. */
struct part {
    enum fleet_value value;
    const char *before, *after; /* of an expression; in between are `labels` */
};

static int ask_parts(struct asking *asking, const struct part *parts, size_t count)
{
    const struct fleet_question *question = asking->question;
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++) {
        CLEANUP(buf_done) struct buf expression = BUF_INIT;
        uint64_t span_ns = question->window_ns;

        if (question->subject == FLEET_HISTORY)
            span_ns =
                question->every_ns ? question->every_ns : question->until_ns - question->since_ns;
        /* a host that several jobs scrape counts once */
        buf_printf(&expression, "sum by (%s) (max without (job) (%s", labels_of(question->by),
                   parts[i].before);
        if (*parts[i].after)
            buf_printf(&expression, "[%" PRIu64 "ms]%s", span_ns / MILLISECOND_NS, parts[i].after);
        buf_puts(&expression, "))");
        asking->value = parts[i].value;
        r = question->subject == FLEET_HISTORY
                ? ask_past(asking, buf_string(&expression))
                : ask_now(asking, buf_string(&expression), take_series);
        if (r < 0 && i > 0 && r != -ENOMEM) {
            snapshot_note(asking->snapshot, NOTE_INCOMPLETE, "server", r,
                          "not all was answered: %s", buf_string(asking->problem));
            buf_reset(asking->problem);
            return 0;
        }
    }
    return r;
}

static int ask_top(struct asking *asking)
{
    static const struct part parts[] = {
        {FLEET_RECEIVED, "rate(" BYTES_METRIC "{" RECEIVED "}", ")"},
        {FLEET_SENT, "rate(" BYTES_METRIC "{" SENT "}", ")"},
        {FLEET_ESTABLISHED, HELD "\"established\"}", ""},
        {FLEET_CLOSE_WAIT, HELD "\"close_wait\"}", ""},
    };

    return ask_parts(asking, parts, ARRAY_SIZE(parts));
}

static int ask_history(struct asking *asking)
{
    static const struct part parts[] = {
        {FLEET_RECEIVED, "increase(" BYTES_METRIC "{" RECEIVED "}", ")"},
        {FLEET_SENT, "increase(" BYTES_METRIC "{" SENT "}", ")"},
    };

    return ask_parts(asking, parts, ARRAY_SIZE(parts));
}

static int ask_ports(struct asking *asking)
{
    int r;

    asking->value = FLEET_BACKLOG;
    r = ask_now(asking, "max by (" LISTENER ") (nwho_listen_queue_limit)", take_series);
    if (r < 0)
        return r;
    asking->value = FLEET_WAITING; /* where nobody ever waited there is no length */
    return ask_now(
        asking, "max by (" LISTENER ") (nwho_listen_queue_length or 0 * nwho_listen_queue_limit)",
        take_series);
}

static int ask_doctor(struct asking *asking)
{
    asking->value = FLEET_FINDINGS;
    return ask_now(asking, "max by (instance,check,severity) (nwho_finding) > 0", take_series);
}

/* --- who is missing --- */

static int note_missing(struct asking *asking, const json_t *series)
{
    const struct fleet_libraries *libraries = libraries_of(asking);
    const char *host;

    asking->labels = libraries->json_object_get(series, "metric");
    host = libraries->json_string_value(libraries->json_object_get(asking->labels, "instance"));
    snapshot_note(asking->snapshot, NOTE_INCOMPLETE, "host", 0,
                  "%.200s is missing: the server has no numbers of it now", host ? host : "a host");
    return 0;
}

/* Those that were there in the last hour, and those that stand beside them and never answered. */
static int ask_missing(struct asking *asking)
{
    return ask_now(asking,
                   "(count by (instance) (last_over_time(nwho_build_info" KNOWN ")) or "
                   "count by (instance) (up == 0 and on (job) "
                   "count by (job) (last_over_time(nwho_build_info" KNOWN ")))) "
                   "unless on (instance) count by (instance) (nwho_build_info)",
                   note_missing);
}

static int ask_subject(struct asking *asking)
{
    switch (asking->question->subject) {
    case FLEET_TOP:
        return ask_top(asking);
    case FLEET_PORTS:
        return ask_ports(asking);
    case FLEET_DOCTOR:
        return ask_doctor(asking);
    case FLEET_HISTORY:
        return ask_history(asking);
    }
    return -EINVAL;
}

int fleet_ask(const struct fleet_server *server, const struct fleet_question *question,
              struct snapshot *snapshot, struct fleet *ret_fleet, struct buf *problem)
{
    struct asking asking = {.question = question, .snapshot = snapshot, .problem = problem};
    int r = fetcher_open(&asking.fetcher, server, problem);

    if (r == 0)
        r = ask_subject(&asking);
    if (r == 0 && question->subject != FLEET_HISTORY && ask_missing(&asking) < 0) {
        snapshot_note(snapshot, NOTE_INCOMPLETE, "server", 0, "hosts may be missing: %s",
                      buf_string(problem));
        buf_reset(problem);
    }
    fetcher_close(&asking.fetcher);
    map_done(&asking.index);
    if (r < 0)
        fleet_done(&asking.fleet);
    else
        *ret_fleet = asking.fleet;
    return r;
}

void fleet_done(struct fleet *fleet)
{
    free(fleet->rows);
    *fleet = (struct fleet){0};
}
