/* SPDX-License-Identifier: MIT */
/* Filter language: the words of ss(8) and pcap-filter(7): src, dst, host, net, port, dev ... */
#include "table/filter_tree.h"

#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum {
    LOCAL = 1,
    PEER = 2,
};

/* The columns of the wanted ends. False when rows have none. */
static bool find_ends(struct filter_parser *parser, const struct filter_word *word,
                      unsigned int ends, bool ports, const struct column *columns[2])
{
    for (int peer = 0; peer < 2; peer++) {
        columns[peer] = NULL;
        if (ends & (peer ? PEER : LOCAL))
            columns[peer] = !ports ? filter_address_column(parser, peer)
                                   : filter_column(parser, peer ? "peer_port" : "local_port");
    }
    if (((ends & LOCAL) && !columns[0]) || ((ends & PEER) && !columns[1])) {
        filter_fail(parser, word, "rows of %s have no %s", parser->table->name,
                    ports ? "ports" : "addresses");
        return false;
    }
    return true;
}

static struct filter_node *port_condition(struct filter_parser *parser,
                                          const struct filter_word *word, unsigned int ends)
{
    const struct column *columns[2];
    struct filter_word operand;
    enum filter_op op;

    if (!find_ends(parser, word, ends, true, columns))
        return NULL;
    op = filter_take_op(parser);
    if (op == FILTER_OP_LIKE || op == FILTER_OP_NOT_LIKE)
        return filter_fail(parser, &parser->last, "ports are numbers: ~ compares texts");
    operand = filter_take_operand(parser, false);
    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, "a port");
    return filter_port_list(parser, &operand, operand.bytes, op, columns);
}

/* "unix:/run/x", "/run/x", "@abstract"; NULL: no name of a unix socket. */
static const char *unix_path(const char *text)
{
    if (strncasecmp(text, "unix:", 5) == 0)
        return text + 5;
    return *text == '/' || *text == '@' ? text : NULL;
}

/* The own name, that of the other end, or either. */
static struct filter_node *path_condition(struct filter_parser *parser,
                                          const struct filter_word *operand, const char *path,
                                          unsigned int ends)
{
    struct filter_node own = {.column = filter_column(parser, "path")};
    struct filter_node other = {.column = filter_column(parser, "peer_path")};
    struct filter_node *node;

    if (ends & PEER && !other.column)
        return filter_fail(parser, operand, "rows of %s do not have the path of the other end",
                           parser->table->name);
    if (ends == PEER)
        return filter_text(parser, operand, path, &other);
    node = filter_text(parser, operand, path, &own);
    if (ends & PEER)
        node = filter_join(parser, FILTER_OR, node, filter_text(parser, operand, path, &other));
    return node;
}

/* `net 10.0.0.0 mask 255.0.0.0` is not known; `net 10.0.0.0/8` is. */
static struct filter_node *host_condition(struct filter_parser *parser,
                                          const struct filter_word *word, unsigned int ends,
                                          bool net)
{
    const struct column *columns[2];
    struct filter_word operand;
    struct filter_node *node;
    const char *path;
    enum filter_op op;

    if (!find_ends(parser, word, ends, false, columns))
        return NULL;
    op = filter_take_op(parser);
    if (op != FILTER_OP_NONE && op != FILTER_OP_EQ && op != FILTER_OP_NE)
        return filter_fail(parser, &parser->last, "addresses are only compared with = and !=");
    operand = filter_take_operand(parser, false);
    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, "an address");
    path = unix_path(operand.bytes);
    if (path && filter_column(parser, "path"))
        return filter_negate(parser, path_condition(parser, &operand, path, ends),
                             op == FILTER_OP_NE);
    node = filter_hosts(parser, &operand, operand.bytes, columns, net);
    if (!node || op != FILTER_OP_NE)
        return node;
    operand.token = TOKEN_WORD;
    return filter_join(parser, FILTER_AND, filter_hosts(parser, &operand, "*", columns, false),
                       filter_negate(parser, node, true));
}

