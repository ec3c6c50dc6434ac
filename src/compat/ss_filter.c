/* SPDX-License-Identifier: MIT */
/* The grammar of ss(8)'s filter expression: words to a tree, from left to right. */
/*
 *   list: term { [and | or] term }    without precedence: each joins all that was before it
 *   term: ( list ) | not term | autobound | src [=] END | sport OP END | dev OP NAME | ...
 */
#include "compat/ss_filter.h"

#include "base/cleanup.h"

#include <string.h>
#include <sys/types.h>

#define EXIT_OPERAND 1
#define DEPTH_MAX 200

/* With its line break; what the real tool has room for. */
#define FILE_LINE_MAX 1022

enum token {
    TOKEN_END,
    TOKEN_OPERAND,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_FROM,
    TOKEN_TO,
    TOKEN_ABOVE,
    TOKEN_BELOW,
    TOKEN_AUTOBOUND,
    TOKEN_SRC,
    TOKEN_DST,
    TOKEN_SPORT,
    TOKEN_DPORT,
    TOKEN_DEV,
    TOKEN_FWMARK,
    TOKEN_CGROUP,
};

struct keyword {
    const char *word;
    enum token token;
};

static const struct keyword keywords[] = {
    {"&", TOKEN_AND},         {"&&", TOKEN_AND},
    {"and", TOKEN_AND},       {"|", TOKEN_OR},
    {"||", TOKEN_OR},         {"or", TOKEN_OR},
    {"!", TOKEN_NOT},         {"not", TOKEN_NOT},
    {"(", TOKEN_OPEN},        {")", TOKEN_CLOSE},
    {"=", TOKEN_EQUAL},       {"==", TOKEN_EQUAL},
    {"eq", TOKEN_EQUAL},      {"!=", TOKEN_NOT_EQUAL},
    {"ne", TOKEN_NOT_EQUAL},  {"neq", TOKEN_NOT_EQUAL},
    {">=", TOKEN_FROM},       {"ge", TOKEN_FROM},
    {"geq", TOKEN_FROM},      {"<=", TOKEN_TO},
    {"le", TOKEN_TO},         {"leq", TOKEN_TO},
    {">", TOKEN_ABOVE},       {"gt", TOKEN_ABOVE},
    {"<", TOKEN_BELOW},       {"lt", TOKEN_BELOW},
    {"src", TOKEN_SRC},       {"dst", TOKEN_DST},
    {"sport", TOKEN_SPORT},   {"dport", TOKEN_DPORT},
    {"dev", TOKEN_DEV},       {"fwmark", TOKEN_FWMARK},
    {"cgroup", TOKEN_CGROUP}, {"autobound", TOKEN_AUTOBOUND},
};

struct parser {
    struct ss_filter *filter;
    struct ss_options *options;
    int next_word;
    char *text; /* owned: what is being cut into words */
    char *at;   /* in text; NULL: nothing is left of it */
    bool from_file;
    FILE *file; /* owned, but standard input; NULL: there is none */
    enum ss_operand operand;
    enum token token; /* the next one */
    struct ss_filter_node operand_node;
    unsigned int depth;
    int status; /* not 0: failed, and said so */
};

/* --- words --- */

static int fail(struct parser *parser, int status)
{
    if (!parser->status)
        parser->status = status;
    return -EINVAL;
}

static int fail_syntax(struct parser *parser)
{
    if (parser->status)
        return -EINVAL;
    ss_complain("the filter expression ends early, or a word is out of place");
    return fail(parser, ss_usage());
}

/* The next line of the file that is not a comment. False: there is none. */
static bool read_line(struct parser *parser)
{
    size_t size = 0;
    ssize_t length;

    free(parser->text);
    parser->text = NULL;
    while (parser->file && (length = getline(&parser->text, &size, parser->file)) >= 0) {
        if (*parser->text == '#' || *parser->text == '0')
            continue;
        if (length > FILE_LINE_MAX) {
            ss_complain("a line in the file of the filter is too long");
            fail(parser, SS_EXIT_USAGE);
            return false;
        }
        if (length && parser->text[length - 1] == '\n')
            parser->text[length - 1] = '\0';
        parser->from_file = true;
        return true;
    }
    return false;
}

