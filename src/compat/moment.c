/* SPDX-License-Identifier: MIT */
/* One reading of the machine for a personality. */
#include "compat/moment.h"

#include "collect/collect.h"
#include "compat/say.h"

void moment_init(struct moment *moment)
{
    *moment = (struct moment){
        .request = REQUEST_ALL,
        .scratch = BUF_INIT,
    };
}

void moment_done(struct moment *moment)
{
    if (moment->taken) {
        join_done(&moment->join);
        snapshot_done(&moment->snapshot);
    }
    names_done(&moment->names);
    buf_done(&moment->scratch);
    arena_done(&moment->arena);
}

int moment_take(struct moment *moment, const struct query *query)
{
    int r = query_plan(query, &moment->arena, &moment->request);

    if (r == 0)
        r = snapshot_init(&moment->snapshot);
    if (r < 0)
        return r;
    moment->taken = true;
    r = collect(&moment->snapshot, &moment->request);
    if (r == 0)
        r = join_make(&moment->snapshot, moment->request.needs, &moment->join);
    moment->view = (struct view){
        .snapshot = &moment->snapshot,
        .join = &moment->join,
        .names = &moment->names,
        .scratch = &moment->scratch,
    };
    return r;
}

/* A fact that exists and could have been read; what is not for us, or not in this kernel, is none.
 */
static bool has_failed(const struct note *note)
{
    return note->effect != NOTE_INFO &&
           (note->error == -EIO || note->error == -EMFILE || note->error == -ENFILE ||
            note->error == -ENOMEM || note->error == -ENOBUFS);
}

bool moment_check(const struct moment *moment, const struct host_names *names, const char *tool,
                  bool owners)
{
    const struct snapshot *snapshot = &moment->snapshot;
    bool no_names = moment->names.failed || host_names_failed(names);
    bool failed = moment->scratch.error || no_names;

    for (uint32_t i = 0; i < snapshot->notes_count; i++) {
        const struct note *note = &snapshot->notes[i];

        failed |= has_failed(note);
        if (note->effect == NOTE_INCOMPLETE || has_failed(note) ||
            (note->effect == NOTE_OWNERS && owners))
            say(tool, "%s", snapshot_string(snapshot, note->text, NULL));
    }
    if (no_names)
        say(tool, "names could not all be looked up: a file could not be read, or memory is short");
    if (moment->scratch.error)
        say(tool, "out of memory: texts are missing");
    return !snapshot->incomplete && !failed;
}
