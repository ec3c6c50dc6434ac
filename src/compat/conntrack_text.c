/* SPDX-License-Identifier: MIT */
/* conntrack: an entry as a line, and as the options by which it is made again. */
#include "compat/conntrack.h"

#include "base/escape.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

static void put_number(struct buf *out, const char *word, uint64_t number)
{
    buf_puts(out, word);
    buf_uint(out, number);
}

static void put_address(struct buf *out, const char *word, uint8_t family,
                        const union address *address)
{
    buf_puts(out, word);
    buf_address(out, family, address->bytes);
}

static void put_time(struct buf *out, uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm tm;
    char text[64];
    size_t length =
        localtime_r(&seconds, &tm) ? strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm) : 0;

    buf_put(out, text, length);
}

/* --- a line --- */

static void put_protocol(struct buf *out, const struct conntrack *entry)
{
    const char *word = conntrack_protocol_word(entry->protocol);
    size_t length;

    word = word ? word : "unknown";
    length = strlen(word);
    buf_put(out, word, length);
    buf_pad(out, length < 9 ? 9 - length : 1);
    buf_uint(out, entry->protocol);
    buf_byte(out, ' ');
}

static void put_values(struct buf *out, const struct conntrack *entry,
                       const struct conntrack_tuple *tuple)
{
    put_address(out, "src=", entry->family, &tuple->src);
    put_address(out, " dst=", entry->family, &tuple->dst);
    if (conntrack_has_ports(entry->protocol)) {
        put_number(out, " sport=", tuple->src_port);
        put_number(out, " dport=", tuple->dst_port);
    } else if (conntrack_is_icmp(entry->protocol)) {
        put_number(out, " type=", tuple->icmp_type);
        put_number(out, " code=", tuple->icmp_code);
        put_number(out, " id=", tuple->icmp_id);
    } else if (conntrack_has_keys(entry)) {
        buf_puts(out, " srckey=0x");
        buf_hex(out, tuple->src_port);
        buf_puts(out, " dstkey=0x");
        buf_hex(out, tuple->dst_port);
    }
    buf_byte(out, ' ');
}

static void put_counters(struct buf *out, const struct conntrack *entry, uint64_t packets,
                         uint64_t bytes)
{
    if (!(entry->has & CONNTRACK_HAS_COUNTERS))
        return;
    put_number(out, "packets=", packets);
    put_number(out, " bytes=", bytes);
    buf_byte(out, ' ');
}

static void put_directions(struct buf *out, const struct conntrack *entry)
{
    put_values(out, entry, &entry->orig);
    if (entry->has & CONNTRACK_HAS_ORIG_ZONE) {
        put_number(out, "zone-orig=", entry->orig_zone);
        buf_byte(out, ' ');
    }
    put_counters(out, entry, entry->orig_packets, entry->orig_bytes);
    if (!(entry->status & CONNTRACK_SEEN_REPLY))
        buf_puts(out, "[UNREPLIED] ");
    put_values(out, entry, &entry->reply);
    if (entry->has & CONNTRACK_HAS_REPLY_ZONE) {
        put_number(out, "zone-reply=", entry->reply_zone);
        buf_byte(out, ' ');
    }
    put_counters(out, entry, entry->reply_packets, entry->reply_bytes);
    if (entry->status & CONNTRACK_HW_OFFLOAD)
        buf_puts(out, "[HW_OFFLOAD] ");
    else if (entry->status & CONNTRACK_OFFLOAD)
        buf_puts(out, "[OFFLOAD] ");
    else if (entry->status & CONNTRACK_ASSURED)
        buf_puts(out, "[ASSURED] ");
}

static void put_labels(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    struct conntrack_labels labels = conntrack_entry_labels(row->entry, row->strings);
    const char *before = "labels=";

    for (unsigned int bit = 0; bit < CONNTRACK_LABEL_BYTES * 8; bit++) {
        if (!conntrack_has_label(&labels, bit) || !writer->labels.names[bit])
            continue;
        buf_puts(&writer->out, before);
        escape_text(&writer->out, writer->labels.names[bit], strlen(writer->labels.names[bit]));
        before = ",";
    }
    if (*before == ',')
        buf_byte(&writer->out, ' ');
}

static void put_string(struct buf *out, const char *word, const char *text, size_t length)
{
    buf_puts(out, word);
    escape_text(out, text, length);
    buf_byte(out, ' ');
}

static void put_times(struct conntrack_writer *writer, const struct conntrack *entry)
{
    struct buf *out = &writer->out;
    uint64_t start_s = entry->start_ns / 1000000000;
    uint64_t stop_s = entry->has & CONNTRACK_HAS_STOP ? entry->stop_ns / 1000000000 : writer->now_s;

    if (entry->has & CONNTRACK_HAS_START) {
        put_number(out, "delta-time=", stop_s > start_s ? stop_s - start_s : 0);
        buf_byte(out, ' ');
    }
    if (!(writer->options->output & OUTPUT_KTIMESTAMP))
        return;
    if (entry->has & CONNTRACK_HAS_START) {
        buf_puts(out, "[start=");
        put_time(out, entry->start_ns);
        buf_puts(out, "] ");
    }
    if (entry->has & CONNTRACK_HAS_STOP) {
        buf_puts(out, "[stop=");
        put_time(out, entry->stop_ns);
        buf_puts(out, "] ");
    }
}

