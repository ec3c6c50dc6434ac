/* SPDX-License-Identifier: MIT */
/* The recorder of `nwho serve`: reads the machine again and again, and keeps what it reads. */
#include "cli/recorder.h"

#include "base/clock.h"
#include "cli/command.h"
#include "cli/interrupts.h"
#include "cli/recorder_health.h"
#include "cli/recorder_metrics.h"
#include "cli/recorder_present.h"
#include "cli/recorder_seconds.h"
#include "collect/accounting.h"
#include "collect/collect.h"
#include "collect/events.h"
#include "collect/fd_table.h"
#include "collect/programs.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_AT_ONCE 4096

/* How long the kernel gathers what it tells, before it is taken in again. Its rings have room for
 * many times as much. */
#define GATHER_NS (100 * MILLISECOND_NS)

struct recorder {
    struct store *store;
    void (*say)(const char *line);
    struct request request;
    struct accounting *accounting;
    struct programs *programs;
    struct recorder_health *health;
    struct recorder_metrics *metrics; /* NULL: they are not served */
    struct recorder_present *present; /* NULL: it is not */
    struct event_source *events;      /* NULL: they cannot be followed */
    struct recorder_seconds *seconds; /* NULL: they are not asked for */
    uint64_t every_ns;
    struct snapshot next; /* of the running tick: events come into it at once */
    bool begun;           /* it is initialised */
    uint64_t dropped;     /* events of this tick that had no room */
    uint64_t lost;        /* events that the source lost, as far as it was noted */
    int failed;           /* why the last tick could not be written; 0: it was */
};

/* Of sockets only those that wait for somebody are kept, with their owners; the others are counted.
 */
static const uint64_t needs = NEED_SOCKETS | NEED_STATE_COUNTS | NEED_LISTENERS | NEED_OWNERS |
                              NEED_PROCESS_STAT | NEED_EXE | NEED_CGROUP | NEED_USER | NEED_LINKS |
                              NEED_LINK_DETAILS | NEED_COUNTERS | NEED_FLOWS | NEED_PEERS |
                              NEED_PORT_RANGE;

static int begin_tick(struct recorder *recorder)
{
    int r = snapshot_init(&recorder->next);

    recorder->begun = r == 0;
    recorder->dropped = 0;
    return r;
}

static void end_tick(struct recorder *recorder)
{
    if (recorder->begun)
        snapshot_done(&recorder->next);
    recorder->begun = false;
}

/* What reads, besides collectors. 0 or -errno. */
static int open_sources(struct recorder *recorder, bool with_seconds)
{
    int r = accounting_open(&recorder->request, &recorder->accounting);

    recorder->request.accounting = recorder->accounting;
    if (r == 0 && event_source_open(&recorder->request, EVENTS_OF_SOCKETS, &recorder->events) < 0)
        recorder->events = NULL;
    if (r < 0 || !with_seconds)
        return r;
    recorder->seconds = recorder_seconds_new(recorder->accounting);
    return recorder->seconds ? 0 : -ENOMEM;
}

int recorder_open(struct store *store, const char *path, uint64_t every_ms, bool with_seconds,
                  void (*say)(const char *line), struct recorder **ret_recorder)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    int r;

    if (!recorder)
        return command_error("out of memory");
    recorder->store = store;
    recorder->say = say;
    recorder->every_ns = every_ms * MILLISECOND_NS;
    recorder->request = REQUEST_ALL;
    recorder->request.needs = needs;
    recorder->request.families = FAMILY_INET;
    recorder->request.netns_scope = NETNS_SCOPE_ALL;
    recorder->request.flows_once = true;
    recorder->request.programs = recorder->programs = programs_new();
    r = open_sources(recorder, with_seconds);
    if (r == 0)
        r = begin_tick(recorder);
    if (r < 0) {
        recorder_close(recorder);
        return command_error("cannot count traffic: %s", strerror(-r));
    }
    if (recorder_health_open(store, path, recorder->programs, say, &recorder->health) != 0) {
        recorder_close(recorder);
        return EXIT_ERROR;
    }
    *ret_recorder = recorder;
    return 0;
}

void recorder_close(struct recorder *recorder)
{
    if (!recorder)
        return;
    end_tick(recorder);
    recorder_health_close(recorder->health);
    event_source_close(recorder->events);
    recorder_seconds_free(recorder->seconds);
    accounting_close(recorder->accounting);
    programs_free(recorder->programs);
    free(recorder);
}

void recorder_set_served(struct recorder *recorder, struct recorder_metrics *metrics,
                         struct recorder_present *present)
{
    recorder->metrics = metrics;
    recorder->present = present;
}

/* --- one tick --- */

