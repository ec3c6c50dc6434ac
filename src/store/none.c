/* SPDX-License-Identifier: MIT */
/* What stands for the store where nwho was built without SQLite or zstd. */
#include "base/buf.h"
#include "store/plain.h"
#include "store/store.h"

static int refuse(struct buf *problem)
{
    buf_puts(problem, STORE_NONE);
    return -ENOTSUP;
}

int store_open(const char *path, const struct store_limits *limits, struct store **ret_store,
               int *ret_pid, struct buf *problem)
{
    (void)path;
    (void)limits;
    (void)ret_store;
    (void)ret_pid;
    return refuse(problem);
}

int store_writer(const char *path, int *ret_pid, uint64_t *ret_since_ns)
{
    (void)path;
    (void)ret_pid;
    (void)ret_since_ns;
    return -ENOTSUP;
}

int store_open_to_read(const char *path, struct store **ret_store, struct buf *problem)
{
    (void)path;
    (void)ret_store;
    return refuse(problem);
}

int store_open_to_note(const char *path, struct store **ret_store, struct buf *problem)
{
    (void)path;
    (void)ret_store;
    return refuse(problem);
}

void store_close(struct store *store)
{
    (void)store;
}

int store_add(struct store *store, const struct snapshot *now, const struct seconds *seconds)
{
    (void)store;
    (void)now;
    (void)seconds;
    return -ENOTSUP;
}

bool store_wants_seconds(const struct store *store)
{
    (void)store;
    return false;
}

int store_ring(struct store *store, struct store_ring *ret_ring)
{
    (void)store;
    (void)ret_ring;
    return -ENOTSUP;
}

int store_note(struct store *store, uint64_t time_ns, enum store_note_kind kind, const char *text)
{
    (void)store;
    (void)time_ns;
    (void)kind;
    (void)text;
    return -ENOTSUP;
}

int store_read(struct store *store, const struct store_question *question,
               int (*take)(struct store_answer *answer, void *context), void *context)
{
    (void)store;
    (void)question;
    (void)take;
    (void)context;
    return -ENOTSUP;
}

uint32_t store_broken_parts(const struct store *store)
{
    (void)store;
    return 0;
}

bool store_reaches(const struct store_extent *extent, enum store_tier tier, uint64_t since_ns)
{
    (void)extent;
    (void)tier;
    (void)since_ns;
    return false;
}

int store_host(struct store *store, uint64_t time_ns, struct store_host *ret_host)
{
    (void)store;
    (void)time_ns;
    (void)ret_host;
    return -ENOTSUP;
}

int store_extent(struct store *store, struct store_extent *ret_extent)
{
    (void)store;
    (void)ret_extent;
    return -ENOTSUP;
}

int plain_create(const char *path, struct plain **ret_plain)
{
    (void)path;
    (void)ret_plain;
    return -ENOTSUP;
}

int plain_commit(struct plain *plain)
{
    (void)plain;
    return -ENOTSUP;
}

void plain_close(struct plain *plain)
{
    (void)plain;
}

int plain_table(struct plain *plain, const char *name, const struct plain_column *columns,
                uint32_t count, const char *index, uint32_t *ret_table)
{
    (void)index;
    (void)plain;
    (void)name;
    (void)columns;
    (void)count;
    (void)ret_table;
    return -ENOTSUP;
}

int plain_add(struct plain *plain, uint32_t table, const struct plain_value *values)
{
    (void)plain;
    (void)table;
    (void)values;
    return -ENOTSUP;
}

int plain_find(struct plain *plain, uint32_t table, const struct plain_value *values,
               int64_t *ret_id)
{
    (void)plain;
    (void)table;
    (void)values;
    (void)ret_id;
    return -ENOTSUP;
}
