/* SPDX-License-Identifier: MIT */
/* Filter language: text -> tokens, and how errors point at them. */
#include "table/filter_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct filter_node *filter_fail(struct filter_parser *parser, const struct filter_word *word,
                                const char *format, ...)
{
    va_list arguments;

    if (parser->result < 0)
        return NULL;
    parser->result = -EINVAL;
    parser->error->at = word->at;
    parser->error->length = word->length;
    va_start(arguments, format);
    vsnprintf(parser->error->message, sizeof(parser->error->message), format, arguments);
    va_end(arguments);
    return NULL;
}

struct filter_node *filter_fail_memory(struct filter_parser *parser)
{
    if (parser->result == 0)
        parser->result = -ENOMEM;
    return NULL;
}

bool filter_is(const struct filter_word *word, const char *keyword)
{
    return word->token == TOKEN_WORD && strcasecmp(word->bytes, keyword) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static uint32_t skip_blanks(const struct filter_parser *parser)
{
    uint32_t at = parser->at;

    while (at < parser->length && is_blank(parser->text[at]))
        at++;
    return at;
}

/* What ends a word: in an operand =<>!~ are ordinary letters. */
static bool ends_word(char c, bool operand)
{
    return is_blank(c) || strchr(operand ? "()&|" : "()&|=<>!~", c) != NULL;
}

/* Signs, longest first. */
static const struct {
    char sign[3];
    enum filter_token token;
    enum filter_op op;
} signs[] = {
    {"&&", TOKEN_AND, FILTER_OP_NONE},    {"||", TOKEN_OR, FILTER_OP_NONE},
    {"==", TOKEN_OP, FILTER_OP_EQ},       {"!=", TOKEN_OP, FILTER_OP_NE},
    {"<=", TOKEN_OP, FILTER_OP_LE},       {">=", TOKEN_OP, FILTER_OP_GE},
    {"!~", TOKEN_OP, FILTER_OP_NOT_LIKE}, {"(", TOKEN_OPEN, FILTER_OP_NONE},
    {")", TOKEN_CLOSE, FILTER_OP_NONE},   {"&", TOKEN_AND, FILTER_OP_NONE},
    {"|", TOKEN_OR, FILTER_OP_NONE},      {"!", TOKEN_NOT, FILTER_OP_NONE},
    {"=", TOKEN_OP, FILTER_OP_EQ},        {"<", TOKEN_OP, FILTER_OP_LT},
    {">", TOKEN_OP, FILTER_OP_GT},        {"~", TOKEN_OP, FILTER_OP_LIKE},
};

static const struct {
    const char *word;
    enum filter_token token;
    enum filter_op op;
} spelled[] = {
    {"and", TOKEN_AND, FILTER_OP_NONE}, {"or", TOKEN_OR, FILTER_OP_NONE},
    {"not", TOKEN_NOT, FILTER_OP_NONE}, {"eq", TOKEN_OP, FILTER_OP_EQ},
    {"ne", TOKEN_OP, FILTER_OP_NE},     {"neq", TOKEN_OP, FILTER_OP_NE},
    {"lt", TOKEN_OP, FILTER_OP_LT},     {"le", TOKEN_OP, FILTER_OP_LE},
    {"leq", TOKEN_OP, FILTER_OP_LE},    {"gt", TOKEN_OP, FILTER_OP_GT},
    {"ge", TOKEN_OP, FILTER_OP_GE},     {"geq", TOKEN_OP, FILTER_OP_GE},
};

/* Reads up to the quote that closes, undoing backslashes. Returns where the token ends. */
static uint32_t read_quoted(struct filter_parser *parser, uint32_t at, struct filter_word *word)
{
    char quote = parser->text[at];
    uint32_t end = at + 1, length = 0;

    while (end < parser->length && parser->text[end] != quote)
        end += parser->text[end] == '\\' ? 2 : 1;
    if (end >= parser->length) {
        word->length = parser->length - at;
        filter_fail(parser, word, "this quote is not closed");
        return parser->length;
    }
    word->token = TOKEN_QUOTED;
    word->bytes = arena_alloc(parser->arena, end - at);
    if (!word->bytes) {
        filter_fail_memory(parser);
        return parser->length;
    }
    for (uint32_t from = at + 1; from < end; from++) {
        from += parser->text[from] == '\\';
        word->bytes[length++] = parser->text[from];
    }
    return end + 1;
}

static uint32_t read_word(struct filter_parser *parser, uint32_t at, bool operand,
                          struct filter_word *word)
{
    uint32_t end = at;

    if (parser->text[at] == '"' || parser->text[at] == '\'')
        return read_quoted(parser, at, word);
    while (end < parser->length && !ends_word(parser->text[end], operand))
        end++;
    word->token = TOKEN_WORD;
    word->bytes = arena_copy(parser->arena, parser->text + at, end - at);
    if (!word->bytes)
        filter_fail_memory(parser);
    return end;
}

/* A sign at `at`, or false. */
static bool read_sign(const struct filter_parser *parser, uint32_t at, struct filter_word *word,
                      uint32_t *end)
{
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        size_t length = strlen(signs[i].sign);

        if (parser->length - at < length || memcmp(parser->text + at, signs[i].sign, length) != 0)
            continue;
        word->token = signs[i].token;
        word->op = signs[i].op;
        *end = at + (uint32_t)length;
        return true;
    }
    return false;
}