static int take_events(struct recorder *recorder)
{
    struct snapshot *next = &recorder->next;
    bool more = recorder->events != NULL;
    int r = 0;

    while (more && r == 0) {
        r = event_source_read(recorder->events, next, EVENTS_AT_ONCE, &more);
        if (next->events_count > STORE_EVENTS_MAX) {
            uint32_t surplus = next->events_count - STORE_EVENTS_MAX;

            recorder_metrics_take_surplus(recorder->metrics, next->events + STORE_EVENTS_MAX,
                                          surplus);
            recorder->dropped += surplus;
            next->events_count = STORE_EVENTS_MAX;
        }
    }
    return r;
}

static int note_lost(struct recorder *recorder, uint64_t count, const char *why)
{
    struct buf text = BUF_INIT;
    int r;

    buf_uint(&text, count);
    buf_puts(&text, why);
    r = store_note(recorder->store, clock_ns(CLOCK_REALTIME), STORE_LOST, buf_string(&text));
    buf_done(&text);
    return r;
}

static uint64_t lost_events(const struct recorder *recorder)
{
    return recorder->events ? event_source_lost(recorder->events) : 0;
}

static int note_losses(struct recorder *recorder)
{
    uint64_t lost = lost_events(recorder);
    int r = 0;

    if (recorder->dropped)
        r = note_lost(recorder, recorder->dropped,
                      " events of connections came at once, and are not in the list");
    if (r == 0 && lost != recorder->lost)
        r = note_lost(recorder, lost - recorder->lost,
                      " events of connections or more came too fast, and are not in the list");
    if (r == 0)
        recorder->lost = lost;
    return r;
}

/* Says once when writing does not work any more, and when it works again. */
static void say_written(struct recorder *recorder, int error)
{
    struct buf line = BUF_INIT;

    if (error && error != recorder->failed) {
        buf_puts(&line, "this tick is not in the history: ");
        buf_puts(&line, store_failure(error));
        buf_puts(&line, "; recording goes on");
        recorder->say(buf_string(&line));
    } else if (!error && recorder->failed) {
        recorder->say("the history can be written again");
    }
    buf_done(&line);
    recorder->failed = error;
}

/* Those with neither traffic nor a listener: /proc has more of them than their events tell. */
static int add_processes_of_events(struct recorder *recorder)
{
    CLEANUP_CLOSE int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct snapshot *next = &recorder->next;
    uint32_t index, looked_for = 0;
    int r = 0;

    for (uint32_t i = 0; i < next->events_count && r == 0; i++) {
        const struct event *event = &next->events[i];

        if (!(event->has & EVENT_HAS_PROCESS) || !event->pid || event->pid == looked_for ||
            map_get(&next->process_index, event->pid) != MAP_NONE)
            continue;
        looked_for = event->pid;
        if (kill((pid_t)event->pid, 0) == 0)
            r = process_add_named(next, proc, event->pid, &index);
    }
    return r;
}

/* 0 or -errno. */
static int read_machine(struct recorder *recorder)
{
    uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    int r = take_events(recorder);

    if (r == 0)
        r = add_processes_of_events(recorder);
    if (r == 0)
        recorder_metrics_count(recorder->metrics, &recorder->next, &recorder->request);
    if (r == 0)
        r = collect(&recorder->next, &recorder->request);
    if (r < 0)
        return r;
    recorder_metrics_part(recorder->metrics, METRICS_SNAPSHOT, began_ns,
                          !recorder->next.incomplete);
    recorder_metrics_take(recorder->metrics, &recorder->next);
    recorder_metrics_set_lost(recorder->metrics, lost_events(recorder));
    return 0;
}

/* 0 or -errno. */
static int write_history(struct recorder *recorder)
{
    uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    int r = store_add(recorder->store, &recorder->next,
                      recorder->seconds ? recorder_seconds_taken(recorder->seconds) : NULL);

    recorder_metrics_part(recorder->metrics, METRICS_STORE, began_ns, r == 0);
    if (r == 0)
        r = note_losses(recorder);
    if (recorder->seconds && recorder_seconds_begin(recorder->seconds, &recorder->next) < 0)
        r = -ENOMEM;
    return r;
}

static int look_for_ills(struct recorder *recorder)
{
    uint64_t began_ns = clock_ns(CLOCK_MONOTONIC);
    uint64_t looked_ns = recorder_health_looked(recorder->health);
    int r = recorder_health_look(recorder->health);

    if (recorder_health_looked(recorder->health) != looked_ns)
        recorder_metrics_part(recorder->metrics, METRICS_DOCTOR, began_ns, r == 0);
    return r;
}

