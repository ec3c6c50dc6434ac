/* SPDX-License-Identifier: MIT */
/* An examination: what checks ask of the ends of a window. */
#include "base/hash.h"
#include "base/rate.h"
#include "derive/health/health.h"
#include "derive/rates.h"

#include <string.h>
#include <sys/socket.h>

static int index_counters(const struct snapshot *snapshot, struct map *index)
{
    int r = map_reserve(index, snapshot->counters_count);

    for (uint32_t i = 0; i < snapshot->counters_count && r == 0; i++)
        r = map_set(index, counter_identity(snapshot, &snapshot->counters[i]), i);
    return r;
}

/* Those of the machine are of no namespace. */
static int index_settings(const struct snapshot *snapshot, struct map *index)
{
    int r = map_reserve(index, snapshot->settings_count);

    for (uint32_t i = 0; i < snapshot->settings_count && r == 0; i++) {
        const struct setting *setting = &snapshot->settings[i];
        bool of_machine = setting->flags & SETTING_MACHINE;
        size_t length;
        const char *name = snapshot_string(snapshot, setting->name, &length);

        r = map_set(
            index,
            counter_key(name, length, of_machine ? 0 : snapshot->netns[setting->netns].inode, 0),
            i);
    }
    return r;
}

/* A recording may have no namespace at all. */
static uint32_t inode_of(const struct snapshot *snapshot, uint32_t netns)
{
    return netns < snapshot->netns_count ? snapshot->netns[netns].inode : 0;
}

/* Of a connection both ends, of another socket its file. */
static uint64_t key_of_ends(const struct snapshot *snapshot, const struct socket *socket)
{
    const uint32_t numbers[] = {inode_of(snapshot, socket->netns),
                                socket->proto,
                                socket->family,
                                socket->local_port,
                                socket->peer_port,
                                socket->peer_port ? 0 : socket->inode};
    uint64_t hash = hash_numbers(HASH_INIT, numbers, ARRAY_SIZE(numbers));

    hash = hash_bytes(hash, &socket->local, sizeof(socket->local));
    return hash_bytes(hash, &socket->peer, sizeof(socket->peer));
}

/* By the cookie; one that has none yet may be given one before it is seen again. */
static int index_sockets(const struct snapshot *snapshot, struct map *index)
{
    int r = map_reserve(index, snapshot->sockets_count);

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        r = map_set(
            index, socket->has & SOCKET_HAS_COOKIE ? socket->cookie : key_of_ends(snapshot, socket),
            i);
    }
    return r;
}

static int index_interfaces(const struct snapshot *snapshot, struct map *index)
{
    int r = map_reserve(index, snapshot->interfaces_count);

    for (uint32_t i = 0; i < snapshot->interfaces_count && r == 0; i++)
        r = map_set(index, interface_identity(snapshot, &snapshot->interfaces[i]), i);
    return r;
}

void examination_done(struct examination *examination)
{
    map_done(&examination->counters_now);
    map_done(&examination->counters_before);
    map_done(&examination->settings);
    map_done(&examination->sockets_before);
    map_done(&examination->interfaces_before);
}

int examination_begin(struct examination *examination, const struct health_plan *plan,
                      const struct snapshot *before, const struct snapshot *now,
                      const struct join *join)
{
    int r;

    *examination = (struct examination){
        .now = now,
        .before = before,
        .join = join,
        .plan = plan,
        .window_ns = now->boot_ns - before->boot_ns,
    };
    r = index_counters(now, &examination->counters_now);
    if (r == 0)
        r = index_counters(before, &examination->counters_before);
    if (r == 0)
        r = index_settings(now, &examination->settings);
    if (r == 0)
        r = index_sockets(before, &examination->sockets_before);
    if (r == 0)
        r = index_interfaces(before, &examination->interfaces_before);
    return r;
}

uint64_t health_rate(const struct examination *examination, uint64_t count)
{
    return per_second(count, examination->window_ns, 0.999999);
}

struct change health_change(const struct examination *examination, const struct counter *after)
{
    uint32_t before =
        map_get(&examination->counters_before, counter_identity(examination->now, after));
    struct change change = {.known = true, .after = after->value};

