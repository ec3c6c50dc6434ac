/* SPDX-License-Identifier: MIT */
/* Tests of cli/interrupts: a signal comes in also where there is always something to do. */
#include "cli/interrupts.h"

#include "base/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_signal_comes_where_something_is_always_ready(void **state)
{
    const struct timespec at_once = {0};
    int ends[2];
    CLEANUP_CLOSE int from = -1;
    CLEANUP_CLOSE int to = -1;
    struct pollfd ready;
    sigset_t unblocked;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    from = ends[0];
    to = ends[1];
    assert_int_equal(write(to, "x", 1), 1);
    ready = (struct pollfd){.fd = from, .events = POLLIN};
    interrupts_catch(&unblocked);
    assert_int_equal(interrupts_wait(&ready, 1, &at_once, &unblocked), 1);
    assert_false(interrupts_came());
    assert_int_equal(raise(SIGTERM), 0);
    assert_false(interrupts_came()); /* it is only let in where the program waits */
    assert_int_equal(interrupts_wait(&ready, 1, &at_once, &unblocked), 1);
    assert_true(interrupts_came());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_comes_where_something_is_always_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
