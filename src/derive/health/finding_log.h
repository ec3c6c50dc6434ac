/* SPDX-License-Identifier: MIT */
/* Finding log: what is noted of the doctor's findings from one look to the next, and how. Pure. */
#pragma once

#include "derive/health/finding.h"

struct logged_finding;

struct finding_log {
    struct logged_finding *items;
    uint32_t count, capacity;
};

void finding_log_done(struct finding_log *log);

/*
 * One finding of the running look. Of those with one identity the worst counts: who has it and
 * which check it is, rather than its numbers. 0 or -ENOMEM.
 */
int finding_log_see(struct finding_log *log, uint64_t identity, enum severity severity,
                    const char *check, const char *what) MUST_CHECK;

/*
 * Ends the look: notes what has begun, what is worse, and what is better or over, as soon as that
 * is so for several looks. `note` returns 0 or -errno; what it could not take it is given after the
 * next look.
 */
int finding_log_note(struct finding_log *log, int (*note)(const char *text, void *context),
                     void *context) MUST_CHECK;

/* A note in its parts; nothing is terminated. */
struct finding_note {
    const char *severity; /* "crit", "warn", "info"; "over": it is not there any more */
    const char *check;
    const char *what;
    size_t severity_length, check_length, what_length;
};

/* "crit close-wait: java(2210) keeps ...". False: it is something else. */
bool finding_note_parse(const char *text, size_t length, struct finding_note *ret_note);
