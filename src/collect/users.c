/* SPDX-License-Identifier: MIT */
/* Names of the users of sockets and processes, for recordings: elsewhere ids have other names. */
#include "collect/source.h"

#include "base/user_name.h"

struct user_reader {
    struct snapshot *snapshot;
    struct map seen; /* user ids */
    int error;       /* why a name could not be asked for; 0 none */
};

static int add_user(struct user_reader *reader, uint32_t uid)
{
    char name[USER_NAME_SIZE];
    int r;

    if (map_get(&reader->seen, uid) != MAP_NONE)
        return 0;
    r = map_set(&reader->seen, uid, 1);
    if (r < 0)
        return r;
    r = user_name(uid, name);
    if (r == 0)
        return snapshot_add_user(reader->snapshot, uid, name);
    if (r != -ENOENT)
        reader->error = r;
    return 0;
}

static int collect_users(struct collection *collection)
{
    struct snapshot *snapshot = collection->snapshot;
    struct user_reader reader = {.snapshot = snapshot};
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++)
        if (snapshot->sockets[i].has & SOCKET_HAS_UID)
            r = add_user(&reader, snapshot->sockets[i].uid);
    for (uint32_t i = 0; i < snapshot->processes_count && r == 0; i++)
        if (snapshot->processes[i].has & PROCESS_HAS_UID)
            r = add_user(&reader, snapshot->processes[i].uid);
    map_done(&reader.seen);
    if (reader.error)
        snapshot_note(snapshot, NOTE_DETAIL, "passwd", reader.error,
                      "names of some users are missing");
    return r;
}

const struct collector collector_users = {
    .name = "users",
    .provides = NEED_USER_NAMES,
    .collect = collect_users,
};
