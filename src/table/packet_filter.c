/* SPDX-License-Identifier: MIT */
/* Expressions about packets: pcap-filter(7) with conditions on processes of our own language. */
#include "table/packet_filter.h"

#include "table/captured.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 200 /* parentheses inside each other */

enum node_kind { NODE_PACKETS, NODE_PROCESSES, NODE_AND, NODE_OR, NODE_NOT };

struct packet_filter_node {
    enum node_kind kind;
    const char *packets; /* of NODE_PACKETS; of NODE_AND all of its children's, or NULL */
    uint32_t part;       /* its number */
    struct filter *processes;
    struct packet_filter_node *child, *last, *next;
    struct packet_filter_node *made; /* the one with `processes` that was made before it */
};

struct parser {
    const char *text;
    uint32_t at;
    uint32_t depth;
    bool found;                      /* a condition of ours, be it a wrong one */
    struct packet_filter_node *made; /* the last one with `processes` */
    struct arena *arena;
    struct filter_error *error;
    int result; /* 0, or the first error */
};

/* --- errors, memory --- */

static struct packet_filter_node *fail(struct parser *parser, uint32_t at, uint32_t length,
                                       const char *format, ...) PRINTF_LIKE(4, 5);

static struct packet_filter_node *fail(struct parser *parser, uint32_t at, uint32_t length,
                                       const char *format, ...)
{
    va_list arguments;

    if (parser->result < 0)
        return NULL;
    parser->result = -EINVAL;
    parser->error->at = at;
    parser->error->length = length;
    va_start(arguments, format);
    vsnprintf(parser->error->message, sizeof(parser->error->message), format, arguments);
    va_end(arguments);
    return NULL;
}

static struct packet_filter_node *fail_memory(struct parser *parser)
{
    if (parser->result == 0)
        parser->result = -ENOMEM;
    return NULL;
}

static struct packet_filter_node *make_node(struct parser *parser, enum node_kind kind)
{
    struct packet_filter_node *node = arena_alloc(parser->arena, sizeof(*node));

    if (!node)
        return fail_memory(parser);
    *node = (struct packet_filter_node){.kind = kind};
    return node;
}

static struct packet_filter_node *make_packets(struct parser *parser, uint32_t begin, uint32_t end)
{
    struct packet_filter_node *node = make_node(parser, NODE_PACKETS);

    if (!node)
        return NULL;
    node->packets = arena_copy(parser->arena, parser->text + begin, end - begin);
    return node->packets ? node : fail_memory(parser);
}

/* "LEFT and RIGHT"; NULL without memory. */
static const char *join_texts(struct parser *parser, const char *left, const char *between,
                              const char *right, const char *behind)
{
    size_t size = strlen(left) + strlen(between) + strlen(right) + strlen(behind) + 1;
    char *text = arena_alloc(parser->arena, size);

    if (text)
        snprintf(text, size, "%s%s%s%s", left, between, right, behind);
    else
        fail_memory(parser);
    return text;
}

/* --- words --- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool ends_word(char c)
{
    return !c || is_blank(c) || strchr("()[]!&|", c);
}

static void skip_blanks(struct parser *parser)
{
    while (is_blank(parser->text[parser->at]))
        parser->at++;
}

static uint32_t word_end(const struct parser *parser, uint32_t at)
{
    while (!ends_word(parser->text[at]))
        at++;
    return at;
}

static bool is_word(const struct parser *parser, uint32_t at, const char *word)
{
    size_t length = strlen(word);

    return strncmp(parser->text + at, word, length) == 0 && ends_word(parser->text[at + length]);
}

/* The length of the `and` or `or` at `at`; 0: there is none. As in libpcap, "&" alone is none. */
static uint32_t join_at(const struct parser *parser, uint32_t at, enum node_kind *ret_kind)
{
    static const struct {
        char word[4];
        enum node_kind kind;
    } signs[] = {{"&&", NODE_AND}, {"||", NODE_OR}}, words[] = {{"and", NODE_AND}, {"or", NODE_OR}};

    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        *ret_kind = signs[i].kind;
        if (strncmp(parser->text + at, signs[i].word, 2) == 0)
            return 2;
        if (is_word(parser, at, words[i].word))
            return (uint32_t)strlen(words[i].word);
    }
    return 0;
}

static bool take_not(struct parser *parser)
{
    uint32_t length = parser->text[parser->at] == '!'      ? 1
                      : is_word(parser, parser->at, "not") ? 3
                                                           : 0;

    parser->at += length;
    skip_blanks(parser);
    return length > 0;
}

/* --- terms --- */

static struct packet_filter_node *parse_expression(struct parser *parser);

