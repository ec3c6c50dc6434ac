/* SPDX-License-Identifier: MIT */
/* sar of sysstat 12.6.1: the reports of the network. */
#include "compat/sar.h"

#include "base/cleanup.h"
#include "compat/personality.h"
#include "compat/say.h"
#include "store/store.h"

#include <locale.h>
#include <string.h>
#include <time.h>

/* What is there of the first sample; says what nwho cannot count though it is there. */
static uint32_t reports_there(const struct sar_options *options, const struct sar_sample *first)
{
    uint32_t there = 0;

    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        const struct sar_report *report = &sar_reports[id];

        if (!(options->reports & SAR_REPORT_BIT(id)))
            continue;
        if (report->file && access(report->file, F_OK) == 0)
            say("sar", "%s is not shown: nwho does not count it", report->keyword);
        else if (first->blocks[id].count)
            there |= SAR_REPORT_BIT(id);
    }
    return there;
}

static bool is_too_late(const struct sar_options *options, uint64_t time)
{
    time_t seconds = (time_t)time;
    struct tm now;

    return options->has_end && localtime_r(&seconds, &now) &&
           (uint32_t)(now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec) > options->end;
}

/* One sample after the other, and then the averages, also of what came too late to be shown. 0 or
 * -errno. */
static int show_samples(struct sar_layout *layout, struct sar_source *source,
                        struct sar_sample samples[3])
{
    const struct sar_options *options = layout->options;
    struct sar_sample *before = &samples[0], *sample = &samples[1];
    bool late = false;
    int r = 1;

    while (!late && (options->count == 0 || layout->shown < options->count)) {
        r = buf_flush(&layout->out);
        if (r == 0)
            r = source->next(source, sample);
        if (r == 0)
            buf_byte(&layout->out, '\n');
        if (r <= 0)
            break;
        late = is_too_late(options, sample->time);
        sar_sample_add_up(sample, before, !late);
        if (!late)
            sar_put_sample(layout, before, sample, false);
        before = sample;
        sample = sample == &samples[1] ? &samples[2] : &samples[1];
    }
    if (r >= 0)
        sar_put_averages(layout, &samples[0], before);
    return r < 0 ? r : 0;
}

/* An exit status, or -errno. */
static int show(struct sar_layout *layout, struct sar_source *source, struct sar_sample samples[3])
{
    const struct sar_sample start = {.time = 0};
    int r = source->next(source, &samples[0]);

    if (r <= 0)
        return r;
    layout->reports = reports_there(layout->options, &samples[0]);
    if (!layout->reports) {
        static const char text[] = "Requested activities not available\n";

        (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
        return SAR_NOT_THERE;
    }
    sar_put_title(layout, source, &samples[0]);
    if (layout->options->interval)
        return show_samples(layout, source, samples);
    sar_put_sample(layout, &start, &samples[0], true);
    return 0;
}

/* Writes what is left, and says what went wrong; that nobody reads any more did not. The status. */
static int finish(struct buf *out, int r)
{
    if (buf_flush(out) < 0)
        r = out->error;
    buf_done(out);
    if (r == -EPIPE)
        return 0;
    if (r < 0)
        say("sar", "%s", store_failure(r));
    return r < 0 ? SAR_FAILED : r;
}

static int show_live(const struct sar_options *options, struct sar_layout *layout)
{
    struct sar_sample samples[3] = {{.time = 0}};
    struct sar_source source;
    int r = sar_live_open(options, &source);

    if (r == 0)
        r = show(layout, &source, samples);
    source.close(&source);
    for (uint32_t i = 0; i < ARRAY_SIZE(samples); i++)
        sar_sample_done(&samples[i]);
    return r;
}

static int run_reports(const struct sar_options *options,
                       int (*show_them)(const struct sar_options *options,
                                        struct sar_layout *layout))
{
    struct sar_layout layout;

    sar_layout_init(&layout, options, STDOUT_FILENO);
    return finish(&layout.out, show_them(options, &layout));
}

static int put_text(const char *text)
{
    struct buf out = BUF_SINK(STDOUT_FILENO);

    buf_puts(&out, text);
    return finish(&out, 0);
}

static int run(int argc, char **argv)
{
    CLEANUP(sar_options_done) struct sar_options options;
    int status = sar_options_parse(argc, argv, &options);

    if (status != 0)
        return status;
    setlocale(LC_TIME, "");
    setlocale(LC_NUMERIC, "");
    switch (options.show) {
    case SAR_SHOW_HELP:
        return put_text(sar_help);
    case SAR_SHOW_VERSION:
        return put_text("sysstat version 12.6.1\n(as nwho " NWHO_VERSION " shows it)\n");
    case SAR_SHOW_HISTORY:
        return run_reports(&options, sar_history_show);
    default:
        return run_reports(&options, show_live);
    }
}

const struct personality personality_sar = {
    .name = "sar",
    .summary = "rates of interfaces and protocols, as sar -n of sysstat",
    .run = run,
};
