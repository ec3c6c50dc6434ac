/* SPDX-License-Identifier: MIT */
/* Writes ticks of history without end, or says what a file has. README.md here explains it. */
#include "base/buf.h"
#include "base/clock.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define BEGIN_NS (UINT64_C(1764547200) * SECOND_NS)
#define TICK_NS (10 * SECOND_NS)
#define FLOWS 40

static int fail(const char *what, int error)
{
    fprintf(stderr, "history_writer: %s: %s\n", what, strerror(-error));
    return 2;
}

static int make_tick(uint64_t number, struct snapshot *ret)
{
    uint32_t netns;
    int r = snapshot_init(ret);

    ret->time_ns = BEGIN_NS + number * TICK_NS;
    ret->boot_ns = number * TICK_NS;
    ret->accounting = ACCOUNTING_BPF;
    ret->window_ns[FLOW_LAST] = TICK_NS;
    if (r == 0)
        r = snapshot_add_netns(ret, 4026531840, &netns);
    for (uint32_t i = 0; i < FLOWS && r == 0; i++) {
        struct flow *flow = snapshot_add_flow(ret);

        if (!flow)
            return -ENOMEM;
        *flow = (struct flow){
            .id = i + 1,
            .pid = 1 + i / 8,
            .start_ticks = 1,
            .sockets = 1,
            .proto = PROTO_TCP,
            .family = AF_INET,
            .local_port = 40000,
            .peer_port = 443,
            .peer = {{10, (uint8_t)(number >> 8), (uint8_t)number, (uint8_t)i}},
            .window[FLOW_LAST] = {1, number * i},
        };
    }
    return r;
}

/* A line for each tick, after it was written. */
static int write_ticks(const char *path)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    struct store_extent extent = {0};
    struct store *store;
    uint64_t number;
    int pid = 0, r = store_open(path, NULL, &store, &pid, &problem);

    if (r < 0) {
        printf("refused %d %d %s\n", -r, pid, buf_string(&problem));
        return 1;
    }
    if (problem.length)
        printf("problem %s\n", buf_string(&problem));
    r = store_extent(store, &extent);
    number = extent.until_ns > BEGIN_NS ? (extent.until_ns - BEGIN_NS) / TICK_NS : 0;
    while (r == 0) {
        struct snapshot tick;
        int written;

        r = make_tick(++number, &tick);
        if (r < 0)
            break;
        written = store_add(store, &tick, NULL);
        if (written < 0)
            printf("lost %" PRIu64 " %d\n", number, -written);
        else
            printf("written %" PRIu64 "\n", number);
        fflush(stdout);
        snapshot_done(&tick);
    }
    return fail("writing", r);
}

static int show(struct store_answer *answer, void *context)
{
    uint64_t rx = 0;
    unsigned int gaps = 0;

    (void)context;
    for (uint32_t i = 0; i < answer->snapshot.flows_count; i++)
        rx += answer->snapshot.flows[i].total.rx_bytes;
    for (uint32_t i = 0; i < answer->note_count; i++)
        gaps += answer->notes[i].kind == STORE_GAP;
    printf("{\"ticks\": %" PRIu64 ", \"flows\": %" PRIu64 ", \"gaps\": %u, \"doubts\": %u}\n",
           answer->measured_ns / TICK_NS, rx, gaps, answer->snapshot.notes_count);
    return 0;
}

static int read_all(const char *path, enum store_tier tier)
{
    const struct store_question question = {
        .since_ns = BEGIN_NS,
        .until_ns = INT64_MAX,
        .tier = tier,
        .parts = STORE_PROCESSES | STORE_NOTES,
    };
    struct buf problem = BUF_INIT;
    struct store *store;
    int r = store_open_to_read(path, &store, &problem);

    if (r < 0) {
        printf("refused %d 0 %s\n", -r, buf_string(&problem));
        return 1;
    }
    r = store_read(store, &question, show, NULL);
    store_close(store);
    return r < 0 ? fail("reading", r) : 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "write") == 0)
        return write_ticks(argv[2]);
    if (argc == 3 && strcmp(argv[1], "fine") == 0)
        return read_all(argv[2], STORE_FINE);
    if (argc == 3 && strcmp(argv[1], "minutes") == 0)
        return read_all(argv[2], STORE_MINUTE);
    fputs("usage: history_writer write|fine|minutes FILE\n", stderr);
    return 2;
}
