/* SPDX-License-Identifier: MIT */
/* The BPF sources on real sockets in a namespace of their own; skips where they may not load. */
#include "bpf/iterators.h"
#include "collect/netns.h"
#include "collect/proc_file.h"
#include "collect/programs.h"
#include "collect/tasks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* Everything that a test has to give back. */
struct scene {
    struct snapshot snapshot;
    struct collection collection;
    struct request request;
    int listener, client, waiting, accepted, datagram;
    uint16_t port;
};

static void raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
    close(fd);
}

/* True when this process may load BPF and has a namespace of its own now. */
static bool enter(void)
{
    struct iterator iterator = ITERATOR_INIT;

    if (iterator_open(ITERATOR_TASK_FILE, &iterator) < 0)
        return false;
    iterator_close(&iterator);
    if (unshare(CLONE_NEWNET) < 0)
        return false;
    raise_loopback();
    return true;
}

static int stream(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    return fd;
}

static int connect_to(struct sockaddr_in address)
{
    int fd = stream();

    assert_int_equal(connect(fd, (void *)&address, sizeof(address)), 0);
    return fd;
}

/* A listener with one connection accepted and one that waits, and a UDP socket. */
static void make_sockets(struct scene *scene)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    scene->listener = stream();
    assert_int_equal(bind(scene->listener, (void *)&address, sizeof(address)), 0);
    assert_int_equal(listen(scene->listener, 9), 0);
    assert_int_equal(getsockname(scene->listener, (void *)&address, &size), 0);
    scene->port = ntohs(address.sin_port);
    scene->client = connect_to(address);
    scene->accepted = accept4(scene->listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(scene->accepted >= 0);
    assert_int_equal(send(scene->client, "12345", 5, 0), 5);
    scene->waiting = connect_to(address);
    scene->datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(scene->datagram >= 0);
    assert_int_equal(bind(scene->datagram, (void *)&address, sizeof(address)), 0);
}

