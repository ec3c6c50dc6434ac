/* SPDX-License-Identifier: MIT */
/* Puts the facts of a finding's subject into the texts of its check. */
#include "table/finding_text.h"

#include "table/cells.h"
#include "table/socket_text.h"

#include <string.h>
#include <sys/socket.h>

const char *const *finding_advice(const struct finding *finding, enum advice_part part,
                                  uint32_t *ret_count)
{
    const char *const *texts = part == ADVICE_FIX     ? finding->advice->fix
                               : part == ADVICE_AVOID ? finding->advice->avoid
                                                      : finding->advice->next;
    uint32_t count = 0;

    while (count < CHECK_TEXTS_MAX && texts[count])
        count++;
    *ret_count = count;
    return texts;
}

/* A text of a value, or what stands for it where it is not known. */
static void put_value(struct buf *out, struct value value, const char *unknown)
{
    if (value.type == VALUE_STRING)
        buf_put(out, value.string.bytes, value.string.length);
    else if (value.type == VALUE_UINT)
        buf_uint(out, value.uint);
    else
        buf_puts(out, unknown);
}

/* What is told, and in which language. */
struct telling {
    const struct view *view;
    const struct finding *finding;
    translation *translate;
    struct buf *out;
};

static void put_process(const struct telling *tell)
{
    uint32_t process = tell->finding->subject.process;

    if (process == HEALTH_NONE) {
        buf_puts(tell->out, tell->translate(N_("the process")));
        return;
    }
    put_value(tell->out, process_comm(tell->view, process), "process");
    buf_byte(tell->out, '(');
    put_value(tell->out, process_pid(tell->view, process), "?");
    buf_byte(tell->out, ')');
}

static void put_pid(const struct telling *tell)
{
    put_value(tell->out,
              tell->finding->subject.process == HEALTH_NONE
                  ? value_none()
                  : process_pid(tell->view, tell->finding->subject.process),
              "PID");
}

static void put_unit(const struct telling *tell)
{
    put_value(tell->out,
              tell->finding->subject.process == HEALTH_NONE
                  ? value_none()
                  : process_unit(tell->view, tell->finding->subject.process),
              tell->translate(N_("its unit")));
}

/* As a target of nwho: ":443", "tcp/443" are shorter, but an address may have listeners of its own.
 */
static void put_local(const struct telling *tell)
{
    uint32_t socket = tell->finding->subject.socket;

    if (socket == HEALTH_NONE) {
        buf_puts(tell->out, ":PORT");
        return;
    }
    buf_byte(tell->out, ':');
    buf_uint(tell->out, tell->view->snapshot->sockets[socket].local_port);
}

static void put_port(const struct telling *tell)
{
    put_value(
        tell->out,
        tell->finding->subject.socket == HEALTH_NONE
            ? value_none()
            : value_uint(tell->view->snapshot->sockets[tell->finding->subject.socket].local_port),
        "PORT");
}

static void put_peer(const struct telling *tell)
{
    const struct subject *subject = &tell->finding->subject;

    if (!subject->peer_family) {
        buf_puts(tell->out, tell->translate(N_("the other side")));
        return;
    }
    buf_address(tell->out, subject->peer_family, subject->peer.bytes);
    if (subject->peer_prefix < (subject->peer_family == AF_INET ? 32 : 128)) {
        buf_byte(tell->out, '/');
        buf_uint(tell->out, subject->peer_prefix);
    }
}

static void put_peer_port(const struct telling *tell)
{
    buf_uint(tell->out, tell->finding->subject.peer_port);
}

static void put_interface(const struct telling *tell)
{
    uint32_t interface = tell->finding->subject.interface;

    put_value(tell->out,
              interface == HEALTH_NONE
                  ? value_none()
                  : cell_string(tell->view, tell->view->snapshot->interfaces[interface].name),
              "IFACE");
}

static void put_netns(const struct telling *tell)
{
    const struct netns *netns;

    if (tell->finding->subject.netns == HEALTH_NONE) {
        buf_puts(tell->out, tell->translate(N_("the machine")));
        return;
    }
    netns = &tell->view->snapshot->netns[tell->finding->subject.netns];
    if (netns->name)
        put_value(tell->out, cell_string(tell->view, netns->name), "");
    else
        buf_uint(tell->out, netns->inode);
}

static void put_option(const struct telling *tell)
{
    uint32_t netns = tell->finding->subject.netns;

    if (netns == HEALTH_NONE || tell->view->snapshot->netns[netns].flags & NETNS_SELF)
        return;
    buf_puts(tell->out, " -N ");
    put_netns(tell);
}

static const struct field {
    const char *name;
    void (*put)(const struct telling *tell);
} fields[] = {
    {"process", put_process},     {"pid", put_pid},         {"unit", put_unit},
    {"local", put_local},         {"port", put_port},       {"peer", put_peer},
    {"peer_port", put_peer_port}, {"iface", put_interface}, {"netns", put_netns},
    {"in", put_option},
};

static const struct field *field_named(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0)
            return &fields[i];
    return NULL;
}

void finding_expand(const struct view *view, const struct finding *finding, const char *text,
                    translation *translate, struct buf *out)
{
    struct telling tell = {view, finding, translate, out};

    while (*text) {
        size_t plain = strcspn(text, "{");
        size_t length = text[plain] ? strcspn(text + plain + 1, "}") : 0;
        const struct field *field = text[plain] ? field_named(text + plain + 1, length) : NULL;

        buf_put(out, text, plain);
        text += plain;
        if (field) {
            field->put(&tell);
            text += length + 2;
        } else if (*text) {
            buf_byte(out, *text++);
        }
    }
}
