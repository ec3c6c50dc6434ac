/* SPDX-License-Identifier: MIT */
/* BPF programs that stay loaded between readings: loading one takes as long as reading 10,000
 * sockets. */
#pragma once

#include "bpf/iterators.h"

#include <stdbool.h>

struct programs;

/* None is loaded before it is needed. NULL: there is no memory, or no BPF in this build. */
struct programs *programs_new(void);
void programs_free(struct programs *programs);

/* Loads one, for others to come: they are lent it, also in a child. 0 or -errno. */
int programs_prepare(struct programs *programs, enum iterator_kind kind) MUST_CHECK;

/* Whether one is loaded. NULL has none. */
bool programs_have(const struct programs *programs, enum iterator_kind kind);

/* As iterator_open(); what it gives is to be closed in the same way, and stays loaded. */
int programs_open(struct programs *programs, enum iterator_kind kind, struct iterator *ret_iterator)
    MUST_CHECK;
