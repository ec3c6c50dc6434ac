/* SPDX-License-Identifier: MIT */
/* What the fuzz targets share. Each target is one function, which is given bytes and ends the
 * process where a promise is broken. */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct snapshot;

/* The target. Run by libFuzzer in ./dev fuzz, else by driver.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must hold for every input, or be there. */
#define CHECK(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *condition);

/* An input that says which of `count` parsers it is for: by its first byte, '0' is the first one.
 * It has at least one byte. */
static inline size_t fuzz_choose(const uint8_t **data, size_t *size, size_t count)
{
    size_t choice = (uint8_t)(**data - '0') % count;

    ++*data;
    --*size;
    return choice;
}

/* A copy to be freed, for whatever it may hold; its end is the end of the memory, so that ASan sees
 * a step beyond. fuzz_text() puts a NUL behind it. */
void *fuzz_bytes(const uint8_t *data, size_t size);
char *fuzz_text(const uint8_t *data, size_t size);

/* Nothing but the one network namespace that what is parsed is of. */
void fuzz_snapshot(struct snapshot *ret_snapshot);

/* --- outputs: output.c --- */

/* False: what the next two are given is not shown, as only parsers are measured. */
extern bool fuzz_shows;

/* Shows all columns of all tables as text, JSON, JSON lines and CSV, and checks what is written. */
void fuzz_show(const struct snapshot *snapshot);

struct grid;
void fuzz_show_grid(const struct grid *grid);

/* One value of JSON (RFC 8259) and nothing but blanks around it. */
bool json_is_valid(const char *text, size_t length);

/* The content of a JSON string that begins at *at, which is moved behind it. False: it is none. */
bool json_read_string(const char **at, const char *end, struct buf *ret_content);

/* Takes back what escape_text() does. False: it is none of its texts. */
bool text_unescape(const char *text, size_t length, struct buf *ret_bytes);

/* Neither controls nor anything that is no UTF-8; line ends are fine. */
bool text_is_clean(const char *text, size_t length);
