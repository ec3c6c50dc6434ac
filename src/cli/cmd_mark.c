/* SPDX-License-Identifier: MIT */
/* nwho mark: a note in the history. */
#include "base/clock.h"
#include "cli/command.h"
#include "cli/history.h"

#include <errno.h>
#include <string.h>

static int write_mark(const char *path, const char *text)
{
    struct buf problem = BUF_INIT;
    struct store *store = NULL;
    int r = store_open_to_note(path, &store, &problem);

    if (r == -ENOENT)
        r = command_error("there is no history: %s does not exist. nwho serve records one", path);
    else if (r < 0)
        r = command_error("%s", buf_string(&problem));
    buf_done(&problem);
    if (r != 0)
        return r;
    r = store_note(store, clock_ns(CLOCK_REALTIME), STORE_MARK, text);
    store_close(store);
    return r < 0 ? command_error("cannot write to %s: %s", path, strerror(-r)) : EXIT_FOUND;
}

static int run_mark(struct options *options)
{
    struct buf text = BUF_INIT;
    char path[PATH_MAX];
    int r;

    for (uint32_t i = 0; i < options->word_count; i++) {
        buf_puts(&text, i ? " " : "");
        buf_puts(&text, options->words[i]);
    }
    if (!text.length)
        r = command_error("what is to be noted? nwho mark \"deployed v2\"");
    else if (!history_path(options, false, path))
        r = command_error("there is no history: HOME is not set; use --store FILE");
    else
        r = write_mark(path, buf_string(&text));
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
