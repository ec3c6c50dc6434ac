/* SPDX-License-Identifier: MIT */
/* The columns of lsof: as wide as the widest of what is shown. */
#include "compat/lsof.h"

#include "compat/tcp_state.h"
#include "derive/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define FD_WIDTH 4 /* then the mode and a place for the lock */

static uint32_t digits(uint64_t number)
{
    uint32_t count = 1;

    while (number >= 10) {
        number /= 10;
        count++;
    }
    return count;
}

static void widen(uint32_t *width, size_t needed)
{
    if (needed > *width)
        *width = (uint32_t)needed;
}

static void put_right(struct buf *out, const char *text, uint32_t width)
{
    size_t length = strlen(text);

    if (length < width)
        buf_pad(out, width - length);
    buf_put(out, text, length);
}

static void put_number(struct buf *out, uint64_t number, uint32_t width)
{
    uint32_t length = digits(number);

    if (length < width)
        buf_pad(out, width - length);
    buf_uint(out, number);
}

const char *lsof_type_name(const struct lsof_file *file)
{
    if (file->family == AF_UNIX)
        return "unix";
    return file->family == AF_INET6 ? "IPv6" : "IPv4";
}

const char *lsof_node_name(const struct lsof_file *file)
{
    return file->proto == PROTO_TCP ? "TCP" : file->proto == PROTO_UDP ? "UDP" : "UDPLITE";
}

const char *lsof_state_name(const struct lsof_file *file)
{
    if (file->proto == PROTO_TCP)
        return file->state ? tcp_state_name((unsigned int)__builtin_ctz(file->state)) : NULL;
    if (file->family != AF_UNIX)
        return NULL;
    if (file->state == STATE_BIT(STATE_LISTENING))
        return "LISTEN";
    return file->state == STATE_BIT(STATE_ESTABLISHED) ? "CONNECTED" : "UNCONNECTED";
}

/* --- the widths --- */

struct widths {
    uint32_t command, pid, tid, thread, ppid, pgid, user, flags, device, node;
};

/* Text of unix sockets: 0x and 16 digits. */
#define KERNEL_ADDRESS_WIDTH 18

static void measure_process(struct lsof_list *list, const struct lsof_file *file,
                            struct widths *widths)
{
    const struct lsof_options *options = list->options;

    widen(&widths->command,
          lsof_width(file->command, file->command_length, lsof_command_width(options)));
    widen(&widths->pid, digits(file->pid));
    widen(&widths->ppid, digits(file->ppid));
    widen(&widths->pgid, digits(file->pgid));
    if (file->tid) {
        widen(&widths->tid, digits(file->tid));
        widen(&widths->thread,
              lsof_width(file->thread, file->thread_length, lsof_command_width(options)));
    }
    if (!options->numeric_users)
        widen(&widths->user, strlen(lsof_user(list->names, file->uid)));
}

static void measure_file(struct lsof_list *list, const struct lsof_file *file,
                         struct widths *widths)
{
    const struct lsof_options *options = list->options;

    if (options->flags) {
        buf_reset(&list->moment.scratch);
        lsof_put_flags(&list->moment.scratch, file->flags, options->flags == 'G');
        widen(&widths->flags, list->moment.scratch.length);
    }
    if (file->family == AF_UNIX) {
        widen(&widths->device, KERNEL_ADDRESS_WIDTH);
        widen(&widths->node, digits(file->inode));
    } else {
        widen(&widths->device, digits(file->inode));
        widen(&widths->node, strlen(lsof_node_name(file)));
    }
}

static bool same_process(const struct lsof_file *a, const struct lsof_file *b)
{
    return a && a->pid == b->pid && a->tid == b->tid;
}

static struct widths measure_all(struct lsof_list *list)
{
    const struct lsof_file *last = NULL;
    struct widths widths = {
        .command = strlen("COMMAND"),
        .pid = strlen("PID"),
        .tid = strlen("TID"),
        .thread = strlen("TASKCMD"),
        .ppid = strlen("PPID"),
        .pgid = strlen("PGID"),
        .user = list->options->numeric_users ? 8 : strlen("USER"),
        .flags = strlen("FILE-FLAG"),
        .device = strlen("DEVICE"),
        .node = strlen("NODE"),
    };

    for (uint32_t i = 0; i < list->count; i++) {
        const struct lsof_file *file = &list->files[i];

        if (!file->selected)
            continue;
        if (!same_process(last, file))
            measure_process(list, file, &widths);
        measure_file(list, file, &widths);
        last = file;
    }
    return widths;
}

/* --- the lines --- */

static const char *size_title(const struct lsof_options *options)
{
    if (options->size == LSOF_SIZE)
        return "SIZE";
    return options->size == LSOF_OFFSET ? "OFFSET" : "SIZE/OFF";
}

static void put_left(struct buf *out, const char *text, uint32_t width)
{
    size_t length = strlen(text);

    buf_put(out, text, length);
    if (length < width)
        buf_pad(out, width - length);
}

static void put_title(struct buf *out, const char *title, uint32_t width)
{
    buf_byte(out, ' ');
    put_right(out, title, width);
}

