/* SPDX-License-Identifier: MIT */
/* Filter language: a filter of rows that are grouped has conditions on the groups as well. */
#include "table/filter_tree.h"

#include <stdio.h>
#include <string.h>

enum about {
    ABOUT_ROWS = 1u << 0,
    ABOUT_GROUPS = 1u << 1,
};

static const struct column *sum_column(const struct table *groups, const struct column *column)
{
    const struct column *found = column ? table_column(groups, column->name) : NULL;

    return found && found->flags & COLUMN_SUM ? found : NULL;
}

/* What a condition, or all within it, is about: bits of enum about. */
static unsigned int about(const struct filter_node *node, const struct table *groups)
{
    unsigned int bits = 0;

    if (node->kind == FILTER_ALL)
        return 0;
    if (!node->child)
        return sum_column(groups, node->column) ? ABOUT_GROUPS : ABOUT_ROWS;
    for (const struct filter_node *child = node->child; child; child = child->next)
        bits |= about(child, groups);
    return bits;
}

/* Its columns become those of the groups. */
static void bind_columns(struct filter_node *node, const struct table *groups)
{
    if (node->column)
        node->column = sum_column(groups, node->column);
    for (struct filter_node *child = node->child; child; child = child->next)
        bind_columns(child, groups);
}

static void append(struct filter_node *parent, struct filter_node *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
}

/* Takes what is about groups out of a condition, and gives it to `taken`. */
static int take(struct filter_node *node, const struct table *groups, struct arena *arena,
                struct filter_node *taken)
{
    struct filter_node *child = node->child, *next, *whole;
    unsigned int bits = about(node, groups);

    if (!(bits & ABOUT_GROUPS))
        return 0;
    if (!(bits & ABOUT_ROWS)) { /* the node stays in the tree, and holds for every row */
        whole = arena_alloc(arena, sizeof(*whole));
        if (!whole)
            return -ENOMEM;
        *whole = *node;
        *node = (struct filter_node){.kind = FILTER_ALL, .next = node->next};
        append(taken, whole);
        return 0;
    }
    if (node->kind != FILTER_AND)
        return -EINVAL;
    for (; child; child = next) {
        int r = take(child, groups, arena, taken);

        next = child->next;
        if (r < 0)
            return r;
    }
    return 0;
}

int filter_split(struct filter *filter, const struct table *groups, struct arena *arena,
                 struct filter **ret_groups, struct filter_error *ret_error)
{
    struct filter *made = arena_alloc(arena, sizeof(*made));
    struct filter_node *root = arena_alloc(arena, sizeof(*root));
    int r;

    if (!made || !root)
        return -ENOMEM;
    *root = (struct filter_node){.kind = FILTER_AND};
    r = take(filter->root, groups, arena, root);
    if (r == -EINVAL) {
        *ret_error = (struct filter_error){.at = 0};
        snprintf(ret_error->message, sizeof(ret_error->message),
                 "rates, bytes and counts are joined with the rest by 'and'");
    }
    if (r < 0)
        return r;
    bind_columns(root, groups);
    *made = (struct filter){.table = groups, .root = root};
    *ret_groups = made;
    return 0;
}
