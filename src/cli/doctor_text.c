/* SPDX-License-Identifier: MIT */
/* Writes findings, and explains checks, in lines that fit. */
#include "cli/doctor_text.h"

#include "base/escape.h"
#include "base/translate.h"
#include "cli/paragraph.h"
#include "out/color.h"
#include "table/finding_text.h"

#include <ctype.h>
#include <string.h>

static void put_expanded(const struct view *view, const struct finding *finding, const char *label,
                         const char *text, const struct doctor_style *style, struct buf *out)
{
    struct buf expanded = BUF_INIT;

    finding_expand(view, finding, translated(text), translated, &expanded);
    paragraph_put_labelled(out, label, buf_string(&expanded), expanded.length, style->width);
    buf_done(&expanded);
}

static void put_advice(const struct view *view, const struct finding *finding,
                       enum advice_part part, const char *label, const struct doctor_style *style,
                       struct buf *out)
{
    uint32_t count;
    const char *const *texts = finding_advice(finding, part, &count);

    for (uint32_t i = 0; i < count; i++)
        put_expanded(view, finding, i ? "" : label, texts[i], style, out);
}

static const char *color_of(enum severity severity)
{
    return severity == SEVERITY_CRIT   ? COLOR_SICK
           : severity == SEVERITY_WARN ? COLOR_CHANGED
                                       : COLOR_HEADER;
}

static void put_severity(struct buf *out, enum severity severity, const struct doctor_style *style)
{
    static const char *const words[SEVERITY_MAX] = {"OK", "INFO", "WARN", "CRIT"};

    if (style->color)
        buf_puts(out, color_of(severity));
    buf_puts(out, words[severity]);
    if (style->color)
        buf_puts(out, COLOR_RESET);
}

/* Who does what the finding says. */
static void put_culprit(const struct view *view, const struct finding *finding,
                        translation *translate, struct buf *out)
{
    if (finding->subject.process != HEALTH_NONE || finding->subject.acts)
        finding_expand(view, finding, "{process} ", translate, out);
    else if (finding->subject.interface != HEALTH_NONE)
        finding_expand(view, finding, "{iface} ", translate, out);
}

void doctor_put_what(const struct view *view, const struct finding *finding, translation *translate,
                     struct buf *out)
{
    const struct subject *subject = &finding->subject;

    put_culprit(view, finding, translate, out);
    finding_say(finding, translate, out);
    if (subject->netns != HEALTH_NONE &&
        !(view->snapshot->netns[subject->netns].flags & NETNS_SELF))
        finding_expand(view, finding, translate(N_(" (network namespace {netns})")), translate,
                       out);
}

/* "CRIT close-wait: java(2210) keeps 240 connections ...", and what is to be behind it. */
static void put_head(const struct view *view, const struct finding *finding, const char *command,
                     const struct doctor_style *style, struct buf *out)
{
    struct buf line = BUF_INIT;

    put_severity(out, finding->severity, style);
    buf_byte(out, ' ');
    buf_puts(&line, finding->check->name);
    buf_puts(&line, ": ");
    doctor_put_what(view, finding, translated, &line);
    if (command)
        buf_printf(&line, " (%s %s)", command, finding->check->name);
    paragraph_put(out, buf_string(&line), line.length, 5, style->width);
    buf_done(&line);
}

void doctor_put_line(const struct view *view, const struct finding *finding,
                     const struct doctor_style *style, struct buf *out)
{
    put_head(view, finding, "nwho doctor", style, out);
}

void doctor_put_findings(const struct grid *grid, const struct doctor_style *style, struct buf *out)
{
    const struct view *view = grid->view;

    for (uint32_t i = 0; i < grid->row_count; i++) {
        const struct finding *finding = &view->findings->items[grid->rows[i]];

        put_head(view, finding, NULL, style, out);
        put_expanded(view, finding, N_("cause"), finding->advice->cause, style, out);
        put_advice(view, finding, ADVICE_FIX, N_("fix"), style, out);
        put_advice(view, finding, ADVICE_AVOID, N_("avoid"), style, out);
        put_advice(view, finding, ADVICE_NEXT, N_("next"), style, out);
        buf_byte(out, '\n');
    }
    if (grid->matched > grid->row_count)
        phrase_put(out,
                   &PHRASE(N_("... and {1} more\n\n"), fact_count(grid->matched - grid->row_count)),
                   translated);
}

/* What could only be seen in part is not said to be fine. */
static bool is_fine(const struct check_result *result)
{
    return !result->findings && !result->skipped;
}

static void put_names(const struct findings *findings, struct buf *line)
{
    bool first = true;

    for (uint32_t i = 0; i < findings->result_count; i++) {
        if (!is_fine(&findings->results[i]))
            continue;
        buf_puts(line, first ? " (" : " ");
        buf_puts(line, findings->results[i].check->name);
        first = false;
    }
    if (!first)
        buf_byte(line, ')');
}

