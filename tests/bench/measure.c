/* SPDX-License-Identifier: MIT */
/* measure: runs one command in a network namespace with its output going to a pipe that is emptied
 * and thrown away, and prints "wall_us cpu_us peak_kib output_bytes status".
 *
 * A program of its own, because the peak memory of a child is never less than that of the process
 * that started it (ru_maxrss survives exec): a large one, as a script interpreter is, would hide
 * what small tools need. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)

static int fail(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    return 125;
}

static int64_t now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static int64_t to_us(struct timeval time)
{
    return time.tv_sec * INT64_C(1000000) + time.tv_usec;
}

static int enter_netns(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
        return -1;
    return close(fd);
}

static int start(char **command, int output, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    int r;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    r = posix_spawnp(ret_pid, command[0], &actions, NULL, command, environ);
    posix_spawn_file_actions_destroy(&actions);
    errno = r;
    return r ? -1 : 0;
}

/* Without copying, so that reading costs the command as little as possible. */
static int64_t empty_pipe(int from)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    int64_t bytes = 0;
    ssize_t moved;

    do {
        moved = splice(from, NULL, null, NULL, PIPE_BYTES, SPLICE_F_MOVE);
        bytes += moved > 0 ? moved : 0;
    } while (moved > 0 || (moved < 0 && errno == EINTR));
    close(null);
    return moved < 0 ? -1 : bytes;
}

int main(int argc, char **argv)
{
    struct rusage usage;
    int ends[2], status;
    int64_t started, bytes, wall;
    pid_t pid;

    if (argc < 3) {
        fputs("usage: measure NETNS-FILE COMMAND [ARGS]\n", stderr);
        return 125;
    }
    if (enter_netns(argv[1]) < 0)
        return fail(argv[1]);
    if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES) < 0)
        return fail("pipe");
    started = now_us();
    if (start(argv + 2, ends[1], &pid) < 0)
        return fail(argv[2]);
    close(ends[1]);
    bytes = empty_pipe(ends[0]);
    if (wait4(pid, &status, 0, &usage) < 0 || bytes < 0)
        return fail("wait");
    wall = now_us() - started;
    printf("%jd %jd %ld %jd %d\n", (intmax_t)wall,
           (intmax_t)(to_us(usage.ru_utime) + to_us(usage.ru_stime)), usage.ru_maxrss,
           (intmax_t)bytes, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