/* src and dst may be followed by host, net, port or portrange, as in pcap-filter(7). */
static struct filter_node *end_condition(struct filter_parser *parser,
                                         const struct filter_word *word, unsigned int ends)
{
    struct filter_word next = *filter_peek(parser);

    if (filter_is(&next, "host") || filter_is(&next, "net")) {
        filter_take(parser);
        return host_condition(parser, &next, ends, filter_is(&next, "net"));
    }
    if (filter_is(&next, "port") || filter_is(&next, "portrange")) {
        filter_take(parser);
        return port_condition(parser, &next, ends);
    }
    return host_condition(parser, word, ends, false);
}

static struct filter_node *mark_condition(struct filter_parser *parser,
                                          const struct filter_word *word)
{
    enum filter_op op = filter_take_op(parser);
    struct filter_word operand = filter_take_operand(parser, false);
    struct filter_node *node;
    char *slash;
    uint64_t value, mask = UINT32_MAX;
    bool more = false, good;

    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, "a mark");
    slash = strchr(operand.bytes, '/');
    if (slash)
        *slash++ = '\0';
    good =
        filter_quantity(operand.bytes, KIND_ID, &value, &more) == 0 && value <= UINT32_MAX && !more;
    if (good && slash)
        good = filter_quantity(slash, KIND_ID, &mask, &more) == 0 && mask <= UINT32_MAX && !more;
    if (!good || (op != FILTER_OP_NONE && op != FILTER_OP_EQ && op != FILTER_OP_NE))
        return filter_fail(parser, &operand, "a mark is expected: 0x10 or 0x10/0xff");
    node = filter_node(parser, FILTER_MARK, filter_column(parser, "mark"));
    if (!node)
        return NULL;
    node->mark.value = (uint32_t)value;
    node->mark.mask = (uint32_t)mask;
    return filter_negate(parser, node, op == FILTER_OP_NE);
}

static struct filter_node *autobound_condition(struct filter_parser *parser)
{
    parser->filter->needs |= NEED_PORT_RANGE;
    return filter_node(parser, FILTER_AUTOBOUND, filter_column(parser, "local_port"));
}

/* dev eth0, dev 3: the device that a socket is bound to. */
static struct filter_node *dev_condition(struct filter_parser *parser,
                                         const struct filter_word *word)
{
    struct filter_node field = {.column = filter_column(parser, "iface")};
    enum filter_op op = filter_take_op(parser);
    struct filter_word operand = filter_take_operand(parser, false);
    struct filter_node *node;
    uint64_t index;
    bool more;

    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, "an interface");
    if (op != FILTER_OP_NONE && op != FILTER_OP_EQ && op != FILTER_OP_NE)
        return filter_fail(parser, &operand, "interfaces are only compared with = and !=");
    if (!parser->filter->sockets || filter_quantity(operand.bytes, KIND_ID, &index, &more) < 0) {
        node = filter_text(parser, &operand, operand.bytes, &field);
    } else {
        node = filter_node(parser, FILTER_NUMBER, filter_extra_column("ifindex"));
        if (node) {
            node->number.op = FILTER_OP_EQ;
            node->number.number = index;
        }
    }
    return filter_negate(parser, node, op == FILTER_OP_NE);
}

/* The path as in /proc/PID/cgroup, or below the usual mount point. */
static struct filter_node *cgroup_condition(struct filter_parser *parser,
                                            const struct filter_word *word)
{
    static const char mount_point[] = "/sys/fs/cgroup/";
    struct filter_word ahead = *filter_peek(parser), operand;
    struct filter_node field;
    enum filter_op op;
    const char *path;

    if (ahead.op == FILTER_OP_LIKE || ahead.op == FILTER_OP_NOT_LIKE)
        return filter_field_condition(parser, word);
    op = filter_take_op(parser);
    operand = filter_take_operand(parser, false);
    if (operand.token == TOKEN_END)
        return filter_missing(parser, word, "a path");
    if (op != FILTER_OP_NONE && op != FILTER_OP_EQ && op != FILTER_OP_NE)
        return filter_fail(parser, &operand, "paths are only compared with =, != and ~");
    filter_field(parser, "cgroup", &field);
    path = operand.bytes;
    if (strncmp(path, mount_point, sizeof(mount_point) - 1) == 0)
        path += sizeof(mount_point) - 2;
    return filter_negate(parser, filter_text(parser, &operand, path, &field), op == FILTER_OP_NE);
}

