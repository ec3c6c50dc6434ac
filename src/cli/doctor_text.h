/* SPDX-License-Identifier: MIT */
/* How the doctor speaks: findings, and what a check is about, as text for people. */
#pragma once

#include "derive/health/check.h"
#include "table/query.h"

struct doctor_style {
    bool color;
    uint32_t width; /* of lines; they are broken between words */
};

/* Each finding of the grid: what, why, what to do. */
void doctor_put_findings(const struct grid *grid, const struct doctor_style *style,
                         struct buf *out);

/* One of them as a line: what, and the command that tells more. */
void doctor_put_line(const struct view *view, const struct finding *finding,
                     const struct doctor_style *style, struct buf *out);

/* Whose fault it is, what is wrong, and in which network namespace: plain text, with names from
 * outside as they are. In the language of the user, or not: what is kept is never translated. */
void doctor_put_what(const struct view *view, const struct finding *finding, translation *translate,
                     struct buf *out);

/* How many checks found nothing, and what was left out and why. */
void doctor_put_summary(const struct view *view, const struct doctor_style *style, struct buf *out);

/* The exit code of a Nagios plug-in: 0 ok, 1 warning, 2 critical, 3 unknown. */
int doctor_nagios_state(const struct findings *findings, bool incomplete);

/* The line of a Nagios plug-in. */
void doctor_put_nagios(const struct view *view, struct buf *out);

/* --explain: the theory of a check, its thresholds and its advice. */
void doctor_put_check(const struct check *check, const struct doctor_style *style, struct buf *out);
