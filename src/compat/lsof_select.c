/* SPDX-License-Identifier: MIT */
/* Which descriptors lsof's options select, and what of them was found: the exit status. */
#include "compat/lsof.h"

#include "derive/address.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* What is known of a process that selections ask for. */
struct candidate {
    uint32_t pid, pgid, uid;
    bool has_tasks;
    const char *command;
    uint32_t command_length;
};

static bool ids_have(struct lsof_ids *ids, uint32_t id, bool exclude)
{
    uint32_t index = map_get(&ids->index, id);

    if (index == MAP_NONE || ids->items[index].exclude != exclude)
        return false;
    return ids->items[index].found = true;
}

static bool begins(const struct lsof_command *command, const struct candidate *process)
{
    size_t length = strlen(command->text);

    return !command->is_regex && length <= process->command_length &&
           memcmp(command->text, process->command, length) == 0;
}

static bool is_excluded(struct lsof_options *options, const struct candidate *process)
{
    if (ids_have(&options->uids, process->uid, true) ||
        ids_have(&options->pgids, process->pgid, true) ||
        ids_have(&options->pids, process->pid, true))
        return true;
    for (uint32_t i = 0; i < options->command_count; i++)
        if (options->commands[i].exclude && begins(&options->commands[i], process))
            return options->commands[i].found = true;
    return false;
}

/* Regular expressions are only tried where no name fits. */
static bool command_fits(struct lsof_options *options, const struct candidate *process)
{
    char name[64];

    for (uint32_t i = 0; i < options->command_count; i++)
        if (!options->commands[i].exclude && begins(&options->commands[i], process))
            return options->commands[i].found = true;
    snprintf(name, sizeof(name), "%.*s", (int)process->command_length, process->command);
    for (uint32_t i = 0; i < options->command_count; i++)
        if (options->commands[i].is_regex &&
            regexec(&options->commands[i].regex, name, 0, NULL, 0) == 0)
            return options->commands[i].found = true;
    return false;
}

/* The kinds of selection that the process belongs to. */
static uint32_t kinds_of_process(struct lsof_options *options, const struct candidate *process)
{
    uint32_t kinds = 0;

    if (ids_have(&options->pids, process->pid, false))
        kinds |= LSOF_SELECT_PID;
    if (ids_have(&options->pgids, process->pgid, false))
        kinds |= LSOF_SELECT_PGID;
    if (ids_have(&options->uids, process->uid, false))
        kinds |= LSOF_SELECT_UID;
    if (command_fits(options, process))
        kinds |= LSOF_SELECT_COMMAND;
    if (process->has_tasks)
        kinds |= LSOF_SELECT_TASK;
    return kinds;
}

#define OF_PROCESSES                                                                               \
    (LSOF_SELECT_PID | LSOF_SELECT_PGID | LSOF_SELECT_UID | LSOF_SELECT_COMMAND | LSOF_SELECT_TASK)

/* Whether the files of a process are looked at at all, and what it is selected by. */
static bool look_at(struct lsof_options *options, const struct candidate *process,
                    uint32_t *ret_kinds)
{
    uint32_t wanted = options->select & OF_PROCESSES;

    if (!options->endpoints && is_excluded(options, process)) /* -E shows also what ^ leaves out */
        return false;
    *ret_kinds = kinds_of_process(options, process);
    return !options->and || (*ret_kinds & wanted) == wanted;
}

/* --- the file --- */

static bool fd_is_wanted(const struct lsof_options *options, int32_t fd)
{
    for (uint32_t i = 0; i < options->fd_count; i++)
        if (options->fds[i].low <= (uint32_t)fd && (uint32_t)fd <= options->fds[i].high)
            return !options->fds_exclude;
    return options->fds_exclude;
}

