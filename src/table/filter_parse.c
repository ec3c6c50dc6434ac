/* SPDX-License-Identifier: MIT */
/* Filter language: expressions, what a word begins, and the way in. */
#include "table/filter_tree.h"

#include <string.h>
#include <strings.h>

/* A text condition on one column, when rows have it; joined to `any`. */
static struct filter_node *or_text(struct filter_parser *parser, struct filter_node *any,
                                   const struct filter_word *word, const char *name,
                                   const char *text)
{
    struct filter_node field, *node;

    if (parser->result < 0 || !filter_field(parser, name, &field))
        return any;
    node = filter_text_or_user(parser, word, text, &field);
    return any ? filter_join(parser, FILTER_OR, any, node) : node;
}

/* The same of a table that says which columns are meant. */
static struct filter_node *bare_words(struct filter_parser *parser, const struct filter_word *word)
{
    struct filter_node *any = NULL;

    parser->filter->guess = word->bytes;
    for (const char *const *name = parser->table->words; *name && parser->result == 0; name++) {
        struct filter_node field, *node;

        if (!filter_field(parser, *name, &field))
            continue;
        node = filter_text(parser, word, word->bytes, &field);
        if (node)
            node->pattern.part = parser->table->words_are_parts;
        any = any ? filter_join(parser, FILTER_OR, any, node) : node;
    }
    return any;
}

/*
 * A bare word that means nothing else: the exact names, or globs, of process, unit or container.
 */
static struct filter_node *bare_name(struct filter_parser *parser, const struct filter_word *word)
{
    static const char *const columns[] = {"process", "unit", "container"};
    struct filter_list list = {.rest = word->bytes};
    struct filter_node *any = NULL;

    if (parser->table->words)
        return bare_words(parser, word);
    parser->names++;
    parser->filter->guess = word->bytes;
    parser->filter->near_guess =
        word->token == TOKEN_QUOTED ? NULL : filter_suggest_name(parser, word->bytes);
    if (word->token == TOKEN_QUOTED) /* also the commas */
        list = (struct filter_list){.item = word->bytes};
    while (list.item || filter_next_item(parser, &list)) {
        for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
            any = or_text(parser, any, word, columns[i], list.item);
        list.item = NULL;
    }
    return any ? any : filter_fail(parser, word, "unknown word '%.60s'", word->bytes);
}

/* /path, %user, @container or @abstract. False: `word` is none. */
static bool bare_text(struct filter_parser *parser, const struct filter_word *word,
                      struct filter_node **ret_node)
{
    const char *text = word->bytes, *column = "path";
    struct filter_node *node = NULL;

    if (*text != '/' && *text != '%' && *text != '@')
        return false;
    if (*text != '/' && !text[1]) {
        *ret_node = filter_fail(parser, word, "a name is expected behind '%s'", text);
        return true;
    }
    parser->names += *text != '%';
    if (*text == '@') /* ss(8) and the column path write abstract names of unix sockets so */
        node = or_text(parser, NULL, word, "path", text);
    if (*text != '/')
        column = *text++ == '%' ? "user" : "container";
    node = or_text(parser, node, word, column, text);
    if (!node)
        node = filter_fail(parser, word, "rows of %s have no %s", parser->table->name, column);
    *ret_node = node;
    return true;
}

/* Digits, dots, colons: an address, a prefix or ":443". */
static bool looks_like_address(const char *text)
{
    bool v6 = strchr(text, ':') && strchr(strchr(text, ':') + 1, ':');
    size_t digits = strspn(text, "0123456789");

    if (*text == ':' || *text == '[')
        return true;
    if (v6)
        return text[strspn(text, "0123456789abcdefABCDEF:./")] == '\0';
    return digits > 0 && text[digits] == '.' && text[strspn(text, "0123456789./:")] == '\0';
}

static struct filter_node *bare_address(struct filter_parser *parser,
                                        const struct filter_word *word)
{
    const struct column *columns[2] = {filter_address_column(parser, false),
                                       filter_address_column(parser, true)};

    if (!columns[0] && !columns[1] && parser->table->words)
        return bare_words(parser, word);
    if (!columns[0] && !columns[1])
        return filter_fail(parser, word, "rows of %s have no addresses", parser->table->name);
    return filter_hosts(parser, word, word->bytes, columns, false);
}

