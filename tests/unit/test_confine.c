/* SPDX-License-Identifier: MIT */
/* What the processes of the server can not do: each thing is tried in a process that is confined as
 * they are, on a store that anybody may write by its mode. */
#include "base/confine.h"

#include "base/cleanup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define CONTENT "the history"

/* Of a child that is not as the server's are. */
#define NOT_CONFINED 255

enum process {
    ANSWERER,    /* talks with clients */
    ASKER,       /* has questions answered */
    ASKER_CHILD, /* answers one */
    PROCESS_MAX,
};

struct scene {
    char directory[64], store[96], beside[96], elsewhere[64];
    int listener; /* 127.0.0.1 */
    struct sockaddr_in address;
    int client; /* a socket that is not connected */
    int opened; /* the store, for reading only */
};

/* --- what is tried: 0 where it could be done, else -1 with errno --- */

static int try_open(const char *path, int flags)
{
    return open(path, flags | O_CLOEXEC, 0600) < 0 ? -1 : 0;
}

static int write_store(const struct scene *scene)
{
    return try_open(scene->store, O_WRONLY);
}

static int change_store(const struct scene *scene)
{
    return try_open(scene->store, O_RDWR);
}

static int append_to_store(const struct scene *scene)
{
    return try_open(scene->store, O_WRONLY | O_APPEND);
}

static int empty_store_by_reading(const struct scene *scene)
{
    return try_open(scene->store, O_RDONLY | O_TRUNC);
}

static int create_beside(const struct scene *scene)
{
    return try_open(scene->beside, O_WRONLY | O_CREAT);
}

static int create_by_reading(const struct scene *scene)
{
    return try_open(scene->beside, O_RDONLY | O_CREAT);
}

static int create_without_name(const struct scene *scene)
{
    return try_open(scene->directory, O_TMPFILE | O_RDWR);
}

/* As openat(2), by a number that a filter of that alone does not know. */
static int open_otherwise(const struct scene *scene)
{
    const struct {
        uint64_t flags, mode, resolve;
    } how = {.flags = O_RDWR};

    return syscall(437 /* openat2 */, AT_FDCWD, scene->store, &how, sizeof(how)) < 0 ? -1 : 0;
}

#ifdef __x86_64__
static int open_as_x32(const struct scene *scene)
{
    return syscall(0x40000000 | SYS_openat, AT_FDCWD, scene->store, O_RDWR, 0) < 0 ? -1 : 0;
}

static int create_as_of_old(const struct scene *scene)
{
    return syscall(SYS_creat, scene->beside, 0600) < 0 ? -1 : 0;
}
#endif

static int truncate_store(const struct scene *scene)
{
    return truncate(scene->store, 0);
}

static int truncate_opened(const struct scene *scene)
{
    return ftruncate(scene->opened, 0);
}

static int write_opened(const struct scene *scene)
{
    return pwrite(scene->opened, "x", 1, 0) < 0 ? -1 : 0;
}

static int map_opened(const struct scene *scene)
{
    return mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, scene->opened, 0) == MAP_FAILED ? -1
                                                                                             : 0;
}

static int remove_store(const struct scene *scene)
{
    return unlink(scene->store);
}

static int rename_store(const struct scene *scene)
{
    return rename(scene->store, scene->beside);
}

static int link_store(const struct scene *scene)
{
    return link(scene->store, scene->beside);
}

static int make_link(const struct scene *scene)
{
    return symlink(scene->store, scene->beside);
}

static int make_directory(const struct scene *scene)
{
    return mkdir(scene->beside, 0700);
}

static int make_fifo(const struct scene *scene)
{
    return mkfifo(scene->beside, 0600);
}

static int change_mode(const struct scene *scene)
{
    return chmod(scene->store, 04777);
}

static int write_memory_of_recorder(const struct scene *scene)
{
    char path[32];

    (void)scene;
    snprintf(path, sizeof(path), "/proc/%d/mem", getppid());
    return try_open(path, O_RDWR);
}

static int poke_recorder(const struct scene *scene)
{
    struct iovec own = {.iov_base = (void *)(uintptr_t) "x", .iov_len = 1};
    struct iovec other = {.iov_base = (void *)(uintptr_t)scene, .iov_len = 1};

    return process_vm_writev(getppid(), &own, 1, &other, 1, 0) < 0 ? -1 : 0;
}

static int trace_recorder(const struct scene *scene)
{
    (void)scene;
    return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL) < 0 ? -1 : 0;
}

static int connect_out(const struct scene *scene)
{
    return connect(scene->client, (const struct sockaddr *)&scene->address, sizeof(scene->address));
}

static int make_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? -1 : 0;
}

static int make_unix_socket(const struct scene *scene)
{
    (void)scene;
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0 ? -1 : 0;
}

