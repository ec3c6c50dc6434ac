/* SPDX-License-Identifier: MIT */
/* Names of hosts, networks, services and users, remembered. */
#include "compat/host_names.h"

#include "base/hash.h"
#include "base/host_name.h"
#include "base/vec.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct host_entry {
    uint8_t bytes[16];
    uint8_t family;   /* AF_UNSPEC: a network of IPv4 */
    const char *name; /* NULL: has none */
    uint32_t next;    /* with the same hash; MAP_NONE: the last */
};

void host_names_done(struct host_names *names)
{
    map_done(&names->first);
    free(names->entries);
    map_done(&names->services);
    free((void *)names->service_names);
    names_done(&names->users);
    arena_done(&names->arena);
}

bool host_names_failed(const struct host_names *names)
{
    return names->failed || names->users.failed;
}

/* By errno of the C library: whether the answer could have been another one. */
static void note_failure(struct host_names *names)
{
    names->failed |= errno == ENOMEM || errno == EMFILE || errno == ENFILE || errno == EIO;
}

/* Without memory: NULL, as if there were none. */
static const char *keep(struct host_names *names, const char *name)
{
    const char *copy = arena_copy(&names->arena, name, strlen(name));

    names->failed |= !copy;
    return copy;
}

/* --- hosts --- */

static const char *look_up_network(struct host_names *names, const struct host_entry *entry)
{
    const struct netent *network;
    uint32_t number;

    memcpy(&number, entry->bytes, sizeof(number));
    network = getnetbyaddr(ntohl(number), AF_INET);
    return network ? keep(names, network->n_name) : NULL;
}

static const char *look_up(struct host_names *names, const struct host_entry *host)
{
    char name[HOST_NAME_SIZE];
    int r;

    errno = 0;
    r = host_look_up(host->family, host->bytes, name);
    if (r == 0)
        return keep(names, name);
    names->failed |= r == EAI_MEMORY;
    if (r == EAI_SYSTEM)
        note_failure(names);
    return NULL;
}

static uint64_t hash_host(const struct host_entry *host)
{
    return hash_bytes(HASH_INIT ^ host->family, host->bytes, sizeof(host->bytes));
}

/* Without memory a name is not remembered. */
static const char *find(struct host_names *names, unsigned int family, const uint8_t *bytes)
{
    struct host_entry host = {.family = (uint8_t)family};
    uint64_t hash;

    memcpy(host.bytes, bytes, family == AF_INET6 ? 16 : 4);
    hash = hash_host(&host);
    host.next = map_get(&names->first, hash);
    for (uint32_t at = host.next; at != MAP_NONE; at = names->entries[at].next)
        if (names->entries[at].family == family &&
            memcmp(names->entries[at].bytes, host.bytes, sizeof(host.bytes)) == 0)
            return names->entries[at].name;
    host.name = family == AF_UNSPEC ? look_up_network(names, &host) : look_up(names, &host);
    if (VEC_RESERVE(&names->entries, &names->capacity, names->count, 1) == 0 &&
        map_set(&names->first, hash, names->count) == 0)
        names->entries[names->count++] = host;
    return host.name;
}

const char *host_name(struct host_names *names, unsigned int family, const uint8_t *bytes)
{
    return find(names, family, bytes);
}

const char *host_network(struct host_names *names, const uint8_t *bytes)
{
    return find(names, AF_UNSPEC, bytes);
}

/* --- services --- */

static uint64_t service_key(enum host_service service, uint16_t number)
{
    return (uint64_t)service << 16 | number;
}

/* The first name of a number counts. */
static void keep_service(struct host_names *names, enum host_service service, uint16_t number,
                         const char *name)
{
    const char *copy;

    if (map_get(&names->services, service_key(service, number)) != MAP_NONE)
        return;
    copy = keep(names, name);
    if (!copy)
        return;
    if (VEC_RESERVE(&names->service_names, &names->service_capacity, names->service_count, 1) < 0 ||
        map_set(&names->services, service_key(service, number), names->service_count) < 0)
        names->failed = true;
    else
        names->service_names[names->service_count++] = copy;
}

static void read_ports(struct host_names *names)
{
    const struct servent *service;

    errno = 0;
    setservent(1);
    note_failure(names);
    errno = 0;
    while ((service = getservent())) {
        uint16_t port = ntohs((uint16_t)service->s_port);

        if (strcmp(service->s_proto, "tcp") == 0)
            keep_service(names, HOST_SERVICE_TCP, port, service->s_name);
        else if (strcmp(service->s_proto, "udp") == 0)
            keep_service(names, HOST_SERVICE_UDP, port, service->s_name);
        errno = 0;
    }
    note_failure(names);
    endservent();
}

static void read_protocols(struct host_names *names)
{
    const struct protoent *protocol;

    errno = 0;
    setprotoent(1);
    note_failure(names);
    errno = 0;
    while ((protocol = getprotoent())) {
        if (protocol->p_proto > 0 && protocol->p_proto <= UINT16_MAX)
            keep_service(names, HOST_SERVICE_RAW, (uint16_t)protocol->p_proto, protocol->p_name);
        errno = 0;
    }
    note_failure(names);
    endprotoent();
}

/* The whole list at once: it is a file that would be read from its start for each port. */
const char *host_service(struct host_names *names, enum host_service service, uint16_t number)
{
    uint32_t index;

    if (!names->services_read) {
        read_ports(names);
        read_protocols(names);
        names->services_read = true;
    }
    index = map_get(&names->services, service_key(service, number));
    return index == MAP_NONE ? NULL : names->service_names[index];
}

/* --- users --- */

const char *host_user(struct host_names *names, uint32_t uid)
{
    return names_user(&names->users, uid);
}
