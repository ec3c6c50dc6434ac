/* SPDX-License-Identifier: MIT */
/* Names of hosts, services and users for fuzz targets, in the place of libc's: a few, the same on
 * each machine; nothing is asked of a network. */
#include "base/cleanup.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>

int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict ret_infos)
{
    struct {
        struct addrinfo info;
        struct sockaddr_in6 address;
    } * made;
    int family = name && strchr(name, ':') ? AF_INET6 : AF_INET;
    const char *text = name && strcmp(name, "localhost") == 0 ? "127.0.0.1" : name;
    struct sockaddr_in *address;

    (void)service;
    if (!text || (hints && hints->ai_family != AF_UNSPEC && hints->ai_family != family))
        return EAI_NONAME;
    made = calloc(1, sizeof(*made));
    if (!made)
        return EAI_MEMORY;
    address = (struct sockaddr_in *)&made->address;
    if (inet_pton(family, text,
                  family == AF_INET ? (void *)&address->sin_addr
                                    : (void *)&made->address.sin6_addr) != 1) {
        free(made);
        return EAI_NONAME;
    }
    made->address.sin6_family = (sa_family_t)family;
    made->info = (struct addrinfo){
        .ai_family = family,
        .ai_addr = (struct sockaddr *)&made->address,
        .ai_addrlen = family == AF_INET ? sizeof(*address) : sizeof(made->address),
    };
    *ret_infos = &made->info;
    return 0;
}

void freeaddrinfo(struct addrinfo *infos)
{
    free(infos);
}

struct servent *getservbyname(const char *name, const char *proto)
{
    static struct servent services[] = {{.s_name = (char *)"ssh", .s_proto = (char *)"tcp"},
                                        {.s_name = (char *)"https", .s_proto = (char *)"tcp"},
                                        {.s_name = (char *)"domain", .s_proto = (char *)"udp"}};
    static const uint16_t ports[] = {22, 443, 53};

    for (size_t i = 0; i < ARRAY_SIZE(services); i++)
        if (strcmp(name, services[i].s_name) == 0 &&
            (!proto || strcmp(proto, services[i].s_proto) == 0)) {
            services[i].s_port = htons(ports[i]);
            return &services[i];
        }
    return NULL;
}

struct passwd *getpwnam(const char *name)
{
    static struct passwd root = {.pw_name = (char *)"root"};

    errno = 0;
    return strcmp(name, "root") == 0 ? &root : NULL;
}
