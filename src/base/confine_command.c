/* SPDX-License-Identifier: MIT */
/* Least privilege of a command: capabilities and system calls. */
#include "base/confine_command.h"

#include "base/confine_filter.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif

/* Nothing that nwho reads takes these. */
static const unsigned int calls_of_nobody[] = {
#if !defined(__SANITIZE_ADDRESS__) && !HAS_FEATURE(address_sanitizer)
    SYS_ptrace, /* by which that sanitizer looks for leaks */
#endif
    SYS_process_vm_readv, SYS_process_vm_writev,
    SYS_init_module,      SYS_finit_module,
    SYS_delete_module,    SYS_kexec_load,
    SYS_reboot,           SYS_swapon,
    SYS_swapoff,          SYS_mount,
    SYS_umount2,          SYS_pivot_root,
    SYS_chroot,           SYS_acct,
    SYS_quotactl,         SYS_settimeofday,
    SYS_clock_settime,    SYS_adjtimex,
    SYS_clock_adjtime,    SYS_sethostname,
    SYS_setdomainname,    SYS_perf_event_open,
    SYS_setuid,           SYS_setgid,
    SYS_setreuid,         SYS_setregid,
    SYS_setresuid,        SYS_setresgid,
    SYS_setgroups,        SYS_setfsuid,
    SYS_setfsgid,
#ifdef SYS_userfaultfd
    SYS_userfaultfd,
#endif
};

static const unsigned int calls_to_run[] = {
    SYS_execve,
    SYS_execveat,
};

static const unsigned int calls_to_write[] = {
    SYS_truncate,  SYS_unlinkat, SYS_mkdirat,  SYS_mknodat, SYS_linkat, SYS_symlinkat,
    SYS_fchmodat,  SYS_fchmod,   SYS_fchownat, SYS_fchown,
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_renameat2,
#ifdef SYS_unlink
    SYS_unlink,    SYS_rmdir,    SYS_mkdir,    SYS_mknod,   SYS_link,   SYS_symlink,
    SYS_chmod,     SYS_chown,    SYS_lchown,   SYS_rename,  SYS_creat,
#endif
#ifdef SYS_openat2
    SYS_openat2, /* whose flags no filter sees */
#endif
};

/* --- who we are --- */

static bool is_ambient(unsigned int capability)
{
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability, 0, 0) == 1;
}

static bool read_capabilities(uint64_t *ret_effective, uint64_t *ret_permitted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

    if (syscall(SYS_capget, &header, data) < 0)
        return false;
    *ret_effective = (uint64_t)data[1].effective << 32 | data[0].effective;
    *ret_permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
    return true;
}

/* AT_SECURE alone says less: security modules set it for services, too. */
bool confine_has_borrowed(void)
{
    uint64_t effective, permitted;

    if (getuid() != geteuid() || getgid() != getegid())
        return true;
    if (!getauxval(AT_SECURE) || getuid() == 0 || !read_capabilities(&effective, &permitted))
        return false;
    for (unsigned int capability = 0; capability < 64; capability++)
        if (permitted & CAPABILITY(capability) && !is_ambient(capability))
            return true;
    return false;
}

void confine_new_privileges(void)
{
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

uint64_t confine_capabilities(void)
{
    uint64_t effective, permitted;

    return read_capabilities(&effective, &permitted) ? effective : 0;
}

void confine_capabilities_to(uint64_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    uint64_t effective, permitted;

    if (!read_capabilities(&effective, &permitted))
        return;
    effective &= kept;
    permitted &= kept;
    for (unsigned int half = 0; half < _LINUX_CAPABILITY_U32S_3; half++) {
        data[half].effective = (uint32_t)(effective >> 32 * half);
        data[half].permitted = (uint32_t)(permitted >> 32 * half);
    }
    (void)syscall(SYS_capset, &header, data);
}

/* --- system calls --- */

/* Figures of coverage are written when a program ends. */
#ifdef WRITES_COVERAGE
#define MAY_ALWAYS CONFINE_MAY_WRITE
#else
#define MAY_ALWAYS 0
#endif

#define FILTER_MAX 192

struct call_filter {
    struct sock_filter steps[FILTER_MAX];
    size_t count;
};

/* These fail. */
static void refuse(struct call_filter *filter, const unsigned int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        filter->steps[filter->count++] = JUMP_EQUAL(calls[i], 0, 1);
        filter->steps[filter->count++] = END(SECCOMP_RET_ERRNO | EPERM);
    }
}

_Static_assert(2 * (ARRAY_SIZE(calls_of_nobody) + ARRAY_SIZE(calls_to_run) +
                    ARRAY_SIZE(calls_to_write)) +
                       2 * FILTER_READ_ONLY + 5 <=
                   FILTER_MAX,
               "room for all calls");

void confine_calls(uint32_t may)
{
    struct call_filter filter = {.count = 0};
    struct sock_fprog program = {.filter = filter.steps};

    if (!OWN_ARCH)
        return;
    filter.count = filter_begin(filter.steps);
    refuse(&filter, calls_of_nobody, ARRAY_SIZE(calls_of_nobody));
    if (!(may & CONFINE_MAY_RUN))
        refuse(&filter, calls_to_run, ARRAY_SIZE(calls_to_run));
    if (!((may | MAY_ALWAYS) & CONFINE_MAY_WRITE)) {
        refuse(&filter, calls_to_write, ARRAY_SIZE(calls_to_write));
        filter.count += filter_read_only(&filter.steps[filter.count], SYS_openat, 2);
#ifdef SYS_open
        filter.count += filter_read_only(&filter.steps[filter.count], SYS_open, 1);
#endif
    }
    filter.steps[filter.count++] = END(SECCOMP_RET_ALLOW);
    program.len = (unsigned short)filter.count;
    (void)prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

int confine_tries_calls(void)
{
    uint32_t action = SECCOMP_RET_ERRNO;

    if (!OWN_ARCH)
        return -ENOSYS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 ? -errno : 0;
}

int confine_tries_files(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    return version < 0 ? -errno : 0;
}
