/* SPDX-License-Identifier: MIT */
/* The states of TCP, what many of each mean, and what to do. */
#include "cli/help_states.h"

#include "base/phrase.h"
#include "base/translate.h"
#include "cli/paragraph.h"
#include "model/socket.h"

#include <string.h>

static const struct state_help {
    enum socket_state state;
    const char *meaning, *many, *check; /* check: of the doctor; NULL: none */
} states[] = {
    {STATE_LISTENING,
     N_("A process waits for connections. recv_q is how many wait to be accepted, send_q how many "
        "may."),
     N_("Listeners are few. Where recv_q stays near send_q the process accepts too slowly, and "
        "clients see timeouts."),
     "accept-queue"},
    {STATE_SYN_SENT,
     N_("We asked for a connection, and nothing has answered yet. The kernel asks again after a "
        "second, "
        "then ever more slowly, and gives up after two minutes (tcp_syn_retries)."),
     N_("A firewall on the way throws the requests away, the other machine is down, or its accept "
        "queue is full. A closed "
        "port would answer at once: refused."),
     "syn-sent"},
    {STATE_SYN_RECV,
     N_("Somebody asked for a connection, we answered, and the third step of the handshake has not "
        "come. "
        "It has no process yet: it belongs to the listener."),
     N_("Either addresses that do not exist (an attack: syncookies keep the service up), or more "
        "clients at once than the "
        "listener takes."),
     "syn-flood"},
    {STATE_ESTABLISHED,
     N_("Data can flow both ways. It stays so without any traffic, also when the other machine has "
        "lost "
        "its power: only data or keepalive finds out."),
     N_("Usual for a busy server. Idle ones of many hours may be half open: switch on "
        "SO_KEEPALIVE."),
     "half-open"},
    {STATE_FIN_WAIT_1,
     N_("We closed, and our end (FIN) is not acknowledged yet; data before it may still be on its "
        "way. Mostly no process has it any more: an orphan."),
     N_("The other sides do not answer or do not read. The kernel keeps the data: "
        "tcp_orphan_retries "
        "and tcp_max_orphans "
        "limit that."),
     "orphans"},
    {STATE_FIN_WAIT_2,
     N_("We closed, the other side knows, and has not closed yet. After tcp_fin_timeout (60 s) the "
        "kernel "
        "forgets it, unless our process still holds it (shutdown without close)."),
     N_("The fault is at the other side: it is in CLOSE-WAIT there."), "fin-wait2"},
    {STATE_CLOSE_WAIT,
     N_("The other side has closed; our process has not. No timer ends this: only close() does."),
     N_("A fault of the program: it does not notice the end, or forgets descriptors. No sysctl "
        "helps; "
        "a restart frees them "
        "until the next time."),
     "close-wait"},
    {STATE_LAST_ACK, N_("The other side closed first, then we; our end is not acknowledged yet."),
     N_("Seldom. The other sides have vanished, or a firewall forgot the connections."), "orphans"},
    {STATE_CLOSING,
     N_("Both sides closed at the same moment, and our end is not acknowledged yet."),
     N_("Very seldom: as LAST-ACK."), "orphans"},
    {STATE_TIME_WAIT,
     N_("The side that closed first remembers the connection for 60 seconds (fixed in the kernel; "
        "tcp_fin_timeout is about something else), so that late segments reach no new one. It "
        "costs "
        "some "
        "hundred bytes and no process."),
     N_("Normal after many short connections, and no fault. It only hurts a client that opens so "
        "many "
        "to one destination "
        "(address and port) that its local ports run out: keep connections open. Never "
        "tcp_tw_recycle: it broke clients "
        "behind NAT, and is gone since 4.12."),
     "ports"},
    {STATE_UNCONNECTED,
     N_("A socket without a connection: UDP that takes datagrams from anybody, or TCP that was "
        "made "
        "and "
        "does nothing yet."),
     N_("For UDP usual."), NULL},
    {STATE_BOUND_INACTIVE,
     N_("TCP that has taken a port by bind() and neither listens nor is connected. Linux shows it "
        "since "
        "6.8; older tools do not, and \"address already in use\" then has no visible cause."),
     N_("Seldom on purpose: nwho why-busy PORT names the process."), "port-conflict"},
};

static void put_text(struct buf *out, const char *label, const char *text, uint32_t width)
{
    text = translated(text);
    paragraph_put_labelled(out, label, text, strlen(text), width);
}

static void put_state(const struct state_help *help, uint32_t width, struct buf *out)
{
    struct buf look = BUF_INIT;

    buf_puts(out, socket_state_name(help->state));
    buf_byte(out, '\n');
    put_text(out, N_("means"), help->meaning, width);
    put_text(out, N_("many"), help->many, width);
    buf_printf(&look, "nwho ls -t state %s", socket_state_name(help->state));
    if (help->check)
        buf_printf(&look, "; nwho doctor %s", help->check);
    paragraph_put_labelled(out, N_("look"), buf_string(&look), look.length, width);
    if (!out->error)
        out->error = look.error;
    buf_done(&look);
}

void help_put_states(struct buf *out)
{
    const char *head = translated(N_("The states of TCP, in the order of a connection's life. "
                                     "Other kinds of sockets use some of these words."));
    uint32_t width = paragraph_width();

    paragraph_put(out, head, strlen(head), 0, width);
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        buf_byte(out, '\n');
        put_state(&states[i], width, out);
    }
}
