/* SPDX-License-Identifier: MIT */
/* sar: samples of what nwho serve recorded. */
#include "compat/sar_past.h"

#include "base/clock.h"
#include "base/vec.h"
#include "compat/sar_plan.h"
#include "compat/say.h"
#include "derive/join.h"
#include "derive/names.h"

#include <fcntl.h>
#include <limits.h>
#include <time.h>

#define HUNDREDTH_NS (SECOND_NS / 100)
#define DAY_S 86400

/* Gauges are in every tick: who has these has all counters of IPv4, or IPv6. */
#define GAUGES (SAR_REPORT_BIT(SAR_SOCK) | SAR_REPORT_BIT(SAR_SOCK6))

/* --- which time --- */

/* A second of the day that is `days` after the one that holds `moment`. */
static uint64_t time_of_day(time_t moment, int days, uint32_t second)
{
    struct tm local = {.tm_sec = 0};

    localtime_r(&moment, &local);
    local.tm_mday += days;
    local.tm_hour = (int)(second / 3600);
    local.tm_min = (int)(second / 60 % 60);
    local.tm_sec = (int)(second % 60);
    local.tm_isdst = -1;
    return (uint64_t)mktime(&local);
}

/* Seconds are whole in sar: one that was asked for is so until its end. */
static void find_times(struct sar_past *past, time_t moment)
{
    const struct sar_options *options = past->options;
    int day = -(int)options->days_ago;
    uint32_t start = options->has_start ? options->start : 0;
    uint32_t end = options->has_end ? options->end : DAY_S;

    past->since_ns = time_of_day(moment, day, start) * SECOND_NS;
    day += end / 3600 < start / 3600;
    past->until_ns = time_of_day(moment, day, end) * SECOND_NS + SECOND_NS - 1;
}

/* --- the file --- */

static bool is_of_sysstat(const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint16_t magic = 0;

    return fd >= 0 && read(fd, &magic, sizeof(magic)) == sizeof(magic) && magic == 0xd596;
}

static int open_store(struct sar_past *past, const char *path)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    int r = store_open_to_read(path, &past->store, &problem);

    if (r == 0)
        return 0;
    if (r == -ENOENT)
        say("sar", "there is no history: %s does not exist. nwho serve records one", path);
    else if (is_of_sysstat(path))
        say("sar", "%s: reading sysstat's files is not supported: sar -f reads it", path);
    else
        say("sar", "%s", r == -ENOMEM ? strerror(ENOMEM) : buf_string(&problem));
    return SAR_FAILED;
}

/* --- runs: from one start of the recorder to the next --- */

static int add_run(struct sar_past *past, uint64_t since_ns, bool restarted)
{
    int r = VEC_RESERVE(&past->runs, &past->run_capacity, past->run_count, 1);

    if (r < 0)
        return r;
    if (past->run_count)
        past->runs[past->run_count - 1].until_ns = since_ns;
    past->runs[past->run_count++] =
        (struct sar_run){.since_ns = since_ns, .until_ns = past->until_ns, .restarted = restarted};
    return 0;
}

struct search {
    struct sar_past *past;
    uint64_t first_ns; /* of all that was ever recorded */
};

static int take_starts(struct store_answer *answer, void *context)
{
    struct search *search = context;
    int r = 0;

    for (uint32_t i = 0; i < answer->note_count && r == 0; i++)
        if (answer->notes[i].kind == STORE_STARTED && answer->notes[i].time_ns > search->first_ns)
            r = add_run(search->past, answer->notes[i].time_ns, true);
    return r;
}

static int find_runs(struct sar_past *past, const struct store_extent *extent)
{
    const struct store_question question = {
        .since_ns = past->since_ns, .until_ns = past->until_ns, .parts = STORE_NOTES};
    struct search search = {.past = past, .first_ns = extent->since_ns[STORE_ANY]};
    int r = add_run(past, past->since_ns, false);

    return r == 0 ? store_read(past->store, &question, take_starts, &search) : r;
}

/* --- samples --- */

/* sadc counts in one namespace: that in which it was started. */
static void keep_own_namespace(struct snapshot *snapshot)
{
    uint32_t interfaces = 0, counters = 0;

    for (uint32_t i = 0; i < snapshot->interfaces_count; i++)
        if (snapshot->netns[snapshot->interfaces[i].netns].flags & NETNS_SELF)
            snapshot->interfaces[interfaces++] = snapshot->interfaces[i];
    for (uint32_t i = 0; i < snapshot->counters_count; i++)
        if (snapshot->counters[i].flags & COUNTER_MACHINE ||
            snapshot->netns[snapshot->counters[i].netns].flags & NETNS_SELF)
            snapshot->counters[counters++] = snapshot->counters[i];
    snapshot->interfaces_count = interfaces;
    snapshot->counters_count = counters;
}

