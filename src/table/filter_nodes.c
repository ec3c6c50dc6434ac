/* SPDX-License-Identifier: MIT */
/* Filter language: the nodes of the tree. */
#include "table/filter_tree.h"

#include <string.h>
#include <sys/socket.h>

/* The facts for the columns of a node. */
static void add_needs(struct filter_parser *parser, const struct filter_node *node)
{
    if (node->column)
        parser->filter->needs |= node->column->needs;
    if (node->owner_column)
        parser->filter->needs |=
            node->owner_column->needs | node->owners->needs | parser->table->owners->needs;
}

struct filter_node *filter_node(struct filter_parser *parser, enum filter_kind kind,
                                const struct column *column)
{
    struct filter_node *node = arena_alloc(parser->arena, sizeof(*node));

    if (!node)
        return filter_fail_memory(parser);
    node->kind = kind;
    node->column = column;
    add_needs(parser, node);
    return node;
}

struct filter_node *filter_field_node(struct filter_parser *parser, enum filter_kind kind,
                                      const struct filter_node *field)
{
    struct filter_node *node = filter_node(parser, kind, NULL);

    if (!node)
        return NULL;
    node->column = field->column;
    node->owner_column = field->owner_column;
    node->owners = field->owners;
    add_needs(parser, node);
    return node;
}

static void append(struct filter_node *parent, struct filter_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
}

struct filter_node *filter_join(struct filter_parser *parser, enum filter_kind kind,
                                struct filter_node *left, struct filter_node *right)
{
    struct filter_node *parent = left;

    if (!left || !right)
        return NULL;
    if (left->kind != kind) {
        parent = filter_node(parser, kind, NULL);
        if (!parent)
            return NULL;
        append(parent, left);
    }
    append(parent, right);
    return parent;
}

struct filter_node *filter_negate(struct filter_parser *parser, struct filter_node *node,
                                  bool negate)
{
    struct filter_node *parent;

    if (!node || !negate)
        return node;
    parent = filter_node(parser, FILTER_NOT, NULL);
    if (parent)
        append(parent, node);
    return parent;
}

struct filter_node *filter_mask(struct filter_parser *parser, enum filter_kind kind,
                                const struct column *column, uint64_t mask)
{
    struct filter_node *node = filter_node(parser, kind, column);

    if (node)
        node->mask = mask;
    return node;
}

struct filter_node *filter_ports(struct filter_parser *parser, const struct column *column,
                                 bool peer, uint32_t low, uint32_t high)
{
    struct filter_node *node = filter_node(parser, FILTER_PORT, column);

    if (node) {
        node->peer = peer;
        node->port.low = low;
        node->port.high = high;
    }
    return node;
}

struct filter_node *filter_prefix(struct filter_parser *parser, const struct column *column,
                                  bool peer, unsigned int family, const void *address,
                                  unsigned int bits)
{
    struct filter_node *node = filter_node(parser, FILTER_PREFIX, column);

    if (node) {
        node->peer = peer;
        node->prefix.family = (uint8_t)family;
        node->prefix.bits = (uint8_t)bits;
        memcpy(node->prefix.address.bytes, address, family == AF_INET ? 4 : 16);
    }
    return node;
}