static void collect(struct scene *scene, const struct collector *collector)
{
    scene->request = (struct request){.needs = NEED_SOCKETS | NEED_OWNERS,
                                      .protos = PROTO_BIT(PROTO_TCP) | PROTO_BIT(PROTO_UDP),
                                      .states = STATE_ALL,
                                      .families = FAMILY_INET,
                                      .sources = SOURCE_ALL,
                                      .prefer_bpf = true};
    assert_int_equal(snapshot_init(&scene->snapshot), 0);
    scene->collection =
        (struct collection){.snapshot = &scene->snapshot,
                            .request = &scene->request,
                            .own_netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
    assert_int_equal(netns_discover(&scene->collection), 0);
    assert_int_equal(collector->collect(&scene->collection), 0);
}

static void end(struct scene *scene)
{
    close(scene->listener);
    close(scene->client);
    close(scene->waiting);
    close(scene->accepted);
    close(scene->datagram);
    close(scene->collection.own_netns);
    map_done(&scene->collection.by_cookie);
    snapshot_done(&scene->snapshot);
}

/* The socket of a descriptor by its cookie, exactly once. */
static const struct socket *find(const struct scene *scene, int fd)
{
    const struct socket *found = NULL;
    uint64_t cookie;
    socklen_t size = sizeof(cookie);

    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
    for (uint32_t i = 0; i < scene->snapshot.sockets_count; i++)
        if (scene->snapshot.sockets[i].cookie == cookie) {
            assert_null(found);
            found = &scene->snapshot.sockets[i];
        }
    return found;
}

/* This process holds the inode of the descriptor, by that descriptor alone. */
static void assert_held(const struct scene *scene, int fd)
{
    const struct snapshot *snapshot = &scene->snapshot;
    unsigned int count = 0;
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    for (uint32_t i = 0; i < snapshot->holders_count; i++) {
        const struct holder *holder = &snapshot->holders[i];

        if (holder->inode != (uint32_t)status.st_ino)
            continue;
        assert_int_equal(holder->fd, fd);
        assert_int_equal(holder->tid, 0);
        assert_int_equal(snapshot->processes[holder->process].pid, getpid());
        assert_int_equal(snapshot->processes[holder->process].uid, geteuid());
        count++;
    }
    assert_int_equal(count, 1);
}

static void check_tcp(const struct scene *scene)
{
    const struct socket *listener = find(scene, scene->listener);
    const struct socket *accepted = find(scene, scene->accepted);
    unsigned int unaccepted = 0;

    assert_non_null(listener);
    assert_int_equal(listener->state, STATE_LISTENING);
    assert_int_equal(listener->local_port, scene->port);
    assert_int_equal(listener->recv_q, 1);
    assert_int_equal(listener->send_q, 9);
    assert_non_null(accepted);
    assert_int_equal(accepted->state, STATE_ESTABLISHED);
    assert_int_equal(accepted->recv_q, 5);
    assert_int_equal(accepted->local_port, scene->port);
    assert_int_equal(accepted->local.words[0], htonl(INADDR_LOOPBACK));
    assert_non_null(find(scene, scene->client));
    assert_non_null(find(scene, scene->waiting));
    for (uint32_t i = 0; i < scene->snapshot.sockets_count; i++) {
        const struct socket *socket = &scene->snapshot.sockets[i];

        unaccepted += socket->proto == PROTO_TCP && socket->inode == 0 &&
                      socket->state == STATE_ESTABLISHED && socket->local_port == scene->port;
    }
    assert_int_equal(unaccepted, 1);
}

static void test_sockets(void **state)
{
    struct scene scene = {0};

    (void)state;
    make_sockets(&scene);
    collect(&scene, &collector_sockets_bpf);
    if (scene.collection.protos_done == 0) { /* in a pid namespace */
        end(&scene);
        skip();
    }
    assert_int_equal(scene.snapshot.sockets_count, 6);
    check_tcp(&scene);
    assert_non_null(find(&scene, scene.datagram));
    assert_int_equal(find(&scene, scene.datagram)->state, STATE_UNCONNECTED);
    assert_held(&scene, scene.listener);
    assert_held(&scene, scene.accepted);
    assert_held(&scene, scene.datagram);
    assert_true(scene.collection.owners_done);
    end(&scene);
}

static void test_owners(void **state)
{
    struct scene scene = {0};

    (void)state;
    make_sockets(&scene);
    collect(&scene, &collector_owners_bpf);
    if (!scene.collection.owners_done) {
        end(&scene);
        skip();
    }
    assert_int_equal(scene.snapshot.sockets_count, 0);
    assert_int_equal(scene.snapshot.holders_count, 5);
    assert_held(&scene, scene.waiting);
    end(&scene);
}

struct seen {
    uint32_t netns;
    unsigned int count;
};

static int count_own(void *context, const struct record *record)
{
    struct seen *seen = context;

    seen->count += record->head->netns == seen->netns;
    return 0;
}

#define TRIES 1000
#define ALWAYS_TORN 1

/* Again while the table changes; where others never let it be there is nothing to test, which is
 * skipped once all is closed: what is left open is in the way of the next test. */
static int count_in_table(struct iterator *glance, uint32_t together, struct seen *seen)
{
    glance->filter->together = together;
    for (unsigned int i = 0; i < TRIES; i++) {
        int r;

        glance->filter->torn = 0;
        seen->count = 0;
        r = iterator_walk(glance, 0, count_own, seen);
        if (r < 0 || !glance->filter->torn)
            return r;
    }
    return ALWAYS_TORN;
}

static void skip_torn(void)
{
    print_message("skipped: the table of TCP changes all the time\n");
    skip();
}

/* The table of TCP in stretches, some of them or all together: each socket once. */
static void test_stretches(void **state)
{
    struct iterator glance = ITERATOR_INIT;
    struct scene scene = {0};
    struct stat own;
    struct seen seen;
    int r = 0;

    (void)state;
    if (iterator_open(ITERATOR_GLANCE, &glance) < 0)
        skip();
    make_sockets(&scene);
    assert_int_equal(stat("/proc/self/ns/net", &own), 0);
    seen.netns = glance.filter->netns = (uint32_t)own.st_ino;
    glance.filter->protos = PROTO_BIT(PROTO_TCP);
    for (uint32_t together = 1; r == 0 && together <= TABLE_STRETCHES; together *= 4) {
        r = count_in_table(&glance, together, &seen);
        assert_true(r == ALWAYS_TORN || (r == 0 && seen.count == 5));
    }
    iterator_close(&glance);
    scene.collection.own_netns = -1;
    assert_int_equal(snapshot_init(&scene.snapshot), 0);
    end(&scene);
    if (r == ALWAYS_TORN)
        skip_torn();
}

#define PAIRS 200 /* of them all records have no room in one buffer of the kernel */

static void test_full_stretches(void **state)
{
    struct iterator glance = ITERATOR_INIT;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int listener, clients[PAIRS], all, some;
    struct seen seen = {0};
    struct stat own;

    (void)state;
    if (iterator_open(ITERATOR_GLANCE, &glance) < 0)
        skip();
    listener = stream();
    assert_int_equal(listen(listener, PAIRS), 0);
    assert_int_equal(getsockname(listener, (void *)&address, &size), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned int i = 0; i < PAIRS; i++)
        clients[i] = connect_to(address);
    assert_int_equal(stat("/proc/self/ns/net", &own), 0);
    seen.netns = glance.filter->netns = (uint32_t)own.st_ino;
    glance.filter->protos = PROTO_BIT(PROTO_TCP);
    all = count_in_table(&glance, TABLE_STRETCHES, &seen);
    some = count_in_table(&glance, 1, &seen);
    for (unsigned int i = 0; i < PAIRS; i++)
        close(clients[i]);
    close(listener);
    iterator_close(&glance);
    if (all == ALWAYS_TORN || some == ALWAYS_TORN)
        skip_torn();
    assert_int_equal(all, -E2BIG);
    assert_int_equal(some, 0);
    assert_int_equal(seen.count, 2 * PAIRS + 1);
}

/* Reads all processes for a check of descriptors; whether this one is a suspect. */
static bool suspects_us(struct programs *programs)
{
    const struct request request = {.needs = NEED_SOCKETS | NEED_SUSPECTS | NEED_FDS,
                                    .protos = PROTO_BIT(PROTO_TCP),
                                    .states = STATE_ALL,
                                    .sources = SOURCE_ALL,
                                    .programs = programs,
                                    .passing = true,
                                    .fd_permille = 850,
                                    .netns_scope = NETNS_SCOPE_ALL};
    struct snapshot snapshot;
    struct collection collection = {.snapshot = &snapshot, .request = &request, .own_netns = -1};
    bool found = false;

    assert_int_equal(snapshot_init(&snapshot), 0);
    assert_int_equal(netns_discover(&collection), 0);
    assert_true(collection.suspects_known);
    for (uint32_t i = 0; i < collection.suspect_count; i++)
        found |= collection.suspects[i] == (uint32_t)getpid();
    free(collection.suspects);
    close(collection.own_netns);
    snapshot_done(&snapshot);
    return found;
}

/* The table of a process has 64 places at first. */
static void test_tasks(void **state)
{
    struct iterator glance = ITERATOR_INIT;
    struct programs *programs;
    struct rlimit kept, limit;

    (void)state;
    if (proc_pid_namespace() != PIDNS_FIRST || iterator_open(ITERATOR_GLANCE, &glance) < 0)
        skip();
    iterator_close(&glance);
    programs = programs_new();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &kept), 0);
    limit = kept;
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_true(suspects_us(programs));
    limit.rlim_cur = 512;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_false(suspects_us(programs));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &kept), 0);
    programs_free(programs);
}

