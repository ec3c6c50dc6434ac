/* SPDX-License-Identifier: MIT */
/* Finding: what is wrong with whom, and the numbers that say so. Findings refer to the snapshot at
 * the end of the window by index. */
#pragma once

#include "base/arena.h"
#include "base/phrase.h"
#include "base/units.h"
#include "model/snapshot.h"

#define HEALTH_NONE UINT32_MAX

/* In the order of harm. */
enum severity {
    SEVERITY_OK,
    SEVERITY_INFO, /* to know, nothing is lost yet */
    SEVERITY_WARN,
    SEVERITY_CRIT,
    SEVERITY_MAX,
};

const char *severity_name(unsigned int severity);

/* A number of the evidence that is not known, or does not apply. */
#define EVIDENCE_NONE INT64_MIN

/* One fact that a finding rests on. */
struct evidence {
    const char *counter; /* as the source calls it, or what was counted: "sockets in close-wait" */
    const char *source;  /* the kernel's file or interface */
    enum unit unit;
    int64_t before, after; /* at the beginning and at the end of the window */
    int64_t rate;          /* a second, rounded */
    int64_t threshold;     /* what it takes to be a finding; of `rate` when that is known */
};

/* Whom a finding is about: as much of it as is known, HEALTH_NONE for the rest. */
struct subject {
    uint32_t netns;     /* index into snapshot.netns; HEALTH_NONE: the machine */
    uint32_t process;   /* the culprit: index into snapshot.processes */
    uint32_t socket;    /* the listener, or one example: index into snapshot.sockets */
    uint32_t interface; /* index into snapshot.interfaces */
    /* The remote: an address of the family (AF_*, 0: none), or a network where prefix is shorter
     * than the address; port 0: any. */
    union address peer;
    uint8_t peer_family, peer_prefix;
    uint16_t peer_port;
    bool acts; /* the finding says what the process does, which is named also when it is unknown */
};

#define SUBJECT_NONE                                                                               \
    ((struct subject){.netns = HEALTH_NONE,                                                        \
                      .process = HEALTH_NONE,                                                      \
                      .socket = HEALTH_NONE,                                                       \
                      .interface = HEALTH_NONE})

struct advice;
struct check;

struct finding {
    const struct check *check;
    const struct advice *advice; /* one of check->advice */
    enum severity severity;
    struct subject subject;
    const char *what; /* one line of plain text, without names from outside; in the arena */
    const struct phrase *phrases; /* the same, to be put into another language; in the arena */
    uint32_t phrase_count;
    uint64_t harm;     /* orders findings of one severity; the unit is the check's own */
    uint32_t evidence; /* index of the first in findings.evidence */
    uint32_t evidence_count;
};

/* What was examined and what was not. */
struct check_result {
    const struct check *check;
    const char *skipped; /* why it did not run or saw only a part; NULL: it saw everything */
    uint32_t findings;   /* warn and crit */
};

struct findings {
    struct arena arena;
    struct finding *items; /* in the order of harm */
    uint32_t count, capacity;
    struct evidence *evidence;
    uint32_t evidence_count, evidence_capacity;
    struct check_result *results; /* one for each check that was asked for, in their order */
    uint32_t result_count;
    uint64_t window_ns; /* between the two readings; 0: it was one */
};

/* What it says, in a language. */
void finding_say(const struct finding *finding, translation *translate, struct buf *out);

void findings_done(struct findings *findings);

/* The worst of them, SEVERITY_OK when there is none. */
enum severity findings_worst(const struct findings *findings);
