/* SPDX-License-Identifier: MIT */
/* Multicast groups that the kernel joins by itself. */
#include "model/membership.h"

#include <string.h>
#include <sys/socket.h>

bool membership_is_of_kernel(const struct membership *membership)
{
    static const uint8_t all_hosts[4] = {224, 0, 0, 1};
    static const uint8_t solicited_node[13] = {0xff, 2, [11] = 1, [12] = 0xff};
    static const uint8_t nothing[13] = {0};
    const uint8_t *bytes = membership->group.bytes;

    if (membership->family == AF_INET)
        return memcmp(bytes, all_hosts, sizeof(all_hosts)) == 0;
    if (membership->family != AF_INET6)
        return false;
    if (memcmp(bytes, solicited_node, sizeof(solicited_node)) == 0)
        return true;
    /* all nodes (::1) and all routers (::2) of any scope */
    return bytes[0] == 0xff && memcmp(bytes + 2, nothing, sizeof(nothing)) == 0 &&
           (bytes[15] == 1 || bytes[15] == 2);
}
