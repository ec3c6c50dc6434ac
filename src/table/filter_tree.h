/* SPDX-License-Identifier: MIT */
/* Inside of the filter language: tokens, tree, what its parts share. For filter_*.c only. */
#pragma once

#include "table/filter.h"

#include <regex.h>

#define FILTER_DEPTH_MAX 200       /* parentheses inside each other */
#define FILTER_TEXT_MAX (1u << 20) /* bytes of an expression */

enum filter_op {
    FILTER_OP_NONE,
    FILTER_OP_EQ,
    FILTER_OP_NE,
    FILTER_OP_LT,
    FILTER_OP_LE,
    FILTER_OP_GT,
    FILTER_OP_GE,
    FILTER_OP_LIKE,     /* ~ : regular expression */
    FILTER_OP_NOT_LIKE, /* !~ */
};

enum filter_token {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED, /* never a keyword, never a pattern */
    TOKEN_REGEX,  /* between slashes, see `icase` */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_OP,
};

struct filter_word {
    enum filter_token token;
    enum filter_op op;   /* TOKEN_OP */
    bool icase;          /* TOKEN_REGEX with "i" behind it */
    uint32_t at, length; /* in the text, quotes and slashes included */
    char *bytes;         /* C string: the word without quotes or slashes; NULL for the others */
};

enum filter_kind {
    FILTER_ALL, /* every row */
    FILTER_AND,
    FILTER_OR,
    FILTER_NOT,
    FILTER_PROTO,  /* mask of PROTO_BIT()s */
    FILTER_STATE,  /* mask of STATE_BIT()s */
    FILTER_FAMILY, /* mask of 1 << AF_* */
    FILTER_SCOPE,  /* mask of 1 << enum address_scope */
    FILTER_PORT,   /* low <= port <= high */
    FILTER_PREFIX, /* an IPv4 prefix also matches IPv4-mapped IPv6 addresses */
    FILTER_NUMBER, /* an unknown value satisfies no comparison, != neither */
    FILTER_TEXT,
    FILTER_TRUE,     /* known, and not false, 0 or empty */
    FILTER_CHILD_OF, /* process or a descendant of it */
    FILTER_MARK,
    FILTER_USER,      /* the name of the user with this id, as the rows have it */
    FILTER_AUTOBOUND, /* ss(8)'s guess that the kernel chose the local port or name */
};

enum filter_pattern_kind {
    PATTERN_EXACT,
    PATTERN_GLOB,
    PATTERN_REGEX,
};

/* A wanted text. */
struct filter_pattern {
    enum filter_pattern_kind kind;
    const char *text; /* C string */
    uint32_t length;
    /* PATTERN_EXACT: so much is compared with a process name, which the kernel cuts at 15 bytes. */
    uint32_t comm_length;
    bool unit; /* a value "NAME.service" is also NAME */
    bool part; /* case does not count; PATTERN_EXACT: a part of the value is enough */
    const regex_t *regex;
};

/*
 * A flag: a column of truth that is in no table. `protos` and `states`: those of every socket that
 * has it.
 */
struct filter_flag {
    struct column column;
    uint32_t protos, states;
};

struct filter_node {
    enum filter_kind kind;
    bool peer;                               /* PORT, PREFIX, SCOPE: of the other end */
    const struct column *column;             /* of the row; NULL: only owners have it */
    const struct column *owner_column;       /* of the owners' rows: one owner for which it holds is
                                                enough; or NULL */
    const struct column *owners;             /* with owner_column: the list */
    struct filter_node *child, *last, *next; /* AND, OR, NOT */
    union {
        uint64_t mask;
        const struct filter_flag *flag; /* FILTER_TRUE; NULL for a column of the table */
        struct {
            uint32_t low, high; /* high above 65535: ports of vsock too */
        } port;
        struct {
            union address address;
            uint8_t family, bits;
        } prefix;
        struct {
            enum filter_op op;
            bool more; /* the wanted one is between `number` and the next (1.5s for seconds) */
            uint64_t number;
        } number;
        struct filter_pattern pattern;
        struct {
            uint32_t value, mask;
        } mark;
        uint32_t pid; /* CHILD_OF */
        uint32_t uid; /* USER */
    };
};