static void test_suspects(void **state)
{
    const struct request programs = {.needs = NEED_EXE};
    const struct request descriptors = {.needs = NEED_FDS, .fd_permille = 500};
    struct record_task task = {.program = 1, .comm = "worker/0:1", .fd_places = 64, .fd_limit = 64};

    (void)state;
    assert_true(task_is_suspect(&programs, &task, true));
    assert_false(task_is_suspect(&programs, &task, false));
    memcpy(task.comm, "kworker/0:1", sizeof("kworker/0:1"));
    assert_true(task_is_suspect(&programs, &task, false));
    task.program = 0;
    assert_false(task_is_suspect(&programs, &task, false));
    task.fd_limit = 128;
    assert_true(task_is_suspect(&descriptors, &task, true));
    task.fd_limit = 129;
    assert_false(task_is_suspect(&descriptors, &task, true));
    task.fd_limit = UINT64_MAX;
    assert_false(task_is_suspect(&descriptors, &task, true));
}

/* A socket in time-wait has its state where others have something else. */
#define OVER 30

static int count_over(void *context, const struct record *record)
{
    struct seen *seen = context;

    seen->count += record->head->netns == seen->netns && record->head->state == STATE_TIME_WAIT;
    return 0;
}

/* In our namespace, as the walk counted it itself; it was cleared before. */
static uint32_t over_by_counts(const struct table_counts *counts, uint32_t netns)
{
    const struct counted_netns *counted = &counts->netns[netns % COUNTED_MAX];

    if (counted->inode != netns)
        return 0;
    return counted->states[STATE_TIME_WAIT] + counted->latest[STATE_TIME_WAIT];
}

