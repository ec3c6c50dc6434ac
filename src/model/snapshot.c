/* SPDX-License-Identifier: MIT */
/* Snapshot: storage of the facts. */
#include "model/snapshot.h"

#include "base/buf.h"
#include "base/hash.h"
#include "base/vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A zeroed element behind the last one of an array of the snapshot, or NULL. */
#define ADD(snapshot, name)                                                                        \
    (VEC_RESERVE(&(snapshot)->name, &(snapshot)->name##_capacity, (snapshot)->name##_count, 1) < 0 \
         ? NULL                                                                                    \
         : (memset(&(snapshot)->name[(snapshot)->name##_count], 0, sizeof(*(snapshot)->name)),     \
            &(snapshot)->name[(snapshot)->name##_count++]))

int snapshot_init(struct snapshot *snapshot)
{
    uint32_t empty;
    int r;

    *snapshot = (struct snapshot){0};
    r = snapshot_intern(snapshot, "", 0, &empty);
    if (r < 0) {
        snapshot_done(snapshot);
        *snapshot = (struct snapshot){0};
    }
    return r;
}

void snapshot_done(struct snapshot *snapshot)
{
    free(snapshot->strings.bytes);
    map_done(&snapshot->strings.index);
    free(snapshot->sockets);
    free(snapshot->tcp_infos);
    free(snapshot->memories);
    free(snapshot->upper_layers);
    free(snapshot->packets);
    free(snapshot->unix_waiting);
    free(snapshot->processes);
    free(snapshot->threads);
    free(snapshot->holders);
    free(snapshot->fd_flags);
    free(snapshot->netns);
    free(snapshot->interfaces);
    free(snapshot->counters);
    free(snapshot->settings);
    free(snapshot->flows);
    free(snapshot->events);
    free(snapshot->routes);
    free(snapshot->link_addresses);
    free(snapshot->next_hops);
    free(snapshot->conntracks);
    free(snapshot->memberships);
    free(snapshot->group_members);
    free(snapshot->packet_sizes);
    free(snapshot->packet_protocols);
    free(snapshot->cgroups);
    free(snapshot->users);
    free(snapshot->notes);
    free(snapshot->sources);
    map_done(&snapshot->process_index);
    map_done(&snapshot->cgroup_index);
    *snapshot = (struct snapshot){0};
}

static int append_string(struct string_pool *pool, const char *bytes, uint32_t length,
                         uint32_t *ret_offset)
{
    uint32_t offset = pool->length + (uint32_t)sizeof(length);
    int r = VEC_RESERVE(&pool->bytes, &pool->capacity, pool->length,
                        (uint32_t)sizeof(length) + length + 1);

    if (r < 0)
        return r;
    memcpy(pool->bytes + pool->length, &length, sizeof(length));
    if (length)
        memcpy(pool->bytes + offset, bytes, length);
    pool->bytes[offset + length] = '\0';
    pool->length = offset + length + 1;
    *ret_offset = offset;
    return 0;
}

int snapshot_intern(struct snapshot *snapshot, const char *bytes, size_t length,
                    uint32_t *ret_string)
{
    struct string_pool *pool = &snapshot->strings;
    uint64_t key = hash_bytes(HASH_INIT, bytes, length);
    uint32_t end = pool->length;
    uint32_t offset;
    size_t found_length;
    int r;

    if (length == 0 && pool->length > 0) {
        *ret_string = 0;
        return 0;
    }
    if (length > UINT32_MAX / 4)
        return -ENOMEM;
    while ((offset = map_get(&pool->index, key)) != MAP_NONE) {
        const char *found = snapshot_string(snapshot, offset, &found_length);

        if (found_length == length && memcmp(found, bytes, length) == 0) {
            *ret_string = offset;
            return 0;
        }
        key++; /* another string with the same hash */
    }
    r = append_string(pool, bytes, (uint32_t)length, &offset);
    if (r < 0)
        return r;
    r = map_set(&pool->index, key, offset);
    if (r < 0) {
        pool->length = end; /* nobody would find it, and write it twice into a recording */
        return r;
    }
    *ret_string = length ? offset : 0;
    return 0;
}

const char *snapshot_string(const struct snapshot *snapshot, uint32_t string, size_t *ret_length)
{
    const char *bytes = snapshot->strings.bytes;
    uint32_t length;

    if (string == 0) {
        if (ret_length)
            *ret_length = 0;
        return "";
    }
    memcpy(&length, bytes + string - sizeof(length), sizeof(length));
    if (ret_length)
        *ret_length = length;
    return bytes + string;
}

struct socket *snapshot_add_socket(struct snapshot *snapshot)
{
    return ADD(snapshot, sockets);
}

struct upper_layer *snapshot_add_upper(struct snapshot *snapshot, struct tcp_details *tcp)
{
    struct upper_layer *upper = ADD(snapshot, upper_layers);

    if (upper)
        tcp->upper = snapshot->upper_layers_count;
    return upper;
}

struct packet_details *snapshot_add_packet(struct snapshot *snapshot, const struct socket *socket)
{
    struct packet_details *packet = ADD(snapshot, packets);

    if (packet)
        packet->socket = (uint32_t)(socket - snapshot->sockets);
    return packet;
}

int snapshot_add_waiting(struct snapshot *snapshot, const struct socket *socket, uint32_t inode)
{
    struct unix_waiting *waiting = ADD(snapshot, unix_waiting);

    if (!waiting)
        return -ENOMEM;
    *waiting = (struct unix_waiting){(uint32_t)(socket - snapshot->sockets), inode};
    return 0;
}

struct counter *snapshot_add_counter(struct snapshot *snapshot)
{
    return ADD(snapshot, counters);
}

struct setting *snapshot_add_setting(struct snapshot *snapshot)
{
    return ADD(snapshot, settings);
}

struct event *snapshot_add_event(struct snapshot *snapshot)
{
    return ADD(snapshot, events);
}

struct flow *snapshot_add_flow(struct snapshot *snapshot)
{
    return ADD(snapshot, flows);
}

int snapshot_reserve_flows(struct snapshot *snapshot, uint32_t count)
{
    return VEC_RESERVE(&snapshot->flows, &snapshot->flows_capacity, snapshot->flows_count, count);
}

struct route *snapshot_add_route(struct snapshot *snapshot)
{
    return ADD(snapshot, routes);
}

struct link_address *snapshot_add_link_address(struct snapshot *snapshot)
{
    return ADD(snapshot, link_addresses);
}

struct next_hop *snapshot_add_next_hop(struct snapshot *snapshot)
{
    return ADD(snapshot, next_hops);
}

struct conntrack *snapshot_add_conntrack(struct snapshot *snapshot)
{
    return ADD(snapshot, conntracks);
}

struct membership *snapshot_add_membership(struct snapshot *snapshot)
{
    return ADD(snapshot, memberships);
}

int snapshot_add_packet_size(struct snapshot *snapshot, struct packet_count count)
{
    struct packet_count *added = ADD(snapshot, packet_sizes);

    if (!added)
        return -ENOMEM;
    *added = count;
    return 0;
}

int snapshot_add_packet_protocol(struct snapshot *snapshot, struct packet_count count)
{
    struct packet_count *added = ADD(snapshot, packet_protocols);

    if (!added)
        return -ENOMEM;
    *added = count;
    return 0;
}

int snapshot_add_group_member(struct snapshot *snapshot, struct group_member member)
{
    struct group_member *added = ADD(snapshot, group_members);

    if (!added)
        return -ENOMEM;
    *added = member;
    return 0;
}

struct tcp_details *snapshot_add_tcp(struct snapshot *snapshot, struct socket *socket)
{
    struct tcp_details *tcp = ADD(snapshot, tcp_infos);

    if (tcp)
        socket->tcp = snapshot->tcp_infos_count;
    return tcp;
}

struct socket_memory *snapshot_add_memory(struct snapshot *snapshot, struct socket *socket)
{
    struct socket_memory *memory = ADD(snapshot, memories);

    if (memory)
        socket->memory = snapshot->memories_count;
    return memory;
}

int snapshot_add_holder(struct snapshot *snapshot, struct holder holder)
{
    struct holder *added = ADD(snapshot, holders);

    if (!added)
        return -ENOMEM;
    *added = holder;
    return 0;
}

int snapshot_add_fd_flags(struct snapshot *snapshot, struct fd_flags flags)
{
    struct fd_flags *added = ADD(snapshot, fd_flags);

    if (!added)
        return -ENOMEM;
    *added = flags;
    return 0;
}

int snapshot_add_thread(struct snapshot *snapshot, struct thread thread)
{
    struct thread *added = ADD(snapshot, threads);

    if (!added)
        return -ENOMEM;
    *added = thread;
    return 0;
}

int snapshot_add_interface(struct snapshot *snapshot, uint32_t netns, uint32_t ifindex,
                           const char *name)
{
    struct interface *added;
    uint32_t string;
    int r = snapshot_intern(snapshot, name, strlen(name), &string);

    if (r < 0)
        return r;
    added = ADD(snapshot, interfaces);
    if (!added)
        return -ENOMEM;
    *added = (struct interface){.netns = netns, .ifindex = ifindex, .name = string};
    return 0;
}

int snapshot_add_cgroup(struct snapshot *snapshot, uint64_t id, const char *path)
{
    struct cgroup *added;
    uint32_t string;
    int r = snapshot_intern(snapshot, path, strlen(path), &string);

    if (r < 0)
        return r;
    added = ADD(snapshot, cgroups);
    if (!added)
        return -ENOMEM;
    *added = (struct cgroup){.id = id, .path = string};
    return map_set(&snapshot->cgroup_index, id, snapshot->cgroups_count - 1);
}

int snapshot_add_user(struct snapshot *snapshot, uint32_t uid, const char *name)
{
    struct user *added;
    uint32_t string;
    int r = snapshot_intern(snapshot, name, strlen(name), &string);

    if (r < 0)
        return r;
    added = ADD(snapshot, users);
    if (!added)
        return -ENOMEM;
    *added = (struct user){.uid = uid, .name = string};
    return 0;
}

int snapshot_add_process(struct snapshot *snapshot, uint32_t pid, uint32_t *ret_index)
{
    uint32_t index = map_get(&snapshot->process_index, pid);
    struct process *added;
    int r;

    if (index == MAP_NONE) {
        r = map_reserve(&snapshot->process_index, snapshot->process_index.count + 1);
        if (r < 0)
            return r;
        added = ADD(snapshot, processes);
        if (!added)
            return -ENOMEM;
        added->pid = pid;
        index = snapshot->processes_count - 1;
        r = map_set(&snapshot->process_index, pid, index);
        if (r < 0)
            return r;
    }
    *ret_index = index;
    return 0;
}

int snapshot_add_netns(struct snapshot *snapshot, uint32_t inode, uint32_t *ret_index)
{
    struct netns *added;

    for (uint32_t i = 0; i < snapshot->netns_count; i++)
        if (snapshot->netns[i].inode == inode) {
            *ret_index = i;
            return 0;
        }
    added = ADD(snapshot, netns);
    if (!added)
        return -ENOMEM;
    added->inode = inode;
    *ret_index = snapshot->netns_count - 1;
    return 0;
}

void snapshot_put_netns(const struct snapshot *snapshot, uint32_t netns, struct buf *out)
{
    const struct netns *ns = &snapshot->netns[netns];
    size_t length;
    const char *name;

    if (netns >= snapshot->netns_count) /* a recording may have none */
        return;
    name = snapshot_string(snapshot, ns->name, &length);
    if (length)
        buf_put(out, name, length);
    else if (ns->flags & NETNS_INIT)
        buf_puts(out, "init");
    else
        buf_uint(out, ns->inode);
}

const struct interface *snapshot_interface(const struct snapshot *snapshot, uint32_t netns,
                                           uint32_t ifindex)
{
    for (uint32_t i = 0; i < snapshot->interfaces_count; i++)
        if (snapshot->interfaces[i].ifindex == ifindex && snapshot->interfaces[i].netns == netns)
            return &snapshot->interfaces[i];
    return NULL;
}

uint32_t snapshot_cgroup_path(const struct snapshot *snapshot, uint64_t id)
{
    uint32_t index = map_get(&snapshot->cgroup_index, id);

    return index == MAP_NONE ? 0 : snapshot->cgroups[index].path;
}

uint32_t snapshot_process_cgroup(const struct snapshot *snapshot, uint64_t id)
{
    uint32_t path = snapshot_cgroup_path(snapshot, id);
    bool is_root = strcmp(snapshot_string(snapshot, path, NULL), "/") == 0;

    return is_root && snapshot->cgroup_v1 ? 0 : path;
}

void snapshot_note(struct snapshot *snapshot, enum note_effect effect, const char *source,
                   int error, const char *format, ...)
{
    char text[512];
    struct note note = {.effect = effect, .error = error}, *added;
    va_list args;

    if (effect == NOTE_INCOMPLETE)
        snapshot->incomplete = 1;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (snapshot_intern(snapshot, source, strlen(source), &note.source) < 0 ||
        snapshot_intern(snapshot, text, strlen(text), &note.text) < 0)
        return;
    for (uint32_t i = 0; i < snapshot->notes_count; i++)
        if (memcmp(&snapshot->notes[i], &note, sizeof(note)) == 0)
            return;
    added = ADD(snapshot, notes);
    if (added)
        *added = note;
}

void snapshot_source(struct snapshot *snapshot, const char *fact, const char *source)
{
    struct source_used used, *added;

    if (snapshot_intern(snapshot, fact, strlen(fact), &used.fact) < 0 ||
        snapshot_intern(snapshot, source, strlen(source), &used.source) < 0)
        return;
    for (uint32_t i = 0; i < snapshot->sources_count; i++)
        if (snapshot->sources[i].fact == used.fact) {
            snapshot->sources[i].source = used.source;
            return;
        }
    added = ADD(snapshot, sources);
    if (added)
        *added = used;
}
