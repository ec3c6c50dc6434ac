/* SPDX-License-Identifier: MIT */
/* Asker: one loop over poll(2), a bounded queue, a fixed number of questions that run. */
#include "serve/asker.h"

#include "base/clock.h"
#include "serve/asked.h"
#include "serve/present.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* Questions that run at once, and that wait for it. */
#define RUNNING_MAX 2
#define WAITING_MAX 32

/* How long a question may take from when it came. */
#define DEADLINE_NS (15 * SECOND_NS)

/* How old a snapshot of now may be; and after what time of silence it is asked for again. */
#define PRESENT_NS (2 * SECOND_NS)
#define PATIENCE_NS (10 * SECOND_NS)

enum { POLL_QUESTIONS, POLL_RECORDER, POLL_RUNNING };

/* A snapshot of now. */
struct snapshot_of {
    int memory;         /* -1: there is none */
    uint64_t came_ns;   /* CLOCK_MONOTONIC */
    uint64_t wanted_ns; /* when a newer one was asked for; 0: it was not */
};

struct asking {
    const struct asker *asker;
    struct asked *waiting[WAITING_MAX]; /* in their order */
    unsigned int waiting_count;
    struct asked *running[RUNNING_MAX]; /* NULL: there is room */
    struct snapshot_of presents[PRESENT_MAX];
    uint64_t now_ns;
};

/* Who does not take it has ended, which shows when it is asked for the next one. */
static void reply(const struct asking *asking, uint32_t id, uint32_t status, const char *text)
{
    struct ask_reply answer = {.id = id, .status = status};
    int r;

    snprintf(answer.text, sizeof(answer.text), "%s", text);
    r = ask_reply(asking->asker->questions, &answer, -1);
    (void)r;
}

/* --- the present --- */

static bool is_fresh(const struct asking *asking, unsigned int present)
{
    const struct snapshot_of *snapshot = &asking->presents[present];

    return snapshot->memory >= 0 && asking->now_ns - snapshot->came_ns < PRESENT_NS;
}

/* Whether one is about what the other is about, and has all that it has. */
static bool has_all_of(unsigned int present, unsigned int wanted)
{
    return (present & PRESENT_ALL_NETNS) == (wanted & PRESENT_ALL_NETNS) &&
           (present & PRESENT_PROCESSES) >= (wanted & PRESENT_PROCESSES) &&
           (present & PRESENT_NO_TIME_WAIT) <= (wanted & PRESENT_NO_TIME_WAIT);
}

/* The newest snapshot for a question, or -1. One that has more is as good. */
static int find_present(const struct asking *asking, const struct asked *asked)
{
    const struct snapshot_of *newest = NULL;

    for (unsigned int i = 0; i < PRESENT_MAX; i++)
        if (is_fresh(asking, i) && has_all_of(i, asked->present) &&
            (!newest || asking->presents[i].came_ns > newest->came_ns))
            newest = &asking->presents[i];
    return newest ? newest->memory : -1;
}

/* What is too old answers nobody any more. */
static void drop_presents(struct asking *asking)
{
    for (unsigned int i = 0; i < PRESENT_MAX; i++)
        if (asking->presents[i].memory >= 0 && !is_fresh(asking, i))
            close(TAKE_FD(asking->presents[i].memory));
}

/* --- what runs --- */

static void end_running(struct asking *asking, unsigned int i)
{
    struct asked *asked = asking->running[i];
    struct ask_reply answer;
    int r;

    asked_finish(asked, &answer);
    r = ask_reply(asking->asker->questions, &answer, answer.status == 200 ? asked->document : -1);
    if (r < 0 && answer.status == 200)
        reply(asking, answer.id, 500, strerror(-r));
    asked_free(asked);
    asking->running[i] = NULL;
}

static void kill_running(struct asking *asking, unsigned int i)
{
    struct asked *asked = asking->running[i];

    asked_kill(asked);
    reply(asking, asked->request.id, 504, "the answer takes too long: ask for less");
    asked_free(asked);
    asking->running[i] = NULL;
}

/* --- wishes for it --- */

