/* SPDX-License-Identifier: MIT */
/* Filter language: conditions on columns, and bare words. */
#include "table/filter_tree.h"

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
    static const char *const names[] = {"path", "peer_path", "exe", "cmdline", "cgroup"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(column->name, names[i]) == 0)
            return true;
    return false;
}

/* Whether rows can have a user of this name. A recording has its own. */
static bool user_exists(const struct filter_parser *parser, const char *name)
{
    if (parser->recorded)
        return true;
    errno = 0;
    return getpwnam(name) || (errno && errno != ENOENT && errno != ESRCH);
}

/* Users are shown by name where they have one. */
static struct filter_node *user_condition(struct filter_parser *parser,
                                          const struct filter_word *word, const char *text,
                                          const struct filter_node *field)
{
    struct filter_node *node;
    uint64_t uid;
    bool more;

    if (all_digits(text) && filter_quantity(text, KIND_ID, &uid, &more) == 0 && uid <= UINT32_MAX) {
        node = filter_field_node(parser, FILTER_USER, field);
        if (node)
            node->uid = (uint32_t)uid;
        return node;
    }
    if (!strpbrk(text, "*?[") && !user_exists(parser, text))
        return filter_fail(parser, word, "there is no user '%.60s' on this machine", text);
    return filter_text(parser, word, text, field);
}

/* A text that the column, which has fixed words, never has would be waited for in vain. */
static struct filter_node *check_words(struct filter_parser *parser, const struct filter_word *word,
                                       const char *text, const struct column *column,
                                       struct filter_node *node)
{
    const char *const *words;
    char suggestion[200];
    size_t count;

    words = parser->table->fixed_words ? parser->table->fixed_words(column, &count) : NULL;
    if (!words || !node)
        return node;
    for (size_t i = 0; i < count; i++) {
        struct value value = words[i] ? value_name(words[i]) : value_none();

        if (filter_pattern_matches(&node->pattern, &value))
            return node;
    }
    filter_suggest_among(words, count, "it is one of", text, suggestion, sizeof(suggestion));
    return filter_fail(parser, word, "unknown %s '%.60s': %s", column->name, text, suggestion);
}

struct filter_node *filter_text_or_user(struct filter_parser *parser,
                                        const struct filter_word *word, const char *text,
                                        const struct filter_node *field)
{
    const struct column *column = field->column ? field->column : field->owner_column;

    if (strcmp(column->name, "user") == 0 && word->token == TOKEN_WORD)
        return user_condition(parser, word, text, field);
    if (column->kind == KIND_NAME)
        parser->filter->word = column;
    return check_words(parser, word, text, column, filter_text(parser, word, text, field));
}

/* The operand of a text condition; TOKEN_END after an error. */
static struct filter_word text_operand(struct filter_parser *parser, const struct filter_word *word,
                                       const struct column *column, enum filter_op op)
{
    const struct filter_word none = {.token = TOKEN_END};
    bool like = op == FILTER_OP_LIKE || op == FILTER_OP_NOT_LIKE;
    struct filter_word operand;

    if (is_ordering(op)) {
        filter_fail(parser, &parser->last, "%s is a text: only =, != and ~ compare it",
                    column->name);
        return none;
    }
    operand = filter_take_operand(parser, like || !is_path(column));
    if (operand.token == TOKEN_END) {
        filter_missing(parser, word, "a text");
        return none;
    }
    if (like)
        operand.token = TOKEN_REGEX;
    /* "nginx(1187) fd 6" is nothing that anybody would write. */
    if (column->flags & COLUMN_COMPOSED && operand.token != TOKEN_REGEX) {
        filter_fail(parser, &operand, "%s is put together from other columns: use ~", column->name);
        return none;
    }
    return operand;
}

static struct filter_node *text_condition(struct filter_parser *parser,
                                          const struct filter_word *word,
                                          const struct filter_node *field, enum filter_op op)
{
    bool negate = op == FILTER_OP_NE || op == FILTER_OP_NOT_LIKE;
    const struct column *column = field->column ? field->column : field->owner_column;
    struct filter_word operand = text_operand(parser, word, column, op);
    struct filter_list list = {.rest = operand.bytes};
    struct filter_node *any = NULL;

    if (operand.token == TOKEN_END)
        return NULL;
    if (operand.token != TOKEN_WORD || is_path(column))
        return filter_negate(parser, filter_text_or_user(parser, &operand, operand.bytes, field),
                             negate);
    while (filter_next_item(parser, &list)) {
        struct filter_node *node = filter_text_or_user(parser, &operand, list.item, field);

        any = any ? filter_join(parser, FILTER_OR, any, node) : node;
        if (!any)
            return NULL;
    }
    return filter_negate(parser, any, negate);
}