static void put_rest(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    const struct conntrack *entry = row->entry;
    struct buf *out = &writer->out;

    if (entry->has & CONNTRACK_HAS_MARK) {
        put_number(out, "mark=", entry->mark);
        buf_byte(out, ' ');
    }
    conntrack_put_string(out, "secctx=", row->strings, entry->security, put_string);
    if (entry->has & CONNTRACK_HAS_ZONE) {
        put_number(out, "zone=", entry->zone);
        buf_byte(out, ' ');
    }
    put_times(writer, entry);
    conntrack_put_string(out, "helper=", row->strings, entry->helper, put_string);
    if (entry->has & CONNTRACK_HAS_USE) {
        put_number(out, "use=", entry->use);
        buf_byte(out, ' ');
    }
    if (writer->options->output & OUTPUT_ID && entry->has & CONNTRACK_HAS_ID) {
        put_number(out, "id=", entry->id);
        buf_byte(out, ' ');
    }
    if (writer->options->output & OUTPUT_LABELS && entry->labels)
        put_labels(writer, row);
}

void conntrack_write_text(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    static const char *const events[] = {
        [CONNTRACK_EVENT_NEW] = "    [NEW] ",
        [CONNTRACK_EVENT_UPDATE] = " [UPDATE] ",
        [CONNTRACK_EVENT_DESTROY] = "[DESTROY] ",
    };
    const struct conntrack *entry = row->entry;
    struct buf *out = &writer->out;
    const char *state;

    if (row->event != CONNTRACK_EVENT_NONE)
        buf_puts(out, events[row->event]);
    if (writer->options->output & OUTPUT_EXTENDED)
        buf_puts(out, entry->family == AF_INET6 ? "ipv6     10 " : "ipv4     2 ");
    put_protocol(out, entry);
    if (entry->has & CONNTRACK_HAS_TIMEOUT) {
        buf_uint(out, entry->timeout_s);
        buf_byte(out, ' ');
    }
    state = entry->has & CONNTRACK_HAS_STATE ? conntrack_state_word(entry->protocol, entry->state)
                                             : NULL;
    if (state) {
        buf_puts(out, state);
        buf_byte(out, ' ');
    }
    put_directions(out, entry);
    put_rest(writer, row);
    if (!out->error && out->length)
        out->length--; /* each part ends with a blank */
}

/* --- as options --- */

static void save_status(struct buf *out, const struct conntrack *entry)
{
    const char *before = " -u ";

    for (size_t i = 0; conntrack_status_words[i].word; i++) {
        if (!(entry->status & conntrack_status_words[i].bits))
            continue;
        buf_puts(out, before);
        buf_puts(out, conntrack_status_words[i].word);
        before = ",";
    }
    if (*before == ' ')
        buf_puts(out, " -u UNSET");
}

static void save_addresses(struct buf *out, const struct conntrack *entry)
{
    if (entry->has & CONNTRACK_HAS_ZONE)
        put_number(out, " -w ", entry->zone);
    if (entry->has & CONNTRACK_HAS_ORIG_ZONE)
        put_number(out, " --orig-zone ", entry->orig_zone);
    if (entry->has & CONNTRACK_HAS_REPLY_ZONE)
        put_number(out, " --reply-zone ", entry->reply_zone);
    put_address(out, " -s ", entry->family, &entry->orig.src);
    put_address(out, " -d ", entry->family, &entry->orig.dst);
    put_address(out, conntrack_has_dst_nat(entry) ? " -g " : " -r ", entry->family,
                &entry->reply.src);
    put_address(out, conntrack_has_src_nat(entry) ? " -n " : " -q ", entry->family,
                &entry->reply.dst);
}

static void save_values(struct buf *out, const struct conntrack *entry)
{
    const struct conntrack_tuple *orig = &entry->orig, *reply = &entry->reply;

    if (conntrack_has_keys(entry)) {
        put_number(out, " --srckey ", orig->src_port);
        put_number(out, " --dstkey ", orig->dst_port);
        put_number(out, " --reply-key-src ", reply->src_port);
        put_number(out, " --reply-key-dst ", reply->dst_port);
    } else if (conntrack_is_icmp(entry->protocol)) {
        bool v6 = entry->protocol == IPPROTO_ICMPV6;

        put_number(out, v6 ? " --icmpv6-type " : " --icmp-type ", orig->icmp_type);
        put_number(out, v6 ? " --icmpv6-code " : " --icmp-code ", orig->icmp_code);
        put_number(out, v6 ? " --icmpv6-id " : " --icmp-id ", orig->icmp_id);
    } else if (conntrack_has_ports(entry->protocol)) {
        put_number(out, " --sport ", orig->src_port);
        put_number(out, " --dport ", orig->dst_port);
        put_number(out, " --reply-port-src ", reply->src_port);
        put_number(out, " --reply-port-dst ", reply->dst_port);
    }
}

void conntrack_write_save(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    const struct conntrack *entry = row->entry;
    struct buf *out = &writer->out;
    const char *word = conntrack_protocol_word(entry->protocol);
    const char *state = entry->has & CONNTRACK_HAS_STATE
                            ? conntrack_state_word(entry->protocol, entry->state)
                            : NULL;

    buf_puts(out, row->event == CONNTRACK_EVENT_UPDATE    ? "-U"
                  : row->event == CONNTRACK_EVENT_DESTROY ? "-D"
                                                          : "-A");
    if (entry->has & CONNTRACK_HAS_TIMEOUT)
        put_number(out, " -t ", entry->timeout_s);
    save_status(out, entry);
    if (entry->has & CONNTRACK_HAS_MARK && entry->mark)
        put_number(out, " -m ", entry->mark);
    save_addresses(out, entry);
    buf_puts(out, " -p ");
    if (word)
        buf_puts(out, word);
    else
        buf_uint(out, entry->protocol);
    save_values(out, entry);
    if (state) {
        buf_puts(out, " --state ");
        buf_puts(out, state);
    }
    if (entry->has & CONNTRACK_HAS_TAGS) {
        put_number(out, " --orig-vtag ", entry->orig_tag);
        put_number(out, " --reply-vtag ", entry->reply_tag);
    }
}
