/* SPDX-License-Identifier: MIT */
/* Names of hosts, services and users as netstat looks them up: one after the other, each once. */
#pragma once

#include "base/arena.h"
#include "base/map.h"
#include "compat/host_names.h"

#include <stdbool.h>

enum netstat_service {
    NETSTAT_SERVICE_TCP,
    NETSTAT_SERVICE_UDP,
    NETSTAT_SERVICE_RAW, /* IP protocols */
    NETSTAT_SERVICE_MAX,
};

struct netstat_names {
    struct host_names hosts;
    struct arena arena; /* of texts */
    struct map networks, services, users;
    const char **texts; /* owned; of networks, services and users; "": has no name */
    uint32_t text_count, text_capacity;
    bool services_read;
};

void netstat_names_done(struct netstat_names *names);

/* NULL when there is none. A network is 4 bytes of IPv4. */
const char *netstat_network(struct netstat_names *names, const uint8_t *bytes);
const char *netstat_service(struct netstat_names *names, enum netstat_service service,
                            uint16_t port);
const char *netstat_user(struct netstat_names *names, uint32_t uid);
