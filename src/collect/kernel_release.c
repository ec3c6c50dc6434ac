/* SPDX-License-Identifier: MIT */
/* The first two numbers of "6.1.0-56-amd64". */
#include "collect/kernel_release.h"

#include "collect/proc_file.h"

#include <stdint.h>
#include <sys/utsname.h>

unsigned int kernel_release(void)
{
    struct utsname kernel;
    const char *at = kernel.release;
    uint64_t major, minor;

    if (uname(&kernel) < 0 || !proc_parse_number(&at, &major) || *at++ != '.' ||
        !proc_parse_number(&at, &minor) || major > UINT16_MAX || minor > UINT16_MAX)
        return 0;
    return LINUX(major, minor);
}