/* Where the place of our namespace has been taken by another, there are heads instead. */
static int walk_over(struct iterator *glance, uint32_t brief_states, struct seen *seen)
{
    int r;

    glance->filter->torn = 0;
    glance->filter->brief_states = brief_states;
    memset(glance->counts, 0, sizeof(*glance->counts));
    seen->count = 0;
    r = iterator_walk(glance, 0, count_over, seen);
    if (r == 0)
        seen->count += over_by_counts(glance->counts, seen->netns);
    return r;
}

static void make_over(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int listener = stream();

    assert_int_equal(listen(listener, OVER), 0);
    assert_int_equal(getsockname(listener, (void *)&address, &size), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (unsigned int i = 0; i < OVER; i++) {
        int client = connect_to(address), served = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        char byte;

        assert_true(served >= 0);
        close(client);
        assert_int_equal(recv(served, &byte, 1, 0), 0);
        close(served);
    }
    close(listener);
}

static void test_over(void **state)
{
    struct iterator glance = ITERATOR_INIT;
    struct seen listed = {0}, counted = {0};
    struct stat own;
    int r = 0;

    (void)state;
    if (iterator_open(ITERATOR_GLANCE, &glance) < 0)
        skip();
    assert_int_equal(stat("/proc/self/ns/net", &own), 0);
    listed.netns = counted.netns = glance.filter->netns = (uint32_t)own.st_ino;
    glance.filter->protos = PROTO_BIT(PROTO_TCP);
    glance.filter->with_routes = 1;
    make_over();
    for (unsigned int i = 0; i < TRIES && (listed.count != OVER || counted.count != OVER); i++) {
        r = walk_over(&glance, 0, &listed);
        assert_int_equal(r, 0);
        r = walk_over(&glance, ~0u, &counted);
        assert_int_equal(r, 0);
    }
    iterator_close(&glance);
    assert_int_equal(listed.count, OVER);
    assert_int_equal(counted.count, OVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stretches), cmocka_unit_test(test_full_stretches),
        cmocka_unit_test(test_tasks),     cmocka_unit_test(test_suspects),
        cmocka_unit_test(test_sockets),   cmocka_unit_test(test_owners),
        cmocka_unit_test(test_over),
    };

    if (!enter())
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
