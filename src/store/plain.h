/* SPDX-License-Identifier: MIT */
/* Plain: a new SQLite file of plain tables, for other programs to read. */
#pragma once

#include "base/cleanup.h"

#include <stddef.h>
#include <stdint.h>

struct plain;

enum plain_type {
    PLAIN_NULL,
    PLAIN_INTEGER,
    PLAIN_REAL,
    PLAIN_TEXT,
};

struct plain_column {
    const char *name;
    enum plain_type type;
};

struct plain_value {
    enum plain_type type;
    union {
        int64_t integer;
        double real;
        struct {
            const char *bytes; /* UTF-8 */
            size_t length;
        } text;
    };
};

#define PLAIN_COLUMNS_MAX 48

/* Makes the file, mode 0600. -EEXIST: there is one; -ENOTSUP: built without SQLite. */
int plain_create(const char *path, struct plain **ret_plain) MUST_CHECK;

/* Keeps what was added; without it plain_close() removes the file. */
int plain_commit(struct plain *plain) MUST_CHECK;
void plain_close(struct plain *plain);

/* A table with a number for each row, its first column `id`, and an index of one column (NULL:
 * none). *ret_table is its handle. */
int plain_table(struct plain *plain, const char *name, const struct plain_column *columns,
                uint32_t count, const char *index, uint32_t *ret_table) MUST_CHECK;

/* Adds a row, a value for each column. */
int plain_add(struct plain *plain, uint32_t table, const struct plain_value *values) MUST_CHECK;

/* The id of the row with these values, which is added unless it is there. */
int plain_find(struct plain *plain, uint32_t table, const struct plain_value *values,
               int64_t *ret_id) MUST_CHECK;
