/* SPDX-License-Identifier: MIT */
/* Whose captured packets are: a table of flows that the kernel tells of, each once. */
/*
 * What BPF tells is exact, also behind NAT, and is there soon after the packet. What it has not
 * told has no socket, or is older; then the kernel is asked for the socket of these two ends.
 */
#include "collect/packet_owners.h"

#include "base/clock.h"
#include "base/vec.h"
#include "collect/packet_holders.h"
#include "collect/packet_memory.h"
#include "collect/packet_place.h"
#include "collect/packet_sockets.h"
#include "collect/proc_file.h"

#if HAVE_BPF
#include "bpf/packet_owners.h"
#endif

#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <string.h>

/* A packet so long after the end of its socket is not one of its last ones. */
#define LINGER_NS (10 * MILLISECOND_NS)

struct packet_owners {
    struct packet_sockets sockets;
    struct packet_holders holders; /* without BPF */
    struct packet_place *places;
    uint32_t place_count, place_capacity;
    struct packet_memory memory;
    uint64_t boot_ns; /* CLOCK_REALTIME when CLOCK_BOOTTIME was 0 */
    bool told;        /* BPF tells */
#if HAVE_BPF
    struct packet_owners_program program;
#endif
};

/* --- what is told --- */

#if HAVE_BPF
static int take_record(void *context, const struct packet_owner_record *record)
{
    return packet_sockets_take(context, record);
}

static int open_told(struct packet_owners *owners)
{
    owners->program = PACKET_OWNERS_PROGRAM_INIT;
    return packet_owners_program_open(&owners->program, proc_pidns_inode());
}

static int read_told(struct packet_owners *owners)
{
    return packet_owners_program_read(&owners->program, take_record, &owners->sockets);
}

uint64_t packet_owners_lost(const struct packet_owners *owners)
{
    return owners->told ? packet_owners_program_lost(&owners->program) : 0;
}

static void narrow_told(struct packet_owners *owners, uint32_t netns)
{
    packet_owners_program_narrow(&owners->program, netns);
}

static void close_told(struct packet_owners *owners)
{
    packet_owners_program_close(&owners->program);
}
#else
static int open_told(struct packet_owners *owners)
{
    (void)owners;
    return -ENOSYS;
}

static int read_told(struct packet_owners *owners)
{
    (void)owners;
    return 0;
}

uint64_t packet_owners_lost(const struct packet_owners *owners)
{
    (void)owners;
    return 0;
}

static void narrow_told(struct packet_owners *owners, uint32_t netns)
{
    (void)owners;
    (void)netns;
}

static void close_told(struct packet_owners *owners)
{
    (void)owners;
}
#endif

int packet_owners_open(bool with_bpf, struct packet_owners **ret_owners, int *ret_why)
{
    struct packet_owners *owners = calloc(1, sizeof(*owners));
    int r;

    if (!owners)
        return -ENOMEM;
    *ret_why = with_bpf ? open_told(owners) : -ECANCELED;
    owners->told = *ret_why == 0;
    r = packet_owners_update(owners);
    if (r < 0) {
        packet_owners_close(owners);
        return r;
    }
    *ret_owners = owners;
    return 0;
}

void packet_owners_close(struct packet_owners *owners)
{
    if (!owners)
        return;
    if (owners->told)
        close_told(owners);
    for (uint32_t i = 0; i < owners->place_count; i++)
        packet_place_close(&owners->places[i]);
    free(owners->places);
    packet_sockets_done(&owners->sockets);
    packet_holders_done(&owners->holders);
    free(owners);
}

bool packet_owners_by_bpf(const struct packet_owners *owners)
{
    return owners->told;
}

int packet_owners_add_place(struct packet_owners *owners, uint32_t *ret_place)
{
    uint32_t at = 0;
    int r = VEC_RESERVE(&owners->places, &owners->place_capacity, owners->place_count, 1);

    while (at < owners->place_count && owners->places[at].netns) /* or one that was dropped */
        at++;
    if (r == 0)
        r = packet_place_open(&owners->places[at]);
    if (r < 0)
        return r;
    owners->place_count += at == owners->place_count;
    *ret_place = at;
    return 0;
}

