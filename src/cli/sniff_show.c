/* SPDX-License-Identifier: MIT */
/* nwho sniff: a packet as a line, with the processes at its ends. */
#include "cli/sniff.h"

#include "base/clock.h"
#include "base/escape.h"
#include "out/format.h"
#include "packet/flow.h"

#include <string.h>

const char *const packet_end_words[PACKET_END_MAX] = {
    [PACKET_END_ELSEWHERE] = "elsewhere", [PACKET_END_PROCESS] = "process",
    [PACKET_END_LISTENER] = "listener",   [PACKET_END_TIME_WAIT] = "time-wait",
    [PACKET_END_KERNEL] = "kernel",       [PACKET_END_CLOSED_PORT] = "closed port",
    [PACKET_END_UNKNOWN] = "?",
};

static void put_columns(struct sniff *sniff, const struct packet_process *process, struct buf *out)
{
    struct format format = {.view = &sniff->view, .scratch = &sniff->session.scratch};

    for (uint32_t i = 0; i < sniff->columns.column_count; i++) {
        const struct column *column = sniff->columns.columns[i];
        struct value value;

        if (strcmp(column->name, "pid") == 0 || strcmp(column->name, "process") == 0)
            continue;
        value = sniff_value(sniff, column, process);
        if (value.type == VALUE_NONE)
            continue;
        buf_printf(out, " %s=", column->name);
        format_cell(&format, column, &value, out);
    }
}

static void put_end(struct sniff *sniff, const struct packet_end *end, struct buf *out)
{
    const char *word = end->kind == PACKET_END_PROCESS ? NULL : packet_end_words[end->kind];

    if (end->process) {
        escape_text(out, end->process->comm,
                    strnlen(end->process->comm, sizeof(end->process->comm)));
        buf_byte(out, '['); /* of each packet: printf would be a quarter of its cost */
        buf_uint(out, end->process->pid);
        buf_byte(out, ']');
    }
    if (word) {
        buf_puts(out, end->process ? " " : "");
        buf_puts(out, word);
    }
    if (end->process && sniff->session.options->format == FORMAT_TEXT)
        put_columns(sniff, end->process, out);
}

void sniff_put_owner(struct sniff *sniff, const struct packet_owner *owner, struct buf *out)
{
    bool sender = owner->sender.kind != PACKET_END_ELSEWHERE,
         receiver = owner->receiver.kind != PACKET_END_ELSEWHERE;

    if (owner->forwarded)
        buf_puts(out, "forwarded");
    if (sender)
        put_end(sniff, &owner->sender, out);
    if (sender && receiver)
        buf_puts(out, " > ");
    if (receiver)
        put_end(sniff, &owner->receiver, out);
}

uint64_t sniff_time_of(const struct sniff *sniff, const struct captured *captured)
{
    uint64_t unit = sniff->options->capture.nanoseconds ? 1 : 1000;

    return (uint64_t)captured->seconds * SECOND_NS + captured->fraction * unit;
}

/* False: nothing is known of it. */
static bool find_owner(struct sniff *sniff, const struct sniff_source *source,
                       const struct captured *captured, struct packet_flow *flow,
                       struct packet_owner *owner)
{
    flow_read(flow, source->link_type, captured);
    if (sniff->noted && sniff_read_note(sniff, sniff->noted, owner) < 0)
        sniff->out.error = -ENOMEM;
    if (!sniff->owners || !flow->ends.family)
        return false;
    packet_owners_find(sniff->owners, source->place, flow, sniff_time_of(sniff, captured), owner);
    return true;
}

static void put_line(struct sniff *sniff, const struct sniff_source *source,
                     const struct captured *captured, const struct packet_owner *owner)
{
    sniff->remark.length = 0;
    if (owner) {
        buf_puts(&sniff->remark, "  ");
        sniff_put_owner(sniff, owner, &sniff->remark);
    }
    if (sniff->noted && sniff->noted->comment) {
        buf_puts(&sniff->remark, "  ");
        escape_text(&sniff->remark, sniff->noted->comment, strlen(sniff->noted->comment));
    }
    sniff->line.remark = sniff->remark.length > 2 ? buf_string(&sniff->remark) : NULL;
    if (source->labelled) {
        escape_text(&sniff->out, source->netns, strlen(source->netns));
        buf_byte(&sniff->out, ' ');
    }
    line_put(&sniff->line, &sniff->packet, source->link_type, captured, sniff->shown);
}

void sniff_show(struct sniff *sniff, const struct sniff_source *source,
                const struct captured *captured)
{
    struct packet_owner owner = {.sender.kind = PACKET_END_ELSEWHERE};
    struct packet_flow flow;
    bool owned = find_owner(sniff, source, captured, &flow, &owner);

    if (!sniff_wants(sniff, source, captured, &owner))
        return;
    sniff->current = source;
    sniff->packet.flows = source->flows;
    sniff->shown++;
    if (sniff->conversations)
        sniff_add_up(sniff, captured, &flow, &owner);
    if (sniff->writer)
        sniff_write(sniff, source, captured, &flow, owned ? &owner : NULL);
    if (sniff->writer && !sniff->options->print)
        return;
    if (sniff->session.options->format == FORMAT_JSONL)
        sniff_put_json(sniff, source, captured, &flow, &owner);
    else
        put_line(sniff, source, captured, owned ? &owner : NULL);
    if (sniff->options->line_buffered)
        (void)buf_flush(&sniff->out);
}
