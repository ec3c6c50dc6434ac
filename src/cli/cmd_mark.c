/* SPDX-License-Identifier: MIT */
/* nwho mark: a note in the history. */
#include "base/clock.h"
#include "cli/command.h"
#include "cli/history.h"

#include <string.h>

static int write_mark(const struct options *options, const char *text)
{
    struct store *store = NULL;
    int r = history_open_to_note(options, &store);

    if (r != 0)
        return r;
    r = store_note(store, clock_ns(CLOCK_REALTIME), STORE_MARK, text);
    store_close(store);
    return r < 0 ? command_error("cannot write the note: %s", store_failure(r)) : EXIT_FOUND;
}

static int run_mark(struct options *options)
{
    struct buf text = BUF_INIT;
    int r;

    for (uint32_t i = 0; i < options->word_count; i++) {
        buf_puts(&text, i ? " " : "");
        buf_puts(&text, options->words[i]);
    }
    r = text.length ? write_mark(options, buf_string(&text))
                    : command_error("what is to be noted? nwho mark \"deployed v2\"");
    buf_done(&text);
    return r;
}

static const char *const examples[] = {
    "nwho mark \"deployed v2\"",
    "nwho history shows it at this time",
    NULL,
};

const struct command command_mark = {
    .name = "mark",
    .arguments = "TEXT",
    .summary = "a note in the history, at this time",
    .examples = examples,
    .options = OPTIONS_STORE,
    .run = run_mark,
};