/* First the arguments, then the file. */
static bool refill(struct parser *parser)
{
    if (parser->next_word < parser->options->word_count) {
        free(parser->text);
        parser->text = strdup(parser->options->words[parser->next_word++]);
        parser->at = parser->text;
        return parser->text != NULL;
    }
    if (!read_line(parser))
        return false;
    parser->at = parser->text;
    return true;
}

/* Cuts off a word, of which a backslash in a file takes the meaning from the byte behind it. */
static char *cut_word(struct parser *parser)
{
    char *word = parser->at, *from = word, *to = word;

    while (*from && *from != ' ' && *from != '\t') {
        if (*from == '\\' && parser->from_file && !*++from)
            break;
        *to++ = *from++;
    }
    parser->at = *from ? from + 1 : NULL;
    *to = '\0';
    return word;
}

/* NULL: there are no more. */
static char *next_word(struct parser *parser)
{
    for (;;) {
        if (parser->at)
            parser->at += strspn(parser->at, " \t");
        if (parser->at && *parser->at)
            return cut_word(parser);
        if (!refill(parser))
            return NULL;
    }
}

static void expect_operand(struct parser *parser)
{
    switch (parser->token) {
    case TOKEN_SRC:
    case TOKEN_DST:
        parser->operand = SS_OPERAND_HOST;
        break;
    case TOKEN_SPORT:
    case TOKEN_DPORT:
        parser->operand = SS_OPERAND_PORT;
        break;
    case TOKEN_DEV:
        parser->operand = SS_OPERAND_DEVICE;
        break;
    case TOKEN_FWMARK:
        parser->operand = SS_OPERAND_MARK;
        break;
    case TOKEN_CGROUP:
        parser->operand = SS_OPERAND_CGROUP;
        break;
    default:
        break;
    }
}

/* Operands are read where they stand: each is of the kind that was named last. */
static int advance(struct parser *parser)
{
    const char *word = next_word(parser);

    parser->token = word ? TOKEN_OPERAND : TOKEN_END;
    if (!word)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
        if (strcmp(keywords[i].word, word) == 0)
            parser->token = keywords[i].token;
    expect_operand(parser);
    if (parser->token != TOKEN_OPERAND)
        return 0;
    parser->operand_node = (struct ss_filter_node){0};
    if (ss_operand_parse(parser->filter, &parser->options->selection, parser->operand, word,
                         &parser->operand_node) < 0)
        return fail(parser, EXIT_OPERAND);
    return 0;
}

/* --- terms --- */

static struct ss_filter_node *add_node(struct parser *parser, struct ss_filter_node node)
{
    struct ss_filter_node *added = arena_alloc(&parser->filter->arena, sizeof(*added));

    if (added)
        *added = node;
    else
        fail(parser, EXIT_OPERAND);
    return added;
}

static struct ss_filter_node *negate(struct parser *parser, struct ss_filter_node *node)
{
    return node ? add_node(parser, (struct ss_filter_node){.kind = SS_FILTER_NOT, .inner = node})
                : NULL;
}

static enum ss_filter_kind equal_kind(enum token subject)
{
    switch (subject) {
    case TOKEN_DEV:
        return SS_FILTER_DEVICE;
    case TOKEN_FWMARK:
        return SS_FILTER_MARK;
    case TOKEN_CGROUP:
        return SS_FILTER_CGROUP;
    case TOKEN_DST:
    case TOKEN_DPORT:
        return SS_FILTER_PEER;
    default:
        return SS_FILTER_LOCAL;
    }
}

/* The condition that `subject` OP operand is; "above" is "not at most". False: there is none. */
static bool choose_kind(enum token subject, enum token op, enum ss_filter_kind *ret_kind,
                        bool *ret_negated)
{
    bool peer = subject == TOKEN_DPORT;

    *ret_negated = op == TOKEN_NOT_EQUAL || op == TOKEN_ABOVE || op == TOKEN_BELOW;
    *ret_kind = equal_kind(subject);
    switch (op) {
    case TOKEN_EQUAL:
        return true;
    case TOKEN_NOT_EQUAL:
        return subject != TOKEN_SRC && subject != TOKEN_DST;
    case TOKEN_FROM:
    case TOKEN_BELOW:
        *ret_kind = peer ? SS_FILTER_PEER_FROM : SS_FILTER_LOCAL_FROM;
        break;
    default:
        *ret_kind = peer ? SS_FILTER_PEER_TO : SS_FILTER_LOCAL_TO;
        break;
    }
    return peer || subject == TOKEN_SPORT;
}

