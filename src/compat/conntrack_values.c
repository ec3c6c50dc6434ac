/* SPDX-License-Identifier: MIT */
/* conntrack: what the values of its options mean. */
#include "compat/conntrack.h"

#include "base/units.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

static int refuse(const char *name, const char *value)
{
    conntrack_say("--%s: not possible: \"%s\"", name, value);
    return CONNTRACK_BAD_USAGE;
}

/* A number of at most `most`. */
static int take_number(const char *name, const char *value, uint64_t most, uint64_t *ret_number)
{
    uint64_t number;

    if (units_parse(value, strlen(value), UNIT_NONE, &number, NULL) < 0 || number > most)
        return refuse(name, value);
    *ret_number = number;
    return 0;
}

/* --- addresses --- */

static int parse_address(const char *text, uint8_t *ret_family, union address *ret_address)
{
    union address address = {{0}};
    uint8_t family = strchr(text, ':') ? AF_INET6 : AF_INET;

    if (inet_pton(family, text, address.bytes) != 1)
        return -EINVAL;
    *ret_family = family;
    *ret_address = address;
    return 0;
}

/* All of a command line are of one family. */
static int take_family(struct conntrack_options *options, uint8_t family)
{
    if (options->wanted.family && options->wanted.family != family) {
        conntrack_say("addresses of IPv4 and of IPv6 together match nothing");
        return CONNTRACK_BAD_USAGE;
    }
    options->wanted.family = family;
    return 0;
}

static int take_address(struct conntrack_options *options, const char *name, const char *value,
                        union address *to)
{
    uint8_t family;

    if (strchr(value, '/')) {
        conntrack_say("--%s takes one address, not a network: \"%s\"", name, value);
        return CONNTRACK_BAD_USAGE;
    }
    if (parse_address(value, &family, to) < 0)
        return refuse(name, value);
    return take_family(options, family);
}

static void make_mask(unsigned int bits, union address *ret_mask)
{
    for (unsigned int i = 0; i<sizeof(ret_mask->bytes); i++, bits = bits> 8 ? bits - 8 : 0)
        ret_mask->bytes[i] = (uint8_t)(bits >= 8 ? 0xff : 0xff00u >> bits);
}

