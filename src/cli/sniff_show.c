/* SPDX-License-Identifier: MIT */
/* nwho sniff: a packet as a line, with the processes at its ends. */
#include "cli/sniff.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/vec.h"
#include "out/format.h"
#include "packet/flow.h"

#include <string.h>

#define NO_TEXT SIZE_MAX

const char *const packet_end_words[PACKET_END_MAX] = {
    [PACKET_END_ELSEWHERE] = "elsewhere", [PACKET_END_PROCESS] = "process",
    [PACKET_END_LISTENER] = "listener",   [PACKET_END_TIME_WAIT] = "time-wait",
    [PACKET_END_KERNEL] = "kernel",       [PACKET_END_CLOSED_PORT] = "closed port",
    [PACKET_END_UNKNOWN] = "?",
};

const char *const packet_transit_words[PACKET_TRANSIT_MAX] = {
    [PACKET_TRANSIT_NONE] = "",
    [PACKET_TRANSIT_FORWARDED] = "forwarded",
    [PACKET_TRANSIT_MULTICAST] = "multicast",
    [PACKET_TRANSIT_BROADCAST] = "broadcast",
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

    buf_puts(out, packet_transit_words[owner->transit]);
    if (sender)
        put_end(sniff, &owner->sender, out);
    if (sender && receiver)
        buf_puts(out, " > ");
    if (receiver)
        put_end(sniff, &owner->receiver, out);
}

/* Where the text of the owner with that number is noted. NULL without memory. */
static size_t *text_place(struct sniff_texts *texts, uint32_t number)
{
    if (number >= texts->count &&
        VEC_RESERVE(&texts->at, &texts->capacity, texts->count, number + 1 - texts->count) < 0)
        return NULL;
    while (texts->count <= number)
        texts->at[texts->count++] = NO_TEXT;
    return &texts->at[number];
}

static void put_text(struct sniff *sniff, const struct packet_owner *owner, struct buf *out)
{
    buf_puts(out, "  ");
    sniff_put_owner(sniff, owner, out);
}

const char *sniff_owner_text(struct sniff *sniff, const struct packet_owner *owner)
{
    struct sniff_texts *texts = &sniff->texts;
    size_t *at = owner->number ? text_place(texts, owner->number) : NULL;

    if (!at) {
        buf_reset(&sniff->remark);
        put_text(sniff, owner, &sniff->remark);
        return sniff->remark.error ? "  " : buf_string(&sniff->remark);
    }
    if (*at == NO_TEXT) {
        *at = texts->text.length;
        put_text(sniff, owner, &texts->text);
        buf_byte(&texts->text, '\0');
    }
    return texts->text.error ? "  " : texts->text.data + *at;
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

/* What the file that is read says of a packet. */
static const char *noted_text(struct sniff *sniff)
{
    buf_reset(&sniff->remark);
    buf_puts(&sniff->remark, "  ");
    escape_text(&sniff->remark, sniff->noted->comment, strlen(sniff->noted->comment));
    return buf_string(&sniff->remark);
}

static void put_line(struct sniff *sniff, const struct sniff_source *source,
                     const struct captured *captured, const struct packet_owner *owner)
{
    const char *remark = NULL;

    if (owner)
        remark = sniff_owner_text(sniff, owner);
    else if (sniff->noted && sniff->noted->comment)
        remark = noted_text(sniff);
    sniff->line.remark = remark && strlen(remark) > 2 ? remark : NULL;
    if (source->labelled) {
        escape_text(&sniff->out, source->netns, strlen(source->netns));
        buf_byte(&sniff->out, ' ');
    }
    line_put(&sniff->line, &sniff->packet, source->link_type, captured, sniff->shown);
}

static void show(struct sniff *sniff, const struct sniff_source *source,
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
}

/* What could not be put together is missed in what is put together of it. */
static void take_errors(struct sniff *sniff)
{
    const struct buf *parts[] = {&sniff->remark, &sniff->facts.texts, &sniff->texts.text};

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i]->error)
            sniff->out.error = parts[i]->error;
}

void sniff_show(struct sniff *sniff, const struct sniff_source *source,
                const struct captured *captured)
{
    show(sniff, source, captured);
    take_errors(sniff);
    if (sniff->options->line_buffered)
        (void)buf_flush(&sniff->out);
}
