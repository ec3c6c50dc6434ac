/* SPDX-License-Identifier: MIT */
/* Replay: reads pieces of the history a few at a time, and keeps those around the one that is
 * shown. */
#include "cli/replay.h"

#include "base/clock.h"

#define USUAL_PIECE_NS (10 * SECOND_NS) /* a tick, unless the recorder was told otherwise */
#define MINUTE_NS (60 * SECOND_NS)
#define HOUR_NS (3600 * SECOND_NS)
#define ROUGH_PIECES 64

/* A recorder reads at :00, :10, ..., or a little later: that is still of the piece before. */
#define LATE_NS (500 * MILLISECOND_NS)

bool replay_is_asked(const struct options *options)
{
    return options->past || options->since || options->until || options->every_ms;
}

/* --- which time --- */

static int check_options(const struct options *options)
{
    if (options->replay)
        return command_error("--replay FILE is one recording: --since, --until and --every are of "
                             "the history, without a FILE");
    if (options->record)
        return command_error("--record is of the present: it does not go with --since");
    if (options->namespace_count || options->container)
        return command_error("the history has every namespace: choose by a filter, netns NAME or "
                             "container ID");
    if (!options->every_ms && options->watch_ms && options->watch_ms < 1000)
        return command_error("a piece of the history is a second or more: -d 1");
    return 0;
}

static uint64_t piece_ns(const struct options *options)
{
    uint64_t ms = options->every_ms ? options->every_ms : options->watch_ms;

    return ms ? ms * MILLISECOND_NS : USUAL_PIECE_NS;
}

static uint64_t round_up(uint64_t number, uint64_t to)
{
    return (number + to - 1) / to * to;
}

/* Whether it begins early enough, or with the oldest that there is. */
static bool reaches(const struct replay *replay, enum store_tier tier)
{
    uint64_t first = replay->extent.since_ns[tier];

    return first && (first <= replay->question.since_ns + MINUTE_NS ||
                     first <= replay->extent.since_ns[STORE_ANY] + HOUR_NS);
}

/* All of it is of one tier: the finest that reaches back so far. Minutes know no peers. */
static void choose_tier(struct replay *replay)
{
    struct store_question *question = &replay->question;
    uint64_t step = 0;

    question->parts = STORE_PEERS | STORE_INTERFACES | STORE_NOTES;
    question->tier = STORE_FINE;
    if (!replay->extent.until_ns || reaches(replay, STORE_FINE))
        return;
    if (reaches(replay, STORE_MINUTE)) {
        question->tier = STORE_MINUTE;
        question->parts = STORE_PROCESSES | STORE_INTERFACES | STORE_NOTES;
        step = MINUTE_NS;
    } else if (reaches(replay, STORE_HOUR)) {
        question->tier = STORE_HOUR;
        step = HOUR_NS;
    } else {
        return;
    }
    question->every_ns = round_up(question->every_ns, step);
    question->since_ns -= question->since_ns % step;
    question->until_ns = round_up(question->until_ns, step);
}

/* Pieces begin where ticks do. */
static void align(struct replay *replay)
{
    struct store_question *question = &replay->question;
    uint64_t step = question->every_ns < USUAL_PIECE_NS ? SECOND_NS : USUAL_PIECE_NS;

    if (question->tier == STORE_FINE) {
        question->since_ns -= question->since_ns % step;
        replay->late_ns = LATE_NS;
    }
    replay->count =
        (question->until_ns - question->since_ns + question->every_ns - 1) / question->every_ns;
}

static int find_times(struct replay *replay, const struct options *options)
{
    struct store_question *question = &replay->question;
    struct options span = *options;
    uint64_t now_ns = clock_ns(CLOCK_REALTIME);
    int r;

    span.every_ms = 0; /* there may be any number of pieces */
    r = history_times(&span, question);
    if (r != 0)
        return r;
    if (question->since_ns >= now_ns)
        return command_error("nothing was recorded yet of a time to come");
    if (question->until_ns > now_ns)
        question->until_ns = now_ns;
    question->every_ns = piece_ns(options);
    return 0;
}

int replay_open(struct session *session, struct replay *ret_replay)
{
    struct replay replay = {.session = session};
    int r = check_options(session->options);

    if (r == 0)
        r = find_times(&replay, session->options);
    if (r == 0)
        r = history_open(session->options, &replay.store);
    if (r != 0)
        return r;
    r = store_extent(replay.store, &replay.extent);
    if (r < 0) {
        store_close(replay.store);
        return command_error("cannot read the history: %s", strerror(-r));
    }
    choose_tier(&replay);
    align(&replay);
    *ret_replay = replay;
    return 0;
}

/* --- pieces --- */

