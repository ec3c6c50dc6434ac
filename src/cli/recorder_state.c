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
#include <sys/utsname.h>
#include <unistd.h>

#define LOOK_MS 20
#define PATIENCE_NS (60 * SECOND_NS)

/* 1, 0, or EXIT_ERROR after one line on stderr. */
static int find_writer(const char *path, int *ret_pid, uint64_t *ret_since_ns)
{
    int r = store_writer(path, ret_pid, ret_since_ns);

    if (r == -ENOTSUP)
        return command_error(STORE_NONE);
    return r < 0 ? command_error("cannot see who records into %s: %s", path, strerror(-r)) : r;
}

/* --- status --- */

struct status {
    const char *path;
    bool writes, has_file;
    int pid; /* of who writes; 0: unknown */
    uint64_t since_ns;
    struct store_extent extent;
    struct store_ring ring; /* what the recorder that runs has in memory */
};

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

static void put_text(const struct status *status, struct buf *out)
{
    escape_text(out, status->path, strlen(status->path));
    if (status->writes) {
        buf_printf(out, ": recorded by process %d since ", status->pid);
        show_moment(out, status->since_ns);
    } else {
        buf_puts(out, ": nobody records");
    }
    buf_byte(out, '\n');
    if (!status->has_file)
        return;
    put_extent(&status->extent, out);
    put_ring(&status->ring, out);
}

/* "NAME":"TIME", or null where it is 0. */
static void put_time(const char *name, uint64_t time_ns, struct buf *out)
{
    buf_printf(out, "\"%s\":", name);
    if (!time_ns) {
        buf_puts(out, "null");
        return;
    }
    buf_byte(out, '"');
    buf_utc(out, time_ns, 3);
    buf_byte(out, '"');
}

static void put_json_ring(const struct store_ring *ring, struct buf *out)
{
    buf_printf(out, ",\n\"ring\":{\"length_s\":%u,", ring->length_s);
    put_time("since", ring->since_ns, out);
    buf_printf(out, ",\"samples\":%" PRIu64 ",\"bytes\":%" PRIu64 ",", ring->rows, ring->bytes);
    put_time("written", ring->flushed_ns, out);
    buf_puts(out, ",\"why\":");
    if (ring->flushed_ns)
        escape_json(out, ring->why, strlen(ring->why));
    else
        buf_puts(out, "null");
    buf_byte(out, '}');
}

static void put_json(const struct status *status, struct buf *out)
{
    const struct store_extent *extent = &status->extent;
    struct utsname machine = {.nodename = ""};

    uname(&machine);
    buf_puts(out, "{\"schema\":\"nwho/1\",\"host\":");
    escape_json(out, machine.nodename, strlen(machine.nodename));
    buf_byte(out, ',');
    put_time("time", clock_ns(CLOCK_REALTIME), out);
    buf_puts(out, ",\n\"store\":");
    escape_json(out, status->path, strlen(status->path));
    buf_printf(out, ",\"recording\":%s,\"pid\":", status->writes ? "true" : "false");
    if (status->pid)
        buf_printf(out, "%d,", status->pid);
    else
        buf_puts(out, "null,");
    put_time("since", status->since_ns, out);
    buf_printf(out, ",\n\"bytes\":%" PRIu64 ",", extent->bytes);
    put_time("last", extent->until_ns, out);
    buf_puts(out, ",\"tiers\":{");
    for (unsigned int tier = STORE_FINE; tier < STORE_TIER_MAX; tier++) {
        buf_puts(out, tier == STORE_FINE ? "" : ",");
        put_time(history_tier_name(tier), extent->since_ns[tier], out);
    }
    buf_byte(out, '}');
    put_json_ring(&status->ring, out);
    buf_puts(out, "}\n");
}

/* Nothing where there is no file yet. 0 or EXIT_ERROR. */
static int read_file(struct status *status)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store *store = NULL;
    int r = store_open_to_read(status->path, &store, &problem);

    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return command_error("%s", buf_string(&problem));
    r = store_extent(store, &status->extent);
    if (r == 0 && status->writes)
        r = store_ring(store, &status->ring);
    store_close(store);
    status->has_file = r == 0;
    return r < 0 ? command_error("cannot read %s: %s", status->path, store_failure(r)) : 0;
}

int recorder_status(const char *path, bool json)
{
    struct status status = {.path = path};
    struct buf out = BUF_INIT;
    int r = find_writer(path, &status.pid, &status.since_ns);

    if (r == EXIT_ERROR)
        return EXIT_ERROR;
    status.writes = r;
    if (read_file(&status) != 0)
        return EXIT_ERROR;
    if (json)
        put_json(&status, &out);
    else
        put_text(&status, &out);
    if (show_flush(&out) == EXIT_ERROR)
        return EXIT_ERROR;
    return status.writes ? EXIT_FOUND : EXIT_NOTHING;
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