/* A condition of ours at `at`; NULL without an error: there is none. */
static struct packet_filter_node *parse_processes(struct parser *parser, uint32_t at,
                                                  uint32_t *ret_end)
{
    struct filter_error error = {{0}, 0, 0};
    struct packet_filter_node *node;
    struct filter *filter;
    uint32_t length;
    int r = filter_compile_first(&table_captured, parser->text + at, parser->arena, &filter,
                                 &length, &error);

    if (r == -ENOENT)
        return NULL;
    parser->found = true;
    if (r == -EINVAL)
        return fail(parser, at + error.at, error.length, "%s", error.message);
    node = r == 0 ? make_node(parser, NODE_PROCESSES) : fail_memory(parser);
    if (!node) {
        if (r == 0)
            filter_done(filter);
        return NULL;
    }
    node->processes = filter;
    node->made = parser->made;
    parser->made = node;
    *ret_end = at + length;
    return node;
}

/* Behind a part of an expression for libpcap no condition of ours can begin. */
static bool check_word(struct parser *parser, uint32_t at)
{
    uint32_t end;

    if (parse_processes(parser, at, &end))
        fail(parser, at, word_end(parser, at) - at,
             "conditions on processes are joined with the rest by 'and' or 'or'");
    return parser->result == 0;
}

/* What is for libpcap, up to `and`, `or` or the parenthesis that closes; parser->at moves. */
static bool skip_packets(struct parser *parser)
{
    uint32_t depth = 0, begin = parser->at;
    enum node_kind kind;

    while (parser->text[parser->at]) {
        char c = parser->text[parser->at];

        if ((c == ')' && depth == 0) || (depth == 0 && join_at(parser, parser->at, &kind)))
            break;
        depth += c == '(';
        depth -= c == ')';
        if (c == '[') {
            parser->at += (uint32_t)strcspn(parser->text + parser->at, "]");
        } else if (ends_word(c)) {
            parser->at++;
        } else {
            if (parser->at > begin && !check_word(parser, parser->at))
                return false;
            parser->at = word_end(parser, parser->at);
        }
    }
    return true;
}

/* True at the end of the text or of parentheses, and where another term is joined. */
static bool at_border(struct parser *parser)
{
    enum node_kind kind;

    skip_blanks(parser);
    return !parser->text[parser->at] || parser->text[parser->at] == ')' ||
           join_at(parser, parser->at, &kind);
}

static struct packet_filter_node *expect_border(struct parser *parser,
                                                struct packet_filter_node *node)
{
    uint32_t end;

    if (!node || at_border(parser))
        return node;
    end = word_end(parser, parser->at + 1);
    return fail(parser, parser->at, end - parser->at, "'and' or 'or' is expected before '%.*s'",
                (int)(end - parser->at), parser->text + parser->at);
}

static struct packet_filter_node *parse_parentheses(struct parser *parser)
{
    uint32_t open = parser->at++;
    struct packet_filter_node *node;

    if (parser->depth == DEPTH_MAX)
        return fail(parser, open, 1, "more than %d parentheses inside each other", DEPTH_MAX);
    parser->depth++;
    node = parse_expression(parser);
    parser->depth--;
    if (!node)
        return NULL;
    if (parser->text[parser->at] != ')')
        return fail(parser, open, 1, "this parenthesis is not closed");
    parser->at++;
    return node;
}

/* What may be of ours: in parentheses, or a condition. NULL: it is all for libpcap, or an error. */
static struct packet_filter_node *parse_own(struct parser *parser)
{
    struct packet_filter_node *node;

    if (parser->text[parser->at] != '(')
        return parse_processes(parser, parser->at, &parser->at);
    node = parse_parentheses(parser);
    return node && node->kind != NODE_PACKETS ? node : NULL;
}

static struct packet_filter_node *negate(struct parser *parser, struct packet_filter_node *node)
{
    struct packet_filter_node *parent = node ? make_node(parser, NODE_NOT) : NULL;

    if (parent)
        parent->child = parent->last = node;
    return parent;
}

static struct packet_filter_node *parse_term(struct parser *parser)
{
    struct packet_filter_node *node;
    bool negated = false;
    uint32_t begin, end;

    skip_blanks(parser);
    begin = parser->at;
    while (take_not(parser))
        negated = !negated;
    node = parse_own(parser);
    if (node)
        return expect_border(parser, negated ? negate(parser, node) : node);
    if (parser->result < 0 || !skip_packets(parser))
        return NULL;
    for (end = parser->at; end > begin && is_blank(parser->text[end - 1]);)
        end--;
    if (end == begin)
        return fail(parser, begin, 1, "a condition is expected here");
    return make_packets(parser, begin, end);
}

/* --- joins --- */

static void append(struct packet_filter_node *parent, struct packet_filter_node *child)
{
    child->next = NULL;
    if (parent->last)
        parent->last->next = child;
    else
        parent->child = child;
    parent->last = child;
}

/* The packets of a term stand beside those before, so that "port 80 or 443" is what it is. */
static bool add_packets(struct parser *parser, struct packet_filter_node *parent,
                        const char *between, const char *packets, const char *behind)
{
    parent->packets =
        parent->packets ? join_texts(parser, parent->packets, between, packets, behind) : packets;
    return parent->packets;
}

static bool add_to_and(struct parser *parser, struct packet_filter_node *parent,
                       struct packet_filter_node *term)
{
    if (term->kind == NODE_PACKETS)
        return add_packets(parser, parent, " and ", term->packets, "");
    if (term->kind != NODE_AND) {
        append(parent, term);
        return true;
    }
    for (struct packet_filter_node *child = term->child, *next; child; child = next) {
        next = child->next;
        append(parent, child);
    }
    return !term->packets || add_packets(parser, parent, " and (", term->packets, ")");
}

