/* SPDX-License-Identifier: MIT */
/* Check: one rule of the doctor. What it looks for, from when on, and what it says are data; how it
 * looks is a pure function of two snapshots. A file for each check is beside this one. */
#pragma once

#include "derive/health/finding.h"
#include "derive/join.h"
#include "model/request.h"

#define CHECK_LIMITS_MAX 4
#define CHECK_TEXTS_MAX 5

/* From which value on something is a finding. A severity that cannot be reached has LIMIT_NEVER. */
struct limit {
    uint64_t warn, crit;
};

#define LIMIT_NEVER UINT64_MAX

struct threshold {
    const char *name; /* in the configuration: "close-wait.sockets" is "sockets" of close-wait */
    const char *help; /* what it limits */
    enum unit unit;
    struct limit usual;
    const char *source; /* where the value is from */
};

/*
 * What to say about one cause. Texts may have fields, which are replaced by facts of the subject:
 * {process} {pid} {unit} {local} {port} {peer} {peer_port} {iface} {netns}; {in} is " -N NAME"
 * where the namespace is not the one that nwho runs in, to be put behind a command.
 */
struct advice {
    const char *cause;
    const char *fix[CHECK_TEXTS_MAX];   /* what to do, the best first; ends with NULL */
    const char *avoid[CHECK_TEXTS_MAX]; /* what people do, and should not */
    const char *next[CHECK_TEXTS_MAX];  /* commands that show more */
};

struct examination;

struct check {
    const char *name;        /* "close-wait" */
    const char *title;       /* one line: what it finds */
    uint64_t needs;          /* enum need, at the end of the window */
    uint64_t before;         /* the same, of what is compared with it */
    uint64_t glance;         /* the same, of what tells suspects() enough */
    uint64_t closer;         /* the same, of what tells confirms() enough */
    uint32_t protos, states; /* of the sockets it looks at: PROTO_BIT()s, STATE_BIT()s */
    uint32_t signs; /* enum socket_sign: without any of them it looks at no established connection,
                       but in its second look; 0: it looks at all */
    bool at_once;   /* one reading shows it: `nwho` shows it too, which waits for no second one */
    struct threshold thresholds[CHECK_LIMITS_MAX]; /* those without a name are none */
    const struct advice *advice;
    uint32_t advice_count;
    const char *theory;  /* paragraphs for --explain: what the kernel does, how it is measured */
    const char *sources; /* where to read on */
    /* Narrows what is read by the limits of the check. NULL: they have nothing to do with it. */
    void (*narrow)(const struct limit *limits, struct request *request);
    /* After a glance: whether run() might find more if it had all of `needs`. NULL: these are read
     * at once. */
    bool (*suspects)(const struct examination *examination);
    /* After a closer look at what was suspected, where that is worth it: the same; also where it
     * could not be told. NULL: `needs` are read then. */
    bool (*confirms)(const struct examination *examination);
    /* Adds findings. 0, or -ENOMEM. */
    int (*run)(struct examination *examination);
};

extern const struct check check_accept_queue, check_close_wait, check_retrans, check_stuck;
extern const struct check check_fin_wait2, check_half_open, check_orphans, check_pmtu, check_ports,
    check_resets, check_syn_flood, check_syn_sent, check_tw_overflow;
extern const struct check check_conntrack, check_drops, check_nic, check_udp_drops;
extern const struct check check_deleted_exe, check_exposed, check_fd_limit, check_mem;
extern const struct check check_port_conflict, check_rp_filter, check_unknown_outbound;

/* All checks, in the order in which they are listed. */
extern const struct check *const checks[];
extern const uint32_t check_count;

/* The index into checks[], or HEALTH_NONE: there is none of this name. */
uint32_t check_find(const char *name);
