/* SPDX-License-Identifier: MIT */
/* Numbers of sockets by /proc/net/sockstat and sockstat6. */
#include "collect/sockstat.h"

#include "collect/proc_file.h"

#include <fcntl.h>
#include <string.h>

/* The number behind a word; 0 where there is none. */
static uint64_t number_behind(const char *text, const char *word)
{
    const char *at = strstr(text, word);

    return at ? strtoull(at + strlen(word), NULL, 10) : 0;
}

int sockstat_read(struct sockstat *ret_sockstat)
{
    struct sockstat sockstat = {0};
    char text[512];
    size_t length;
    int r = proc_read(AT_FDCWD, "/proc/net/sockstat", text, sizeof(text), &length);

    if (r < 0)
        return r;
    sockstat.used = number_behind(text, "sockets: used ");
    sockstat.tcp_waiting = number_behind(text, " tw ");
    sockstat.tcp = number_behind(text, "TCP: inuse ") + sockstat.tcp_waiting;
    sockstat.tcp_allocated = number_behind(text, " alloc ");
    sockstat.udp = number_behind(text, "UDP: inuse ");
    r = proc_read(AT_FDCWD, "/proc/net/sockstat6", text, sizeof(text), &length);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r == 0)
        sockstat.tcp += number_behind(text, "TCP6: inuse ");
    *ret_sockstat = sockstat;
    return 0;
}