/* An address, or a network, which means a mask. */
static int take_network(struct conntrack_options *options, enum conntrack_option mask_option,
                        const char *name, const char *value, union address *to, union address *mask)
{
    const char *slash = strchr(value, '/');
    char text[INET6_ADDRSTRLEN + 1];
    uint64_t bits = 0;
    int r;

    if (!slash) {
        if (!conntrack_given(options, mask_option))
            make_mask(128, mask);
        return take_address(options, name, value, to);
    }
    snprintf(text, sizeof(text), "%.*s", (int)(slash - value < INT_MAX ? slash - value : INT_MAX),
             value);
    r = take_number(name, slash + 1, strchr(text, ':') ? 128 : 32, &bits);
    if (r == 0)
        r = take_address(options, name, text, to);
    make_mask((unsigned int)bits, mask);
    options->given |= OPTION_BIT(mask_option);
    return r;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT, or nothing. */
static int take_nat(struct conntrack_options *options, const char *name, const char *value,
                    struct conntrack_nat *nat)
{
    char text[INET6_ADDRSTRLEN + 2];
    const char *port = NULL, *start = value, *end;
    uint64_t number = 0;
    int r;

    if (!value)
        return 0;
    end = value + strlen(value);
    if (*value == '[' && strchr(value, ']')) {
        start = value + 1;
        end = strchr(value, ']');
        port = end[1] == ':' ? end + 2 : NULL;
    } else if (strchr(value, ':') && strchr(value, ':') == strrchr(value, ':')) {
        end = strchr(value, ':');
        port = end + 1;
    }
    if ((size_t)(end - start) >= sizeof(text))
        return refuse(name, value);
    memcpy(text, start, (size_t)(end - start));
    text[end - start] = '\0';
    r = port ? take_number(name, port, UINT16_MAX, &number) : 0;
    if (r == 0)
        r = take_address(options, name, text, &nat->address);
    nat->port = (uint16_t)number;
    nat->has_address = true;
    return r;
}

/* --- words --- */

/* Calls `fn` for each word between commas. */
static int each_word(struct conntrack_options *options, const char *name, const char *value,
                     int (*fn)(struct conntrack_options *options, const char *word))
{
    char word[64];
    const char *at = value;

    while (at) {
        size_t length = strcspn(at, ",");

        snprintf(word, sizeof(word), "%.*s", (int)(length < sizeof(word) ? length : sizeof(word)),
                 at);
        if (length >= sizeof(word) || fn(options, word) < 0)
            return refuse(name, at);
        at = at[length] ? at + length + 1 : NULL;
    }
    return 0;
}

static int take_status_word(struct conntrack_options *options, const char *word)
{
    if (strcasecmp(word, "UNREPLIED") == 0) {
        options->unreplied = true;
        return 0;
    }
    if (strcasecmp(word, "UNSET") == 0) {
        options->unset = true;
        return 0;
    }
    for (size_t i = 0; conntrack_status_words[i].word; i++)
        if (strcasecmp(conntrack_status_words[i].word, word) == 0) {
            options->wanted.status |= conntrack_status_words[i].bits;
            return 0;
        }
    return -EINVAL;
}

static int take_output_word(struct conntrack_options *options, const char *word)
{
    static const struct {
        const char *word;
        uint32_t bit;
    } outputs[] = {
        {"xml", OUTPUT_XML},
        {"extended", OUTPUT_EXTENDED},
        {"timestamp", OUTPUT_TIMESTAMP},
        {"id", OUTPUT_ID},
        {"ktimestamp", OUTPUT_KTIMESTAMP},
        {"labels", OUTPUT_LABELS},
        {"userspace", OUTPUT_USERSPACE},
        {"save", OUTPUT_SAVE},
        {"json", OUTPUT_JSON},
    };

    for (size_t i = 0; i < ARRAY_SIZE(outputs); i++)
        if (strcasecmp(outputs[i].word, word) == 0) {
            options->output |= outputs[i].bit;
            return 0;
        }
    return -EINVAL;
}

static int take_event_word(struct conntrack_options *options, const char *word)
{
    static const struct {
        const char *word;
        uint32_t bits;
    } events[] = {
        {"NEW", 1u << CONNTRACK_EVENT_NEW},
        {"UPDATES", 1u << CONNTRACK_EVENT_UPDATE},
        {"DESTROY", 1u << CONNTRACK_EVENT_DESTROY},
        {"ALL", 0xffu},
    };

    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        if (strcasecmp(events[i].word, word) == 0) {
            options->events |= events[i].bits;
            return 0;
        }
    return -EINVAL;
}

static int take_labels(struct conntrack_label_names *names, const char *value,
                       struct conntrack_labels *to)
{
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(names->names) && !known; i++)
        known = names->names[i];
    if (!known)
        conntrack_label_names_read(names);
    for (const char *at = value; at;) {
        size_t length = strcspn(at, ",");
        unsigned int bit = 0;

        while (bit < ARRAY_SIZE(names->names) &&
               !(names->names[bit] && strlen(names->names[bit]) == length &&
                 strncmp(names->names[bit], at, length) == 0))
            bit++;
        if (bit == ARRAY_SIZE(names->names)) {
            conntrack_say("no label has the name \"%.*s\"", (int)(length < 200 ? length : 200), at);
            return CONNTRACK_BAD_USAGE;
        }
        to->bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
        at = at[length] ? at + length + 1 : NULL;
    }
    return 0;
}

static int take_mark(struct conntrack_options *options, const char *name, const char *value)
{
    const char *slash = strchr(value, '/');
    char text[32];
    uint64_t mark, mask = UINT32_MAX;
    int r;

    snprintf(text, sizeof(text), "%.*s", (int)(slash && slash - value < 31 ? slash - value : 31),
             value);
    r = take_number(name, text, UINT32_MAX, &mark);
    if (r == 0 && slash)
        r = take_number(name, slash + 1, UINT32_MAX, &mask);
    if (r == 0) {
        options->wanted.mark = (uint32_t)mark;
        options->mark_mask = (uint32_t)mask;
    }
    return r;
}

