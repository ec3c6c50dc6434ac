/* SPDX-License-Identifier: MIT */
/* Replay: a time of the history in equal pieces, each a frame of a session. */
#pragma once

#include "cli/history.h"
#include "cli/session.h"

#define REPLAY_BLOCKS 4
#define REPLAY_BLOCK_PIECES 30

/* A piece of the time, or several together. */
struct replay_piece {
    struct frame *frame; /* NULL: it was not read */
    uint64_t since_ns, until_ns;
    uint64_t measured_ns, interface_measured_ns; /* as in struct store_answer */
    struct store_note *notes;                    /* texts are strings of the frame's snapshot */
    uint32_t note_count;
};

/* Pieces that are read at once, and kept until others are needed. */
struct replay_block {
    struct replay_piece pieces[REPLAY_BLOCK_PIECES];
    uint64_t first;   /* number of the first piece */
    uint64_t used;    /* replay.reads when it was last asked for; 0: never */
    uint32_t to_read; /* while it is read: the next one */
};

struct replay {
    struct session *session;
    struct store *store;
    struct store_question question; /* the whole time, with the length of a piece */
    struct store_extent extent;
    uint64_t count;   /* pieces */
    uint64_t late_ns; /* so much later than its name says a piece begins and ends */
    struct replay_block blocks[REPLAY_BLOCKS];
    uint64_t reads;
    uint64_t gap_since_ns, gap_until_ns; /* that was found last; 0: none */
};

/* Since when something is known where a time has so much that was measured: a reading after a long
 * time has what was in it. */
static inline uint64_t replay_known_since(uint64_t since_ns, uint64_t until_ns,
                                          uint64_t measured_ns)
{
    return until_ns - measured_ns < since_ns ? until_ns - measured_ns : since_ns;
}

/* Whether the options ask for the past. */
bool replay_is_asked(const struct options *options);

/* By --since, --until, --every and -d. The session is begun and planned. 0, or EXIT_ERROR after
 * one line on stderr. */
int replay_open(struct session *session, struct replay *ret_replay) MUST_CHECK;
void replay_close(struct replay *replay);

/* The number of the first piece of which something may be known. */
uint64_t replay_first(const struct replay *replay);

/* The piece with this number, which stays the replay's; others may be dropped. 0 or -errno. */
int replay_read(struct replay *replay, uint64_t number, const struct replay_piece **ret_piece)
    MUST_CHECK;

/* All of a time as one piece, which the caller ends. 0 or -errno. */
int replay_read_time(struct replay *replay, uint64_t since_ns, uint64_t until_ns,
                     struct replay_piece *ret_piece) MUST_CHECK;
void replay_piece_done(struct replay_piece *piece);

/* Every piece once, from the first on. What `take` returns other than 0 ends it. */
int replay_all(struct replay *replay, int (*take)(struct replay_piece *piece, void *context),
               void *context) MUST_CHECK;

/*
 * The time around a piece in which nothing was measured: from the end of the last piece before in
 * which something was, to the beginning of the next one; else the ends of the whole time. 1; 0: the
 * next reading has what was in the piece, as readings were that far apart; -errno.
 */
int replay_find_gap(struct replay *replay, const struct replay_piece *piece, uint64_t *ret_since_ns,
                    uint64_t *ret_until_ns) MUST_CHECK;
