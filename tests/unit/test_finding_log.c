/* SPDX-License-Identifier: MIT */
/* What is noted of findings from one look to the next. */
#include "base/buf.h"
#include "derive/health/finding_log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* Looks in which something is better before that is noted. */
#define CALM_LOOKS 2

struct notebook {
    struct finding_log log;
    struct buf text; /* each note in a line */
    bool is_full;    /* nothing can be written */
};

static int setup(void **state)
{
    static struct notebook notebook;

    notebook = (struct notebook){.text = BUF_INIT};
    *state = &notebook;
    return 0;
}

static int teardown(void **state)
{
    struct notebook *notebook = *state;

    finding_log_done(&notebook->log);
    buf_done(&notebook->text);
    return 0;
}

static int write_note(const char *text, void *context)
{
    struct notebook *notebook = context;

    if (notebook->is_full)
        return -ENOSPC;
    buf_puts(&notebook->text, text);
    buf_byte(&notebook->text, '\n');
    return 0;
}

static void see(struct notebook *notebook, uint64_t identity, enum severity severity,
                const char *what)
{
    assert_int_equal(finding_log_see(&notebook->log, identity, severity, "stuck", what), 0);
}

static void expect(struct notebook *notebook, const char *notes)
{
    buf_reset(&notebook->text);
    assert_int_equal(finding_log_note(&notebook->log, write_note, notebook), 0);
    assert_string_equal(buf_string(&notebook->text), notes);
}

static void begins_and_is_not_said_again(void **state)
{
    struct notebook *notebook = *state;

    see(notebook, 1, SEVERITY_WARN, "one");
    see(notebook, 2, SEVERITY_CRIT, "two");
    expect(notebook, "warn stuck: one\ncrit stuck: two\n");
    see(notebook, 1, SEVERITY_WARN, "one, with other numbers");
    see(notebook, 2, SEVERITY_CRIT, "two");
    expect(notebook, "");
}

static void is_worse_at_once_and_better_later(void **state)
{
    struct notebook *notebook = *state;

    see(notebook, 1, SEVERITY_WARN, "one");
    expect(notebook, "warn stuck: one\n");
    see(notebook, 1, SEVERITY_CRIT, "bad");
    expect(notebook, "crit stuck: bad\n");
    for (unsigned int i = 1; i < CALM_LOOKS; i++) {
        see(notebook, 1, SEVERITY_WARN, "less");
        expect(notebook, "");
    }
    see(notebook, 1, SEVERITY_WARN, "less");
    expect(notebook, "warn stuck: less\n");
}

static void is_over_when_it_stays_away(void **state)
{
    struct notebook *notebook = *state;

    see(notebook, 1, SEVERITY_WARN, "one");
    expect(notebook, "warn stuck: one\n");
    for (unsigned int i = 1; i < CALM_LOOKS; i++)
        expect(notebook, "");
    see(notebook, 1, SEVERITY_WARN, "again");
    expect(notebook, "");
    for (unsigned int i = 1; i < CALM_LOOKS; i++)
        expect(notebook, "");
    expect(notebook, "over stuck: again\n");
    expect(notebook, "");
    see(notebook, 1, SEVERITY_WARN, "anew");
    expect(notebook, "warn stuck: anew\n");
}

static void the_worst_of_one_identity_counts(void **state)
{
    struct notebook *notebook = *state;

    see(notebook, 1, SEVERITY_WARN, "less");
    see(notebook, 1, SEVERITY_CRIT, "worst");
    see(notebook, 1, SEVERITY_WARN, "another");
    expect(notebook, "crit stuck: worst\n");
}

static void what_could_not_be_written_is_tried_again(void **state)
{
    struct notebook *notebook = *state;

    see(notebook, 1, SEVERITY_WARN, "one");
    notebook->is_full = true;
    assert_int_equal(finding_log_note(&notebook->log, write_note, notebook), -ENOSPC);
    notebook->is_full = false;
    see(notebook, 1, SEVERITY_WARN, "one");
    expect(notebook, "warn stuck: one\n");
}

static bool is_word(const char *word, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(word, expected, length) == 0;
}

static void notes_have_parts(void **state)
{
    static const char text[] = "over close-wait: a: b(1) keeps 3";
    static const char *const others[] = {"", "crit", "crit x", "crit x:", "bad x: y", "no look: z"};
    struct finding_note note;

    (void)state;
    assert_true(finding_note_parse(text, strlen(text), &note));
    assert_true(is_word(note.severity, note.severity_length, "over"));
    assert_true(is_word(note.check, note.check_length, "close-wait"));
    assert_true(is_word(note.what, note.what_length, "a: b(1) keeps 3"));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(finding_note_parse(others[i], strlen(others[i]), &note));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(begins_and_is_not_said_again, setup, teardown),
        cmocka_unit_test_setup_teardown(is_worse_at_once_and_better_later, setup, teardown),
        cmocka_unit_test_setup_teardown(is_over_when_it_stays_away, setup, teardown),
        cmocka_unit_test_setup_teardown(the_worst_of_one_identity_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_could_not_be_written_is_tried_again, setup, teardown),
        cmocka_unit_test(notes_have_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
