/* SPDX-License-Identifier: MIT */
/* Facilities: how the sources of BPF are tried: loaded, attached, and asked for what was done for
 * them to see. */
#include "collect/facility.h"

#if HAVE_BPF

#include "bpf/traffic.h"
#include "collect/bpf_pass.h"
#include "collect/packet_owners.h"
#include "collect/proc_file.h"
#include "collect/rehearsal.h"

static int ignore_record(void *context, const struct record *record)
{
    (void)context;
    (void)record;
    return 0;
}

int probe_iterator(struct probing *probing, unsigned int which)
{
    static const struct {
        enum iterator_kind kind;
        uint32_t protos;
    } iterators[] = {
        [PROBE_ITERATOR_TCP] = {ITERATOR_TCP, PROTO_BIT(PROTO_TCP)},
        [PROBE_ITERATOR_UDP] = {ITERATOR_UDP, PROTO_BIT(PROTO_UDP)},
        [PROBE_ITERATOR_GLANCE] = {ITERATOR_GLANCE, 0},
    };
    CLEANUP(iterator_close) struct iterator iterator = ITERATOR_INIT;
    int r = iterator_open(iterators[which].kind, &iterator);

    if (r == 0 && iterators[which].protos)
        r = iterator_walk(&iterator, 0, ignore_record, NULL);
    if (r == 0)
        probing->found.bpf_protos |= iterators[which].protos;
    return r == -ENOMEM ? -ENOBUFS : r; /* the kernel's memory, not ours */
}

int probe_descriptors(struct probing *probing, unsigned int unused)
{
    CLEANUP(iterator_close) struct iterator iterator = ITERATOR_INIT;
    CLEANUP(bpf_pass_done) struct bpf_pass pass;
    CLEANUP(snapshot_done) struct snapshot snapshot;
    struct collection collection = {.snapshot = &snapshot, .request = probing->request};
    int r = snapshot_init(&snapshot);

    (void)unused;
    bpf_pass_init(&pass, &collection);
    if (r == 0)
        r = bpf_pass_open_descriptors(&pass, PROTO_ALL, &iterator);
    return r;
}

int probe_calls(struct probing *probing, unsigned int unused)
{
    CLEANUP(traffic_program_close) struct traffic_program program = TRAFFIC_PROGRAM_INIT;
    int r = traffic_calls_open(proc_pidns_inode(), &program);

    (void)unused;
    if (r == 0)
        r = rehearse_calls(&program);
    if (r == 0 && program.part == TRAFFIC_CALLS_BY_FUNCTIONS)
        buf_puts(&probing->detail, "bytes of every process, by the kernel's functions: it has no "
                                   "tracepoints of calls (Linux 6.3)");
    return r == -ENOMEM ? -ENOBUFS : r;
}

int probe_traffic(struct probing *probing, unsigned int which)
{
    static const enum traffic_part parts[] = {
        [PROBE_TRAFFIC_PACKETS] = TRAFFIC_PACKETS,
        [PROBE_TRAFFIC_PEERS] = TRAFFIC_PEERS,
    };
    CLEANUP(traffic_program_close) struct traffic_program program = TRAFFIC_PROGRAM_INIT;
    int r = traffic_program_open(parts[which], proc_pidns_inode(), &program);

    (void)probing;
    if (r == 0 && which == PROBE_TRAFFIC_PACKETS)
        r = rehearse_packets(&program);
    return r == -ENOMEM ? -ENOBUFS : r;
}

int probe_packet_owners(struct probing *probing, unsigned int unused)
{
    struct packet_owners *owners = NULL;
    int why = 0, r = packet_owners_open(true, &owners, &why);

    (void)probing;
    (void)unused;
    packet_owners_close(owners);
    return r < 0 ? r : why;
}

#else

int facility_no_bpf(struct probing *probing)
{
    buf_puts(&probing->lacks, "BPF in this build of nwho");
    buf_puts(&probing->fix, "build it with clang, bpftool and the headers of libbpf");
    return -ENOSYS;
}

int probe_iterator(struct probing *probing, unsigned int which)
{
    (void)which;
    return facility_no_bpf(probing);
}

int probe_descriptors(struct probing *probing, unsigned int unused)
{
    (void)unused;
    return facility_no_bpf(probing);
}

int probe_calls(struct probing *probing, unsigned int unused)
{
    (void)unused;
    return facility_no_bpf(probing);
}

int probe_traffic(struct probing *probing, unsigned int which)
{
    (void)which;
    return facility_no_bpf(probing);
}

int probe_packet_owners(struct probing *probing, unsigned int unused)
{
    (void)unused;
    return facility_no_bpf(probing);
}

#endif