struct filter_regex {
    struct filter_regex *next;
    regex_t regex;
};

struct filter {
    const struct table *table;
    bool sockets; /* rows are those of snapshot.sockets: read them without columns */
    struct filter_node *root;
    struct filter_regex *regexes; /* to be freed by regfree() */
    uint64_t needs;
    bool names;                /* filter_is_names() */
    bool is_name;              /* filter_is_name() */
    const char *guess;         /* a bare word that was taken for a name; NULL: none */
    const char *near_guess;    /* what else it may have been meant for; NULL: nothing */
    const struct column *word; /* a column out of whose words one was compared; NULL: none */
};

struct filter_parser {
    const struct table *table;
    bool recorded;               /* see filter_compile_recorded() */
    const struct column *owners; /* column with rows of table->owners, or NULL */
    const char *text;
    uint32_t length;
    uint32_t at; /* where the next token begins */
    uint32_t depth;
    uint32_t conditions, names; /* so far; how many of them are bare names */
    bool joined;                /* by signs, words or parentheses */
    bool peeked;                /* `ahead` is the next token */
    struct filter_word ahead;
    uint32_t ahead_end;
    struct filter_word last; /* the last one that was taken */
    struct arena *arena;
    struct filter *filter;
    struct filter_error *error;
    int result; /* 0, or the first error */
};

/* Words between commas, one after the other. */
struct filter_list {
    const char *rest; /* NULL: no more */
    char *item;
};

/* Tokens (filter_lex.c). The word of filter_peek() is valid until the next token is taken. */
const struct filter_word *filter_peek(struct filter_parser *parser);
struct filter_word filter_take(struct filter_parser *parser);
/*
 * Takes the word behind a condition's name: fewer bytes end it. `regex`: /.../ is a regular
 * expression. TOKEN_END when there is none.
 */
struct filter_word filter_take_operand(struct filter_parser *parser, bool regex);
/* Takes an operator when there is one, also spelled as a word (gt). FILTER_OP_NONE otherwise. */
enum filter_op filter_take_op(struct filter_parser *parser);
/* The next word of a list into list->item; false behind the last, and on an error. */
bool filter_next_item(struct filter_parser *parser, struct filter_list *list);
/* Same letters, whatever their case. */
bool filter_is(const struct filter_word *word, const char *keyword);

/*
 * Errors: the first one counts. All return NULL, so that a rule can end with `return
 * filter_fail(...)`.
 */
struct filter_node *filter_fail(struct filter_parser *parser, const struct filter_word *word,
                                const char *format, ...) PRINTF_LIKE(3, 4);
/* "EXPECTED is expected after WORD", at what stands there instead. */
struct filter_node *filter_missing(struct filter_parser *parser, const struct filter_word *word,
                                   const char *expected);
struct filter_node *filter_fail_memory(struct filter_parser *parser);

/* Nodes (filter_nodes.c). A NULL child makes NULL, so that errors pass through. */
struct filter_node *filter_node(struct filter_parser *parser, enum filter_kind kind,
                                const struct column *column);
/* With the column(s) of `field`, as filter_field() found them. */
struct filter_node *filter_field_node(struct filter_parser *parser, enum filter_kind kind,
                                      const struct filter_node *field);
struct filter_node *filter_join(struct filter_parser *parser, enum filter_kind kind,
                                struct filter_node *left, struct filter_node *right);
struct filter_node *filter_negate(struct filter_parser *parser, struct filter_node *node,
                                  bool negate);
struct filter_node *filter_mask(struct filter_parser *parser, enum filter_kind kind,
                                const struct column *column, uint64_t mask);
/* Of the ends {own, other} that have a column: one for which it holds is enough. */
struct filter_node *filter_ports(struct filter_parser *parser, const struct column *columns[2],
                                 uint32_t low, uint32_t high);
struct filter_node *filter_prefix(struct filter_parser *parser, const struct column *columns[2],
                                  unsigned int family, const void *address, unsigned int bits);
