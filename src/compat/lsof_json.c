/* SPDX-License-Identifier: MIT */
/* lsof -J and -j, as in 4.99.7, but with the names of Internet sockets, which it leaves out. */
#include "compat/lsof.h"

#include "base/escape.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define VERSION "4.99.7" /* whose form this is */

/* An object being written. */
struct object {
    struct lsof_list *list;
    bool comma;
};

static void put_key(struct object *object, const char *key)
{
    if (object->comma)
        buf_byte(object->list->out, ',');
    object->comma = true;
    buf_printf(object->list->out, "\"%s\":", key);
}

static void put_bytes(struct object *object, char letter, const char *key, const char *bytes,
                      size_t length)
{
    if (!lsof_shows(object->list->options, letter))
        return;
    put_key(object, key);
    escape_json(object->list->out, bytes, length);
}

static void put_text(struct object *object, char letter, const char *key, const char *text)
{
    put_bytes(object, letter, key, text, strlen(text));
}

static void put_number(struct object *object, char letter, const char *key, uint64_t number)
{
    if (!lsof_shows(object->list->options, letter))
        return;
    put_key(object, key);
    buf_uint(object->list->out, number);
}

/* A number that lsof writes as a string. */
static void put_digits(struct object *object, char letter, const char *key, uint64_t number)
{
    char text[24];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    put_text(object, letter, key, text);
}

static void put_process(struct object *object, const struct lsof_file *file)
{
    const struct lsof_options *options = object->list->options;

    put_number(object, 'p', "pid", file->pid);
    if (file->tid) {
        put_number(object, 'K', "tid", file->tid);
        put_bytes(object, 'M', "task_cmd", file->thread, file->thread_length);
    }
    if (options->show_pgid)
        put_number(object, 'g', "pgid", file->pgid);
    if (options->show_ppid)
        put_number(object, 'R', "ppid", file->ppid);
    put_bytes(object, 'c', "command", file->command, file->command_length);
    put_number(object, 'u', "uid", file->uid);
    if (!options->numeric_users && host_user(&object->list->names->hosts, file->uid))
        put_text(object, 'L', "login", lsof_user(object->list->names, file->uid));
}

static void put_tcp_info(struct object *object, const struct lsof_file *file)
{
    const struct lsof_options *options = object->list->options;
    const char *state = options->state ? lsof_state_name(file) : NULL;
    struct object inner = {.list = object->list};

    if (!lsof_shows(options, 'T') || file->family == AF_UNIX)
        return;
    put_key(object, "tcp_info");
    buf_byte(object->list->out, '{');
    if (state)
        put_text(&inner, 'T', "state", state);
    if (options->queues) {
        put_number(&inner, 'T', "recv_queue", file->recv_q);
        put_number(&inner, 'T', "send_queue", file->send_q);
    }
    buf_byte(object->list->out, '}');
}

static void put_device(struct object *object, const struct lsof_file *file)
{
    char text[32];

    if (file->family == AF_UNIX) {
        snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)file->kernel_address);
        put_text(object, 'd', "device", text);
    } else {
        put_digits(object, 'd', "device", file->inode);
    }
    put_text(object, 'o', "offset", "0");
    if (file->family == AF_UNIX)
        put_digits(object, 'i', "inode", file->inode);
    else
        put_text(object, 'P', "protocol", lsof_node_name(file));
}

static void put_file(struct object *object, const struct lsof_file *file)
{
    struct buf *scratch = &object->list->moment.scratch;

    put_digits(object, 'f', "fd", (uint64_t)file->fd);
    put_text(object, 'a', "access", "u");
    put_text(object, 't', "type", lsof_type_name(file));
    put_device(object, file);
    if (object->list->options->flags && file->flags) {
        buf_reset(scratch);
        lsof_put_flags(scratch, file->flags, object->list->options->flags == 'G');
        put_text(object, 'G', "flags", buf_string(scratch));
    }
    buf_reset(scratch);
    lsof_put_name(object->list, file, scratch);
    put_bytes(object, 'n', "name", scratch->data, scratch->length);
    put_tcp_info(object, file);
}

static void put_line(struct lsof_list *list, const struct lsof_file *file)
{
    struct object object = {.list = list};

    buf_byte(list->out, '{');
    put_process(&object, file);
    put_file(&object, file);
    buf_puts(list->out, "}\n");
}

static bool same_process(const struct lsof_file *a, const struct lsof_file *b)
{
    return a && a->pid == b->pid && a->tid == b->tid;
}

/* {"lsof_version":..., "processes":[{..., "files":[{...}]}]} */
static void put_nested(struct lsof_list *list)
{
    const struct lsof_file *last = NULL;

    buf_puts(list->out, "{\"lsof_version\":\"" VERSION "\",\"processes\":[");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct lsof_file *file = &list->files[i];
        struct object process = {.list = list}, inner = {.list = list};

        if (!file->selected)
            continue;
        if (!same_process(last, file)) {
            buf_puts(list->out, last ? "]},{" : "{");
            put_process(&process, file);
            put_key(&process, "files");
            buf_puts(list->out, "[{");
        } else {
            buf_puts(list->out, ",{");
        }
        put_file(&inner, file);
        buf_byte(list->out, '}');
        last = file;
    }
    buf_puts(list->out, last ? "]}]}\n" : "]}\n");
}

void lsof_write_json(struct lsof_list *list)
{
    if (list->options->form == LSOF_JSON) {
        put_nested(list);
        return;
    }
    for (uint32_t i = 0; i < list->count; i++)
        if (list->files[i].selected)
            put_line(list, &list->files[i]);
}
