/* SPDX-License-Identifier: MIT */
/* nwho sniff --stats: packets are added up by conversation and process. */
#include "cli/sniff.h"

#include "cli/packet_statistics.h"

#include <stdio.h>
#include <string.h>

struct named {
    struct conversation_process process;
    char name[sizeof(((struct packet_process *)NULL)->comm) + 1];
};

static const struct conversation_process *process_at(const struct packet_end *end,
                                                     struct named *named)
{
    if (!end->process)
        return NULL;
    memcpy(named->name, end->process->comm, sizeof(end->process->comm));
    named->name[sizeof(end->process->comm)] = '\0';
    named->process = (struct conversation_process){end->process->pid, named->name};
    return &named->process;
}

void sniff_add_up(struct sniff *sniff, const struct captured *captured,
                  const struct packet_flow *flow, const struct packet_owner *owner)
{
    struct named ends[2];
    const struct conversation_process *processes[2] = {process_at(&owner->sender, &ends[0]),
                                                       process_at(&owner->receiver, &ends[1])};

    if (conversations_add(sniff->conversations, &flow->ends, sniff_time_of(sniff, captured),
                          captured->length, processes[0], processes[1]) < 0)
        sniff->out.error = -ENOMEM;
}

int sniff_put_statistics(struct sniff *sniff)
{
    struct packet_losses losses = {.live = sniff->owners};
    struct capture_counts counts;
    bool to_stdout = !sniff->options->write_file || strcmp(sniff->options->write_file, "-") != 0;
    struct buf out = BUF_SINK(to_stdout ? STDOUT_FILENO : STDERR_FILENO);
    int r;

    for (uint32_t i = 0; losses.live && i < sniff->source_count; i++)
        if (capture_read_counts(sniff->sources[i].capture, &counts) == 0) {
            losses.by_kernel += counts.dropped;
            losses.by_interface += counts.dropped_by_interface;
        }
    if (sniff->session.options->format == FORMAT_JSONL)
        packet_statistics_put_json(&out, sniff->conversations, &losses);
    else
        packet_statistics_put_text(&out, sniff->conversations, &losses);
    r = buf_flush(&out);
    buf_done(&out);
    return r;
}