/* -sTCP: is applied to every protocol that has states. */
static bool state_is_wanted(struct lsof_options *options, const struct lsof_file *file)
{
    bool only = false, wanted = false;

    if (file->family == AF_UNIX)
        return true;
    for (uint32_t i = 0; i < options->state_count; i++) {
        struct lsof_state *state = &options->states[i];
        bool same = (state->bit & file->state) != 0;

        state->found |= same;
        if (state->exclude && same)
            return false;
        only |= !state->exclude;
        wanted |= !state->exclude && same;
    }
    return !only || wanted;
}

/* A mapped address counts as the IPv4 address that is shown. */
static bool end_fits(const struct lsof_address *wanted, const struct lsof_file *file,
                     const union address *address, uint16_t port)
{
    static const union address any = {{0}};
    bool mapped = address_is_mapped(file->family, address);
    uint8_t family = mapped ? AF_INET : file->family;
    size_t size = family == AF_INET ? 4 : 16;

    if (wanted->family && wanted->family != family)
        return false;
    if (memcmp(&wanted->address, &any, sizeof(any)) != 0 &&
        memcmp(wanted->address.bytes, address->bytes + (mapped ? 12 : 0), size) != 0)
        return false;
    return wanted->any_port || (wanted->low <= port && port <= wanted->high);
}

static bool has_peer(const struct lsof_file *file)
{
    return file->peer_port || !address_is_any(file->family, &file->peer);
}

static bool address_is_wanted(struct lsof_options *options, const struct lsof_file *file)
{
    for (uint32_t i = 0; i < options->address_count; i++) {
        const struct lsof_address *wanted = &options->addresses[i];

        if (wanted->proto && wanted->proto != file->proto)
            continue;
        if ((has_peer(file) && end_fits(wanted, file, &file->peer, file->peer_port)) ||
            end_fits(wanted, file, &file->local, file->local_port))
            return options->addresses[wanted->first].found = true;
    }
    return false;
}

static uint32_t kinds_of_file(struct lsof_list *list, const struct lsof_file *file)
{
    struct lsof_options *options = list->options;
    uint32_t kinds = 0;

    if (options->fd_count && fd_is_wanted(options, file->fd))
        kinds |= LSOF_SELECT_FD;
    if (file->family == AF_UNIX)
        return kinds | (options->select & LSOF_SELECT_UNIX);
    if (file->family == AF_INET ? options->ipv4 : options->ipv6) {
        kinds |= LSOF_SELECT_INET;
        list->found |= LSOF_SELECT_INET;
    }
    if (address_is_wanted(options, file))
        kinds |= LSOF_SELECT_ADDRESS;
    return kinds;
}

static bool select_file(struct lsof_list *list, const struct lsof_file *file)
{
    struct lsof_options *options = list->options;
    const struct candidate process = {.pid = file->pid,
                                      .pgid = file->pgid,
                                      .uid = file->uid,
                                      .has_tasks = file->has_tasks,
                                      .command = file->command,
                                      .command_length = file->command_length};
    uint32_t kinds = 0;
    bool looked = look_at(options, &process, &kinds);

    if ((!looked && !options->endpoints) || !state_is_wanted(options, file))
        return false;
    kinds |= kinds_of_file(list, file);
    kinds &= options->select;
    if (!looked)
        return false;
    return options->and ? kinds == options->select : kinds != 0;
}

void lsof_select(struct lsof_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        list->files[i].selected = select_file(list, &list->files[i]);
        list->selected += list->files[i].selected;
    }
}

/* --- processes --- */

