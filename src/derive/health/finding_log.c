/* SPDX-License-Identifier: MIT */
/* Finding log: which findings began, changed, and are over. */
#include "derive/health/finding_log.h"

#include "base/buf.h"
#include "base/vec.h"

#include <string.h>

/* So many looks in a row it is better, or gone: alarms on differences come and go. */
#define CALM_LOOKS 2

/* On a machine with more the others are not noted. */
#define LOGGED_MAX 1000

struct logged_finding {
    uint64_t identity;
    char *text;          /* "close-wait: java(2210) keeps ..."; owned */
    enum severity now;   /* in the running look; SEVERITY_OK: it has not been seen yet */
    enum severity noted; /* SEVERITY_OK: it was not noted, or as over */
    unsigned int calm;   /* looks in a row in which it was less than that */
};

static const char *severity_word(enum severity severity)
{
    return severity == SEVERITY_OK ? "over" : severity_name(severity);
}

void finding_log_done(struct finding_log *log)
{
    for (uint32_t i = 0; i < log->count; i++)
        free(log->items[i].text);
    free(log->items);
    *log = (struct finding_log){0};
}

static struct logged_finding *find(struct finding_log *log, uint64_t identity)
{
    for (uint32_t i = 0; i < log->count; i++)
        if (log->items[i].identity == identity)
            return &log->items[i];
    return NULL;
}

static int set_text(struct logged_finding *logged, const char *check, const char *what)
{
    struct buf text = BUF_INIT;

    buf_puts(&text, check);
    buf_puts(&text, ": ");
    buf_puts(&text, what);
    buf_string(&text);
    if (text.error) {
        buf_done(&text);
        return text.error;
    }
    free(logged->text);
    logged->text = text.data;
    return 0;
}

int finding_log_see(struct finding_log *log, uint64_t identity, enum severity severity,
                    const char *check, const char *what)
{
    struct logged_finding *logged = find(log, identity);
    int r;

    if (!logged) {
        if (log->count == LOGGED_MAX)
            return 0;
        r = VEC_RESERVE(&log->items, &log->capacity, log->count, 1);
        if (r < 0)
            return r;
        logged = &log->items[log->count++];
        *logged = (struct logged_finding){.identity = identity};
    }
    if (severity <= logged->now)
        return 0;
    r = set_text(logged, check, what);
    if (r == 0)
        logged->now = severity;
    return r;
}

static bool is_to_be_noted(const struct logged_finding *logged)
{
    return logged->now > logged->noted ||
           (logged->now < logged->noted && logged->calm >= CALM_LOOKS);
}

static int note_one(struct logged_finding *logged, int (*note)(const char *text, void *context),
                    void *context)
{
    struct buf text = BUF_INIT;
    int r;

    buf_puts(&text, severity_word(logged->now));
    buf_byte(&text, ' ');
    buf_puts(&text, logged->text);
    buf_string(&text);
    r = text.error ? text.error : note(text.data, context);
    buf_done(&text);
    if (r == 0) {
        logged->noted = logged->now;
        logged->calm = 0;
    }
    return r;
}

/* Whether there is nothing more to say of it. */
static bool is_done(const struct logged_finding *logged)
{
    return logged->now == SEVERITY_OK && logged->noted == SEVERITY_OK;
}

int finding_log_note(struct finding_log *log, int (*note)(const char *text, void *context),
                     void *context)
{
    uint32_t kept = 0;
    int r = 0;

    for (uint32_t i = 0; i < log->count; i++) {
        struct logged_finding *logged = &log->items[i];

        logged->calm = logged->now < logged->noted ? logged->calm + 1 : 0;
        if (r == 0 && is_to_be_noted(logged))
            r = note_one(logged, note, context);
        if (is_done(logged)) {
            free(logged->text);
            continue;
        }
        logged->now = SEVERITY_OK;
        log->items[kept++] = *logged;
    }
    log->count = kept;
    return r;
}

bool finding_note_parse(const char *text, size_t length, struct finding_note *ret_note)
{
    const char *check = memchr(text, ' ', length), *colon, *end = text + length;
    struct finding_note note = {.severity = text};
    bool is_severity = false;

    if (!check)
        return false;
    check++;
    note.severity_length = (size_t)(check - 1 - text);
    for (enum severity i = SEVERITY_OK; i < SEVERITY_MAX; i++)
        is_severity |= strlen(severity_word(i)) == note.severity_length &&
                       memcmp(severity_word(i), text, note.severity_length) == 0;
    colon = memchr(check, ':', (size_t)(end - check));
    if (!is_severity || !colon || end - colon < 2)
        return false;
    note.check = check;
    note.check_length = (size_t)(colon - check);
    note.what = colon + 2;
    note.what_length = (size_t)(end - note.what);
    *ret_note = note;
    return true;
}
