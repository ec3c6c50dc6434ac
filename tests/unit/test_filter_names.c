/* SPDX-License-Identifier: MIT */
/* Tests of the filter language: what names mean, and what is said when they may mean another thing.
 */
#include "filter_fixture.h"

static struct machine machine;

static int set_up(void **state)
{
    (void)state;
    machine_make(&machine);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    machine_done(&machine);
    return 0;
}

/* Users are those that the rows name; what nobody recorded is not asked of this machine. */
static void recordings_know_other_users(void **state)
{
    struct arena arena = {0};
    struct filter *filter = NULL;
    struct filter_error error;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        const char *text = i ? "uid no_such_user_here" : "user no_such_user_here";

        assert_int_equal(filter_compile_recorded(&table_sockets, text, &arena, &filter, &error), 0);
        assert_false(filter_accepts(filter, &machine.view, 0));
        filter_done(filter);
    }
    arena_done(&arena);
}

/* What a command line does with a filter that finds nothing, and with an argument with blanks. */
static void names_are_told_from_conditions(void **state)
{
    static const struct {
        const char *text;
        bool names;
        const char *hint;
    } examples[] = {
        {"my server", true, "'server' was taken for the name of a process, unit or container"},
        {"/run/my sock", true,
         "'sock' was taken for the name of a process, unit or container; did you mean 'sick'?"},
        {"@my name", true, "'name' was taken for the name of a process, unit or container"},
        {"/run/x or nginx", false,
         "'nginx' was taken for the name of a process, unit or container"},
        {"not nginx", false, "'nginx' was taken for the name of a process, unit or container"},
        {"nginx established", false,
         "'nginx' was taken for the name of a process, unit or container"},
        {"process nginx", false, ""},
        {"direction incoming", false,
         "direction: listen, in, out, or local (both ends on this machine)"},
        {"tcp", false, ""},
        {"lisetn", false,
         "'lisetn' was taken for the name of a process, unit or container; did you mean 'listen'?"},
        {"prot", false,
         "'prot' was taken for the name of a process, unit or container; did you mean 'proto'?"},
        {"containerd established", false,
         "'containerd' was taken for the name of a process, unit or container"},
        {"node tcp", false, "'node' was taken for the name of a process, unit or container"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        struct arena arena = {0};
        struct filter *filter = NULL;
        struct filter_error error;
        struct buf hint = BUF_INIT;

        assert_int_equal(filter_compile(&table_sockets, examples[i].text, &arena, &filter, &error),
                         0);
        assert_int_equal(filter_is_names(filter), examples[i].names);
        assert_int_equal(filter_hint(filter, &hint), *examples[i].hint != '\0');
        assert_string_equal(buf_string(&hint), examples[i].hint);
        buf_done(&hint);
        filter_done(filter);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recordings_know_other_users),
        cmocka_unit_test(names_are_told_from_conditions),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
