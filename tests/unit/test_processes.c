/* SPDX-License-Identifier: MIT */
/* Tests of the facts of processes: parsers on hand-made text, collectors on this very process. */
#include "collect/proc_file.h"
#include "collect/process_text.h"
#include "collection_fixture.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define STAT_REST                                                                                  \
    " S 7 8 9 34817 -1 4194560 1 2 3 4 5 6 7 8 20 0 12 0 987654321 100 200 18446744073709551615\n"

static void stat_is_parsed_after_the_last_parenthesis(void **state)
{
    static const char *const names[] = {"a", "", "nc (", "))", ") S 1 (", "a\nb", ") R 1 2 3 4 5"};
    struct process_stat stat;
    const char *name;
    size_t length;
    char text[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(text, sizeof(text), "42 (%s)" STAT_REST, names[i]);
        assert_true(process_stat_parse(text, &stat));
        assert_int_equal(stat.state, 'S');
        assert_int_equal(stat.ppid, 7);
        assert_int_equal(stat.tty, 34817);
        assert_int_equal(stat.flags, 4194560);
        assert_int_equal(stat.threads, 12);
        assert_int_equal(stat.start_ticks, 987654321);
    }
    assert_true(process_stat_name("42 (a) b) S 1", &name, &length));
    assert_int_equal(length, 4);
    assert_memory_equal(name, "a) b", 4);
    assert_true(process_stat_name("42 () S", &name, &length));
    assert_int_equal(length, 0);
    assert_false(process_stat_name("", &name, &length));
    assert_false(process_stat_name("42 (a", &name, &length));
    assert_false(process_stat_name(")(", &name, &length));
    assert_false(process_stat_parse("", &stat));
    assert_false(process_stat_parse("42 (a", &stat));
    assert_false(process_stat_parse("42 (a)", &stat));
    assert_false(process_stat_parse("42 (a) S 1 2 3", &stat));
    assert_false(process_stat_parse("42 (a) S x y z 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 7 8 9 1", &stat));
}

static void assert_cgroup(const char *text, const char *expected)
{
    const char *path;
    size_t length;

    if (!expected) {
        assert_false(process_cgroup_parse(text, &path, &length));
        return;
    }
    assert_true(process_cgroup_parse(text, &path, &length));
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(path, expected, length);
}

static void cgroup_line_that_says_most_is_taken(void **state)
{
    (void)state;
    assert_cgroup("0::/system.slice/ssh.service\n", "/system.slice/ssh.service");
    assert_cgroup("0::/a:b:c\n", "/a:b:c");
    assert_cgroup("9:name=systemd:/s\n4:memory:/m\n0::/u\n", "/u");
    assert_cgroup("9:name=systemd:/s\n4:memory:/m\n0::/\n", "/s");
    assert_cgroup("9:name=systemd:/\n4:memory:/docker/1\n3:cpu,cpuacct:/docker/2\n0::/\n",
                  "/docker/1");
    assert_cgroup("1:name=elogind:/1\n2:name=systemd:/2\n", "/2");
    assert_cgroup("9:name=systemd:/\n0::/\n", "/");
    assert_cgroup("0::/../other\n", "/../other");
    assert_cgroup("0::/cut off", NULL);
    assert_cgroup("", NULL);
    assert_cgroup("\n:\n::\n0::\nx\n", NULL);
}

static void arguments_are_joined(void **state)
{
    char two[] = "cat\0a b", empty[] = "", padded[] = "nginx: worker\0\0\0", inner[] = "a\0\0b";

    (void)state;
    assert_int_equal(process_cmdline_join(two, sizeof(two)), 7);
    assert_string_equal(two, "cat a b");
    assert_int_equal(process_cmdline_join(empty, 0), 0);
    assert_int_equal(process_cmdline_join(padded, sizeof(padded)), 13);
    assert_int_equal(process_cmdline_join(inner, 4), 4);
    assert_memory_equal(inner, "a  b", 4);
}

static void descriptor_limit_is_found(void **state)
{
    uint32_t limit = 7;

    (void)state;
    assert_true(process_fd_limit_parse(
        "Max processes  1 2 processes\n"
        "Max open files            1024                 524288               files\n",
        &limit));
    assert_int_equal(limit, 1024);
    assert_true(process_fd_limit_parse(
        "Max open files            unlimited            unlimited  files\n", &limit));
    assert_int_equal(limit, UINT32_MAX);
    assert_false(process_fd_limit_parse("Max open files ", &limit));
    assert_false(process_fd_limit_parse("", &limit));
}

static void deleted_is_no_part_of_a_path(void **state)
{
    size_t length = strlen("/usr/bin/x (deleted)");

    (void)state;
    assert_true(process_path_undelete("/usr/bin/x (deleted)", &length));
    assert_int_equal(length, strlen("/usr/bin/x"));
    assert_false(process_path_undelete("/usr/bin/x", &length));
    length = 10;
    assert_false(process_path_undelete(" (deleted)", &length));
}

/* Adds this process, collects what the request needs, and gives back what is known. */
static struct process *collect_self(struct fixture *fixture, uint64_t needs)
{
    uint32_t index;

