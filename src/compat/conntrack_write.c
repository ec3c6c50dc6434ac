/* SPDX-License-Identifier: MIT */
/* conntrack: rows in the format that was asked for, and what is around them. */
#include "compat/conntrack.h"

#include "base/escape.h"

#include <fcntl.h>
#include <stdio.h>

void conntrack_put_string(struct buf *out, const char *name, const struct snapshot *strings,
                          uint32_t string, conntrack_put_fn *put)
{
    size_t length;
    const char *text = snapshot_string(strings, string, &length);

    if (string)
        put(out, name, text, length);
}

/* When an event came; of an expectation, also when it was read. */
static void put_came(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    if (row->came.tv_sec && writer->options->output & OUTPUT_TIMESTAMP)
        buf_printf(&writer->out, "[%lld.%06ld]\t", (long long)row->came.tv_sec,
                   (long)row->came.tv_usec);
}

/* The process that made the kernel do it, if the number is that of one, as it mostly is. */
static void put_cause(struct buf *out, uint32_t port_id)
{
    char path[64], name[64];
    CLEANUP_CLOSE int fd = -1;
    ssize_t length;

    buf_printf(out, " [USERSPACE] portid=%u", port_id);
    snprintf(path, sizeof(path), "/proc/%u/comm", port_id);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    length = fd < 0 ? -1 : read(fd, name, sizeof(name));
    if (length > 1) {
        buf_puts(out, " progname=");
        escape_text(out, name, (size_t)length - 1);
    }
}

static void finish_row(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    if (row->port_id)
        put_cause(&writer->out, row->port_id);
    buf_byte(&writer->out, '\n');
    writer->shown++;
}

void conntrack_write(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    uint32_t output = writer->options->output;

    if (output & OUTPUT_JSON) {
        conntrack_write_json(writer, row);
        if (row->event != CONNTRACK_EVENT_NONE)
            buf_byte(&writer->out, '\n');
        writer->shown++;
        return;
    }
    if (output & OUTPUT_XML) {
        conntrack_write_xml(writer, row);
    } else if (output & OUTPUT_SAVE) {
        conntrack_write_save(writer, row);
    } else {
        put_came(writer, row);
        conntrack_write_text(writer, row);
    }
    finish_row(writer, row);
}

/* --- expectations --- */

static void put_side(struct buf *out, const struct conntrack_expectation *expectation,
                     const struct conntrack_tuple *tuple, const char *before)
{
    buf_printf(out, "%ssrc=", before);
    buf_address(out, expectation->family, tuple->src.bytes);
    buf_printf(out, " %sdst=", before);
    buf_address(out, expectation->family, tuple->dst.bytes);
    if (conntrack_has_ports(expectation->protocol))
        buf_printf(out, " sport=%u dport=%u", (unsigned int)tuple->src_port,
                   (unsigned int)tuple->dst_port);
    buf_byte(out, ' ');
}

static void write_expectation_text(struct conntrack_writer *writer,
                                   const struct conntrack_expectation *expectation,
                                   const struct conntrack_row *row)
{
    static const char *const events[] = {
        [CONNTRACK_EVENT_NEW] = "    [NEW] ",
        [CONNTRACK_EVENT_UPDATE] = " [UPDATE] ",
        [CONNTRACK_EVENT_DESTROY] = "[DESTROY] ",
    };
    struct buf *out = &writer->out;
    size_t length;
    const char *helper =
        expectation->helper ? snapshot_string(row->strings, expectation->helper, &length) : NULL;

    put_came(writer, row);
    if (row->event != CONNTRACK_EVENT_NONE)
        buf_puts(out, events[row->event]);
    buf_printf(out, "%u proto=%u ", expectation->timeout_s, (unsigned int)expectation->protocol);
    put_side(out, expectation, &expectation->tuple, "");
    put_side(out, expectation, &expectation->mask, "mask-");
    put_side(out, expectation, &expectation->master, "master-");
    if (expectation->zone)
        buf_printf(out, "zone=%u ", (unsigned int)expectation->zone);
    buf_printf(out, "class=%u", expectation->class);
    if (helper) {
        buf_puts(out, " helper=");
        escape_text(out, helper, length);
    }
}

void conntrack_write_expectation(struct conntrack_writer *writer,
                                 const struct conntrack_expectation *expectation,
                                 const struct conntrack_row *row)
{
    uint32_t output = writer->options->output;

    if (output & OUTPUT_JSON)
        conntrack_write_expectation_json(writer, expectation, row);
    else if (output & OUTPUT_XML)
        conntrack_write_expectation_xml(writer, expectation, row);
    else
        write_expectation_text(writer, expectation, row);
    if (!(output & OUTPUT_JSON) || row->event != CONNTRACK_EVENT_NONE)
        buf_byte(&writer->out, '\n');
    writer->shown++;
}

/* --- the end --- */

int conntrack_write_end(struct conntrack_writer *writer)
{
    const struct conntrack_options *options = writer->options;
    bool expected = options->list == CONNTRACK_EXPECTATIONS;

    if (options->output & OUTPUT_JSON && options->command != CONNTRACK_EVENTS)
        buf_puts(&writer->out, writer->shown ? "\n]\n" : "[]\n");
    else if (options->output & OUTPUT_XML && writer->shown)
        buf_puts(&writer->out, expected ? "</expect>\n" : "</conntrack>\n");
    return buf_flush(&writer->out);
}

void conntrack_sum_up(uint32_t count, const char *what)
{
    struct buf line = BUF_SINK(STDERR_FILENO);

    buf_printf(&line, "conntrack v1.4.7 (conntrack-tools): %u %s.\n", count, what);
    (void)buf_flush(&line);
    buf_done(&line);
}
