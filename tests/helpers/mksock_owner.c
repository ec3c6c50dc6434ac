/* SPDX-License-Identifier: MIT */
/* mksock: who holds a listener: forks, duplicates, passed descriptors, threads, odd processes. */
#include "mksock.h"

#include <errno.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAX_THREADS 256

static int open_listener(struct mk *mk)
{
    return mk_tcp_listener(mk, IPPROTO_TCP, (int)mk_number(mk, "backlog", 128));
}

static int make_shared_fork(struct mk *mk)
{
    struct mk_truth truth;
    int64_t children = mk_number(mk, "children", 2);
    int fd = open_listener(mk);
    if (fd < 0 || mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    for (int64_t i = 0; i < children; i++) {
        pid_t pid = mk_child(mk, &fd, 1, NULL, NULL, NULL);
        if (pid < 0)
            return -1;
        mk_truth_add_holder(&truth, pid, 0, fd);
    }
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_dup(struct mk *mk)
{
    struct mk_truth truth;
    int64_t copies = mk_number(mk, "count", 2);
    int fd = open_listener(mk);
    if (fd < 0 || mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    for (int64_t i = 1; i < copies; i++) {
        int copy = dup(fd);
        if (copy < 0)
            return mk_fail_errno(mk, "dup");
        mk_truth_add_holder(&truth, getpid(), 0, copy);
    }
    mk_truth_print(mk, &truth);
    return 0;
}

static int receive(void *context, struct mk_child_result *result)
{
    int over = *(const int *)context;
    result->fd = mk_recv_fd(over);
    (void)close(over);
    return result->fd < 0 ? result->fd : 0;
}

/* keep=1: the sender keeps its descriptor too. */
static int make_scm_received(struct mk *mk)
{
    int over[2];
    struct mk_truth truth;
    struct mk_child_result result;
    bool keep = mk_number(mk, "keep", 0) != 0;
    int fd = open_listener(mk);
    if (fd < 0 || mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, over) < 0)
        return mk_fail_errno(mk, "socketpair");
    int rc = mk_send_fd(over[0], fd);
    if (rc < 0)
        return mk_fail(mk, "SCM_RIGHTS: %s", strerror(-rc));
    pid_t pid = mk_child(mk, &over[1], 1, receive, &over[1], &result);
    if (pid < 0)
        return -1;
    (void)close(over[0]);
    (void)close(over[1]);
    if (!keep) {
        (void)close(fd);
        truth.holder_count = 0;
    }
    mk_truth_add_holder(&truth, pid, 0, result.fd);
    mk_truth_print(mk, &truth);
    return 0;
}

static int make_scm_in_flight(struct mk *mk)
{
    int over[2];
    struct mk_truth truth;
    int fd = open_listener(mk);
    if (fd < 0 || mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, over) < 0)
        return mk_fail_errno(mk, "socketpair");
    int rc = mk_send_fd(over[0], fd);
    if (rc < 0)
        return mk_fail(mk, "SCM_RIGHTS: %s", strerror(-rc));
    (void)close(fd);
    truth.holder_count = 0;
    truth.owner_note = "in flight over a unix socket";
    truth.queue_pid = getpid();
    mk_truth_print(mk, &truth);
    if (mk_report(mk, over[0], "carrier") < 0)
        return -1;
    return mk_report(mk, over[1], "carrier");
}

/* What a worker thread needs until it says it is there. */
struct worker {
    struct mk_thread *slot;
    sem_t *there;
    struct mk *mk;
    struct mk_truth *truth; /* only for the thread with a table of its own */
    int error;
};

static _Noreturn void sleep_for_ever(void)
{
    for (;;)
        (void)pause();
}

static void *run_worker(void *context)
{
    struct worker *worker = context;
    worker->slot->tid = gettid();
    (void)prctl(PR_SET_NAME, worker->slot->name);
    (void)sem_post(worker->there);
    sleep_for_ever();
}

static int start_thread(struct mk *mk, void *(*function)(void *), struct worker *worker)
{
    pthread_t thread;
    int rc = pthread_create(&thread, NULL, function, worker);
    if (rc != 0)
        return mk_fail(mk, "pthread_create: %s", strerror(rc));
    (void)pthread_detach(thread);
    while (sem_wait(worker->there) < 0 && errno == EINTR)
        continue;
    return 0;
}

static int thread_name(struct mk *mk, int64_t number, struct mk_thread *thread)
{
    struct mk_bytes bytes;
    const char *text = mk_option(mk, "name", NULL);
    (void)snprintf(thread->name, sizeof(thread->name), "worker-%d", (int)number);
    if (!text)
        return 0;
    if (mk_unescape(text, &bytes) < 0)
        return mk_fail(mk, "name= is no text with \\xNN");
    memset(thread->name, 0, sizeof(thread->name));
    memcpy(thread->name, bytes.data, bytes.length < 15 ? bytes.length : 15);
    return 0;
}

static int make_shared_threads(struct mk *mk)
{
    struct mk_truth truth;
    struct mk_thread threads[MAX_THREADS];
    sem_t there;
    int64_t count = mk_number(mk, "threads", 3);
    int fd = open_listener(mk);
    if (fd < 0 || mk_truth_from_fd(mk, fd, "subject", &truth) < 0)
        return -1;
    if (count > MAX_THREADS)
        return mk_fail(mk, "at most %d threads", MAX_THREADS);
    (void)sem_init(&there, 0, 0);
    for (int64_t i = 0; i < count; i++) {
        struct worker worker = {.slot = &threads[i], .there = &there};
        if (thread_name(mk, i, &threads[i]) < 0 || start_thread(mk, run_worker, &worker) < 0)
            return -1;
    }
    truth.threads = threads;
    truth.thread_count = (size_t)count;
    mk_truth_print(mk, &truth);
    return 0;
}

/* Leaves the process's descriptors, so /proc/PID/fd does not show what is opened here. */
static void *run_private(void *context)
{
    struct worker *worker = context;
    worker->slot->tid = gettid();
    (void)prctl(PR_SET_NAME, worker->slot->name);
    worker->error = -1;
    if (unshare(CLONE_FILES) < 0 || close_range(0, UINT_MAX, 0) < 0) {
        (void)mk_fail_errno(worker->mk, "unshare");
    } else {
        int fd = open_listener(worker->mk);
        if (fd >= 0 && mk_truth_from_fd(worker->mk, fd, "subject", worker->truth) == 0)
            worker->error = 0;
    }
    (void)sem_post(worker->there);
    sleep_for_ever();
}

static int make_private_table(struct mk *mk)
{
    struct mk_truth truth;
    struct mk_thread thread = {0};
    sem_t there;
    struct worker worker = {.slot = &thread, .there = &there, .mk = mk, .truth = &truth};
    (void)sem_init(&there, 0, 0);
    if (thread_name(mk, 0, &thread) < 0 || start_thread(mk, run_private, &worker) < 0)
        return -1;
    if (worker.error < 0)
        return -1;
    truth.holders[0].tid = thread.tid;
    truth.threads = &thread;
    truth.thread_count = 1;
    mk_truth_print(mk, &truth);
    return 0;
}

static int listen_in_process(struct mk *mk, const char *key, const char *value)
{
    mk_default(mk, key, value);
    (void)mk_wants_process(mk); /* marks these options as understood */
    return mk_run_in_process(mk, mk_find_situation("listening"));
}

static int make_deleted_exe(struct mk *mk)
{
    return listen_in_process(mk, "exe", "deleted");
}

static int make_strange_comm(struct mk *mk)
{
    return listen_in_process(mk, "comm", "a) R 1\\x0a\\x1b[31m\\xff");
}

static int make_empty_cmdline(struct mk *mk)
{
    return listen_in_process(mk, "cmdline", "empty");
}

const struct mk_situation mk_owner_situations[] = {
    {"shared-fork", "listener held by mksock and children=N forks", make_shared_fork},
    {"dup", "listener under count=N descriptors", make_dup},
    {"scm-received", "listener passed to another process; keep=1", make_scm_received},
    {"scm-in-flight", "listener sent over a unix socket, never received", make_scm_in_flight},
    {"shared-threads", "listener in a process with threads=N; name=", make_shared_threads},
    {"private-table",
     "listener in a thread with descriptors of its own; name=", make_private_table},
    {"deleted-exe", "listener of a program whose file is gone", make_deleted_exe},
    {"strange-comm", "listener of a process with comm=BYTES", make_strange_comm},
    {"empty-cmdline", "listener of a process without a command line", make_empty_cmdline},
    {NULL, NULL, NULL},
};
