/* SPDX-License-Identifier: MIT */
/* stuck: connections whose data waits because one side does not read. */
#include "derive/health/health.h"
#include "derive/health/ills.h"
#include "derive/health/tally.h"

enum limit_of_stuck {
    SINCE,
};

enum advice_of_stuck {
    PEER_DOES_NOT_READ,
    WE_DO_NOT_READ,
};

static const struct advice advice[] = {
    [PEER_DOES_NOT_READ] =
        {
            .cause = N_("the program at {peer} does not read: its window is closed, and the kernel "
                        "asks again and again "
                        "whether it opens"),
            .fix = {N_("look at the program at {peer}:{peer_port}: it is blocked or overloaded"),
                    N_("give {process} a timeout for what it sends (TCP_USER_TIMEOUT, or its own)"),
                    NULL},
            .avoid =
                {N_("larger buffers: they fill up as well"),
                 N_("waiting for the kernel: it never gives up while the other side answers its "
                    "probes"),
                 NULL},
            .next = {"nwho ls{in} pid {pid} stuck -o +send_q,snd_wnd,timer,last_send_ms", NULL},
        },
    [WE_DO_NOT_READ] =
        {
            .cause = N_("{process} does not read what has come: the window that the other side may "
                        "send into is closed"),
            .fix =
                {N_("look what {process} waits for (its stack, its log), and make it read again"),
                 NULL},
            .avoid = {N_("larger receive buffers: they fill up as well"), NULL},
            .next = {"nwho ls{in} pid {pid} stuck -o +recv_q,rcv_wnd,last_recv_ms",
                     "cat /proc/{pid}/stack", NULL},
        },
};

/* Both ways a connection can stand still, and since when; false: it does not. */
static bool stands_still(const struct examination *examination, const struct socket *socket,
                         uint32_t *ret_advice, uint64_t *ret_ms)
{
    const struct socket *earlier = health_socket_before(examination, socket);
    const struct tcp_details *tcp = snapshot_tcp(examination->now, socket);
    const struct tcp_details *before = earlier ? snapshot_tcp(examination->before, earlier) : NULL;

    if (!tcp || !before || tcp->known < TCP_INFO_BYTES_RECEIVED)
        return false;
    if (ill_peer_full(examination->now, socket) && tcp->bytes_acked == before->bytes_acked) {
        *ret_advice = PEER_DOES_NOT_READ;
        *ret_ms = tcp->last_data_sent_ms;
        return true;
    }
    if (ill_window_closed(examination->now, socket) && socket->recv_q >= earlier->recv_q &&
        tcp->bytes_received == before->bytes_received) {
        *ret_advice = WE_DO_NOT_READ;
        *ret_ms = tcp->last_data_recv_ms;
        return true;
    }
    return false;
}

static int say(struct examination *examination, const struct tally_item *item, uint32_t which)
{
    const struct socket *socket = &examination->now->sockets[item->example];
    struct subject subject = health_subject(examination, item->example);
    bool sends = which == PEER_DOES_NOT_READ;
    int r;

    if (item->count > 1)
        health_say(examination, N_("{1} connections stand still, one for {2}"),
                   fact_count(item->count), fact_duration(item->largest * 1000));
    else
        health_say(examination, N_("a connection stands still for {1}"),
                   fact_duration(item->largest * 1000));
    health_say(examination, sends ? N_(" with {1} to send") : N_(" with {1} to read"),
               fact_bytes(sends ? socket->send_q : socket->recv_q));
    r = health_add(examination, health_judge(examination, SINCE, item->largest), which, &subject,
                   item->largest);
    if (r == 0)
        r = health_prove_number(examination, sends ? "since data was sent" : "since data came",
                                sends ? "tcp_info last_data_sent" : "tcp_info last_data_recv",
                                UNIT_MILLISECONDS, item->largest, examination->limits[SINCE].warn);
    if (r == 0)
        r = health_prove_number(examination, sends ? "send_q" : "recv_q", "sock_diag", UNIT_BYTES,
                                sends ? socket->send_q : socket->recv_q, LIMIT_NEVER);
    return r < 0 ? r
                 : health_prove_number(examination, "connections", "sock_diag", UNIT_COUNT,
                                       item->count, LIMIT_NEVER);
}

static int run(struct examination *examination)
{
    CLEANUP(tally_done) struct tally sending = {0}, receiving = {0};
    struct tally *const tallies[] = {
        [PEER_DOES_NOT_READ] = &sending, [WE_DO_NOT_READ] = &receiving};
    int r = 0;

    for (uint32_t i = 0; i < examination->now->sockets_count && r == 0; i++) {
        const struct socket *socket = &examination->now->sockets[i];
        uint64_t milliseconds;
        uint32_t which;

        if (socket->proto == PROTO_TCP &&
            stands_still(examination, socket, &which, &milliseconds) &&
            health_judge(examination, SINCE, milliseconds) > SEVERITY_OK)
            r = tally_add(tallies[which], health_owner(examination, i), milliseconds, i);
    }
    for (uint32_t which = 0; which < ARRAY_SIZE(tallies); which++)
        for (uint32_t i = 0; i < tallies[which]->count && r == 0; i++)
            r = say(examination, &tallies[which]->items[i], which);
    return r;
}

static bool suspects(const struct examination *examination)
{
    const struct snapshot *now = examination->now;
    uint64_t milliseconds;
    uint32_t which;

    for (uint32_t i = 0; i < now->sockets_count; i++)
        if (now->sockets[i].proto == PROTO_TCP &&
            stands_still(examination, &now->sockets[i], &which, &milliseconds) &&
            health_judge(examination, SINCE, milliseconds) > SEVERITY_OK)
            return true;
    return false;
}

const struct check check_stuck = {
    .name = "stuck",
    .title = N_("connections whose data waits because one side does not read"),
    .needs = NEED_SOCKETS | NEED_TCP_PROGRESS | NEED_OWNERS,
    .before = NEED_SOCKETS | NEED_TCP_PROGRESS,
    .glance = NEED_SOCKETS | NEED_TCP_PROGRESS,
    .protos = PROTO_BIT(PROTO_TCP),
    .states = STATE_CONNECTED,
    .signs = SIGN_TROUBLE,
    .at_once = true,
    .thresholds = {[SINCE] = {"since",
                              N_("how long no data went"),
                              UNIT_MILLISECONDS,
                              {10000, 60000},
                              "own"}},
    .advice = advice,
    .advice_count = ARRAY_SIZE(advice),
    .theory =
        N_("Each side tells the other how much it may send: the window. A program that does not "
           "read fills its receive "
           "buffer, and the kernel closes the window. The sender then sends probes, "
           "by the persist timer, as "
           "long as they are answered: for ever. The connection is established all the time.\n"
           "Measured: connections with the persist timer and data to send of which nothing was "
           "acknowledged within the "
           "window (the other side does not read), and those with a closed own window and data "
           "nobody reads (this side "
           "does not); since when, by the age of the last data."),
    .sources = "RFC 9293 3.8.6; man 7 tcp",
    .suspects = suspects,
    .run = run,
};