static void put_titles(struct lsof_list *list, const struct widths *widths)
{
    const struct lsof_options *options = list->options;
    struct buf *out = list->out;

    put_left(out, "COMMAND", widths->command);
    put_title(out, "PID", widths->pid);
    if (options->show_tasks) {
        put_title(out, "TID", widths->tid);
        buf_byte(out, ' ');
        put_left(out, "TASKCMD", widths->thread);
    }
    if (options->show_ppid)
        put_title(out, "PPID", widths->ppid);
    if (options->show_pgid)
        put_title(out, "PGID", widths->pgid);
    put_title(out, "USER", widths->user);
    put_title(out, "FD", FD_WIDTH);
    buf_puts(out, "   TYPE");
    if (options->flags)
        put_title(out, "FILE-FLAG", widths->flags);
    put_title(out, "DEVICE", widths->device);
    put_title(out, size_title(options), (uint32_t)strlen(size_title(options)));
    if (options->show_links)
        put_title(out, "NLINK", 5);
    put_title(out, "NODE", widths->node);
    buf_puts(out, " NAME\n");
}

static void put_task(struct lsof_list *list, const struct lsof_file *file,
                     const struct widths *widths)
{
    buf_byte(list->out, ' ');
    if (file->tid) {
        put_number(list->out, file->tid, widths->tid);
        buf_byte(list->out, ' ');
        lsof_put_padded(list->out, file->thread, file->thread_length, widths->thread);
    } else {
        buf_pad(list->out, widths->tid + 1 + widths->thread);
    }
}

static void put_process(struct lsof_list *list, const struct lsof_file *file,
                        const struct widths *widths)
{
    const struct lsof_options *options = list->options;
    struct buf *out = list->out;

    lsof_put_padded(out, file->command, file->command_length, widths->command);
    buf_byte(out, ' ');
    put_number(out, file->pid, widths->pid);
    if (options->show_tasks)
        put_task(list, file, widths);
    if (options->show_ppid) {
        buf_byte(out, ' ');
        put_number(out, file->ppid, widths->ppid);
    }
    if (options->show_pgid) {
        buf_byte(out, ' ');
        put_number(out, file->pgid, widths->pgid);
    }
    buf_byte(out, ' ');
    if (options->numeric_users)
        put_number(out, file->uid, widths->user);
    else
        put_right(out, lsof_user(list->names, file->uid), widths->user);
}

static void put_descriptor(struct lsof_list *list, const struct lsof_file *file,
                           const struct widths *widths)
{
    const struct lsof_options *options = list->options;
    const char *size = options->size == LSOF_SIZE ? "" : "0t0";
    struct buf *out = list->out;
    char text[32];

    buf_byte(out, ' ');
    lsof_put_fd(out, file->fd, FD_WIDTH);
    buf_puts(out, "u  ");
    buf_puts(out, lsof_type_name(file));
    if (options->flags) {
        buf_reset(&list->moment.scratch);
        lsof_put_flags(&list->moment.scratch, file->flags, options->flags == 'G');
        put_title(out, buf_string(&list->moment.scratch), widths->flags);
    }
    buf_byte(out, ' ');
    if (file->family == AF_UNIX) {
        snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)file->kernel_address);
        put_right(out, text, widths->device);
    } else {
        put_number(out, file->inode, widths->device);
    }
    put_title(out, size, (uint32_t)strlen(size_title(options)));
    if (options->show_links)
        buf_pad(out, 6);
    buf_byte(out, ' ');
    if (file->family == AF_UNIX)
        put_number(out, file->inode, widths->node);
    else
        put_right(out, lsof_node_name(file), widths->node);
}

/* A number that does not fit is shown by its last three digits. */
void lsof_put_fd(struct buf *out, int32_t fd, uint32_t width)
{
    if (fd < 10000)
        put_number(out, (uint64_t)fd, width);
    else
        buf_printf(out, "*%03d", fd % 1000);
}

/* " (LISTEN QR=0 QS=0)". The blank stands there also when nothing follows it. */
static void put_state(struct lsof_list *list, const struct lsof_file *file)
{
    const struct lsof_options *options = list->options;
    const char *state = options->state ? lsof_state_name(file) : NULL;
    bool queues = options->queues && file->family != AF_UNIX;
    struct buf *out = list->out;

    if (!options->state && !options->queues && !options->socket_options)
        return;
    buf_byte(out, ' ');
    if (!state && !queues)
        return;
    buf_byte(out, '(');
    if (state)
        buf_puts(out, state);
    if (queues)
        buf_printf(out, "%sQR=%u QS=%u", state ? " " : "", file->recv_q, file->send_q);
    buf_byte(out, ')');
}

static void put_line(struct lsof_list *list, const struct lsof_file *file,
                     const struct widths *widths)
{
    put_process(list, file, widths);
    put_descriptor(list, file, widths);
    buf_byte(list->out, ' ');
    lsof_put_name(list, file, list->out);
    put_state(list, file);
    buf_byte(list->out, '\n');
}

void lsof_write_columns(struct lsof_list *list)
{
    struct widths widths;

    if (list->selected == 0)
        return;
    widths = measure_all(list);
    put_titles(list, &widths);
    for (uint32_t i = 0; i < list->count; i++)
        if (list->files[i].selected)
            put_line(list, &list->files[i], &widths);
}

void lsof_write_terse(struct lsof_list *list)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct lsof_file *file = &list->files[i];

        if (!file->selected || file->pid == last)
            continue;
        last = file->pid;
        buf_uint(list->out, file->pid);
        buf_byte(list->out, '\n');
    }
}
