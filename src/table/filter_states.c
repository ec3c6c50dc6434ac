/* SPDX-License-Identifier: MIT */
/* Filter language: states, protocols and address families, which are sets. */
#include "table/filter_tree.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static int states_of(struct filter_parser *parser, const struct filter_word *word, const char *text,
                     uint64_t *ret_mask)
{
    struct filter_list list = {.rest = text};
    uint64_t mask = 0;

    while (filter_next_item(parser, &list)) {
        char suggestion[200];
        uint32_t states;

        if (strcasecmp(list.item, "all") == 0)
            states = ~0u;
        else if (socket_state_parse(list.item, &states) < 0) {
            filter_suggest_mask(FILTER_STATE, list.item, suggestion, sizeof(suggestion));
            filter_fail(parser, word, "unknown state '%.30s': %s", list.item, suggestion);
            return -EINVAL;
        }
        mask |= states;
    }
    *ret_mask = mask;
    return parser->result;
}

/* `state A state B` is `state A,B`, as in ss(8). */
struct filter_node *filter_state_condition(struct filter_parser *parser,
                                           const struct filter_word *first)
{
    const struct column *column = filter_column(parser, "state");
    bool negate = filter_is(first, "exclude");
    struct filter_word word = *first;
    uint64_t mask = 0, more = 0;

    for (;;) {
        enum filter_op op = filter_take_op(parser);
        struct filter_word operand;

        if (op != FILTER_OP_NONE && op != FILTER_OP_EQ && op != FILTER_OP_NE)
            return filter_fail(parser, &parser->last, "states are only compared with = and !=");
        operand = filter_take_operand(parser, false);
        if (operand.token == TOKEN_END)
            return filter_missing(parser, &word, "a state");
        if (states_of(parser, &operand, operand.bytes, &more) < 0)
            return NULL;
        mask |= more;
        if (op == FILTER_OP_NE)
            return filter_negate(parser, filter_mask(parser, FILTER_STATE, column, mask), !negate);
        if (!filter_is(filter_peek(parser), first->bytes))
            return filter_negate(parser, filter_mask(parser, FILTER_STATE, column, mask), negate);
        word = filter_take(parser);
    }
}

static const unsigned int families[] = {AF_INET,   AF_INET6,   AF_UNIX,
                                        AF_PACKET, AF_NETLINK, AF_VSOCK};

const char *filter_family_name(unsigned int index)
{
    return index < ARRAY_SIZE(families) ? socket_family_name(families[index]) : NULL;
}

/* The family of this name. */
static bool find_family(const char *text, uint64_t *ret_mask)
{
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        if (strcasecmp(text, socket_family_name(families[i])) == 0) {
            *ret_mask = 1ull << families[i];
            return true;
        }
    return false;
}

/* What a bare word says about protocol, state or family. */
static bool find_mask(const char *text, enum filter_kind *ret_kind, uint64_t *ret_mask)
{
    unsigned int proto;
    uint32_t states;

    if (socket_proto_parse(text, &proto) == 0) {
        *ret_kind = FILTER_PROTO;
        *ret_mask = PROTO_BIT(proto);
    } else if (strcasecmp(text, "inet") == 0 || strcasecmp(text, "ip") == 0) {
        *ret_kind = FILTER_FAMILY;
        *ret_mask = 1ull << AF_INET;
    } else if (strcasecmp(text, "inet6") == 0 || strcasecmp(text, "ip6") == 0) {
        *ret_kind = FILTER_FAMILY;
        *ret_mask = 1ull << AF_INET6;
    } else if (socket_state_parse(text, &states) == 0) {
        *ret_kind = FILTER_STATE;
        *ret_mask = strcasecmp(text, "all") == 0 ? ~0ull : states;
    } else {
        return false;
    }
    return true;
}

static const struct column *mask_column(const struct filter_parser *parser, enum filter_kind kind)
{
    return filter_column(parser, kind == FILTER_PROTO   ? "proto"
                                 : kind == FILTER_STATE ? "state"
                                                        : "family");
}

