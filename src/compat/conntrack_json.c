/* SPDX-License-Identifier: MIT */
/* conntrack -o json, which the real one has not: an array of what is listed, a line for each event.
 */
#include "compat/conntrack.h"

#include "base/escape.h"

#include <sys/socket.h>

/* Not the first one of an object. */
static void put_key(struct buf *out, const char *key)
{
    buf_puts(out, ",\"");
    buf_puts(out, key);
    buf_puts(out, "\":");
}

static void put_number(struct buf *out, const char *key, uint64_t number)
{
    put_key(out, key);
    buf_uint(out, number);
}

static void put_word(struct buf *out, const char *key, const char *word)
{
    put_key(out, key);
    escape_json(out, word, strlen(word));
}

static void put_address(struct buf *out, uint8_t family, const union address *address)
{
    buf_byte(out, '"');
    buf_address(out, family, address->bytes);
    buf_byte(out, '"');
}

static void put_string(struct buf *out, const char *key, const char *text, size_t length)
{
    put_key(out, key);
    escape_json(out, text, length);
}

static void put_tuple(struct buf *out, const char *key, const struct conntrack *entry,
                      const struct conntrack_tuple *tuple)
{
    put_key(out, key);
    buf_puts(out, "{\"src\":");
    put_address(out, entry->family, &tuple->src);
    put_key(out, "dst");
    put_address(out, entry->family, &tuple->dst);
    if (conntrack_has_ports(entry->protocol)) {
        put_number(out, "sport", tuple->src_port);
        put_number(out, "dport", tuple->dst_port);
    } else if (conntrack_is_icmp(entry->protocol)) {
        put_number(out, "type", tuple->icmp_type);
        put_number(out, "code", tuple->icmp_code);
        put_number(out, "id", tuple->icmp_id);
    } else if (conntrack_has_keys(entry)) {
        put_number(out, "srckey", tuple->src_port);
        put_number(out, "dstkey", tuple->dst_port);
    }
}

static void put_directions(struct buf *out, const struct conntrack *entry)
{
    bool counted = entry->has & CONNTRACK_HAS_COUNTERS;

    put_tuple(out, "orig", entry, &entry->orig);
    if (entry->has & CONNTRACK_HAS_ORIG_ZONE)
        put_number(out, "zone", entry->orig_zone);
    if (counted) {
        put_number(out, "packets", entry->orig_packets);
        put_number(out, "bytes", entry->orig_bytes);
    }
    buf_byte(out, '}');
    put_tuple(out, "reply", entry, &entry->reply);
    if (entry->has & CONNTRACK_HAS_REPLY_ZONE)
        put_number(out, "zone", entry->reply_zone);
    if (counted) {
        put_number(out, "packets", entry->reply_packets);
        put_number(out, "bytes", entry->reply_bytes);
    }
    buf_byte(out, '}');
}

static void put_status(struct buf *out, const struct conntrack *entry)
{
    static const struct {
        const char *word;
        uint32_t bit;
    } statuses[] = {
        {"expected", CONNTRACK_EXPECTED}, {"seen_reply", CONNTRACK_SEEN_REPLY},
        {"assured", CONNTRACK_ASSURED},   {"confirmed", CONNTRACK_CONFIRMED},
        {"src_nat", CONNTRACK_SRC_NAT},   {"dst_nat", CONNTRACK_DST_NAT},
        {"dying", CONNTRACK_DYING},       {"fixed_timeout", CONNTRACK_FIXED_TIMEOUT},
        {"offload", CONNTRACK_OFFLOAD},   {"hw_offload", CONNTRACK_HW_OFFLOAD},
    };
    const char *before = "";

    put_key(out, "status");
    buf_byte(out, '[');
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
        if (entry->status & statuses[i].bit) {
            buf_printf(out, "%s\"%s\"", before, statuses[i].word);
            before = ",";
        }
    buf_byte(out, ']');
}