void packet_owners_narrow(struct packet_owners *owners)
{
    uint32_t count = owners->place_count;

    for (uint32_t i = 1; i < count; i++)
        if (owners->places[i].netns != owners->places[0].netns)
            return;
    if (owners->told && count)
        narrow_told(owners, owners->places[0].netns);
}

void packet_owners_drop_place(struct packet_owners *owners, uint32_t place)
{
    packet_place_close(&owners->places[place]);
    owners->places[place] = PACKET_PLACE_INIT;
    packet_memory_forget(&owners->memory);
}

void packet_owners_learn(struct packet_owners *owners)
{
    packet_holders_read(&owners->holders, &owners->sockets);
}

int packet_owners_update(struct packet_owners *owners)
{
    owners->boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);
    packet_memory_forget(&owners->memory);
    return owners->told ? read_told(owners) : 0;
}

const struct packet_process *const *packet_owners_told(const struct packet_owners *owners,
                                                       uint32_t *ret_count)
{
    *ret_count = owners->sockets.process_count;
    return owners->sockets.processes;
}

/* --- one end of a packet --- */

/* A question about one end, and what is known to answer it. */
struct question {
    struct packet_owners *owners;
    struct packet_place *place;
    const struct packet_ends *ends;
    const uint8_t *link_source; /* of the packet with these ends; NULL: unknown */
    uint64_t time_ns;           /* CLOCK_BOOTTIME */
    bool sender;
    bool broadcast; /* it is for all of a network */
    bool timed;     /* the answer is that of packets of this time alone */
};

static struct packet_flow_key key_of(const struct question *question)
{
    const struct packet_ends *ends = question->ends;
    bool sender = question->sender;
    struct packet_flow_key key = {
        .netns = question->place->netns, .family = ends->family, .proto = ends->proto};

    key.local_port = sender ? ends->source_port : ends->target_port;
    key.peer_port = sender ? ends->target_port : ends->source_port;
    if (ends->proto == IPPROTO_ICMP || ends->proto == IPPROTO_ICMPV6)
        key.peer_port = 0;
    memcpy(key.local, sender ? ends->source : ends->target, sizeof(key.local));
    memcpy(key.peer, sender ? ends->target : ends->source, sizeof(key.peer));
    return key;
}

static struct packet_end end_of(struct question *question, const struct packet_uses *uses)
{
    const struct packet_use *use = uses ? packet_uses_at(uses, question->time_ns) : NULL;

    if (uses && uses->count > 1)
        question->timed = true;
    if (!use)
        return (struct packet_end){.kind = PACKET_END_UNKNOWN};
    if (use->is_kernel)
        return (struct packet_end){.kind = PACKET_END_KERNEL, .cookie = uses->cookie};
    return (struct packet_end){.kind = use->from == EVENT_OWNER_LISTENER ? PACKET_END_LISTENER
                                                                         : PACKET_END_PROCESS,
                               .cookie = uses->cookie,
                               .process = use->process};
}

static struct packet_end end_of_socket(struct question *question,
                                       const struct packet_socket *socket)
{
    struct packet_owners *owners = question->owners;
    struct packet_end end = end_of(question, packet_sockets_uses(&owners->sockets, socket->cookie));

    if (end.kind == PACKET_END_UNKNOWN) {
        end.cookie = socket->cookie;
        end.process = owners->told ? packet_holders_known(&owners->holders, socket->cookie)
                                   : packet_holders_find(&owners->holders, socket->cookie);
        if (end.process)
            end.kind = socket->listens ? PACKET_END_LISTENER : PACKET_END_PROCESS;
    }
    if (socket->time_wait)
        end.kind = PACKET_END_TIME_WAIT;
    return end;
}

/* Echoes are answered, and errors told, by the kernel; neighbours are its business too. */
static bool is_kernels(const struct packet_ends *ends)
{
    return ends->proto == IPPROTO_ICMP || ends->proto == IPPROTO_ICMPV6 ||
           ends->proto == IPPROTO_IGMP;
}

static bool is_echo_answer(const struct packet_ends *ends)
{
    return ends->family == AF_INET
               ? ends->proto == IPPROTO_ICMP && ends->icmp_type == ICMP_ECHOREPLY
               : ends->proto == IPPROTO_ICMPV6 && ends->icmp_type == ICMP6_ECHO_REPLY;
}

