/* SPDX-License-Identifier: MIT */
/* The history: which time is meant, and where what was recorded is. */
#include "cli/history.h"

#include "base/clock.h"
#include "base/units.h"
#include "base/when.h"
#include "cli/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define USUAL_TIME_NS (24 * 3600 * SECOND_NS)
#define PIECES_MAX 100000
#define MOMENT_NS (10 * SECOND_NS) /* a tick, unless the recorder was told otherwise */

bool history_path(const struct options *options, bool writes, char path[static PATH_MAX])
{
    if (options->store)
        return snprintf(path, PATH_MAX, "%s", options->store) < PATH_MAX;
    return store_usual_path(writes, path, PATH_MAX);
}

/* --- which time --- */

/* "5m" was meant to be "-5m". */
static bool is_duration(const char *text)
{
    uint64_t seconds;

    return units_parse(text, strlen(text), UNIT_SECONDS, &seconds, NULL) == 0;
}

int history_time(const char *option, const char *text, uint64_t after_ns, uint64_t *ret_ns,
                 struct buf *problem)
{
    int r = when_parse(text, clock_ns(CLOCK_REALTIME), after_ns, ret_ns);

    if (r == 0)
        return 0;
    buf_printf(problem, "%s\"%s\"", option, text);
    if (r == -ERANGE)
        buf_puts(problem, ": there is no such time");
    else if (is_duration(text))
        buf_printf(problem, " is no time: for so long ago write -%s", text);
    else
        buf_puts(problem, " is no time: write 03:00, -2h, \"yesterday 2pm\", 2026-11-20 or "
                          "\"2026-11-20 03:00\"");
    return -EINVAL;
}

static int read_time(const char *option, const char *text, uint64_t after_ns, uint64_t *ret_ns)
{
    struct buf problem = BUF_INIT;
    int r = history_time(option, text, after_ns, ret_ns, &problem);

    if (r < 0)
        r = command_error("%s", buf_string(&problem));
    buf_done(&problem);
    return r;
}

/* Of --since and --until. */
static int read_span(const struct options *options, struct store_question *question)
{
    int r = 0;

    if (options->since)
        r = read_time("--since ", options->since, 0, &question->since_ns);
    if (r == 0 && options->until)
        r = read_time("--until ", options->until, options->since ? question->since_ns : 0,
                      &question->until_ns);
    if (r == 0 && !options->since)
        question->since_ns =
            question->until_ns > USUAL_TIME_NS ? question->until_ns - USUAL_TIME_NS : 0;
    return r;
}

/* `--since yesterday 14:00` without quotes: the rest is no filter. */
static const char *stray_time(const struct options *options)
{
    for (uint32_t i = 0; i < options->word_count; i++) {
        const char *word = options->words[i];
        size_t digits = strspn(word, "0123456789");

        if (digits && digits <= 2 && word[digits] == ':' &&
            strspn(word, "0123456789:") == strlen(word))
            return word;
    }
    return NULL;
}

int history_times(const struct options *options, struct store_question *question)
{
    const char *stray = stray_time(options);
    int r;

    if (stray)
        return command_error("\"%s\" stands alone: a time of several words is one in quotes, "
                             "--since \"yesterday 14:00\"",
                             stray);
    if (options->at && (options->since || options->until || options->every_ms))
        return command_error("--at is one moment: it does not go with --since, --until or --every");
    question->until_ns = clock_ns(CLOCK_REALTIME);
    question->every_ns = options->every_ms * MILLISECOND_NS;
    if (options->at) {
        r = read_time("--at ", options->at, 0, &question->since_ns);
        question->until_ns = question->since_ns + MOMENT_NS;
    } else {
        r = read_span(options, question);
    }
    if (r == 0 && question->until_ns <= question->since_ns)
        return command_error("the time ends before it begins: --until is not after --since");
    if (r == 0 && question->every_ns &&
        (question->until_ns - question->since_ns) / question->every_ns >= PIECES_MAX)
        return command_error("this time has more than %d pieces of --every", PIECES_MAX);
    return r;
}

/* --- the store --- */

static int open_for(const struct options *options,
                    int (*open)(const char *path, struct store **ret_store, struct buf *problem),
                    struct store **ret_store)
{
    char path[PATH_MAX];
    struct buf problem = BUF_INIT;
    int r;

    if (!history_path(options, false, path))
        return command_error("there is no place for a history: HOME is not set; use --store FILE");
    r = open(path, ret_store, &problem);
    if (r == -ENOENT)
        r = command_error("there is no history: %s does not exist. nwho serve records one", path);
    else if (r == -EACCES || r == -EPERM)
        r = command_error("%s: root may, and who is in the group of the file (nwho help files)",
                          buf_string(&problem));
    else if (r < 0)
        r = command_error("%s", r == -ENOMEM ? "out of memory" : buf_string(&problem));
    buf_done(&problem);
    return r;
}

int history_open(const struct options *options, struct store **ret_store)
{
    return open_for(options, store_open_to_read, ret_store);
}

int history_open_to_note(const struct options *options, struct store **ret_store)
{
    return open_for(options, store_open_to_note, ret_store);
}

/* What is missing: the first loss stands for all of them. */
static void note_losses(struct store_answer *answer)
{
    uint32_t losses = 0;
    size_t length;
    const char *first = "";

    for (uint32_t i = 0; i < answer->note_count; i++)
        if (answer->notes[i].kind == STORE_LOST && losses++ == 0)
            first = snapshot_string(&answer->snapshot, answer->notes[i].text, &length);
    if (losses)
        snapshot_note(&answer->snapshot, NOTE_INCOMPLETE, "history", 0,
                      "in this time something was lost %u time%s; the first: %s", losses,
                      losses == 1 ? "" : "s", first);
    answer->snapshot.incomplete |= losses > 0;
}

static int take_snapshot(struct store_answer *answer, void *context)
{
    struct snapshot *snapshot = context;

    note_losses(answer);
    *snapshot = answer->snapshot;
    answer->snapshot = (struct snapshot){0};
    return 0;
}

int history_read(const struct options *options, unsigned int parts, struct snapshot *ret_snapshot)
{
    struct store_question question = {.parts = parts | STORE_NOTES};
    struct store *store = NULL;
    int r = history_times(options, &question);

    if (r == 0)
        r = history_open(options, &store);
    if (r == 0) {
        r = store_read(store, &question, take_snapshot, ret_snapshot);
        if (r < 0)
            r = command_error("cannot read the history: %s", store_failure(r));
    }
    store_close(store);
    return r;
}

const char *history_tier_name(enum store_tier tier)
{
    static const char *const names[STORE_TIER_MAX] = {
        [STORE_ANY] = "", [STORE_FINE] = "fine", [STORE_MINUTE] = "minute", [STORE_HOUR] = "hour"};

    return names[tier];
}
