/* SPDX-License-Identifier: MIT */
/* Filter language: ports, ranges and service names. */
#include "table/filter_tree.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define PORT_MAX 65535u
#define PORT_ANY UINT32_MAX /* ports of vsock have 32 bits */

static bool read_number(const char *text, uint32_t *ret_number)
{
    uint64_t number;
    bool more;

    if (filter_quantity(text, KIND_PORT, &number, &more) < 0 || more || number > PORT_MAX)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

/* A number, or a name of services(5). */
static bool read_port(const char *text, uint32_t *ret_port)
{
    const struct servent *service;

    if (read_number(text, ret_port))
        return true;
    if (!*text || (*text >= '0' && *text <= '9'))
        return false;
    service = getservbyname(text, NULL);
    if (service)
        *ret_port = ntohs((uint16_t)service->s_port);
    return service != NULL;
}

/* "1024-2048"; names may have a '-' themselves. */
static bool read_range(struct filter_parser *parser, const char *text, uint32_t *ret_low,
                       uint32_t *ret_high)
{
    for (const char *dash = strchr(text, '-'); dash; dash = strchr(dash + 1, '-')) {
        char *low = arena_copy(parser->arena, text, (size_t)(dash - text));

        if (!low) {
            filter_fail_memory(parser);
            return false;
        }
        if (read_port(low, ret_low) && read_port(dash + 1, ret_high))
            return true;
    }
    return false;
}

/* An ordering as a range. False when no port can satisfy it. */
static bool apply_op(enum filter_op op, uint32_t *low, uint32_t *high)
{
    uint32_t port = *low;

    switch (op) {
    case FILTER_OP_LT:
        *low = 0;
        *high = port - 1;
        return port > 0;
    case FILTER_OP_LE:
        *low = 0;
        return true;
    case FILTER_OP_GT:
        *low = port + 1;
        *high = PORT_ANY;
        return port < PORT_MAX;
    case FILTER_OP_GE:
        *high = PORT_ANY;
        return true;
    default:
        return true;
    }
}

static struct filter_node *one_port(struct filter_parser *parser, const struct filter_word *word,
                                    const char *text, enum filter_op op,
                                    const struct column *columns[2])
{
    bool ordered =
        op == FILTER_OP_LT || op == FILTER_OP_LE || op == FILTER_OP_GT || op == FILTER_OP_GE;
    uint32_t low, high;

    if (*text == ':')
        text++;
    if (strcmp(text, "*") == 0 && !ordered)
        return filter_ports(parser, columns, 0, PORT_ANY);
    if (read_port(text, &low))
        high = low;
    else if (!read_range(parser, text, &low, &high))
        return filter_fail(parser, word,
                           "'%.60s' is no port: a number up to 65535, a range 1024-2048 or a name "
                           "of /etc/services is expected",
                           text);
    else if (ordered)
        return filter_fail(parser, word, "a range of ports cannot be compared with < or >");
    else if (low > high)
        return filter_fail(parser, word, "the range of ports %.60s is empty", text);
    if (!apply_op(op, &low, &high))
        return filter_fail(parser, word, "no port is %s than %.60s",
                           op == FILTER_OP_LT ? "less" : "greater", text);
    return filter_ports(parser, columns, low, high);
}

struct filter_node *filter_port_list(struct filter_parser *parser, const struct filter_word *word,
                                     const char *text, enum filter_op op,
                                     const struct column *columns[2])
{
    struct filter_node *any = NULL, *node;
    struct filter_list list = {.rest = text};

    while (filter_next_item(parser, &list)) {
        node = one_port(parser, word, list.item, op, columns);
        any = any ? filter_join(parser, FILTER_OR, any, node) : node;
        if (!any)
            return NULL;
    }
    if (parser->result < 0 || op != FILTER_OP_NE)
        return any;
    node = filter_ports(parser, columns, 0, PORT_ANY);
    return filter_join(parser, FILTER_AND, node, filter_negate(parser, any, true));
}
