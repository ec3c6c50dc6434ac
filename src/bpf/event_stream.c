/* SPDX-License-Identifier: MIT */
/* Loads the programs that follow TCP connections, by bpf(2) alone, and reads their ring buffer. */
#include "bpf/event_stream.h"

#include "bpf/iterators.h"

/* Generated; they need the headers above. */
#include "bpf/events.lskel.h"
#include "bpf/events_without_use.lskel.h"

#include <string.h>

/* Opens and loads one skeleton, sets what its programs are told, and attaches the first of them. */
#define LOAD(name, told, ret)                                                                      \
    ({                                                                                             \
        struct name *skeleton = name##__open();                                                    \
        int result = skeleton ? name##__load(skeleton) : -ENOMEM;                                  \
                                                                                                   \
        if (result == 0) {                                                                         \
            (ret)->control = &skeleton->bss->control;                                              \
            *(ret)->control = *(told);                                                             \
            (ret)->ring.map_fd = skeleton->maps.ring.map_fd;                                       \
            (ret)->holders_fd = skeleton->progs.take_holders.prog_fd;                              \
            result = name##__follow_state__attach(skeleton);                                       \
        }                                                                                          \
        if (result < 0)                                                                            \
            name##__destroy(skeleton);                                                             \
        else                                                                                       \
            (ret)->skeleton = skeleton;                                                            \
        result < 0 ? result : 0;                                                                   \
    })

static int attach_use(struct events_bpf *skeleton)
{
    int r = events_bpf__follow_send__attach(skeleton);

    if (r >= 0)
        r = events_bpf__follow_receive__attach(skeleton);
    return r < 0 ? r : 0;
}

static int load(struct event_stream *stream, const struct event_control *told, bool retransmits)
{
    int r = LOAD(events_bpf, told, stream);

    if (r == 0) {
        stream->with_use = true;
        r = attach_use(stream->skeleton);
        if (r == 0 && retransmits)
            r = events_bpf__follow_retransmit__attach(stream->skeleton);
        return r < 0 ? r : 0;
    }
    if (r == -EPERM || r == -EACCES || r == -ENOMEM)
        return r;
    r = LOAD(events_without_use_bpf, told, stream);
    if (r == 0 && retransmits)
        r = events_without_use_bpf__follow_retransmit__attach(stream->skeleton);
    return r < 0 ? r : 0;
}

int event_stream_open(struct event_stream *stream, const struct event_control *told,
                      bool retransmits)
{
    struct event_stream opened = EVENT_STREAM_INIT;
    int r = load(&opened, told, retransmits);

    if (r == 0)
        r = ring_open(opened.ring.map_fd, EVENT_RING_SIZE, &opened.ring);
    if (r < 0) {
        event_stream_close(&opened);
        return r;
    }
    *stream = opened;
    return 0;
}

void event_stream_close(struct event_stream *stream)
{
    int saved = errno;

    ring_close(&stream->ring);
    if (stream->skeleton && stream->with_use)
        events_bpf__destroy(stream->skeleton);
    else if (stream->skeleton)
        events_without_use_bpf__destroy(stream->skeleton);
    *stream = EVENT_STREAM_INIT;
    errno = saved;
}

/* The walk writes nothing. */
static int split_nothing(const char *bytes, size_t length, void *context, size_t *ret_used)
{
    (void)bytes;
    (void)context;
    *ret_used = length;
    return 0;
}

int event_stream_take_holders(const struct event_stream *stream)
{
    return iterator_read(stream->holders_fd, 0, split_nothing, NULL);
}

struct reading {
    event_record_fn *fn;
    void *context;
    uint32_t count, limit;
};

static int take_record(void *context, const void *record, size_t size)
{
    struct reading *reading = context;
    int r = size < sizeof(struct event_record) ? -EBADMSG : reading->fn(reading->context, record);

    if (r < 0)
        return r;
    return ++reading->count < reading->limit ? 0 : -EXFULL;
}

int event_stream_read(struct event_stream *stream, uint32_t limit, event_record_fn *fn,
                      void *context)
{
    struct reading reading = {.fn = fn, .context = context, .limit = limit};
    int r = ring_read(&stream->ring, take_record, &reading);

    return r < 0 && r != -EXFULL ? r : (int)reading.count;
}

uint64_t event_stream_lost(const struct event_stream *stream)
{
    return __atomic_load_n(&stream->control->lost, __ATOMIC_RELAXED);
}