static int listen_elsewhere(const struct scene *scene)
{
    const struct sockaddr_in any = {.sin_family = AF_INET};

    return bind(scene->client, (const struct sockaddr *)&any, sizeof(any));
}

static int run_program(const struct scene *scene)
{
    char *const words[] = {(char *)(uintptr_t) "true", NULL};

    (void)scene;
    return execv("/bin/true", words);
}

static int run_descriptor(const struct scene *scene)
{
    char *const words[] = {(char *)(uintptr_t) "true", NULL}, *const none[] = {NULL};

    return (int)syscall(SYS_execveat, scene->opened, "", words, none, AT_EMPTY_PATH);
}

static int become_root(const struct scene *scene)
{
    (void)scene;
    return setresuid(0, 0, 0);
}

static int make_namespace(const struct scene *scene)
{
    (void)scene;
    return unshare(CLONE_NEWUSER | CLONE_NEWNS);
}

static int mount_something(const struct scene *scene)
{
    return mount("none", scene->elsewhere, "tmpfs", 0, NULL);
}

static int load_bpf(const struct scene *scene)
{
    (void)scene;
    return (int)syscall(SYS_bpf, 0, NULL, 0) < 0 ? -1 : 0;
}

/* Which would do the rest without a system call of its own. */
static int use_io_uring(const struct scene *scene)
{
    char parameters[120] = {0};

    (void)scene;
    return (int)syscall(425 /* io_uring_setup */, 1, parameters) < 0 ? -1 : 0;
}

static int fork_another(const struct scene *scene)
{
    pid_t child = fork();

    (void)scene;
    if (child == 0)
        _exit(0);
    if (child > 0)
        waitpid(child, NULL, 0);
    return child < 0 ? -1 : 0;
}

static int signal_recorder(const struct scene *scene)
{
    (void)scene;
    return kill(getppid(), 0);
}

static int read_store(const struct scene *scene)
{
    return try_open(scene->store, O_RDONLY);
}

static int read_elsewhere(const struct scene *scene)
{
    return try_open(scene->elsewhere, O_RDONLY | O_DIRECTORY);
}

#define IN(process) (1u << (process))
#define IN_ALL (IN(PROCESS_MAX) - 1)

static const struct attempt {
    const char *name;
    int (*try)(const struct scene *scene);
    unsigned int refused_in; /* IN() */
    bool by_landlock;
} attempts[] = {
    {"open the store to write it", write_store, IN_ALL, false},
    {"open the store to change it", change_store, IN_ALL, false},
    {"open the store to add to it", append_to_store, IN_ALL, false},
    {"empty the store by opening it to read", empty_store_by_reading, IN_ALL, false},
    {"create a file beside it", create_beside, IN_ALL, false},
    {"create a file by opening it to read", create_by_reading, IN_ALL, false},
    {"create a file without a name", create_without_name, IN_ALL, false},
    {"openat2", open_otherwise, IN_ALL, false},
#ifdef __x86_64__
    {"openat of x32", open_as_x32, IN_ALL, false},
    {"creat", create_as_of_old, IN_ALL, false},
#endif
    {"truncate the store", truncate_store, IN_ALL, false},
    {"truncate an open file", truncate_opened, IN_ALL, false},
    {"write to a file that is open to read", write_opened, IN_ALL, false},
    {"map it to write", map_opened, IN_ALL, false},
    {"remove the store", remove_store, IN_ALL, false},
    {"rename the store", rename_store, IN_ALL, false},
    {"link the store", link_store, IN_ALL, false},
    {"make a symbolic link", make_link, IN_ALL, false},
    {"make a directory", make_directory, IN_ALL, false},
    {"make a fifo", make_fifo, IN_ALL, false},
    {"change the mode of the store", change_mode, IN_ALL, false},
    {"open the memory of the recorder", write_memory_of_recorder, IN_ALL, false},
    {"write to the memory of the recorder", poke_recorder, IN_ALL, false},
    {"trace the recorder", trace_recorder, IN_ALL, false},
    {"connect a socket", connect_out, IN_ALL, false},
    {"make a socket", make_socket, IN_ALL, false},
    {"make a unix socket", make_unix_socket, IN_ALL, false},
    {"bind a socket", listen_elsewhere, IN_ALL, false},
    {"run a program", run_program, IN_ALL, false},
    {"run an open file", run_descriptor, IN_ALL, false},
    {"become root", become_root, IN_ALL, false},
    {"make namespaces", make_namespace, IN_ALL, false},
    {"mount", mount_something, IN_ALL, false},
    {"load BPF", load_bpf, IN_ALL, false},
    {"use io_uring", use_io_uring, IN_ALL, false},
    {"fork", fork_another, IN(ANSWERER) | IN(ASKER_CHILD), false},
    {"send a signal", signal_recorder, IN(ANSWERER) | IN(ASKER_CHILD), false},
    {"read the store", read_store, IN(ANSWERER), false},
    {"read what is elsewhere", read_elsewhere, IN_ALL, true},
};

