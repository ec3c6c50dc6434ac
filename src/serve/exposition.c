/* SPDX-License-Identifier: MIT */
/* Exposition: the descriptor of the memory goes through a socket, with the lengths of the bodies.
 */
#include "serve/exposition.h"

#include "serve/passing.h"

#include <stdlib.h>
#include <sys/mman.h>

static int write_all(int fd, const struct buf *body)
{
    size_t done = 0;

    while (done < body->length) {
        ssize_t n = write(fd, body->data + done, body->length - done);

        if (n < 0)
            return -errno;
        done += (size_t)n;
    }
    return 0;
}

int exposition_send(int channel, const struct buf bodies[EXPOSITION_BODIES])
{
    CLEANUP_CLOSE int memory = passing_memory("nwho-metrics");
    uint64_t lengths[EXPOSITION_BODIES];
    int r = memory < 0 ? memory : 0;

    for (unsigned int i = 0; i < EXPOSITION_BODIES && r == 0; i++) {
        lengths[i] = bodies[i].length;
        r = write_all(memory, &bodies[i]);
    }
    if (r == 0)
        r = passing_seal(memory);
    return r < 0 ? r : passing_send(channel, lengths, sizeof(lengths), memory);
}

/* A message of one byte, which says all by having come. */
static int send_sign(int channel)
{
    return passing_send(channel, "!", 1, -1);
}

int exposition_outdate(int channel)
{
    return send_sign(channel);
}

int exposition_want(int channel)
{
    return send_sign(channel);
}

int exposition_take_wish(int channel)
{
    CLEANUP_CLOSE int memory = -1;
    char sign;
    int r = passing_receive(channel, &sign, sizeof(sign), &memory);

    return r < 0 ? r : 0;
}

static int map_bodies(int memory, const uint64_t *lengths, unsigned int count,
                      struct exposition **ret_exposition)
{
    struct exposition *exposition = calloc(1, sizeof(*exposition));
    size_t at = 0;

    if (!exposition)
        return -ENOMEM;
    for (unsigned int i = 0; i < count; i++)
        exposition->size += lengths[i];
    if (exposition->size)
        exposition->memory = mmap(NULL, exposition->size, PROT_READ, MAP_SHARED, memory, 0);
    if (exposition->memory == MAP_FAILED) {
        free(exposition);
        return -errno;
    }
    for (unsigned int i = 0; i < count; i++) {
        exposition->bodies[i] =
            (struct http_text){(const char *)exposition->memory + at, lengths[i]};
        at += lengths[i];
    }
    exposition->references = 1;
    *ret_exposition = exposition;
    return 0;
}

int exposition_map(int memory, size_t length, size_t *held, struct exposition **ret_exposition)
{
    int r = map_bodies(memory, &(uint64_t){length}, 1, ret_exposition);

    if (r == 0) {
        *held += length;
        (*ret_exposition)->held = held;
    }
    return r;
}

int exposition_receive(int channel, struct exposition **ret_exposition)
{
    uint64_t lengths[EXPOSITION_BODIES];
    CLEANUP_CLOSE int memory = -1;
    int r = passing_receive(channel, lengths, sizeof(lengths), &memory);

    *ret_exposition = NULL;
    if (r < 0 || r == 1)
        return r < 0 ? r : 0;
    if (r != sizeof(lengths) || memory < 0)
        return -EBADMSG;
    return map_bodies(memory, lengths, EXPOSITION_BODIES, ret_exposition);
}

struct exposition *exposition_reference(struct exposition *exposition)
{
    exposition->references++;
    return exposition;
}

void exposition_release(struct exposition *exposition)
{
    if (!exposition || --exposition->references)
        return;
    if (exposition->held)
        *exposition->held -= exposition->size;
    if (exposition->size)
        munmap(exposition->memory, exposition->size);
    free(exposition);
}
