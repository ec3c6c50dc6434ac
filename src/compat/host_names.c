/* SPDX-License-Identifier: MIT */
/* Names of hosts, remembered. */
#include "compat/host_names.h"

#include "base/vec.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

struct host_entry {
    uint8_t bytes[16];
    uint8_t family;
    const char *name; /* NULL: has none */
    uint32_t next;    /* with the same hash; MAP_NONE: the last */
};

void host_names_done(struct host_names *names)
{
    map_done(&names->first);
    free(names->entries);
    arena_done(&names->arena);
}

static const char *look_up(struct host_names *names, const struct host_entry *host)
{
    struct sockaddr_in inet = {.sin_family = AF_INET};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6};
    char name[NI_MAXHOST];
    int r;

    memcpy(&inet.sin_addr, host->bytes, sizeof(inet.sin_addr));
    memcpy(&inet6.sin6_addr, host->bytes, sizeof(inet6.sin6_addr));
    r = getnameinfo(host->family == AF_INET ? (struct sockaddr *)&inet : (struct sockaddr *)&inet6,
                    host->family == AF_INET ? sizeof(inet) : sizeof(inet6), name, sizeof(name),
                    NULL, 0, NI_NAMEREQD);
    return r == 0 ? arena_copy(&names->arena, name, strlen(name)) : NULL;
}

static uint64_t hash_host(const struct host_entry *host)
{
    uint64_t halves[2];

    memcpy(halves, host->bytes, sizeof(halves));
    return (halves[0] * UINT64_C(0x9e3779b97f4a7c15) ^ halves[1]) * UINT64_C(0x100000001b3) ^
           host->family;
}

/* Without memory a name is not remembered. */
const char *host_name(struct host_names *names, unsigned int family, const uint8_t *bytes)
{
    struct host_entry host = {.family = (uint8_t)family};
    uint64_t hash;

    memcpy(host.bytes, bytes, family == AF_INET ? 4 : 16);
    hash = hash_host(&host);
    host.next = map_get(&names->first, hash);
    for (uint32_t at = host.next; at != MAP_NONE; at = names->entries[at].next)
        if (names->entries[at].family == family &&
            memcmp(names->entries[at].bytes, host.bytes, sizeof(host.bytes)) == 0)
            return names->entries[at].name;
    host.name = look_up(names, &host);
    if (VEC_RESERVE(&names->entries, &names->capacity, names->count, 1) == 0 &&
        map_set(&names->first, hash, names->count) == 0)
        names->entries[names->count++] = host;
    return host.name;
}
