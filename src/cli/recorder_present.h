/* SPDX-License-Identifier: MIT */
/* The present, for questions of the API: snapshots of the machine that the recorder hands to the
 * process which answers them. */
#pragma once

#include "base/cleanup.h"

struct recorder_present;
struct serve;

/* The server is borrowed. NULL: there is no memory. */
struct recorder_present *recorder_present_new(struct serve *serve);
void recorder_present_free(struct recorder_present *present);

/* Readable when a snapshot is wanted; -1: nobody will want one. */
int recorder_present_fd(const struct recorder_present *present);

/*
 * Reads the machine in a child, at most once in two seconds and for a fifth of the time, as long as
 * one is wanted: a tick never waits for it. To be called when it is readable, and now and then.
 */
void recorder_present_go_on(struct recorder_present *present);
