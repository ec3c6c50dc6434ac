/* SPDX-License-Identifier: MIT */
/* nwho sniff: conditions on processes beside those on packets, and columns of processes. */
#include "cli/sniff.h"

#include <stdio.h>

/* --- what was asked for --- */

static uint64_t needs_of(const struct sniff *sniff)
{
    uint64_t needs = sniff->filter.needs;

    for (uint32_t i = 0; i < sniff->columns.column_count; i++)
        needs |= sniff->columns.columns[i]->needs;
    if (sniff->session.options->children)
        needs |= NEED_PROCESS_STAT;
    return needs & ~(uint64_t)NEED_ALL_PROCESSES;
}

/* A file says of processes their pids and names, and where they were captured. */
static int check_file(const struct sniff *sniff)
{
    if (!sniff->options->read_file)
        return 0;
    if (sniff->session.options->children)
        return command_error("sniff: --children: a file does not say whose children are whose");
    if (sniff->filter.needs)
        return command_error("sniff: of processes a file says pid and process, and no more: other "
                             "conditions are for captures");
    return 0;
}

int sniff_read_filter(struct sniff *sniff)
{
    const char *text = sniff->options->expression;
    struct filter_error error = {{0}, 0, 0};
    int r = packet_filter_parse(text, &sniff->session.arena, &sniff->filter, &error);

    if (r == -EINVAL)
        return session_filter_error(text, &error, 0);
    if (r < 0)
        return command_error("out of memory");
    if (sniff->session.options->children && !sniff->filter.root)
        return command_error("sniff: --children is about conditions on processes, and there are "
                             "none: process NAME, pid N (nwho help sniff)");
    sniff->columns.table = &table_captured_owners;
    if (session_columns(&sniff->session, &sniff->columns, NULL) != 0 || check_file(sniff) != 0)
        return EXIT_ERROR;
    if (packet_processes_init(&sniff->processes, sniff->options->read_file ? 0 : needs_of(sniff)) <
        0)
        return command_error("out of memory");
    sniff->view = (struct view){.snapshot = &sniff->processes.snapshot,
                                .captured = &sniff->captured,
                                .names = &sniff->session.names,
                                .scratch = &sniff->session.scratch};
    return 0;
}

void sniff_close_filter(struct sniff *sniff)
{
    packet_filter_done(&sniff->filter);
    if (sniff->view.snapshot)
        packet_processes_done(&sniff->processes);
    map_done(&sniff->noted_processes);
    free(sniff->noted_list);
}

int sniff_open_parts(const struct sniff *sniff, struct sniff_source *source,
                     char error[CAPTURE_ERROR_SIZE])
{
    uint32_t count = sniff->filter.part_count;

    source->parts = calloc(count + 1, sizeof(struct capture *));
    if (!source->parts)
        return command_error("out of memory");
    for (uint32_t i = 0; i < count; i++)
        if (capture_open_none(source->link_type, capture_snapshot_length(source->capture),
                              &source->parts[i], error) < 0 ||
            capture_set_filter(source->parts[i], sniff->filter.parts[i],
                               !sniff->options->plain_filter, error) < 0)
            return command_error("sniff: \"%s\": %s (nwho help sniff)", sniff->filter.parts[i],
                                 error);
    return 0;
}

/* --- processes --- */

/* As soon as they are told of: those of short connections end soon. */
int sniff_look_at_processes(struct sniff *sniff)
{
    const struct packet_process *const *told;
    uint32_t count, index;
    int r = 0;

    told = packet_owners_told(sniff->owners, &count);
    for (; sniff->told < count && r == 0 && sniff->processes.needs; sniff->told++)
        r = packet_processes_add(&sniff->processes, told[sniff->told], &index);
    return r;
}

/* The process, and all above it where these count as well. */
static int add_process(struct sniff *sniff, const struct packet_process *process)
{
    struct captured_processes *captured = &sniff->captured;
    bool all = sniff->session.options->children;
    uint32_t index;
    int r = process ? packet_processes_add(&sniff->processes, process, &index) : -ENOENT;

    while (r == 0 && index != MAP_NONE && captured->count < CAPTURED_PROCESSES_MAX) {
        captured->processes[captured->count++] = index;
        index = all ? packet_processes_parent(&sniff->processes, index) : MAP_NONE;
    }
    return r == -ENOENT ? 0 : r;
}

struct value sniff_value(struct sniff *sniff, const struct column *column,
                         const struct packet_process *process)
{
    sniff->captured.count = 0;
    if (packet_processes_add(&sniff->processes, process, &sniff->captured.processes[0]) < 0)
        return value_none();
    sniff->captured.count = 1;
    return column->get(&sniff->view, 0);
}

/* --- packets --- */

struct question {
    const struct sniff_source *source;
    const struct captured *captured;
};

static bool takes(void *context, uint32_t number)
{
    const struct question *question = context;

    return capture_matches(question->source->parts[number], question->captured);
}

bool sniff_wants(struct sniff *sniff, const struct sniff_source *source,
                 const struct captured *captured, const struct packet_owner *owner)
{
    struct question question = {source, captured};

    if (!sniff->filter.root)
        return true;
    sniff->captured.netns = source->netns;
    sniff->captured.count = 0;
    if (add_process(sniff, owner->sender.process) < 0 ||
        add_process(sniff, owner->receiver.process) < 0) {
        sniff->out.error = -ENOMEM;
        return false;
    }
    return packet_filter_accepts(&sniff->filter, &sniff->view, takes, &question);
}