static void put_labels(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    struct conntrack_labels labels = conntrack_entry_labels(row->entry, row->strings);
    struct buf *out = &writer->out;
    const char *before = "";

    put_key(out, "labels");
    buf_byte(out, '[');
    for (unsigned int bit = 0; bit < CONNTRACK_LABEL_BYTES * 8; bit++) {
        if (!conntrack_has_label(&labels, bit))
            continue;
        buf_puts(out, before);
        if (writer->labels.names[bit])
            escape_json(out, writer->labels.names[bit], strlen(writer->labels.names[bit]));
        else
            buf_uint(out, bit);
        before = ",";
    }
    buf_byte(out, ']');
}

static void put_facts(struct buf *out, const struct conntrack *entry)
{
    const struct {
        const char *key;
        uint32_t has;
        uint64_t number;
    } numbers[] = {
        {"timeout_s", CONNTRACK_HAS_TIMEOUT, entry->timeout_s},
        {"mark", CONNTRACK_HAS_MARK, entry->mark},
        {"zone", CONNTRACK_HAS_ZONE, entry->zone},
        {"start_ns", CONNTRACK_HAS_START, entry->start_ns},
        {"stop_ns", CONNTRACK_HAS_STOP, entry->stop_ns},
        {"orig_vtag", CONNTRACK_HAS_TAGS, entry->orig_tag},
        {"reply_vtag", CONNTRACK_HAS_TAGS, entry->reply_tag},
        {"use", CONNTRACK_HAS_USE, entry->use},
        {"id", CONNTRACK_HAS_ID, entry->id},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (entry->has & numbers[i].has)
            put_number(out, numbers[i].key, numbers[i].number);
}

static void begin(struct conntrack_writer *writer, const struct conntrack_row *row, uint8_t family)
{
    static const char *const events[] = {
        [CONNTRACK_EVENT_NEW] = "new",
        [CONNTRACK_EVENT_UPDATE] = "update",
        [CONNTRACK_EVENT_DESTROY] = "destroy",
    };

    struct buf *out = &writer->out;

    if (row->event == CONNTRACK_EVENT_NONE)
        buf_puts(out, writer->shown ? ",\n{" : "[\n{");
    else
        buf_printf(out, "{\"event\":\"%s\",\"time\":%lld.%06ld,", events[row->event],
                   (long long)row->came.tv_sec, (long)row->came.tv_usec);
    buf_printf(out, "\"family\":\"%s\"", family == AF_INET6 ? "ipv6" : "ipv4");
}

void conntrack_write_json(struct conntrack_writer *writer, const struct conntrack_row *row)
{
    const struct conntrack *entry = row->entry;
    struct buf *out = &writer->out;
    const char *word = conntrack_protocol_word(entry->protocol);
    const char *state = entry->has & CONNTRACK_HAS_STATE
                            ? conntrack_state_word(entry->protocol, entry->state)
                            : NULL;

    begin(writer, row, entry->family);
    if (word)
        put_word(out, "proto", word);
    put_number(out, "protonum", entry->protocol);
    if (state)
        put_word(out, "state", state);
    put_directions(out, entry);
    put_status(out, entry);
    put_facts(out, entry);
    conntrack_put_string(out, "helper", row->strings, entry->helper, put_string);
    conntrack_put_string(out, "secctx", row->strings, entry->security, put_string);
    if (entry->labels)
        put_labels(writer, row);
    if (row->port_id)
        put_number(out, "portid", row->port_id);
    buf_byte(out, '}');
}

void conntrack_write_expectation_json(struct conntrack_writer *writer,
                                      const struct conntrack_expectation *expectation,
                                      const struct conntrack_row *row)
{
    static const char *const names[] = {"expected", "mask", "master"};
    const struct conntrack_tuple *tuples[] = {&expectation->tuple, &expectation->mask,
                                              &expectation->master};
    const struct conntrack values = {.protocol = expectation->protocol,
                                     .family = expectation->family};
    struct buf *out = &writer->out;

    begin(writer, row, expectation->family);
    put_number(out, "protonum", expectation->protocol);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        put_tuple(out, names[i], &values, tuples[i]);
        buf_byte(out, '}');
    }
    put_number(out, "timeout_s", expectation->timeout_s);
    put_number(out, "class", expectation->class);
    put_number(out, "zone", expectation->zone);
    conntrack_put_string(out, "helper", row->strings, expectation->helper, put_string);
    buf_byte(out, '}');
}
