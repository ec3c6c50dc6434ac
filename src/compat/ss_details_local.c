/* SPDX-License-Identifier: MIT */
/* What ss(8) shows behind the columns of unix, packet and netlink sockets. */
#include "compat/ss_details.h"

#include "derive/join.h"
#include "table/cells.h"

#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>

/* The device is in the kernel's own form, of which ss takes the parts as of a dev_t. */
static void put_file(struct buf *text, const struct socket *socket)
{
    if (socket->peer.words[0] || socket->peer.words[1])
        buf_printf(text, " ino:%u dev:%u/%u", socket->peer.words[0], major(socket->peer.words[1]),
                   minor(socket->peer.words[1]));
}

static void put_waiting(struct ss_writer *writer, const struct socket *socket)
{
    struct buf *text = ss_layout_text(&writer->layout);
    uint32_t count;
    const struct unix_waiting *waiting = snapshot_waiting(writer->view->snapshot, socket, &count);

    if (socket->state != STATE_LISTENING)
        return;
    buf_puts(text, " peers:");
    for (uint32_t i = 0; i < count; i++)
        buf_printf(text, " %u", waiting[i].inode);
}

void ss_details_unix(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);

    if (writer->options->memory)
        ss_details_memory(writer, socket);
    if (!writer->options->details || !(socket->has & SOCKET_HAS_COOKIE))
        return;
    ss_details_shutdown(writer, socket);
    put_file(ss_layout_text(&writer->layout), socket);
    put_waiting(writer, socket);
}

static void put_packet_flags(struct buf *text, uint32_t flags)
{
    static const char *const names[] = {"running", "auxdata", "origdev", "vnethdr", "loss"};

    buf_puts(text, " flags(");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (flags & 1u << i)
            buf_printf(text, " %s", names[i]);
    buf_puts(text, flags ? " )" : " 0 )");
}

static void put_ring(struct ss_writer *writer, const char *name, const struct packet_ring *ring)
{
    struct buf *text = ss_layout_text(&writer->layout);

    ss_details_line(writer);
    buf_printf(text, "ring_%s(blk_size:%u,blk_nr:%u,frm_size:%u,frm_nr:%u,tmo:%u,features:0x%x)",
               name, ring->block_size, ring->blocks, ring->frame_size, ring->frames,
               ring->timeout_ms, ring->features);
}

static void put_fanout(struct ss_writer *writer, uint32_t fanout)
{
    static const char *const types[] = {"hash", "lb", "cpu", "roll", "random", "qm"};
    struct buf *text = ss_layout_text(&writer->layout);
    uint32_t type = fanout >> 16;

    ss_details_line(writer);
    buf_printf(text, "fanout(id:%u,", fanout & 0xffff);
    if (type < ARRAY_SIZE(types))
        buf_printf(text, "type:%s)", types[type]);
    else
        buf_printf(text, "type:0x%x)", type);
}

static void put_filter(struct ss_writer *writer, uint32_t string)
{
    struct buf *text = ss_layout_text(&writer->layout);
    struct sock_filter code;
    size_t length;
    const char *bytes = snapshot_string(writer->view->snapshot, string, &length);

    if (length < sizeof(code))
        return;
    ss_details_line(writer);
    buf_printf(text, "bpf filter (%zu): ", length / sizeof(code));
    for (size_t at = 0; at + sizeof(code) <= length; at += sizeof(code)) {
        memcpy(&code, bytes + at, sizeof(code));
        buf_printf(text, " 0x%02x %u %u %u,", code.code, code.jt, code.jf, code.k);
    }
}

static void put_packet(struct ss_writer *writer, const struct packet_details *packet)
{
    struct buf *text = ss_layout_text(&writer->layout);

    ss_details_line(writer);
    buf_printf(text, "ver:%u cpy_thresh:%u", packet->version, packet->copy_threshold);
    put_packet_flags(text, packet->flags);
    if (packet->has & PACKET_HAS_RECEIVE_RING)
        put_ring(writer, "rx", &packet->receive);
    if (packet->has & PACKET_HAS_SEND_RING)
        put_ring(writer, "tx", &packet->send);
    if (packet->has & PACKET_HAS_FANOUT)
        put_fanout(writer, packet->fanout);
}

void ss_details_packet(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);
    const struct packet_details *packet = snapshot_packet(writer->view->snapshot, socket);

    if (writer->options->details)
        ss_details_socket(writer, socket);
    if (writer->options->details && packet)
        put_packet(writer, packet);
    if (writer->options->bpf && packet)
        put_filter(writer, packet->filter);
    if (writer->options->memory)
        ss_details_memory(writer, socket);
}

void ss_details_netlink(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);
    struct buf *text = ss_layout_text(&writer->layout);

    bool is_of_file = !(socket->has & SOCKET_HAS_COOKIE);

    /* The addresses in the kernel: only files tell them, as far as they are told at all. */
    if (writer->options->details)
        buf_printf(text, " sk=%llx cb=0 groups=0x%08x",
                   is_of_file ? (unsigned long long)socket->kernel_address : 0,
                   socket->local.words[1]);
    if (writer->options->memory && !is_of_file) {
        buf_byte(text, '\t');
        ss_details_memory(writer, socket);
    }
}
