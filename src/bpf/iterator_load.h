/* SPDX-License-Identifier: MIT */
/* Loading an iterator from its light skeleton. */
#pragma once

#include "bpf/iterators.h"

#include <errno.h>

/* Opens and loads one skeleton, and takes from it what the caller needs. */
#define ITERATOR_LOAD(name, program, ret)                                                          \
    ({                                                                                             \
        struct name *skeleton = name##__open();                                                    \
        int result = skeleton ? name##__load(skeleton) : -ENOMEM;                                  \
                                                                                                   \
        if (result < 0) {                                                                          \
            name##__destroy(skeleton);                                                             \
        } else {                                                                                   \
            (ret)->prog_fd = skeleton->progs.program.prog_fd;                                      \
            (ret)->filter = &skeleton->bss->filter;                                                \
            (ret)->skeleton = skeleton;                                                            \
        }                                                                                          \
        result;                                                                                    \
    })

/* Of ITERATOR_GLANCE, which nwho-lite has not. 0 or -errno. */
int glance_load(struct iterator *ret_iterator) MUST_CHECK;
void glance_close(const struct iterator *iterator);
