/* SPDX-License-Identifier: MIT */
/* BPF programs that stay loaded between readings: loading one takes as long as reading 10,000
 * sockets. */
#pragma once

#include "bpf/iterators.h"

struct programs;

/* None is loaded before it is needed. NULL: there is no memory, or no BPF in this build. */
struct programs *programs_new(void);
void programs_free(struct programs *programs);

/* As iterator_open(); what it gives is to be closed in the same way, and stays loaded. */
int programs_open(struct programs *programs, enum iterator_kind kind, struct iterator *ret_iterator)
    MUST_CHECK;
