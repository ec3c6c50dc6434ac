/* SPDX-License-Identifier: MIT */
/* Playing: which piece of the past is shown, and what was in those before. */
#include "tui/screen.h"

#define LEAP 10 /* pieces */

/* Of a piece; the third one to begin with. */
static const uint32_t speeds_ms[] = {5000, 2000, 1000, 500, 200, 100, 50};
#define USUAL_SPEED 2

void playing_begin(struct tui *tui)
{
    tui->playing.piece = tui->source->replay->first;
    tui->playing.speed = USUAL_SPEED;
}

uint32_t playing_interval_ms(const struct tui *tui)
{
    return speeds_ms[tui->playing.speed];
}

void playing_put_speed(const struct tui *tui, struct buf *out)
{
    uint64_t piece_ms = tui->source->replay->every_ns / 1000000;

    buf_printf(out, "%gx", (double)piece_ms / playing_interval_ms(tui));
}

/* --- pieces --- */

static int sample_piece(struct tui *tui, const struct tui_question *question,
                        const struct tui_status *status)
{
    struct tui_answer answer = {.incomplete = false};
    struct list list = {0};
    int r = tui->source->answer(tui->source->context, question, &answer);

    if (r < 0)
        return r;
    series_tick(&tui->series);
    series_tick(&tui->rx);
    series_tick(&tui->tx);
    r = list_update(&list, tui->source, question->grouping, &answer, false);
    if (r == 0)
        r = tui_sample_rows(tui, &list);
    if (r == 0)
        r = tui_sample_interfaces(tui, status);
    list_done(&list);
    grid_done(&answer.grid);
    return r;
}

/* Those that curves have no values of yet: where it was played on mostly one, else as many as there
 * is room for. */
static uint64_t first_to_sample(struct tui *tui)
{
    struct playing *playing = &tui->playing;

    if (playing->has_samples && playing->piece >= playing->sampled &&
        playing->piece - playing->sampled < SERIES_LENGTH)
        return playing->sampled + 1;
    series_keep(&tui->series, 0);
    series_keep(&tui->rx, 0);
    series_keep(&tui->tx, 0);
    return playing->piece < SERIES_LENGTH ? 0 : playing->piece - SERIES_LENGTH + 1;
}

int playing_show(struct tui *tui)
{
    const struct tui_source *source = tui->source;
    struct playing *playing = &tui->playing;
    struct tui_question question = tui_question(tui);
    uint64_t piece = first_to_sample(tui);
    struct tui_status status;
    int r = 0;

    question.window = 0;
    question.sort = "";
    for (; piece <= playing->piece && r == 0; piece++) {
        r = source->replay->show(source->context, piece, &status);
        if (r == 0)
            r = sample_piece(tui, &question, &status);
    }
    if (r == 0)
        r = source->replay->show(source->context, playing->piece, &status);
    playing->has_samples = r == 0;
    playing->sampled = playing->piece;
    tui->status = (struct tui_status){0};
    if (r == 0)
        source->status(source->context, &tui->status);
    return r;
}

/* --- where to --- */

void playing_go_to(struct tui *tui, uint64_t piece)
{
    uint64_t last = tui->source->replay->count - 1;

    tui->playing.piece = piece < last ? piece : last;
    tui->wants_reading = true;
}

bool playing_advance(struct tui *tui)
{
    if (tui->playing.piece + 1 >= tui->source->replay->count) {
        tui->paused = true;
        tui_say(tui, false, "this is the end");
        return false;
    }
    tui->playing.piece++;
    return true;
}

/* To look at a piece is to stop there. */
static void step(struct tui *tui, uint64_t pieces, bool back)
{
    uint64_t piece = tui->playing.piece, last = tui->source->replay->count - 1;

    tui->paused = true;
    if (back ? piece == 0 : piece == last)
        tui_say(tui, false, "this is the %s", back ? "beginning" : "end");
    else if (back)
        playing_go_to(tui, piece > pieces ? piece - pieces : 0);
    else
        playing_go_to(tui, piece + pieces);
}

static void change_speed(struct tui *tui, bool faster)
{
    struct buf text = BUF_INIT;
    uint32_t *speed = &tui->playing.speed;

    if (faster)
        *speed += *speed + 1 < sizeof(speeds_ms) / sizeof(*speeds_ms);
    else
        *speed -= *speed > 0;
    playing_put_speed(tui, &text);
    tui_say(tui, false, "%s as fast as it was", buf_string(&text));
    buf_done(&text);
}

void playing_act(struct tui *tui, enum tui_action action)
{
    switch (action) {
    case ACTION_STEP_BACK:
    case ACTION_STEP:
        step(tui, 1, action == ACTION_STEP_BACK);
        break;
    case ACTION_LEAP_BACK:
    case ACTION_LEAP:
        step(tui, LEAP, action == ACTION_LEAP_BACK);
        break;
    case ACTION_TO_BEGINNING:
        playing_go_to(tui, 0);
        break;
    case ACTION_TO_END:
        playing_go_to(tui, tui->source->replay->count - 1);
        break;
    case ACTION_TO_TIME:
        prompts_begin_time(tui);
        break;
    case ACTION_SLOWER:
    case ACTION_FASTER:
        change_speed(tui, action == ACTION_FASTER);
        break;
    default:
        break;
    }
}
