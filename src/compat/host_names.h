/* SPDX-License-Identifier: MIT */
/* Names of hosts, networks, services and users for the old tools: each is looked up once. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "derive/names.h"

#include <stdbool.h>

enum host_service {
    HOST_SERVICE_TCP,
    HOST_SERVICE_UDP,
    HOST_SERVICE_RAW, /* protocols of IP, by their numbers */
};

/* Zero is empty. Every name lives until host_names_done(). */
struct host_names {
    struct arena arena; /* of texts */
    struct map first;   /* hash of the address -> index of the first of a chain */
    struct host_entry *entries;
    uint32_t count, capacity;
    struct map services; /* kind and number -> index into service_names */
    const char **service_names;
    uint32_t service_count, service_capacity;
    struct names users;
    bool services_read;
    bool failed; /* a name could not be looked up, for want of memory or descriptors */
};

void host_names_done(struct host_names *names);

/* Whether a name is missing that there may be. */
bool host_names_failed(const struct host_names *names);

/*
 * NULL when there is none. Address: 4 or 16 bytes, of AF_INET or AF_INET6. A name server may be
 * asked, which takes its time.
 */
const char *host_name(struct host_names *names, unsigned int family, const uint8_t *bytes);

/* NULL when there is none; of a network: the 4 bytes of its IPv4 address. */
const char *host_network(struct host_names *names, const uint8_t *bytes);
const char *host_service(struct host_names *names, enum host_service service, uint16_t number);
const char *host_user(struct host_names *names, uint32_t uid);
