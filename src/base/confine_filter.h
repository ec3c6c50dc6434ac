/* SPDX-License-Identifier: MIT */
/* Filters of system calls (seccomp): what those of the server's processes and of commands share. */
#pragma once

#include "base/cleanup.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

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

/* Those of 32 bits have no filter: many calls have two numbers there, and often another name. */
#if !OWN_ARCH && !defined(SYS_mmap)
#define SYS_mmap SYS_mmap2
#endif
#if !OWN_ARCH && !defined(SYS_newfstatat)
#define SYS_newfstatat SYS_fstatat64
#endif
#if !OWN_ARCH && !defined(SYS_clock_gettime)
#define SYS_clock_gettime SYS_clock_gettime64
#define SYS_clock_settime SYS_clock_settime64
#define SYS_clock_nanosleep SYS_clock_nanosleep_time64
#define SYS_settimeofday SYS_clock_settime64
#endif

#define LOAD(field)                                                                                \
    (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define JUMP_EQUAL(value, yes, no)                                                                 \
    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), (yes), (no))
#define END(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, (action))

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define LOW_HALF 0
#else
#define LOW_HALF sizeof(uint32_t)
#endif

/* Calls of another architecture fail; then the number of the call is at hand. Returns how many
 * instructions that is. */
static inline size_t filter_begin(struct sock_filter *at)
{
    *at++ = LOAD(arch);
    *at++ = JUMP_EQUAL(OWN_ARCH, 1, 0);
    *at++ = END(SECCOMP_RET_ERRNO | EPERM);
    *at++ = LOAD(nr);
    return 4;
}

#define FILTER_READ_ONLY 5

/* To open a file by `call` for anything but reading fails, also where there is no landlock; its
 * flags are the argument of this number. The same. */
static inline size_t filter_read_only(struct sock_filter *at, unsigned int call,
                                      unsigned int argument)
{
    /* Not O_ACCMODE, in which musl has O_PATH, too. */
    const unsigned int writes = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;
    const size_t flags =
        offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t) + LOW_HALF;
    const struct sock_filter filter[FILTER_READ_ONLY] = {
        JUMP_EQUAL(call, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)flags),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, writes, 0, 1),
        END(SECCOMP_RET_ERRNO | EACCES),
        LOAD(nr),
    };

    memcpy(at, filter, sizeof(filter));
    return ARRAY_SIZE(filter);
}
