/* SPDX-License-Identifier: MIT */
/* User names by getpwuid_r(). */
#include "base/user_name.h"

#include <pwd.h>
#include <string.h>

int user_name(uint32_t uid, char name[USER_NAME_SIZE])
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    int error = getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found);

    if (error == ENOMEM || error == EMFILE || error == ENFILE || error == EIO)
        return -error;
    if (error || !found || strlen(found->pw_name) >= USER_NAME_SIZE)
        return -ENOENT;
    memcpy(name, found->pw_name, strlen(found->pw_name) + 1);
    return 0;
}
