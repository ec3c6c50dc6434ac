/* SPDX-License-Identifier: MIT */
/* Tests of the owner search in /proc, on the sockets of this very process and of children of it. */
#include "collection_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static uint32_t inode_of(int fd)
{
    struct stat stat;

    assert_int_equal(fstat(fd, &stat), 0);
    return (uint32_t)stat.st_ino;
}

/* A real socket, and its row in the snapshot. */
static int make_socket(struct fixture *fixture)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct socket *socket = snapshot_add_socket(&fixture->snapshot);

    assert_true(fd >= 0);
    assert_non_null(socket);
    socket->proto = PROTO_UNIX;
    socket->inode = inode_of(fd);
    return fd;
}

static void collect_owners(struct fixture *fixture)
{
    assert_int_equal(collector_owners_proc.collect(&fixture->collection), 0);
}

static uint32_t count_holders(const struct fixture *fixture, uint32_t inode, uint32_t pid)
{
    const struct snapshot *snapshot = &fixture->snapshot;
    uint32_t count = 0;

    for (uint32_t i = 0; i < snapshot->holders_count; i++)
        if (snapshot->holders[i].inode == inode &&
            snapshot->processes[snapshot->holders[i].process].pid == pid)
            count++;
    return count;
}

static void own_socket_is_found(void **state)
{
    struct fixture *fixture = *state;
    int fd = make_socket(fixture), other = dup(fd), unlisted = socket(AF_UNIX, SOCK_STREAM, 0);
    uint32_t pid = (uint32_t)getpid();

    collect_owners(fixture);
    assert_true(fixture->collection.owners_done);
    assert_int_equal(fixture->snapshot.owners_known, 1);
    assert_int_equal(count_holders(fixture, inode_of(fd), pid), 2);
    assert_int_equal(count_holders(fixture, inode_of(unlisted), pid), 0);
    assert_int_equal(fixture->snapshot.processes_count, 1);
    assert_int_equal(fixture->snapshot.holders[0].fd, fd);
    assert_int_equal(fixture->snapshot.holders[1].fd, other);
    assert_int_equal(fixture->snapshot.holders[0].tid, 0);
    assert_true(fixture->snapshot.processes[0].has & PROCESS_HAS_FDS);
    close(fd);
    close(other);
    close(unlisted);
}

/* A child that has all our descriptors, under this name, until the pipe is closed. */
static pid_t start_child(const char *name, int ret_pipe[2])
{
    char byte;
    pid_t pid;

    assert_int_equal(pipe2(ret_pipe, O_CLOEXEC), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
        if (write(ret_pipe[1], "!", 1) == 1) /* the name is set: the parent may go on */
            pause();
        _exit(0);
    }
    assert_int_equal(read(ret_pipe[0], &byte, 1), 1);
    return pid;
}

static void stop_child(pid_t pid, int pipe[2])
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(pipe[0]);
    close(pipe[1]);
}

static void names_are_kept_as_they_are(void **state)
{
    static const char *const names[] = {"nc (",        "))", ") S 1 (", "a\nb",
                                        "\033[31mred", "",   "name\n",  "fifteen letters"};
    struct fixture *fixture = *state;
    int fd = make_socket(fixture), pipes[ARRAY_SIZE(names)][2];
    pid_t pids[ARRAY_SIZE(names)];
    size_t length;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        pids[i] = start_child(names[i], pipes[i]);
    collect_owners(fixture);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        uint32_t index = map_get(&fixture->snapshot.process_index, (uint32_t)pids[i]);

        assert_int_equal(count_holders(fixture, inode_of(fd), (uint32_t)pids[i]), 1);
        assert_true(fixture->snapshot.processes[index].has & PROCESS_HAS_COMM);
        assert_string_equal(
            snapshot_string(&fixture->snapshot, fixture->snapshot.processes[index].comm, &length),
            names[i]);
        stop_child(pids[i], pipes[i]);
    }
    close(fd);
}

static void only_listed_pids_are_read(void **state)
{
    struct fixture *fixture = *state;
    int fd = make_socket(fixture), pipe[2];
    pid_t child = start_child("child", pipe);
    const uint32_t pids[] = {(uint32_t)child, 4194305}; /* the second is above any pid_max */

    fixture->request.pids = pids;
    fixture->request.pid_count = 2;
    collect_owners(fixture);
    assert_int_equal(fixture->snapshot.processes_count, 1);
    assert_int_equal(count_holders(fixture, inode_of(fd), (uint32_t)child), 1);
    assert_int_equal(fixture->snapshot.notes_count, 0);
    stop_child(child, pipe);
    close(fd);
}

static void inode_zero_has_no_owner(void **state)
{
    struct fixture *fixture = *state;
    struct socket *socket = snapshot_add_socket(&fixture->snapshot);

    assert_non_null(socket);
    collect_owners(fixture);
    assert_int_equal(fixture->snapshot.holders_count, 0);
    assert_int_equal(fixture->snapshot.processes_count, 0);
    assert_int_equal(fixture->snapshot.notes_count, 0);
}