void replay_piece_done(struct replay_piece *piece)
{
    session_free_frame(piece->frame);
    free(piece->notes);
    *piece = (struct replay_piece){.frame = NULL};
}

static void drop_block(struct replay *replay, struct replay_block *block)
{
    for (uint32_t i = 0; i < REPLAY_BLOCK_PIECES; i++) {
        if (block->pieces[i].frame && block->pieces[i].frame == replay->session->now)
            replay->session->now = NULL;
        replay_piece_done(&block->pieces[i]);
    }
    block->used = 0;
    block->to_read = 0;
}

void replay_close(struct replay *replay)
{
    for (uint32_t i = 0; i < REPLAY_BLOCKS; i++)
        drop_block(replay, &replay->blocks[i]);
    store_close(replay->store);
    *replay = (struct replay){.session = replay->session};
}

/* Takes what it needs of the answer, and says its times as people do. */
static int make_piece(struct replay *replay, struct store_answer *answer,
                      struct replay_piece *ret_piece)
{
    struct replay_piece piece = {
        .since_ns = answer->since_ns - replay->late_ns,
        .until_ns = answer->until_ns - replay->late_ns,
        .measured_ns = answer->measured_ns,
        .interface_measured_ns = answer->interface_measured_ns,
    };
    struct snapshot snapshot = answer->snapshot;

    answer->snapshot = (struct snapshot){0};
    snapshot.time_ns = piece.until_ns;
    if (session_frame(replay->session, &snapshot, &piece.frame) != 0)
        return -ENOMEM;
    piece.notes = answer->notes;
    piece.note_count = answer->note_count;
    answer->notes = NULL;
    answer->note_count = 0;
    *ret_piece = piece;
    return 0;
}

/* Times are those that pieces are called by. */
static int read_store(struct replay *replay, uint64_t since_ns, uint64_t until_ns,
                      const struct store_question *like,
                      int (*take)(struct store_answer *answer, void *context), void *context)
{
    struct store_question question = *like;

    question.since_ns = since_ns + replay->late_ns;
    question.until_ns = until_ns + replay->late_ns;
    return store_read(replay->store, &question, take, context);
}

uint64_t replay_first(const struct replay *replay)
{
    const struct store_question *question = &replay->question;
    uint64_t known_ns = replay->extent.since_ns[question->tier], number;

    if (known_ns <= question->since_ns)
        return 0;
    number = (known_ns - question->since_ns) / question->every_ns;
    return number < replay->count ? number : 0;
}

struct block_reader {
    struct replay *replay;
    struct replay_block *block;
};

static int take_block_piece(struct store_answer *answer, void *context)
{
    struct block_reader *reader = context;
    struct replay_block *block = reader->block;

    return block->to_read < REPLAY_BLOCK_PIECES
               ? make_piece(reader->replay, answer, &block->pieces[block->to_read++])
               : 0;
}

static uint64_t piece_begin(const struct replay *replay, uint64_t number)
{
    return replay->question.since_ns + number * replay->question.every_ns;
}

static uint64_t piece_end(const struct replay *replay, uint64_t number)
{
    uint64_t end = piece_begin(replay, number + 1);

    return end < replay->question.until_ns ? end : replay->question.until_ns;
}

static int read_block(struct replay *replay, uint64_t first, struct replay_block *block)
{
    struct block_reader reader = {replay, block};
    uint64_t last = first + REPLAY_BLOCK_PIECES < replay->count ? first + REPLAY_BLOCK_PIECES - 1
                                                                : replay->count - 1;
    int r;

    drop_block(replay, block);
    r = read_store(replay, piece_begin(replay, first), piece_end(replay, last), &replay->question,
                   take_block_piece, &reader);
    if (r == 0 && block->to_read != last - first + 1)
        r = -EBADMSG;
    if (r < 0)
        drop_block(replay, block);
    block->first = first;
    return r;
}

int replay_read(struct replay *replay, uint64_t number, const struct replay_piece **ret_piece)
{
    struct replay_block *block = NULL;
    uint64_t first = number - number % REPLAY_BLOCK_PIECES;
    int r = 0;

    for (uint32_t i = 0; i < REPLAY_BLOCKS; i++) {
        struct replay_block *other = &replay->blocks[i];

        if (other->used && other->first == first) {
            block = other;
            break;
        }
        if (!block || other->used < block->used)
            block = other;
    }
    if (!block->used || block->first != first)
        r = read_block(replay, first, block);
    if (r < 0)
        return r;
    block->used = ++replay->reads;
    *ret_piece = &block->pieces[number - first];
    return 0;
}

struct piece_taker {
    struct replay *replay;
    int (*take)(struct replay_piece *piece, void *context);
    void *context;
};

