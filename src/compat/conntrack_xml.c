/* SPDX-License-Identifier: MIT */
/* conntrack: an entry in XML. */
#include "compat/conntrack.h"

#include "base/escape.h"

#include <sys/socket.h>
#include <time.h>

static void put_number(struct buf *out, const char *name, uint64_t number)
{
    buf_byte(out, '<');
    buf_puts(out, name);
    buf_byte(out, '>');
    buf_uint(out, number);
    buf_puts(out, "</");
    buf_puts(out, name);
    buf_byte(out, '>');
}

static void put_address(struct buf *out, const char *name, uint8_t family,
                        const union address *address)
{
    buf_printf(out, "<%s>", name);
    buf_address(out, family, address->bytes);
    buf_printf(out, "</%s>", name);
}

static void put_string(struct buf *out, const char *name, const char *text, size_t length)
{
    buf_printf(out, "<%s>", name);
    escape_xml(out, text, length);
    buf_printf(out, "</%s>", name);
}

static void put_layer3(struct buf *out, uint8_t family)
{
    buf_puts(out, family == AF_INET6 ? "<layer3 protonum=\"10\" protoname=\"ipv6\">"
                                     : "<layer3 protonum=\"2\" protoname=\"ipv4\">");
}

static void put_layer4(struct buf *out, uint8_t protocol)
{
    const char *word = conntrack_protocol_word(protocol);

    buf_printf(out, "<layer4 protonum=\"%u\" protoname=\"%s\">", (unsigned int)protocol,
               word ? word : "unknown");
}

static void put_values(struct buf *out, const struct conntrack *entry,
                       const struct conntrack_tuple *tuple)
{
    if (conntrack_has_ports(entry->protocol)) {
        put_number(out, "sport", tuple->src_port);
        put_number(out, "dport", tuple->dst_port);
    } else if (conntrack_is_icmp(entry->protocol)) {
        put_number(out, "type", tuple->icmp_type);
        put_number(out, "code", tuple->icmp_code);
        put_number(out, "id", tuple->icmp_id);
    } else if (conntrack_has_keys(entry)) {
        buf_printf(out, "<srckey>0x%x</srckey><dstkey>0x%x</dstkey>", (unsigned int)tuple->src_port,
                   (unsigned int)tuple->dst_port);
    }
}

static void put_direction(struct buf *out, const struct conntrack *entry, bool reply)
{
    const struct conntrack_tuple *tuple = reply ? &entry->reply : &entry->orig;
    uint32_t zone = reply ? CONNTRACK_HAS_REPLY_ZONE : CONNTRACK_HAS_ORIG_ZONE;

    buf_printf(out, "<meta direction=\"%s\">", reply ? "reply" : "original");
    put_layer3(out, entry->family);
    put_address(out, "src", entry->family, &tuple->src);
    put_address(out, "dst", entry->family, &tuple->dst);
    buf_puts(out, "</layer3>");
    put_layer4(out, entry->protocol);
    put_values(out, entry, tuple);
    buf_puts(out, "</layer4>");
    if (entry->has & zone)
        put_number(out, "zone", reply ? entry->reply_zone : entry->orig_zone);
    if (entry->has & CONNTRACK_HAS_COUNTERS) {
        buf_puts(out, "<counters>");
        put_number(out, "packets", reply ? entry->reply_packets : entry->orig_packets);
        put_number(out, "bytes", reply ? entry->reply_bytes : entry->orig_bytes);
        buf_puts(out, "</counters>");
    }
    buf_puts(out, "</meta>");
}

static void put_labels(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    struct conntrack_labels labels = conntrack_entry_labels(row->entry, row->strings);
    struct buf *out = &writer->out;

    buf_puts(out, "<labels>");
    for (unsigned int bit = 0; bit < CONNTRACK_LABEL_BYTES * 8; bit++) {
        if (!conntrack_has_label(&labels, bit) || !writer->labels.names[bit])
            continue;
        buf_puts(out, "<label>");
        escape_xml(out, writer->labels.names[bit], strlen(writer->labels.names[bit]));
        buf_puts(out, "</label>");
    }
    buf_puts(out, "</labels>");
}

/* How much later `stop` is than `start`. */
static uint64_t later(uint64_t start, uint64_t stop)
{
    return stop > start ? stop - start : 0;
}

static void put_times(struct conntrack_writer *writer, const struct conntrack *entry)
{
    struct buf *out = &writer->out;
    uint64_t start_ns = entry->start_ns;

    if (!(entry->has & CONNTRACK_HAS_START))
        return;
    if (writer->options->output & OUTPUT_KTIMESTAMP) {
        buf_puts(out, "<timestamp>");
        put_number(out, "start", start_ns);
        if (entry->has & CONNTRACK_HAS_STOP)
            put_number(out, "stop", entry->stop_ns);
        buf_puts(out, "</timestamp>");
    }
    /* Between two moments that are known it is whole seconds, where the text has the difference of
       their seconds: an entry from 1.9 s to 2.1 s lasted 0 here, and 1 there. */
    if (!(entry->has & CONNTRACK_HAS_STOP))
        put_number(out, "deltatime", later(start_ns / 1000000000, writer->now_s));
    else
        put_number(out, "deltatime", later(start_ns, entry->stop_ns) / 1000000000);
}

