/* SPDX-License-Identifier: MIT */
/* A history whose file is damaged: bits are flipped, and what a question says then. */
#pragma once

#include "store_fixture.h"

static inline off_t length_of(const char *path)
{
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    return status.st_size;
}

static inline void flip(const char *path, off_t byte, unsigned int bit)
{
    CLEANUP_CLOSE int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t value;

    assert_int_equal(pread(fd, &value, 1, byte), 1);
    value ^= (uint8_t)(1u << bit);
    assert_int_equal(pwrite(fd, &value, 1, byte), 1);
}

/* What a question says. */
struct said {
    int error; /* of opening, or of the question */
    uint64_t rx_bytes, measured_ns;
    uint32_t unnamed;
    bool incomplete, doubted;
};

static inline void sum_up(const struct store_answer *answer, struct said *said)
{
    const struct snapshot *snapshot = &answer->snapshot;

    said->rx_bytes = sum_of(snapshot).rx_bytes;
    said->measured_ns = answer->measured_ns;
    for (uint32_t i = 0; i < snapshot->flows_count; i++)
        said->unnamed += !snapshot->flows[i].process;
    for (uint32_t i = 0; i < snapshot->notes_count; i++) {
        said->incomplete |= snapshot->notes[i].effect == NOTE_INCOMPLETE;
        said->doubted = true;
    }
}

/* The last minute is left out, as else the hour would answer for its minutes. */
static inline struct said ask(const char *path, enum store_tier tier)
{
    CLEANUP_ANSWERS struct answers answers = {0};
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store_question question = {.since_ns = BEGIN_NS,
                                      .until_ns = BEGIN_NS + 3540 * SECOND_NS,
                                      .tier = tier,
                                      .parts = STORE_PROCESSES | STORE_NOTES};
    struct store *reader = NULL;
    struct said said = {0};

    said.error = store_open_to_read(path, &reader, &problem);
    assert_true(said.error == 0 || problem.length > 0);
    if (said.error == 0)
        said.error = store_read(reader, &question, keep_answer, &answers);
    if (said.error == 0)
        sum_up(&answers.items[0], &said);
    store_close(reader);
    return said;
}

static inline bool is_same(const struct said *a, const struct said *b)
{
    return a->error == b->error && a->rx_bytes == b->rx_bytes && a->unnamed == b->unnamed &&
           a->measured_ns == b->measured_ns;
}
