/* SPDX-License-Identifier: MIT */
/* Place: addresses and paths; names are not looked up. */
#include "serve/place.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define BACKLOG 1024

/* What the kernel keeps at most of answers that one client does not take; connections inherit it.
 */
#define UNREAD_BYTES (256 * 1024)

#define UNIX_PREFIX "unix:"

static int parse_port(const char *text, in_port_t *ret_port)
{
    char *end;
    unsigned long port;

    if (*text < '0' || *text > '9')
        return -EINVAL;
    port = strtoul(text, &end, 10);
    if (*end || port > UINT16_MAX)
        return -EINVAL;
    *ret_port = htons((uint16_t)port);
    return 0;
}

static int parse_path(const char *path, struct place *ret_place)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    size_t length = strlen(path);

    if (*path != '/' || length >= sizeof(local.sun_path))
        return -EINVAL;
    memcpy(local.sun_path, path, length);
    ret_place->local = local;
    ret_place->length = sizeof(local);
    return 0;
}

static int parse_ipv6(const char *address, const char *port, struct place *ret_place)
{
    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET6, address, &ipv6.sin6_addr) != 1 || parse_port(port, &ipv6.sin6_port) < 0)
        return -EINVAL;
    ret_place->ipv6 = ipv6;
    ret_place->length = sizeof(ipv6);
    return 0;
}

static int parse_ipv4(const char *address, const char *port, struct place *ret_place)
{
    struct sockaddr_in ipv4 = {.sin_family = AF_INET};

    if (strcmp(address, "localhost") == 0)
        address = "127.0.0.1";
    if (inet_pton(AF_INET, address, &ipv4.sin_addr) != 1 || parse_port(port, &ipv4.sin_port) < 0)
        return -EINVAL;
    ret_place->ipv4 = ipv4;
    ret_place->length = sizeof(ipv4);
    return 0;
}

int place_parse(const char *text, struct place *ret_place)
{
    const char *colon = strrchr(text, ':');
    size_t prefix = strlen(UNIX_PREFIX);
    char address[INET6_ADDRSTRLEN + 2];
    size_t length;

    *ret_place = (struct place){0};
    if (strcmp(text, "none") == 0)
        return 0;
    if (strncmp(text, UNIX_PREFIX, prefix) == 0)
        return parse_path(text + prefix, ret_place);
    length = colon ? (size_t)(colon - text) : 0;
    if (!length || length >= sizeof(address))
        return -EINVAL;
    memcpy(address, text, length);
    address[length] = '\0';
    if (*address != '[')
        return parse_ipv4(address, colon + 1, ret_place);
    if (address[length - 1] != ']')
        return -EINVAL;
    address[length - 1] = '\0';
    return parse_ipv6(address + 1, colon + 1, ret_place);
}

bool place_is_here(const struct place *place)
{
    switch (place->any.sa_family) {
    case AF_INET:
        return ntohl(place->ipv4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6:
        return IN6_IS_ADDR_LOOPBACK(&place->ipv6.sin6_addr);
    default:
        return true;
    }
}

/* -EADDRINUSE: somebody listens there, or it is no socket. */
static int remove_stale(const struct place *place)
{
    CLEANUP_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct stat status;

    if (lstat(place->local.sun_path, &status) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (fd < 0 || !S_ISSOCK(status.st_mode))
        return -EADDRINUSE;
    if (connect(fd, &place->any, place->length) == 0 || errno != ECONNREFUSED)
        return -EADDRINUSE;
    return unlink(place->local.sun_path) < 0 ? -errno : 0;
}

/* Whoever may write to the file may ask: owner and group, whatever the umask is. */
static int bind_place(const struct place *place, int fd)
{
    static const int yes = 1;
    mode_t before;
    int r = 0;

    if (place->any.sa_family != AF_UNIX) {
        if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) < 0)
            return -errno;
        return bind(fd, &place->any, place->length) < 0 ? -errno : 0;
    }
    r = remove_stale(place);
    if (r < 0)
        return r;
    before = umask(0117);
    r = bind(fd, &place->any, place->length) < 0 ? -errno : 0;
    umask(before);
    return r;
}

int place_open(struct place *place, int *ret_fd)
{
    CLEANUP_CLOSE int fd =
        socket(place->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t length = place->length;
    int r = fd < 0 ? -errno : bind_place(place, fd);

    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){UNREAD_BYTES}, sizeof(int));
    if (r == 0 && listen(fd, BACKLOG) < 0)
        r = -errno;
    if (r == 0 && place->any.sa_family != AF_UNIX && getsockname(fd, &place->any, &length) < 0)
        r = -errno;
    if (r == 0)
        *ret_fd = TAKE_FD(fd);
    return r;
}

void place_close(const struct place *place)
{
    if (place->any.sa_family == AF_UNIX)
        unlink(place->local.sun_path);
}

void place_put(const struct place *place, const char *path, struct buf *out)
{
    if (place->any.sa_family == AF_UNIX) {
        buf_puts(out, UNIX_PREFIX);
        buf_puts(out, place->local.sun_path);
        return;
    }
    buf_puts(out, "http://");
    if (place->any.sa_family == AF_INET)
        buf_host(out, AF_INET, (const uint8_t *)&place->ipv4.sin_addr);
    else
        buf_host(out, AF_INET6, place->ipv6.sin6_addr.s6_addr);
    buf_printf(
        out, ":%u%s",
        ntohs(place->any.sa_family == AF_INET ? place->ipv4.sin_port : place->ipv6.sin6_port),
        path);
}