/* tcp/9000, tcp:9000 */
static bool proto_and_port(struct filter_parser *parser, const struct filter_word *word,
                           struct filter_node **ret_node)
{
    const struct column *columns[2] = {filter_column(parser, "local_port"),
                                       filter_column(parser, "peer_port")};
    size_t length = strcspn(word->bytes, "/:");
    unsigned int proto;
    char name[16];

    if (!word->bytes[length] || length >= sizeof(name))
        return false;
    memcpy(name, word->bytes, length);
    name[length] = '\0';
    if (socket_proto_parse(name, &proto) < 0)
        return false;
    if (!filter_column(parser, "proto") || !columns[0] || !columns[1]) {
        *ret_node = filter_fail(parser, word, "rows of %s have no ports", parser->table->name);
        return true;
    }
    *ret_node = filter_join(
        parser, FILTER_AND,
        filter_mask(parser, FILTER_PROTO, filter_column(parser, "proto"), PROTO_BIT(proto)),
        filter_port_list(parser, word, word->bytes + length + 1, FILTER_OP_EQ, columns));
    return true;
}

static struct filter_node *unknown_word(struct filter_parser *parser,
                                        const struct filter_word *word)
{
    const char *near = filter_suggest(parser, word->bytes);

    if (near && strcasecmp(near, word->bytes) == 0)
        return filter_fail(parser, word, "'%s' stands alone: it cannot be compared", near);
    if (near)
        return filter_fail(parser, word, "unknown word '%.60s': did you mean '%s'?", word->bytes,
                           near);
    return filter_fail(parser, word,
                       "unknown word '%.60s': `nwho columns %s` lists what can be compared",
                       word->bytes, parser->table->name);
}

/* A name is not taken for a process where it is much more likely a mistyped keyword. */
static const char *probably_meant(struct filter_parser *parser, const struct filter_word *word)
{
    const char *near = filter_suggest_long(parser, word->bytes);
    enum filter_token next = filter_peek(parser)->token;

    if (!near && (next == TOKEN_WORD || next == TOKEN_QUOTED))
        near = filter_suggest_keyword(word->bytes);
    return near;
}

/* "1203", and "1203+" as pids are written. */
static bool is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return !text[digits] || (digits && strcmp(text + digits, "+") == 0);
}

static struct filter_node *number_alone(struct filter_parser *parser,
                                        const struct filter_word *word)
{
    const char *number = word->bytes;

    if (strchr(number, '+'))
        return filter_fail(parser, word, "a number alone says nothing: 'pid %.20s'?", number);
    return filter_fail(parser, word, "a number alone says nothing: 'port %.20s' or 'pid %.20s'?",
                       number, number);
}

static struct filter_node *bare_word(struct filter_parser *parser, const struct filter_word *word)
{
    struct filter_node *node;
    const char *near;

    if (looks_like_address(word->bytes))
        return bare_address(parser, word);
    if (parser->table->words)
        return bare_words(parser, word);
    if (proto_and_port(parser, word, &node))
        return node;
    if (bare_text(parser, word, &node))
        return node;
    if (is_number(word->bytes))
        return number_alone(parser, word);
    near = probably_meant(parser, word);
    if (near)
        return filter_fail(
            parser, word,
            "unknown word '%.60s': did you mean '%s'? (a process of that name: process %.60s)",
            word->bytes, near, word->bytes);
    return bare_name(parser, word);
}

static bool op_follows(struct filter_parser *parser)
{
    return filter_peek(parser)->token == TOKEN_OP;
}

static struct filter_node *flag_condition(struct filter_parser *parser,
                                          const struct filter_word *word,
                                          const struct filter_flag *flag)
{
    struct filter_node *node;

    if (!parser->filter->sockets)
        return filter_fail(parser, word, "'%s' is said of sockets: rows of %s have no %s",
                           flag->column.name, parser->table->name, "such sign");
    node = filter_node(parser, FILTER_TRUE, &flag->column);
    if (node)
        node->flag = flag;
    return node;
}

/*
 * "owner = nginx": of what is put together for people the parts are compared. Only ~ is for the
 * whole text.
 */
