/* SPDX-License-Identifier: MIT */
/* Host names by getnameinfo() and getaddrinfo(). */
#include "base/host_name.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

int host_look_up(unsigned int family, const uint8_t *bytes, char name[HOST_NAME_SIZE])
{
    struct sockaddr_in inet = {.sin_family = AF_INET};
    struct sockaddr_in6 inet6 = {.sin6_family = AF_INET6};
    const struct sockaddr *address = (const struct sockaddr *)&inet;
    socklen_t length = sizeof(inet);

    if (family == AF_INET6) {
        memcpy(&inet6.sin6_addr, bytes, sizeof(inet6.sin6_addr));
        address = (const struct sockaddr *)&inet6;
        length = sizeof(inet6);
    } else {
        memcpy(&inet.sin_addr, bytes, sizeof(inet.sin_addr));
    }
    return getnameinfo(address, length, name, HOST_NAME_SIZE, NULL, 0, NI_NAMEREQD);
}

int host_find(const char *name, int family, struct addrinfo **ret_found)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};

    return getaddrinfo(name, NULL, &hints, ret_found);
}

void host_found_free(struct addrinfo *found)
{
    freeaddrinfo(found);
}
