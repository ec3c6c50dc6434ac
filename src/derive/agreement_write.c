/* SPDX-License-Identifier: MIT */
/* Agreement in rows and words: how many each teller tells of, what differs, what that hints at. */
#include "derive/agreement_write.h"

#include "base/buf.h"
#include "derive/address.h"

#include <errno.h>
#include <string.h>

/* --- words --- */

static void put_tellers(struct buf *out, uint32_t tellers, const char *one, const char *several)
{
    const char *separator = "";
    unsigned int count = 0;

    for (unsigned int teller = 0; teller < TELLERS; teller++)
        if (tellers & 1u << teller) {
            buf_puts(out, separator);
            buf_puts(out, teller_name(teller));
            separator = " and ";
            count++;
        }
    buf_printf(out, " %s", count == 1 ? one : several);
}

static void put_end(struct buf *out, const struct socket *socket, const union address *address,
                    uint16_t port)
{
    buf_host(out, socket->family, address->bytes);
    buf_printf(out, ":%u", port);
}

static void put_socket(struct buf *out, const struct snapshot *snapshot,
                       const struct socket *socket)
{
    size_t length;
    const char *path = snapshot_string(snapshot, socket->path, &length);

    buf_puts(out, socket_proto_name(socket->proto));
    if (address_is_inet(socket->family)) {
        buf_byte(out, ' ');
        put_end(out, socket, &socket->local, socket->local_port);
        if (socket->peer_port) {
            buf_puts(out, " > ");
            put_end(out, socket, &socket->peer, socket->peer_port);
        }
    }
    buf_printf(out, " %s", socket_state_name(socket->state));
    if (socket->path) {
        buf_puts(out, socket->flags & SOCKET_ABSTRACT ? " @" : " ");
        buf_put(out, path, length);
    }
    buf_printf(out, " inode %u in namespace ", socket->inode);
    snapshot_put_netns(snapshot, socket->netns, out);
}

static void put_holder(struct buf *out, const struct snapshot *snapshot,
                       const struct holder *holder)
{
    const struct process *process = &snapshot->processes[holder->process];
    size_t length;
    const char *comm = snapshot_string(snapshot, process->comm, &length);

    buf_puts(out, "process ");
    buf_put(out, comm, length);
    buf_printf(out, "(%u) with the socket of inode %u", process->pid, holder->inode);
}

static int set_text(struct snapshot *snapshot, struct buf *text, uint32_t *ret_string)
{
    int r = text->error;

    if (r == 0)
        r = snapshot_intern(snapshot, text->data ? text->data : "", text->length, ret_string);
    buf_reset(text);
    return r;
}

static const char *hint(const struct agreement_difference *difference)
{
    if (difference->subject == PROTO_UNIX && difference->tells == 1u << TELLER_PROC)
        return ": a name with a line break in it can forge such a line of /proc/net/unix";
    if (difference->silent & 1u << TELLER_PROC)
        return ": something hides it in /proc, as a rootkit or a preloaded library does, or the "
               "kernel has a fault";
    return ": something hides it, as a rootkit does, or the kernel has a fault";
}

/* --- rows --- */

static int set_part(struct snapshot *snapshot, unsigned int subject, struct selfcheck_row *row)
{
    const char *part = subject == AGREEMENT_OWNERS ? "owners" : "sockets";

    return snapshot_intern(snapshot, part, strlen(part), &row->part);
}

static int write_difference(const struct agreement *agreement,
                            const struct agreement_difference *difference,
                            const struct agreement_reading *reading, struct snapshot *snapshot,
                            struct selfcheck_row *row)
{
    CLEANUP(buf_done) struct buf text = BUF_INIT;
    const struct snapshot *from = reading->snapshots[difference->teller];
    int r;

    row->kind = SELFCHECK_DIFFERENCE;
    row->result = SELFCHECK_DIFFERS;
    row->tellers = difference->tells | difference->silent;
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        row->counts[teller] = difference->tells >> teller & 1;
    if (difference->subject == AGREEMENT_OWNERS)
        put_holder(&text, from, &from->holders[difference->index]);
    else
        put_socket(&text, from, &from->sockets[difference->index]);
    r = set_text(snapshot, &text, &row->name);
    put_tellers(&text, difference->tells, "tells", "tell");
    buf_printf(&text, " of it in each of %u readings, ", agreement_rounds(agreement));
    put_tellers(&text, difference->silent, "does", "do");
    buf_puts(&text, " not");
    buf_puts(&text, hint(difference));
    if (r == 0)
        r = set_text(snapshot, &text, &row->detail);
    return r == 0 ? set_part(snapshot, difference->subject, row) : r;
}

static enum selfcheck_result judge(const struct agreement_result *result)
{
    if (__builtin_popcount(result->tellers) < 2)
        return SELFCHECK_ALONE;
    return result->differing ? SELFCHECK_DIFFERS : SELFCHECK_AGREES;
}

static int write_comparison(const struct agreement_result *result, unsigned int subject,
                            struct snapshot *snapshot, struct selfcheck_row *row)
{
    const char *name = subject == AGREEMENT_OWNERS ? "owners" : socket_proto_name(subject);
    int r;

    row->kind = SELFCHECK_COMPARISON;
    row->result = judge(result);
    row->tellers = result->tellers;
    row->differing = result->differing;
    row->passing = result->passing;
    for (unsigned int teller = 0; teller < TELLERS; teller++)
        row->counts[teller] = result->counts[teller];
    r = snapshot_intern(snapshot, name, strlen(name), &row->name);
    return r == 0 ? set_part(snapshot, subject, row) : r;
}

int agreement_write(const struct agreement *agreement, const struct agreement_reading *reading,
                    struct snapshot *snapshot, struct selfcheck *selfcheck)
{
    int r = 0;

    for (unsigned int subject = PROTO_UNKNOWN + 1; subject < AGREEMENT_SUBJECTS && r == 0;
         subject++) {
        struct agreement_result result;
        struct selfcheck_row *row;

        agreement_result(agreement, subject, &result);
        if (!result.tellers)
            continue;
        row = selfcheck_add(selfcheck);
        r = row ? write_comparison(&result, subject, snapshot, row) : -ENOMEM;
    }
    for (uint32_t i = 0; i < agreement_count(agreement) && r == 0; i++) {
        struct agreement_difference difference = agreement_difference(agreement, i);
        struct selfcheck_row *row = selfcheck_add(selfcheck);

        r = row ? write_difference(agreement, &difference, reading, snapshot, row) : -ENOMEM;
    }
    return r;
}
