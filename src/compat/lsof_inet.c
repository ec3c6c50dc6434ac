/* SPDX-License-Identifier: MIT */
/* The addresses of lsof -i: [46][PROTOCOL][@HOST][:PORTS]. */
#include "compat/lsof.h"

#include "base/host_name.h"
#include "base/vec.h"
#include "derive/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include <strings.h>

#define ADDRESSES_MAX 100 /* of one command line, as lsof has it */

/* An argument being read. */
struct inet_argument {
    struct lsof_options *options;
    const char *text;
    struct lsof_address common; /* family and protocol */
    union address hosts[ADDRESSES_MAX];
    uint8_t families[ADDRESSES_MAX];
    uint32_t host_count;
    struct lsof_fds ports[ADDRESSES_MAX];
    uint32_t port_count;
};

static int refuse(const struct inet_argument *argument, const char *why)
{
    return lsof_error("-i %s: %s", argument->text, why);
}

static int add_host(struct inet_argument *argument, unsigned int family, const void *bytes)
{
    uint32_t at = argument->host_count;

    if (at >= ADDRESSES_MAX)
        return refuse(argument, "too many addresses");
    memcpy(argument->hosts[at].bytes, bytes, family == AF_INET ? 4 : 16);
    argument->families[at] = (uint8_t)family;
    argument->host_count++;
    return 0;
}

static int add_found_host(struct inet_argument *argument, const struct addrinfo *info)
{
    if (info->ai_family == AF_INET)
        return add_host(argument, AF_INET,
                        &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr);
    if (info->ai_family == AF_INET6)
        return add_host(argument, AF_INET6,
                        &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr);
    return 0;
}

static int look_up_host(struct inet_argument *argument, const char *name)
{
    struct addrinfo *found;
    int r = 0;

    if (host_find(name, argument->common.family, &found) != 0)
        return refuse(argument, "no such host");
    for (const struct addrinfo *info = found; info && r == 0; info = info->ai_next)
        r = add_found_host(argument, info);
    host_found_free(found);
    return r;
}

static int parse_host(struct inet_argument *argument, const char *name)
{
    union address address;
    size_t length = strlen(name);
    char inner[INET6_ADDRSTRLEN];

    if (length == 0 || strchr(name, ':') != NULL) {
        if (*name != '[' || length < 3 || name[length - 1] != ']' || length > sizeof(inner))
            return refuse(argument, "not an address");
        memcpy(inner, name + 1, length - 2);
        inner[length - 2] = '\0';
        if (inet_pton(AF_INET6, inner, address.bytes) != 1)
            return refuse(argument, "not an address");
        if (address_is_mapped(AF_INET6, &address))
            return argument->common.family
                       ? refuse(argument, "a mapped address is of no single family")
                       : add_host(argument, AF_INET, address.bytes + 12);
        if (argument->common.family == AF_INET)
            return refuse(argument, "an IPv6 address among IPv4 sockets");
        return add_host(argument, AF_INET6, address.bytes);
    }
    if (inet_pton(AF_INET, name, address.bytes) == 1 && argument->common.family == AF_INET6)
        return refuse(argument, "an IPv4 address among IPv6 sockets");
    return look_up_host(argument, name);
}

static bool service_port(const char *name, const char *proto, uint32_t *ret_port)
{
    const struct servent *service = getservbyname(name, proto);

    if (service)
        *ret_port = ntohs((uint16_t)service->s_port);
    return service != NULL;
}

static int parse_service(const struct inet_argument *argument, const char *name, uint32_t *ret_port)
{
    uint32_t tcp = 0, udp = 0;
    bool any = argument->common.proto == 0;
    bool has_tcp = (any || argument->common.proto == PROTO_TCP) && service_port(name, "tcp", &tcp);
    bool has_udp = (any || argument->common.proto != PROTO_TCP) && service_port(name, "udp", &udp);

    if (!has_tcp && !has_udp)
        return refuse(argument, "no such service");
    if (has_tcp && has_udp && tcp != udp)
        return refuse(argument, "the service has several ports: say tcp or udp too");
    *ret_port = has_tcp ? tcp : udp;
    return 0;
}

/* "80", "http", "1-1023", "1-http". */
static int parse_port(struct inet_argument *argument, const char *text)
{
    struct lsof_fds *range = &argument->ports[argument->port_count];
    const char *dash = strchr(text, '-');
    int r = 0;

    if (argument->port_count >= ADDRESSES_MAX)
        return refuse(argument, "too many ports");
    if (lsof_parse_number(text, strlen(text), &range->low)) {
        range->high = range->low;
    } else if (dash && lsof_parse_number(text, (size_t)(dash - text), &range->low)) {
        if (!lsof_parse_number(dash + 1, strlen(dash + 1), &range->high))
            r = parse_service(argument, dash + 1, &range->high);
        if (r == 0 && range->high < range->low)
            r = refuse(argument, "a range that ends before it begins");
    } else {
        r = *text ? parse_service(argument, text, &range->low) : refuse(argument, "no port");
        range->high = range->low;
    }
    argument->port_count += r == 0;
    return r;
}

