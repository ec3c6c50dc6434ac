/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD: call number FAIL_AT of the kind FAIL_KIND fails, or all from FAIL_FROM on. */
/*
 * The kinds are those of enum kind. FAIL_ERROR is the errno (ENOMEM unless told); with 0 the call
 * does half of what it was asked to do. Calls are counted from the start of main() on, those of
 * child processes with them. FAIL_REPORT is the descriptor of a file of two uint64_t: how many
 * calls of the kind were made, and how many failed.
 * With FAIL_OWN only calls of the program itself count: glibc 2.36 crashes when it finds no memory
 * for the name service switch, which the program cannot mend.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own, which these replace. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

enum kind { MEMORY, READ, WRITE, RECEIVE, SEND, OPEN, DIRECTORY, MAP, SYNC, BPF, KIND_COUNT };

static const char *const kind_names[KIND_COUNT] = {
    [MEMORY] = "memory", [READ] = "read", [WRITE] = "write",         [RECEIVE] = "receive",
    [SEND] = "send",     [OPEN] = "open", [DIRECTORY] = "directory", [MAP] = "map",
    [SYNC] = "sync",     [BPF] = "bpf",
};

struct report {
    _Atomic uint64_t made, failed;
};

static struct {
    bool ready, own_only;
    enum kind kind;
    uint64_t at, from;
    int error;
    uintptr_t program_begin, program_end;
    struct report *report;
} plan;

static uint64_t number_of(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* The program comes first among the objects. */
static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (unsigned int i = 0; i < info->dlpi_phnum; i++) {
        uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;

        if (info->dlpi_phdr[i].p_type != PT_LOAD)
            continue;
        if (!plan.program_begin)
            plan.program_begin = begin;
        plan.program_end = begin + info->dlpi_phdr[i].p_memsz;
    }
    return 1;
}

__attribute__((constructor)) static void prepare(void)
{
    const char *name = getenv("FAIL_KIND");
    void *page;

    while (plan.kind < KIND_COUNT && name && strcmp(name, kind_names[plan.kind]) != 0)
        plan.kind++;
    if (!name || plan.kind == KIND_COUNT)
        return;
    page = mmap(NULL, sizeof(struct report), PROT_READ | PROT_WRITE, MAP_SHARED,
                (int)number_of("FAIL_REPORT", 0), 0);
    if (page == MAP_FAILED)
        abort();
    plan.report = page;
    plan.at = number_of("FAIL_AT", 0);
    plan.from = number_of("FAIL_FROM", UINT64_MAX);
    plan.error = (int)number_of("FAIL_ERROR", ENOMEM);
    plan.own_only = getenv("FAIL_OWN");
    dl_iterate_phdr(find_program, NULL);
    plan.ready = true;
}

/* Whether this call fails; errno is set then. */
static bool must_fail(enum kind kind, const void *caller)
{
    uintptr_t at = (uintptr_t)caller;
    uint64_t number;

    if (!plan.ready || plan.kind != kind)
        return false;
    if (plan.own_only && (at < plan.program_begin || at >= plan.program_end))
        return false;
    number = atomic_fetch_add(&plan.report->made, 1) + 1;
    if (number != plan.at && number < plan.from)
        return false;
    atomic_fetch_add(&plan.report->failed, 1);
    errno = plan.error;
    return true;
}

#define FAILS(kind) must_fail(kind, __builtin_return_address(0))
/* What stands behind this one. Its type is that of the function it is used in. */
#define NEXT(name) ((__typeof__(&(name)))next_of(#name))

static void *next_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

/* A call that moves bytes: it fails, or moves only half of them. */
#define MOVE(kind, size, call)                                                                     \
    do {                                                                                           \
        if (FAILS(kind)) {                                                                         \
            if (plan.error)                                                                        \
                return -1;                                                                         \
            (size) = (size) / 2 + (size) % 2;                                                      \
        }                                                                                          \
        return call;                                                                               \
    } while (0)

void *malloc(size_t size)
{
    return FAILS(MEMORY) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return FAILS(MEMORY) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return FAILS(MEMORY) ? NULL : __libc_realloc(memory, size);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return FAILS(MEMORY) ? NULL : __libc_realloc(memory, count * size);
}

