/* SPDX-License-Identifier: MIT */
/* Operands of ss(8)'s filter expression: ends of sockets, interfaces, marks, cgroups. */
#include "compat/ss_filter.h"

#include "base/host_name.h"

#include <arpa/inet.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* --- numbers --- */

static int parse_number(const char *text, int64_t low, int64_t high, int64_t *ret_number)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 0);
    if (!*text || *end || errno || number < low || number > high)
        return -EINVAL;
    *ret_number = number;
    return 0;
}

static bool take_prefix(const char **word, const char *prefix)
{
    size_t length = strlen(prefix);

    if (strncmp(*word, prefix, length) != 0)
        return false;
    *word += length;
    return true;
}

static bool is_any(const char *text)
{
    return !*text || strcmp(text, "*") == 0;
}

static int interface_parse(const char *name, int64_t *ret_index)
{
    unsigned int index = if_nametoindex(name);

    if (!index)
        return parse_number(name, 0, INT_MAX, ret_index);
    *ret_index = index;
    return 0;
}

/* --- ports --- */

/* A service of the tables that are shown; where both know it they must agree. */
static int service_parse(const struct ss_selection *selection, const char *name, int64_t *ret_port)
{
    const struct servent *service;
    int64_t port = -1;

    if (selection->tables & SS_TABLE_BIT(SS_TABLE_UDP) && (service = getservbyname(name, "udp")))
        port = ntohs((uint16_t)service->s_port);
    if (selection->tables & SS_TABLE_BIT(SS_TABLE_TCP) && (service = getservbyname(name, "tcp"))) {
        if (port >= 0 && port != ntohs((uint16_t)service->s_port)) {
            ss_complain("\"%s\" is not one port: udp and tcp differ", name);
            return -EINVAL;
        }
        port = ntohs((uint16_t)service->s_port);
    }
    if (port < 0) {
        ss_complain("\"%s\" is no port", name);
        return -EINVAL;
    }
    *ret_port = port;
    return 0;
}

static int port_parse(const struct ss_selection *selection, const char *text, int64_t *ret_port)
{
    if (*text == ':')
        text++;
    if (!*text || *text == '*')
        return 0;
    if (parse_number(text, INT_MIN, INT_MAX, ret_port) == 0)
        return 0;
    return service_parse(selection, text, ret_port);
}

/* --- internet addresses --- */

/* One to four numbers, the rest of them 0: "127/8". */
static int ipv4_parse(const char *text, union address *address)
{
    for (int i = 0; i < 4; i++) {
        char *end;
        unsigned long number = strtoul(text, &end, 0);

        if (end == text || number > UINT8_MAX)
            return -EINVAL;
        address->bytes[i] = (uint8_t)number;
        if (!*end)
            return 0;
        if (*end != '.')
            return -EINVAL;
        text = end + 1;
    }
    return -EINVAL;
}

static int address_parse(const char *text, int family, struct ss_end *end)
{
    if (strchr(text, ':')) {
        if (family == AF_INET || inet_pton(AF_INET6, text, end->address.bytes) != 1)
            return -EINVAL;
        end->family = AF_INET6;
        end->bits = 128;
        return 0;
    }
    if (family == AF_INET6 || ipv4_parse(text, &end->address) < 0)
        return -EINVAL;
    end->family = AF_INET;
    end->bits = 32;
    return 0;
}

/* A number of bits, or "255.255.0.0". */
static int mask_parse(const char *text, unsigned int *bits)
{
    union address mask = {0};
    int64_t number;
    uint32_t host;

    if (parse_number(text, 0, *bits, &number) == 0) {
        *bits = (unsigned int)number;
        return 0;
    }
    if (ipv4_parse(text, &mask) < 0)
        return -EINVAL;
    host = ntohl(mask.words[0]);
    if (~host & (~host + 1))
        return -EINVAL;
    *bits = (unsigned int)__builtin_popcount(host);
    return 0;
}

static int prefix_parse(char *text, int family, struct ss_end *end)
{
    char *slash = strchr(text, '/');
    struct ss_end parsed = *end;
    int r;

    if (strcmp(text, "any") == 0 || strcmp(text, "all") == 0 || strcmp(text, "default") == 0) {
        end->family = family;
        return 0;
    }
    if (slash)
        *slash = '\0';
    r = address_parse(text, family, &parsed);
    if (slash)
        *slash = '/';
    if (r == 0 && slash)
        r = mask_parse(slash + 1, &parsed.bits);
    if (r == 0)
        *end = parsed;
    return r;
}