static int parse_ports(struct inet_argument *argument, const char *text)
{
    char *list = arena_copy(&argument->options->arena, text, strlen(text)), *one;
    int r = list ? 0 : -ENOMEM;

    if (*text == '\0')
        return refuse(argument, "no port");
    while (r == 0 && (one = strsep(&list, ",")) != NULL) {
        if (*one == '\0' && !list && argument->port_count)
            break; /* a comma at the end */
        r = parse_port(argument, one);
    }
    return r;
}

static int parse_protocol(struct inet_argument *argument, const char *text, size_t length)
{
    static const struct {
        const char *name;
        uint8_t proto;
    } protocols[] = {{"tcp", PROTO_TCP}, {"udp", PROTO_UDP}, {"udplite", PROTO_UDPLITE}};

    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
        if (strlen(protocols[i].name) == length &&
            strncasecmp(protocols[i].name, text, length) == 0) {
            argument->common.proto = protocols[i].proto;
            return 0;
        }
    return refuse(argument, "no such protocol (tcp, udp, udplite)");
}

/* Where the ports begin: behind the first colon that is not within brackets. */
static const char *find_ports(const char *host)
{
    const char *end = *host == '[' ? strchr(host, ']') : host;

    return end ? strchr(end, ':') : NULL;
}

static int parse_parts(struct inet_argument *argument, const char *text)
{
    size_t length = strcspn(text, "@:");
    const char *ports;
    char *host;
    int r = length ? parse_protocol(argument, text, length) : 0;

    text += length;
    ports = *text == '@' ? find_ports(text + 1) : *text ? text : NULL;
    if (r == 0 && *text == '@') {
        length = ports ? (size_t)(ports - text - 1) : strlen(text + 1);
        host = arena_copy(&argument->options->arena, text + 1, length);
        r = host ? parse_host(argument, host) : -ENOMEM;
    }
    return r == 0 && ports ? parse_ports(argument, ports + 1) : r;
}

static int add_address(struct inet_argument *argument, uint32_t first, uint32_t host, uint32_t port)
{
    struct lsof_options *options = argument->options;
    struct lsof_address *address;
    int r = VEC_RESERVE(&options->addresses, &options->address_capacity, options->address_count, 1);

    if (r < 0)
        return r;
    address = &options->addresses[options->address_count++];
    *address = argument->common;
    address->text = argument->text;
    address->first = first;
    if (argument->host_count) {
        address->family = argument->families[host];
        address->address = argument->hosts[host];
    }
    address->any_port = argument->port_count == 0;
    address->low = argument->ports[port].low;
    address->high = argument->ports[port].high;
    return 0;
}

/* Each host with each port. */
static int add_addresses(struct inet_argument *argument)
{
    uint32_t hosts = argument->host_count ? argument->host_count : 1;
    uint32_t ports = argument->port_count ? argument->port_count : 1;
    uint32_t first = argument->options->address_count;
    int r = 0;

    if (argument->port_count == 0 && argument->host_count == 1 &&
        address_is_any(argument->families[0], &argument->hosts[0]))
        return refuse(argument, "every address, and no port");
    for (uint32_t i = 0; i < hosts * ports && r == 0; i++)
        r = add_address(argument, first, i / ports, i % ports);
    argument->options->select |= LSOF_SELECT_ADDRESS;
    return r;
}

/* -i alone is both families; -i4 behind it is only that one; -i4 -i6 are both again. */
static void select_family(struct lsof_options *options, char version)
{
    bool both = !version || (version == '4' ? options->ipv6 && !options->ipv4
                                            : options->ipv4 && !options->ipv6);

    options->ipv4 = both || version == '4';
    options->ipv6 = both || version == '6';
    options->select |= LSOF_SELECT_INET;
}

int lsof_parse_inet(struct lsof_options *options, const char *value)
{
    struct inet_argument argument = {.options = options, .text = value};
    int r;

    if (*value == '4' || *value == '6') {
        argument.common.family = *value == '4' ? AF_INET : AF_INET6;
        value++;
    }
    if (*value == '\0') {
        select_family(options, *argument.text);
        return 0;
    }
    r = parse_parts(&argument, value);
    return r < 0 ? r : add_addresses(&argument);
}
