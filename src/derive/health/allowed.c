/* SPDX-License-Identifier: MIT */
/* The allow list: parsing of one entry, and whether a listener is in it. */
#include "derive/health/allowed.h"

#include "derive/service.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define HOST_SIZE 48

/* A whole number of 1 to 65535 in decimal digits alone. */
static bool take_port(const char **at, uint16_t *ret_port)
{
    size_t digits = strspn(*at, "0123456789");
    unsigned long port = digits > 0 && digits <= 5 ? strtoul(*at, NULL, 10) : 0;

    if (port == 0 || port > UINT16_MAX)
        return false;
    *at += digits;
    *ret_port = (uint16_t)port;
    return true;
}

/* Without the brackets of IPv6. */
static bool take_address(const char *host, size_t length, struct allowed_listener *allowed)
{
    bool brackets = length >= 2 && host[0] == '[' && host[length - 1] == ']';
    char text[HOST_SIZE];

    if (brackets) {
        host++;
        length -= 2;
    }
    if (length >= sizeof(text))
        return false;
    memcpy(text, host, length);
    text[length] = '\0';
    allowed->family = brackets ? AF_INET6 : AF_INET;
    return inet_pton(allowed->family, text, &allowed->address) == 1;
}

static bool take_proto(const char **at, uint8_t *ret_proto)
{
    if (strncmp(*at, "tcp/", 4) == 0)
        *ret_proto = PROTO_TCP;
    else if (strncmp(*at, "udp/", 4) == 0)
        *ret_proto = PROTO_UDP;
    else
        return false;
    *at += 4;
    return true;
}

int allowed_parse(const char *word, struct allowed_listener *ret_allowed)
{
    struct allowed_listener allowed = {0};
    const char *at = word, *who, *colon;

    if (!take_proto(&at, &allowed.proto))
        return -EINVAL;
    who = strchr(at, '@');
    colon = memrchr(at, ':', who ? (size_t)(who - at) : strlen(at));
    if (colon && !take_address(at, (size_t)(colon - at), &allowed))
        return -EINVAL;
    at = colon ? colon + 1 : at;
    if (!take_port(&at, &allowed.low))
        return -EINVAL;
    allowed.high = allowed.low;
    if (*at == '-' && (at++, !take_port(&at, &allowed.high) || allowed.high < allowed.low))
        return -EINVAL;
    if (who ? at != who || !who[1] : *at != '\0')
        return -EINVAL;
    allowed.who = who ? who + 1 : NULL;
    *ret_allowed = allowed;
    return 0;
}

static bool is_there(const struct allowed_listener *allowed, const struct socket *socket)
{
    return allowed->proto == socket->proto && socket->local_port >= allowed->low &&
           socket->local_port <= allowed->high &&
           (!allowed->family ||
            (allowed->family == socket->family &&
             memcmp(&allowed->address, &socket->local, allowed->family == AF_INET ? 4 : 16) == 0));
}

static bool is_called(const struct snapshot *snapshot, const struct process *process,
                      const char *who)
{
    size_t length;
    const char *path = snapshot_string(snapshot, process->cgroup, &length);
    struct path_part unit = service_unit(path, length);

    return strcmp(snapshot_string(snapshot, process->comm, NULL), who) == 0 ||
           (unit.length == strlen(who) && memcmp(unit.start, who, unit.length) == 0);
}

enum allowance allowed_find(const struct allowed_listener *list, uint32_t count,
                            const struct snapshot *snapshot, const struct join *join,
                            uint32_t socket)
{
    uint32_t holders = join->sockets[socket].holder_count;
    enum allowance found = ALLOWED_NOT;

    for (uint32_t i = 0; i < count; i++) {
        if (!is_there(&list[i], &snapshot->sockets[socket]))
            continue;
        if (!list[i].who)
            return ALLOWED;
        if (holders == 0)
            found = ALLOWED_IF_OWNER;
        for (uint32_t k = 0; k < holders; k++)
            if (is_called(snapshot,
                          &snapshot->processes[join_holder(snapshot, join, socket, k)->process],
                          list[i].who))
                return ALLOWED;
    }
    return found;
}