static bool means_plain_word(struct filter_parser *parser, struct filter_word *word)
{
    const struct filter_word *next = filter_peek(parser);
    const char *plain = filter_plain_word(parser, word->bytes);
    bool word_follows = next->token == TOKEN_WORD || next->token == TOKEN_QUOTED;

    if (!plain || next->op == FILTER_OP_LIKE || next->op == FILTER_OP_NOT_LIKE ||
        !(next->token == TOKEN_OP || (word_follows && !filter_flag(word->bytes))))
        return false;
    word->bytes = arena_copy(parser->arena, plain, strlen(plain));
    if (!word->bytes)
        filter_fail_memory(parser);
    return true;
}

/* What is a flag of sockets may be a text of other rows: "sick" of flows says why. */
static struct filter_node *field_condition(struct filter_parser *parser,
                                           const struct filter_word *word,
                                           const struct column *column,
                                           const struct filter_flag *flag)
{
    if (flag && column && column->kind == KIND_TEXT && !op_follows(parser))
        return filter_node(parser, FILTER_TRUE, column);
    return filter_field_condition(parser, word);
}

/* A condition that begins with a word, in the order of what words can be. */
static struct filter_node *word_condition(struct filter_parser *parser, struct filter_word *word)
{
    struct filter_node field, *node;
    const struct filter_flag *flag;
    bool known;

    if (means_plain_word(parser, word) && !word->bytes)
        return NULL;
    known = filter_field(parser, word->bytes, &field);
    flag = filter_flag(word->bytes);

    if (filter_network(parser, word, &node))
        return node;
    if (known && (op_follows(parser) || !parser->filter->sockets))
        return field_condition(parser, word, field.column, flag);
    if (op_follows(parser))
        return unknown_word(parser, word);
    if (flag && !parser->table->words)
        return flag_condition(parser, word, flag);
    if (filter_bare_mask(parser, word, &node))
        return node;
    return known ? filter_field_condition(parser, word) : bare_word(parser, word);
}

static struct filter_node *parse_condition(struct filter_parser *parser)
{
    struct filter_word last = parser->last, word = *filter_peek(parser);
    struct filter_node *node;

    parser->conditions++;
    switch (word.token) {
    case TOKEN_WORD:
        filter_take(parser);
        return word_condition(parser, &word);
    case TOKEN_QUOTED:
        filter_take(parser);
        return bare_text(parser, &word, &node) ? node : bare_name(parser, &word);
    case TOKEN_END:
        return filter_fail(parser, &last, "a condition is expected after '%.*s'", (int)last.length,
                           parser->text + last.at);
    case TOKEN_CLOSE:
        return filter_fail(parser, &word, "this parenthesis was not opened");
    default:
        return filter_fail(parser, &word, "a condition is expected before '%.*s'", (int)word.length,
                           parser->text + word.at);
    }
}

static struct filter_node *parse_or(struct filter_parser *parser);

static struct filter_node *parse_parentheses(struct filter_parser *parser)
{
    struct filter_word open = filter_take(parser), close;
    struct filter_node *node;

    parser->joined = true;
    if (filter_peek(parser)->token == TOKEN_CLOSE) {
        open.length = filter_peek(parser)->at + 1 - open.at;
        return filter_fail(parser, &open, "these parentheses are empty");
    }
    if (parser->depth == FILTER_DEPTH_MAX)
        return filter_fail(parser, &open, "more than %d parentheses inside each other",
                           FILTER_DEPTH_MAX);
    if (filter_peek(parser)->token == TOKEN_END)
        return filter_fail(parser, &open, "this parenthesis is not closed");
    parser->depth++;
    node = parse_or(parser);
    parser->depth--;
    close = *filter_peek(parser);
    if (node && close.token != TOKEN_CLOSE)
        return filter_fail(parser, &open, "this parenthesis is not closed");
    filter_take(parser);
    return node;
}

static struct filter_node *parse_not(struct filter_parser *parser)
{
    bool negate = false;
    struct filter_node *node;

    while (filter_peek(parser)->token == TOKEN_NOT) {
        filter_take(parser);
        negate = !negate;
        parser->joined = true;
    }
    if (filter_peek(parser)->token == TOKEN_OPEN)
        node = parse_parentheses(parser);
    else
        node = parse_condition(parser);
    return filter_negate(parser, node, negate);
}

/* Conditions next to each other are joined by "and", too. */
static struct filter_node *parse_and(struct filter_parser *parser)
{
    struct filter_node *node = parse_not(parser);