struct filter_node *filter_scopes(struct filter_parser *parser, const struct column *columns[2],
                                  uint32_t scopes);

/* What a word stands for (filter_words.c). */
const struct column *filter_column(const struct filter_parser *parser, const char *word);
/* The column of the row, of its owners, or both, into a node. False when neither has it. */
bool filter_field(const struct filter_parser *parser, const char *word, struct filter_node *node);
const struct filter_flag *filter_flag(const char *word);
/*
 * Of a column that is put together for people, the word whose condition is meant by = and !=: "src"
 * for "local". NULL for all others.
 */
const char *filter_plain_word(const struct filter_parser *parser, const char *word);
/* A field of sockets that no table shows (filter_flags.c). */
const struct column *filter_extra_column(const char *word);
/* The keyword, flag, state or column that was probably meant, or NULL. */
const char *filter_suggest(const struct filter_parser *parser, const char *word);
/* The end of a message about an unknown word: which name (NULL: none) was probably meant, or all.
 */
void filter_suggest_among(const char *const *names, size_t count, const char *they_are,
                          const char *word, char *text, size_t size);
/* The same of a state, protocol or family, as enum filter_kind says. */
void filter_suggest_mask(enum filter_kind kind, const char *word, char *text, size_t size);
/* Family number `index` of those that can be named; NULL behind the last. */
const char *filter_family_name(unsigned int index);
/* A flag, state or protocol from which a long word differs by one letter, or NULL. */
const char *filter_suggest_long(const struct filter_parser *parser, const char *word);
/* What else than the name of a process, when no row has that one, or NULL. */
const char *filter_suggest_name(const struct filter_parser *parser, const char *word);
/* A near word that needs an operand ("state"), or NULL. */
const char *filter_suggest_keyword(const char *word);

/*
 * Operands (filter_hosts.c, filter_ports.c, filter_words.c, filter_match.c). `word` is the part
 * of the text for errors, `text` what is read.
 */
struct filter_node *filter_hosts(struct filter_parser *parser, const struct filter_word *word,
                                 const char *text, const struct column *columns[2], bool net);
struct filter_node *filter_port_list(struct filter_parser *parser, const struct filter_word *word,
                                     const char *text, enum filter_op op,
                                     const struct column *columns[2]);
/*
 * A quantity in units of `kind`: 0 and the number, and whether it is a little more than that;
 * -EINVAL, -ERANGE.
 */
int filter_quantity(const char *text, enum value_kind kind, uint64_t *ret_number, bool *ret_more);
/* A text condition on the column(s) of `field` (filter_field()); makes the pattern. */
struct filter_node *filter_text(struct filter_parser *parser, const struct filter_word *word,
                                const char *text, const struct filter_node *field);
/* The same, where the text may be the name or the number of a user. */
struct filter_node *filter_text_or_user(struct filter_parser *parser,
                                        const struct filter_word *word, const char *text,
                                        const struct filter_node *field);

/* Conditions (filter_conditions.c, filter_network.c, filter_states.c). */
/* A condition that begins with a network word. False: `word` is none. */
bool filter_network(struct filter_parser *parser, const struct filter_word *word,
                    struct filter_node **ret_node);
/* state S{,S}, exclude S; proto and family. */
struct filter_node *filter_state_condition(struct filter_parser *parser,
                                           const struct filter_word *first);
struct filter_node *filter_mask_condition(struct filter_parser *parser,
                                          const struct filter_word *word, enum filter_kind wanted);
/* A bare state, protocol or family and those that follow it. False: `word` is none. */
bool filter_bare_mask(struct filter_parser *parser, const struct filter_word *word,
                      struct filter_node **ret_node);
/* column op operand */
struct filter_node *filter_field_condition(struct filter_parser *parser,
                                           const struct filter_word *word);

/* The column with an address of the rows: the own one, or (`peer`) the other; NULL: there is none.
 */
const struct column *filter_address_column(const struct filter_parser *parser, bool peer);

/* Truth of one value (filter_match.c). */
bool filter_pattern_matches(const struct filter_pattern *pattern, const struct value *value);
