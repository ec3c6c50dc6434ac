/* SPDX-License-Identifier: MIT */
/* nwho serve --status and --stop: the recorder that runs. */
#include "cli/recorder_state.h"

#include "base/clock.h"
#include "base/escape.h"
#include "base/units.h"
#include "cli/command.h"
#include "cli/history.h"
#include "cli/show.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 20
#define PATIENCE_NS (60 * SECOND_NS)

/* 1, 0, or EXIT_ERROR after one line on stderr. */
static int find_writer(const char *path, int *ret_pid, uint64_t *ret_since_ns)
{
    int r = store_writer(path, ret_pid, ret_since_ns);

    return r < 0 ? command_error("cannot see who records into %s: %s", path, strerror(-r)) : r;
}

/* --- status --- */

static void put_extent(const struct store_extent *extent, struct buf *out)
{
    static const char *const kept[] = {
        [STORE_FINE] = "every tick", [STORE_MINUTE] = "minutes", [STORE_HOUR] = "hours"};

    buf_puts(out, "  ");
    units_write_bytes(out, extent->bytes);
    if (!extent->until_ns) {
        buf_puts(out, ", nothing is recorded yet\n");
        return;
    }
    buf_puts(out, ", the last reading is of ");
    show_moment(out, extent->until_ns);
    buf_byte(out, '\n');
    for (unsigned int tier = STORE_FINE; tier < STORE_TIER_MAX; tier++) {
        if (!extent->since_ns[tier])
            continue;
        buf_puts(out, "  ");
        show_moment(out, extent->since_ns[tier]);
        buf_printf(out, "  from then on %s\n", kept[tier]);
    }
}

/* What the recorder that runs has in memory. */
static void put_ring(const struct store_ring *ring, struct buf *out)
{
    if (!ring->length_s)
        return;
    buf_printf(out, "  ring: %u seconds around a mark or a finding are kept one by one",
               ring->length_s);
    if (ring->since_ns) {
        buf_puts(out, "; in memory from ");
        show_moment(out, ring->since_ns);
        buf_printf(out, " on, %" PRIu64 " samples in ", ring->rows);
        units_write_bytes(out, ring->bytes);
    }
    buf_byte(out, '\n');
    if (!ring->flushed_ns)
        return;
    buf_puts(out, "  ring: last written ");
    show_moment(out, ring->flushed_ns);
    buf_puts(out, ", ");
    escape_text(out, ring->why, strlen(ring->why));
    buf_byte(out, '\n');
}

/* Nothing where there is no file yet. 0 or EXIT_ERROR. */
static int put_file(const char *path, bool writes, struct buf *out)
{
    struct store_ring ring = {.length_s = 0};
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store_extent extent;
    struct store *store = NULL;
    int r = store_open_to_read(path, &store, &problem);

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return command_error("%s", buf_string(&problem));
    r = store_extent(store, &extent);
    if (r == 0 && writes)
        r = store_ring(store, &ring);
    store_close(store);
    if (r < 0)
        return command_error("cannot read %s: %s", path, strerror(-r));
    put_extent(&extent, out);
    put_ring(&ring, out);
    return 0;
}

int recorder_status(const char *path)
{
    struct buf out = BUF_INIT;
    uint64_t since_ns = 0;
    int pid = 0, writes = find_writer(path, &pid, &since_ns);

    if (writes == EXIT_ERROR)
        return EXIT_ERROR;
    escape_text(&out, path, strlen(path));
    if (writes) {
        buf_printf(&out, ": recorded by process %d since ", pid);
        show_moment(&out, since_ns);
    } else {
        buf_puts(&out, ": nobody records");
    }
    buf_byte(&out, '\n');
    if (put_file(path, writes, &out) != 0) {
        buf_done(&out);
        return EXIT_ERROR;
    }
    if (show_flush(&out) == EXIT_ERROR)
        return EXIT_ERROR;
    return writes ? EXIT_FOUND : EXIT_NOTHING;
}

/* --- stop --- */

int recorder_stop(const char *path)
{
    uint64_t since_ns, end_ns = clock_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
    int first = 0, pid = 0, r = find_writer(path, &first, &since_ns);

    if (r == EXIT_ERROR)
        return EXIT_ERROR;
    if (!r || first <= 0) {
        command_error("nobody records into %s", path);
        return EXIT_NOTHING;
    }
    if (kill(first, SIGTERM) < 0)
        return command_error("cannot end process %d: %s", first, strerror(errno));
    while ((r = find_writer(path, &pid, &since_ns)) == 1 && pid == first) {
        if (clock_ns(CLOCK_MONOTONIC) > end_ns)
            return command_error("process %d still records: it was told to end", first);
        poll(NULL, 0, LOOK_MS);
    }
    return r == EXIT_ERROR ? EXIT_ERROR : EXIT_FOUND;
}
