/* SPDX-License-Identifier: MIT */
/* Names of hosts, as the system's resolver has them. */
#pragma once

#include <netdb.h>
#include <stdint.h>

#define HOST_NAME_SIZE 1025 /* NI_MAXHOST, with its NUL */

/*
 * May ask a name server, and take its time. 0, or an error of getnameinfo(3): EAI_NONAME where it
 * has none; EAI_SYSTEM: errno says more.
 */
int host_look_up(unsigned int family, const uint8_t *bytes, char name[HOST_NAME_SIZE]);

/*
 * The addresses of a host, or the one that `name` itself is; of AF_INET or AF_INET6, 0: of both. To
 * be freed. Takes its time as well. 0, or an error of getaddrinfo(3).
 */
int host_find(const char *name, int family, struct addrinfo **ret_found);
void host_found_free(struct addrinfo *found);