static bool add_to_or(struct parser *parser, struct packet_filter_node *parent,
                      struct packet_filter_node *term)
{
    struct packet_filter_node *last = parent->last;

    if (last && last->kind == NODE_PACKETS && term->kind == NODE_PACKETS)
        return add_packets(parser, last, " or ", term->packets, "");
    append(parent, term);
    return true;
}

static struct packet_filter_node *join(struct parser *parser, enum node_kind kind,
                                       struct packet_filter_node *left,
                                       struct packet_filter_node *right)
{
    bool (*add)(struct parser *, struct packet_filter_node *, struct packet_filter_node *) =
        kind == NODE_AND ? add_to_and : add_to_or;
    struct packet_filter_node *parent = left;

    if (left->kind == NODE_PACKETS && right->kind == NODE_PACKETS)
        return add_packets(parser, left, kind == NODE_AND ? " and " : " or ", right->packets, "")
                   ? left
                   : NULL;
    if (left->kind != kind) {
        parent = make_node(parser, kind);
        if (!parent || !add(parser, parent, left))
            return NULL;
    }
    return add(parser, parent, right) ? parent : NULL;
}

static struct packet_filter_node *parse_expression(struct parser *parser)
{
    struct packet_filter_node *node = parse_term(parser), *right;
    enum node_kind kind = NODE_AND;
    uint32_t length;

    while (node && (skip_blanks(parser), length = join_at(parser, parser->at, &kind))) {
        parser->at += length;
        right = parse_term(parser);
        node = right ? join(parser, kind, node, right) : NULL;
    }
    return node;
}

/* --- the whole --- */

static uint32_t count_parts(const struct packet_filter_node *node)
{
    uint32_t count = node->packets != NULL;

    for (const struct packet_filter_node *child = node->child; child; child = child->next)
        count += count_parts(child);
    return count;
}

static void number_parts(struct packet_filter *filter, struct packet_filter_node *node)
{
    if (node->packets) {
        node->part = filter->part_count;
        filter->parts[filter->part_count++] = node->packets;
    }
    if (node->processes)
        filter->needs |= filter_needs(node->processes);
    for (struct packet_filter_node *child = node->child; child; child = child->next)
        number_parts(filter, child);
}

/* What every packet has to be is for libpcap alone. */
static int finish(struct parser *parser, struct packet_filter_node *root,
                  struct packet_filter *ret_filter)
{
    struct packet_filter filter = {.packets = "", .made = parser->made};

    if (root->kind == NODE_AND && root->packets)
        filter.packets = root->packets;
    if (root->kind == NODE_AND)
        root->packets = NULL;
    filter.parts = arena_alloc(parser->arena, (count_parts(root) + 1) * sizeof(*filter.parts));
    if (!filter.parts)
        return -ENOMEM;
    number_parts(&filter, root);
    filter.root = root;
    *ret_filter = filter;
    return 0;
}

static void done(struct packet_filter_node *last)
{
    for (; last; last = last->made)
        filter_done(last->processes);
}

int packet_filter_parse(const char *text, struct arena *arena, struct packet_filter *ret_filter,
                        struct filter_error *ret_error)
{
    struct parser parser = {.text = text, .arena = arena, .error = ret_error};
    struct packet_filter_node *root;

    root = parse_expression(&parser);
    if (root && text[parser.at])
        fail(&parser, parser.at, 1, "this parenthesis was not opened");
    if (!parser.found && parser.result != -ENOMEM) { /* right or wrong, it is libpcap's */
        *ret_filter = (struct packet_filter){.packets = text};
        return 0;
    }
    if (parser.result == 0)
        parser.result = root ? finish(&parser, root, ret_filter) : -ENOMEM;
    if (parser.result < 0)
        done(parser.made);
    return parser.result;
}

void packet_filter_done(struct packet_filter *filter)
{
    done(filter->made);
    filter->made = NULL;
}

/* --- packets --- */

struct question {
    const struct view *view;
    bool (*takes)(void *context, uint32_t number);
    void *context;
};

static bool accepts(const struct packet_filter_node *node, const struct question *question)
{
    const struct packet_filter_node *child = node->child;

    if (node->kind == NODE_PROCESSES)
        return filter_accepts(node->processes, question->view, 0);
    if (node->packets && !question->takes(question->context, node->part))
        return false;
    switch (node->kind) {
    case NODE_OR:
        while (child && !accepts(child, question))
            child = child->next;
        return child;
    case NODE_NOT:
        return !accepts(child, question);
    default:
        while (child && accepts(child, question))
            child = child->next;
        return !child;
    }
}

bool packet_filter_accepts(const struct packet_filter *filter, const struct view *view,
                           bool (*takes)(void *context, uint32_t number), void *context)
{
    const struct question question = {view, takes, context};

    return !filter->root || accepts(filter->root, &question);
}
