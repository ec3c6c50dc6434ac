/* SPDX-License-Identifier: MIT */
/* Filter language: which word means which column, and what was meant by a mistyped one. */
#include "table/filter_tree.h"

#include "base/suggest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Other spellings of columns: short ones, and those of ss(8). */
static const struct {
    const char *word, *column;
} aliases[] = {
    {"proc", "process"},
    {"comm", "process"},
    {"cmd", "cmdline"},
    {"ino", "inode"},
    {"ns", "netns"},
    {"interface", "iface"},
    {"congestion", "cc"},
    {"recvq", "recv_q"},
    {"recv-q", "recv_q"},
    {"sendq", "send_q"},
    {"send-q", "send_q"},
    {"rtt", "rtt_us"},
    {"rttvar", "rttvar_us"},
    {"minrtt", "min_rtt_us"},
    {"rto", "rto_us"},
    {"age", "age_s"},
    {"duration", "duration_us"},
    {"handshake", "handshake_us"},
    {"lastsnd", "last_send_ms"},
    {"lastrcv", "last_recv_ms"},
    {"last_send", "last_send_ms"},
    {"last_recv", "last_recv_ms"},
    {"sent", "bytes_sent"},
    {"received", "bytes_received"},
    {"acked", "bytes_acked"},
    {"rx", "rx_bytes"},
    {"tx", "tx_bytes"},
    {"skmem", "skmem_bytes"},
    {"fwmark", "mark"},
    {"dev", "iface"},
    {"lport", "local_port"},
    {"rport", "peer_port"},
    {"raddr", "peer_addr"},
    {"laddr", "local_addr"},
    {"note", "owner_note"},
    {"left", "timeout_s"},
};

/* Words of the grammar that need an operand. */
static const char *const keywords[] = {
    "state",   "exclude", "proto", "family",    "src",   "dst",    "host",   "net",
    "sport",   "dport",   "port",  "portrange", "dev",   "fwmark", "cgroup", "proc",
    "process", "user",    "unit",  "container", "netns", "pid",    "inode",
};

bool filter_alias_help(uint32_t index, const char **ret_word, const char **ret_column)
{
    if (index >= ARRAY_SIZE(aliases))
        return false;
    *ret_word = aliases[index].word;
    *ret_column = aliases[index].column;
    return true;
}

bool filter_keyword(uint32_t index, const char **ret_word)
{
    if (index >= ARRAY_SIZE(keywords))
        return false;
    *ret_word = keywords[index];
    return true;
}

static const struct column *find(const struct table *table, const char *word)
{
    for (uint32_t i = 0; i < table->column_count; i++)
        if (strcasecmp(table->columns[i].name, word) == 0)
            return &table->columns[i];
    return NULL;
}

static const char *unalias(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        if (strcasecmp(aliases[i].word, word) == 0)
            return aliases[i].column;
    return word;
}

const struct column *filter_column(const struct filter_parser *parser, const char *word)
{
    const struct column *column = find(parser->table, word);

    if (!column)
        column = find(parser->table, unalias(word));
    if (!column && parser->filter->sockets)
        column = filter_extra_column(word);
    return column;
}

const struct column *filter_address_column(const struct filter_parser *parser, bool peer)
{
    const char *name = parser->table->addresses[peer];

    return filter_column(parser, name ? name : peer ? "peer_addr" : "local_addr");
}

bool filter_field(const struct filter_parser *parser, const char *word, struct filter_node *node)
{
    node->column = filter_column(parser, word);
    node->owner_column = NULL;
    node->owners = NULL;
    if (parser->owners) {
        node->owner_column = find(parser->table->owners, word);
        if (!node->owner_column)
            node->owner_column = find(parser->table->owners, unalias(word));
        node->owners = parser->owners;
        if (node->column && node->column->kind == KIND_LIST && node->owner_column)
            node->column = NULL; /* their number: lists cannot be compared */
    }
    return node->column || node->owner_column;
}

int filter_quantity(const char *text, enum value_kind kind, uint64_t *ret_number, bool *ret_more)
{
    return units_parse(text, strlen(text), value_kind_unit(kind), ret_number, ret_more);
}

/* The same letters, but for two beside each other. */
static bool is_swapped(const char *word, const char *name)
{
    size_t length = strlen(word), i = 0;

    if (strlen(name) != length)
        return false;
    while (i < length && word[i] == name[i])
        i++;
    return i + 1 < length && word[i] == name[i + 1] && word[i + 1] == name[i] &&
           strcmp(word + i + 2, name + i + 2) == 0;
}

/*
 * The word may as well be the name of a process: `containerd` and `node` are not mistyped, `proxy`
 * is not "proto". So the first letter is right, unless two were swapped, and where two edits are
 * needed the last one is, too.
 */
