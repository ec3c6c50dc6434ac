/* SPDX-License-Identifier: MIT */
/* The sets that options of lsof take: processes, users, commands, descriptors, states, fields. */
#include "compat/lsof.h"

#include "base/mount_root.h"
#include "base/vec.h"
#include "compat/tcp_state.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

bool lsof_parse_number(const char *text, size_t length, uint32_t *ret_number)
{
    uint64_t number;

    if (length == 0 || length > 10 || strspn(text, "0123456789") < length)
        return false;
    number = strtoull(text, NULL, 10);
    if (number > UINT32_MAX)
        return false;
    *ret_number = (uint32_t)number;
    return true;
}

static bool parse_number(const char *text, uint32_t *ret_number)
{
    return lsof_parse_number(text, strlen(text), ret_number);
}

static int add_id(struct lsof_ids *ids, struct lsof_id id)
{
    uint32_t index = map_get(&ids->index, id.id);
    int r;

    if (index != MAP_NONE && ids->items[index].exclude != id.exclude)
        return lsof_error("%u is both asked for and left out", id.id);
    if (index != MAP_NONE)
        return 0;
    r = VEC_RESERVE(&ids->items, &ids->capacity, ids->count, 1);
    if (r == 0)
        r = map_set(&ids->index, id.id, ids->count);
    if (r == 0)
        ids->items[ids->count++] = id;
    return r;
}

int lsof_parse_ids(struct lsof_ids *ids, const char *value, bool *ret_included)
{
    CLEANUP_FREE char *copy = strdup(value);
    char *rest = copy, *one;
    int r = copy ? 0 : -ENOMEM;

    while (r == 0 && (one = strsep(&rest, ",")) != NULL) {
        struct lsof_id id = {.exclude = *one == '^'};

        if (!parse_number(one + id.exclude, &id.id))
            return lsof_error("%s: \"%s\" is no process id", value, one);
        r = add_id(ids, id);
        *ret_included |= !id.exclude;
    }
    return r;
}

static int add_user(struct lsof_options *options, const char *word)
{
    struct lsof_id id = {.exclude = *word == '^'};
    const struct passwd *entry;
    const char *name = word + id.exclude;

    if (!parse_number(name, &id.id)) {
        entry = *name ? getpwnam(name) : NULL;
        if (!entry)
            return lsof_error("-u: there is no user \"%s\"", name);
        id.id = entry->pw_uid;
        id.login = arena_copy(&options->arena, name, strlen(name));
        if (!id.login)
            return -ENOMEM;
    }
    options->select |= id.exclude ? 0u : LSOF_SELECT_UID;
    return add_id(&options->uids, id);
}

int lsof_parse_users(struct lsof_options *options, const char *value)
{
    CLEANUP_FREE char *copy = strdup(value);
    char *rest = copy, *one;
    int r = copy ? 0 : -ENOMEM;

    while (r == 0 && (one = strsep(&rest, ",")) != NULL)
        r = add_user(options, one);
    return r;
}

/* "/REGEX/[bix]": 0, -EINVAL after a message. */
static int compile_regex(struct lsof_options *options, struct lsof_command *command,
                         const char *value)
{
    const char *end = strrchr(value, '/'), *letter;
    int flags = REG_NOSUB | REG_EXTENDED;
    char *text;

    if (end == value)
        return lsof_error("-c %s: the regular expression has no end", value);
    for (letter = end + 1; *letter; letter++) {
        if (*letter == 'i')
            flags |= REG_ICASE;
        else if (*letter == 'b')
            flags &= ~REG_EXTENDED;
        else if (*letter == 'x')
            flags |= REG_EXTENDED;
        else
            return lsof_error("-c %s: unknown letter %c (b, i, x)", value, *letter);
    }
    text = arena_copy(&options->arena, value + 1, (size_t)(end - value - 1));
    if (!text)
        return -ENOMEM;
    if (*text == '\0' || regcomp(&command->regex, text, flags) != 0)
        return lsof_error("-c %s: not a regular expression", value);
    command->is_regex = true;
    command->text = text;
    return 0;
}

int lsof_parse_command(struct lsof_options *options, const char *value)
{
    struct lsof_command command = {.exclude = *value == '^'};
    int r = VEC_RESERVE(&options->commands, &options->command_capacity, options->command_count, 1);

    if (r < 0)
        return r;
    command.text = value + command.exclude;
    if (*command.text == '\0')
        return lsof_error("-c: which command?");
    for (uint32_t i = 0; i < options->command_count && *value != '/'; i++)
        if (!options->commands[i].is_regex && options->commands[i].exclude != command.exclude &&
            strcmp(options->commands[i].text, command.text) == 0)
            return lsof_error("-c: %s is both asked for and left out", command.text);
    if (*value == '/')
        r = compile_regex(options, &command, value);
    if (r < 0)
        return r;
    options->commands[options->command_count++] = command;
    options->select |= command.exclude ? 0u : LSOF_SELECT_COMMAND;
    return 0;
}

/* A name of descriptors that are never sockets: it may be asked for, and selects none. */
static bool is_fd_name(const char *text)
{
    return *text &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")] ==
               '\0';
}