/* pid 1203+ : with its children and theirs. */
static struct filter_node *descendants(struct filter_parser *parser,
                                       const struct filter_word *operand, const char *text,
                                       const struct filter_node *field)
{
    struct filter_node *node = filter_field_node(parser, FILTER_CHILD_OF, field);
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
    case KIND_BITS_PER_SECOND:
        return "a speed such as 100Mbit or 10Gbit";
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

/* uid NAME: by the user whom the rows name. */
static struct filter_node *named_uid(struct filter_parser *parser,
                                     const struct filter_word *operand, const char *text,
                                     enum filter_op op, const struct filter_node *field)
{
    struct filter_node user = {.column = filter_column(parser, "user")};
    struct filter_node *known = filter_field_node(parser, FILTER_NUMBER, field), *node;

    if (!known)
        return NULL;
    known->number.op = FILTER_OP_GE;
    node = filter_negate(parser, user_condition(parser, operand, text, &user), op == FILTER_OP_NE);
    return filter_join(parser, FILTER_AND, known, node);
}

/* "rtt > 1 ms": the unit may be a word of its own. */
static void take_unit(struct filter_parser *parser, struct filter_word *operand,
                      enum value_kind kind)
{
    const struct filter_word *next = filter_peek(parser);
    uint64_t number;
    bool more;
    char *joined;

    if (operand->token != TOKEN_WORD || operand->bytes[strspn(operand->bytes, "0123456789.")] ||
        next->token != TOKEN_WORD || (next->bytes[0] >= '0' && next->bytes[0] <= '9'))
        return;
    joined = arena_alloc(parser->arena, strlen(operand->bytes) + strlen(next->bytes) + 1);
    if (!joined) {
        filter_fail_memory(parser);
        return;
    }
    memcpy(joined, operand->bytes, strlen(operand->bytes));
    memcpy(joined + strlen(operand->bytes), next->bytes, strlen(next->bytes));
    if (filter_quantity(joined, kind, &number, &more) < 0)
        return;
    operand->bytes = joined;
    operand->length = next->at + next->length - operand->at;
    filter_take(parser);
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
    if (filter_quantity(text, quantity_kind(column), &number, &more) < 0 &&
        strcmp(column->name, "uid") == 0 && filter_column(parser, "user") && *text &&
        (op == FILTER_OP_EQ || op == FILTER_OP_NE))
        return named_uid(parser, operand, text, op, field);
    if (filter_quantity(text, quantity_kind(column), &number, &more) < 0)
        return filter_fail(parser, operand, "'%.60s' is no value for %s: %s is expected", text,
                           column->name, quantity_example(quantity_kind(column)));
    node = filter_field_node(parser, FILTER_NUMBER, field);
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
    struct filter_list list;
    const struct column *column = field->column ? field->column : field->owner_column;
    bool negate = op == FILTER_OP_NE && field->owner_column;
    struct filter_node *all = NULL;

    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, quantity_example(quantity_kind(column)));
    if (op == FILTER_OP_LIKE || op == FILTER_OP_NOT_LIKE)
        return filter_fail(parser, &operand, "%s is a number: ~ compares texts", column->name);
    if (op == FILTER_OP_NONE || negate)
        op = FILTER_OP_EQ;
    take_unit(parser, &operand, quantity_kind(column));
    list = (struct filter_list){.rest = operand.bytes};
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
    struct filter_node *node = filter_field_node(parser, FILTER_TRUE, field);
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
    case KIND_ENDPOINT:
        return text_condition(parser, word, &field, op);
    case KIND_ADDRESS:
    case KIND_PORT:
        return end_condition(parser, word, column, op);
    case KIND_BOOL:
        return bool_condition(parser, &field, op);
    default:
        if (op == FILTER_OP_NONE && stands_alone(parser, column))
            return filter_field_node(parser, FILTER_TRUE, &field);
        return number_condition(parser, word, &field, op);
    }
}