static const char *mask_name(enum filter_kind kind)
{
    return kind == FILTER_PROTO ? "protocol" : kind == FILTER_STATE ? "state" : "address family";
}

/*
 * "tcp", "tcp,udp". False when no part of the word is known; where only some are, or they are of
 * several kinds, that is an error.
 */
static bool find_masks(struct filter_parser *parser, const struct filter_word *word,
                       enum filter_kind *ret_kind, uint64_t *ret_mask)
{
    struct filter_list list = {.rest = word->bytes};
    const char *wrong = NULL;
    bool any = false;
    uint64_t mask = 0, more = 0;

    if (word->token != TOKEN_WORD)
        return false;
    while (filter_next_item(parser, &list)) {
        enum filter_kind kind;

        if (!find_mask(list.item, &kind, &more) || (any && kind != *ret_kind)) {
            wrong = list.item;
            continue;
        }
        any = true;
        *ret_kind = kind;
        mask |= more;
    }
    if (any && wrong)
        filter_fail(parser, word, "'%.60s' is no %s", wrong, mask_name(*ret_kind));
    *ret_mask = mask;
    return any;
}

/* Of tables with names of their own ("TcpInSegs") only a family is more than a part of a name. */
static bool names_family(const struct filter_parser *parser, const struct filter_word *word)
{
    enum filter_kind kind;
    uint64_t mask;

    return word->token == TOKEN_WORD && find_mask(word->bytes, &kind, &mask) &&
           kind == FILTER_FAMILY && mask_column(parser, kind);
}

bool filter_bare_mask(struct filter_parser *parser, const struct filter_word *word,
                      struct filter_node **ret_node)
{
    enum filter_kind kind = FILTER_ALL, next_kind = FILTER_ALL;
    uint64_t mask = 0, more = 0;

    if (parser->table->words && !names_family(parser, word))
        return false;
    if (!find_masks(parser, word, &kind, &mask))
        return false;
    if ((kind != FILTER_FAMILY && !filter_column(parser, "proto")) || !mask_column(parser, kind)) {
        *ret_node = filter_fail(parser, word, "rows of %s have no %s", parser->table->name,
                                mask_name(kind));
        return true;
    }
    for (;;) { /* `tcp udp` is either: none is both */
        const struct filter_word *next = filter_peek(parser);

        if (next->token != TOKEN_WORD || filter_flag(next->bytes) ||
            !find_masks(parser, next, &next_kind, &more) || next_kind != kind)
            break;
        filter_take(parser);
        mask |= more;
    }
    *ret_node = filter_mask(parser, kind, mask_column(parser, kind), mask);
    return true;
}

static struct filter_node *unknown_name(struct filter_parser *parser,
                                        const struct filter_word *operand, enum filter_kind kind,
                                        const char *name)
{
    char suggestion[200];

    filter_suggest_mask(kind, name, suggestion, sizeof(suggestion));
    return filter_fail(parser, operand, "unknown %s '%.30s': %s", mask_name(kind), name,
                       suggestion);
}

/* proto = tcp, family != inet6, as columns. */
struct filter_node *filter_mask_condition(struct filter_parser *parser,
                                          const struct filter_word *word, enum filter_kind wanted)
{
    enum filter_op op = filter_take_op(parser);
    struct filter_word operand = filter_take_operand(parser, false);
    struct filter_list list = {.rest = operand.bytes};
    enum filter_kind kind;
    uint64_t mask = 0, more = 0;

    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, "a name");
    if (op != FILTER_OP_NONE && op != FILTER_OP_EQ && op != FILTER_OP_NE)
        return filter_fail(parser, &operand, "'%s' is only compared with = and !=", word->bytes);
    while (filter_next_item(parser, &list)) {
        if (wanted == FILTER_FAMILY && find_family(list.item, &more))
            kind = FILTER_FAMILY;
        else if (!find_mask(list.item, &kind, &more))
            kind = FILTER_ALL;
        if (kind != wanted)
            return unknown_name(parser, &operand, wanted, list.item);
        mask |= more;
    }
    return filter_negate(parser, filter_mask(parser, wanted, mask_column(parser, wanted), mask),
                         op == FILTER_OP_NE);
}
