/* SPDX-License-Identifier: MIT */
/* nwho sniff --json: an object for each packet. */
#include "cli/sniff.h"

#include "base/escape.h"
#include "base/format.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* Not the first one of its object. */
static void put_key(struct buf *out, const char *key)
{
    buf_puts(out, ",\"");
    buf_puts(out, key);
    buf_puts(out, "\":");
}

static void put_text(struct buf *out, const char *key, const char *text, size_t length)
{
    put_key(out, key);
    escape_json(out, text, length);
}

static void put_number(struct buf *out, const char *key, uint64_t number)
{
    put_key(out, key);
    buf_uint(out, number);
}

static void put_flags(struct buf *out, uint8_t flags)
{
    static const char letters[] = "FSRPAUEW";

    put_key(out, "flags");
    buf_byte(out, '"');
    for (unsigned int i = 0; i < sizeof(letters) - 1; i++)
        if (flags & 1u << i)
            buf_byte(out, letters[i]);
    buf_byte(out, '"');
}

static void put_address(struct buf *out, const char *key, uint8_t family, const uint8_t *address)
{
    put_key(out, key);
    buf_byte(out, '"');
    buf_address(out, family, address);
    buf_byte(out, '"');
}

static void put_ends(struct buf *out, const struct packet_ends *ends)
{
    const char *proto = packet_proto_name(ends->proto);

    if (proto)
        put_text(out, "proto", proto, strlen(proto));
    else
        put_number(out, "proto", ends->proto);
    put_address(out, "src", ends->family, ends->source);
    put_address(out, "dst", ends->family, ends->target);
    if (ends->is_short)
        return;
    if (packet_proto_has_ports(ends->proto)) {
        put_number(out, "sport", ends->source_port);
        put_number(out, "dport", ends->target_port);
    }
    if (ends->proto == IPPROTO_TCP)
        put_flags(out, ends->tcp_flags);
}

static void put_end(const char *key, const struct packet_end *end, struct buf *out)
{
    const struct packet_process *process = end->process;

    if (end->kind == PACKET_END_ELSEWHERE)
        return;
    put_key(out, key);
    buf_printf(out, "{\"kind\":\"%s\"", packet_end_words[end->kind]);
    if (process) {
        put_number(out, "pid", process->pid);
        put_text(out, "process", process->comm, strnlen(process->comm, sizeof(process->comm)));
        put_number(out, "uid", process->uid);
    }
    buf_byte(out, '}');
}

static void put_time(struct sniff *sniff, const struct captured *captured, struct buf *out)
{
    buf_printf(out, "{\"time\":%lld.%0*u", (long long)captured->seconds,
               sniff->options->capture.nanoseconds ? 9 : 6, captured->fraction);
}

static void put_owners(const struct packet_owner *owner, struct buf *out)
{
    bool sender = owner->sender.kind != PACKET_END_ELSEWHERE,
         receiver = owner->receiver.kind != PACKET_END_ELSEWHERE;
    const char *direction = sender && receiver ? "local"
                            : sender           ? "out"
                            : receiver         ? "in"
                                               : "forwarded";

    put_text(out, "direction", direction, strlen(direction));
    put_end("sender", &owner->sender, out);
    put_end("receiver", &owner->receiver, out);
}

/* What a file says. */
static void put_note(const struct packet_note *note, struct buf *out)
{
    if (note->direction)
        put_text(out, "direction", note->direction == PACKET_OUT ? "out" : "in",
                 note->direction == PACKET_OUT ? 3 : 2);
    if (note->pid)
        put_number(out, "pid", note->pid);
    if (note->comment)
        put_text(out, "comment", note->comment, strlen(note->comment));
}

/* The line, without its time. */
static void put_line(struct sniff *sniff, const struct sniff_source *source,
                     const struct captured *captured, struct buf *out)
{
    sniff->remark.length = 0;
    sniff->packet.out = &sniff->remark;
    sniff->packet.bytes = captured->bytes;
    sniff->packet.captured = captured->captured;
    packet_dissect(&sniff->packet, source->link_type, captured->length);
    put_text(out, "text", sniff->remark.data, sniff->remark.length);
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
    if (source->label)
        put_text(out, "netns", source->label, strlen(source->label));
    if (interface)
        put_text(out, "interface", interface, strlen(interface));
    put_number(out, "length", captured->length);
    if (flow->ends.family) {
        put_ends(out, &flow->ends);
        if (sniff->owners)
            put_owners(owner, out);
    }
    if (sniff->noted)
        put_note(sniff->noted, out);
    put_line(sniff, source, captured, out);
    buf_puts(out, "}\n");
}