void doctor_put_summary(const struct view *view, const struct doctor_style *style, struct buf *out)
{
    const struct findings *findings = view->findings;
    struct buf line = BUF_INIT;
    uint32_t fine = 0;

    for (uint32_t i = 0; i < findings->result_count; i++)
        fine += is_fine(&findings->results[i]);
    phrase_put(&line,
               &PHRASE(fine == 1 ? N_("{1} check fine") : N_("{1} checks fine"), fact_count(fine)),
               translated);
    put_names(findings, &line);
    put_severity(out, SEVERITY_OK, style);
    buf_puts(out, "   ");
    paragraph_put(out, buf_string(&line), line.length, 5, style->width);
    for (uint32_t i = 0; i < findings->result_count; i++) {
        const struct check_result *result = &findings->results[i];

        if (!result->skipped)
            continue;
        buf_reset(&line);
        buf_printf(&line, "%s: %s", result->check->name, translated(result->skipped));
        paragraph_put_labelled(out, N_("skipped"), buf_string(&line), line.length, style->width);
    }
    buf_done(&line);
}

int doctor_nagios_state(const struct findings *findings, bool incomplete)
{
    static const int states[SEVERITY_MAX] = {0, 0, 1, 2};
    enum severity worst = findings_worst(findings);

    return incomplete && worst < SEVERITY_WARN ? 3 : states[worst];
}

void doctor_put_nagios(const struct view *view, struct buf *out)
{
    static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    const struct findings *findings = view->findings;
    bool incomplete = view->snapshot->incomplete;
    uint32_t told = 0;
    struct buf line = BUF_INIT;

    buf_puts(out, "NWHO ");
    buf_puts(out, words[doctor_nagios_state(findings, incomplete)]);
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];

        if (finding->severity < SEVERITY_WARN)
            continue;
        buf_puts(&line, told++ ? "; " : "");
        buf_puts(&line, finding->check->name);
        buf_byte(&line, ' ');
        put_culprit(view, finding, untranslated, &line);
        buf_puts(&line, finding->what);
    }
    if (!told)
        buf_printf(&line, "%u checks%s", findings->result_count,
                   incomplete ? " of what could be read" : "");
    if (findings->window_ns) {
        buf_puts(&line, ", in ");
        units_write_duration(&line, findings->window_ns / 1000);
    }
    buf_puts(out, " - ");
    /* What is behind a bar is performance data. */
    escape_part(out, buf_string(&line), line.length, "|");
    buf_puts(out, " |");
    for (uint32_t i = 0; i < findings->result_count; i++)
        buf_printf(out, " '%s'=%u", findings->results[i].check->name,
                   findings->results[i].findings);
    buf_byte(out, '\n');
    buf_done(&line);
}

/* --- --explain --- */

static void put_limit(struct buf *out, const struct threshold *threshold, const char *severity,
                      uint64_t value)
{
    if (value == LIMIT_NEVER)
        return;
    phrase_put(out, &PHRASE(N_(", {1} from "), fact_word(severity)), translated);
    units_write(out, threshold->unit, value);
}

static void put_threshold(const struct threshold *threshold, const struct doctor_style *style,
                          struct buf *out)
{
    struct buf line = BUF_INIT;

    buf_printf(&line, "%s: %s", threshold->name, translated(threshold->help));
    put_limit(&line, threshold, "warn", threshold->usual.warn);
    put_limit(&line, threshold, "crit", threshold->usual.crit);
    if (strcmp(threshold->source, "own") != 0)
        buf_printf(&line, " (%s)", threshold->source);
    buf_puts(out, "  ");
    paragraph_put(out, buf_string(&line), line.length, 2, style->width);
    buf_done(&line);
}

/* Without a finding a field is a word that stands for it: "{pid}" is "PID", "{in}" nothing. */
static void put_general(const char *label, const char *text, const struct doctor_style *style,
                        struct buf *out)
{
    struct buf words = BUF_INIT;
    bool is_field = false;

    text = translated(text);
    for (; *text; text++) {
        if (*text == '{' && strncmp(text, "{in}", 4) == 0)
            text += 3;
        else if (*text == '{' || *text == '}')
            is_field = *text == '{';
        else
            buf_byte(&words, is_field ? (char)toupper((unsigned char)*text) : *text);
    }
    paragraph_put_labelled(out, label, buf_string(&words), words.length, style->width);
    buf_done(&words);
}

static void put_texts(const char *const *texts, const char *label, const struct doctor_style *style,
                      struct buf *out)
{
    for (uint32_t i = 0; i < CHECK_TEXTS_MAX && texts[i]; i++)
        put_general(i ? "" : label, texts[i], style, out);
}

void doctor_put_check(const struct check *check, const struct doctor_style *style, struct buf *out)
{
    const char *paragraph = translated(check->theory);

    buf_printf(out, "%s: %s\n", check->name, translated(check->title));
    while (*paragraph) {
        size_t length = strcspn(paragraph, "\n");

        buf_puts(out, "\n");
        paragraph_put(out, paragraph, length, 0, style->width);
        paragraph += length + (paragraph[length] == '\n');
    }
    if (check->thresholds[0].name)
        buf_puts(out, translated(N_("\nThresholds (a finding from this value on):\n")));
    for (uint32_t i = 0; i < CHECK_LIMITS_MAX && check->thresholds[i].name; i++)
        put_threshold(&check->thresholds[i], style, out);
    for (uint32_t i = 0; i < check->advice_count; i++) {
        buf_byte(out, '\n');
        put_general(N_("cause"), check->advice[i].cause, style, out);
        put_texts(check->advice[i].fix, N_("fix"), style, out);
        put_texts(check->advice[i].avoid, N_("avoid"), style, out);
        put_texts(check->advice[i].next, N_("next"), style, out);
    }
    buf_byte(out, '\n');
    paragraph_put_behind(out, translated(N_("Sources: ")), check->sources, strlen(check->sources),
                         style->width);
}
