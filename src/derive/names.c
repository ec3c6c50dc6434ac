/* SPDX-License-Identifier: MIT */
/* User names by getpwuid_r(), cached, also the absent ones. */
#include "derive/names.h"

#include "base/vec.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>

void names_done(struct names *names)
{
    arena_done(&names->arena);
    map_done(&names->users);
    free(names->user_names);
    *names = (struct names){0};
}

static const char *look_up(struct names *names, uint32_t uid)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;

    int error = getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found);
    char *name;

    names->failed |= error == ENOMEM || error == EMFILE || error == ENFILE || error == EIO;
    if (error || !found)
        return NULL;
    name = arena_copy(&names->arena, found->pw_name, strlen(found->pw_name));
    names->failed |= !name;
    return name;
}

const char *names_user(struct names *names, uint32_t uid)
{
    uint32_t index = map_get(&names->users, uid);
    const char *name;

    if (index != MAP_NONE)
        return names->user_names[index];
    name = look_up(names, uid);
    if (VEC_RESERVE(&names->user_names, &names->user_capacity, names->user_count, 1) < 0)
        return name;
    names->user_names[names->user_count] = name;
    if (map_set(&names->users, uid, names->user_count) == 0)
        names->user_count++;
    return name;
}
