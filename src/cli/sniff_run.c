/* SPDX-License-Identifier: MIT */
/* nwho sniff: packets come, wait until it is known whose they are, and are shown. */
/*
 * What the kernel tells of a flow comes with its first packet, or a moment later: when the process
 * returns from the call that sent it. So packets wait in two batches; when the younger one is old
 * enough, what was told is read and the older one is shown.
 */
#include "cli/sniff.h"

#include "base/clock.h"
#include "base/vec.h"
#include "cli/interrupts.h"

#include <poll.h>
#include <string.h>

#define SETTLE_MS 30
#define IDLE_MS 500            /* nothing tells that an interface is gone but a look at it */
#define BATCH_BYTES (8u << 20) /* more are not kept waiting */

/* --- batches --- */

static int add_waiting(struct sniff *sniff, uint32_t source, const struct captured *captured)
{
    struct sniff_batch *batch = &sniff->young;

    if (VEC_RESERVE(&batch->packets, &batch->capacity, batch->count, 1) < 0)
        return -ENOMEM;
    batch->packets[batch->count++] =
        (struct sniff_waiting){.packet = *captured, .at = batch->bytes.length, .source = source};
    buf_put(&batch->bytes, (const char *)captured->bytes, captured->captured);
    return batch->bytes.error;
}

bool sniff_is_full(const struct sniff *sniff)
{
    return sniff->full || sniff->failed ||
           (sniff->options->count && sniff->shown >= sniff->options->count);
}

/* Shows the older batch; the younger one takes its place. */
static int turn(struct sniff *sniff)
{
    struct sniff_batch *old = &sniff->old, empty;
    int r = packet_owners_update(sniff->owners);

    buf_reset(&sniff->texts.text); /* the numbers of owners are others now */
    sniff->texts.count = 0;

    if (r == 0)
        r = sniff_look_at_processes(sniff);
    for (uint32_t i = 0; i < old->count && r == 0 && !sniff_is_full(sniff); i++) {
        struct sniff_waiting *waiting = &old->packets[i];

        waiting->packet.bytes = (const uint8_t *)old->bytes.data + waiting->at;
        sniff_show(sniff, &sniff->sources[waiting->source], &waiting->packet);
        r = sniff->out.error;
    }
    empty = *old;
    empty.count = 0;
    empty.bytes.length = 0;
    *old = sniff->young;
    sniff->young = empty;
    sniff->turned_ns = clock_ns(CLOCK_MONOTONIC);
    return r;
}

static bool has_waiting(const struct sniff *sniff)
{
    return sniff->young.count || sniff->old.count;
}

/* --- packets --- */

static int end_source(struct sniff_source *source, const char *error)
{
    source->ended = true;
    if (error)
        command_error("%s%s%s: %s", source->interface, source->labelled ? " in " : "",
                      source->labelled ? source->netns : "", error);
    return 0;
}

/* What takes the packets of an interface. */
struct taking {
    struct sniff *sniff;
    uint32_t index;
    int error;
};

static bool take_packet(void *context, const struct captured *captured)
{
    struct taking *taking = context;
    struct sniff *sniff = taking->sniff;

    if (sniff->owners)
        taking->error = add_waiting(sniff, taking->index, captured);
    else
        sniff_write_unowned(sniff, captured);
    return taking->error == 0 && !sniff_is_full(sniff);
}

/* Whose they are may tell that they are not. */
static uint32_t packets_wanted(const struct sniff *sniff)
{
    uint32_t count = sniff->options->count;

    return count && !sniff->owners ? count - sniff->shown : UINT32_MAX;
}

/* What an interface has now, as far as there is room. 0 or -errno. */
static int take_packets(struct sniff *sniff, uint32_t index)
{
    struct sniff_source *source = &sniff->sources[index];
    struct taking taking = {.sniff = sniff, .index = index};
    char error[CAPTURE_ERROR_SIZE];
    bool end = false;
    int r;

    do {
        r = capture_read(source->capture, packets_wanted(sniff), take_packet, &taking, &end, error);
    } while (r > 0 && sniff->owners && taking.error == 0 &&
             sniff->young.bytes.length < BATCH_BYTES);
    if (taking.error < 0)
        return taking.error;
    return r < 0 || end ? end_source(source, r < 0 ? error : NULL) : 0;
}

static int take_all(struct sniff *sniff)
{
    int r = 0;

    for (uint32_t i = 0; i < sniff->source_count && r == 0 && !sniff_is_full(sniff); i++)
        if (!sniff->sources[i].ended)
            r = take_packets(sniff, i);
    return r;
}

/* --- the loop --- */

static int timeout_ms(const struct sniff *sniff)
{
    uint64_t age = (clock_ns(CLOCK_MONOTONIC) - sniff->turned_ns) / MILLISECOND_NS;

    if (!has_waiting(sniff))
        return sniff->writer && packet_writer_wait_ms(sniff->writer) < IDLE_MS &&
                       packet_writer_wait_ms(sniff->writer) >= 0
                   ? packet_writer_wait_ms(sniff->writer)
                   : IDLE_MS;
    return age < SETTLE_MS ? (int)(SETTLE_MS - age) : 0;
}

