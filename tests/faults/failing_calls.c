/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD: call FAIL_AT of a kind fails, all from FAIL_FROM on, or each FAIL_EVERY-th. */
/*
 * The kinds are those of enum kind. FAIL_ERROR is the errno (ENOMEM unless told); with 0 the call
 * does half of what it was asked to do, or with FAIL_PIECE at most so many bytes. Calls are counted
 * from the start of main() on, those of child processes with them. FAIL_REPORT is the descriptor of
 * a file of struct report.
 * MISSING_FAMILY: sock_diag knows no sockets of that one (its number), as where that is no part of
 * the kernel.
 * With FAIL_OWN only calls of the program itself count: glibc 2.36 crashes when it finds no memory
 * for the name service switch, which the program cannot mend.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
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
extern void __libc_free(void *memory);

enum kind { MEMORY, READ, WRITE, RECEIVE, SEND, OPEN, DIRECTORY, MAP, SYNC, BPF, KIND_COUNT };

static const char *const kind_names[KIND_COUNT] = {
    [MEMORY] = "memory", [READ] = "read", [WRITE] = "write",         [RECEIVE] = "receive",
    [SEND] = "send",     [OPEN] = "open", [DIRECTORY] = "directory", [MAP] = "map",
    [SYNC] = "sync",     [BPF] = "bpf",
};

struct report {
    _Atomic uint64_t made, failed; /* calls of the kind */
    /* At the exit of each process: what the program itself had allocated and did not give back, and
     * the largest such block: where in the program it was asked for, and its size. */
    _Atomic uint64_t kept_blocks, kept_from, kept_size;
    _Atomic uint64_t kept_files; /* descriptors that are still open then */
};

/* What the program has allocated: a hash table of open addressing. */
struct block {
    void *memory;
    uint64_t size;
    uintptr_t caller;
};

enum { BLOCK_BITS = 16, BLOCKS = 1 << BLOCK_BITS };

static struct {
    bool ready, own_only;
    enum kind kind;
    uint64_t at, from, every;
    int error;
    size_t piece; /* 0: half of what was asked for */
    uintptr_t program_begin, program_end;
    int missing_family; /* AF_UNSPEC: none */
    struct report *report;
    struct block *blocks; /* NULL: not counted */
    unsigned int used;
    atomic_flag lock; /* of blocks */
} plan = {.lock = ATOMIC_FLAG_INIT};

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

    plan.missing_family = (int)number_of("MISSING_FAMILY", AF_UNSPEC);
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
    plan.every = number_of("FAIL_EVERY", UINT64_MAX);
    plan.error = (int)number_of("FAIL_ERROR", ENOMEM);
    plan.piece = number_of("FAIL_PIECE", 0);
    plan.own_only = getenv("FAIL_OWN");
    dl_iterate_phdr(find_program, NULL);
    plan.blocks = mmap(NULL, BLOCKS * sizeof(struct block), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (plan.blocks == MAP_FAILED)
        abort();
    plan.ready = true;
}

/* --- what the program keeps --- */

static bool is_program(const void *caller)
{
    uintptr_t at = (uintptr_t)caller;

    return at >= plan.program_begin && at < plan.program_end;
}

static unsigned int place_of(const void *memory)
{
    return (unsigned int)(((uintptr_t)memory >> 4) * 0x9e3779b97f4a7c15u >> (64 - BLOCK_BITS));
}

static unsigned int find_block(const void *memory)
{
    unsigned int at = place_of(memory);

    while (plan.blocks[at].memory && plan.blocks[at].memory != memory)
        at = (at + 1) % BLOCKS;
    return at;
}

/* Those behind it move up, so that no search ends too early. */
static void remove_block(unsigned int hole)
{
    unsigned int at = hole;

    plan.used--;
    for (;;) {
        plan.blocks[hole].memory = NULL;
        do {
            at = (at + 1) % BLOCKS;
            if (!plan.blocks[at].memory)
                return;
        } while ((at - place_of(plan.blocks[at].memory)) % BLOCKS < (at - hole) % BLOCKS);
        plan.blocks[hole] = plan.blocks[at];
        hole = at;
    }
}