/* Keeps what there is now. 0 or -errno. */
static int record(struct recorder *recorder, const sigset_t *unblocked)
{
    int r = read_machine(recorder), noted = 0;

    if (r < 0)
        return r;
    r = write_history(recorder);
    end_tick(recorder);
    interrupts_wait(NULL, 0, &(struct timespec){0}, unblocked);
    if (!interrupts_came())
        noted = look_for_ills(recorder);
    recorder_metrics_end_tick(recorder->metrics, recorder_health_counts(recorder->health),
                              recorder_health_documents(recorder->health));
    if (recorder->present)
        recorder_present_keep(recorder->present);
    say_written(recorder, r < 0 ? r : noted);
    return begin_tick(recorder);
}

/* --- ticks --- */

/* Whoever asks for 10 s gets :00, :10, :20, whenever it was started, also after the clock was
 * set. */
static uint64_t left_of(uint64_t length_ns)
{
    return length_ns - clock_ns(CLOCK_REALTIME) % length_ns;
}

/* Until the next tick, the next second in between, or what has been gathered meanwhile. */
static struct timespec until_next(const struct recorder *recorder, uint64_t gather_ns)
{
    uint64_t left_ns = left_of(recorder->every_ns), second_ns = left_of(SECOND_NS);

    if (recorder->seconds && second_ns < left_ns)
        left_ns = second_ns;
    if (gather_ns && gather_ns < left_ns)
        left_ns = gather_ns;
    return (struct timespec){.tv_sec = (time_t)(left_ns / SECOND_NS),
                             .tv_nsec = (long)(left_ns % SECOND_NS)};
}

static bool is_tick(const struct recorder *recorder, uint64_t tick)
{
    return clock_ns(CLOCK_REALTIME) / recorder->every_ns != tick;
}

/* The second at which a tick is read is the last part of that. */
static int take_second(struct recorder *recorder, uint64_t tick, uint64_t *second)
{
    uint64_t now = clock_ns(CLOCK_REALTIME) / SECOND_NS;

    if (!recorder->seconds || now == *second || is_tick(recorder, tick))
        return 0;
    *second = now;
    return recorder_seconds_take(recorder->seconds, store_wants_seconds(recorder->store));
}

enum {
    AWAITED_TRAFFIC,
    AWAITED_EVENTS,
    AWAITED_NUMBERS,
    AWAITED_MAX,
};

/* What the kernel tells is not awaited while it gathers: it would wake us for each event. */
static void await(const struct recorder *recorder, bool gathers, struct pollfd awaited[AWAITED_MAX])
{
    const int fds[AWAITED_MAX] = {
        [AWAITED_TRAFFIC] = gathers ? -1 : accounting_fd(recorder->accounting),
        [AWAITED_EVENTS] = gathers || !recorder->events ? -1 : event_source_fd(recorder->events),
        [AWAITED_NUMBERS] = recorder_metrics_fd(recorder->metrics),
    };

    for (unsigned int i = 0; i < AWAITED_MAX; i++)
        awaited[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
}

/* Waits for the next tick, and takes in what is counted meanwhile. 0 or -errno. */
static int wait_for_tick(struct recorder *recorder, const sigset_t *unblocked)
{
    uint64_t now_ns = clock_ns(CLOCK_REALTIME), taken_ns = 0;
    uint64_t tick = now_ns / recorder->every_ns, second = now_ns / SECOND_NS;
    int r = 0;

    while (r == 0 && !interrupts_came() && !is_tick(recorder, tick)) {
        uint64_t gathered_ns = clock_ns(CLOCK_MONOTONIC) - taken_ns;
        uint64_t gather_ns = gathered_ns < GATHER_NS ? GATHER_NS - gathered_ns : 0;
        struct timespec left = until_next(recorder, gather_ns);
        struct pollfd awaited[AWAITED_MAX];
        int ready;

        await(recorder, gather_ns > 0, awaited);
        ready = interrupts_wait(awaited, AWAITED_MAX, &left, unblocked);
        r = take_second(recorder, tick, &second);
        if (r < 0 || ready <= 0)
            continue;
        if (awaited[AWAITED_TRAFFIC].revents || awaited[AWAITED_EVENTS].revents)
            taken_ns = clock_ns(CLOCK_MONOTONIC);
        if (awaited[AWAITED_NUMBERS].revents)
            recorder_metrics_go_on(recorder->metrics);
        if (awaited[AWAITED_TRAFFIC].revents)
            r = accounting_drain(recorder->accounting);
        if (r == 0 && awaited[AWAITED_EVENTS].revents)
            r = take_events(recorder);
    }
    return r;
}

int recorder_run(struct recorder *recorder, const sigset_t *unblocked)
{
    bool is_last;
    int r;

    do {
        is_last = interrupts_came(); /* what there was until then */
        r = record(recorder, unblocked);
        if (r == 0 && !is_last)
            r = wait_for_tick(recorder, unblocked);
    } while (r == 0 && !is_last);
    return r;
}
