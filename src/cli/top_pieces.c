/* SPDX-License-Identifier: MIT */
/* nwho top of the past, as text and documents: each piece of the time in turn. */
#include "cli/history_notes.h"
#include "cli/history_subject.h"
#include "cli/replay.h"
#include "cli/show.h"
#include "cli/top_screen.h"

#include "out/json.h"

struct pieces {
    struct session *session;
    const struct query *rows;
    struct replay replay;
    struct buf out;
    uint64_t shown;
    uint64_t unmeasured_ns; /* since then nothing was measured; 0: something was */
    uint64_t until_ns;      /* of the last piece */
    int result;             /* the exit code */
};

static void put_times(struct buf *out, uint64_t since_ns, uint64_t until_ns)
{
    show_moment(out, since_ns);
    buf_puts(out, " to ");
    show_moment(out, until_ns);
}

/* From then on something is measured again. */
static void end_gap(struct pieces *pieces, uint64_t until_ns)
{
    uint64_t shortest_ns = pieces->replay.question.every_ns / 2; /* readings may be late */

    if (pieces->unmeasured_ns && pieces->unmeasured_ns + shortest_ns < until_ns &&
        pieces->session->options->format == FORMAT_TEXT) {
        put_times(&pieces->out, pieces->unmeasured_ns, until_ns);
        buf_puts(&pieces->out, "  not measured\n\n");
    }
    pieces->unmeasured_ns = 0;
}

static int put_notes(const struct replay_piece *piece, bool json, struct buf *out)
{
    struct history_notes notes = HISTORY_NOTES_INIT(json);
    int r;

    for (uint32_t i = 0; i < piece->note_count; i++)
        history_notes_add(&notes, &piece->frame->snapshot, &piece->notes[i]);
    r = history_notes_end(&notes);
    buf_put(out, notes.out.data, notes.out.length);
    history_notes_done(&notes);
    return r;
}

static int write_text(struct pieces *pieces, const struct replay_piece *piece,
                      const struct grid *grid)
{
    struct buf *out = &pieces->out;
    int r = 0;

    if (piece->measured_ns) {
        end_gap(pieces, replay_known_since(piece->since_ns, piece->until_ns, piece->measured_ns));
        put_times(out, piece->since_ns, piece->until_ns);
        top_put_headline(pieces->session, out);
        buf_byte(out, '\n');
        r = session_write(pieces->session, grid, out);
    } else if (!pieces->unmeasured_ns) {
        pieces->unmeasured_ns = piece->since_ns;
    }
    if (r == 0)
        r = put_notes(piece, false, out);
    if (piece->measured_ns)
        buf_byte(out, '\n');
    return r;
}

static int write_json(struct pieces *pieces, const struct replay_piece *piece,
                      const struct grid *grid)
{
    const struct snapshot *snapshot = &piece->frame->snapshot;
    struct buf more = BUF_INIT, notes = BUF_INIT;
    bool first = true;
    int r = put_notes(piece, true, &notes);

    buf_printf(&more, ",\n\"measured_s\":%.3f,\n\"notes\":[%s]", (double)piece->measured_ns / 1e9,
               buf_string(&notes));
    if (r == 0)
        r = json_begin(grid->table, snapshot, &pieces->out);
    if (r == 0)
        r = json_more(grid, &first, &pieces->out);
    if (r == 0)
        r = more.error ? more.error : json_end(snapshot, buf_string(&more), &pieces->out);
    buf_done(&notes);
    buf_done(&more);
    return r;
}

static int write_piece(struct pieces *pieces, const struct replay_piece *piece,
                       const struct grid *grid)
{
    switch (pieces->session->options->format) {
    case FORMAT_TEXT:
        return write_text(pieces, piece, grid);
    case FORMAT_JSON:
        return write_json(pieces, piece, grid);
    default:
        return session_write(pieces->session, grid, &pieces->out);
    }
}

/* 0, -errno, or EXIT_ERROR after a line on stderr. */
static int write_out(struct pieces *pieces)
{
    int r;

    if (pieces->session->options->quiet)
        buf_reset(&pieces->out);
    r = show_flush(&pieces->out);
    pieces->out = BUF_INIT;
    return r;
}

/* The least of what was found so far. */
static void judge(struct pieces *pieces, uint32_t rows)
{
    int code = session_exit(pieces->session, rows);

    if (code == EXIT_INCOMPLETE || pieces->result == EXIT_NOTHING)
        pieces->result = code;
}

static int select_and_write(struct pieces *pieces, const struct replay_piece *piece)
{
    struct session *session = pieces->session;
    struct grid grid;
    int r = session_select_now(session, pieces->rows, &grid);

    if (r != 0)
        return r;
    r = write_piece(pieces, piece, &grid);
    if (r == 0)
        r = write_out(pieces);
    judge(pieces, grid.row_count);
    session_notes(session);
    grid_done(&grid);
    return r;
}

/* 0, -errno, or 1: enough was shown, or it was said on stderr why not more. */
static int show_piece(struct replay_piece *piece, void *context)
{
    struct pieces *pieces = context;
    int r;

    pieces->session->now = piece->frame;
    pieces->until_ns = piece->until_ns;
    r = select_and_write(pieces, piece);
    pieces->session->now = NULL; /* the frame is the piece's */
    if (r == EXIT_ERROR)
        pieces->result = r;
    if (r == 0)
        r = ++pieces->shown == pieces->session->options->watch_count;
    return r;
}

static int show_all(struct pieces *pieces)
{
    int r = replay_open(pieces->session, &pieces->replay);

    if (r != 0)
        return r;
    r = replay_all(&pieces->replay, show_piece, pieces);
    end_gap(pieces, pieces->until_ns);
    if (r < 0 && r != -EPIPE)
        pieces->result = command_error("cannot read the history: %s", strerror(-r));
    else if (write_out(pieces) == EXIT_ERROR)
        pieces->result = EXIT_ERROR;
    replay_close(&pieces->replay);
    return pieces->result;
}

int top_pieces_run(const struct options *options)
{
    struct session session;
    struct group_plan by = {.key_count = 0};
    struct query rows = {0}, groups = {0};
    struct pieces pieces = {
        .session = &session, .rows = &rows, .out = BUF_INIT, .result = EXIT_NOTHING};
    int r = session_begin(&session, options);

    session.traffic = session.all_flows = true;
    if (r == 0)
        r = history_subject_find(NULL)->plan(&session, &rows, &groups, &by);
    if (r == 0)
        r = show_all(&pieces);
    buf_done(&pieces.out);
    session_end(&session);
    group_plan_done(&by);
    return r;
}