/* Reports of which nothing was counted: only what is not zero is recorded. */
static int add_idle_rows(const struct sar_plan *plan, struct sar_sample *sample)
{
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        bool ipv6 = id >= SAR_SOCK6 && id <= SAR_UDP6;

        if (plan->reports & SAR_REPORT_BIT(id) && sar_reports[id].rows == SAR_OF_MACHINE &&
            !sample->blocks[id].count && sample->blocks[ipv6 ? SAR_SOCK6 : SAR_SOCK].count &&
            !sar_block_add(&sample->blocks[id]))
            return -ENOMEM;
    }
    return 0;
}

/* What was counted in the time of the answer. Speeds are recorded, but not who has half of one. */
static int take_rows(const struct sar_plan *plan, struct store_answer *answer,
                     struct sar_sample *sample)
{
    const struct join join = {0};
    struct names names = {0};
    struct buf scratch = BUF_INIT;
    const struct view view = {
        .snapshot = &answer->snapshot, .join = &join, .names = &names, .scratch = &scratch};
    int r = 0;

    sar_sample_clear(sample);
    keep_own_namespace(&answer->snapshot);
    if (plan->needs_counters)
        r = sar_plan_take(plan, &plan->counters, &view, sample);
    if (r == 0 && plan->needs_links)
        r = sar_plan_take(plan, &plan->links, &view, sample);
    for (uint32_t id = SAR_DEV; id <= SAR_EDEV; id++)
        for (uint32_t i = 0; i < sample->blocks[id].count; i++)
            sample->blocks[id].rows[i].full_duplex = true;
    sample->time = answer->last_ns / SECOND_NS;
    buf_done(&scratch);
    return r == 0 ? add_idle_rows(plan, sample) : r;
}

static unsigned int parts_of(const struct sar_plan *plan)
{
    return (plan->needs_links ? STORE_INTERFACES : 0) | (plan->needs_counters ? STORE_COUNTERS : 0);
}

/* --- the beginning of a run --- */

/* A tick ends when it begins to be read, and is as long as its interfaces say, which are read a
 * little later, now more and now less. */
#define APART_NS (SECOND_NS / 20)

struct beginning {
    struct sar_run *run;
    struct sar_plan plan;
};

/* The first tick counts from its own beginning on; if that was earlier, all is counted from its
 * end on. */
static int take_base(struct store_answer *answer, void *context)
{
    struct beginning *beginning = context;
    struct sar_run *run = beginning->run;
    uint64_t began_ns = answer->last_ns - answer->interface_measured_ns + APART_NS;
    int r;

    if (run->tick_ns < answer->interface_measured_ns)
        run->tick_ns = answer->interface_measured_ns;
    if (run->base_ns)
        return 1;
    r = take_rows(&beginning->plan, answer, &run->base);
    if (r < 0)
        return r;
    run->first_ns = answer->interface_measured_ns;
    run->base_ns = began_ns >= run->since_ns ? began_ns : answer->last_ns;
    run->base.time = run->base_ns / SECOND_NS;
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++) {
        run->reports |= run->base.blocks[id].count ? SAR_REPORT_BIT(id) : 0;
        for (uint32_t i = 0; i < run->base.blocks[id].count; i++)
            memset(run->base.blocks[id].rows[i].values, 0,
                   sizeof(run->base.blocks[id].rows[i].values));
    }
    return 0;
}

static enum store_tier choose_tier(const struct store_extent *extent, uint64_t since_ns)
{
    enum store_tier tier = STORE_FINE;

    while (tier < STORE_HOUR && !store_reaches(extent, tier, since_ns))
        tier++;
    return tier;
}

static int begin_run(const struct sar_past *past, const struct store_extent *extent,
                     struct sar_run *run)
{
    struct beginning beginning = {.run = run};
    struct store_question question = {
        .since_ns = run->since_ns,
        .until_ns = run->until_ns,
        .every_ns = SECOND_NS,
        .tier = run->tier = choose_tier(extent, run->since_ns),
        .only_measured = true,
    };
    int r;

    sar_plan_init(&beginning.plan, past->options->reports | GAUGES);
    question.parts = parts_of(&beginning.plan);
    if (question.since_ns >= question.until_ns)
        return 0;
    r = store_read(past->store, &question, take_base, &beginning);
    return r < 0 ? r : 0;
}