static bool is_echo(const struct packet_ends *ends)
{
    return ends->family == AF_INET
               ? ends->proto == IPPROTO_ICMP && ends->icmp_type == ICMP_ECHO
               : ends->proto == IPPROTO_ICMPV6 && ends->icmp_type == ICMP6_ECHO_REQUEST;
}

/* The end whose process has the socket of an echo. */
static bool is_asker(const struct question *question)
{
    return question->sender ? is_echo(question->ends) : is_echo_answer(question->ends);
}

static bool is_unspecified(const uint8_t *address)
{
    static const uint8_t none[16];

    return memcmp(address, none, sizeof(none)) == 0;
}

/* Who has no address yet is told by that of the link: who looks whether an address is another's. */
static bool sent_by_us(struct question *question)
{
    static const uint8_t none[6];
    const uint8_t *link = question->link_source;

    question->timed = true; /* others' packets have the same ends */
    return link && memcmp(link, none, sizeof(none)) != 0 &&
           packet_place_has_link(question->place, link);
}

static bool is_ours(struct question *question, const uint8_t *address)
{
    unsigned int route;

    if (question->sender && is_unspecified(address))
        return sent_by_us(question);
    route = packet_place_route(question->place, question->ends->family, address);
    question->broadcast |= !question->sender && route == RTN_BROADCAST;
    return route == RTN_LOCAL;
}

/* Without an entry: why there is none. */
static struct packet_end ask(struct question *question)
{
    const struct packet_ends *ends = question->ends;
    const uint8_t *address = question->sender ? ends->source : ends->target;
    struct packet_socket socket;
    int r;

    if (!is_ours(question, address))
        return (struct packet_end){.kind = PACKET_END_ELSEWHERE};
    if (is_kernels(ends))
        return (struct packet_end){.kind =
                                       is_asker(question) ? PACKET_END_UNKNOWN : PACKET_END_KERNEL};
    if (question->sender && is_unspecified(address)) /* no question for sockets has it */
        return (struct packet_end){.kind = PACKET_END_UNKNOWN};
    r = ends->is_short ? -EOPNOTSUPP
                       : packet_place_find(question->place, ends, question->sender, &socket);
    if (r == 0)
        return end_of_socket(question, &socket);
    /* Without BPF it may have been there. */
    return (struct packet_end){.kind = r == -ENOENT && question->owners->told
                                           ? PACKET_END_CLOSED_PORT
                                           : PACKET_END_UNKNOWN};
}

/* The socket of the entry that this packet belongs to: requests for connections are the
 * listener's. */
static const struct packet_uses *uses_of(const struct question *question,
                                         const struct packet_flow_entry *flow)
{
    const struct packet_sockets *sockets = &question->owners->sockets;
    bool opens = question->ends->proto == IPPROTO_TCP && question->ends->tcp_flags & TH_SYN;
    uint64_t cookie = (opens && flow->listener) || !flow->cookie ? flow->listener : flow->cookie;

    return packet_sockets_uses(sockets, cookie);
}

/* What a socket that is gone left: its connection in time-wait, or nothing. */
static struct packet_end end_of_closed(struct question *question, const struct packet_uses *uses)
{
    struct packet_end end = end_of(question, uses), now = ask(question);

    if (now.kind == PACKET_END_TIME_WAIT)
        now.process = end.process;
    return now;
}

static struct packet_end find_end(struct question *question)
{
    struct packet_flow_key key = key_of(question);
    const struct packet_flow_entry *flow =
        question->ends->is_short ? NULL : packet_sockets_flow(&question->owners->sockets, &key);
    const struct packet_uses *uses = flow ? uses_of(question, flow) : NULL;

    if (!flow)
        return ask(question);
    if (uses && uses->closed_ns)
        question->timed = true;
    if (uses && uses->closed_ns && question->time_ns > uses->closed_ns + LINGER_NS)
        return end_of_closed(question, uses);
    return end_of(question, uses);
}

/* --- a tracked connection --- */

bool packet_owners_knows_sender(const struct packet_owners *owners, uint32_t place,
                                const struct packet_ends *ends)
{
    const struct question question = {
        .place = &owners->places[place], .ends = ends, .sender = true};
    struct packet_flow_key key = key_of(&question);

    return packet_sockets_flow(&owners->sockets, &key) != NULL;
}

