/* SPDX-License-Identifier: MIT */
/* Confinement: user, capabilities, files, system calls. */
#include "base/confine.h"

#include "base/confine_filter.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* nobody, who owns no file. */
#define NOBODY 65534

/* Every one has these: memory, time, and the end. */
#define CALLS_OF_ALL                                                                               \
    SYS_close, SYS_mmap, SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex,                  \
        SYS_clock_gettime, SYS_rt_sigreturn, SYS_exit, SYS_exit_group, SYS_restart_syscall

/* Files are only read: see add_read_only(). What SQLite and libc do with them, and what asks the
 * kernel for nothing but facts of this process and the name of the machine. */
#define CALLS_TO_READ                                                                              \
    SYS_openat, SYS_read, SYS_pread64, SYS_readv, SYS_lseek, SYS_fstat, SYS_newfstatat, SYS_statx, \
        SYS_faccessat, SYS_faccessat2, SYS_readlinkat, SYS_getdents64, SYS_getcwd, SYS_fcntl,      \
        SYS_flock, SYS_write, SYS_writev, SYS_ioctl, SYS_mprotect, SYS_getpid, SYS_gettid,         \
        SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_uname, SYS_getrandom,                \
        SYS_sched_yield, SYS_sched_getaffinity, SYS_clock_nanosleep, SYS_nanosleep,                \
        SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_sigaltstack, SYS_prlimit64, SYS_sysinfo,         \
        SYS_getrusage, SYS_ppoll, SYS_fstatfs

/* Sockets that there are. */
static const unsigned int calls_to_answer[] = {
    CALLS_OF_ALL, SYS_accept4,     SYS_recvfrom, SYS_recvmsg, SYS_sendto,
    SYS_sendmsg,  SYS_getsockname, SYS_shutdown, SYS_ppoll,
#ifdef SYS_poll
    SYS_poll,
#endif
};

static const unsigned int calls_to_read[] = {
    CALLS_OF_ALL, CALLS_TO_READ,
#ifdef SYS_stat
    SYS_stat,     SYS_lstat,     SYS_access, SYS_readlink, SYS_poll,
#endif
};

/* Children that only read, and messages; none of both is for the children. */
static const unsigned int calls_to_ask[] = {
    CALLS_OF_ALL,    CALLS_TO_READ, SYS_clone,   SYS_clone3,          SYS_wait4,   SYS_waitid,
    SYS_kill,        SYS_pipe2,     SYS_dup3,    SYS_memfd_create,    SYS_recvmsg, SYS_sendmsg,
    SYS_close_range, SYS_prctl,     SYS_seccomp, SYS_set_robust_list,
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef SYS_stat
    SYS_stat,        SYS_lstat,     SYS_access,  SYS_readlink,        SYS_poll,    SYS_dup2,
#endif
};

#define CALLS_MAX 96

static int close_range_of(unsigned int first, unsigned int last)
{
    return syscall(SYS_close_range, first, last, 0) < 0 ? -errno : 0;
}

int confine_descriptors_to(const int *kept, unsigned int count)
{
    unsigned int first = STDERR_FILENO + 1;

    for (;;) {
        unsigned int next = UINT_MAX;

        for (unsigned int i = 0; i < count; i++)
            if ((unsigned int)kept[i] >= first && (unsigned int)kept[i] < next)
                next = (unsigned int)kept[i];
        if (next > first && close_range_of(first, next == UINT_MAX ? next : next - 1) < 0)
            return -errno;
        if (next == UINT_MAX)
            return 0;
        first = next + 1;
    }
}

int confine_descriptors(const int *kept, unsigned int count)
{
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (nothing < 0)
        return -errno;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(nothing, fd) < 0)
            return -errno;
    return confine_descriptors_to(kept, count);
}

void confine_to_end_first(void)
{
    static const char most[] = "1000";
    CLEANUP_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : write(fd, most, strlen(most));

    (void)n; /* without /proc they are judged by their size */
}

static int become_nobody(void)
{
    if (geteuid() != 0)
        return -EPERM;
    if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0)
        return -errno;
    return 0;
}

/* What a program could get back. */
static void empty_bounding_set(void)
{
    for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;)
        capability++;
}

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* Where the kernel has no landlock the rest has to do. */

#define FILES_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

static void allow_reading(int ruleset, const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr rule = {.parent_fd = fd};
    struct stat status;
    long r;

    if (fd < 0 || fstat(fd, &status) < 0)
        return;
    rule.allowed_access = S_ISDIR(status.st_mode) ? FILES_READ : LANDLOCK_ACCESS_FS_READ_FILE;
    r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    (void)r; /* it may read less, and says so */
}

static void forbid_files(const char *const *readable, unsigned int count)
{
    const struct landlock_ruleset_attr rules = {.handled_access_fs =
                                                    (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    CLEANUP_CLOSE int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules.handled_access_fs), 0);
    long r;

    for (unsigned int i = 0; i < count && ruleset >= 0; i++)
        allow_reading(ruleset, readable[i]);
    r = ruleset < 0 ? -1 : syscall(SYS_landlock_restrict_self, ruleset, 0);
    (void)r;
}

/* --- system calls --- */

/* Everything else fails with EPERM. A jump is counted from the instruction behind it. */
static int limit_calls(const unsigned int *calls, size_t count)
{
    struct sock_filter filter[CALLS_MAX + 16];
    struct sock_fprog program = {.filter = filter};
    size_t at = 0;

    if (!OWN_ARCH)
        return -ENOSYS;
    if (count > CALLS_MAX)
        return -E2BIG;
    at = filter_begin(filter);
    at += filter_read_only(&filter[at], SYS_openat, 2);
    for (size_t i = 0; i < count; i++)
        filter[at++] = JUMP_EQUAL(calls[i], (uint8_t)(count - i), 0);
    filter[at++] = END(SECCOMP_RET_ERRNO | EPERM);
    filter[at++] = END(SECCOMP_RET_ALLOW);
    program.len = (unsigned short)at;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

static int forbid_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0
               ? -errno
               : 0;
}

int confine(void)
{
    int nobody, limited, r;

    empty_bounding_set();
    nobody = become_nobody();
    r = forbid_privileges();
    if (r < 0)
        return r;
    forbid_files(NULL, 0);
    r = drop_capabilities();
    limited = r == 0 ? limit_calls(calls_to_answer, ARRAY_SIZE(calls_to_answer)) : r;
    if (r < 0)
        return r;
    return nobody < 0 && limited < 0 ? -EPERM : 0;
}

int confine_to_ask(const char *const *readable, unsigned int count)
{
    int r = forbid_privileges();

    if (r < 0)
        return r;
    empty_bounding_set();
    forbid_files(readable, count);
    r = drop_capabilities();
    return r == 0 ? limit_calls(calls_to_ask, ARRAY_SIZE(calls_to_ask)) : r;
}

int confine_to_read(void)
{
    return limit_calls(calls_to_read, ARRAY_SIZE(calls_to_read));
}
