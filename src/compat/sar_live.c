/* SPDX-License-Identifier: MIT */
/* sar: samples of this machine, as time goes by. */
#include "base/clock.h"
#include "compat/moment.h"
#include "compat/sar_plan.h"
#include "compat/say.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define HUNDREDTH_NS (SECOND_NS / 100)

struct live {
    uint64_t interval_ns;
    uint64_t next_ns; /* CLOCK_BOOTTIME, of the next sample; 0: the first, at once */
    int timer;        /* timerfd of that clock */
    int interrupts;   /* signalfd of SIGINT */
    struct sar_plan plan;
};

/* --- samples --- */

/* Reads what a table needs, and takes over its rows; all of them, or it fails. */
static int take_table(struct live *live, const struct query *query, struct sar_sample *sample)
{
    const struct host_names none = {.count = 0};
    struct moment moment;
    int r;

    moment_init(&moment);
    r = moment_take(&moment, query);
    if (r == 0)
        r = sar_plan_take(&live->plan, query, &moment.view, sample);
    if (r == 0) {
        if (!moment_check(&moment, &none, "sar", false))
            r = -EIO;
        sample->time = moment.snapshot.time_ns / SECOND_NS;
        sample->uptime_cs = moment.snapshot.boot_ns / HUNDREDTH_NS;
        if (live->next_ns == 0)
            live->next_ns = moment.snapshot.boot_ns;
    }
    moment_done(&moment);
    return r;
}

/* Counters first: the sockets by which interfaces are asked for would be counted themselves. */
static int take_tables(struct live *live, struct sar_sample *sample)
{
    int r = 0;

    if (live->plan.needs_counters)
        r = take_table(live, &live->plan.counters, sample);
    if (r == 0 && live->plan.needs_links)
        r = take_table(live, &live->plan.links, sample);
    return r;
}

/* Waits for the time of the next sample. 1; 0: SIGINT came before; -errno. */
static int wait_for_turn(const struct live *live)
{
    /* poll() itself would be late by a thousandth of the time. */
    const struct itimerspec turn = {.it_value = {.tv_sec = (time_t)(live->next_ns / SECOND_NS),
                                                 .tv_nsec = (long)(live->next_ns % SECOND_NS)}};
    struct pollfd fds[] = {{.fd = live->timer, .events = POLLIN},
                           {.fd = live->interrupts, .events = POLLIN}};
    int ready;

    if (live->next_ns == 0)
        return 1;
    if (timerfd_settime(live->timer, TFD_TIMER_ABSTIME, &turn, NULL) < 0)
        return -errno;
    do
        ready = poll(fds, ARRAY_SIZE(fds), -1);
    while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return -errno;
    return !fds[1].revents;
}

static int next(struct sar_source *source, struct sar_sample *sample)
{
    struct live *live = source->context;
    int r = wait_for_turn(live);

    if (r <= 0)
        return r;
    sar_sample_clear(sample);
    for (uint32_t id = 0; id < SAR_REPORT_MAX; id++)
        if (live->plan.reports & SAR_REPORT_BIT(id) && sar_reports[id].rows == SAR_OF_NOTHING &&
            !sar_block_add(&sample->blocks[id]))
            return -ENOMEM;
    r = take_tables(live, sample);
    /* Turns that were slept through are not made up for. */
    live->next_ns += live->interval_ns;
    if (live->next_ns < clock_ns(CLOCK_BOOTTIME))
        live->next_ns = clock_ns(CLOCK_BOOTTIME);
    return r < 0 ? r : 1;
}

/* SIGINT is taken from its descriptor from now on. */
static int open_descriptors(struct live *live)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
        return -errno;
    live->interrupts = signalfd(-1, &signals, SFD_CLOEXEC);
    live->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
    return live->interrupts < 0 || live->timer < 0 ? -errno : 0;
}

static void close_live(struct sar_source *source)
{
    struct live *live = source->context;

    if (live) {
        cleanup_close(&live->timer);
        cleanup_close(&live->interrupts);
    }
    free(live);
}

int sar_live_open(const struct sar_options *options, struct sar_source *ret_source)
{
    struct live *live = calloc(1, sizeof(*live));

    *ret_source = (struct sar_source){
        .cpus = (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
        .context = live,
        .next = next,
        .close = close_live,
    };
    if (!live)
        return -ENOMEM;
    uname(&ret_source->machine);
    live->interval_ns = options->interval * SECOND_NS;
    live->timer = live->interrupts = -1;
    sar_plan_init(&live->plan, options->reports);
    return open_descriptors(live);
}
