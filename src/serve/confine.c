/* SPDX-License-Identifier: MIT */
/* Confinement: user, capabilities, files, system calls. */
#include "serve/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* nobody, who owns no file. */
#define NOBODY 65534

#if defined(__x86_64__)
#define OWN_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OWN_ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define OWN_ARCH AUDIT_ARCH_RISCV64
#elif defined(__s390x__)
#define OWN_ARCH AUDIT_ARCH_S390X
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_ARCH AUDIT_ARCH_PPC64LE
#else
#define OWN_ARCH 0
#endif

/* Sockets that there are, memory, time, and the end. Everything else fails with EPERM. */
static const unsigned int allowed_calls[] = {
    SYS_accept4,     SYS_recvfrom,   SYS_recvmsg,         SYS_sendto,
    SYS_getsockname, SYS_shutdown,   SYS_close,           SYS_ppoll,
    SYS_mmap,        SYS_munmap,     SYS_mremap,          SYS_madvise,
    SYS_brk,         SYS_futex,      SYS_clock_gettime,   SYS_rt_sigreturn,
    SYS_exit,        SYS_exit_group, SYS_restart_syscall,
#ifdef SYS_poll
    SYS_poll,
#endif
};

#define CALLS ARRAY_SIZE(allowed_calls)

int confine_descriptors(int first, int second)
{
    const int low = first < second ? first : second, high = first < second ? second : first;
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int gaps[][2] = {{3, low - 1}, {low + 1, high - 1}, {high + 1, -1}};

    if (nothing < 0)
        return -errno;
    for (int fd = 0; fd < 3; fd++)
        if (dup2(nothing, fd) < 0)
            return -errno;
    for (size_t i = 0; i < ARRAY_SIZE(gaps); i++)
        if ((unsigned int)gaps[i][0] <= (unsigned int)gaps[i][1] &&
            syscall(SYS_close_range, (unsigned int)gaps[i][0], (unsigned int)gaps[i][1], 0) < 0)
            return -errno;
    return 0;
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

static int drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

    return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* Where the kernel has no landlock the rest has to do. */
static void forbid_files(void)
{
    const struct landlock_ruleset_attr rules = {.handled_access_fs =
                                                    (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    CLEANUP_CLOSE int ruleset =
        (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules.handled_access_fs), 0);
    long r = ruleset < 0 ? -1 : syscall(SYS_landlock_restrict_self, ruleset, 0);

    (void)r;
}

/* Offsets of a jump are counted from the instruction behind it: the last one allows, the one
 * before it refuses. */
static int limit_calls(void)
{
    struct sock_filter filter[CALLS + 5] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OWN_ARCH, 0, CALLS + 1),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    const struct sock_fprog program = {.len = ARRAY_SIZE(filter), .filter = filter};

    for (size_t i = 0; i < CALLS; i++)
        filter[3 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed_calls[i],
                                                     (uint8_t)(CALLS - i), 0);
    filter[3 + CALLS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    filter[4 + CALLS] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    if (!OWN_ARCH)
        return -ENOSYS;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0 ? -errno : 0;
}

int confine(void)
{
    int nobody = become_nobody(), limited, r;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return -errno;
    forbid_files();
    r = drop_capabilities();
    limited = r == 0 ? limit_calls() : r;
    if (r < 0)
        return r;
    return nobody < 0 && limited < 0 ? -EPERM : 0;
}
