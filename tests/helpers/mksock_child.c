/* SPDX-License-Identifier: MIT */
/* mksock: child processes that hold descriptors, or are somebody strange. All die with mksock. */
#include "mksock.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/prctl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int compare_ints(const void *a, const void *b)
{
    return (*(const int *)a > *(const int *)b) - (*(const int *)a < *(const int *)b);
}

/* Closes all descriptors but stderr and these, so that other situations get no second holder. */
int mk_keep_only(const int *keep, size_t count)
{
    int sorted[16];
    unsigned next = 0;
    if (count + 1 > sizeof(sorted) / sizeof(sorted[0]))
        return -E2BIG;
    sorted[0] = STDERR_FILENO;
    if (count > 0)
        memcpy(sorted + 1, keep, count * sizeof(*keep));
    qsort(sorted, count + 1, sizeof(*sorted), compare_ints);
    for (size_t i = 0; i <= count; i++) {
        if ((unsigned)sorted[i] > next && close_range(next, (unsigned)sorted[i] - 1, 0) < 0)
            return -errno;
        next = (unsigned)sorted[i] + 1;
    }
    return close_range(next, UINT_MAX, 0) < 0 ? -errno : 0;
}

static void die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
        _exit(1);
}

static _Noreturn void run_child(int report, const int *keep, size_t count,
                                mk_child_function function, void *context)
{
    struct mk_child_result result = {.fd = -1};
    int kept[8];
    size_t n = count < 7 ? count : 7;
    if (n > 0)
        memcpy(kept, keep, n * sizeof(*keep));
    kept[n++] = report;
    result.error = mk_keep_only(kept, n);
    if (result.error == 0 && function)
        result.error = function(context, &result);
    if (write(report, &result, sizeof(result)) != (ssize_t)sizeof(result))
        _exit(1);
    (void)close(report);
    for (;;)
        (void)pause();
}

/* Returns when the child holds exactly what it shall hold; the child then sleeps for ever. */
pid_t mk_child(struct mk *mk, const int *keep, size_t count, mk_child_function function,
               void *context, struct mk_child_result *ret_result)
{
    int report[2];
    struct mk_child_result result = {.fd = -1, .error = -EPIPE};
    char end;
    pid_t parent = getpid();
    (void)fflush(mk->out);
    if (pipe2(report, O_CLOEXEC) < 0)
        return mk_fail_errno(mk, "pipe");
    pid_t pid = fork();
    if (pid < 0)
        return mk_fail_errno(mk, "fork");
    if (pid == 0) {
        die_with(parent);
        run_child(report[1], keep, count, function, context);
    }
    (void)close(report[1]);
    if (mk_remember_child(mk, pid, -1) < 0)
        return -1;
    if (read(report[0], &result, sizeof(result)) != (ssize_t)sizeof(result))
        result.error = -EPIPE;
    (void)!read(report[0], &end, 1); /* end of file: the child has closed its report too */
    (void)close(report[0]);
    if (result.error < 0)
        return mk_fail(mk, "child process: %s", strerror(-result.error));
    if (ret_result)
        *ret_result = result;
    return pid;
}