static bool has_sources(const struct sniff *sniff)
{
    for (uint32_t i = 0; i < sniff->source_count; i++)
        if (!sniff->sources[i].ended)
            return true;
    return false;
}

/* Until packets come, or those that are here have waited. False: nobody reads us any more. */
static bool wait_for_packets(struct sniff *sniff, struct pollfd *fds)
{
    uint32_t count = sniff->source_count;
    int ms = timeout_ms(sniff);
    struct timespec until = {.tv_nsec = ms * (long)MILLISECOND_NS};

    for (uint32_t i = 0; i < count; i++)
        fds[i] = (struct pollfd){
            .fd = sniff->sources[i].ended ? -1 : capture_fd(sniff->sources[i].capture),
            .events = POLLIN};
    fds[count] = (struct pollfd){.fd = STDOUT_FILENO};
    (void)interrupts_wait(fds, count + 1, &until, &sniff->unblocked);
    return !(fds[count].revents & (POLLERR | POLLNVAL));
}

/* Room is made earlier when packets come faster than they can wait. */
static int turn_when_due(struct sniff *sniff)
{
    if (!sniff->owners || (timeout_ms(sniff) != 0 && sniff->young.bytes.length < BATCH_BYTES))
        return 0;
    int r = turn(sniff);

    return r < 0 ? r : buf_flush(&sniff->out);
}

static int follow(struct sniff *sniff)
{
    CLEANUP_FREE struct pollfd *fds = calloc(sniff->source_count + 1, sizeof(*fds));
    struct timespec settle = {.tv_nsec = SETTLE_MS * (long)MILLISECOND_NS};
    bool read = true;
    int r = fds ? 0 : -ENOMEM;

    sniff->turned_ns = clock_ns(CLOCK_MONOTONIC);
    while (r == 0 && read && !sniff_is_full(sniff) && !interrupts_came() && has_sources(sniff)) {
        read = wait_for_packets(sniff, fds);
        if (!has_waiting(sniff))
            sniff->turned_ns = clock_ns(CLOCK_MONOTONIC);
        r = take_all(sniff);
        if (r == 0)
            r = turn_when_due(sniff);
        if (r == 0)
            sniff_write_idle(sniff);
    }
    for (int i = 0; i < 2 && r == 0 && has_waiting(sniff) && !sniff_is_full(sniff); i++) {
        nanosleep(&settle, NULL);
        r = turn(sniff);
    }
    return r < 0 ? r : buf_flush(&sniff->out);
}

/* --- a file --- */

static bool show_packet(void *context, const struct captured *captured)
{
    struct sniff *sniff = context;

    sniff_show(sniff, &sniff->sources[0], captured);
    return !sniff_is_full(sniff) && !sniff->out.error;
}

static int read_file(struct sniff *sniff)
{
    char error[CAPTURE_ERROR_SIZE];
    bool end = false;
    int r = 0;

    while (!end && !sniff_is_full(sniff) && r >= 0 && !sniff->out.error)
        r = capture_read(sniff->sources[0].capture, UINT32_MAX, show_packet, sniff, &end, error);
    if (r < 0)
        sniff_file_error(sniff, error);
    r = r < 0 ? EXIT_ERROR : 0;
    (void)buf_flush(&sniff->out);
    return sniff->out.error && sniff->out.error != -EPIPE ? sniff->out.error : r;
}

/* --- the end --- */

static void say_counts(const struct sniff *sniff)
{
    struct capture_counts all = {0}, one;

    for (uint32_t i = 0; i < sniff->source_count; i++)
        if (capture_read_counts(sniff->sources[i].capture, &one) == 0) {
            all.received += one.received;
            all.dropped += one.dropped + one.dropped_by_interface;
        }
    command_error("%u packet%s shown, %u captured, %u dropped", sniff->shown,
                  sniff->shown == 1 ? "" : "s", all.received, all.dropped);
    if (sniff->owners && packet_owners_lost(sniff->owners))
        command_error("incomplete: flows came faster than they could be taken: packets of %llu "
                      "have no process",
                      (unsigned long long)packet_owners_lost(sniff->owners));
}

/* What is to be said and written when no more packets come; the same result. */
static int finish(struct sniff *sniff, int r)
{
    int written = sniff->conversations ? sniff_put_statistics(sniff) : 0;

    r = r >= 0 && written < 0 ? written : r;
    if (sniff->writer && sniff_close_writer(sniff) != 0 && r >= 0)
        r = EXIT_ERROR;
    if (sniff_is_live(sniff))
        say_counts(sniff);
    if (r < 0 && r != -EPIPE)
        return command_error("sniff: %s", strerror(-r));
    return r;
}

static int read_packets(struct sniff *sniff)
{
    if (sniff_is_live(sniff))
        return follow(sniff);
    return sniff->reader ? sniff_read_pcapng(sniff) : read_file(sniff);
}

int sniff_run(struct sniff *sniff)
{
    int r = finish(sniff, read_packets(sniff));

    if (r > 0 || (sniff_is_live(sniff) && !has_sources(sniff) && !sniff_is_full(sniff)))
        return EXIT_ERROR;
    return sniff->shown ? EXIT_FOUND : EXIT_NOTHING;
}