    /* A namespace that is new has counted all of it meanwhile. */
    if (before != MAP_NONE)
        change.before = examination->before->counters[before].value;
    if (after->flags & COUNTER_WRAPS)
        change.delta = (uint32_t)(change.after - change.before);
    else if (change.after > change.before)
        change.delta = change.after - change.before;
    change.rate = health_rate(examination, change.delta);
    return change;
}

struct change health_counter(const struct examination *examination, uint32_t netns,
                             const char *name)
{
    uint32_t inode = inode_of(examination->now, netns);
    uint32_t found = map_get(&examination->counters_now, counter_key(name, strlen(name), inode, 0));
    struct change unknown = {0};

    if (found == MAP_NONE)
        return unknown;
    return health_change(examination, &examination->now->counters[found]);
}

struct change health_machine_counter(const struct examination *examination, const char *name)
{
    struct change change = {0};

    for (uint32_t netns = 0; netns < examination->now->netns_count && !change.known; netns++)
        change = health_counter(examination, netns, name);
    return change;
}

const struct setting *health_setting(const struct examination *examination, uint32_t netns,
                                     const char *name)
{
    uint32_t inode = inode_of(examination->now, netns);
    uint32_t found = map_get(&examination->settings, counter_key(name, strlen(name), inode, 0));

    if (found == MAP_NONE)
        found = map_get(&examination->settings, counter_key(name, strlen(name), 0, 0));
    return found == MAP_NONE ? NULL : &examination->now->settings[found];
}

uint64_t health_setting_number(const struct examination *examination, uint32_t netns,
                               const char *name, uint64_t unknown)
{
    const struct setting *setting = health_setting(examination, netns, name);

    return setting && setting->count ? setting->numbers[0] : unknown;
}

const struct interface *health_interface_before(const struct examination *examination,
                                                const struct interface *interface)
{
    uint32_t found =
        map_get(&examination->interfaces_before, interface_identity(examination->now, interface));

    return found == MAP_NONE ? NULL : &examination->before->interfaces[found];
}

const struct process *health_process_before(const struct examination *examination,
                                            const struct process *process)
{
    uint32_t found = map_get(&examination->before->process_index, process->pid);

    return found == MAP_NONE ? NULL : &examination->before->processes[found];
}

const struct socket *health_socket_before(const struct examination *examination,
                                          const struct socket *socket)
{
    uint32_t found = socket->has & SOCKET_HAS_COOKIE
                         ? map_get(&examination->sockets_before, socket->cookie)
                         : MAP_NONE;

    if (found == MAP_NONE)
        found = map_get(&examination->sockets_before, key_of_ends(examination->now, socket));
    return found == MAP_NONE ? NULL : &examination->before->sockets[found];
}

uint32_t health_count(const struct examination *examination, uint32_t states)
{
    const struct snapshot *now = examination->now;
    uint32_t count = 0;

    for (uint32_t i = 0; i < now->sockets_count; i++)
        count += now->sockets[i].proto == PROTO_TCP && STATE_BIT(now->sockets[i].state) & states;
    return count;
}

uint32_t health_owner(const struct examination *examination, uint32_t socket)
{
    if (examination->join->sockets[socket].holder_count == 0)
        return HEALTH_NONE;
    return join_holder(examination->now, examination->join, socket, 0)->process;
}

struct subject health_subject(const struct examination *examination, uint32_t index)
{
    const struct socket *socket = &examination->now->sockets[index];
    struct subject subject = SUBJECT_NONE;

    subject.netns = socket->netns;
    subject.process = health_owner(examination, index);
    subject.socket = index;
    if (socket->peer_port) {
        subject.peer = socket->peer;
        subject.peer_family = socket->family;
        subject.peer_prefix = socket->family == AF_INET6 ? 128 : 32;
        subject.peer_port = socket->peer_port;
    }
    return subject;
}

enum severity health_judge(const struct examination *examination, uint32_t which, uint64_t value)
{
    const struct limit *limit = &examination->limits[which];

    if (value >= limit->crit && limit->crit != LIMIT_NEVER)
        return SEVERITY_CRIT;
    return value >= limit->warn && limit->warn != LIMIT_NEVER ? SEVERITY_WARN : SEVERITY_OK;
}
