/* SPDX-License-Identifier: MIT */
/* nwho-lite asks nobody for names of hosts: addresses are numbers. In place of base/host_name.c and
 * cli/resolve.c. */
#include "base/host_name.h"
#include "cli/resolve.h"

#include <arpa/inet.h>
#include <string.h>

int host_look_up(unsigned int family, const uint8_t *bytes, char name[HOST_NAME_SIZE])
{
    (void)family;
    (void)bytes;
    (void)name;
    return EAI_NONAME;
}

/* An address and the structure that points at it. */
struct found {
    struct addrinfo info;
    union {
        struct sockaddr_in inet;
        struct sockaddr_in6 inet6;
    } address;
};

int host_find(const char *name, int family, struct addrinfo **ret_found)
{
    struct found *found = calloc(1, sizeof(*found));

    if (!found)
        return EAI_MEMORY;
    found->info.ai_addr = (struct sockaddr *)&found->address;
    if (family != AF_INET6 && inet_pton(AF_INET, name, &found->address.inet.sin_addr) == 1)
        found->info.ai_family = AF_INET;
    else if (family != AF_INET && inet_pton(AF_INET6, name, &found->address.inet6.sin6_addr) == 1)
        found->info.ai_family = AF_INET6;
    found->address.inet.sin_family = (sa_family_t)found->info.ai_family;
    if (!found->info.ai_family) {
        free(found);
        return EAI_NONAME;
    }
    *ret_found = &found->info;
    return 0;
}

void host_found_free(struct addrinfo *found)
{
    free(found);
}

struct resolver *resolver_new(void)
{
    return NULL;
}

void resolver_free(struct resolver *resolver)
{
    (void)resolver;
}

void resolver_prepare(struct resolver *resolver, const struct grid *grid)
{
    (void)resolver;
    (void)grid;
}

const char *resolver_name(void *resolver, const struct value *address)
{
    (void)resolver;
    (void)address;
    return NULL;
}
