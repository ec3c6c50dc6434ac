/* SPDX-License-Identifier: MIT */
/* Tests of namespaces and local sockets against this process's own: no privilege needed. */
#include "collect/netns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

/* No namespace has this number: it is the last one of 32 bits. */
#define NO_INODE UINT32_MAX

struct fixture {
    struct snapshot snapshot;
    struct request request;
    struct collection collection;
};

static void fixture_open(struct fixture *fixture)
{
    *fixture = (struct fixture){.request = {.needs = NEED_SOCKETS,
                                            .protos = PROTO_ALL,
                                            .states = STATE_ALL,
                                            .families = FAMILY_INET,
                                            .sources = SOURCE_ALL}};
    assert_int_equal(snapshot_init(&fixture->snapshot), 0);
    fixture->collection = (struct collection){
        .snapshot = &fixture->snapshot, .request = &fixture->request, .own_netns = -1};
}

static void fixture_close(struct fixture *fixture)
{
    if (fixture->collection.own_netns >= 0)
        close(fixture->collection.own_netns);
    map_done(&fixture->collection.by_cookie);
    snapshot_done(&fixture->snapshot);
}

static uint32_t own_inode(void)
{
    struct stat status;

    assert_int_equal(stat("/proc/self/ns/net", &status), 0);
    return (uint32_t)status.st_ino;
}

static uint32_t socket_inode(int fd)
{
    struct stat status;

    assert_int_equal(fstat(fd, &status), 0);
    return (uint32_t)status.st_ino;
}

static const struct socket *find_socket(const struct snapshot *snapshot, uint32_t inode)
{
    const struct socket *found = NULL;

    for (uint32_t i = 0; i < snapshot->sockets_count; i++)
        if (snapshot->sockets[i].inode == inode) {
            assert_null(found);
            found = &snapshot->sockets[i];
        }
    return found;
}

static const struct setting *find_setting(const struct snapshot *snapshot, const char *name)
{
    const struct setting *found = NULL;

    for (uint32_t i = 0; i < snapshot->settings_count; i++)
        if (strcmp(snapshot_string(snapshot, snapshot->settings[i].name, NULL), name) == 0) {
            assert_null(found);
            found = &snapshot->settings[i];
        }
    return found;
}

static void settings_of_the_namespace_and_of_the_machine(void **state)
{
    struct fixture fixture;
    const struct setting *backlog, *files;
    unsigned long number;
    FILE *file = fopen("/proc/sys/net/core/somaxconn", "re");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &number), 1);
    fclose(file);
    fixture_open(&fixture);
    fixture.request.needs = NEED_SETTINGS;
    assert_int_equal(netns_discover(&fixture.collection), 0);
    assert_int_equal(collector_settings.collect(&fixture.collection), 0);
    backlog = find_setting(&fixture.snapshot, "net.core.somaxconn");
    files = find_setting(&fixture.snapshot, "fs.file-nr");
    assert_non_null(backlog);
    assert_int_equal(backlog->count, 1);
    assert_int_equal(backlog->numbers[0], number);
    assert_int_equal(backlog->flags, 0);
    assert_non_null(files);
    assert_int_equal(files->count, 3);
    assert_int_equal(files->flags, SETTING_MACHINE);
    fixture_close(&fixture);
}

static void words_for_namespaces(void **state)
{
    char pid[16], inode[16];
    uint32_t number = 7;

    (void)state;
    snprintf(pid, sizeof(pid), "%d", getpid());
    snprintf(inode, sizeof(inode), "%u", own_inode());
    assert_int_equal(netns_parse("no-such-name-of-nwho", &number), -ENOENT);
    assert_int_equal(netns_parse("/no/such/path", &number), -ENOENT);
    assert_int_equal(netns_parse("4194304", &number), -ESRCH);
    assert_true(netns_parse("4294967295", &number) < 0);
    assert_int_equal(netns_parse("99999999999999999999", &number), -ENOENT);
    assert_int_equal(netns_parse("", &number), -EINVAL);
    assert_int_equal(netns_parse("..", &number), -EINVAL);
    assert_int_equal(netns_parse("/dev/null", &number), -EINVAL);
    assert_int_equal(netns_parse("/proc/self/ns/mnt", &number), -EINVAL);
    assert_int_equal(number, 7);
    assert_int_equal(netns_parse(pid, &number), 0);
    assert_int_equal(number, own_inode());
    assert_int_equal(netns_parse(inode, &number), 0);
    assert_int_equal(number, own_inode());
    assert_int_equal(netns_parse("/proc/self/ns/net", &number), 0);
    assert_int_equal(number, own_inode());
}

static int give_up(struct collection *collection, uint32_t netns)
{
    assert_int_equal(collection->snapshot->netns[netns].inode, own_inode());
    return -ECANCELED;
}

static int count_call(struct collection *collection, uint32_t netns)
{
    (void)netns;
    collection->protos_done++;
    return 0;
}

