/* SPDX-License-Identifier: MIT */
/* Export as lines of JSON, or as CSV. */
#include "base/clock.h"
#include "cli/export.h"
#include "cli/history.h"
#include "out/csv.h"
#include "out/json.h"

/* --- JSON --- */

/* "kind":"flow", and of a piece its times, how much of it was measured, and how. */
static void put_members(const struct export_pass *pass, const struct store_answer *answer,
                        const char *kind, struct buf *out)
{
    buf_printf(out, "\"kind\":\"%s\"", kind);
    if (!pass->kind->measured)
        return;
    buf_puts(out, ",\"since\":\"");
    buf_utc(out, answer->since_ns, 3);
    buf_puts(out, "\",\"until\":\"");
    buf_utc(out, answer->until_ns, 3);
    buf_printf(out, "\",\"measured_s\":%.3f,\"tier\":\"%s\"",
               (double)pass->kind->measured(answer) / (double)SECOND_NS,
               history_tier_name(answer->tier));
}

static int take_jsonl(struct export_pass *pass, const struct store_answer *answer,
                      const struct grid *grid)
{
    CLEANUP(buf_done) struct buf members = BUF_INIT;
    struct export *export = pass->context;

    if (pass->kind->measured && !pass->kind->measured(answer)) {
        buf_byte(&export->out, '{');
        put_members(pass, answer, "unmeasured", &export->out);
        buf_printf(&export->out, ",\"of\":\"%s\"}\n", pass->kind->name);
        return export->out.error;
    }
    put_members(pass, answer, pass->kind->name, &members);
    if (pass->kind->table == &table_flows)
        buf_printf(&members, ",\"accounting\":\"%s\"",
                   accounting_level_name(grid->view->snapshot->accounting));
    buf_string(&members);
    return members.error ? members.error : jsonl_write(grid, members.data, &export->out);
}

static int add_jsonl(struct export *export, const struct export_kind *kind, void *context)
{
    struct export_pass pass = {.kind = kind, .take = take_jsonl, .context = export};

    (void)context;
    return export_read(export, &pass, &export->question);
}

int export_jsonl(struct export *export)
{
    return export_each_kind(export, add_jsonl, NULL);
}

/* --- CSV --- */

static void put_fields(const struct store_answer *answer, uint64_t measured_ns, struct buf *out)
{
    buf_utc(out, answer->since_ns, 3);
    buf_byte(out, ',');
    buf_utc(out, answer->until_ns, 3);
    buf_printf(out, ",%.3f,%s,", (double)measured_ns / (double)SECOND_NS,
               history_tier_name(answer->tier));
}

/* A piece of which nothing was measured is a line without anything else. */
static int take_csv(struct export_pass *pass, const struct store_answer *answer,
                    const struct grid *grid)
{
    CLEANUP(buf_done) struct buf fields = BUF_INIT;
    struct export *export = pass->context;
    uint64_t measured_ns = pass->kind->measured ? pass->kind->measured(answer) : 0;

    if (pass->kind->measured)
        put_fields(answer, measured_ns, &fields);
    if (pass->kind->measured && !measured_ns) {
        buf_put(&export->out, fields.data, fields.length);
        for (uint32_t i = 1; i < grid->column_count; i++)
            buf_byte(&export->out, ',');
        buf_byte(&export->out, '\n');
        return export->out.error;
    }
    buf_string(&fields);
    return fields.error ? fields.error : csv_rows(grid, buf_string(&fields), &export->out);
}

static int add_csv(struct export *export, const struct export_kind *kind, void *context)
{
    struct export_pass pass = {.kind = kind, .take = take_csv, .context = export};
    struct buf *out = &export->out;

    (void)context;
    buf_puts(out, kind->measured ? "since,until,measured_s,tier" : "");
    for (const char *const *name = kind->columns; *name; name++)
        buf_printf(out, "%s%s", name == kind->columns && !kind->measured ? "" : ",", *name);
    buf_byte(out, '\n');
    return export_read(export, &pass, &export->question);
}

int export_csv(struct export *export)
{
    const struct export_kind *kind =
        export_kind_find(export->options->by ? export->options->by : export_kinds[0].name);

    return add_csv(export, kind, NULL);
}