enum network_rule {
    RULE_STATE,
    RULE_PROTO,
    RULE_FAMILY,
    RULE_END, /* src, dst */
    RULE_HOST,
    RULE_NET,
    RULE_PORT,
    RULE_DEV,
    RULE_MARK,
    RULE_CGROUP,
    RULE_AUTOBOUND,
};

static const struct network_word {
    const char *word;
    enum network_rule rule;
    unsigned int ends;
    const char *column; /* that rows must have */
    const char *what;   /* they do not have, otherwise */
} network_words[] = {
    {"state", RULE_STATE, 0, "state", "state"},
    {"exclude", RULE_STATE, 0, "state", "state"},
    {"proto", RULE_PROTO, 0, "proto", "protocol"},
    {"family", RULE_FAMILY, 0, "family", "address family"},
    {"src", RULE_END, LOCAL, "local_addr", "addresses"},
    {"dst", RULE_END, PEER, "peer_addr", "addresses"},
    {"host", RULE_HOST, LOCAL | PEER, "local_addr", "addresses"},
    {"net", RULE_NET, LOCAL | PEER, "local_addr", "addresses"},
    {"sport", RULE_PORT, LOCAL, "local_port", "ports"},
    {"dport", RULE_PORT, PEER, "peer_port", "ports"},
    {"port", RULE_PORT, LOCAL | PEER, "local_port", "ports"},
    {"portrange", RULE_PORT, LOCAL | PEER, "local_port", "ports"},
    {"dev", RULE_DEV, 0, "iface", "interface"},
    {"fwmark", RULE_MARK, 0, "mark", "mark"},
    {"mark", RULE_MARK, 0, "mark", "mark"},
    {"cgroup", RULE_CGROUP, 0, "cgroup", "cgroup"},
    {"autobound", RULE_AUTOBOUND, 0, "local_port", "ports"},
};

static struct filter_node *apply_rule(struct filter_parser *parser,
                                      const struct network_word *network,
                                      const struct filter_word *word)
{
    switch (network->rule) {
    case RULE_STATE:
        return filter_state_condition(parser, word);
    case RULE_PROTO:
        return filter_mask_condition(parser, word, FILTER_PROTO);
    case RULE_FAMILY:
        return filter_mask_condition(parser, word, FILTER_FAMILY);
    case RULE_END:
        return end_condition(parser, word, network->ends);
    case RULE_HOST:
    case RULE_NET:
        return host_condition(parser, word, network->ends, network->rule == RULE_NET);
    case RULE_PORT:
        return port_condition(parser, word, network->ends);
    case RULE_DEV:
        return dev_condition(parser, word);
    case RULE_MARK:
        return mark_condition(parser, word);
    case RULE_CGROUP:
        return cgroup_condition(parser, word);
    case RULE_AUTOBOUND:
        break;
    }
    return autobound_condition(parser);
}

static bool has_column(const struct filter_parser *parser, const struct network_word *network)
{
    if (strcmp(network->column, "local_addr") == 0 || strcmp(network->column, "peer_addr") == 0)
        return filter_address_column(parser, network->column[0] == 'p');
    return filter_column(parser, network->column);
}

bool filter_network(struct filter_parser *parser, const struct filter_word *word,
                    struct filter_node **ret_node)
{
    for (size_t i = 0; i < ARRAY_SIZE(network_words); i++) {
        const struct network_word *network = &network_words[i];
        struct filter_node field;
        const struct column *own;
        bool owned;

        if (!filter_is(word, network->word))
            continue;
        own = filter_column(parser, network->word);
        if (parser->table->words && network->rule != RULE_DEV && network->rule != RULE_FAMILY &&
            (own || !has_column(parser, network)))
            return false; /* a column like others, or a part of a name */
        if (network->rule <= RULE_FAMILY && !filter_column(parser, "proto") &&
            filter_column(parser, word->bytes))
            return false; /* the state of an interface is a text like others */
        owned = network->rule == RULE_CGROUP && filter_field(parser, network->column, &field);
        if (has_column(parser, network) || owned)
            *ret_node = apply_rule(parser, network, word);
        else
            *ret_node = filter_fail(parser, word, "rows of %s have no %s", parser->table->name,
                                    network->what);
        return true;
    }
    return false;
}
