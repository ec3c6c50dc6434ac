/* SPDX-License-Identifier: MIT */
/* Filter language: conditions on columns, and bare words. */
#include "table/filter_tree.h"

#include "base/user_name.h"

#include <pwd.h>
#include <string.h>
#include <strings.h>

static bool is_ordering(enum filter_op op)
{
    return op == FILTER_OP_LT || op == FILTER_OP_LE || op == FILTER_OP_GT || op == FILTER_OP_GE;
}

static bool all_digits(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/*
 * Values that begin with '/' themselves: /x/ is no regular expression unless ~ says so; and a comma
 * separates nothing.
 */
static bool is_path(const struct column *column)
{
    static const char *const names[] = {"path", "exe", "cmdline", "cgroup"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(column->name, names[i]) == 0)
            return true;
    return false;
}

/* Users are shown by name where they have one; in a recording that may be another one than here. */
static struct filter_node *user_text(struct filter_parser *parser,
                                     const struct filter_word *operand, const char *text,
                                     const struct filter_node *field)
{
    struct filter_node *node = filter_text(parser, operand, text, field);
    char name[USER_NAME_SIZE];
    const char *copy;

    if (!node || !all_digits(text) || strlen(text) >= 10 ||
        user_name((uint32_t)strtoul(text, NULL, 10), name) < 0)
        return node;
    copy = arena_copy(parser->arena, name, strlen(name));
    if (!copy)
        return filter_fail_memory(parser);
    return filter_join(parser, FILTER_OR, node, filter_text(parser, operand, copy, field));
}

static struct filter_node *one_text(struct filter_parser *parser, const struct filter_word *operand,
                                    const char *text, const struct filter_node *field)
{
    const struct column *column = field->column ? field->column : field->owner_column;

    if (strcmp(column->name, "user") == 0 && operand->token == TOKEN_WORD)
        return user_text(parser, operand, text, field);
    return filter_text(parser, operand, text, field);
}

static struct filter_node *text_condition(struct filter_parser *parser,
                                          const struct filter_word *word,
                                          const struct filter_node *field, enum filter_op op)
{
    bool like = op == FILTER_OP_LIKE || op == FILTER_OP_NOT_LIKE;
    bool negate = op == FILTER_OP_NE || op == FILTER_OP_NOT_LIKE;
    const struct column *column = field->column ? field->column : field->owner_column;
    struct filter_node *any = NULL;
    struct filter_word operand;
    struct filter_list list;

    if (is_ordering(op))
        return filter_fail(parser, &parser->last, "%s is a text: only =, != and ~ compare it",
                           column->name);
    operand = filter_take_operand(parser, like || !is_path(column));
    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, "a text");
    if (like && operand.token == TOKEN_WORD)
        operand.token = TOKEN_REGEX;
    if (operand.token != TOKEN_WORD || is_path(column))
        return filter_negate(parser, one_text(parser, &operand, operand.bytes, field), negate);
    list = (struct filter_list){.rest = operand.bytes};
    while (filter_next_item(parser, &list)) {
        struct filter_node *node = one_text(parser, &operand, list.item, field);

        any = any ? filter_join(parser, FILTER_OR, any, node) : node;
        if (!any)
            return NULL;
    }
    return filter_negate(parser, any, negate);
}

/* A node of this kind with the columns of `field`. */
static struct filter_node *field_node(struct filter_parser *parser, enum filter_kind kind,
                                      const struct filter_node *field)
{
    struct filter_node *node = filter_node(parser, kind, NULL);

    if (!node)
        return NULL;
    node->column = field->column;
    node->owner_column = field->owner_column;
    node->owners = field->owners;
    filter_add_needs(parser, node);
    return node;
}

/* pid 1203+ : with its children and theirs. */
static struct filter_node *descendants(struct filter_parser *parser,
                                       const struct filter_word *operand, const char *text,
                                       const struct filter_node *field)
{
    struct filter_node *node = field_node(parser, FILTER_CHILD_OF, field);
    uint64_t pid;
    bool more;

    if (filter_quantity(text, KIND_ID, &pid, &more) < 0 || pid > UINT32_MAX)
        return filter_fail(parser, operand, "'%.60s+' is no process id", text);
    if (!node)
        return NULL;
    node->pid = (uint32_t)pid;
    parser->filter->needs |= NEED_PROCESS_STAT | NEED_ALL_PROCESSES;
    return node;
}

static const char *quantity_example(enum value_kind kind)
{
    switch (kind) {
    case KIND_MICROSECONDS:
    case KIND_MILLISECONDS:
    case KIND_SECONDS:
        return "a duration such as 200ms, 5m or 2h";
    case KIND_BYTES:
        return "a size such as 512, 64K or 1M";
    case KIND_BYTES_PER_SECOND:
        return "a rate such as 10Mbit or 1MB/s";
    default:
        return "a number";
    }
}

/* The queues hold bytes, though their columns are not scaled: a listener counts connections. */
static enum value_kind quantity_kind(const struct column *column)
{
    if (strcmp(column->name, "recv_q") == 0 || strcmp(column->name, "send_q") == 0)
        return KIND_BYTES;
    return column->kind;
}

static bool read_quantity(const char *text, const struct column *column, uint64_t *ret_number,
                          bool *ret_more)
{
    const struct passwd *user;

    if (filter_quantity(text, quantity_kind(column), ret_number, ret_more) == 0)
        return true;
    if (strcmp(column->name, "uid") != 0 || !*text)
        return false;
    user = getpwnam(text);
    if (user)
        *ret_number = user->pw_uid;
    *ret_more = false;
    return user != NULL;
}

