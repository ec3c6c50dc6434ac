/* SPDX-License-Identifier: MIT */
/* Keeps iterators loaded, and lends them. */
#include "collect/programs.h"

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

int programs_open(struct programs *programs, enum iterator_kind kind, struct iterator *ret_iterator)
{
    struct iterator *loaded = &programs->loaded[kind];
    int r = loaded->skeleton ? 0 : iterator_open(kind, loaded);

    if (r < 0)
        return r;
    *ret_iterator = *loaded;
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

#endif