static void put_rest(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    const struct conntrack *entry = row->entry;
    struct buf *out = &writer->out;
    const char *state = entry->has & CONNTRACK_HAS_STATE
                            ? conntrack_state_word(entry->protocol, entry->state)
                            : NULL;

    buf_puts(out, "<meta direction=\"independent\">");
    if (state)
        buf_printf(out, "<state>%s</state>", state);
    if (entry->has & CONNTRACK_HAS_TIMEOUT)
        put_number(out, "timeout", entry->timeout_s);
    if (entry->has & CONNTRACK_HAS_MARK)
        put_number(out, "mark", entry->mark);
    if (writer->options->output & OUTPUT_LABELS && entry->labels)
        put_labels(writer, row);
    conntrack_put_string(out, "secctx", row->strings, entry->security, put_string);
    if (entry->has & CONNTRACK_HAS_ZONE)
        put_number(out, "zone", entry->zone);
    if (entry->has & CONNTRACK_HAS_USE)
        put_number(out, "use", entry->use);
    if (entry->has & CONNTRACK_HAS_ID)
        put_number(out, "id", entry->id);
    if (entry->status & CONNTRACK_ASSURED)
        buf_puts(out, "<assured/>");
    if (!(entry->status & CONNTRACK_SEEN_REPLY))
        buf_puts(out, "<unreplied/>");
    put_times(writer, entry);
    buf_puts(out, "</meta>");
    conntrack_put_string(out, "helper", row->strings, entry->helper, put_string);
}

static void put_when(struct buf *out, const struct conntrack_row *row)
{
    struct tm tm;

    if (!localtime_r(&row->came.tv_sec, &tm))
        return;
    buf_printf(out,
               "<when><hour>%d</hour><min>%02d</min><sec>%02d</sec><wday>%d</wday>"
               "<day>%d</day><month>%d</month><year>%d</year></when>",
               tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_wday + 1, tm.tm_mday, tm.tm_mon + 1,
               tm.tm_year + 1900);
}

static void begin_flow(struct conntrack_writer *writer, const struct conntrack_row *row,
                       const char *document)
{
    static const char *const events[] = {
        [CONNTRACK_EVENT_NEW] = " type=\"new\"",
        [CONNTRACK_EVENT_UPDATE] = " type=\"update\"",
        [CONNTRACK_EVENT_DESTROY] = " type=\"destroy\"",
    };

    if (writer->shown == 0)
        buf_printf(&writer->out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<%s>\n", document);
    buf_printf(&writer->out, "<flow%s>", row->event ? events[row->event] : "");
}

static bool has_when(const struct conntrack_writer *writer, const struct conntrack_row *row)
{
    return row->event != CONNTRACK_EVENT_NONE && writer->options->output & OUTPUT_TIMESTAMP;
}

void conntrack_write_xml(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    begin_flow(writer, row, "conntrack");
    put_direction(&writer->out, row->entry, false);
    put_direction(&writer->out, row->entry, true);
    put_rest(writer, row);
    if (has_when(writer, row))
        put_when(&writer->out, row);
    buf_puts(&writer->out, "</flow>");
}

void conntrack_write_expectation_xml(struct conntrack_writer *writer,
                                     const struct conntrack_expectation *expectation,
                                     const struct conntrack_row *row)
{
    static const char *const names[] = {"expected", "mask", "master"};
    const struct conntrack_tuple *tuples[] = {&expectation->tuple, &expectation->mask,
                                              &expectation->master};
    const struct conntrack values = {.protocol = expectation->protocol};
    struct buf *out = &writer->out;

    begin_flow(writer, row, "expect");
    put_layer3(out, expectation->family);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        buf_printf(out, "<%s>", names[i]);
        put_address(out, "src", expectation->family, &tuples[i]->src);
        put_address(out, "dst", expectation->family, &tuples[i]->dst);
        buf_printf(out, "</%s>", names[i]);
    }
    buf_puts(out, "</layer3>");
    put_layer4(out, expectation->protocol);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        buf_printf(out, "<%s>", names[i]);
        put_values(out, &values, tuples[i]);
        buf_printf(out, "</%s>", names[i]);
    }
    buf_puts(out, "</layer4><meta>");
    conntrack_put_string(out, "helper-name", row->strings, expectation->helper, put_string);
    put_number(out, "timeout", expectation->timeout_s);
    put_number(out, "class", expectation->class);
    if (has_when(writer, row))
        put_when(out, row);
    buf_puts(out, "</meta></flow>");
}