ssize_t read(int fd, void *buffer, size_t size)
{
    MOVE(READ, size, NEXT(read)(fd, buffer, size));
}

ssize_t pread64(int fd, void *buffer, size_t size, off64_t offset)
{
    MOVE(READ, size, NEXT(pread64)(fd, buffer, size, offset));
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    MOVE(WRITE, size, NEXT(write)(fd, buffer, size));
}

ssize_t pwrite64(int fd, const void *buffer, size_t size, off64_t offset)
{
    MOVE(WRITE, size, NEXT(pwrite64)(fd, buffer, size, offset));
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
    MOVE(RECEIVE, size, NEXT(recv)(fd, buffer, size, flags));
}

ssize_t recvfrom(int fd, void *buffer, size_t size, int flags, __SOCKADDR_ARG from,
                 socklen_t *length)
{
    MOVE(RECEIVE, size, NEXT(recvfrom)(fd, buffer, size, flags, from, length));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    MOVE(RECEIVE, message->msg_iov[0].iov_len, NEXT(recvmsg)(fd, message, flags));
}

ssize_t send(int fd, const void *buffer, size_t size, int flags)
{
    MOVE(SEND, size, NEXT(send)(fd, buffer, size, flags));
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, __CONST_SOCKADDR_ARG to,
               socklen_t length)
{
    MOVE(SEND, size, NEXT(sendto)(fd, buffer, size, flags, to, length));
}

/* What is sent by parts is not cut. */
ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    return FAILS(SEND) && plan.error ? -1 : NEXT(sendmsg)(fd, message, flags);
}

/* The mode of a file that is made. */
static mode_t mode_of(int flags, va_list *rest)
{
    return flags & (O_CREAT | __O_TMPFILE) ? (mode_t)va_arg(*rest, unsigned int) : 0;
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode;

    va_start(rest, flags);
    mode = mode_of(flags, &rest);
    va_end(rest);
    return FAILS(OPEN) && plan.error ? -1 : NEXT(open64)(path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode;

    va_start(rest, flags);
    mode = mode_of(flags, &rest);
    va_end(rest);
    return FAILS(OPEN) && plan.error ? -1 : NEXT(openat64)(dir, path, flags, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
    return FAILS(OPEN) && plan.error ? NULL : NEXT(fopen64)(path, mode);
}

DIR *opendir(const char *path)
{
    return FAILS(OPEN) && plan.error ? NULL : NEXT(opendir)(path);
}

int socket(int family, int type, int protocol)
{
    return FAILS(OPEN) && plan.error ? -1 : NEXT(socket)(family, type, protocol);
}

struct dirent64 *readdir64(DIR *dir)
{
    return FAILS(DIRECTORY) && plan.error ? NULL : NEXT(readdir64)(dir);
}

ssize_t readlink(const char *path, char *target, size_t size)
{
    return FAILS(DIRECTORY) && plan.error ? -1 : NEXT(readlink)(path, target, size);
}

ssize_t readlinkat(int dir, const char *path, char *target, size_t size)
{
    return FAILS(DIRECTORY) && plan.error ? -1 : NEXT(readlinkat)(dir, path, target, size);
}

void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset)
{
    return FAILS(MAP) && plan.error ? MAP_FAILED
                                    : NEXT(mmap64)(at, size, protection, flags, fd, offset);
}

int fsync(int fd)
{
    return FAILS(SYNC) && plan.error ? -1 : NEXT(fsync)(fd);
}

int fdatasync(int fd)
{
    return FAILS(SYNC) && plan.error ? -1 : NEXT(fdatasync)(fd);
}

int ftruncate64(int fd, off64_t size)
{
    return FAILS(SYNC) && plan.error ? -1 : NEXT(ftruncate64)(fd, size);
}

/* Of those that have no function of their own only bpf(2) fails. */
long syscall(long number, ...)
{
    long a, b, c, d, e, f;
    va_list rest;

    va_start(rest, number);
    a = va_arg(rest, long);
    b = va_arg(rest, long);
    c = va_arg(rest, long);
    d = va_arg(rest, long);
    e = va_arg(rest, long);
    f = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_bpf && FAILS(BPF) && plan.error)
        return -1;
    return NEXT(syscall)(number, a, b, c, d, e, f);
}