static int want_present(struct asking *asking, enum present present)
{
    struct snapshot_of *snapshot = &asking->presents[present];
    int r;

    if (snapshot->wanted_ns && asking->now_ns - snapshot->wanted_ns < PATIENCE_NS)
        return 0;
    snapshot->wanted_ns = asking->now_ns;
    r = present_send(asking->asker->recorder, present, -1);
    return r == -EAGAIN ? 0 : r;
}

/* 0, or -EPIPE: the recorder is gone. */
static int take_present(struct asking *asking)
{
    enum present present;
    int memory = -1, r;

    while ((r = present_receive(asking->asker->recorder, &present, &memory)) == 0) {
        struct snapshot_of *snapshot = &asking->presents[present];

        if (memory < 0)
            continue;
        if (snapshot->memory >= 0)
            close(snapshot->memory);
        *snapshot = (struct snapshot_of){.memory = memory, .came_ns = asking->now_ns};
    }
    return r == -EPIPE ? r : 0;
}

/* --- the queue --- */

static void drop_waiting(struct asking *asking, unsigned int i)
{
    asking->waiting_count--;
    memmove(&asking->waiting[i], &asking->waiting[i + 1],
            (asking->waiting_count - i) * sizeof(asking->waiting[0]));
}

static void refuse_waiting(struct asking *asking, unsigned int i, uint32_t status, const char *text)
{
    reply(asking, asking->waiting[i]->request.id, status, text);
    asked_free(asking->waiting[i]);
    drop_waiting(asking, i);
}

/* 0; -EPIPE: nobody asks any more. */
static int take_questions(struct asking *asking)
{
    struct ask_request request;
    enum question_source source;
    enum present present;
    int r;

    while ((r = ask_receive(asking->asker->questions, &request)) == 0 || r == -EBADMSG) {
        struct asked *asked;

        if (r < 0 || question_check(request.words, request.length, &source, &present) < 0 ||
            source == QUESTION_DOCTOR) {
            reply(asking, request.id, 400, "this is no question of the API");
            continue;
        }
        asked = asking->waiting_count < WAITING_MAX ? malloc(sizeof(*asked)) : NULL;
        if (!asked) {
            reply(asking, request.id, 503, "too much is asked at once: ask again later");
            continue;
        }
        *asked = (struct asked){ASKED_INIT, .request = request, .source = source,
                                .present = present, .came_ns = asking->now_ns};
        asking->waiting[asking->waiting_count++] = asked;
    }
    return r == -EPIPE ? r : 0;
}

/* The first that can be answered; waiting_count: none can. Asks for a snapshot where one is
 * missing. */
static unsigned int find_ready(struct asking *asking, int *error)
{
    unsigned int i = 0;

    while (i < asking->waiting_count && asking->waiting[i]->source == QUESTION_PRESENT &&
           find_present(asking, asking->waiting[i]) < 0) {
        *error = want_present(asking, asking->waiting[i]->present);
        i++;
    }
    return i;
}

static int start_some(struct asking *asking)
{
    int error = 0;

    for (unsigned int slot = 0; slot < RUNNING_MAX; slot++) {
        unsigned int i = asking->running[slot] ? 0 : find_ready(asking, &error);
        int r;

        if (asking->running[slot] || i == asking->waiting_count)
            continue;
        r = asked_start(asking->waiting[i], asking->asker,
                        find_present(asking, asking->waiting[i]));
        if (r > 0)
            return r;
        if (r < 0) {
            refuse_waiting(asking, i, 503, strerror(-r));
            continue;
        }
        asking->running[slot] = asking->waiting[i];
        drop_waiting(asking, i);
    }
    return error;
}

static void expire_some(struct asking *asking)
{
    for (unsigned int slot = 0; slot < RUNNING_MAX; slot++)
        if (asking->running[slot] && asking->now_ns - asking->running[slot]->came_ns >= DEADLINE_NS)
            kill_running(asking, slot);
    while (asking->waiting_count && asking->now_ns - asking->waiting[0]->came_ns >= DEADLINE_NS)
        refuse_waiting(asking, 0, 504, "it was not its turn in time: too much is asked at once");
}

