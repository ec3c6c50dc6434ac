/* SPDX-License-Identifier: MIT */
/* Loads the programs that tell of which socket packets are, and reads what they tell. */
#include "bpf/packet_owners.h"

#include "bpf/attach.h"
#include "bpf/iterators.h"

/* Generated; it needs the headers above. */
#include "bpf/packet_owners.lskel.h"

/* The walk writes nothing. */
static int split_nothing(const char *bytes, size_t length, void *context, size_t *ret_used)
{
    (void)bytes;
    (void)context;
    *ret_used = length;
    return 0;
}

/* Who uses a socket is followed before its packets are. */
static int attach(struct packet_owners_program *program, const struct packet_owners_bpf *skeleton)
{
    int *links = program->links;

    links[0] = attach_tracing(skeleton->progs.follow_state.prog_fd);
    links[1] = attach_tracing(skeleton->progs.follow_send.prog_fd);
    links[2] = attach_tracing(skeleton->progs.follow_receive.prog_fd);
    links[3] =
        attach_to_root_cgroup(skeleton->progs.follow_create.prog_fd, BPF_CGROUP_INET_SOCK_CREATE);
    links[4] = attach_to_root_cgroup(skeleton->progs.follow_sent.prog_fd, BPF_CGROUP_INET_EGRESS);
    links[5] =
        attach_to_root_cgroup(skeleton->progs.follow_received.prog_fd, BPF_CGROUP_INET_INGRESS);
    for (size_t i = 0; i < PACKET_OWNERS_LINKS; i++)
        if (links[i] < 0)
            return links[i];
    return 0;
}

static int open_program(struct packet_owners_program *program, uint32_t pidns)
{
    struct packet_owners_bpf *skeleton = packet_owners_bpf__open();
    int r = skeleton ? packet_owners_bpf__load(skeleton) : -ENOMEM;

    program->skeleton = skeleton;
    if (r < 0)
        return r;
    program->control = &skeleton->bss->control;
    program->control->pidns = pidns;
    r = ring_open(skeleton->maps.ring.map_fd, PACKET_OWNER_RING_SIZE, &program->ring);
    if (r == 0)
        r = attach(program, skeleton);
    if (r == 0)
        r = iterator_read(skeleton->progs.take_holders.prog_fd, 0, split_nothing, NULL);
    return r;
}

int packet_owners_program_open(struct packet_owners_program *program, uint32_t pidns)
{
    struct packet_owners_program opened = PACKET_OWNERS_PROGRAM_INIT;
    int r = open_program(&opened, pidns);

    if (r < 0) {
        packet_owners_program_close(&opened);
        return r;
    }
    *program = opened;
    return 0;
}

void packet_owners_program_narrow(struct packet_owners_program *program, uint32_t netns)
{
    __atomic_store_n(&program->control->netns, netns, __ATOMIC_RELAXED);
}

void packet_owners_program_close(struct packet_owners_program *program)
{
    ring_close(&program->ring);
    for (size_t i = 0; i < PACKET_OWNERS_LINKS; i++)
        if (program->links[i] >= 0)
            close(program->links[i]);
    packet_owners_bpf__destroy(program->skeleton);
    *program = PACKET_OWNERS_PROGRAM_INIT;
}

struct reading {
    packet_owner_fn *fn;
    void *context;
};

static int take_record(void *context, const void *record, size_t size)
{
    const struct reading *reading = context;

    return size < sizeof(struct packet_owner_record) ? -EBADMSG
                                                     : reading->fn(reading->context, record);
}

int packet_owners_program_read(struct packet_owners_program *program, packet_owner_fn *fn,
                               void *context)
{
    struct reading reading = {.fn = fn, .context = context};

    return ring_read(&program->ring, take_record, &reading);
}

uint64_t packet_owners_program_lost(const struct packet_owners_program *program)
{
    return __atomic_load_n(&program->control->lost, __ATOMIC_RELAXED);
}