/* Takes OLD out, and NEW in when the program has asked for it. Gives NEW. */
static void *keep(void *old, void *new, uint64_t size, const void *caller)
{
    if (!plan.blocks || (!old && !(new &&is_program(caller))))
        return new;
    while (atomic_flag_test_and_set(&plan.lock))
        ;
    if (old) {
        unsigned int at = find_block(old);

        if (plan.blocks[at].memory)
            remove_block(at);
    }
    if (new &&is_program(caller) && plan.used < BLOCKS / 2) {
        plan.blocks[find_block(new)] =
            (struct block){.memory = new, .size = size, .caller = (uintptr_t)caller};
        plan.used++;
    }
    atomic_flag_clear(&plan.lock);
    return new;
}

/* After those of the program itself. A process that ends by _exit(2) is not asked. */
__attribute__((destructor)) static void look_at_what_is_kept(void)
{
    struct block largest = {0};

    if (!plan.ready)
        return;
    plan.ready = false;
    for (unsigned int i = 0; i < BLOCKS && plan.used; i++) {
        if (plan.blocks[i].memory && plan.blocks[i].size >= largest.size)
            largest = plan.blocks[i];
    }
    atomic_fetch_add(&plan.report->kept_blocks, plan.used);
    if (largest.memory) {
        atomic_store(&plan.report->kept_from, largest.caller - plan.program_begin);
        atomic_store(&plan.report->kept_size, largest.size);
    }
    for (int fd = 3; fd < 1024; fd++)
        atomic_fetch_add(&plan.report->kept_files, fcntl(fd, F_GETFD) >= 0);
}

/* --- what fails --- */

/* Whether this call fails; errno is set then. */
static bool must_fail(enum kind kind, const void *caller)
{
    uint64_t number;

    if (!plan.ready || plan.kind != kind || (plan.own_only && !is_program(caller)))
        return false;
    number = atomic_fetch_add(&plan.report->made, 1) + 1;
    if (number != plan.at && number < plan.from && number % plan.every != 0)
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

/* A call that moves bytes: it fails, or moves only some of them. */
#define MOVE(kind, size, call)                                                                     \
    do {                                                                                           \
        if (FAILS(kind)) {                                                                         \
            if (plan.error)                                                                        \
                return -1;                                                                         \
            (size) = !plan.piece           ? (size) / 2 + (size) % 2                               \
                     : (size) > plan.piece ? plan.piece                                            \
                                           : (size);                                               \
        }                                                                                          \
        return call;                                                                               \
    } while (0)

#define CALLER __builtin_return_address(0)

void *malloc(size_t size)
{
    return FAILS(MEMORY) ? NULL : keep(NULL, __libc_malloc(size), size, CALLER);
}

void *calloc(size_t count, size_t size)
{
    return FAILS(MEMORY) ? NULL : keep(NULL, __libc_calloc(count, size), count * size, CALLER);
}

/* A block that cannot grow stays. That OLD is taken out before it is free is for other threads. */
static void *resize(void *old, size_t size, const void *caller)
{
    void *new;

    keep(old, NULL, 0, caller);
    new = __libc_realloc(old, size);
    keep(NULL, new || !size ? new : old, size, caller);
    return new;
}

void *realloc(void *memory, size_t size)
{
    return FAILS(MEMORY) ? NULL : resize(memory, size, CALLER);
}

void *reallocarray(void *memory, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) {
        errno = ENOMEM;
        return NULL;
    }
    return FAILS(MEMORY) ? NULL : resize(memory, count * size, CALLER);
}

/* In it glibc calls its own malloc(), which would be nobody's. */
char *strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = FAILS(MEMORY) ? NULL : keep(NULL, __libc_malloc(size), size, CALLER);

    return copy ? memcpy(copy, text, size) : NULL;
}

void free(void *memory)
{
    keep(memory, NULL, 0, NULL);
    __libc_free(memory);
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

/* The request of sock_diag for the missing family becomes one for a family that no kernel knows. */
static const void *ask_for_missing(const void *request, size_t size, void *copy, size_t room)
{
    const struct nlmsghdr *message = request;

    if (plan.missing_family == AF_UNSPEC || size <= NLMSG_HDRLEN || size > room ||
        message->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
        ((const struct sock_diag_req *)NLMSG_DATA(message))->sdiag_family != plan.missing_family)
        return request;
    memcpy(copy, request, size);
    ((struct sock_diag_req *)NLMSG_DATA(copy))->sdiag_family = AF_MAX - 1;
    return copy;
}

ssize_t sendto(int fd, const void *buffer, size_t size, int flags, __CONST_SOCKADDR_ARG to,
               socklen_t length)
{
    _Alignas(struct nlmsghdr) char copy[4096];

    buffer = ask_for_missing(buffer, size, copy, sizeof(copy));
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