static int take_protocol(struct conntrack_options *options, const char *value)
{
    if (conntrack_protocol_parse(value, &options->wanted.protocol) < 0) {
        conntrack_say("there is no protocol \"%s\"", value);
        return CONNTRACK_BAD_USAGE;
    }
    return 0;
}

static int take_layer3(struct conntrack_options *options, const char *name, const char *value)
{
    if (strcmp(value, "ipv4") == 0)
        return take_family(options, AF_INET);
    if (strcmp(value, "ipv6") == 0)
        return take_family(options, AF_INET6);
    return refuse(name, value);
}

static int take_role(struct conntrack_options *options, const char *name, const char *value)
{
    options->role = strcmp(value, "server") == 0;
    return options->role || strcmp(value, "client") == 0 ? 0 : refuse(name, value);
}

/* --- numbers of the entry --- */

struct number_place {
    enum conntrack_option option;
    uint8_t width; /* bytes */
    void *at;
};

static int take_entry_number(struct conntrack_options *options, enum conntrack_option option,
                             const char *name, const char *value)
{
    struct conntrack *wanted = &options->wanted;
    const struct number_place places[] = {
        {OPTION_SRC_PORT, 2, &wanted->orig.src_port},
        {OPTION_DST_PORT, 2, &wanted->orig.dst_port},
        {OPTION_REPLY_SRC_PORT, 2, &wanted->reply.src_port},
        {OPTION_REPLY_DST_PORT, 2, &wanted->reply.dst_port},
        {OPTION_TUPLE_SRC_PORT, 2, &options->expected.src_port},
        {OPTION_TUPLE_DST_PORT, 2, &options->expected.dst_port},
        {OPTION_MASK_SRC_PORT, 2, &options->expected_mask.src_port},
        {OPTION_MASK_DST_PORT, 2, &options->expected_mask.dst_port},
        {OPTION_ICMP_TYPE, 1, &wanted->orig.icmp_type},
        {OPTION_ICMP_CODE, 1, &wanted->orig.icmp_code},
        {OPTION_ICMP_ID, 2, &wanted->orig.icmp_id},
        {OPTION_ZONE, 2, &wanted->zone},
        {OPTION_ORIG_ZONE, 2, &wanted->orig_zone},
        {OPTION_REPLY_ZONE, 2, &wanted->reply_zone},
        {OPTION_TIMEOUT, 4, &wanted->timeout_s},
        {OPTION_ORIG_TAG, 4, &wanted->orig_tag},
        {OPTION_REPLY_TAG, 4, &wanted->reply_tag},
        {OPTION_BUFFER_SIZE, 4, &options->buffer_size},
    };
    uint64_t number;
    size_t i = 0;
    int r;

    while (i < ARRAY_SIZE(places) && places[i].option != option)
        i++;
    if (i == ARRAY_SIZE(places))
        return 0; /* nothing of an entry: a security mark, which the kernel does not tell any more
                   */
    r = take_number(name, value, UINT32_MAX >> (32 - 8 * places[i].width), &number);
    if (r != 0)
        return r;
    if (places[i].width == 1)
        *(uint8_t *)places[i].at = (uint8_t)number;
    else if (places[i].width == 2)
        *(uint16_t *)places[i].at = (uint16_t)number;
    else
        *(uint32_t *)places[i].at = (uint32_t)number;
    return 0;
}

static int take_address_option(struct conntrack_options *options, enum conntrack_option option,
                               const char *name, const char *value)
{
    struct conntrack *wanted = &options->wanted;

    switch (option) {
    case OPTION_SRC:
        return take_network(options, OPTION_MASK_SRC, name, value, &wanted->orig.src,
                            &options->src_mask);
    case OPTION_DST:
        return take_network(options, OPTION_MASK_DST, name, value, &wanted->orig.dst,
                            &options->dst_mask);
    case OPTION_REPLY_SRC:
        return take_address(options, name, value, &wanted->reply.src);
    case OPTION_REPLY_DST:
        return take_address(options, name, value, &wanted->reply.dst);
    case OPTION_MASK_SRC:
        return take_address(options, name, value, &options->src_mask);
    case OPTION_MASK_DST:
        return take_address(options, name, value, &options->dst_mask);
    case OPTION_TUPLE_SRC:
        return take_address(options, name, value, &options->expected.src);
    default:
        return take_address(options, name, value, &options->expected.dst);
    }
}

