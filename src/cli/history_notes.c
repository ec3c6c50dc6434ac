/* SPDX-License-Identifier: MIT */
/* Notes of the history as lines of text and as JSON. */
#include "cli/history_notes.h"

#include "base/escape.h"
#include "cli/show.h"
#include "derive/health/finding_log.h"

#include <string.h>

void history_notes_done(struct history_notes *notes)
{
    buf_done(&notes->out);
    buf_done(&notes->loss);
}

/* --- text --- */

static void put_head(struct buf *out, uint64_t time_ns, uint32_t kind, bool has_text)
{
    show_moment(out, time_ns);
    buf_printf(out, has_text ? "  %-7s  " : "  %s", store_note_kind_name(kind));
}

static void put_losses(struct history_notes *notes)
{
    struct buf *out = &notes->out;

    if (!notes->losses)
        return;
    put_head(out, notes->since_ns, STORE_LOST, true);
    if (notes->lost)
        buf_uint(out, notes->lost);
    escape_text(out, notes->loss.data, notes->loss.length);
    if (notes->losses > 1) {
        buf_printf(out, " (%u times, until ", notes->losses);
        show_moment(out, notes->until_ns);
        buf_byte(out, ')');
    }
    buf_byte(out, '\n');
    notes->losses = 0;
    notes->lost = 0;
}

/* "12 events of connections ...": the number, and what is lost. */
static void add_loss(struct history_notes *notes, const struct store_note *note, const char *text,
                     size_t length)
{
    const char *end = text + length;
    uint64_t number = 0;

    for (; text < end && *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint64_t)(*text - '0');
    length = (size_t)(end - text);
    if (notes->losses && (notes->loss.length != length || !number != !notes->lost ||
                          (length && memcmp(notes->loss.data, text, length) != 0)))
        put_losses(notes);
    if (!notes->losses++) {
        notes->since_ns = note->time_ns;
        buf_reset(&notes->loss);
        buf_put(&notes->loss, text, length);
    }
    notes->until_ns = note->time_ns;
    notes->lost += number;
}

static void add_text(struct history_notes *notes, const struct store_note *note, const char *text,
                     size_t length)
{
    if (note->kind == STORE_LOST && length) {
        add_loss(notes, note, text, length);
        return;
    }
    put_losses(notes);
    put_head(&notes->out, note->time_ns, note->kind, length > 0);
    escape_text(&notes->out, text, length);
    buf_byte(&notes->out, '\n');
}

/* --- JSON --- */

static void put_finding(struct buf *out, const char *text, size_t length)
{
    struct finding_note finding;

    if (!finding_note_parse(text, length, &finding))
        return;
    buf_puts(out, ",\"severity\":");
    escape_json(out, finding.severity, finding.severity_length);
    buf_puts(out, ",\"check\":");
    escape_json(out, finding.check, finding.check_length);
    buf_puts(out, ",\"what\":");
    escape_json(out, finding.what, finding.what_length);
}

static void add_json(struct buf *out, const struct store_note *note, const char *text,
                     size_t length)
{
    buf_puts(out, out->length ? ",\n{\"time\":\"" : "\n{\"time\":\"");
    buf_utc(out, note->time_ns, 3);
    buf_printf(out, "\",\"kind\":\"%s\",\"text\":", store_note_kind_name(note->kind));
    escape_json(out, text, length);
    if (note->kind == STORE_FINDING)
        put_finding(out, text, length);
    buf_byte(out, '}');
}

void history_notes_add(struct history_notes *notes, const struct snapshot *snapshot,
                       const struct store_note *note)
{
    size_t length;
    const char *text = snapshot_string(snapshot, note->text, &length);

    if (notes->json)
        add_json(&notes->out, note, text, length);
    else
        add_text(notes, note, text, length);
}

int history_notes_end(struct history_notes *notes)
{
    put_losses(notes);
    return notes->loss.error ? notes->loss.error : notes->out.error;
}
