/* SPDX-License-Identifier: MIT */
/* Fuzzing of the filter language: any text is compiled for a table, evaluated and pushed down. */
#include "derive/join.h"
#include "fuzz.h"
#include "serve/question.h"
#include "table/captured.h"
#include "table/packet_filter.h"

#include <sys/socket.h>

#define TEXT_MAX 4096

/* One who may send a filter sends no more; whoever types more pays for it himself. */
#define LARGE_MAX QUESTION_MAX

static void add_rows(struct snapshot *snapshot)
{
    struct socket *socket;
    struct flow *flow;
    uint32_t index;

    CHECK(snapshot_add_process(snapshot, 1, &index) == 0);
    CHECK(snapshot_add_interface(snapshot, 0, 1, "lo") == 0);
    socket = snapshot_add_socket(snapshot);
    flow = snapshot_add_flow(snapshot);
    CHECK(socket && flow);
    socket->proto = flow->proto = PROTO_TCP;
    socket->family = flow->family = AF_INET;
    socket->state = STATE_ESTABLISHED;
}

static void evaluate(const struct table *table, const struct filter *filter)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP(join_done) struct join join = {0};
    CLEANUP(buf_done) struct buf scratch = BUF_INIT;
    struct view view = {.snapshot = &snapshot, .join = &join, .scratch = &scratch};

    fuzz_snapshot(&snapshot);
    add_rows(&snapshot);
    CHECK(join_make(&snapshot, ~UINT64_C(0), &join) == 0);
    for (uint32_t row = 0; row < table->row_count(&view); row++)
        (void)filter_accepts(filter, &view, row);
}

static void push_down(const struct filter *filter, struct arena *arena)
{
    struct request request = {.protos = PROTO_ALL, .states = STATE_ALL, .families = ~0u};

    CHECK(filter_push_down(filter, arena, &request) == 0);
    for (uint32_t i = 0; i < request.match_count; i++)
        CHECK(request.matches[i].op > MATCH_NOT || request.matches[i].left < i);
}

static bool take_even(void *context, uint32_t number)
{
    const struct packet_filter *filter = context;

    CHECK(number < filter->part_count && *filter->parts[number]);
    return number % 2 == 0;
}

/* The same text as an expression about packets, with a process at each end. */
static void parse_packets(const char *text, struct arena *arena)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP(buf_done) struct buf scratch = BUF_INIT;
    struct captured_processes captured = {.netns = "blue", .count = 2};
    struct view view = {.snapshot = &snapshot, .captured = &captured, .scratch = &scratch};
    struct filter_error error = {{0}, 0, 0};
    struct packet_filter filter;
    int r = packet_filter_parse(text, arena, &filter, &error);

    CHECK(r == 0 || r == -EINVAL);
    if (r < 0) {
        CHECK(*error.message && error.at <= strlen(text));
        return;
    }
    fuzz_snapshot(&snapshot);
    add_rows(&snapshot);
    (void)packet_filter_accepts(&filter, &view, take_even, &filter);
    packet_filter_done(&filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = NULL;
    CLEANUP(arena_done) struct arena arena = {0};
    struct filter *filter = NULL;
    struct filter_error error = {{0}, 0, 0};
    const struct table *table;
    int r;

    if (size < 1 || (size > TEXT_MAX && fuzz_shows))
        return 0;
    size = size > LARGE_MAX ? LARGE_MAX : size;
    table = tables[fuzz_choose(&data, &size, table_count)];
    text = fuzz_text(data, size);
    r = filter_compile(table, text, &arena, &filter, &error);
    CHECK(r == 0 || r == -EINVAL);
    if (r == 0) {
        evaluate(table, filter);
        push_down(filter, &arena);
    } else {
        CHECK(*error.message && error.at + error.length <= strlen(text));
    }
    filter_done(filter);
    if (table == &table_captured)
        parse_packets(text, &arena);
    return 0;
}
