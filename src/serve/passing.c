/* SPDX-License-Identifier: MIT */
/* Passing: SOCK_SEQPACKET and SCM_RIGHTS. */
#include "serve/passing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Room for one descriptor beside a message. */
union ancillary {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

int passing_memory(const char *name)
{
    int memory = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

    return memory < 0 ? -errno : memory;
}

int passing_seal(int memory)
{
    return fcntl(memory, F_ADD_SEALS, SEALS) < 0 ? -errno : 0;
}

static int end_of(int error)
{
    return error == ECONNRESET || error == ENOTCONN ? -EPIPE : -error;
}

int passing_send(int channel, const void *message, size_t size, int memory)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)message, .iov_len = size};
    union ancillary ancillary = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};

    if (memory >= 0) {
        ancillary.header = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&ancillary.header), &memory, sizeof(int));
        header.msg_control = &ancillary;
        header.msg_controllen = sizeof(ancillary);
    }
    return sendmsg(channel, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? end_of(errno) : 0;
}

int passing_receive(int channel, void *message, size_t size, int *ret_memory)
{
    struct iovec part = {.iov_base = message, .iov_len = size};
    union ancillary ancillary = {0};
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = &ancillary,
                            .msg_controllen = sizeof(ancillary)};
    ssize_t n = recvmsg(channel, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    CLEANUP_CLOSE int memory = -1;

    if (n <= 0)
        return n < 0 ? end_of(errno) : -EPIPE;
    if (header.msg_controllen >= CMSG_LEN(sizeof(int)))
        memcpy(&memory, CMSG_DATA(&ancillary.header), sizeof(int));
    if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
        return -EBADMSG;
    *ret_memory = TAKE_FD(memory);
    return (int)n;
}