    while (node) {
        enum filter_token token = filter_peek(parser)->token;

        if (token == TOKEN_END || token == TOKEN_OR || token == TOKEN_CLOSE)
            break;
        if (token == TOKEN_AND) {
            filter_take(parser);
            parser->joined = true;
        }
        node = filter_join(parser, FILTER_AND, node, parse_not(parser));
    }
    return node;
}

static struct filter_node *parse_or(struct filter_parser *parser)
{
    struct filter_node *node = parse_and(parser);

    while (node && filter_peek(parser)->token == TOKEN_OR) {
        filter_take(parser);
        parser->joined = true;
        node = filter_join(parser, FILTER_OR, node, parse_and(parser));
    }
    return node;
}

static struct filter_node *parse_all(struct filter_parser *parser)
{
    struct filter_node *node;

    if (parser->length > FILTER_TEXT_MAX) {
        struct filter_word all = {.length = parser->length};

        return filter_fail(parser, &all, "the expression is longer than %u bytes", FILTER_TEXT_MAX);
    }
    if (filter_peek(parser)->token == TOKEN_END)
        return filter_node(parser, FILTER_ALL, NULL);
    node = parse_or(parser);
    if (node && filter_peek(parser)->token != TOKEN_END)
        return filter_fail(parser, filter_peek(parser), "this parenthesis was not opened");
    return node;
}

/* A column with what it is compared with; what else may begin with a word is left to others. */
static struct filter_node *parse_first(struct filter_parser *parser)
{
    struct filter_word word = filter_take(parser);
    struct filter_node field;
    enum filter_token next;

    if (word.token == TOKEN_WORD && filter_field(parser, word.bytes, &field)) {
        next = filter_peek(parser)->token;
        if (next == TOKEN_WORD || next == TOKEN_QUOTED || next == TOKEN_OP)
            return filter_field_condition(parser, &word);
    }
    if (parser->result == 0)
        parser->result = -ENOENT;
    return NULL;
}

/* The list in whose rows the facts of owners are. */
static const struct column *owners_column(const struct table *table)
{
    const struct column *column = table->owners ? table_column(table, "owners") : NULL;

    return column && column->kind == KIND_LIST ? column : NULL;
}

/* What `parse` takes of the text; *ret_length says how much that is. */
static int compile(const struct table *table, const char *text, bool recorded,
                   struct filter_node *(*parse)(struct filter_parser *parser), struct arena *arena,
                   struct filter **ret_filter, uint32_t *ret_length, struct filter_error *ret_error)
{
    struct filter *filter = arena_alloc(arena, sizeof(*filter));
    size_t length = strlen(text);
    struct filter_parser parser = {
        .table = table,
        .recorded = recorded,
        .owners = owners_column(table),
        .text = text,
        .length = length > UINT32_MAX ? UINT32_MAX : (uint32_t)length,
        .arena = arena,
        .filter = filter,
        .error = ret_error,
    };

    if (!filter)
        return -ENOMEM;
    filter->table = table;
    filter->sockets = table == &table_sockets;
    filter->root = parse(&parser);
    if (!filter->root || parser.result < 0) {
        filter_done(filter);
        return parser.result < 0 ? parser.result : -ENOMEM;
    }
    filter->is_name = filter->guess && parser.conditions == 1;
    filter->names = parser.names == parser.conditions && parser.names > 1 && !parser.joined;
    *ret_filter = filter;
    *ret_length = parser.at;
    return 0;
}

int filter_compile_first(const struct table *table, const char *text, struct arena *arena,
                         struct filter **ret_filter, uint32_t *ret_length,
                         struct filter_error *ret_error)
{
    return compile(table, text, false, parse_first, arena, ret_filter, ret_length, ret_error);
}

int filter_compile(const struct table *table, const char *text, struct arena *arena,
                   struct filter **ret_filter, struct filter_error *ret_error)
{
    uint32_t length;

    return compile(table, text, false, parse_all, arena, ret_filter, &length, ret_error);
}

int filter_compile_recorded(const struct table *table, const char *text, struct arena *arena,
                            struct filter **ret_filter, struct filter_error *ret_error)
{
    uint32_t length;

    return compile(table, text, true, parse_all, arena, ret_filter, &length, ret_error);
}

void filter_done(struct filter *filter)
{
    struct filter_regex *regex = filter ? filter->regexes : NULL;

    for (; regex; regex = regex->next)
        regfree(&regex->regex);
    if (filter)
        filter->regexes = NULL;
}
