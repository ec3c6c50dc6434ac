/* SPDX-License-Identifier: MIT */
/* Names of hosts for the old tools: each address is looked up once. */
#pragma once

#include "base/arena.h"
#include "base/map.h"

/* Zero is empty. */
struct host_names {
    struct arena arena; /* of texts */
    struct map first;   /* hash of the address -> index of the first of a chain */
    struct host_entry *entries;
    uint32_t count, capacity;
};

void host_names_done(struct host_names *names);

/*
 * NULL when there is none. Address: 4 or 16 bytes, of AF_INET or AF_INET6. A name server may be
 * asked, which takes its time.
 */
const char *host_name(struct host_names *names, unsigned int family, const uint8_t *bytes);
