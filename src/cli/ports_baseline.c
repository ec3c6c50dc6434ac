/* SPDX-License-Identifier: MIT */
/* nwho ports: what waits for others, as a file, and how that differs from what it once was. */
#include "cli/ports_baseline.h"

#include "cli/baseline.h"
#include "cli/session.h"
#include "derive/baseline.h"
#include "out/csv.h"
#include "table/cells.h"
#include "table/marks.h"

#include <string.h>

/* UDP sockets whose port the kernel chose wait for answers, and have another one each time. */
static const char *own_filter(const struct options *options)
{
    return options->exposed ? "listen and exposed and not (udp and autobound)"
                            : "listen and not (udp and autobound)";
}

/* Sockets that share a place and an owner are one line of the file. */
static void drop_repeated_lines(struct buf *text)
{
    size_t kept = 0, last = 0, last_length = 0;

    for (size_t at = 0; at < text->length;) {
        const char *end = memchr(text->data + at, '\n', text->length - at);
        size_t length = end ? (size_t)(end - text->data) + 1 - at : text->length - at;

        if (kept == 0 || length != last_length ||
            memcmp(text->data + last, text->data + at, length) != 0) {
            memmove(text->data + kept, text->data + at, length);
            last = kept;
            last_length = length;
            kept += length;
        }
        at += length;
    }
    text->length = kept;
}

static int write_baseline(struct session *session, const struct grid *grid,
                          const struct baseline_file *file)
{
    struct buf text CLEANUP(buf_done) = BUF_INIT;
    struct buf out = BUF_INIT;

    buf_puts(&text, "# nwho ports --save-baseline, ");
    buf_utc(&text, session->now->snapshot.time_ns, 3);
    buf_byte(&text, '\n');
    if (csv_write(grid, false, &text) < 0)
        return command_error("out of memory");
    drop_repeated_lines(&text);
    if (baseline_write(file, &text) != 0)
        return EXIT_ERROR;
    if (!session->options->quiet)
        buf_printf(&out, "%u listening sockets: %s\n", grid->row_count, file->path);
    return session_output(session, &out);
}

static int save(struct session *session, const struct baseline_file *file)
{
    struct query query = {.table = &table_sockets};
    struct grid grid;
    int r;

    if (session_filter(session, &query, own_filter(session->options)) != 0 ||
        session_columns(session, &query, NULL) != 0 || session_plan(session, &query) != 0 ||
        session_select(session, &query, &grid) != 0)
        return EXIT_ERROR;
    r = write_baseline(session, &grid, file);
    grid_done(&grid);
    session_notes(session);
    return r == 0 ? session_exit(session, 1) : r;
}

/* --- difference --- */

static uint64_t place_of_row(const struct view *view, uint32_t row)
{
    return baseline_place(view->snapshot, view_socket(view, row));
}

/* Of namespaces that were not read nothing can be gone. */
static void drop_unread(struct snapshot *baseline, const struct snapshot *now)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < baseline->sockets_count; i++) {
        struct socket there = baseline->sockets[i], here = there;
        uint32_t netns = 0;

        for (; netns < now->netns_count; netns++) {
            here.netns = netns;
            if (now->netns[netns].flags & NETNS_READ &&
                baseline_place(now, &here) == baseline_place(baseline, &there))
                break;
        }
        if (netns < now->netns_count)
            baseline->sockets[kept++] = there;
    }
    baseline->sockets_count = kept;
}

static int compare(struct session *session, struct query *query, struct grid *grid,
                   struct snapshot *baseline)
{
    const struct column *const owner[] = {table_column(query->table, "process"),
                                          table_column(query->table, "unit")};
    const struct comparison comparison = {.identity = place_of_row,
                                          .columns = owner,
                                          .column_count = ARRAY_SIZE(owner),
                                          .unknown_is_same = true};
    struct view before = {.snapshot = baseline, .scratch = &session->scratch};
    struct buf out = BUF_INIT;
    struct join join;
    int r;

    if (session->request.netns_scope != NETNS_SCOPE_ALL)
        drop_unread(baseline, &session->now->snapshot);
    if (join_make(baseline, NEED_SOCKETS | NEED_OWNERS, &join) < 0)
        return command_error("out of memory");
    before.join = &join;
    r = grid_compare(grid, query, &before, &comparison);
    if (r == 0) {
        grid_drop_unmarked(grid);
        r = session->options->quiet ? 0 : session_write(session, grid, &out);
    }
    join_done(&join);
    if (r < 0) {
        buf_done(&out);
        return command_error("cannot compare the listeners: %s", strerror(-r));
    }
    return session_output(session, &out);
}

static int show_difference(struct session *session, struct snapshot *baseline)
{
    struct query query = {.table = &table_sockets};
    struct grid grid;
    int r;

    if (session_filter(session, &query, own_filter(session->options)) != 0 ||
        session_columns(session, &query, NULL) != 0)
        return EXIT_ERROR;
    session->request.needs |= NEED_OWNERS | NEED_CGROUP;
    if (session_plan(session, &query) != 0 || session_select(session, &query, &grid) != 0)
        return EXIT_ERROR;
    r = compare(session, &query, &grid, baseline);
    if (r == 0)
        r = session_exit(session, grid.row_count == 0);
    grid_done(&grid);
    session_notes(session);
    return r;
}

static int load_and_show(struct session *session, const struct baseline_file *file)
{
    struct buf error CLEANUP(buf_done) = BUF_INIT;
    struct snapshot baseline;
    int r = baseline_load(file, &baseline, &error);

    if (r == -ENOENT)
        return command_error("there is no baseline %s: nwho ports --save-baseline saves one",
                             file->path);
    if (r < 0)
        return command_error("%s", buf_string(&error));
    r = show_difference(session, &baseline);
    snapshot_done(&baseline);
    return r;
}

/* The whole machine, unless namespaces are named. The columns are those of the file, in which -o
 * has no say, as nothing else is known of what is gone. */
int ports_baseline(struct options *options)
{
    struct session session;
    struct config config = {0};
    struct baseline_file file;
    int r;

    if (options->watch || (options->save_baseline && options->diff))
        return command_error("--%s goes neither with --watch nor with --%s",
                             options->diff ? "diff" : "save-baseline",
                             options->diff ? "save-baseline" : "diff");
    if (options->columns)
        return command_error("--diff and --save-baseline have columns of their own");
    options->all_netns = !options->namespace_count && !options->container && !options->replay;
    options->columns = BASELINE_COLUMNS;
    options->columns_option = "-o";
    if (options->save_baseline)
        options->sort = "netns,proto,local_port,local_addr,process,unit";
    r = session_begin(&session, options);
    if (r == 0)
        r = config_require(&session.arena, &config);
    if (r == 0 && baseline_find(options->baseline, &config, &file) < 0)
        r = command_error("there is no place for a baseline: name a file");
    if (r == 0)
        r = options->diff ? load_and_show(&session, &file) : save(&session, &file);
    config_done(&config);
    session_end(&session);
    return r;
}