/* --- the loop --- */

/* When the oldest question is over, or, where one could run, the recorder is asked again for a
 * snapshot that it did not bring; UINT64_MAX: nothing is awaited. */
static uint64_t next_end(const struct asking *asking)
{
    uint64_t oldest_ns = asking->waiting_count ? asking->waiting[0]->came_ns : UINT64_MAX;
    uint64_t end_ns;
    bool is_full = true;

    for (unsigned int slot = 0; slot < RUNNING_MAX; slot++) {
        const struct asked *running = asking->running[slot];

        is_full &= running != NULL;
        if (running && running->came_ns < oldest_ns)
            oldest_ns = running->came_ns;
    }
    if (oldest_ns == UINT64_MAX)
        return UINT64_MAX;
    end_ns = oldest_ns + DEADLINE_NS;
    for (unsigned int i = 0; i < asking->waiting_count && !is_full; i++)
        if (asking->waiting[i]->source == QUESTION_PRESENT) {
            uint64_t wanted_ns = asking->presents[asking->waiting[i]->present].wanted_ns;

            if (wanted_ns + PATIENCE_NS < end_ns)
                end_ns = wanted_ns + PATIENCE_NS;
        }
    return end_ns;
}

/* In milliseconds; -1: nothing is awaited. */
static int until_next(const struct asking *asking)
{
    uint64_t end_ns = next_end(asking);

    if (end_ns == UINT64_MAX)
        return -1;
    return end_ns <= asking->now_ns ? 0 : (int)((end_ns - asking->now_ns) / MILLISECOND_NS) + 1;
}

static int wait_for_some(struct asking *asking, struct pollfd polled[POLL_RUNNING + RUNNING_MAX])
{
    polled[POLL_QUESTIONS] = (struct pollfd){.fd = asking->asker->questions, .events = POLLIN};
    polled[POLL_RECORDER] = (struct pollfd){.fd = asking->asker->recorder, .events = POLLIN};
    for (unsigned int slot = 0; slot < RUNNING_MAX; slot++)
        polled[POLL_RUNNING + slot] = (struct pollfd){
            .fd = asking->running[slot] ? asking->running[slot]->end : -1, .events = POLLIN};
    if (poll(polled, POLL_RUNNING + RUNNING_MAX, until_next(asking)) < 0)
        return errno == EINTR ? 0 : -errno;
    return 0;
}

static int go_on(struct asking *asking)
{
    struct pollfd polled[POLL_RUNNING + RUNNING_MAX] = {{.fd = -1}};
    int r = wait_for_some(asking, polled);

    asking->now_ns = clock_ns(CLOCK_MONOTONIC);
    for (unsigned int slot = 0; slot < RUNNING_MAX && r == 0; slot++)
        if (polled[POLL_RUNNING + slot].revents)
            end_running(asking, slot);
    if (r == 0 && polled[POLL_RECORDER].revents)
        r = take_present(asking);
    if (r == 0 && polled[POLL_QUESTIONS].revents)
        r = take_questions(asking);
    if (r == 0)
        expire_some(asking);
    drop_presents(asking);
    return r == 0 ? start_some(asking) : r;
}

int asker_run(const struct asker *asker)
{
    struct asking asking = {.asker = asker, .now_ns = clock_ns(CLOCK_MONOTONIC)};
    int r = 0;

    for (unsigned int i = 0; i < PRESENT_MAX; i++)
        asking.presents[i].memory = -1;
    while (r == 0)
        r = go_on(&asking);
    if (r > 0)
        return r;
    for (unsigned int slot = 0; slot < RUNNING_MAX; slot++)
        if (asking.running[slot])
            kill_running(&asking, slot);
    while (asking.waiting_count)
        refuse_waiting(&asking, 0, 503, "the recorder ends");
    for (unsigned int i = 0; i < PRESENT_MAX; i++)
        if (asking.presents[i].memory >= 0)
            close(asking.presents[i].memory);
    return r == -EPIPE ? 0 : r;
}
