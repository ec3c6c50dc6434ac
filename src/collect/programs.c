/* SPDX-License-Identifier: MIT */
/* Keeps iterators loaded, and lends them. */
#include "collect/programs.h"

#include <errno.h>

#if HAVE_BPF

struct programs {
    struct iterator loaded[ITERATOR_KINDS];
};

struct programs *programs_new(void)
{
    struct programs *programs = malloc(sizeof(*programs));

    for (size_t i = 0; programs && i < ITERATOR_KINDS; i++)
        programs->loaded[i] = ITERATOR_INIT;
    return programs;
}

void programs_free(struct programs *programs)
{
    for (size_t i = 0; programs && i < ITERATOR_KINDS; i++)
        iterator_close(&programs->loaded[i]);
    free(programs);
}

bool programs_have(const struct programs *programs, enum iterator_kind kind)
{
    return programs && programs->loaded[kind].skeleton;
}

int programs_prepare(struct programs *programs, enum iterator_kind kind)
{
    return programs_have(programs, kind) ? 0 : iterator_open(kind, &programs->loaded[kind]);
}

int programs_open(struct programs *programs, enum iterator_kind kind, struct iterator *ret_iterator)
{
    int r = programs_prepare(programs, kind);

    if (r < 0)
        return r;
    *ret_iterator = programs->loaded[kind];
    ret_iterator->skeleton = NULL;
    return 0;
}

#else

struct programs *programs_new(void)
{
    return NULL;
}

void programs_free(struct programs *programs)
{
    (void)programs;
}

int programs_prepare(struct programs *programs, enum iterator_kind kind)
{
    (void)programs;
    (void)kind;
    return -EOPNOTSUPP;
}

#endif