    fixture->request.needs = needs;
    assert_int_equal(snapshot_add_process(&fixture->snapshot, (uint32_t)getpid(), &index), 0);
    assert_int_equal(collector_processes.collect(&fixture->collection), 0);
    return &fixture->snapshot.processes[index];
}

static void facts_of_this_process_are_right(void **state)
{
    struct fixture *fixture = *state;
    struct process *self =
        collect_self(fixture, collector_processes.provides & ~NEED_ALL_PROCESSES);
    ssize_t length;
    struct rlimit limit;
    char exe[PATH_MAX];

    assert_int_equal(self->ppid, getppid());
    assert_int_equal(self->threads, 1);
    assert_int_equal(self->uid, geteuid());
    assert_true(self->start_ticks > 0);
    length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    assert_true(length > 0);
    exe[length] = '\0';
    assert_string_equal(snapshot_string(&fixture->snapshot, self->exe, NULL), exe);
    assert_non_null(
        strstr(snapshot_string(&fixture->snapshot, self->cmdline, NULL), "test_processes"));
    assert_int_equal(snapshot_string(&fixture->snapshot, self->cgroup, NULL)[0], '/');
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(self->fd_limit, limit.rlim_cur);
    assert_true(self->fds >= 3 && self->fds < 100);
    assert_int_not_equal(fixture->snapshot.netns[self->netns].inode, 0);
    assert_int_equal(fixture->snapshot.netns[self->netns].pid, getpid());
    assert_int_equal(self->flags, 0);
    assert_int_equal(fixture->snapshot.notes_count, 0);
}

static void only_what_is_needed_is_read(void **state)
{
    struct process *self = collect_self(*state, NEED_USER);

    assert_int_equal(self->has, PROCESS_HAS_UID);
}

static void another_start_time_is_another_process(void **state)
{
    struct fixture *fixture = *state;
    uint32_t index;
    struct process *self;

    assert_int_equal(snapshot_add_process(&fixture->snapshot, (uint32_t)getpid(), &index), 0);
    fixture->snapshot.processes[index].start_ticks = 1;
    fixture->snapshot.processes[index].has = PROCESS_HAS_START;
    self = collect_self(fixture, NEED_EXE | NEED_CMDLINE);
    assert_int_equal(self->flags, PROCESS_GONE);
    assert_int_equal(self->has, PROCESS_HAS_START);
}

static void ended_process_is_gone(void **state)
{
    struct fixture *fixture = *state;
    uint32_t index;

    assert_int_equal(snapshot_add_process(&fixture->snapshot, 4194305, &index), 0); /* above any
                                                                                       pid_max */
    collect_self(fixture, NEED_USER);
    assert_int_equal(fixture->snapshot.processes[index].flags, PROCESS_GONE);
    assert_int_equal(fixture->snapshot.processes[index].has, 0);
    assert_int_equal(fixture->snapshot.notes_count, 0);
}

static void all_processes_are_added(void **state)
{
    struct fixture *fixture = *state;

    fixture->request.needs = NEED_ALL_PROCESSES;
    assert_int_equal(collector_processes.collect(&fixture->collection), 0);
    assert_int_not_equal(map_get(&fixture->snapshot.process_index, (uint32_t)getpid()), MAP_NONE);
    assert_int_not_equal(map_get(&fixture->snapshot.process_index, (uint32_t)getppid()), MAP_NONE);
}

struct other_thread {
    pthread_barrier_t barrier;
    bool private_table;
    uint32_t inode, tid;
};

static void *other_thread(void *argument)
{
    struct other_thread *thread = argument;
    struct stat stat;
    int fd = -1;

    prctl(PR_SET_NAME, thread->private_table ? "private" : "shared");
    if (thread->private_table) {
        assert_int_equal(unshare(CLONE_FILES), 0);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(fstat(fd, &stat), 0);
        thread->inode = (uint32_t)stat.st_ino;
    }
    thread->tid = (uint32_t)syscall(SYS_gettid);
    pthread_barrier_wait(&thread->barrier); /* ready */
    pthread_barrier_wait(&thread->barrier); /* seen */
    if (fd >= 0)
        close(fd);
    return NULL;
}

/* A thread that was joined can still be listed in /proc for a moment. */
static void await_end(uint32_t tid)
{
    while (syscall(SYS_tgkill, getpid(), (pid_t)tid, 0) == 0)
        sched_yield();
}

static const struct thread *find_thread(const struct snapshot *snapshot, uint32_t tid)
{
    for (uint32_t i = 0; i < snapshot->threads_count; i++)
        if (snapshot->threads[i].tid == tid)
            return &snapshot->threads[i];
    return NULL;
}

static void add_socket(struct snapshot *snapshot, uint32_t inode)
{
    struct socket *socket = snapshot_add_socket(snapshot);

    assert_non_null(socket);
    socket->inode = inode;
}