static void look_up_spelled(struct filter_word *word, enum filter_token token)
{
    if (word->token != TOKEN_WORD || !word->bytes)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(spelled); i++)
        if ((spelled[i].token == TOKEN_OP) == (token == TOKEN_OP) &&
            strcasecmp(word->bytes, spelled[i].word) == 0) {
            word->token = spelled[i].token;
            word->op = spelled[i].op;
            return;
        }
}

const struct filter_word *filter_peek(struct filter_parser *parser)
{
    struct filter_word *word = &parser->ahead;
    uint32_t at = skip_blanks(parser);

    if (parser->peeked)
        return word;
    *word = (struct filter_word){.at = at};
    parser->ahead_end = at;
    if (parser->result == 0 && at < parser->length) {
        if (!read_sign(parser, at, word, &parser->ahead_end))
            parser->ahead_end = read_word(parser, at, false, word);
        word->length = parser->ahead_end - at;
        look_up_spelled(word, TOKEN_AND);
    }
    if (parser->result < 0)
        word->token = TOKEN_END;
    parser->peeked = true;
    return word;
}

struct filter_word filter_take(struct filter_parser *parser)
{
    parser->last = *filter_peek(parser);
    parser->at = parser->ahead_end;
    parser->peeked = false;
    return parser->last;
}

enum filter_op filter_take_op(struct filter_parser *parser)
{
    struct filter_word word = *filter_peek(parser);

    look_up_spelled(&word, TOKEN_OP);
    if (word.token != TOKEN_OP)
        return FILTER_OP_NONE;
    filter_take(parser);
    return word.op;
}

/* Where the slash is that ends the regular expression which begins at `at`; 0: nowhere. */
static uint32_t find_slash(const struct filter_parser *parser, uint32_t at)
{
    for (uint32_t end = at + 1; end < parser->length; end++) {
        if (parser->text[end] == '\\')
            end++;
        else if (parser->text[end] == '/')
            return end;
    }
    return 0;
}

static bool read_regex(struct filter_parser *parser, uint32_t at, struct filter_word *word,
                       uint32_t *ret_end)
{
    uint32_t slash = parser->text[at] == '/' ? find_slash(parser, at) : 0;
    uint32_t end = slash + 1;

    if (slash <= at + 1)
        return false;
    if (end < parser->length && parser->text[end] == 'i') {
        word->icase = true;
        end++;
    }
    if (end < parser->length && !ends_word(parser->text[end], true))
        return false;
    word->token = TOKEN_REGEX;
    word->bytes = arena_copy(parser->arena, parser->text + at + 1, slash - at - 1);
    if (!word->bytes)
        filter_fail_memory(parser);
    *ret_end = end;
    return true;
}

struct filter_word filter_take_operand(struct filter_parser *parser, bool regex)
{
    uint32_t at = skip_blanks(parser), end = at;
    struct filter_word word = {.at = at};

    if (parser->result < 0 || at >= parser->length || strchr("()&|", parser->text[at]))
        return word;
    if (!regex || !read_regex(parser, at, &word, &end))
        end = read_word(parser, at, true, &word);
    word.length = end - at;
    look_up_spelled(&word, TOKEN_AND);
    if (word.token == TOKEN_AND || word.token == TOKEN_OR || word.token == TOKEN_NOT)
        return (struct filter_word){.at = at}; /* only in quotes these can be operands */
    parser->at = end;
    parser->peeked = false;
    parser->last = word;
    if (parser->result < 0)
        word.token = TOKEN_END;
    return word;
}

bool filter_next_item(struct filter_parser *parser, struct filter_list *list)
{
    size_t length = list->rest ? strcspn(list->rest, ",") : 0;

    if (!list->rest)
        return false;
    list->item = arena_copy(parser->arena, list->rest, length);
    if (!list->item) {
        filter_fail_memory(parser);
        return false;
    }
    list->rest = list->rest[length] ? list->rest + length + 1 : NULL;
    return true;
}

struct filter_node *filter_missing(struct filter_parser *parser, const struct filter_word *word,
                                   const char *expected)
{
    return filter_fail(parser, filter_peek(parser), "%s is expected after '%.60s'", expected,
                       word->bytes);
}