static struct filter_node *one_number(struct filter_parser *parser,
                                      const struct filter_word *operand, char *text,
                                      enum filter_op op, const struct filter_node *field)
{
    const struct column *column = field->column ? field->column : field->owner_column;
    size_t length = strlen(text);
    struct filter_node *node;
    uint64_t number;
    bool more;

    if (strcmp(column->name, "pid") == 0 && op == FILTER_OP_EQ && length > 1 &&
        text[length - 1] == '+') {
        text[length - 1] = '\0';
        return descendants(parser, operand, text, field);
    }
    if (!read_quantity(text, column, &number, &more))
        return filter_fail(parser, operand, "'%.60s' is no value for %s: %s is expected", text,
                           column->name, quantity_example(quantity_kind(column)));
    node = field_node(parser, FILTER_NUMBER, field);
    if (!node)
        return NULL;
    node->number.op = op;
    node->number.number = number;
    node->number.more = more;
    return node;
}

/* != of a fact of owners: no owner has it. Of a fact of the row: it is known, and another one. */
static struct filter_node *number_condition(struct filter_parser *parser,
                                            const struct filter_word *word,
                                            const struct filter_node *field, enum filter_op op)
{
    struct filter_word operand = filter_take_operand(parser, false);
    struct filter_list list = {.rest = operand.bytes};
    const struct column *column = field->column ? field->column : field->owner_column;
    bool negate = op == FILTER_OP_NE && field->owner_column;
    struct filter_node *all = NULL;

    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, quantity_example(quantity_kind(column)));
    if (op == FILTER_OP_LIKE || op == FILTER_OP_NOT_LIKE)
        return filter_fail(parser, &operand, "%s is a number: ~ compares texts", column->name);
    if (op == FILTER_OP_NONE || negate)
        op = FILTER_OP_EQ;
    while (filter_next_item(parser, &list)) {
        struct filter_node *node = one_number(parser, &operand, list.item, op, field);

        all = all ? filter_join(parser, op == FILTER_OP_NE ? FILTER_AND : FILTER_OR, all, node)
                  : node;
        if (!all)
            return NULL;
    }
    return filter_negate(parser, all, negate);
}

/* v6only, v6only = yes */
static struct filter_node *bool_condition(struct filter_parser *parser,
                                          const struct filter_node *field, enum filter_op op)
{
    struct filter_node *node = field_node(parser, FILTER_TRUE, field);
    struct filter_word operand;
    bool wanted;

    if (op == FILTER_OP_NONE)
        return node;
    operand = filter_take_operand(parser, false);
    wanted = filter_is(&operand, "yes") || filter_is(&operand, "true") || filter_is(&operand, "1");
    if (!wanted && !filter_is(&operand, "no") && !filter_is(&operand, "false") &&
        !filter_is(&operand, "0"))
        return filter_fail(parser, operand.token == TOKEN_END ? &parser->last : &operand,
                           "yes or no is expected");
    if (op != FILTER_OP_EQ && op != FILTER_OP_NE)
        return filter_fail(parser, &operand, "yes and no are only compared with = and !=");
    return filter_negate(parser, node, wanted == (op == FILTER_OP_NE));
}

/* An address or a port by the name of its column. */
static struct filter_node *end_condition(struct filter_parser *parser,
                                         const struct filter_word *word,
                                         const struct column *column, enum filter_op op)
{
    const struct column *columns[2] = {NULL, NULL};
    struct filter_word operand = filter_take_operand(parser, false);
    struct filter_node *node;

    columns[strncmp(column->name, "peer", 4) == 0] = column;
    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, column->kind == KIND_PORT ? "a port" : "an address");
    if (op == FILTER_OP_LIKE || op == FILTER_OP_NOT_LIKE ||
        (column->kind == KIND_ADDRESS && is_ordering(op)))
        return filter_fail(parser, &operand, "%s cannot be compared so", column->name);
    if (column->kind == KIND_PORT)
        return filter_port_list(parser, &operand, operand.bytes, op, columns);
    node = filter_hosts(parser, &operand, operand.bytes, columns, false);
    if (!node || op != FILTER_OP_NE)
        return node;
    return filter_join(parser, FILTER_AND, filter_hosts(parser, &operand, "*", columns, false),
                       filter_negate(parser, node, true));
}

/* A column that counts something, alone: there is some. Elsewhere a number must follow. */
static bool stands_alone(struct filter_parser *parser, const struct column *column)
{
    const struct filter_word *next = filter_peek(parser);
    bool number = next->token == TOKEN_WORD && next->bytes[0] >= '0' && next->bytes[0] <= '9';

    if (column->kind == KIND_ID || column->kind == KIND_HEX || number)
        return false;
    return true;
}

struct filter_node *filter_field_condition(struct filter_parser *parser,
                                           const struct filter_word *word)
{
    const struct column *column;
    struct filter_node field = {.kind = FILTER_ALL};
    enum filter_op op;

    filter_field(parser, word->bytes, &field);
    column = field.column ? field.column : field.owner_column;
    op = filter_take_op(parser);
    switch (column->kind) {
    case KIND_TEXT:
    case KIND_NAME:
        return text_condition(parser, word, &field, op);
    case KIND_ADDRESS:
    case KIND_PORT:
        return end_condition(parser, word, column, op);
    case KIND_BOOL:
        return bool_condition(parser, &field, op);
    default:
        if (op == FILTER_OP_NONE && stands_alone(parser, column))
            return field_node(parser, FILTER_TRUE, &field);
        return number_condition(parser, word, &field, op);
    }
}