/* Of a flow that nothing but packet_owners_learn() told of. */
static struct packet_end end_of_learned(const struct packet_owners *owners, uint64_t cookie)
{
    const struct packet_process *process = packet_holders_known(&owners->holders, cookie);

    return (struct packet_end){.kind = process ? PACKET_END_PROCESS : PACKET_END_UNKNOWN,
                               .cookie = cookie,
                               .process = process};
}

void packet_owners_find_sender(struct packet_owners *owners, uint32_t place,
                               const struct packet_ends *ends, uint64_t since_ns,
                               struct packet_end *ret_end)
{
    struct question question = {.owners = owners,
                                .place = &owners->places[place],
                                .ends = ends,
                                .time_ns = clock_ns(CLOCK_BOOTTIME),
                                .sender = true};
    struct packet_flow_key key = key_of(&question);
    const struct packet_flow_entry *flow = packet_sockets_flow(&owners->sockets, &key);
    const struct packet_uses *uses = flow ? uses_of(&question, flow) : NULL;

    if (!flow || (uses && uses->closed_ns && uses->closed_ns < since_ns))
        *ret_end = ask(&question);
    else
        *ret_end = end_of(&question, uses);
    if (flow && ret_end->kind == PACKET_END_UNKNOWN && flow->cookie && !uses)
        *ret_end = end_of_learned(owners, flow->cookie);
}

/* --- the whole packet --- */

/* The socket of an echo is that of who asks: at the other end is the kernel. */
static void find_ends(struct question *question, struct packet_owner *owner)
{
    const struct packet_ends *ends = question->ends;

    question->sender = true;
    owner->sender = is_echo_answer(ends) ? ask(question) : find_end(question);
    question->sender = false;
    owner->receiver = is_echo(ends) ? ask(question) : find_end(question);
}

/* Routers pass on what is for one address. */
static uint8_t transit_of(const struct question *question)
{
    const struct packet_ends *ends = question->ends;
    bool is_v4 = ends->family == AF_INET;
    static const uint8_t everybody[4] = {255, 255, 255, 255};

    if (is_v4 ? ends->target[0] >> 4 == 14 : ends->target[0] == 255)
        return PACKET_TRANSIT_MULTICAST;
    if (question->broadcast || (is_v4 && memcmp(ends->target, everybody, 4) == 0))
        return PACKET_TRANSIT_BROADCAST;
    return PACKET_TRANSIT_FORWARDED;
}

/* True: the owner is that of all packets with these ends, for now. */
static bool find_owner(struct packet_owners *owners, uint32_t place, const struct packet_flow *flow,
                       uint64_t time_ns, struct packet_owner *owner)
{
    struct question question = {.owners = owners,
                                .place = &owners->places[place],
                                .ends = &flow->ends,
                                .link_source = flow->link_source,
                                .time_ns = time_ns - owners->boot_ns};

    find_ends(&question, owner);
    if (owner->sender.kind == PACKET_END_ELSEWHERE && owner->receiver.kind == PACKET_END_ELSEWHERE)
        owner->transit = transit_of(&question);
    if (!flow->quoted.family)
        return !question.timed;
    question.link_source = NULL;
    question.ends = &flow->quoted; /* an error: for who sent what it quotes */
    question.sender = true;
    if (owner->receiver.kind == PACKET_END_KERNEL)
        owner->receiver = find_end(&question);
    return false;
}

void packet_owners_find(struct packet_owners *owners, uint32_t place,
                        const struct packet_flow *flow, uint64_t time_ns,
                        struct packet_owner *ret_owner)
{
    struct packet_owner owner = {.sender.kind = PACKET_END_ELSEWHERE};
    const struct packet_owner *known = NULL;
    struct packet_remembered *slot = NULL;

    if (!flow->ends.family) {
        *ret_owner = owner;
        return;
    }
    if (!flow->quoted.family)
        known = packet_memory_find(&owners->memory, place, &flow->ends, &slot);
    if (known) {
        *ret_owner = *known;
        return;
    }
    if (find_owner(owners, place, flow, time_ns, &owner))
        packet_memory_keep(&owners->memory, slot, &owner);
    *ret_owner = owner;
}
