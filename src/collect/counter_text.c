/* SPDX-License-Identifier: MIT */
/* Parsers of the files of /proc/net that hold counters. */
#include "collect/counter_text.h"

#include "base/cleanup.h"
#include "collect/proc_file.h"

#include <string.h>

struct word {
    const char *bytes;
    size_t length;
};

/* The next word of a line; false at its end. */
static bool next_word(const char **at, struct word *ret_word)
{
    *at += strspn(*at, " \t");
    ret_word->bytes = *at;
    ret_word->length = strcspn(*at, " \t\n");
    *at += ret_word->length;
    return ret_word->length > 0;
}

static const char *next_line(const char *text)
{
    const char *end = strchr(text, '\n');

    return end ? end + 1 : text + strlen(text);
}

/* A decimal number with or without a minus. */
static bool read_value(struct word word, struct counter_item *item)
{
    bool negative = word.bytes[0] == '-';
    const char *at = word.bytes + negative;
    uint64_t number;

    if (!proc_parse_number(&at, &number) || at != word.bytes + word.length)
        return false;
    item->value = negative ? 0 - number : number;
    item->flags = negative ? COUNTER_NEGATIVE : 0;
    return true;
}

/* "Group:" at the beginning of a line. */
static bool read_group(const char **at, struct counter_item *item)
{
    struct word word;

    if (!next_word(at, &word) || word.length < 2 || word.bytes[word.length - 1] != ':')
        return false;
    item->group = word.bytes;
    item->group_length = word.length - 1;
    return true;
}

/* Tcp has three values that count nothing. */
static bool is_gauge(const struct counter_item *item)
{
    static const char *const gauges[] = {"Forwarding", "DefaultTTL", "RtoAlgorithm", "RtoMin",
                                         "RtoMax",     "MaxConn",    "CurrEstab"};

    for (size_t i = 0; i < ARRAY_SIZE(gauges); i++)
        if (item->label_length == strlen(gauges[i]) &&
            memcmp(item->label, gauges[i], item->label_length) == 0)
            return true;
    return false;
}

static int parse_pair(const char *names, const char *values, counter_item_fn *fn, void *context)
{
    struct counter_item item = {.cpu = 0}, other;
    struct word name, value;
    int r = 0;

    if (!read_group(&names, &item) || !read_group(&values, &other) ||
        item.group_length != other.group_length ||
        memcmp(item.group, other.group, item.group_length) != 0)
        return 0;
    while (r == 0 && next_word(&names, &name) && next_word(&values, &value)) {
        item.label = name.bytes;
        item.label_length = name.length;
        if (!read_value(value, &item))
            continue;
        item.flags |= is_gauge(&item) ? COUNTER_GAUGE : 0;
        r = fn(context, &item);
    }
    return r;
}

int counter_parse_pairs(const char *text, counter_item_fn *fn, void *context)
{
    int r = 0;

    while (r == 0 && *text) {
        const char *values = next_line(text);

        r = parse_pair(text, values, fn, context);
        text = next_line(values);
    }
    return r;
}

/* "Icmp6InMsgs" is InMsgs of Icmp6. */
static void split_name(struct word name, struct counter_item *item)
{
    static const char *const groups[] = {"UdpLite6", "Icmp6", "Ip6", "Udp6", "Xfrm", "Sctp"};

    item->group = name.bytes;
    item->group_length = 0;
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        size_t length = strlen(groups[i]);

        if (name.length > length && memcmp(name.bytes, groups[i], length) == 0) {
            item->group_length = length;
            break;
        }
    }
    item->label = name.bytes + item->group_length;
    item->label_length = name.length - item->group_length;
}

int counter_parse_names(const char *text, counter_item_fn *fn, void *context)
{
    int r = 0;

    for (; r == 0 && *text; text = next_line(text)) {
        struct counter_item item = {.cpu = 0};
        struct word name, value;
        const char *at = text;

        if (!next_word(&at, &name) || !next_word(&at, &value) || !read_value(value, &item))
            continue;
        split_name(name, &item);
        item.flags |= is_gauge(&item) ? COUNTER_GAUGE : 0;
        r = fn(context, &item);
    }
    return r;
}

int counter_parse_sockstat(const char *text, counter_item_fn *fn, void *context)
{
    int r = 0;

    for (; r == 0 && *text; text = next_line(text)) {
        struct counter_item item = {.cpu = 0};
        struct word name, value;
        const char *at = text;

        if (!read_group(&at, &item))
            continue;
        while (r == 0 && next_word(&at, &name) && next_word(&at, &value)) {
            item.label = name.bytes;
            item.label_length = name.length;
            if (!read_value(value, &item))
                continue;
            item.flags |= COUNTER_GAUGE;
            r = fn(context, &item);
        }
    }
    return r;
}

/* --- softnet_stat --- */