static bool is_near(const char *word, const char *name)
{
    struct suggestion one = {.word = word, .distance = 2}, two = {.word = word, .distance = 3};
    size_t length = strlen(word), known = strlen(name);

    if (is_swapped(word, name))
        return true;
    if (length < 4 || word[0] != name[0] ||
        (strncmp(word, name, known) == 0 && strcmp(word + known, "d") == 0))
        return false;
    suggestion_try(&one, name);
    suggestion_try(&two, name);
    return one.name || (two.name && length > 4 && word[length - 1] == name[known - 1]);
}

const char *filter_suggest_keyword(const char *word)
{
    struct suggestion nearest = {.word = word, .distance = 3};

    for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
        if (is_near(word, keywords[i]))
            suggestion_try(&nearest, keywords[i]);
    return nearest.name;
}

const char *filter_plain_word(const struct filter_parser *parser, const char *word)
{
    static const struct {
        const char *word, *plain;
    } composed[] = {{"local", "src"}, {"peer", "dst"}, {"owner", "process"}};
    const struct column *column = find(parser->table, word);

    for (size_t i = 0; column && column->flags & COLUMN_COMPOSED && i < ARRAY_SIZE(composed); i++)
        if (strcmp(column->name, composed[i].word) == 0)
            return composed[i].plain;
    return NULL;
}

static void try_network_names(struct suggestion *nearest)
{
    const char *name, *help;

    for (uint32_t i = 0; filter_flag_help(i, &name, &help); i++)
        suggestion_try(nearest, name);
    for (unsigned int i = STATE_ESTABLISHED; i < STATE_MAX; i++)
        if (i != STATE_NEW_SYN_RECV_UNUSED)
            suggestion_try(nearest, socket_state_name(i));
    for (unsigned int i = PROTO_UNKNOWN + 1; i < PROTO_MAX; i++)
        suggestion_try(nearest, socket_proto_name(i));
}

/* Number `index` of the names of this kind; NULL: that number has none. */
static const char *mask_item(enum filter_kind kind, unsigned int index)
{
    if (kind == FILTER_PROTO)
        return index > PROTO_UNKNOWN && index < PROTO_MAX ? socket_proto_name(index) : NULL;
    if (kind == FILTER_FAMILY)
        return filter_family_name(index);
    return index >= STATE_ESTABLISHED && index < STATE_MAX && index != STATE_NEW_SYN_RECV_UNUSED
               ? socket_state_name(index)
               : NULL;
}

void filter_suggest_among(const char *const *names, size_t count, const char *they_are,
                          const char *word, char *text, size_t size)
{
    struct suggestion nearest = suggestion_for(word);
    size_t at;

    for (size_t i = 0; i < count; i++)
        if (names[i])
            suggestion_try(&nearest, names[i]);
    if (nearest.name) {
        snprintf(text, size, "did you mean '%s'?", nearest.name);
        return;
    }
    at = (size_t)snprintf(text, size, "%s", they_are);
    for (size_t i = 0; i < count && at < size; i++)
        if (names[i])
            at += (size_t)snprintf(text + at, size - at, " %s", names[i]);
}

void filter_suggest_mask(enum filter_kind kind, const char *word, char *text, size_t size)
{
    const char *names[32];

    for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
        names[i] = mask_item(kind, i);
    filter_suggest_among(names, ARRAY_SIZE(names),
                         kind == FILTER_PROTO    ? "protocols are"
                         : kind == FILTER_FAMILY ? "families are"
                                                 : "states are",
                         word, text, size);
}

const char *filter_suggest_long(const struct filter_parser *parser, const char *word)
{
    struct suggestion nearest = {.word = word, .distance = 2};

    if (strlen(word) < 7)
        return NULL;
    if (parser->filter->sockets)
        try_network_names(&nearest);
    return nearest.name;
}

const char *filter_suggest_name(const struct filter_parser *parser, const char *word)
{
    struct suggestion nearest = suggestion_for(word);
    const char *keyword = filter_suggest_keyword(word);

    if (!parser->filter->sockets)
        return NULL;
    if (keyword)
        suggestion_try(&nearest, keyword);
    try_network_names(&nearest);
    return nearest.name;
}

const char *filter_suggest(const struct filter_parser *parser, const char *word)
{
    struct suggestion nearest = suggestion_for(word);

    for (uint32_t i = 0; i < parser->table->column_count; i++)
        suggestion_try(&nearest, parser->table->columns[i].name);
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
        if (find(parser->table, aliases[i].column))
            suggestion_try(&nearest, aliases[i].word);
    if (find(parser->table, "local_port"))
        for (size_t i = 0; i < ARRAY_SIZE(keywords); i++)
            suggestion_try(&nearest, keywords[i]);
    if (parser->filter->sockets)
        try_network_names(&nearest);
    return nearest.name;
}
