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

/* A condition on one end of a connection, for each end that has a column: own, other. */
static struct filter_node *either_end(struct filter_parser *parser,
                                      const struct filter_node *condition,
                                      const struct column *columns[2])
{
    struct filter_node *any = NULL;

    for (int i = 0; i < 2; i++) {
        struct filter_node *end;

        if (!columns[i])
            continue;
        end = filter_node(parser, condition->kind, columns[i]);
        if (!end)
            return NULL;
        *end = *condition;
        end->column = columns[i];
        end->peer = i == 1;
        any = any ? filter_join(parser, FILTER_OR, any, end) : end;
    }
    return any;
}

struct filter_node *filter_ports(struct filter_parser *parser, const struct column *columns[2],
                                 uint32_t low, uint32_t high)
{
    const struct filter_node condition = {.kind = FILTER_PORT, .port = {low, high}};

    return either_end(parser, &condition, columns);
}

struct filter_node *filter_prefix(struct filter_parser *parser, const struct column *columns[2],
                                  unsigned int family, const void *address, unsigned int bits)
{
    struct filter_node condition = {.kind = FILTER_PREFIX,
                                    .prefix = {.family = (uint8_t)family, .bits = (uint8_t)bits}};

    memcpy(condition.prefix.address.bytes, address, family == AF_INET ? 4 : 16);
    return either_end(parser, &condition, columns);
}

struct filter_node *filter_scopes(struct filter_parser *parser, const struct column *columns[2],
                                  uint32_t scopes)
{
    const struct filter_node condition = {.kind = FILTER_SCOPE, .mask = scopes};

    return either_end(parser, &condition, columns);
}
