/* SPDX-License-Identifier: MIT */
/* A collection for tests of a single collector, on this very process. */
#pragma once

#include "collect/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    struct snapshot snapshot;
    struct request request;
    struct collection collection;
};

static inline int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    assert_int_equal(snapshot_init(&fixture->snapshot), 0);
    fixture->request.needs = NEED_SOCKETS | NEED_OWNERS;
    fixture->collection.snapshot = &fixture->snapshot;
    fixture->collection.request = &fixture->request;
    fixture->collection.own_netns = -1;
    *state = fixture;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;

    snapshot_done(&fixture->snapshot);
    free(fixture);
    return 0;
}
