/* SPDX-License-Identifier: MIT */
/* Place: where the history usually is. */
#include "base/user_path.h"
#include "store/store.h"

#include <stdio.h>
#include <unistd.h>

#define OF_THE_MACHINE "/var/lib/nwho/history.db"

bool store_usual_path(bool writes, char *path, size_t size)
{
    if (geteuid() == 0 || (!writes && access(OF_THE_MACHINE, R_OK) == 0))
        return snprintf(path, size, "%s", OF_THE_MACHINE) < (int)size;
    return user_path("XDG_STATE_HOME", ".local/state", "history.db", path, size);
}
