/* SPDX-License-Identifier: MIT */
/* The range of ports that each network namespace gives to sockets which do not choose one. */
#include "collect/netns.h"
#include "collect/proc_file.h"
#include "collect/proc_path.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define NAME "sys/net/ipv4/ip_local_port_range"

static int parse_range(const char *text, uint32_t *ret_low, uint32_t *ret_high)
{
    uint64_t low, high;

    if (!proc_parse_number(&text, &low))
        return -EBADMSG;
    text += strspn(text, " \t");
    if (!proc_parse_number(&text, &high) || low > UINT16_MAX || high > UINT16_MAX)
        return -EBADMSG;
    *ret_low = (uint32_t)low;
    *ret_high = (uint32_t)high;
    return 0;
}

static int read_range(const struct request_files *files, uint32_t *ret_low, uint32_t *ret_high)
{
    char path[PATH_MAX], text[64];
    size_t length;
    int r = proc_path(files, NAME, path, sizeof(path));

    if (r == 0)
        r = proc_read(AT_FDCWD, path, text, sizeof(text), &length);
    return r < 0 ? r : parse_range(text, ret_low, ret_high);
}

static int read_namespace(struct collection *collection, uint32_t index)
{
    struct netns *netns = &collection->snapshot->netns[index];
    uint32_t low, high;
    int r = read_range(collection->request->files, &low, &high);

    if (r < 0) {
        snapshot_note(collection->snapshot, NOTE_DETAIL, "ip_local_port_range", r,
                      "which ports the kernel chooses is not known: /proc/" NAME ": %s",
                      strerror(-r));
        return 0;
    }
    netns->port_low = low;
    netns->port_high = high;
    netns->flags |= NETNS_HAS_PORT_RANGE;
    return 0;
}

static int collect_port_range(struct collection *collection)
{
    return netns_for_each(collection, read_namespace);
}

const struct collector collector_port_range = {
    .name = "port_range",
    .provides = NEED_PORT_RANGE,
    .collect = collect_port_range,
};
