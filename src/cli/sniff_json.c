/* SPDX-License-Identifier: MIT */
/* nwho sniff --json: an object for each packet. */
#include "cli/sniff.h"

#include "base/escape.h"
#include "base/format.h"
#include "cli/packet_statistics.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

void sniff_put_key(struct buf *out, const char *key)
{
    buf_puts(out, ",\"");
    buf_puts(out, key);
    buf_puts(out, "\":");
}

void sniff_put_text(struct buf *out, const char *key, const char *text, size_t length)
{
    sniff_put_key(out, key);
    escape_json(out, text, length);
}

void sniff_put_number(struct buf *out, const char *key, uint64_t number)
{
    sniff_put_key(out, key);
    buf_uint(out, number);
}

static void put_flags(struct buf *out, uint8_t flags)
{
    static const char letters[] = "FSRPAUEW";

    sniff_put_key(out, "flags");
    buf_byte(out, '"');
    for (unsigned int i = 0; i < sizeof(letters) - 1; i++)
        if (flags & 1u << i)
            buf_byte(out, letters[i]);
    buf_byte(out, '"');
}

static void put_ends(struct buf *out, const struct packet_ends *ends)
{
    buf_byte(out, ',');
    packet_ends_put_json(out, ends);
    if (ends->proto == IPPROTO_TCP && !ends->is_short)
        put_flags(out, ends->tcp_flags);
}

static void put_value(struct buf *out, const char *key, const struct value *value)
{
    if (value->type == VALUE_UINT) {
        sniff_put_number(out, key, value->uint);
    } else if (value->type == VALUE_STRING) {
        sniff_put_text(out, key, value->string.bytes, value->string.length);
    } else {
        sniff_put_key(out, key);
        buf_puts(out, "null");
    }
}

static void put_end(struct sniff *sniff, const char *key, const struct packet_end *end,
                    struct buf *out)
{
    if (end->kind == PACKET_END_ELSEWHERE)
        return;
    sniff_put_key(out, key);
    buf_printf(out, "{\"kind\":\"%s\"", packet_end_words[end->kind]);
    for (uint32_t i = 0; i < sniff->columns.column_count && end->process; i++) {
        const struct column *column = sniff->columns.columns[i];
        struct value value = sniff_value(sniff, column, end->process);

        put_value(out, column->name, &value);
    }
    buf_byte(out, '}');
}

static void put_time(struct sniff *sniff, const struct captured *captured, struct buf *out)
{
    buf_puts(out, "{\"time\":\"");
    buf_utc(out, sniff_time_of(sniff, captured), sniff->options->capture.nanoseconds ? 9 : 6);
    buf_byte(out, '"');
}

/* `neither`: where both are false. */
static void put_direction(struct buf *out, bool sender, bool receiver, const char *neither)
{
    const char *direction = sender && receiver ? "local"
                            : sender           ? "out"
                            : receiver         ? "in"
                                               : neither;

    sniff_put_text(out, "direction", direction, strlen(direction));
}

static void put_owners(struct sniff *sniff, const struct packet_owner *owner, struct buf *out)
{
    put_direction(out, owner->sender.kind != PACKET_END_ELSEWHERE,
                  owner->receiver.kind != PACKET_END_ELSEWHERE,
                  packet_transit_words[owner->transit]);
    put_end(sniff, "sender", &owner->sender, out);
    put_end(sniff, "receiver", &owner->receiver, out);
}

/* What a file says. */
static void put_note(const struct packet_note *note, struct buf *out)
{
    if (note->pid)
        sniff_put_number(out, "pid", note->pid);
    if (note->comment)
        sniff_put_text(out, "comment", note->comment, strlen(note->comment));
}

/* What it says, as values and as the line without its time. */
static void put_line(struct sniff *sniff, const struct sniff_source *source,
                     const struct captured *captured, const struct packet_flow *flow,
                     struct buf *out)
{
    buf_reset(&sniff->remark);
    sniff->packet.out = &sniff->remark;
    sniff->packet.bytes = captured->bytes;
    sniff->packet.captured = captured->captured;
    packet_facts_reset(&sniff->facts);
    sniff->packet.facts = &sniff->facts;
    packet_dissect(&sniff->packet, source->link_type, captured->length);
    sniff_put_facts(out, &sniff->facts, flow);
    sniff_put_text(out, "text", sniff->remark.data, sniff->remark.length);
}

static const char *interface_of(const struct sniff_source *source, const struct packet_flow *flow)
{
    for (const struct if_nameindex *at = source->names; flow->ifindex && at && at->if_index; at++)
        if (at->if_index == flow->ifindex)
            return at->if_name;
    return source->interface;
}

void sniff_put_json(struct sniff *sniff, const struct sniff_source *source,
                    const struct captured *captured, const struct packet_flow *flow,
                    const struct packet_owner *owner)
{
    const char *interface = interface_of(source, flow);
    struct buf *out = &sniff->out;

    put_time(sniff, captured, out);
    if (source->netns)
        sniff_put_text(out, "netns", source->netns, strlen(source->netns));
    if (interface)
        sniff_put_text(out, "iface", interface, strlen(interface));
    sniff_put_number(out, "length", captured->length);
    if (flow->ends.family) {
        put_ends(out, &flow->ends);
        if (sniff->owners || owner->sender.process || owner->receiver.process)
            put_owners(sniff, owner, out);
        else if (sniff->noted && sniff->noted->direction)
            put_direction(out, sniff->noted->direction == PACKET_OUT,
                          sniff->noted->direction == PACKET_IN, "");
    }
    if (sniff->noted)
        put_note(sniff->noted, out);
    put_line(sniff, source, captured, flow, out);
    buf_puts(out, "}\n");
}