int lsof_look_at_processes(struct lsof_list *list, bool *ret_selected)
{
    struct query query = {.table = &table_processes, .column_count = 4};
    struct grid grid = {0};
    bool selected = false;
    int r;

    *ret_selected = false;
    if (!(list->moment.request.needs & NEED_ALL_PROCESSES))
        return 0;
    query.columns[0] = table_column(query.table, "pid");
    query.columns[1] = table_column(query.table, "pgid");
    query.columns[2] = table_column(query.table, "process");
    query.columns[3] = table_column(query.table, "uid");
    r = query_run(&query, &list->moment.view, &grid);
    for (uint32_t row = 0; row < grid.row_count && r == 0; row++) {
        struct value command = grid_cell(&grid, row, 2), uid = grid_cell(&grid, row, 3);
        struct candidate process = {
            .pid = (uint32_t)grid_cell(&grid, row, 0).uint,
            .pgid = (uint32_t)grid_cell(&grid, row, 1).uint,
            .uid = uid.type == VALUE_UINT ? (uint32_t)uid.uint : UINT32_MAX,
            .command = command.type == VALUE_STRING ? command.string.bytes : "",
            .command_length = command.type == VALUE_STRING ? command.string.length : 0};

        if (!is_excluded(list->options, &process))
            selected |= (kinds_of_process(list->options, &process) & list->options->select) != 0;
    }
    grid_done(&grid);
    *ret_selected = selected;
    return r;
}

/* --- the verdict --- */

static void report(struct lsof_list *list, const char *what, const char *text, size_t length)
{
    if (!list->options->verbose)
        return;
    buf_printf(list->out, "lsof: %s", what);
    lsof_escape(list->out, text, length);
    buf_byte(list->out, '\n');
}

static void report_id(struct lsof_list *list, const char *what, uint32_t id)
{
    char text[16];

    snprintf(text, sizeof(text), "%u", id);
    report(list, what, text, strlen(text));
}

/* One that is left out counts as not found whatever there is, as it does for lsof. */
static bool miss_commands(struct lsof_list *list, bool regex)
{
    bool missing = false;

    for (uint32_t i = 0; i < list->options->command_count; i++) {
        const struct lsof_command *command = &list->options->commands[i];

        if ((command->found && !command->exclude) || command->is_regex != regex)
            continue;
        missing = true;
        report(list,
               regex ? "no command found for regex: " : "command not located: ", command->text,
               strlen(command->text));
    }
    return missing;
}

static bool miss_addresses(struct lsof_list *list)
{
    bool missing = false;

    for (uint32_t i = list->options->address_count; i-- > 0;) {
        const struct lsof_address *address = &list->options->addresses[i];

        if (address->first != i || address->found)
            continue;
        missing = true;
        report(list, "Internet address not located: ", address->text, strlen(address->text));
    }
    if (list->options->select & LSOF_SELECT_INET && !(list->found & LSOF_SELECT_INET)) {
        missing = true;
        report(list, "no Internet files located", "", 0);
    }
    return missing;
}

/* See set_repeat() of the options. */
static bool miss_repeat_command(struct lsof_list *list)
{
    const char *text = list->options->repeat_command;

    if (!text)
        return false;
    report(list, "command not located: ", text, strlen(text));
    return true;
}

static bool miss_states(struct lsof_list *list)
{
    bool missing = false;

    for (uint32_t i = 0; i < list->options->state_count; i++) {
        const struct lsof_state *state = &list->options->states[i];

        if (state->found || state->exclude)
            continue;
        missing = true;
        report(list, "TCP state not located: ", state->name, strlen(state->name));
    }
    return missing;
}

static bool miss_ids(struct lsof_list *list, const struct lsof_ids *ids, const char *what)
{
    bool missing = false;

    for (uint32_t i = 0; i < ids->count; i++)
        if (!ids->items[i].found && !ids->items[i].exclude) {
            missing = true;
            report_id(list, what, ids->items[i].id);
        }
    return missing;
}

int lsof_verdict(struct lsof_list *list)
{
    bool missing = miss_commands(list, false);

    missing |= miss_repeat_command(list);
    missing |= miss_commands(list, true);
    missing |= miss_addresses(list);
    missing |= miss_states(list);
    missing |= miss_ids(list, &list->options->pids, "process ID not located: ");
    missing |= miss_ids(list, &list->options->pgids, "process group ID not located: ");
    return missing && !list->options->allow_missing;
}
