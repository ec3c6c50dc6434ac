/* SPDX-License-Identifier: MIT */
/* User names, cached, also the absent ones. */
#include "derive/names.h"

#include "base/user_name.h"
#include "base/vec.h"

#include <errno.h>
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
    char name[USER_NAME_SIZE], *copy;
    int r = user_name(uid, name);

    if (r < 0) {
        names->failed |= r != -ENOENT;
        return NULL;
    }
    copy = arena_copy(&names->arena, name, strlen(name));
    names->failed |= !copy;
    return copy;
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
