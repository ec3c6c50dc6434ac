/* SPDX-License-Identifier: MIT */
/* What is wrong with sockets, on hand-made readings. */
#include "derive/health/ills.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#define SECOND UINT64_C(1000000000)

struct moment {
    struct snapshot snapshot;
    struct socket *socket;
    struct tcp_details *tcp;
};

/* One established connection with nothing wrong. */
static void begin(struct moment *moment, uint64_t seconds)
{
    uint32_t netns;

    assert_int_equal(snapshot_init(&moment->snapshot), 0);
    assert_int_equal(snapshot_add_netns(&moment->snapshot, 4026531840u, &netns), 0);
    moment->snapshot.boot_ns = seconds * SECOND;
    moment->socket = snapshot_add_socket(&moment->snapshot);
    assert_non_null(moment->socket);
    moment->socket->proto = PROTO_TCP;
    moment->socket->state = STATE_ESTABLISHED;
    moment->socket->cookie = 77;
    moment->socket->has = SOCKET_HAS_COOKIE | SOCKET_HAS_QUEUES | SOCKET_HAS_TIMER;
    moment->tcp = snapshot_add_tcp(&moment->snapshot, moment->socket);
    assert_non_null(moment->tcp);
    moment->tcp->known = TCP_INFO_RCV_WND;
    moment->tcp->snd_wnd = moment->tcp->rcv_wnd = 65536;
    moment->tcp->segs_out = 1000;
}

static uint32_t ills(const struct moment *moment)
{
    return ills_of_socket(&moment->snapshot, NULL, NULL, 0);
}

static uint32_t ills_since(const struct moment *now, const struct moment *before)
{
    struct rates rates = {0};
    uint32_t found;

    assert_int_equal(rates_make(&now->snapshot, &before->snapshot, NULL, &rates), 0);
    found = ills_of_socket(&now->snapshot, NULL, &rates, 0);
    rates_done(&rates);
    return found;
}

static void one_reading(void **state)
{
    struct moment moment;

    (void)state;
    begin(&moment, 1);
    assert_int_equal(ills(&moment), 0);
    moment.socket->send_q = 5000;
    moment.tcp->snd_wnd = 0;
    assert_int_equal(ills(&moment), ILL_PEER_FULL);
    moment.socket->state = STATE_SYN_SENT;
    assert_int_equal(ills(&moment), 0);
    moment.socket->state = STATE_CLOSE_WAIT;
    assert_int_equal(ills(&moment), ILL_PEER_FULL | ILL_CLOSE_WAIT);
    moment.tcp->snd_wnd = 65536;
    moment.tcp->rcv_wnd = 0;
    assert_int_equal(ills(&moment), ILL_CLOSE_WAIT);
    moment.socket->recv_q = 1;
    assert_int_equal(ills(&moment), ILL_CLOSE_WAIT | ILL_UNREAD);
    snapshot_done(&moment.snapshot);
}

static void sent_again(void **state)
{
    struct moment before, now;

    (void)state;
    begin(&before, 1);
    begin(&now, 2);
    now.socket->timer = TIMER_RETRANSMIT;
    now.socket->retransmits = 2;
    assert_int_equal(ills(&now), 0);
    now.socket->retransmits = 3;
    assert_int_equal(ills(&now), ILL_SENT_AGAIN);
    now.socket->retransmits = 0;
    now.tcp->segs_out = 1150;
    now.tcp->total_retrans = 2;
    assert_int_equal(ills_since(&now, &before), 0);
    now.tcp->total_retrans = 3;
    assert_int_equal(ills_since(&now, &before), ILL_SENT_AGAIN);
    now.tcp->segs_out = 1151; /* fewer than one of fifty */
    assert_int_equal(ills_since(&now, &before), 0);
    snapshot_done(&before.snapshot);
    snapshot_done(&now.snapshot);
}

static void nobody_reads_what_comes(void **state)
{
    struct moment before, now;

    (void)state;
    begin(&before, 1);
    begin(&now, 2);
    before.tcp->bytes_received = 1000;
    before.socket->recv_q = 100;
    now.tcp->bytes_received = 1500;
    now.socket->recv_q = 600;
    assert_int_equal(ills_since(&now, &before), ILL_UNREAD);
    now.socket->recv_q = 599; /* a byte was read */
    assert_int_equal(ills_since(&now, &before), 0);
    before.socket->recv_q = 0; /* nothing waited at first */
    now.socket->recv_q = 500;
    assert_int_equal(ills_since(&now, &before), 0);
    snapshot_done(&before.snapshot);
    snapshot_done(&now.snapshot);
}

static void sick_sockets_by_cookie(void **state)
{
    CLEANUP(map_done) struct map found = {0};
    struct moment moment;

    (void)state;
    begin(&moment, 1);
    assert_int_equal(ills_map(&moment.snapshot, NULL, NULL, &found), 0);
    assert_int_equal(map_get(&found, 77), MAP_NONE);
    moment.socket->state = STATE_CLOSE_WAIT;
    assert_int_equal(ills_map(&moment.snapshot, NULL, NULL, &found), 0);
    assert_int_equal(map_get(&found, 77), ILL_CLOSE_WAIT);
    assert_string_equal(ill_word(0), "close-wait");
    snapshot_done(&moment.snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_reading),
        cmocka_unit_test(sent_again),
        cmocka_unit_test(nobody_reads_what_comes),
        cmocka_unit_test(sick_sockets_by_cookie),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
