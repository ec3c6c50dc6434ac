/* SPDX-License-Identifier: MIT */
/* Fuzzing of the keys by which rows are counted, and of the groups that they make. */
#include "derive/join.h"
#include "fuzz.h"
#include "table/group.h"

#include <sys/socket.h>

static void add_sockets(struct snapshot *snapshot)
{
    for (uint8_t i = 0; i < 4; i++) {
        struct socket *socket = snapshot_add_socket(snapshot);

        CHECK(socket);
        socket->proto = PROTO_TCP;
        socket->family = i & 1 ? AF_INET6 : AF_INET;
        socket->state = STATE_ESTABLISHED;
        memset(&socket->peer, 0x55 << (i & 2), sizeof(socket->peer));
    }
}

static void make_groups(const struct group_plan *plan)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP(join_done) struct join join = {0};
    CLEANUP(buf_done) struct buf scratch = BUF_INIT;
    CLEANUP(group_done) struct group group = {0};
    CLEANUP(grid_done) struct grid grid = {0}, groups = {0};
    struct view view = {.snapshot = &snapshot, .join = &join, .scratch = &scratch};
    struct query rows = {.table = &table_sockets}, shown = {.table = &plan->table};

    fuzz_snapshot(&snapshot);
    add_sockets(&snapshot);
    CHECK(join_make(&snapshot, ~UINT64_C(0), &join) == 0);
    CHECK(query_run(&rows, &view, &grid) == 0);
    CHECK(group_make(plan, &grid, &group) == 0);
    CHECK(group.total == snapshot.sockets_count);
    view.group = &group;
    for (uint32_t i = 0; i < plan->table.column_count; i++)
        shown.columns[shown.column_count++] = &plan->table.columns[i];
    CHECK(query_run(&shown, &view, &groups) == 0);
    fuzz_show_grid(&groups);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *words = fuzz_text(data, size);
    CLEANUP(buf_done) struct buf error = BUF_INIT;
    struct group_plan plan = {.key_count = 0};
    int r = group_plan(&table_sockets, words, &plan, &error);

    CHECK(r == 0 || (r == -EINVAL && error.length > 0));
    if (r < 0)
        return 0;
    CHECK(plan.key_count > 0 && plan.key_count <= GROUP_KEYS_MAX);
    make_groups(&plan);
    group_plan_done(&plan);
    return 0;
}
