/* SPDX-License-Identifier: MIT */
/* How lsof writes names: hosts, services, users, the NAME column, and bytes that cannot be shown.
 */
#include "compat/lsof.h"

#include "derive/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

const char *lsof_user(struct lsof_names *names, uint32_t uid)
{
    const char *name = host_user(&names->hosts, uid);

    if (name)
        return name;
    snprintf(names->nameless, sizeof(names->nameless), "%8u", uid);
    return names->nameless;
}

/* --- the NAME column --- */

static void put_host(struct lsof_list *list, unsigned int family, const union address *address,
                     struct buf *text)
{
    union address inner = {{0}};
    const char *name;

    if (address_is_mapped(family, address)) {
        memcpy(inner.bytes, address->bytes + 12, 4);
        address = &inner;
        family = AF_INET;
    }
    if (address_is_any(family, address)) {
        buf_byte(text, '*');
        return;
    }
    name = list->options->numeric_hosts ? NULL
                                        : host_name(&list->names->hosts, family, address->bytes);
    if (name)
        lsof_escape(text, name, strlen(name));
    else
        buf_host(text, family, address->bytes);
}

static void put_port(struct lsof_list *list, unsigned int proto, uint16_t port, struct buf *text)
{
    const char *name = NULL;

    buf_byte(text, ':');
    if (port && !list->options->numeric_ports && proto != PROTO_UDPLITE)
        name = host_service(&list->names->hosts,
                            proto == PROTO_TCP ? HOST_SERVICE_TCP : HOST_SERVICE_UDP, port);
    if (name)
        buf_puts(text, name);
    else if (port)
        buf_uint(text, port);
    else
        buf_byte(text, '*');
}

/* lsof reads the line of /proc/net/unix in words, so that a name ends at its first blank. */
static uint32_t first_word(const char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (strchr(" \t\r\f", text[i]))
            return i;
    return length;
}

/* JSON has escapes of its own. */
static void put_bytes(const struct lsof_list *list, const char *bytes, size_t length,
                      struct buf *text)
{
    if (list->options->form >= LSOF_JSON)
        buf_put(text, bytes, length);
    else
        lsof_escape(text, bytes, length);
}

static void put_unix_name(const struct lsof_list *list, const struct lsof_file *file,
                          struct buf *text)
{
    uint32_t length = list->options->form >= LSOF_JSON ? file->path_length
                                                       : first_word(file->path, file->path_length);
    const char *type = file->type == SOCK_STREAM  ? "STREAM"
                       : file->type == SOCK_DGRAM ? "DGRAM"
                                                  : "SEQPACKET";

    if (length) {
        put_bytes(list, file->path, length, text);
        buf_byte(text, ' ');
    }
    buf_puts(text, "type=");
    buf_puts(text, type);
}

static void put_inet_name(struct lsof_list *list, const struct lsof_file *file, struct buf *text)
{
    put_host(list, file->family, &file->local, text);
    put_port(list, file->proto, file->local_port, text);
    if (!file->peer_port && address_is_any(file->family, &file->peer))
        return;
    buf_puts(text, "->");
    put_host(list, file->family, &file->peer, text);
    put_port(list, file->proto, file->peer_port, text);
}

void lsof_put_name(struct lsof_list *list, const struct lsof_file *file, struct buf *text)
{
    if (file->family == AF_UNIX)
        put_unix_name(list, file, text);
    else
        put_inet_name(list, file, text);
    if (file->endpoint) {
        buf_byte(text, ' ');
        put_bytes(list, file->endpoint, strlen(file->endpoint), text);
    }
}
