/* SPDX-License-Identifier: MIT */
/* Recordings: the files of --record and --replay, and how a question is answered from one. */
#pragma once

#include "model/request.h"
#include "model/snapshot.h"

/* Asks for all that any later question may need, whatever the question of now is. */
void recording_widen(struct request *request);

/* Drops what `request` did not ask for: a recording has more, and it would be counted and shown. */
void recording_narrow(struct snapshot *snapshot, const struct request *request);

/*
 * Writes a file, which appears whole or not at all and is nobody else's to read; a device or a pipe
 * is written to as it is. 0, or EXIT_ERROR after a line on stderr.
 */
int recording_write(const char *path, const struct snapshot *snapshot) MUST_CHECK;

/* The caller then owns *ret. 0, or EXIT_ERROR after a line on stderr. */
int recording_read(const char *path, struct snapshot *ret) MUST_CHECK;
