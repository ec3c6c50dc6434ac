/* SPDX-License-Identifier: MIT */
/* What ss(8) shows behind the columns of unix, packet and netlink sockets. */
#include "compat/ss_details.h"

#include "derive/join.h"
#include "table/cells.h"

void ss_details_unix(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);

    if (writer->options->memory)
        ss_details_memory(writer, socket);
    if (writer->options->details)
        ss_details_shutdown(writer, socket);
}

void ss_details_packet(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);

    if (writer->options->details)
        ss_details_socket(writer, socket);
    if (writer->options->memory)
        ss_details_memory(writer, socket);
}

void ss_details_netlink(struct ss_writer *writer, uint32_t row)
{
    const struct socket *socket = view_socket(writer->view, row);
    struct buf *text = ss_layout_text(&writer->layout);

    /* The addresses in the kernel, which it does not tell any more. */
    if (writer->options->details)
        buf_printf(text, " sk=0 cb=0 groups=0x%08x", socket->local.words[1]);
    if (writer->options->memory) {
        buf_byte(text, '\t');
        ss_details_memory(writer, socket);
    }
}