static int add_host(struct ss_filter *filter, const struct addrinfo *info, struct ss_end *end)
{
    struct ss_end *added = end;

    if (end->bits) {
        added = arena_alloc(&filter->arena, sizeof(*added));
        if (!added)
            return -ENOMEM;
        *added = *end;
        end->next = added;
    }
    added->family = info->ai_family;
    added->address = (union address){0};
    if (info->ai_family == AF_INET) {
        added->bits = 32;
        memcpy(&added->address, &((const struct sockaddr_in *)info->ai_addr)->sin_addr, 4);
    } else {
        added->bits = 128;
        memcpy(&added->address, &((const struct sockaddr_in6 *)info->ai_addr)->sin6_addr, 16);
    }
    return 0;
}

static int hosts_parse(struct ss_filter *filter, const char *name, int family, struct ss_end *end)
{
    struct addrinfo *infos;
    int r = -EINVAL;

    if (host_find(name, family, &infos) != 0)
        return -EINVAL;
    for (const struct addrinfo *info = infos; info; info = info->ai_next)
        r = add_host(filter, info, end);
    host_found_free(infos);
    return r;
}

/* IPv6 only where there is no IPv4. May take as long as a name server. */
static int host_parse(struct ss_filter *filter, const char *name, int family, struct ss_end *end)
{
    if (family != AF_INET6 && hosts_parse(filter, name, AF_INET, end) == 0)
        return 0;
    return family == AF_INET ? -EINVAL : hosts_parse(filter, name, AF_INET6, end);
}

/* [ADDRESS]:PORT, ADDRESS/BITS:PORT, *:PORT; a port alone when that is wanted. */
static int inet_parse(struct ss_filter *filter, const struct ss_selection *selection, bool is_port,
                      int family, char *text, struct ss_end *end)
{
    char *port, *slash = strchr(text, '/');

    if (*text == '[') {
        text++;
        port = strchr(text, ']');
        if (!port)
            return -EINVAL;
        *port++ = '\0';
    } else if (*text == '*') {
        port = text + 1;
    } else {
        port = strrchr(slash ? slash : text, ':');
    }
    if (is_port)
        port = text;
    if (port && port_parse(selection, port, &end->port) < 0)
        return -EINVAL;
    if (is_port)
        return 0;
    if (port && *port == ':')
        *port = '\0';
    if (!*text || *text == '*')
        return 0;
    if (prefix_parse(text, family, end) < 0 && host_parse(filter, text, family, end) < 0) {
        ss_complain("\"%s\" is no address", text);
        return -EINVAL;
    }
    return 0;
}

/* --- other families: KIND:PORT --- */

/* Cuts at the first colon; what is behind it, or NULL. */
static char *cut_port(char *text)
{
    char *colon = strchr(text, ':');

    if (!colon)
        return NULL;
    *colon = '\0';
    return is_any(colon + 1) ? NULL : colon + 1;
}

static int packet_parse(char *text, struct ss_end *end)
{
    const char *port = cut_port(text);
    uint16_t protocol;

    if (port && (interface_parse(port, &end->port) < 0 || !*port))
        return -EINVAL;
    if (is_any(text))
        return 0;
    if (ss_link_protocol_parse(text, &protocol) < 0)
        return -EINVAL;
    end->bits = 32;
    end->address.words[0] = protocol;
    return 0;
}

static int netlink_parse(char *text, struct ss_end *end)
{
    const char *port = cut_port(text);

    if (port && strcmp(port, "kernel") == 0)
        end->port = 0;
    else if (port && parse_number(port, INT_MIN, INT_MAX, &end->port) < 0)
        return -EINVAL;
    if (is_any(text))
        return 0;
    end->bits = 32;
    return ss_netlink_family_parse(text, &end->address.words[0]);
}

static int vsock_parse(bool is_port, char *text, struct ss_end *end)
{
    const char *port = is_port ? text : cut_port(text);
    int64_t cid;

    if (port && !is_any(port) && parse_number(port, 0, UINT32_MAX, &end->port) < 0)
        return -EINVAL;
    if (is_any(text))
        return 0;
    end->bits = 32;
    if (parse_number(text, 0, UINT32_MAX, &cid) < 0)
        return -EINVAL;
    end->address.words[0] = (uint32_t)cid;
    return 0;
}

