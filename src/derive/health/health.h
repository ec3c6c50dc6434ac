/* SPDX-License-Identifier: MIT */
/* Health: the checks, run on the two ends of a window. Pure. */
#pragma once

#include "base/buf.h"
#include "base/map.h"
#include "derive/health/allowed.h"
#include "derive/health/check.h"

/* Which checks to run, and from when on they alarm. Everything is borrowed. */
struct health_plan {
    const uint32_t *chosen; /* indexes into checks[] */
    uint32_t chosen_count;
    const struct limit *limits; /* CHECK_LIMITS_MAX for each of checks[] */
    const struct allowed_listener *allowed;
    uint32_t allowed_count;
    bool goes_on;                    /* the end of a window is the beginning of the next one */
    const struct snapshot *baseline; /* listeners of an earlier moment; NULL: none are known */
};

/*
 * How far the checks look. Most of the time nothing is wrong, and few facts show that: at the end
 * of the window there is a glance first, and more is read where some check suspects something:
 * first what confirms it, where that costs less than the whole.
 */
enum health_look {
    HEALTH_BEFORE, /* at the beginning of the window */
    HEALTH_GLANCE,
    HEALTH_CLOSER,
    HEALTH_WHOLE,
};

/*
 * What the checks must have read for that: which sockets are wanted, and needs, which are added to
 * those of the request; at the beginning nothing else is needed.
 */
void health_request(const struct health_plan *plan, enum health_look look, struct request *request);

/*
 * What the next look must read, by what a glance or a closer look has shown, of which the join is.
 * *ret_needed: whether there has to be one. 0 or -ENOMEM.
 */
int health_request_next(const struct health_plan *plan, enum health_look seen,
                        const struct snapshot *before, const struct snapshot *now,
                        const struct join *join, struct request *request, bool *ret_needed)
    MUST_CHECK;

/*
 * Runs the checks on the ends of a window; the join is that of `now`. 0 and findings to be ended by
 * findings_done(), or -ENOMEM.
 */
int health_examine(const struct health_plan *plan, const struct snapshot *before,
                   const struct snapshot *now, const struct join *join,
                   struct findings *ret_findings) MUST_CHECK;

/* --- for checks --- */

#define HEALTH_PHRASES_MAX 10

struct examination {
    const struct snapshot *now, *before;
    const struct join *join;
    uint64_t window_ns;
    const struct health_plan *plan;
    const struct limit *limits; /* of the check that runs, in the order of its thresholds */
    const struct check *check;
    struct check_result *result;
    struct findings *findings;
    struct map counters_now, counters_before;  /* by counter_key() */
    struct map settings;                       /* the same, of `now` */
    struct map sockets_before;                 /* cookie, or ends -> index */
    struct map interfaces_before;              /* interface_identity() -> index */
    struct phrase phrases[HEALTH_PHRASES_MAX]; /* what is said, until health_add() */
    uint32_t phrase_count;
};

/* Everything is borrowed; the end of the window has the join. To be ended also when it fails. 0 or
 * -ENOMEM. */
int examination_begin(struct examination *examination, const struct health_plan *plan,
                      const struct snapshot *before, const struct snapshot *now,
                      const struct join *join) MUST_CHECK;
void examination_done(struct examination *examination);

/* A counter at both ends of the window. */
struct change {
    bool known; /* at the end; `before` is 0 where it was not there at the beginning */
    uint64_t before, after;
    uint64_t delta; /* what it counted meanwhile; 0 where it went back */
    uint64_t rate;  /* a second, rounded up: what happened once is not nothing */
};

/* By the name that `nwho stats` shows: "TcpExtListenOverflows". */
struct change health_counter(const struct examination *examination, uint32_t netns,
                             const char *name);

/* A counter of the machine; it stands in each namespace that was read. */
struct change health_machine_counter(const struct examination *examination, const char *name);

/*
 * A setting by the name of sysctl(8), of a namespace or of the machine; NULL: it is not known, or
 * not there.
 */
const struct setting *health_setting(const struct examination *examination, uint32_t netns,
                                     const char *name);

/* Its first number, or what stands for it where it is not known. */
uint64_t health_setting_number(const struct examination *examination, uint32_t netns,
                               const char *name, uint64_t unknown);

/* What happened `count` times meanwhile, a second: rounded up, as above. */
uint64_t health_rate(const struct examination *examination, uint64_t count);

/* What a counter of `now` has counted meanwhile: for those that are not of one namespace. */
struct change health_change(const struct examination *examination, const struct counter *after);

/* The same interface, or process, at the beginning of the window, or NULL. */
const struct interface *health_interface_before(const struct examination *examination,
                                                const struct interface *interface);
const struct process *health_process_before(const struct examination *examination,
                                            const struct process *process);

/* The same socket at the beginning of the window, or NULL. */
const struct socket *health_socket_before(const struct examination *examination,
                                          const struct socket *socket);

/* How many TCP sockets are in any of these states: STATE_BIT()s. */
uint32_t health_count(const struct examination *examination, uint32_t states);

/* The process that holds a socket, the first of several; HEALTH_NONE: none is known. */
uint32_t health_owner(const struct examination *examination, uint32_t socket);

/* The subject that a socket makes: its namespace, owner and peer. */
struct subject health_subject(const struct examination *examination, uint32_t socket);

/* What a value is by the limit number `which` of the check. */
enum severity health_judge(const struct examination *examination, uint32_t which, uint64_t value);

/* Says a part of what is wrong; all that was said is `what` of the next finding. */
void health_say_phrase(struct examination *examination, const struct phrase *phrase);
#define health_say(examination, marked, ...)                                                       \
    health_say_phrase(examination, &PHRASE(marked, __VA_ARGS__))

/* How long was looked. */
struct phrase_fact fact_window(const struct examination *examination);

/*
 * Adds a finding of what was said. Then its evidence, one by one. -ENOMEM when there is no memory.
 */
int health_add(struct examination *examination, enum severity severity, uint32_t advice,
               const struct subject *subject, uint64_t harm) MUST_CHECK;
int health_prove(struct examination *examination, struct evidence evidence) MUST_CHECK;

/* Evidence of a counter that counts events. `source` as in struct evidence. */
int health_prove_change(struct examination *examination, const char *counter, const char *source,
                        const struct change *change, uint64_t threshold) MUST_CHECK;

/* Evidence of a number that there is now. */
int health_prove_number(struct examination *examination, const char *counter, const char *source,
                        enum unit unit, uint64_t number, uint64_t threshold) MUST_CHECK;

/* Says what the check could not see; the first reason stays. */
void health_skip(struct examination *examination, const char *why);