/* --- the processes --- */

static int confine_as(enum process process, const struct scene *scene)
{
    const char *const readable[] = {scene->directory};
    int r;

    if (process == ANSWERER)
        return confine();
    r = confine_to_ask(readable, ARRAY_SIZE(readable));
    return r == 0 && process == ASKER_CHILD ? confine_to_read() : r;
}

/* The errno of one that is confined; 0: it could do it; NOT_CONFINED; or -1: it was ended. */
static int outcome(const struct attempt *attempt, enum process process, const struct scene *scene)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (confine_as(process, scene) < 0)
            _exit(NOT_CONFINED);
        _exit(attempt->try(scene) == 0 ? 0 : errno);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static void check_attempt(const struct attempt *attempt, enum process process,
                          const struct scene *scene)
{
    int error = outcome(attempt, process, scene);
    bool is_refused = error == EPERM || error == EACCES ||
                      /* it has no right to write, which the kernel tells first */
                      ((attempt->try == write_opened || attempt->try == truncate_opened) &&
                       (error == EBADF || error == EINVAL));
    bool must = attempt->refused_in & IN(process);

    if (attempt->by_landlock && process != ANSWERER && !has_landlock())
        return;
    if (is_refused != must)
        print_error("%s: %s in process %u\n", attempt->name,
                    error > 0 ? strerror(error)
                    : error   ? "was ended"
                              : "could be done",
                    process);
    assert_int_equal(is_refused, must);
    if (!must)
        assert_int_equal(error, 0);
}

static void check_untouched(const struct scene *scene)
{
    char content[sizeof(CONTENT) + 1] = "";
    struct stat status;
    int fd = open(scene->store, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(read(fd, content, sizeof(content)), strlen(CONTENT));
    assert_string_equal(content, CONTENT);
    assert_int_equal(fstat(fd, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0666);
    close(fd);
    assert_int_equal(access(scene->beside, F_OK), -1);
}

static void nothing_but_its_own_work_can_be_done(void **state)
{
    const struct scene *scene = *state;

    for (enum process process = 0; process < PROCESS_MAX; process++)
        for (size_t i = 0; i < ARRAY_SIZE(attempts); i++) {
            check_attempt(&attempts[i], process, scene);
            check_untouched(scene);
        }
}

/* So that a refusal is that of the confinement. */
static void who_is_not_confined_can_do_it(void **state)
{
    const struct scene *scene = *state;
    static int (*const able[])(const struct scene *) = {
        write_store, change_store,     append_to_store, create_without_name, connect_out,
        make_socket, make_unix_socket, fork_another,    read_store,          read_elsewhere,
    };

    for (size_t i = 0; i < ARRAY_SIZE(able); i++)
        assert_int_equal(able[i](scene), 0);
    assert_int_equal(create_beside(scene), 0);
    assert_int_equal(unlink(scene->beside), 0);
    check_untouched(scene);
}

/* --- the scene --- */

static int begin(void **state)
{
    static struct scene scene;
    socklen_t length = sizeof(scene.address);
    int fd;

    scene = (struct scene){
        .directory = "/tmp/nwho-test-XXXXXX",
        .elsewhere = "/tmp/nwho-test-XXXXXX",
        .address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    if (!mkdtemp(scene.directory) || !mkdtemp(scene.elsewhere))
        return -1;
    chmod(scene.directory, 0777);
    chmod(scene.elsewhere, 0777);
    snprintf(scene.store, sizeof(scene.store), "%s/h.db", scene.directory);
    snprintf(scene.beside, sizeof(scene.beside), "%s/beside", scene.directory);
    fd = open(scene.store, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, CONTENT, strlen(CONTENT)) < 0 || fchmod(fd, 0666) < 0)
        return -1;
    close(fd);
    scene.opened = open(scene.store, O_RDONLY | O_CLOEXEC);
    scene.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    scene.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(scene.listener, (const struct sockaddr *)&scene.address, sizeof(scene.address)) < 0 ||
        listen(scene.listener, 1) < 0 ||
        getsockname(scene.listener, (struct sockaddr *)&scene.address, &length) < 0)
        return -1;
    *state = &scene;
    return 0;
}

static int end(void **state)
{
    const struct scene *scene = *state;

    close(scene->opened);
    close(scene->client);
    close(scene->listener);
    unlink(scene->store);
    rmdir(scene->elsewhere);
    return rmdir(scene->directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_but_its_own_work_can_be_done),
        cmocka_unit_test(who_is_not_confined_can_do_it),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
