/* SPDX-License-Identifier: MIT */
/* lsof -F: one field a line, each with its letter, for programs. */
#include "compat/lsof.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool lsof_shows(const struct lsof_options *options, char letter)
{
    return (options->fields & LSOF_FIELD(letter)) != 0;
}

static void end_field(struct lsof_list *list)
{
    buf_byte(list->out, list->options->fields_nul ? '\0' : '\n');
}

/* With NUL behind each field a line break ends each set of them. */
static void end_set(struct lsof_list *list)
{
    if (list->options->fields_nul)
        buf_byte(list->out, '\n');
}

static void put_text(struct lsof_list *list, char letter, const char *text)
{
    if (!lsof_shows(list->options, letter))
        return;
    buf_byte(list->out, letter);
    buf_puts(list->out, text);
    end_field(list);
}

static void put_number(struct lsof_list *list, char letter, uint64_t number)
{
    if (!lsof_shows(list->options, letter))
        return;
    buf_byte(list->out, letter);
    buf_uint(list->out, number);
    end_field(list);
}

static void put_bytes(struct lsof_list *list, char letter, const char *bytes, size_t length)
{
    if (!lsof_shows(list->options, letter))
        return;
    buf_byte(list->out, letter);
    lsof_escape(list->out, bytes, length);
    end_field(list);
}

static void put_process(struct lsof_list *list, const struct lsof_file *file)
{
    put_number(list, 'p', file->pid);
    if (file->tid) {
        put_number(list, 'K', file->tid);
        put_bytes(list, 'M', file->thread, file->thread_length);
    }
    put_number(list, 'g', file->pgid);
    put_number(list, 'R', file->ppid);
    put_bytes(list, 'c', file->command, file->command_length);
    put_number(list, 'u', file->uid);
    if (!list->options->numeric_users && host_user(&list->names->hosts, file->uid))
        put_text(list, 'L', lsof_user(list->names, file->uid));
    end_set(list);
}

static void put_device(struct lsof_list *list, const struct lsof_file *file)
{
    char text[32];

    snprintf(text, sizeof(text), "0x%016llx", (unsigned long long)file->kernel_address);
    if (file->family == AF_UNIX)
        put_text(list, 'd', text);
    else
        put_number(list, 'd', file->inode);
    if (list->options->size != LSOF_SIZE)
        put_text(list, 'o', "0t0");
    if (file->family == AF_UNIX)
        put_number(list, 'i', file->inode);
    else
        put_text(list, 'P', lsof_node_name(file));
}

static void put_state(struct lsof_list *list, const struct lsof_file *file)
{
    const char *state = list->options->state ? lsof_state_name(file) : NULL;
    char text[32];

    if (state) {
        snprintf(text, sizeof(text), "ST=%s", state);
        put_text(list, 'T', text);
    }
    if (!list->options->queues || file->family == AF_UNIX)
        return;
    snprintf(text, sizeof(text), "QR=%u", file->recv_q);
    put_text(list, 'T', text);
    snprintf(text, sizeof(text), "QS=%u", file->send_q);
    put_text(list, 'T', text);
}

static void put_file(struct lsof_list *list, const struct lsof_file *file)
{
    struct buf *scratch = &list->moment.scratch;

    buf_reset(scratch);
    lsof_put_fd(scratch, file->fd, 0);
    put_text(list, 'f', buf_string(scratch));
    put_text(list, 'a', "u");
    put_text(list, 'l', " ");
    put_text(list, 't', lsof_type_name(file));
    if (file->flags) {
        buf_reset(scratch);
        lsof_put_flags(scratch, file->flags, list->options->flags != 'g');
        put_text(list, 'G', buf_string(scratch));
    }
    put_device(list, file);
    buf_reset(scratch);
    lsof_put_name(list, file, scratch);
    put_text(list, 'n', buf_string(scratch));
    put_state(list, file);
    end_set(list);
}

static bool shows_files(const struct lsof_options *options)
{
    return (options->fields &
            ~(LSOF_FIELD('p') | LSOF_FIELD('K') | LSOF_FIELD('M') | LSOF_FIELD('g') |
              LSOF_FIELD('R') | LSOF_FIELD('c') | LSOF_FIELD('u') | LSOF_FIELD('L'))) != 0;
}

void lsof_write_fields(struct lsof_list *list)
{
    const struct lsof_file *last = NULL;
    bool files = shows_files(list->options);

    for (uint32_t i = 0; i < list->count; i++) {
        const struct lsof_file *file = &list->files[i];

        if (!file->selected)
            continue;
        if (!last || last->pid != file->pid || last->tid != file->tid)
            put_process(list, file);
        last = file;
        if (files)
            put_file(list, file);
    }
}

static const struct {
    char letter;
    const char *meaning;
} field_help[] = {
    {'p', "process: the first field of its set"},
    {'c', "name of the process"},
    {'g', "process group"},
    {'R', "parent process"},
    {'u', "user, as a number"},
    {'L', "user, by name"},
    {'K', "thread, with -K"},
    {'M', "name of the thread, with -K"},
    {'f', "descriptor: the first field of a socket"},
    {'a', "what it is open for: always u, both ways"},
    {'l', "lock: a socket has none"},
    {'t', "IPv4, IPv6 or unix"},
    {'G', "flags of open(2)"},
    {'d', "inode; of a unix socket its address in the kernel"},
    {'o', "offset: always 0t0"},
    {'i', "inode of a unix socket"},
    {'P', "protocol"},
    {'n', "both ends, or the path"},
    {'T', "state (ST) and queues in bytes (QR, QS) of TCP and UDP"},
    {'m', "between the listings of -r"},
    {'0', "fields end with NUL instead of a line break"},
    {'D', "accepted, and never there for a socket; so are k, r, s and S"},
};

void lsof_write_field_help(struct buf *out)
{
    buf_puts(out, "letters of lsof -F:\n");
    for (size_t i = 0; i < ARRAY_SIZE(field_help); i++)
        buf_printf(out, "  %c  %s\n", field_help[i].letter, field_help[i].meaning);
}
