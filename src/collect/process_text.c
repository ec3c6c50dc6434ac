/* SPDX-License-Identifier: MIT */
/* Pure parsers of the files below /proc/PID. */
#include "collect/process_text.h"

#include "collect/proc_file.h"

#include <string.h>

enum {
    STAT_PPID = 4,
    STAT_PGID = 5,
    STAT_TTY = 7,
    STAT_FLAGS = 9,
    STAT_THREADS = 20,
    STAT_START = 22
};

bool process_stat_parse(const char *text, struct process_stat *ret_stat)
{
    const char *at = strrchr(text, ')');
    uint64_t numbers[STAT_START + 1] = {0};
    char state;

    if (!at || at[1] != ' ' || at[2] == '\0')
        return false;
    state = at[2];
    at += 3;
    for (int field = STAT_PPID; field <= STAT_START; field++) {
        if (*at++ != ' ')
            return false;
        if (*at == '-') /* a group or a priority that nobody asks for */
            at++;
        if (!proc_parse_number(&at, &numbers[field]))
            return false;
    }
    ret_stat->state = state;
    ret_stat->ppid = (uint32_t)numbers[STAT_PPID];
    ret_stat->pgid = (uint32_t)numbers[STAT_PGID];
    ret_stat->tty = (uint32_t)numbers[STAT_TTY];
    ret_stat->flags = (uint32_t)numbers[STAT_FLAGS];
    ret_stat->threads = (uint32_t)numbers[STAT_THREADS];
    ret_stat->start_ticks = numbers[STAT_START];
    return true;
}

bool process_stat_name(const char *text, const char **ret_name, size_t *ret_length)
{
    const char *start = strchr(text, '('), *end = strrchr(text, ')');

    if (!start || !end || end < start)
        return false;
    *ret_name = start + 1;
    *ret_length = (size_t)(end - start - 1);
    return true;
}

enum cgroup_rank { CGROUP_NONE, CGROUP_CONTROLLER, CGROUP_SYSTEMD, CGROUP_UNIFIED };

/* "ID:CONTROLLERS:PATH"; the path may contain colons, but no newline. */
static enum cgroup_rank cgroup_line(const char *line, size_t length, const char **ret_path)
{
    const char *first = memchr(line, ':', length), *second;

    second = first ? memchr(first + 1, ':', length - (size_t)(first + 1 - line)) : NULL;
    if (!second || second + 1 == line + length || second[1] != '/')
        return CGROUP_NONE;
    *ret_path = second + 1;
    if (second == first + 1)
        return CGROUP_UNIFIED;
    if (second - first == 13 && memcmp(first, ":name=systemd", 13) == 0)
        return CGROUP_SYSTEMD;
    return CGROUP_CONTROLLER;
}

bool process_cgroup_parse(const char *text, const char **ret_path, size_t *ret_length)
{
    const char *end, *path, *best = NULL;
    int rank, best_rank = -1;
    size_t best_length = 0, length;

    for (; (end = strchr(text, '\n')); text = end + 1) {
        rank = (int)cgroup_line(text, (size_t)(end - text), &path);
        if (rank == CGROUP_NONE)
            continue;
        length = (size_t)(end - path);
        if (length > 1)
            rank += CGROUP_UNIFIED; /* any path beats the root of a better hierarchy */
        if (rank > best_rank) {
            best_rank = rank;
            best = path;
            best_length = length;
        }
    }
    if (!best)
        return false;
    *ret_path = best;
    *ret_length = best_length;
    return true;
}

bool process_cgroup_has_v1(const char *text)
{
    return *text && strncmp(text, "0::", 3) != 0;
}

size_t process_cmdline_join(char *text, size_t length)
{
    while (length && text[length - 1] == '\0')
        length--;
    for (size_t i = 0; i < length; i++)
        if (text[i] == '\0')
            text[i] = ' ';
    return length;
}

bool process_fd_limit_parse(const char *text, uint32_t *ret_limit)
{
    static const char title[] = "Max open files ";
    const char *at = strstr(text, title);
    uint64_t limit;

    if (!at)
        return false;
    at += sizeof(title) - 1;
    at += strspn(at, " ");
    if (!proc_parse_number(&at, &limit)) {
        if (strncmp(at, "unlimited", 9) != 0)
            return false;
        limit = UINT32_MAX;
    }
    *ret_limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX;
    return true;
}

bool process_path_undelete(const char *path, size_t *length)
{
    static const char mark[] = " (deleted)";
    const size_t size = sizeof(mark) - 1;

    if (*length <= size || memcmp(path + *length - size, mark, size) != 0)
        return false;
    *length -= size;
    return true;
}