int mk_send_fd(int over, int fd)
{
    char byte = 0;
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    return sendmsg(over, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int mk_recv_fd(int over)
{
    char byte;
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    int fd;
    if (recvmsg(over, &message, MSG_CMSG_CLOEXEC) != 1)
        return -EPIPE;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return -EBADMSG;
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

/* ---- processes with another identity ---- */

bool mk_wants_process(struct mk *mk)
{
    return mk_option(mk, "comm", NULL) || mk_option(mk, "cmdline", NULL) ||
           mk_option(mk, "exe", NULL) || mk_option(mk, "uid", NULL) ||
           mk_option(mk, "process", NULL);
}

/* Fields 26.. of /proc/self/stat, counted behind the last ')': where the memory areas lie. */
static int read_stat(unsigned long long *fields, size_t count)
{
    char text[2048];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (n <= 0)
        return -EIO;
    text[n] = '\0';
    char *at = strrchr(text, ')');
    if (!at)
        return -EBADMSG;
    at += 4; /* ") S " */
    for (size_t i = 4; i < count; i++)
        fields[i] = strtoull(at, &at, 10);
    return 0;
}

/* Needs no privilege, unlike PR_SET_MM_ARG_START; wants CONFIG_CHECKPOINT_RESTORE. */
static int empty_cmdline(void)
{
    unsigned long long f[53] = {0};
    int rc = read_stat(f, 53);
    if (rc < 0)
        return rc;
    struct prctl_mm_map map = {
        .start_code = f[26],
        .end_code = f[27],
        .start_data = f[45],
        .end_data = f[46],
        .start_brk = f[47],
        .brk = (uintptr_t)sbrk(0),
        .start_stack = f[28],
        .arg_start = f[48],
        .arg_end = f[48],
        .env_start = f[50],
        .env_end = f[51],
        .exe_fd = UINT32_MAX,
    };
    return prctl(PR_SET_MM, PR_SET_MM_MAP, &map, sizeof(map), 0) < 0 ? -errno : 0;
}

static int set_comm(struct mk *mk, const char *text)
{
    struct mk_bytes bytes;
    char comm[16] = "";
    if (mk_unescape(text, &bytes) < 0)
        return mk_fail(mk, "comm= is no text with \\xNN");
    memcpy(comm, bytes.data, bytes.length < 15 ? bytes.length : 15);
    return prctl(PR_SET_NAME, comm) < 0 ? mk_fail_errno(mk, "PR_SET_NAME") : 0;
}

static int become(struct mk *mk, pid_t parent)
{
    const char *comm = mk_option(mk, "comm", NULL);
    int64_t uid = mk_number(mk, "uid", -1);
    if (strcmp(mk_option(mk, "cmdline", ""), "empty") == 0) {
        int rc = empty_cmdline();
        if (rc < 0)
            return mk_fail(mk, "PR_SET_MM_MAP: %s", strerror(-rc));
    }
    if (comm && set_comm(mk, comm) < 0)
        return -1;
    if (uid >= 0 && (setgroups(0, NULL) < 0 || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) < 0 ||
                     setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0))
        return mk_fail_errno(mk, "uid");
    die_with(parent); /* once more: a change of the user forgets it */
    return 0;
}

static int copy_self(struct mk *mk, const char *path)
{
    char buffer[65536];
    ssize_t n;
    int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    if (from < 0 || to < 0)
        return mk_fail_errno(mk, path);
    while ((n = read(from, buffer, sizeof(buffer))) > 0) {
        if (write(to, buffer, (size_t)n) != n)
            return mk_fail_errno(mk, path);
    }
    (void)close(from);
    return close(to) < 0 || n < 0 ? mk_fail_errno(mk, path) : 0;
}

static char *join_option(const char *key, const char *value)
{
    size_t size = strlen(key) + strlen(value) + 2;
    char *word = malloc(size);
    if (word)
        (void)snprintf(word, size, "%s=%s", key, value);
    return word;
}

/* The copy deletes itself before it says anything, so what it says is true. */
static int exec_copy(struct mk *mk, const struct mk_situation *situation, const char *path)
{
    char *words[MK_MAX_OPTIONS + 5];
    size_t count = 0;
    words[count++] = strdup("mksock");
    words[count++] = strdup(situation->name);
    for (size_t i = 0; i < mk->option_count; i++) {
        const struct mk_option *o = &mk->options[i];
        bool done = strcmp(o->key, "exe") == 0 || (mk->repeating && strcmp(o->key, "many") == 0);
        if (!done)
            words[count++] = join_option(o->key, o->value);
    }
    words[count++] = join_option("as", mk->situation);
    words[count++] = join_option("unlink-exe", path);
    words[count] = NULL;
    (void)execv(path, words);
    return mk_fail_errno(mk, path);
}

static int serve(struct mk *mk, const struct mk_situation *situation, const char *copy,
                 pid_t parent)
{
    if (strcmp(mk_option(mk, "exe", ""), "deleted") == 0)
        return copy_self(mk, copy) < 0 ? -1 : exec_copy(mk, situation, copy);
    if (become(mk, parent) < 0)
        return -1;
    return mk_make(mk, situation);
}

static _Noreturn void run_process(struct mk *mk, const struct mk_situation *situation,
                                  const int *ends, const char *copy, pid_t parent)
{
    die_with(parent);
    if (dup2(ends[0], STDIN_FILENO) < 0 || dup2(ends[1], STDOUT_FILENO) < 0 ||
        close_range(3, UINT_MAX, 0) < 0)
        _exit(1);
    *mk->cleanup = (struct mk_cleanup){0}; /* what is in it is the parent's */
    int rc = serve(mk, situation, copy, parent);
    if (rc == 0) {
        printf("ready\n");
        (void)fflush(stdout);
        mk_wait_end_of_input();
    } else {
        fprintf(stderr, "mksock: %s: %s\n", mk->situation, mk->error);
    }
    mk_clean_up(mk->cleanup);
    _exit(rc == 0 ? 0 : mk->unsupported ? MK_EXIT_UNSUPPORTED : 1);
}

/* Passes the child's lines on until it says "ready"; an early end is its failure. */
static int relay(struct mk *mk, int from)
{
    char *line = NULL;
    size_t size = 0;
    int rc = -1;
    FILE *in = fdopen(from, "r");
    if (!in)
        return mk_fail_errno(mk, "fdopen");
    while (rc < 0 && getline(&line, &size, in) > 0) {
        if (strcmp(line, "ready\n") == 0)
            rc = 0;
        else
            fputs(line, mk->out);
    }
    free(line);
    (void)fclose(in);
    return rc;
}

int mk_run_in_process(struct mk *mk, const struct mk_situation *situation)
{
    int control[2];
    int output[2];
    char copy[PATH_MAX];
    pid_t parent = getpid();
    (void)snprintf(copy, sizeof(copy), "%s/mksock-copy-%d-%zu", mk_option(mk, "dir", "/tmp"),
                   parent, mk->cleanup->child_count);
    (void)fflush(mk->out);
    if (pipe2(control, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
        return mk_fail_errno(mk, "pipe");
    pid_t pid = fork();
    if (pid < 0)
        return mk_fail_errno(mk, "fork");
    if (pid == 0)
        run_process(mk, situation, (const int[]){control[0], output[1]}, copy, parent);
    (void)close(control[0]);
    (void)close(output[1]);
    if (relay(mk, output[0]) == 0)
        return mk_remember_child(mk, pid, control[1]);
    int status = 0;
    (void)close(control[1]);
    (void)waitpid(pid, &status, 0);
    (void)unlink(copy);
    mk->unsupported = WIFEXITED(status) && WEXITSTATUS(status) == MK_EXIT_UNSUPPORTED;
    mk->error[0] = '\0'; /* the child has said what was wrong */
    return -1;
}