static void own_namespace_is_first(void **state)
{
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    assert_int_equal(netns_discover(&fixture.collection), 0);
    assert_int_equal(fixture.snapshot.netns[0].inode, own_inode());
    assert_true(fixture.snapshot.netns[0].flags & NETNS_SELF);
    assert_true(fixture.snapshot.netns[0].flags & NETNS_READ);
    assert_int_equal(netns_for_each(&fixture.collection, give_up), -ECANCELED);
    assert_int_equal(netns_for_each(&fixture.collection, count_call), 0);
    assert_int_equal(fixture.collection.protos_done, 1);
    fixture_close(&fixture);
}

static void missing_namespace_is_incomplete(void **state)
{
    uint32_t inodes[] = {NO_INODE};
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    fixture.request.netns_scope = NETNS_SCOPE_LISTED;
    fixture.request.netns_inodes = inodes;
    fixture.request.netns_count = 1;
    assert_int_equal(netns_discover(&fixture.collection), 0);
    assert_int_equal(fixture.snapshot.incomplete, 1);
    assert_false(fixture.snapshot.netns[0].flags & NETNS_READ);
    assert_int_equal(netns_for_each(&fixture.collection, count_call), 0);
    assert_int_equal(fixture.collection.protos_done, 0);
    fixture_close(&fixture);
}

/*
 * A listening socket with an abstract name that holds a NUL and a newline; the name is unique by
 * the pid.
 */
static int listen_abstract(char *name, size_t size, size_t *ret_length)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    *ret_length = (size_t)snprintf(name, size, "nwho-test-%d?\nend", getpid());
    *strchr(name, '?') = '\0';
    memcpy(address.sun_path + 1, name, *ret_length);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + *ret_length)),
                     0);
    assert_int_equal(listen(fd, 9), 0);
    return fd;
}

/* What sock_diag tells, or where it may not be asked, that /proc/net takes its place. */
static void own_sockets_are_found(void **state)
{
    char name[64];
    size_t length, found_length;
    int listening = listen_abstract(name, sizeof(name), &length), pair[2];
    const struct socket *socket;
    struct fixture fixture;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    fixture_open(&fixture);
    assert_int_equal(netns_discover(&fixture.collection), 0);
    assert_int_equal(collector_unix_diag.collect(&fixture.collection), 0);
    assert_int_equal(collector_proc_net.collect(&fixture.collection), 0);
    assert_int_equal(fixture.snapshot.incomplete, 0);
    socket = find_socket(&fixture.snapshot, socket_inode(pair[0]));
    assert_non_null(socket);
    assert_int_equal(socket->state, STATE_ESTABLISHED);
    assert_int_equal(socket->type, SOCK_STREAM);
    if (socket->has & SOCKET_HAS_PEER_INODE)
        assert_int_equal(socket->peer_inode, socket_inode(pair[1]));
    socket = find_socket(&fixture.snapshot, socket_inode(listening));
    assert_non_null(socket);
    assert_int_equal(socket->state, STATE_LISTENING);
    assert_true(socket->flags & SOCKET_ABSTRACT);
    if (socket->has & SOCKET_HAS_BACKLOG) {
        assert_int_equal(socket->send_q, 9);
        assert_memory_equal(snapshot_string(&fixture.snapshot, socket->path, &found_length), name,
                            length);
        assert_int_equal(found_length, length);
    }
    fixture_close(&fixture);
    close(listening);
    close(pair[0]);
    close(pair[1]);
}

/* The file's only line for our socket is cut at the newline; the rest of the name is no row. */
static void the_fallback_finds_them_too(void **state)
{
    char name[64];
    size_t length;
    int listening = listen_abstract(name, sizeof(name), &length);
    const struct socket *socket;
    struct fixture fixture;

    (void)state;
    fixture_open(&fixture);
    fixture.request.protos = PROTO_BIT(PROTO_UNIX);
    assert_int_equal(netns_discover(&fixture.collection), 0);
    assert_int_equal(collector_proc_net.collect(&fixture.collection), 0);
    socket = find_socket(&fixture.snapshot, socket_inode(listening));
    assert_non_null(socket);
    assert_int_equal(socket->state, STATE_LISTENING);
    assert_false(socket->has & (SOCKET_HAS_UID | SOCKET_HAS_QUEUES | SOCKET_HAS_PEER_INODE));
    assert_true(fixture.snapshot.notes_count > 0);
    assert_int_equal(fixture.collection.protos_done, PROTO_BIT(PROTO_UNIX));
    fixture_close(&fixture);
    close(listening);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_for_namespaces),
        cmocka_unit_test(own_namespace_is_first),
        cmocka_unit_test(missing_namespace_is_incomplete),
        cmocka_unit_test(own_sockets_are_found),
        cmocka_unit_test(settings_of_the_namespace_and_of_the_machine),
        cmocka_unit_test(the_fallback_finds_them_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
