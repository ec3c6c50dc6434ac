/* SPDX-License-Identifier: MIT */
/* Apart from all that includes <sys/stat.h>: not every C library knows statx(2), and the kernel's
 * header does not go with that of one which does. */
#include "base/mount_root.h"

#include <errno.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int mount_root(const char *path, bool *ret_is_root)
{
    struct statx status;

    if (syscall(SYS_statx, AT_FDCWD, path, AT_NO_AUTOMOUNT, 0, &status) < 0)
        return -errno;
    *ret_is_root = !(status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
                   status.stx_attributes & STATX_ATTR_MOUNT_ROOT;
    return 0;
}
