/* SPDX-License-Identifier: MIT */
/* nwho export: what was recorded, for other programs. */
#include "base/clock.h"
#include "cli/export.h"
#include "cli/history.h"
#include "cli/replace_file.h"
#include "cli/show.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Pieces of the time, unless they are chosen: minutes as long as every tick is kept, else hours. */
#define MINUTES_NS (2 * 86400 * SECOND_NS)

static const struct format {
    const char *name;
    int (*write)(struct export *export);
    bool is_of_one_kind;
} formats[] = {
    {"openmetrics", export_metrics, false},
    {"jsonl", export_jsonl, false},
    {"csv", export_csv, true},
    {"sqlite", NULL, false},
};

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

static int check_options(const struct options *options, const struct format **ret_format)
{
    const char *form = options->export_format;
    const struct format *format = form ? find_format(form) : NULL;

    if (!format)
        return command_error("%s%s: --format openmetrics, jsonl, csv or sqlite",
                             form ? "no format is called " : "which format", form ? form : "");
    if (options->by && format->write == export_metrics)
        return command_error("--by goes with jsonl, csv and sqlite: metrics have their own names");
    if (options->by && !export_kind_find(options->by))
        return command_error("nothing that is recorded is called \"%s\": --by flow, interface, "
                             "counter, state, listener, connection or note",
                             options->by);
    if (!format->write && !options->file)
        return command_error("--format sqlite writes a database: -o FILE says where");
    *ret_format = format;
    return 0;
}

/* --- where it goes --- */

struct work {
    struct export *export;
    const struct format *format;
    int result; /* EXIT_ERROR: it was said why */
};

/* 0 or -errno: the file is not kept. */
static int write_to(const void *content, int fd)
{
    struct work *work = *(struct work *const *)content;
    struct export *export = work->export;
    int r;

    export->out = BUF_SINK(fd);
    r = work->format->write(export);
    if (r == 0)
        r = buf_flush(&export->out);
    buf_done(&export->out);
    work->result = r > 0 ? r : 0;
    return r > 0 ? -ECANCELED : r;
}

static int write_all(struct export *export, const struct format *format)
{
    struct work work = {.export = export, .format = format}, *content = &work;
    const char *path = export->options->file;
    int r;

    if (!format->write)
        return export_sqlite(export, path);
    r = path ? replace_file(path, write_to, &content) : write_to(&content, STDOUT_FILENO);
    return work.result ? work.result : r;
}

static int say_result(const struct export *export, int r)
{
    const char *path = export->options->file;

    if (r > 0)
        return EXIT_ERROR;
    if (r == -EPIPE && !path)
        return EXIT_FOUND;
    if (r < 0 && path)
        return command_error("cannot export to %s: %s", path, store_failure(r));
    if (r < 0)
        return command_error("cannot export: %s", store_failure(r));
    if (export->incomplete)
        return EXIT_INCOMPLETE;
    return export->rows ? EXIT_FOUND : EXIT_NOTHING;
}

static int run_export(struct options *options)
{
    struct export export = {.options = options, .out = BUF_INIT};
    struct store_question *question = &export.question;
    const struct format *format = NULL;
    int r;

    if (check_options(options, &format) != 0 || !format || history_times(options, question) != 0)
        return EXIT_ERROR;
    if (!question->every_ns)
        question->every_ns =
            (question->until_ns - question->since_ns <= MINUTES_NS ? 60 : 3600) * SECOND_NS;
    if (history_open(options, &export.store) != 0)
        return EXIT_ERROR;
    r = say_result(&export, write_all(&export, format));
    store_close(export.store);
    return r;
}

static const char *const examples[] = {
    "nwho export --since yesterday --until today --format openmetrics -o night.prom",
    "for promtool tsdb create-blocks-from openmetrics night.prom",
    "nwho export --since -1h --format jsonl",
    "all that was recorded, an object a line",
    "nwho export --since -7d --format csv --by interface -o interfaces.csv",
    "what interfaces did, as a table",
    "nwho export process nginx --since -2d --format sqlite -o nginx.db",
    "a database that sqlite3 reads",
    NULL,
};

const struct command command_export = {
    .name = "export",
    .arguments = "[FILTER]",
    .summary = "the history as OpenMetrics, JSON, CSV or SQLite",
    .examples = examples,
    .options = OPTIONS_EXPORT | OPTIONS_PAST | OPTIONS_STORE,
    .run = run_export,
};
