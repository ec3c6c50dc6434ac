/* SPDX-License-Identifier: MIT */
/* The present, for questions of the API: snapshots of the machine, which a process beside the
 * recorder hands to that which answers them. */
#pragma once

struct recorder_present;
struct serve;

/*
 * Starts that process, which reads the machine at most once in two seconds and for a fifth of the
 * time, as long as somebody asks: a tick never waits for it. To be called before anything is opened
 * that is none of its business. The server is borrowed. NULL: there is no memory.
 */
struct recorder_present *recorder_present_new(struct serve *serve);
void recorder_present_free(struct recorder_present *present);

/* Starts it again where it has ended. To be called now and then. */
void recorder_present_keep(struct recorder_present *present);
