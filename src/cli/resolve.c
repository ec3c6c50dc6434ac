/* SPDX-License-Identifier: MIT */
/* Host names: a few threads take addresses from one list. */
#include "cli/resolve.h"

#include "base/hash.h"
#include "base/host_name.h"
#include "base/map.h"
#include "base/vec.h"

#include <pthread.h>
#include <sys/socket.h>
#include <time.h>

#define RESOLVE_WAIT_MS 1500
#define THREADS 16
#define ADDRESSES_MAX 20000

struct lookup {
    uint8_t bytes[16];
    uint8_t family;
    bool done;
    char *name; /* owned; NULL: has none, or not known yet */
};

struct resolver {
    pthread_mutex_t lock; /* of everything below */
    pthread_cond_t wake;  /* a thread has finished one */
    struct lookup **lookups;
    uint32_t count, capacity, next, finished;
    uint32_t threads; /* that are at work */
    struct map index; /* hash of family and address -> lookup */
};

struct resolver *resolver_new(void)
{
    struct resolver *resolver = calloc(1, sizeof(*resolver));
    pthread_condattr_t attributes;

    if (!resolver)
        return NULL;
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&resolver->wake, &attributes);
    return resolver;
}

static unsigned int address_length(unsigned int family)
{
    return family == AF_INET ? 4 : 16;
}

static uint64_t address_key(const struct value *address)
{
    unsigned int family = address->address.family;

    return hash_bytes(HASH_INIT ^ family, address->address.bytes, address_length(family));
}

/* Two addresses may have the same key. */
static bool is_of(const struct lookup *lookup, const struct value *address)
{
    return lookup->family == address->address.family &&
           memcmp(lookup->bytes, address->address.bytes, address_length(lookup->family)) == 0;
}

static char *look_up(const struct lookup *lookup)
{
    char name[HOST_NAME_SIZE];

    return host_look_up(lookup->family, lookup->bytes, name) == 0 ? strdup(name) : NULL;
}

static void *work(void *context)
{
    struct resolver *resolver = context;

    pthread_mutex_lock(&resolver->lock);
    while (resolver->next < resolver->count) {
        struct lookup *lookup = resolver->lookups[resolver->next++];
        char *name;

        pthread_mutex_unlock(&resolver->lock);
        name = look_up(lookup);
        pthread_mutex_lock(&resolver->lock);
        lookup->name = name;
        lookup->done = true;
        resolver->finished++;
        pthread_cond_signal(&resolver->wake);
    }
    resolver->threads--;
    pthread_mutex_unlock(&resolver->lock);
    return NULL;
}

static void add_address(struct resolver *resolver, const struct value *address)
{
    struct lookup *lookup;
    uint64_t key;

    if (address->type != VALUE_ADDRESS) /* a unix socket has none */
        return;
    key = address_key(address);
    if (resolver->count == ADDRESSES_MAX || map_get(&resolver->index, key) != MAP_NONE ||
        VEC_RESERVE(&resolver->lookups, &resolver->capacity, resolver->count, 1) < 0)
        return;
    lookup = calloc(1, sizeof(*lookup));
    if (!lookup || map_set(&resolver->index, key, resolver->count) < 0) {
        free(lookup);
        return;
    }
    lookup->family = address->address.family;
    memcpy(lookup->bytes, address->address.bytes, address_length(lookup->family));
    resolver->lookups[resolver->count++] = lookup;
}

static void add_rows(struct resolver *resolver, const struct grid *grid)
{
    const struct column *local = table_column(grid->table, "local_addr");
    const struct column *peer = table_column(grid->table, "peer_addr");

    for (uint32_t i = 0; i < grid->row_count && local && peer; i++) {
        struct value address = local->get(grid->view, grid->rows[i]);

        add_address(resolver, &address);
        address = peer->get(grid->view, grid->rows[i]);
        add_address(resolver, &address);
    }
}

static void start_threads(struct resolver *resolver, uint32_t wanted)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    while (resolver->threads < THREADS && resolver->threads < wanted &&
           pthread_create(&thread, &attributes, work, resolver) == 0)
        resolver->threads++;
    pthread_attr_destroy(&attributes);
}

void resolver_prepare(struct resolver *resolver, const struct grid *grid)
{
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += RESOLVE_WAIT_MS / 1000;
    until.tv_nsec += (long)(RESOLVE_WAIT_MS % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&resolver->lock);
    add_rows(resolver, grid);
    start_threads(resolver, resolver->count - resolver->next);
    while (resolver->finished < resolver->count && r == 0)
        r = pthread_cond_timedwait(&resolver->wake, &resolver->lock, &until);
    pthread_mutex_unlock(&resolver->lock);
}

const char *resolver_name(void *context, const struct value *address)
{
    struct resolver *resolver = context;
    const char *name = NULL;
    uint32_t index;

    pthread_mutex_lock(&resolver->lock);
    index = map_get(&resolver->index, address_key(address));
    if (index != MAP_NONE && resolver->lookups[index]->done &&
        is_of(resolver->lookups[index], address))
        name = resolver->lookups[index]->name;
    pthread_mutex_unlock(&resolver->lock);
    return name;
}

void resolver_free(struct resolver *resolver)
{
    bool idle;

    if (!resolver)
        return;
    pthread_mutex_lock(&resolver->lock);
    idle = resolver->threads == 0;
    pthread_mutex_unlock(&resolver->lock);
    if (!idle)
        return;
    for (uint32_t i = 0; i < resolver->count; i++) {
        free(resolver->lookups[i]->name);
        free(resolver->lookups[i]);
    }
    free(resolver->lookups);
    map_done(&resolver->index);
    pthread_cond_destroy(&resolver->wake);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}
