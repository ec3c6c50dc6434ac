/* SPDX-License-Identifier: MIT */
/* Filter language: addresses, prefixes, classes of addresses and host names. */
#include "table/filter_tree.h"

#include "base/host_name.h"
#include "derive/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

/* HOST of one condition while it is read. */
struct host {
    const struct filter_word *word; /* for errors */
    char *address;                  /* without brackets, length and port */
    char *bits;                     /* behind '/', or NULL */
    char *port;                     /* behind ':', or NULL */
    unsigned int family;            /* that it must have, AF_UNSPEC: any */
    bool net;                       /* "10" and "192.168" are prefixes */
};

static const struct {
    const char *name;
    uint32_t scopes;
} classes[] = {
    {"loopback", 1u << SCOPE_LOOPBACK}, {"private", 1u << SCOPE_PRIVATE},
    {"public", 1u << SCOPE_PUBLIC},     {"multicast", 1u << SCOPE_MULTICAST},
    {"any", 1u << SCOPE_ANY},
};

/* Takes HOST apart in place: [v6]/len:port, v4/len:port, v6/len. */
static bool split_host(char *text, struct host *host)
{
    char *colon, *close;

    host->address = text;
    if (*text == '[') {
        close = strchr(text, ']');
        if (!close)
            return false;
        host->address = text + 1;
        *close = '\0';
        text = close + 1;
        if (*text && *text != '/' && *text != ':')
            return false;
        if (*text == ':') {
            host->port = text + 1;
            return true;
        }
    }
    colon = strchr(text, ':');
    if (colon && !strchr(colon + 1, ':')) {
        *colon = '\0';
        host->port = colon + 1;
    }
    host->bits = strchr(text, '/');
    if (host->bits)
        *host->bits++ = '\0';
    return true;
}

/* "10" -> 10.0.0.0/8, "192.168" -> 192.168.0.0/16, as in pcap-filter(7). */
static bool read_partial(const char *text, uint8_t address[4], unsigned int *ret_bits)
{
    unsigned int parts = 0, number = 0, digits = 0;

    memset(address, 0, 4);
    for (;; text++) {
        if (*text >= '0' && *text <= '9' && digits++ < 3) {
            number = number * 10 + (unsigned int)(*text - '0');
            continue;
        }
        if (digits == 0 || digits > 3 || number > 255 || parts == 4 || (*text && *text != '.'))
            return false;
        address[parts++] = (uint8_t)number;
        if (!*text)
            break;
        number = digits = 0;
    }
    *ret_bits = 8 * parts;
    return true;
}

static bool read_address(const struct host *host, uint8_t address[16], unsigned int *ret_family,
                         unsigned int *ret_bits)
{
    *ret_family = AF_INET;
    *ret_bits = 32;
    if (inet_pton(AF_INET, host->address, address) == 1)
        return true;
    if (host->net && read_partial(host->address, address, ret_bits))
        return true;
    *ret_family = AF_INET6;
    *ret_bits = 128;
    return inet_pton(AF_INET6, host->address, address) == 1;
}

static struct filter_node *any_address(struct filter_parser *parser,
                                       const struct column *columns[2], unsigned int family)
{
    static const uint8_t zero[16];
    struct filter_node *node = NULL;

    if (family != AF_INET6)
        node = filter_prefix(parser, columns, AF_INET, zero, 0);
    if (family == AF_INET || parser->result < 0)
        return node;
    if (!node)
        return filter_prefix(parser, columns, AF_INET6, zero, 0);
    return filter_join(parser, FILTER_OR, node, filter_prefix(parser, columns, AF_INET6, zero, 0));
}

/*
 * The name of a host: asked of the system's resolver, which may wait for a name server. Every
 * address that it has counts.
 */
static struct filter_node *named_host(struct filter_parser *parser, const struct host *host,
                                      const struct column *columns[2])
{
    struct addrinfo *found = NULL;
    struct filter_node *node = NULL;
    int r = host_find(host->address, (int)host->family, &found);

    if (r != 0)
        return filter_fail(parser, host->word,
                           "'%.60s' is no address, and no host of that name is known",
                           host->address);
    for (const struct addrinfo *at = found; at && parser->result == 0; at = at->ai_next) {
        const void *bytes;
        struct filter_node *one;

        if (at->ai_family == AF_INET)
            bytes = &((const struct sockaddr_in *)(const void *)at->ai_addr)->sin_addr;
        else if (at->ai_family == AF_INET6)
            bytes = &((const struct sockaddr_in6 *)(const void *)at->ai_addr)->sin6_addr;
        else
            continue;
        one = filter_prefix(parser, columns, (unsigned int)at->ai_family, bytes,
                            at->ai_family == AF_INET ? 32 : 128);
        node = node ? filter_join(parser, FILTER_OR, node, one) : one;
    }
    host_found_free(found);
    return node ? node : filter_fail(parser, host->word, "'%.60s' has no address", host->address);
}

