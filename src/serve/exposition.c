/* SPDX-License-Identifier: MIT */
/* Exposition: the descriptor of the memory goes through a socket, with the lengths of the bodies.
 */
#include "serve/exposition.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Room for one descriptor beside a message. */
union ancillary {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

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

int exposition_send(int channel, const struct buf bodies[METRIC_FORM_MAX])
{
    CLEANUP_CLOSE int memory = memfd_create("nwho-metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    uint64_t lengths[METRIC_FORM_MAX];
    struct iovec part = {.iov_base = lengths, .iov_len = sizeof(lengths)};
    union ancillary ancillary = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &ancillary,
                             .msg_controllen = sizeof(ancillary)};
    int r = memory < 0 ? -errno : 0;

    for (unsigned int form = 0; form < METRIC_FORM_MAX && r == 0; form++) {
        lengths[form] = bodies[form].length;
        r = write_all(memory, &bodies[form]);
    }
    if (r == 0 && fcntl(memory, F_ADD_SEALS, SEALS) < 0)
        r = -errno;
    if (r < 0)
        return r;
    ancillary.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&ancillary.header), &memory, sizeof(int));
    return sendmsg(channel, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int map_memory(int memory, const uint64_t *lengths, struct exposition *exposition)
{
    size_t at = 0;

    for (unsigned int form = 0; form < METRIC_FORM_MAX; form++)
        exposition->size += lengths[form];
    exposition->memory = mmap(NULL, exposition->size, PROT_READ, MAP_SHARED, memory, 0);
    if (exposition->memory == MAP_FAILED)
        return -errno;
    for (unsigned int form = 0; form < METRIC_FORM_MAX; form++) {
        exposition->bodies[form] =
            (struct http_text){(const char *)exposition->memory + at, lengths[form]};
        at += lengths[form];
    }
    return 0;
}

int exposition_receive(int channel, struct exposition **ret_exposition)
{
    uint64_t lengths[METRIC_FORM_MAX];
    struct iovec part = {.iov_base = lengths, .iov_len = sizeof(lengths)};
    union ancillary ancillary = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &ancillary,
                             .msg_controllen = sizeof(ancillary)};
    ssize_t n = recvmsg(channel, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    CLEANUP_CLOSE int memory = -1;
    struct exposition *exposition;
    int r;

    if (n <= 0)
        return n < 0 ? -errno : -EPIPE;
    if (message.msg_controllen < CMSG_LEN(sizeof(int)))
        return -EBADMSG;
    memcpy(&memory, CMSG_DATA(&ancillary.header), sizeof(int));
    exposition = n == sizeof(lengths) ? calloc(1, sizeof(*exposition)) : NULL;
    r = exposition ? map_memory(memory, lengths, exposition) : -EBADMSG;
    if (r < 0) {
        free(exposition);
        return r;
    }
    exposition->references = 1;
    *ret_exposition = exposition;
    return 0;
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
    munmap(exposition->memory, exposition->size);
    free(exposition);
}
