/* SPDX-License-Identifier: MIT */
/* Names of hosts, services and users for netstat. */
#include "compat/netstat_names.h"

#include "base/user_name.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

struct netstat_host {
    uint8_t bytes[16];
    uint8_t family;
    const char *name; /* NULL: has none */
};

void netstat_names_done(struct netstat_names *names)
{
    arena_done(&names->arena);
    map_done(&names->hosts);
    map_done(&names->services);
    map_done(&names->users);
    free((void *)names->host_list);
    free((void *)names->texts);
}

/* --- hosts --- */

static size_t address_size(unsigned int family)
{
    return family == AF_INET ? 4 : 16;
}

static bool look_up(unsigned int family, const uint8_t *bytes, char *name, size_t size)
{
    struct sockaddr_in inet = {.sin_family = AF_INET};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6};
    int r;

    if (family == AF_INET) {
        memcpy(&inet.sin_addr, bytes, sizeof(inet.sin_addr));
        r = getnameinfo((struct sockaddr *)&inet, sizeof(inet), name, (socklen_t)size, NULL, 0,
                        NI_NAMEREQD);
    } else {
        memcpy(&inet6.sin6_addr, bytes, sizeof(inet6.sin6_addr));
        r = getnameinfo((struct sockaddr *)&inet6, sizeof(inet6), name, (socklen_t)size, NULL, 0,
                        NI_NAMEREQD);
    }
    return r == 0;
}

static uint64_t host_key(unsigned int family, const uint8_t *bytes)
{
    uint64_t halves[2] = {0};

    memcpy(halves, bytes, address_size(family));
    return halves[0] * UINT64_C(0x9e3779b97f4a7c15) ^ halves[1] ^ family;
}

/* Two addresses may have the same key: then only one of them is remembered. */
static const struct netstat_host *find_host(const struct netstat_names *names, unsigned int family,
                                            const uint8_t *bytes)
{
    uint32_t index = map_get(&names->hosts, host_key(family, bytes));
    const struct netstat_host *host = index == MAP_NONE ? NULL : names->host_list[index];

    return host && host->family == family && memcmp(host->bytes, bytes, address_size(family)) == 0
               ? host
               : NULL;
}

const char *netstat_host(struct netstat_names *names, unsigned int family, const uint8_t *bytes)
{
    const struct netstat_host *known = find_host(names, family, bytes);
    struct netstat_host *host;
    char name[NI_MAXHOST];

    if (known)
        return known->name;
    host = arena_alloc(&names->arena, sizeof(*host));
    if (!host || VEC_RESERVE(&names->host_list, &names->host_capacity, names->host_count, 1) < 0 ||
        map_set(&names->hosts, host_key(family, bytes), names->host_count) < 0)
        return NULL;
    memcpy(host->bytes, bytes, address_size(family));
    host->family = (uint8_t)family;
    if (look_up(family, bytes, name, sizeof(name)))
        host->name = arena_copy(&names->arena, name, strlen(name));
    names->host_list[names->host_count++] = host;
    return host->name;
}

/* In a file, of which nobody has many. */
const char *netstat_network(struct netstat_names *names, const uint8_t *bytes)
{
    const struct netent *network;
    uint32_t number;

    memcpy(&number, bytes, sizeof(number));
    network = getnetbyaddr(ntohl(number), AF_INET);
    return network ? arena_copy(&names->arena, network->n_name, strlen(network->n_name)) : NULL;
}

/* --- services and users --- */

/* Without memory a name is not remembered, and the number is shown. */
static const char *keep(struct netstat_names *names, struct map *map, uint64_t key,
                        const char *text)
{
    const char *copy = arena_copy(&names->arena, text, strlen(text));

    if (!copy || VEC_RESERVE(&names->texts, &names->text_capacity, names->text_count, 1) < 0 ||
        map_set(map, key, names->text_count) < 0)
        return "";
    names->texts[names->text_count++] = copy;
    return copy;
}

static uint64_t service_key(enum netstat_service service, uint16_t port)
{
    return (uint64_t)service << 16 | port;
}

static void keep_service(struct netstat_names *names, const char *protocol, uint16_t port,
                         const char *text)
{
    enum netstat_service service = NETSTAT_SERVICE_RAW;

    if (strcmp(protocol, "tcp") == 0)
        service = NETSTAT_SERVICE_TCP;
    else if (strcmp(protocol, "udp") == 0)
        service = NETSTAT_SERVICE_UDP;
    else if (strcmp(protocol, "raw") != 0)
        return;
    if (map_get(&names->services, service_key(service, port)) == MAP_NONE)
        keep(names, &names->services, service_key(service, port), text);
}

/* The whole list at once: it is a file that would be read from its start for each port. */
static void read_services(struct netstat_names *names)
{
    const struct servent *service;
    const struct protoent *protocol;

    setservent(1);
    while ((service = getservent()))
        keep_service(names, service->s_proto, ntohs((uint16_t)service->s_port), service->s_name);
    endservent();
    setprotoent(1);
    while ((protocol = getprotoent()))
        if (protocol->p_proto > 0 && protocol->p_proto <= UINT16_MAX)
            keep_service(names, "raw", (uint16_t)protocol->p_proto, protocol->p_name);
    endprotoent();
    names->services_read = true;
}

const char *netstat_service(struct netstat_names *names, enum netstat_service service,
                            uint16_t port)
{
    uint32_t index;

    if (!names->services_read)
        read_services(names);
    index = map_get(&names->services, service_key(service, port));
    return index == MAP_NONE ? NULL : names->texts[index];
}

const char *netstat_user(struct netstat_names *names, uint32_t uid)
{
    uint32_t index = map_get(&names->users, uid);
    char name[USER_NAME_SIZE];
    const char *text;

    if (index != MAP_NONE)
        text = names->texts[index];
    else
        text = keep(names, &names->users, uid, user_name(uid, name) == 0 ? name : "");
    return *text ? text : NULL;
}
