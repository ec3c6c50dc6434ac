/* SPDX-License-Identifier: MIT */
/* What is wrong with sockets. */
#include "derive/health/ills.h"

/* So many segments, and at least one of so many, were sent again since the reading before. */
#define AGAIN_LEAST 3
#define AGAIN_ONE_OF 50

/* In these data can be sent; a syn-sent socket knows no window yet. */
#define SENDING_STATES                                                                             \
    (STATE_BIT(STATE_ESTABLISHED) | STATE_BIT(STATE_CLOSE_WAIT) | STATE_BIT(STATE_FIN_WAIT_1) |    \
     STATE_BIT(STATE_CLOSING) | STATE_BIT(STATE_LAST_ACK))

bool ill_peer_full(const struct snapshot *snapshot, const struct socket *socket)
{
    const struct tcp_details *tcp = snapshot_tcp(snapshot, socket);

    if ((socket->has & SOCKET_HAS_TIMER) && socket->timer == TIMER_PERSIST)
        return true;
    return tcp && tcp->known >= TCP_INFO_SND_WND && tcp->snd_wnd == 0 && socket->send_q > 0 &&
           STATE_BIT(socket->state) & SENDING_STATES;
}

bool ill_window_closed(const struct snapshot *snapshot, const struct socket *socket)
{
    const struct tcp_details *tcp = snapshot_tcp(snapshot, socket);

    return tcp && tcp->known >= TCP_INFO_RCV_WND && tcp->rcv_wnd == 0 && socket->recv_q > 0 &&
           socket->state != STATE_LISTENING;
}

/*
 * Nobody reads: the window is closed, or nine tenths of the memory are used, at which TCP closes it
 * soon and others drop. Before 6.2, which does not tell the window, half of the memory: the kernel
 * offers no more of it.
 */
static bool receive_is_full(const struct snapshot *snapshot, const struct socket *socket)
{
    const struct socket_memory *memory = snapshot_memory(snapshot, socket);
    const struct tcp_details *tcp = snapshot_tcp(snapshot, socket);

    if (socket->state == STATE_LISTENING)
        return false;
    if (ill_window_closed(snapshot, socket))
        return true;
    if (!memory || memory->receive_limit == 0)
        return false;
    if (tcp && tcp->known < TCP_INFO_RCV_WND)
        return (uint64_t)socket->recv_q * 2 >= memory->receive_limit;
    return (uint64_t)memory->receive * 10 >= (uint64_t)memory->receive_limit * 9;
}

bool ill_accept_queue_full(const struct socket *socket)
{
    return socket->state == STATE_LISTENING && socket->has & SOCKET_HAS_BACKLOG &&
           socket->recv_q > socket->send_q;
}

/* The kernel refuses a SYN at the limit. */
static bool syn_queue_full(const struct join *join, const struct socket *socket, uint32_t index)
{
    return socket->state == STATE_LISTENING && socket->has & SOCKET_HAS_BACKLOG && join &&
           socket->send_q && join->sockets[index].syn_queue >= socket->send_q;
}

static bool sends_again(const struct socket *socket, const struct socket_rate *rate)
{
    if ((socket->has & SOCKET_HAS_TIMER) && socket->timer == TIMER_RETRANSMIT &&
        socket->retransmits >= AGAIN_LEAST)
        return true;
    return rate && rate->known && rate->sent_again >= AGAIN_LEAST &&
           (uint64_t)rate->sent_again * AGAIN_ONE_OF >= rate->segments;
}

uint32_t ills_of_socket(const struct snapshot *snapshot, const struct join *join,
                        const struct rates *rates, uint32_t index)
{
    const struct socket *socket = &snapshot->sockets[index];
    const struct socket_rate *rate = rates && rates->sockets ? &rates->sockets[index] : NULL;
    uint32_t ills = 0;

    if (socket->state == STATE_TIME_WAIT) /* nobody's, and without data */
        return 0;
    if (socket->state == STATE_CLOSE_WAIT)
        ills |= ILL_CLOSE_WAIT;
    if (ill_peer_full(snapshot, socket))
        ills |= ILL_PEER_FULL;
    if (receive_is_full(snapshot, socket) || (rate && rate->known && rate->unread))
        ills |= ILL_UNREAD;
    if (ill_accept_queue_full(socket) || syn_queue_full(join, socket, index))
        ills |= ILL_QUEUE_FULL;
    if (sends_again(socket, rate))
        ills |= ILL_SENT_AGAIN;
    return ills;
}

int ills_of_processes(const struct snapshot *snapshot, const struct join *join,
                      const struct rates *rates, uint32_t **ret_ills)
{
    uint32_t *found = calloc(snapshot->processes_count + 1u, sizeof(*found));

    if (!found)
        return -ENOMEM;
    for (uint32_t i = 0; i < snapshot->sockets_count; i++) {
        uint32_t ills = ills_of_socket(snapshot, join, rates, i);

        for (uint32_t j = 0; ills && j < join->sockets[i].holder_count; j++)
            found[join_holder(snapshot, join, i, j)->process] |= ills;
    }
    *ret_ills = found;
    return 0;
}

static const struct {
    const char *word, *help;
} words[ILL_COUNT] = {
    {"close-wait", "the other side has closed, the process has not"},
    {"peer-full", "data waits, and the other side takes nothing"},
    {"unread", "data waits to be read, and the process does not"},
    {"queue-full", "connections wait to be accepted, and there is no room for more"},
    {"sent-again", "much is lost and sent again, or not acknowledged"},
};

const char *ill_word(unsigned int index)
{
    return words[index].word;
}

const char *ill_help(unsigned int index)
{
    return words[index].help;
}

int ills_map(const struct snapshot *snapshot, const struct join *join, const struct rates *rates,
             struct map *ret_ills)
{
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        uint32_t ills = ills_of_socket(snapshot, join, rates, i);

        if (ills && snapshot->sockets[i].has & SOCKET_HAS_COOKIE)
            r = map_set(ret_ills, snapshot->sockets[i].cookie, ills);
    }
    return r;
}
