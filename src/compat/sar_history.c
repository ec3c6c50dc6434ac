/* SPDX-License-Identifier: MIT */
/* sar: what was recorded, one report after the other, as sar -f shows a file. */
#include "compat/sar_past.h"

#include "base/clock.h"
#include "compat/say.h"

/* 1: that was as many as were asked for. */
static int show_sample(struct sar_sample *sample, const struct sar_sample *before, void *context)
{
    struct sar_layout *layout = context;

    sar_sample_add_up(sample, before, true);
    sar_put_sample(layout, before, sample, false);
    return layout->out.error ? layout->out.error : layout->shown == layout->options->count;
}

static int show_report(struct sar_layout *layout, const struct sar_past *past,
                       const struct sar_run *run, uint32_t id)
{
    struct sar_reading reading = {
        .past = past, .run = run, .id = id, .take = show_sample, .context = layout};
    const struct sar_sample *last;
    int r;

    sar_layout_begin_report(layout, id);
    r = sar_past_read(&reading, &last);
    if (r == 0)
        sar_layout_end_report(layout);
    if (r >= 0)
        sar_put_averages(layout, &run->base, last);
    for (uint32_t i = 0; i < ARRAY_SIZE(reading.samples); i++)
        sar_sample_done(&reading.samples[i]);
    return r < 0 ? r : 0;
}

static int show_run(struct sar_layout *layout, const struct sar_past *past,
                    const struct sar_run *run)
{
    struct sar_source source;
    int r = 0;

    if (run->restarted) {
        r = sar_past_machine(past, run->base_ns ? run->base_ns : run->since_ns, &source);
        if (r == 0)
            sar_put_restart(layout, run->since_ns / SECOND_NS, source.cpus);
    }
    for (uint32_t id = 0; id < SAR_REPORT_MAX && r == 0; id++)
        if (run->reports & layout->options->reports & SAR_REPORT_BIT(id))
            r = show_report(layout, past, run, id);
    return r;
}

static void say_not_recorded(uint32_t reports)
{
    CLEANUP(buf_done) struct buf names = BUF_INIT;

    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++)
        if (reports & SAR_REPORT_BIT(id))
            buf_printf(&names, "%s%s", names.length ? ", " : "", sar_reports[id].keyword);
    say("sar", "not in the history: %s", buf_string(&names));
}

/* A day has a title of its first sample, or of its beginning. An exit status, or -errno. */
static int show(struct sar_layout *layout, const struct sar_past *past)
{
    const struct sar_options *options = layout->options;
    struct sar_sample first = {.time = past->since_ns / SECOND_NS};
    struct sar_source source;
    uint32_t reports = 0, runs = 0;
    int r;

    for (uint32_t i = past->run_count; i-- > 0;)
        if (past->runs[i].base_ns) {
            first.time = past->runs[i].base_ns / SECOND_NS;
            reports |= past->runs[i].reports;
            runs++;
        }
    if (!runs && !options->has_start && !options->has_end) {
        say("sar", "nothing was recorded on this day");
        return SAR_FAILED;
    }
    if (runs && options->reports & ~reports)
        say_not_recorded(options->reports & ~reports);
    if (runs && !(options->reports & reports))
        return SAR_WRONG_USE;
    r = sar_past_machine(past, first.time * SECOND_NS, &source);
    if (r == 0)
        sar_put_title(layout, &source, &first);
    for (uint32_t i = 0; i < past->run_count && r == 0; i++)
        r = show_run(layout, past, &past->runs[i]);
    return r;
}

/* Also where a report has nothing: what it would have had may be what is damaged. */
static int show_whole(struct sar_layout *layout, const struct sar_past *past)
{
    int r = show(layout, past);
    uint32_t broken = store_broken_parts(past->store);

    if (r < 0 || !broken)
        return r;
    say("sar", "%u parts of the history are damaged: what they had is missing", broken);
    return SAR_FAILED;
}

int sar_history_show(const struct sar_options *options, struct sar_layout *layout)
{
    struct sar_past past;
    int r = sar_past_open(options, &past);

    if (r == 0)
        r = show_whole(layout, &past);
    sar_past_close(&past);
    return r;
}