/* --- all of it --- */

static int find_all(struct sar_past *past)
{
    struct store_extent extent;
    time_t moment = time(NULL);
    int r = store_extent(past->store, &extent);

    if (r < 0)
        return r;
    if (past->options->file && extent.until_ns)
        moment = (time_t)((extent.until_ns - 1) / SECOND_NS) - 1;
    find_times(past, moment);
    if (past->since_ns >= past->until_ns)
        past->until_ns = past->since_ns + 1;
    r = find_runs(past, &extent);
    for (uint32_t i = 0; i < past->run_count && r == 0; i++)
        r = begin_run(past, &extent, &past->runs[i]);
    return r;
}

int sar_past_open(const struct sar_options *options, struct sar_past *ret_past)
{
    char path[PATH_MAX];
    const char *file = options->file;
    int r;

    *ret_past = (struct sar_past){.options = options};
    if (!file && !store_usual_path(false, path, sizeof(path))) {
        say("sar", "there is no place for a history: HOME is not set; use -f FILE");
        return SAR_FAILED;
    }
    r = open_store(ret_past, file ? file : path);
    if (r != 0)
        return r;
    r = find_all(ret_past);
    if (r < 0)
        say("sar", "cannot read the history: %s", store_failure(r));
    return r < 0 ? SAR_FAILED : 0;
}

void sar_past_close(struct sar_past *past)
{
    for (uint32_t i = 0; i < past->run_count; i++)
        sar_sample_done(&past->runs[i].base);
    free(past->runs);
    store_close(past->store);
}

int sar_past_machine(const struct sar_past *past, uint64_t time_ns, struct sar_source *ret_source)
{
    struct store_host host;
    int r = store_host(past->store, time_ns, &host);

    if (r == 0)
        *ret_source = (struct sar_source){.machine = host.machine, .cpus = host.cpus};
    return r;
}

struct passing {
    struct sar_reading *reading;
    struct sar_plan plan;
    uint64_t every_ns;
    const struct sar_sample *shown, *last; /* the base of the run, or of reading->samples */
};

static struct sar_sample *find_free(const struct passing *passing)
{
    struct sar_sample *sample = passing->reading->samples;

    while (sample == passing->shown || sample == passing->last)
        sample++;
    return sample;
}

/* An interval is over when its next tick would be in another one. */
static bool is_over(const struct passing *passing, const struct store_answer *answer)
{
    return passing->every_ns == SECOND_NS || answer->tier != STORE_FINE ||
           answer->last_ns + passing->reading->run->tick_ns > answer->since_ns + passing->every_ns;
}

static int take_answer(struct store_answer *answer, void *context)
{
    struct passing *passing = context;
    struct sar_reading *reading = passing->reading;
    const struct sar_sample *before = passing->shown;
    struct sar_sample *sample = find_free(passing);
    int r = take_rows(&passing->plan, answer, sample);

    if (r < 0)
        return r;
    reading->measured_ns += answer->interface_measured_ns;
    sample->uptime_cs = reading->measured_ns / HUNDREDTH_NS;
    sar_sample_accumulate(sample, passing->last);
    passing->last = sample;
    if (!is_over(passing, answer))
        return 0;
    passing->shown = sample;
    return reading->take(sample, before, reading->context);
}

/* Intervals begin and end in the middle of ticks, so that each is in one of them, early or late. */
int sar_past_read(struct sar_reading *reading, const struct sar_sample **ret_last)
{
    const struct sar_run *run = reading->run;
    struct passing passing = {.reading = reading, .shown = &run->base, .last = &run->base};
    uint32_t interval = reading->past->options->interval, reports = SAR_REPORT_BIT(reading->id);
    struct store_question question = {
        .since_ns = run->base_ns + (run->tier == STORE_FINE ? run->first_ns / 2 : 0),
        .until_ns = run->until_ns,
        .every_ns = (interval ? interval : 1) * SECOND_NS,
        .tier = run->tier,
        .only_measured = true,
    };
    int r = 0;

    sar_plan_init(&passing.plan,
                  reports | (sar_reports[reading->id].rows == SAR_OF_MACHINE ? GAUGES : 0));
    passing.every_ns = question.every_ns;
    question.parts = parts_of(&passing.plan);
    if (question.since_ns < question.until_ns)
        r = store_read(reading->past->store, &question, take_answer, &passing);
    *ret_last = passing.shown;
    return r;
}