static int take_piece(struct store_answer *answer, void *context)
{
    struct piece_taker *taker = context;
    struct replay_piece piece;
    int r = make_piece(taker->replay, answer, &piece);

    if (r < 0)
        return r;
    r = taker->take(&piece, taker->context);
    replay_piece_done(&piece);
    return r;
}

int replay_all(struct replay *replay, int (*take)(struct replay_piece *piece, void *context),
               void *context)
{
    struct piece_taker taker = {replay, take, context};

    return read_store(replay, replay->question.since_ns, replay->question.until_ns,
                      &replay->question, take_piece, &taker);
}

static int keep_piece(struct replay_piece *piece, void *context)
{
    struct replay_piece *kept = context;

    *kept = *piece;
    *piece = (struct replay_piece){.frame = NULL};
    return 0;
}

int replay_read_time(struct replay *replay, uint64_t since_ns, uint64_t until_ns,
                     struct replay_piece *ret_piece)
{
    struct piece_taker taker = {replay, keep_piece, ret_piece};
    struct store_question question = replay->question;

    question.every_ns = 0;
    return read_store(replay, since_ns, until_ns, &question, take_piece, &taker);
}

/* --- gaps --- */

/* Finds a piece in which something was measured. */
struct search {
    bool wants_first;
    uint64_t since_ns, until_ns, measured_ns; /* of what was found; 0: nothing yet */
};

static int look_at_piece(struct store_answer *answer, void *context)
{
    struct search *search = context;

    if (!answer->measured_ns)
        return 0;
    search->since_ns = answer->since_ns;
    search->until_ns = answer->until_ns;
    search->measured_ns = answer->measured_ns;
    return search->wants_first;
}

static int search_pieces(struct replay *replay, uint64_t since_ns, uint64_t until_ns,
                         uint64_t every_ns, struct search *search)
{
    struct store_question question = replay->question;
    int r;

    question.parts = STORE_PROCESSES;
    question.every_ns = every_ns;
    if (since_ns >= until_ns)
        return 0;
    r = read_store(replay, since_ns, until_ns, &question, look_at_piece, search);
    if (search->until_ns && r >= 0) {
        search->since_ns -= replay->late_ns;
        search->until_ns -= replay->late_ns;
    }
    return r < 0 ? r : 0;
}

/* A gap may have millions of pieces: first in long ones, then in the one that has something. */
static int search(struct replay *replay, uint64_t since_ns, uint64_t until_ns,
                  struct search *search)
{
    uint64_t every_ns = replay->question.every_ns;
    struct search rough = *search;
    int r = search_pieces(replay, since_ns, until_ns, every_ns * ROUGH_PIECES, &rough);

    if (r < 0 || !rough.until_ns)
        return r;
    return search_pieces(replay, rough.since_ns, rough.until_ns, every_ns, search);
}

/* Ever further back, as most gaps are short. */
static int search_back(struct replay *replay, uint64_t until_ns, struct search *found)
{
    uint64_t begin = piece_begin(replay, replay_first(replay));
    uint64_t every = replay->question.every_ns;
    int r = 0;

    if (until_ns <= begin)
        return 0;
    for (uint64_t pieces = REPLAY_BLOCK_PIECES; r == 0 && !found->until_ns; pieces *= 8) {
        uint64_t since = until_ns - begin > pieces * every ? until_ns - pieces * every : begin;

        r = search(replay, since, until_ns, found);
        if (since == begin)
            break;
    }
    return r;
}

int replay_find_gap(struct replay *replay, const struct replay_piece *piece, uint64_t *ret_since_ns,
                    uint64_t *ret_until_ns)
{
    struct search next = {.wants_first = true}, last = {.wants_first = false};
    uint64_t known_ns = replay->question.until_ns;
    uint64_t begin = piece_begin(replay, replay_first(replay));
    int r = 0;

    if (piece->since_ns < replay->gap_since_ns || piece->until_ns > replay->gap_until_ns) {
        r = search(replay, piece->until_ns > begin ? piece->until_ns : begin, known_ns, &next);
        if (next.until_ns)
            known_ns = replay_known_since(next.since_ns, next.until_ns, next.measured_ns);
        if (r < 0 || known_ns < piece->until_ns) /* it has this piece as well */
            return r;
        r = search_back(replay, piece->since_ns, &last);
        replay->gap_since_ns = last.until_ns ? last.until_ns : replay->question.since_ns;
        replay->gap_until_ns = known_ns;
    }
    *ret_since_ns = replay->gap_since_ns;
    *ret_until_ns = replay->gap_until_ns;
    return r < 0 ? r : 1;
}