static bool is_operator(enum token token)
{
    return token >= TOKEN_EQUAL && token <= TOKEN_BELOW;
}

static struct ss_filter_node *parse_condition(struct parser *parser)
{
    enum token subject = parser->token, op = TOKEN_EQUAL;
    enum ss_filter_kind kind;
    struct ss_filter_node *node;
    bool possible, negated;

    if (advance(parser) < 0)
        return NULL;
    if (is_operator(parser->token))
        op = parser->token;
    possible = choose_kind(subject, op, &kind, &negated);
    if (possible && is_operator(parser->token) && advance(parser) < 0)
        return NULL;
    if (!possible || parser->token != TOKEN_OPERAND) {
        fail_syntax(parser);
        return NULL;
    }
    parser->operand_node.kind = kind;
    node = add_node(parser, parser->operand_node);
    if (!node || advance(parser) < 0)
        return NULL;
    return negated ? negate(parser, node) : node;
}

static struct ss_filter_node *parse_list(struct parser *parser);

static struct ss_filter_node *parse_group(struct parser *parser)
{
    struct ss_filter_node *node = advance(parser) < 0 ? NULL : parse_list(parser);

    if (node && parser->token != TOKEN_CLOSE) {
        fail_syntax(parser);
        return NULL;
    }
    return node && advance(parser) == 0 ? node : NULL;
}

static struct ss_filter_node *parse_autobound(struct parser *parser)
{
    if (advance(parser) < 0)
        return NULL;
    return add_node(parser, (struct ss_filter_node){.kind = SS_FILTER_AUTOBOUND});
}

/* NULL when it failed. */
static struct ss_filter_node *parse_term(struct parser *parser)
{
    struct ss_filter_node *node = NULL;

    if (++parser->depth > DEPTH_MAX) {
        fail_syntax(parser);
        return NULL;
    }
    if (parser->token == TOKEN_OPEN)
        node = parse_group(parser);
    else if (parser->token == TOKEN_NOT)
        node = advance(parser) < 0 ? NULL : negate(parser, parse_term(parser));
    else if (parser->token == TOKEN_AUTOBOUND)
        node = parse_autobound(parser);
    else if (parser->token >= TOKEN_SRC)
        node = parse_condition(parser);
    else
        fail_syntax(parser);
    parser->depth--;
    return node;
}

/* One term is itself; several are a list, however many: a file can have very many. */
static struct ss_filter_node *parse_list(struct parser *parser)
{
    struct ss_filter_node *first = parse_term(parser), *last = first;

    while (last && parser->token != TOKEN_END && parser->token != TOKEN_CLOSE) {
        bool is_or = parser->token == TOKEN_OR;

        if ((is_or || parser->token == TOKEN_AND) && advance(parser) < 0)
            return NULL;
        last->next = parse_term(parser);
        last = last->next;
        if (last)
            last->is_or = is_or;
    }
    if (!last || last == first)
        return last;
    return add_node(parser, (struct ss_filter_node){.kind = SS_FILTER_LIST, .inner = first});
}

static void parse_all(struct parser *parser)
{
    if (advance(parser) < 0 || parser->token == TOKEN_END)
        return;
    parser->filter->root = parse_list(parser);
    if (parser->filter->root && parser->token != TOKEN_END)
        fail_syntax(parser);
}

int ss_filter_parse(struct ss_filter *filter, struct ss_options *options, int *ret_status)
{
    struct parser parser = {.filter = filter, .options = options, .file = options->filter_file};

    *filter = (struct ss_filter){0};
    parse_all(&parser);
    free(parser.text);
    if (!parser.status)
        return 0;
    ss_filter_done(filter);
    *ret_status = parser.status;
    return 1;
}

void ss_filter_done(struct ss_filter *filter)
{
    arena_done(&filter->arena);
    *filter = (struct ss_filter){0};
}
