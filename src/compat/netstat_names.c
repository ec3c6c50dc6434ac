/* SPDX-License-Identifier: MIT */
/* Names of hosts, services and users for netstat. */
#include "compat/netstat_names.h"

#include "base/user_name.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

void netstat_names_done(struct netstat_names *names)
{
    arena_done(&names->arena);
    host_names_done(&names->hosts);
    map_done(&names->networks);
    map_done(&names->services);
    map_done(&names->users);
    free((void *)names->texts);
}

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

const char *netstat_network(struct netstat_names *names, const uint8_t *bytes)
{
    const struct netent *network;
    uint32_t number, index;
    const char *text;

    memcpy(&number, bytes, sizeof(number));
    index = map_get(&names->networks, number);
    if (index == MAP_NONE) {
        network = getnetbyaddr(ntohl(number), AF_INET);
        text = keep(names, &names->networks, number, network ? network->n_name : "");
    } else {
        text = names->texts[index];
    }
    return *text ? text : NULL;
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
