/* SPDX-License-Identifier: MIT */
/* Loss: what a damaged journal has cost, and who says so. */
#include "store/loss.h"

#include "base/buf.h"
#include "base/clock.h"
#include "store/page_sums.h"

int loss_note(struct store *store, const char *path, struct buf *problem)
{
    if (!page_sums_faults(store->db).journal_lost)
        return 0;
    buf_printf(problem,
               "the journal of the history (%s-wal) was damaged: what was recorded last, before "
               "the recorder ended, is missing",
               path);
    return store_note(store, clock_ns(CLOCK_REALTIME), STORE_LOST, buf_string(problem));
}

int loss_check(struct store *store)
{
    int r = page_sums_look(store->db);

    if (r == 0)
        r = page_sums_mixed(store->db);
    if (r <= 0)
        return r;
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    return -EBADMSG;
}

int loss_find(struct store *store, const char *path, int flags, struct buf *problem)
{
    uint64_t since_ns;
    int pid, r;

    if (store_writer(path, &pid, &since_ns) == 1)
        return 0;
    r = page_sums_look(store->db);
    if (r < 0 || !page_sums_faults(store->db).journal_lost)
        return r;
    store->journal_lost = true;
    if (flags == SQLITE_OPEN_READONLY)
        return 0;
    r = loss_check(store);
    return r < 0 ? r : loss_note(store, path, problem);
}