static void search_stops_when_every_socket_has_a_holder(void **state)
{
    struct fixture *fixture = *state;

    fixture->request.needs = NEED_SOCKETS | NEED_HELD;
    collect_owners(fixture); /* there is no socket at all */
    assert_int_equal(fixture->snapshot.processes_count, 0);
    assert_int_equal(fixture->snapshot.owners_known, 1);
}

static void earlier_source_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    int fd = make_socket(fixture);

    fixture->collection.owners_done = true;
    collect_owners(fixture);
    assert_int_equal(fixture->snapshot.holders_count, 0);
    close(fd);
}

static void unfinished_source_is_not_counted_twice(void **state)
{
    struct fixture *fixture = *state;
    int fd = make_socket(fixture);

    assert_int_equal(
        snapshot_add_holder(&fixture->snapshot, (struct holder){.inode = inode_of(fd)}), 0);
    collect_owners(fixture);
    assert_int_equal(fixture->snapshot.holders_count, 1);
    close(fd);
}

static void every_process_is_listed_when_asked(void **state)
{
    struct fixture *fixture = *state;

    fixture->request.needs |= NEED_ALL_PROCESSES | NEED_HELD;
    fixture->request.needs &= ~NEED_OWNERS;
    collect_owners(fixture);
    assert_int_not_equal(map_get(&fixture->snapshot.process_index, (uint32_t)getpid()), MAP_NONE);
    assert_int_not_equal(map_get(&fixture->snapshot.process_index, 1), MAP_NONE);
}

struct private_thread {
    pthread_barrier_t barrier;
    int fd;
    uint32_t inode, tid;
};

static void *keep_private_socket(void *argument)
{
    struct private_thread *thread = argument;

    assert_int_equal(unshare(CLONE_FILES), 0);
    thread->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    thread->inode = inode_of(thread->fd);
    thread->tid = (uint32_t)syscall(SYS_gettid);
    pthread_barrier_wait(&thread->barrier); /* made */
    pthread_barrier_wait(&thread->barrier); /* seen */
    close(thread->fd);
    return NULL;
}

static void socket_of_one_thread_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct private_thread private = {.fd = -1};
    struct socket *socket = snapshot_add_socket(&fixture->snapshot);
    pthread_t thread;

    assert_non_null(socket);
    assert_int_equal(pthread_barrier_init(&private.barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, keep_private_socket, &private), 0);
    pthread_barrier_wait(&private.barrier);
    socket->inode = private.inode;
    collect_owners(fixture);
    assert_int_equal(count_holders(fixture, private.inode, (uint32_t)getpid()), 1);
    assert_int_equal(fixture->snapshot.holders[0].tid, private.tid);
    pthread_barrier_wait(&private.barrier);
    pthread_join(thread, NULL);
    pthread_barrier_destroy(&private.barrier);
}

static void *outlive_first_thread(void *argument)
{
    pthread_t *first = argument;

    pthread_join(*first, NULL);
    if (write(STDOUT_FILENO, "!", 1) == 1)
        pause();
    return NULL;
}

/* Runs in a child: makes a socket, tells its inode, and goes on with a second thread only. */
static void run_without_first_thread(int out)
{
    static pthread_t first;
    pthread_t second;
    uint32_t inode = inode_of(socket(AF_UNIX, SOCK_STREAM, 0));

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    first = pthread_self();
    if (dup2(out, STDOUT_FILENO) < 0 || write(out, &inode, sizeof(inode)) != sizeof(inode) ||
        pthread_create(&second, NULL, outlive_first_thread, &first) != 0)
        _exit(1);
    pthread_exit(NULL);
}

/* /proc/PID/fd is then empty, while the sockets are still open. */
static void process_without_first_thread_is_found(void **state)
{
    struct fixture *fixture = *state;
    struct socket *socket = snapshot_add_socket(&fixture->snapshot);
    int pipe[2];
    char byte;
    pid_t child;

    assert_non_null(socket);
    assert_int_equal(pipe2(pipe, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        run_without_first_thread(pipe[1]);
    assert_int_equal(read(pipe[0], &socket->inode, sizeof(socket->inode)), sizeof(socket->inode));
    assert_int_equal(read(pipe[0], &byte, 1), 1);
    collect_owners(fixture);
    assert_int_equal(count_holders(fixture, socket->inode, (uint32_t)child), 1);
    stop_child(child, pipe);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(own_socket_is_found),
        TEST(names_are_kept_as_they_are),
        TEST(only_listed_pids_are_read),
        TEST(inode_zero_has_no_owner),
        TEST(search_stops_when_every_socket_has_a_holder),
        TEST(earlier_source_is_left_alone),
        TEST(unfinished_source_is_not_counted_twice),
        TEST(every_process_is_listed_when_asked),
        TEST(socket_of_one_thread_is_found),
        TEST(process_without_first_thread_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