static void check_threads(struct fixture *fixture, const struct other_thread other[2])
{
    const struct snapshot *snapshot = &fixture->snapshot;
    const struct thread *shared = find_thread(snapshot, other[0].tid);
    const struct thread *private = find_thread(snapshot, other[1].tid);
    uint32_t holders = 0;

    assert_int_equal(snapshot->threads_count, 3);
    assert_non_null(shared);
    assert_non_null(private);
    assert_string_equal(snapshot_string(snapshot, shared->comm, NULL), "shared");
    assert_string_equal(snapshot_string(snapshot, private->comm, NULL), "private");
    assert_int_equal(shared->private_files, 0);
    assert_int_equal(private->private_files, 1);
    for (uint32_t i = 0; i < snapshot->holders_count; i++)
        holders += snapshot->holders[i].inode == other[1].inode &&
                   snapshot->holders[i].tid == other[1].tid;
    assert_int_equal(holders, 1);
}

/*
 * With the owners of /proc (which find the private table themselves), or after a source that left
 * it out.
 */
static void run_threads(struct fixture *fixture, bool owners_from_proc)
{
    struct other_thread other[2] = {{.private_table = false}, {.private_table = true}};
    pthread_t ids[2];
    struct stat stat;
    uint32_t self;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(fstat(fd, &stat), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_barrier_init(&other[i].barrier, NULL, 2), 0);
        assert_int_equal(pthread_create(&ids[i], NULL, other_thread, &other[i]), 0);
        pthread_barrier_wait(&other[i].barrier);
    }
    add_socket(&fixture->snapshot, (uint32_t)stat.st_ino);
    add_socket(&fixture->snapshot, other[1].inode);
    fixture->request.needs = NEED_SOCKETS | NEED_OWNERS | NEED_THREADS;
    if (owners_from_proc) {
        assert_int_equal(collector_owners_proc.collect(&fixture->collection), 0);
    } else {
        assert_int_equal(snapshot_add_process(&fixture->snapshot, (uint32_t)getpid(), &self), 0);
        assert_int_equal(
            snapshot_add_holder(
                &fixture->snapshot,
                (struct holder){.inode = (uint32_t)stat.st_ino, .process = self, .fd = fd}),
            0);
    }
    assert_int_equal(collector_threads.collect(&fixture->collection), 0);
    check_threads(fixture, other);
    for (int i = 0; i < 2; i++) {
        pthread_barrier_wait(&other[i].barrier);
        pthread_join(ids[i], NULL);
        await_end(other[i].tid);
        pthread_barrier_destroy(&other[i].barrier);
    }
    close(fd);
}

static void threads_are_listed(void **state)
{
    run_threads(*state, true);
}

static void private_tables_of_threads_are_read(void **state)
{
    run_threads(*state, false);
}

/*
 * Id 1 is the root of the hierarchy, which every machine with cgroup2 has; the other was never
 * given away.
 */
static void cgroup_ids_get_paths(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t ids[] = {1, UINT64_MAX - 1, 1};

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        struct socket *socket = snapshot_add_socket(&fixture->snapshot);

        assert_non_null(socket);
        socket->has = SOCKET_HAS_CGROUP;
        socket->cgroup_id = ids[i];
    }
    fixture->request.needs = NEED_SOCKET_CGROUP;
    assert_int_equal(collector_cgroups.collect(&fixture->collection), 0);
    if (fixture->snapshot.notes_count)
        skip();
    assert_int_equal(fixture->snapshot.cgroups_count, 2);
    assert_string_equal(
        snapshot_string(&fixture->snapshot, snapshot_cgroup_path(&fixture->snapshot, 1), NULL),
        "/");
    assert_int_equal(snapshot_cgroup_path(&fixture->snapshot, UINT64_MAX - 1), 0);
    /* Who asks again is told the same. */
    assert_int_equal(collector_cgroups.collect(&fixture->collection), 0);
    assert_int_equal(fixture->snapshot.cgroups_count, 2);
}

static void refused_is_not_gone(void **state)
{
    pid_t child = fork();
    char path[32];

    (void)state;
    if (child == 0)
        _exit(0);
    snprintf(path, sizeof(path), "/proc/%d/ns/net", child);
    assert_int_equal(proc_failure(AT_FDCWD, path, -EACCES), -EACCES); /* it waits for its parent */
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(proc_failure(AT_FDCWD, path, -EACCES), -ESRCH);
    assert_int_equal(proc_failure(AT_FDCWD, path, -EIO), -EIO);
    assert_int_equal(proc_failure(AT_FDCWD, path, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stat_is_parsed_after_the_last_parenthesis),
        cmocka_unit_test(cgroup_line_that_says_most_is_taken),
        cmocka_unit_test(arguments_are_joined),
        cmocka_unit_test(descriptor_limit_is_found),
        cmocka_unit_test(deleted_is_no_part_of_a_path),
        cmocka_unit_test(refused_is_not_gone),
        TEST(facts_of_this_process_are_right),
        TEST(only_what_is_needed_is_read),
        TEST(another_start_time_is_another_process),
        TEST(ended_process_is_gone),
        TEST(all_processes_are_added),
        TEST(cgroup_ids_get_paths),
        TEST(threads_are_listed),
        TEST(private_tables_of_threads_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