/* Which number of a line is what; those between are zero in every kernel of today. */
static const struct softnet_field {
    const char *label;
    unsigned int position;
    uint32_t flags;
} softnet_fields[] = {
    {"Processed", 0, COUNTER_WRAPS},   {"Dropped", 1, COUNTER_WRAPS},
    {"TimeSqueeze", 2, COUNTER_WRAPS}, {"ReceivedRps", 9, COUNTER_WRAPS},
    {"FlowLimit", 10, COUNTER_WRAPS},  {"Backlog", 11, COUNTER_GAUGE},
    {"InputQueue", 13, COUNTER_GAUGE}, {"ProcessQueue", 14, COUNTER_GAUGE},
};

#define SOFTNET_NUMBERS 15
#define SOFTNET_CPU 12 /* position of the CPU's own number, since 5.10 */

struct softnet_line {
    uint32_t numbers[SOFTNET_NUMBERS];
    unsigned int count;
};

static bool read_hex(struct word word, uint32_t *ret_number)
{
    uint32_t number = 0;

    if (word.length > 8)
        return false;
    for (size_t i = 0; i < word.length; i++) {
        const char *digits = "0123456789abcdef", *found = strchr(digits, word.bytes[i]);

        if (!found)
            return false;
        number = number << 4 | (uint32_t)(found - digits);
    }
    *ret_number = number;
    return true;
}

static struct softnet_line read_softnet_line(const char *at)
{
    struct softnet_line line = {.count = 0};
    struct word word;

    while (line.count < SOFTNET_NUMBERS && next_word(&at, &word) &&
           read_hex(word, &line.numbers[line.count]))
        line.count++;
    return line;
}

/* The counters of one line: those that so old or new a kernel has. */
static int put_softnet(const uint64_t *numbers, unsigned int count, uint32_t cpu,
                       counter_item_fn *fn, void *context)
{
    int r = 0;

    for (size_t i = 0; i < ARRAY_SIZE(softnet_fields) && r == 0; i++) {
        const struct softnet_field *field = &softnet_fields[i];
        struct counter_item item = {
            .group = "Softnet",
            .group_length = strlen("Softnet"),
            .label = field->label,
            .label_length = strlen(field->label),
            .flags = field->flags,
            .cpu = cpu,
        };

        if (field->position >= count)
            continue;
        item.value = numbers[field->position];
        r = fn(context, &item);
    }
    return r;
}

static int put_softnet_cpus(const char *text, counter_item_fn *fn, void *context)
{
    uint32_t row = 0;
    int r = 0;

    for (; r == 0 && *text; text = next_line(text), row++) {
        struct softnet_line line = read_softnet_line(text);
        uint64_t numbers[SOFTNET_NUMBERS];

        for (unsigned int i = 0; i < line.count; i++)
            numbers[i] = line.numbers[i];
        r = put_softnet(numbers, line.count,
                        1 + (line.count > SOFTNET_CPU ? line.numbers[SOFTNET_CPU] : row), fn,
                        context);
    }
    return r;
}

int counter_parse_softnet(const char *text, counter_item_fn *fn, void *context)
{
    uint64_t sums[SOFTNET_NUMBERS] = {0};
    unsigned int count = 0;
    int r;

    for (const char *at = text; *at; at = next_line(at)) {
        struct softnet_line line = read_softnet_line(at);

        count = line.count > count ? line.count : count;
        for (unsigned int i = 0; i < line.count; i++)
            sums[i] += line.numbers[i];
    }
    r = put_softnet(sums, count, 0, fn, context);
    return r < 0 ? r : put_softnet_cpus(text, fn, context);
}

/* --- stat/nf_conntrack --- */

/* Those that tell of loss. What else there is has been zero for long, or is a setting as well. */
static const struct conntrack_field {
    const char *name, *label;
} conntrack_fields[] = {
    {"invalid", "Invalid"},      {"insert_failed", "InsertFailed"},   {"drop", "Drop"},
    {"early_drop", "EarlyDrop"}, {"search_restart", "SearchRestart"},
};

/* The sum of column number `column` over all lines. */
static uint64_t sum_column(const char *lines, unsigned int column)
{
    uint64_t sum = 0;

    for (; *lines; lines = next_line(lines)) {
        const char *at = lines;
        struct word word;
        uint32_t number;
        unsigned int position = 0;

        while (next_word(&at, &word) && position < column)
            position++;
        if (position == column && word.length && read_hex(word, &number))
            sum += number;
    }
    return sum;
}

int counter_parse_conntrack(const char *text, counter_item_fn *fn, void *context)
{
    const char *at = text;
    unsigned int column = 0;
    struct word word;
    int r = 0;

    for (; r == 0 && next_word(&at, &word); column++)
        for (size_t i = 0; i < ARRAY_SIZE(conntrack_fields) && r == 0; i++) {
            const struct conntrack_field *field = &conntrack_fields[i];
            struct counter_item item = {
                .group = "Conntrack",
                .group_length = strlen("Conntrack"),
                .label = field->label,
                .label_length = strlen(field->label),
                .flags = COUNTER_WRAPS,
            };

            if (word.length != strlen(field->name) ||
                memcmp(word.bytes, field->name, word.length) != 0)
                continue;
            item.value = sum_column(next_line(text), column);
            r = fn(context, &item);
        }
    return r;
}