/* --- ends --- */

/* The family that a prefix names, else that of the last option or expression. */
static int choose_family(const struct ss_selection *selection, const char **word)
{
    static const struct {
        const char *prefix;
        int family;
    } prefixes[] = {
        {"unix:", AF_UNIX},   {"link:", AF_PACKET}, {"netlink:", AF_NETLINK},
        {"vsock:", AF_VSOCK}, {"inet:", AF_INET},   {"inet6:", AF_INET6},
    };

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
        if (take_prefix(word, prefixes[i].prefix))
            return prefixes[i].family;
    return selection->preferred_family;
}

/* Only that family is shown then, in the states that were wanted before. */
static void narrow_families(struct ss_selection *selection, int family)
{
    uint32_t states = selection->states;

    if (family == AF_UNSPEC)
        return;
    selection->families = 0;
    ss_select_family(selection, family);
    selection->states = states;
}

static int end_parse(struct ss_filter *filter, struct ss_selection *selection, bool is_port,
                     const char *word, struct ss_end *end)
{
    int family = choose_family(selection, &word), r;
    char *text = arena_copy(&filter->arena, word, strlen(word));

    if (!text)
        return -ENOMEM;
    end->port = SS_ANY_PORT;
    end->family = family == AF_INET || family == AF_INET6 ? AF_UNSPEC : family;
    if (family == AF_UNIX) {
        end->pattern = text;
        r = 0;
    } else if (family == AF_PACKET) {
        r = packet_parse(text, end);
    } else if (family == AF_NETLINK) {
        r = netlink_parse(text, end);
    } else if (family == AF_VSOCK) {
        r = vsock_parse(is_port, text, end);
    } else {
        r = inet_parse(filter, selection, is_port, family, text, end);
    }
    if (r == 0)
        narrow_families(selection, family);
    return r;
}

/* --- the others --- */

static int mark_parse(const char *word, struct ss_filter_node *node)
{
    char text[64];
    char *slash;
    int64_t mark, mask = UINT32_MAX;

    if (strlen(word) >= sizeof(text))
        return -EINVAL;
    memcpy(text, word, strlen(word) + 1);
    slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    if (parse_number(text, 0, UINT32_MAX, &mark) < 0 ||
        (slash && parse_number(slash + 1, 0, UINT32_MAX, &mask) < 0))
        return -EINVAL;
    node->number = (uint32_t)mark;
    node->mask = (uint32_t)mask;
    return 0;
}

/* A directory of the cgroup2 file system, whose inode is the id; a path below its root or of all.
 */
static int cgroup_parse(const char *word, struct ss_filter_node *node)
{
    static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
    char path[PATH_MAX];
    struct stat facts;

    for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
        snprintf(path, sizeof(path), "%s/cgroup.controllers", roots[i]);
        if (access(path, F_OK) < 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", roots[i], word);
        if (stat(path, &facts) == 0) {
            node->cgroup = facts.st_ino;
            return 0;
        }
    }
    if (stat(word, &facts) < 0)
        return -EINVAL;
    node->cgroup = facts.st_ino;
    return 0;
}

static int device_parse(const char *word, struct ss_filter_node *node)
{
    int64_t index;

    if (interface_parse(word, &index) < 0)
        return -EINVAL;
    node->number = (uint32_t)index;
    return 0;
}

static int node_end_parse(struct ss_filter *filter, struct ss_selection *selection, bool is_port,
                          const char *word, struct ss_filter_node *node)
{
    struct ss_end *end = arena_alloc(&filter->arena, sizeof(*end));
    int r = end ? end_parse(filter, selection, is_port, word, end) : -ENOMEM;

    node->end = end;
    return r;
}

int ss_operand_parse(struct ss_filter *filter, struct ss_selection *selection,
                     enum ss_operand operand, const char *word, struct ss_filter_node *node)
{
    int r;

    switch (operand) {
    case SS_OPERAND_DEVICE:
        r = device_parse(word, node);
        break;
    case SS_OPERAND_MARK:
        r = mark_parse(word, node);
        break;
    case SS_OPERAND_CGROUP:
        r = cgroup_parse(word, node);
        break;
    default:
        r = node_end_parse(filter, selection, operand == SS_OPERAND_PORT, word, node);
        break;
    }
    if (r < 0)
        ss_complain("cannot understand \"%s\" here", word);
    return r < 0 ? -EINVAL : 0;
}
