/* SPDX-License-Identifier: MIT */
/* Cuts the byte stream of an iterator into records and checks each. */
#include "bpf/iterators.h"

#include <string.h>

/* The size that the parts of a record add up to. */
static size_t parts_size(unsigned int parts)
{
    return sizeof(struct record_head) + (parts & RECORD_SOCKET ? sizeof(struct record_socket) : 0) +
           (parts & RECORD_OWNER ? sizeof(struct record_owner) : 0) +
           (parts & RECORD_TCP ? sizeof(struct record_tcp) : 0);
}

int record_split(const char *bytes, size_t length, iterator_record_fn *fn, void *context,
                 size_t *ret_used)
{
    size_t used = 0;

    while (length - used >= sizeof(struct record_head)) {
        const char *at = bytes + used;
        struct record record = {.head = (const void *)at};
        size_t size = record.head->size;
        int r;

        if (record.head->parts & ~(RECORD_SOCKET | RECORD_OWNER | RECORD_TCP) ||
            size != parts_size(record.head->parts))
            return -EBADMSG;
        if (size > length - used)
            break;
        at += sizeof(struct record_head);
        if (record.head->parts & RECORD_SOCKET) {
            record.socket = (const void *)at;
            at += sizeof(struct record_socket);
        }
        if (record.head->parts & RECORD_OWNER) {
            record.owner = (const void *)at;
            at += sizeof(struct record_owner);
        }
        if (record.head->parts & RECORD_TCP)
            record.tcp = (const void *)at;
        r = fn(context, &record);
        if (r < 0)
            return r;
        used += size;
    }
    *ret_used = used;
    return 0;
}
