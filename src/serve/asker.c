/* SPDX-License-Identifier: MIT */
/* Asker: one loop over poll(2), a fixed number of children, a bounded queue. */
#include "serve/asker.h"

#include "base/clock.h"
#include "base/confine.h"
#include "serve/ask.h"
#include "serve/passing.h"
#include "serve/present.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Questions that run at once, and that wait for it. */
#define RUNNING_MAX 2
#define WAITING_MAX 32

/* What one may take: from when it came, of CPU, of memory, and of the document. */
#define DEADLINE_NS (15 * SECOND_NS)
#define CPU_S 10
#define MEMORY_BYTES ((rlim_t)512 << 20)
#define DOCUMENT_BYTES ((rlim_t)32 << 20)
#define DESCRIPTORS_MAX 64

/* How old a snapshot of now may be; and after what time of silence it is asked for again. */
#define PRESENT_NS (2 * SECOND_NS)
#define PATIENCE_NS (10 * SECOND_NS)

enum { POLL_QUESTIONS, POLL_RECORDER, POLL_RUNNING };

/* A question and, when it runs, its child. */
struct asked {
    struct ask_request request;
    enum question_source source;
    enum present present; /* of QUESTION_PRESENT: what it is about */
    uint64_t came_ns;     /* CLOCK_MONOTONIC */
    pid_t child;
    int end;                 /* a pipe that the child holds: it ends with it */
    int document, complaint; /* memory that it writes: standard output, standard error */
};

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

static void free_asked(struct asked *asked)
{
    if (asked->end >= 0)
        close(asked->end);
    if (asked->document >= 0)
        close(asked->document);
    if (asked->complaint >= 0)
        close(asked->complaint);
    free(asked);
}

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

/* --- the child --- */

/* A sanitizer of addresses maps more memory than there is. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

/* At `most` a signal tells it of its CPU time, and a second later it is ended. */
static void limit(int resource, rlim_t most)
{
    struct rlimit limit = {.rlim_cur = most, .rlim_max = most + (resource == RLIMIT_CPU)};
    struct rlimit old;

    if (getrlimit(resource, &old) == 0 && old.rlim_max < most)
        return;
    setrlimit(resource, &limit);
}

/* A document that becomes too long fails to be written, which the command says. */
static void limit_resources(void)
{
    signal(SIGXFSZ, SIG_IGN);
    limit(RLIMIT_CPU, CPU_S);
    limit(RLIMIT_FSIZE, DOCUMENT_BYTES);
    limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
    limit(RLIMIT_CORE, 0);
    if (!SANITIZED)
        limit(RLIMIT_DATA, MEMORY_BYTES);
}

/* "nwho", the command, where it reads from, and the other words. */
static void run_words(const struct asker *asker, struct asked *asked)
{
    char *argv[QUESTION_WORDS_MAX + 3] = {(char *)(uintptr_t) "nwho"};
    char *word = asked->request.words, *end = word + asked->request.length;
    CLEANUP(buf_done) struct buf from = BUF_INIT;
    int argc = 1;

    if (asked->source == QUESTION_PRESENT)
        buf_puts(&from, "--replay=/proc/self/fd/0");
    else
        buf_printf(&from, "--store=%s", asker->store);
    for (; word < end; word += strlen(word) + 1) {
        argv[argc++] = word;
        if (argc == 2)
            argv[argc++] = (char *)(uintptr_t)buf_string(&from);
    }
    asker->run(argc, argv);
}

/* Returns where it could not begin. */
static void be_child(const struct asking *asking, struct asked *asked, int end)
{
    int input = asked->source == QUESTION_PRESENT ? find_present(asking, asked) : STDIN_FILENO;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, SIG_DFL);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(asked->document, STDOUT_FILENO) < 0 ||
        dup2(asked->complaint, STDERR_FILENO) < 0 || confine_descriptors_to(&end, 1) < 0)
        return;
    limit_resources();
    if (confine_to_read() == 0)
        run_words(asking->asker, asked);
}

/* 0 or -errno; 1 in a child that could not begin. */
static int start(const struct asking *asking, struct asked *asked)
{
    int ends[2];

    asked->document = passing_memory("nwho-document");
    asked->complaint = passing_memory("nwho-complaint");
    if (asked->document < 0 || asked->complaint < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    asked->end = ends[0];
    asked->child = fork();
    if (asked->child == 0) {
        be_child(asking, asked, ends[1]);
        return 1;
    }
    close(ends[1]);
    return asked->child < 0 ? -errno : 0;
}

/* --- its answer --- */

static uint64_t length_of(int memory)
{
    struct stat status;

    return fstat(memory, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* What the command said, without its name and the last end of line. */
static void read_complaint(int memory, char text[ASK_TEXT_MAX])
{
    static const char name[] = "nwho: ";
    ssize_t n = pread(memory, text, ASK_TEXT_MAX - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    while (n > 0 && text[n - 1] == '\n')
        text[--n] = '\0';
    if (strncmp(text, name, strlen(name)) == 0)
        memmove(text, text + strlen(name), strlen(text) - strlen(name) + 1);
}

static void reply_document(const struct asking *asking, const struct asked *asked)
{
    struct ask_reply answer = {
        .id = asked->request.id, .status = 200, .length = length_of(asked->document)};
    int r = passing_seal(asked->document);

    if (r == 0)
        r = ask_reply(asking->asker->questions, &answer, asked->document);
    if (r < 0)
        reply(asking, asked->request.id, 500, strerror(-r));
}

/* Exit codes of every command: 2 is an error that it has said; with the others, "nothing found" and
 * "rows may be missing", there is a document which tells that. */
static void reply_end(const struct asking *asking, const struct asked *asked, int status)
{
    char text[ASK_TEXT_MAX] = "";

    if (WIFSIGNALED(status)) {
        bool is_cpu = WTERMSIG(status) == SIGXCPU;

        reply(asking, asked->request.id, is_cpu ? 504 : 500,
              is_cpu ? "the answer takes too much time: ask for less"
                     : "the command was ended by a signal");
        return;
    }
    read_complaint(asked->complaint, text);
    if (WEXITSTATUS(status) != 2 && length_of(asked->document))
        reply_document(asking, asked);
    else
        reply(asking, asked->request.id, *text ? 400 : 500,
              *text ? text : "the command ended without an answer");
}

static void end_running(struct asking *asking, unsigned int i)
{
    struct asked *asked = asking->running[i];
    int status = 0;

    if (waitpid(asked->child, &status, 0) == asked->child)
        reply_end(asking, asked, status);
    free_asked(asked);
    asking->running[i] = NULL;
}

static void kill_running(struct asking *asking, unsigned int i)
{
    struct asked *asked = asking->running[i];

    kill(asked->child, SIGKILL);
    waitpid(asked->child, NULL, 0);
    reply(asking, asked->request.id, 504, "the answer takes too long: ask for less");
    free_asked(asked);
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
    free_asked(asking->waiting[i]);
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
        *asked = (struct asked){.request = request,
                                .source = source,
                                .present = present,
                                .came_ns = asking->now_ns,
                                .end = -1,
                                .document = -1,
                                .complaint = -1};
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
        r = start(asking, asking->waiting[i]);
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