/* Only a text with letters, and no digits alone, can be a host name. */
static bool may_be_name(const char *text)
{
    bool letter = false;

    for (; *text; text++) {
        char low = *text | 0x20;

        letter = letter || (low >= 'a' && low <= 'z');
        if (!strchr("-_.", *text) && !(low >= 'a' && low <= 'z') && !(*text >= '0' && *text <= '9'))
            return false;
    }
    return letter;
}

static struct filter_node *numeric_host(struct filter_parser *parser, const struct host *host,
                                        const struct column *columns[2], const uint8_t *address,
                                        unsigned int family, unsigned int bits)
{
    uint64_t wanted = bits;
    bool more = false;

    if (host->family != AF_UNSPEC && host->family != family)
        return filter_fail(parser, host->word, "'%.60s' is no %s address", host->address,
                           socket_family_name(host->family));
    if (host->bits && (filter_quantity(host->bits, KIND_ID, &wanted, &more) < 0 || more ||
                       wanted > (family == AF_INET ? 32 : 128)))
        return filter_fail(parser, host->word, "'%.60s' is no prefix length of an %s address",
                           host->bits, family == AF_INET ? "IPv4" : "IPv6");
    return filter_prefix(parser, columns, family, address, (unsigned int)wanted);
}

static struct filter_node *address_node(struct filter_parser *parser, const struct host *host,
                                        const struct column *columns[2])
{
    unsigned int family, bits;
    uint8_t address[16];

    if (!*host->address && !host->port)
        return filter_fail(parser, host->word, "an address is expected");
    if ((!*host->address || strcmp(host->address, "*") == 0) && !host->bits)
        return any_address(parser, columns, host->family);
    if (read_address(host, address, &family, &bits))
        return numeric_host(parser, host, columns, address, family, bits);
    for (size_t i = 0; i < ARRAY_SIZE(classes) && !host->bits; i++)
        if (strcasecmp(host->address, classes[i].name) == 0)
            return filter_scopes(parser, columns, classes[i].scopes);
    if (!host->bits && may_be_name(host->address))
        return named_host(parser, host, columns);
    return filter_fail(parser, host->word,
                       "'%.60s' is no address: 10.0.0.9, 10.0.0.0/8, fd00::1, [fd00::1]:443 or a "
                       "host name is expected",
                       host->address);
}

/* "inet:", "inet6:" as ss(8) has them. */
static const char *skip_family(const char *text, unsigned int *ret_family)
{
    *ret_family = AF_UNSPEC;
    if (strncasecmp(text, "inet:", 5) == 0) {
        *ret_family = AF_INET;
        return text + 5;
    }
    if (strncasecmp(text, "inet6:", 6) == 0) {
        *ret_family = AF_INET6;
        return text + 6;
    }
    return text;
}

/* HOST, HOST:PORT or :PORT at one end; `ends` has one column, `ports` the one of the same end. */
static struct filter_node *host_at(struct filter_parser *parser, const struct host *host,
                                   const struct column *column, bool peer)
{
    const struct column *ends[2] = {peer ? NULL : column, peer ? column : NULL};
    const struct column *port = filter_column(parser, peer ? "peer_port" : "local_port");
    const struct column *ports[2] = {peer ? NULL : port, peer ? port : NULL};
    struct filter_node *address, *port_node;

    if (!host->port)
        return address_node(parser, host, ends);
    if (!port)
        return filter_fail(parser, host->word, "rows of %s have no ports", parser->table->name);
    port_node = filter_port_list(parser, host->word, host->port, FILTER_OP_EQ, ports);
    if (!*host->address || (strcmp(host->address, "*") == 0 && !host->bits))
        return port_node;
    address = address_node(parser, host, ends);
    return filter_join(parser, FILTER_AND, address, port_node);
}

static struct filter_node *one_host(struct filter_parser *parser, const struct filter_word *word,
                                    const char *text, const struct column *columns[2], bool net)
{
    struct host host = {.word = word, .net = net};
    struct filter_node *node = NULL;
    const char *rest = skip_family(text, &host.family);
    char *copy = arena_copy(parser->arena, rest, strlen(rest));

    if (!copy)
        return filter_fail_memory(parser);
    if (!split_host(copy, &host))
        return filter_fail(parser, word,
                           "'%.60s' is no address: [fd00::1]:443 is written like this", text);
    for (int i = 0; i < 2; i++) {
        struct filter_node *end;

        if (!columns[i])
            continue;
        end = host_at(parser, &host, columns[i], i == 1);
        node = node ? filter_join(parser, FILTER_OR, node, end) : end;
        if (!node)
            return NULL;
    }
    return node;
}

struct filter_node *filter_hosts(struct filter_parser *parser, const struct filter_word *word,
                                 const char *text, const struct column *columns[2], bool net)
{
    struct filter_list list = {.rest = text};
    struct filter_node *any = NULL;

    while (filter_next_item(parser, &list)) {
        struct filter_node *node = one_host(parser, word, list.item, columns, net);

        any = any ? filter_join(parser, FILTER_OR, any, node) : node;
        if (!any)
            return NULL;
    }
    return any;
}
