/* SPDX-License-Identifier: MIT */
/* Two hand-made snapshots for checks of the doctor: a process (pid 100), a namespace, three
 * seconds. */
#pragma once

#include "derive/health/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WINDOW_NS UINT64_C(3000000000)

struct patient {
    struct snapshot before, now;
    uint32_t inode; /* of the newest socket */
};

static inline void patient_begin(struct patient *patient)
{
    struct snapshot *const both[] = {&patient->before, &patient->now};
    uint32_t index;

    *patient = (struct patient){.inode = 1000};
    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        assert_int_equal(snapshot_init(both[i]), 0);
        assert_int_equal(snapshot_add_netns(both[i], 4026531840u, &index), 0);
        both[i]->netns[index].flags |= NETNS_READ;
        assert_int_equal(snapshot_add_process(both[i], 100, &index), 0);
        both[i]->boot_ns = i * WINDOW_NS;
        both[i]->owners_known = 1;
    }
}

static inline void patient_end(struct patient *patient)
{
    snapshot_done(&patient->before);
    snapshot_done(&patient->now);
}

/* A TCP socket of the process in one of the snapshots; the same cookie is the same socket. Valid
 * until the next. */
static inline struct socket *patient_socket(struct patient *patient, struct snapshot *snapshot,
                                            uint64_t cookie, enum socket_state state)
{
    struct socket *socket = snapshot_add_socket(snapshot);
    struct tcp_details *tcp;

    assert_non_null(socket);
    *socket = (struct socket){
        .proto = PROTO_TCP,
        .family = AF_INET,
        .type = SOCK_STREAM,
        .state = (uint8_t)state,
        .cookie = cookie,
        .inode = ++patient->inode,
        .has = SOCKET_HAS_COOKIE | SOCKET_HAS_INODE | SOCKET_HAS_QUEUES | SOCKET_HAS_TIMER,
        .local_port = 80,
        .peer_port = state == STATE_LISTENING ? 0 : 4242,
    };
    assert_int_equal(
        snapshot_add_holder(snapshot, (struct holder){.inode = patient->inode, .fd = 3}), 0);
    tcp = snapshot_add_tcp(snapshot, socket);
    assert_non_null(tcp);
    tcp->known = TCP_INFO_RCV_WND;
    return socket;
}

/* Details of a socket that patient_socket() made. */
static inline struct tcp_details *patient_tcp(struct snapshot *snapshot, struct socket *socket)
{
    return &snapshot->tcp_infos[socket->tcp - 1];
}

/* A counter of the namespace, at both ends. */
static inline void patient_counter(struct patient *patient, const char *name, uint64_t before,
                                   uint64_t now)
{
    struct snapshot *const both[] = {&patient->before, &patient->now};

    for (size_t i = 0; i < ARRAY_SIZE(both); i++) {
        struct counter *counter = snapshot_add_counter(both[i]);

        assert_non_null(counter);
        assert_int_equal(snapshot_intern(both[i], name, strlen(name), &counter->name), 0);
        counter->value = i ? now : before;
    }
}

/* A setting of the namespace. */
static inline void patient_setting(struct patient *patient, const char *name, uint64_t first,
                                   uint64_t second, const char *text)
{
    struct snapshot *now = &patient->now;
    struct setting *setting = snapshot_add_setting(now);

    assert_non_null(setting);
    setting->numbers[0] = first;
    setting->numbers[1] = second;
    setting->count = 2;
    assert_int_equal(snapshot_intern(now, name, strlen(name), &setting->name), 0);
    assert_int_equal(snapshot_intern(now, text, strlen(text), &setting->text), 0);
}

/* The range that the kernel chooses ports from. */
static inline void patient_port_range(struct patient *patient, uint32_t low, uint32_t high)
{
    struct netns *netns = &patient->now.netns[0];

    netns->port_low = low;
    netns->port_high = high;
    netns->flags |= NETNS_HAS_PORT_RANGE;
}

/*
 * What a glance, or a closer look, finds must be all that there is, unless something is suspected
 * by it: without owners, as neither reads them.
 */
static inline void patient_look(const struct patient *patient, const struct health_plan *plan,
                                enum health_look seen, uint32_t count)
{
    struct snapshot glance = patient->now;
    struct request request = REQUEST_ALL;
    struct findings findings;
    struct join join;
    bool needed;

    glance.holders_count = glance.owners_known = 0;
    assert_int_equal(join_make(&glance, NEED_SOCKETS, &join), 0);
    assert_int_equal(
        health_request_next(plan, seen, &patient->before, &glance, &join, &request, &needed), 0);
    if (!needed) {
        assert_int_equal(health_examine(plan, &patient->before, &glance, &join, &findings), 0);
        assert_int_equal(findings.count, count);
        findings_done(&findings);
    }
    join_done(&join);
}

/* The worst that one check finds; *ret_count of how many. */
static inline enum severity patient_examine(const struct patient *patient, const char *name,
                                            uint32_t *ret_count)
{
    struct limit limits[64][CHECK_LIMITS_MAX];
    uint32_t chosen = check_find(name);
    struct health_plan plan = {.chosen = &chosen, .chosen_count = 1, .limits = limits[0]};
    struct findings findings;
    enum severity worst;
    struct join join;

    assert_int_not_equal(chosen, HEALTH_NONE);
    assert_true(check_count <= ARRAY_SIZE(limits));
    for (uint32_t i = 0; i < check_count; i++)
        for (uint32_t j = 0; j < CHECK_LIMITS_MAX; j++)
            limits[i][j] = checks[i]->thresholds[j].usual;
    assert_int_equal(join_make(&patient->now, NEED_SOCKETS | NEED_OWNERS, &join), 0);
    assert_int_equal(health_examine(&plan, &patient->before, &patient->now, &join, &findings), 0);
    worst = findings_worst(&findings);
    *ret_count = findings.count;
    findings_done(&findings);
    join_done(&join);
    patient_look(patient, &plan, HEALTH_GLANCE, *ret_count);
    if (checks[chosen]->confirms)
        patient_look(patient, &plan, HEALTH_CLOSER, *ret_count);
    return worst;
}