static int take_nat_option(struct conntrack_options *options, enum conntrack_option option,
                           const char *name, const char *value)
{
    if (option == OPTION_SRC_NAT)
        return take_nat(options, name, value, &options->src_nat);
    if (option == OPTION_DST_NAT)
        return take_nat(options, name, value, &options->dst_nat);
    return take_nat(options, name, value, &options->any_nat);
}

static int take_label_option(struct conntrack_options *options,
                             struct conntrack_label_names *labels, enum conntrack_option option,
                             const char *value)
{
    if (option == OPTION_LABEL)
        return take_labels(labels, value, &options->labels);
    if (option == OPTION_LABEL_ADD)
        return take_labels(labels, value, &options->add_labels);
    options->delete_all_labels = !value;
    return value ? take_labels(labels, value, &options->delete_labels) : 0;
}

static int take_word_option(struct conntrack_options *options, enum conntrack_option option,
                            const char *name, const char *value)
{
    switch (option) {
    case OPTION_PROTOCOL:
        return take_protocol(options, value);
    case OPTION_STATUS:
        return each_word(options, name, value, take_status_word);
    case OPTION_OUTPUT:
        return each_word(options, name, value, take_output_word);
    case OPTION_EVENT_MASK:
        return each_word(options, name, value, take_event_word);
    case OPTION_FAMILY:
        return take_layer3(options, name, value);
    case OPTION_MARK:
        return take_mark(options, name, value);
    case OPTION_STATE:
        return conntrack_state_parse(options->wanted.protocol, value, &options->wanted.state) < 0
                   ? refuse(name, value)
                   : 0;
    default:
        return take_role(options, name, value);
    }
}

int conntrack_take_value(struct conntrack_options *options, struct conntrack_label_names *labels,
                         enum conntrack_option option, const char *name, const char *value)
{
    const uint64_t addresses = OPTION_BIT(OPTION_SRC) | OPTION_BIT(OPTION_DST) |
                               OPTION_BIT(OPTION_REPLY_SRC) | OPTION_BIT(OPTION_REPLY_DST) |
                               OPTION_BIT(OPTION_MASK_SRC) | OPTION_BIT(OPTION_MASK_DST) |
                               OPTION_BIT(OPTION_TUPLE_SRC) | OPTION_BIT(OPTION_TUPLE_DST);
    const uint64_t nats =
        OPTION_BIT(OPTION_SRC_NAT) | OPTION_BIT(OPTION_DST_NAT) | OPTION_BIT(OPTION_ANY_NAT);
    const uint64_t label_bits =
        OPTION_BIT(OPTION_LABEL) | OPTION_BIT(OPTION_LABEL_ADD) | OPTION_BIT(OPTION_LABEL_DEL);
    const uint64_t words = OPTION_BIT(OPTION_PROTOCOL) | OPTION_BIT(OPTION_STATUS) |
                           OPTION_BIT(OPTION_OUTPUT) | OPTION_BIT(OPTION_EVENT_MASK) |
                           OPTION_BIT(OPTION_FAMILY) | OPTION_BIT(OPTION_MARK) |
                           OPTION_BIT(OPTION_STATE) | OPTION_BIT(OPTION_ROLE);
    uint64_t bit = OPTION_BIT(option);

    options->given |= bit;
    if (bit & addresses)
        return take_address_option(options, option, name, value);
    if (bit & nats)
        return take_nat_option(options, option, name, value);
    if (bit & label_bits)
        return take_label_option(options, labels, option, value);
    if (bit & words)
        return take_word_option(options, option, name, value);
    return option == OPTION_ZERO ? 0 : take_entry_number(options, option, name, value);
}