/* Those that Linux has files of; any other word selects nothing at all. */
static bool is_name_of_files(const char *text)
{
    static const char *const names[] = {"cwd", "rtd", "txt", "mem", "DEL", "NOFD"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i], text) == 0)
            return true;
    return false;
}

static int parse_fd(const char *word, struct lsof_fds *ret_fds)
{
    const char *dash = strchr(word, '-');

    if (parse_number(word, &ret_fds->low)) {
        ret_fds->high = ret_fds->low;
        return 0;
    }
    if (strcmp(word, "fd") == 0) {
        *ret_fds = (struct lsof_fds){0, INT32_MAX};
        return 0;
    }
    if (dash && lsof_parse_number(word, (size_t)(dash - word), &ret_fds->low) &&
        parse_number(dash + 1, &ret_fds->high) && ret_fds->low < ret_fds->high)
        return 0;
    if (!is_fd_name(word))
        return lsof_error("-d: \"%s\" is no descriptor", word);
    *ret_fds = (struct lsof_fds){UINT32_MAX, UINT32_MAX};
    return 0;
}

int lsof_parse_fds(struct lsof_options *options, const char *value)
{
    CLEANUP_FREE char *copy = strdup(value);
    char *rest = copy, *one;
    int r = copy ? 0 : -ENOMEM;

    while (r == 0 && (one = strsep(&rest, ",")) != NULL) {
        bool exclude = *one == '^';

        if (options->fd_count && exclude != options->fds_exclude)
            return lsof_error("-d %s: descriptors to show and to leave out in one set", value);
        r = VEC_RESERVE(&options->fds, &options->fd_capacity, options->fd_count, 1);
        if (r == 0)
            r = parse_fd(one + exclude, &options->fds[options->fd_count]);
        options->fds_of_files |=
            r == 0 &&
            (exclude || options->fds[options->fd_count].low != UINT32_MAX || is_name_of_files(one));
        options->fd_count += r == 0;
        options->fds_exclude = exclude;
    }
    options->select |= LSOF_SELECT_FD;
    return r;
}

/* CLOSED is a state that lsof knows and no socket has. */
static int add_state(struct lsof_options *options, const char *word)
{
    struct lsof_state state = {.exclude = *word == '^'};
    unsigned int number = tcp_state_parse(word + state.exclude);
    int r = VEC_RESERVE(&options->states, &options->state_capacity, options->state_count, 1);

    if (r < 0)
        return r;
    if (!number && strcasecmp(word + state.exclude, "CLOSED") != 0)
        return lsof_error("-s: no such TCP state: %s", word + state.exclude);
    state.name = number ? tcp_state_name(number) : "CLOSED";
    state.bit = number ? STATE_BIT(number) : 0;
    options->states[options->state_count++] = state;
    return 0;
}

int lsof_parse_states(struct lsof_options *options, const char *value)
{
    CLEANUP_FREE char *copy = strdup(value);
    char *rest = copy, *one;
    int r = copy ? 0 : -ENOMEM;

    if (r < 0)
        return r;
    one = strsep(&rest, ":");
    if (strcasecmp(one, "TCP") != 0)
        return lsof_error("-s %s: only states of TCP have names", value);
    if (*rest == '\0')
        return lsof_error("-s %s: no state", value);
    while (r == 0 && (one = strsep(&rest, ",")) != NULL)
        r = add_state(options, one);
    return r;
}

int lsof_check_mounted(const char *path)
{
    bool is_root = false;
    int r = mount_root(path, &is_root);

    if (r < 0)
        return lsof_error("-e %s: %s", path, strerror(-r));
    if (!is_root)
        return lsof_error("-e %s: nothing is mounted there", path);
    return 0;
}

int lsof_parse_fields(struct lsof_options *options, const char *value)
{
    static const char known[] = "acdDfGgiKkLlmMnopPrRsStTu";
    uint64_t fields = LSOF_FIELD('p');
    size_t letters = 0;

    if (options->form < LSOF_JSON)
        options->form = LSOF_FIELDS;
    for (; *value; value++) {
        if (*value == '?') {
            options->field_help = true;
        } else if (*value == '0') {
            options->fields_nul = true;
        } else if (strchr(known, *value)) {
            fields |= LSOF_FIELD(*value);
            letters++;
        } else {
            return lsof_error("-F: no such field: %c (lsof -F ? lists them)", *value);
        }
    }
    for (const char *letter = known; *letter && !letters; letter++)
        fields |= *letter == 'r' ? 0 : LSOF_FIELD(*letter);
    options->fields |= fields;
    if (options->flags && fields & LSOF_FIELD('G'))
        options->flags = 'G';
    if (fields & LSOF_FIELD('T'))
        options->state = options->queues = true;
    return 0;
}

static void ids_done(struct lsof_ids *ids)
{
    free(ids->items);
    map_done(&ids->index);
}

void lsof_options_done(struct lsof_options *options)
{
    for (uint32_t i = 0; i < options->command_count; i++)
        if (options->commands[i].is_regex)
            regfree(&options->commands[i].regex);
    free(options->commands);
    free(options->addresses);
    free(options->fds);
    free(options->states);
    ids_done(&options->pids);
    ids_done(&options->pgids);
    ids_done(&options->uids);
    arena_done(&options->arena);
}
