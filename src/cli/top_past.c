/* SPDX-License-Identifier: MIT */
/* The past on the screen of `nwho top`: pieces of the history in the place of readings. */
#include "base/rate.h"
#include "cli/history_subject.h"
#include "cli/replay.h"
#include "cli/top_screen.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/units.h"
#include "cli/show.h"
#include "table/flow_groups.h"

#define NOTED_PIECES 5 /* so long what was noted is shown */

struct top_past {
    struct replay replay;
    struct tui_replay time; /* for the screen */
    uint64_t number;        /* of the piece that is shown */
    const struct replay_piece *piece;
    struct replay_piece window; /* ends with the piece, as long as windows[window_number] says */
    uint32_t window_number;     /* 0: there is none, the window is the piece */
    uint64_t window_ns[TOP_WINDOWS]; /* 0: all since the beginning */
    struct buf piece_name;
};

/* --- what can be asked --- */

/* A window is offered where it is longer than a piece. */
static void add_windows(struct top_screen *screen)
{
    static const struct {
        struct tui_choice choice;
        uint64_t length_ns;
    } longer[] = {{{.name = "10s", .help = "mean of the 10 seconds up to then"}, 10 * SECOND_NS},
                  {{.name = "60s", .help = "mean of the minute up to then"}, 60 * SECOND_NS}};
    struct top_past *past = screen->past;
    uint64_t every_ns = past->replay.question.every_ns;

    units_write_duration(&past->piece_name, every_ns / 1000);
    top_add_window(screen,
                   (struct tui_choice){.name = buf_string(&past->piece_name),
                                       .help = "mean of the piece that is shown"},
                   TOP_LAST);
    for (size_t i = 0; i < ARRAY_SIZE(longer); i++) {
        if (longer[i].length_ns <= every_ns || past->replay.question.tier != STORE_FINE)
            continue;
        past->window_ns[screen->window_count] = longer[i].length_ns;
        top_add_window(screen, longer[i].choice, TOP_LAST);
    }
    top_add_window(
        screen,
        (struct tui_choice){.name = "total", .help = "sum and mean from the beginning up to then"},
        TOP_TOTAL);
}

static void choose_groupings(struct top_screen *screen)
{
    static const char *const of_peers[] = {"peer", "port", "iface"};
    bool knows_peers = screen->past->replay.question.parts & STORE_PEERS;
    uint32_t peer = top_find_grouping(screen, "peer");

    for (uint32_t i = 0; i < screen->grouping_count; i++) {
        screen->groupings[i].opens = knows_peers && i != peer ? peer : 0;
        for (size_t k = 0; k < ARRAY_SIZE(of_peers) && !knows_peers; k++)
            if (strcmp(screen->groupings[i].name, of_peers[k]) == 0)
                screen->groupings[i].why_not =
                    "so far back only sums of minutes are kept, without peers";
    }
    screen->groupings[top_find_grouping(screen, "thread")].why_not =
        "threads are not recorded one by one";
    screen->groupings[top_find_grouping(screen, "conn")].why_not =
        "connections are not recorded one by one: nwho events --since has them";
}

/* The usual ones, as far as they are known of the past. */
static void choose_columns(struct group_plan *plan)
{
    uint32_t usual[GROUP_ADDED_MAX] = {0};

    for (uint32_t i = 0; i < plan->table.column_count; i++)
        usual[i] = plan->columns[i].flags;
    flow_group_past(plan);
    for (uint32_t i = 0; i < plan->table.column_count; i++)
        plan->columns[i].flags &= usual[i] | ~(uint32_t)COLUMN_TEXT;
}

static int open_past(struct top_screen *screen)
{
    struct top_past *past = calloc(1, sizeof(*past));
    int r = history_check_by(screen->options->by, false);

    screen->past = past;
    if (r != 0)
        return r;
    if (!past)
        return command_error("out of memory");
    past->piece_name = BUF_INIT;
    past->replay.session = &screen->session;
    r = replay_open(&screen->session, &past->replay);
    if (r != 0)
        return r;
    screen->needs_read = ~UINT64_C(0);
    add_windows(screen);
    choose_groupings(screen);
    return past->piece_name.error ? command_error("out of memory") : 0;
}

static void end(struct top_screen *screen)
{
    if (!screen->past)
        return;
    screen->session.now = NULL; /* frames are the replay's */
    replay_piece_done(&screen->past->window);
    replay_close(&screen->past->replay);
    buf_done(&screen->past->piece_name);
    free(screen->past);
}

/* --- pieces --- */

static int add_interface(struct top_screen *screen, const struct interface *interface)
{
    const struct replay_piece *piece = screen->past->piece;
    const struct snapshot *snapshot = &piece->frame->snapshot;
    const struct netns *netns = &snapshot->netns[interface->netns];
    const struct link_stats *stats = &interface->stats;
    size_t length;
    const char *name = snapshot_string(snapshot, interface->name, &length);
    uint64_t measured_ns = piece->interface_measured_ns;
    struct tui_interface shown = {
        .name = name,
        .netns =
            top_is_ours(snapshot, interface) ? NULL : snapshot_string(snapshot, netns->name, NULL),
        .identity = hash_number(hash_bytes(HASH_INIT, name, length), netns->inode),
        .loopback = strcmp(name, "lo") == 0,
        .known = true,
        .rx = per_second(stats->rx_bytes, measured_ns, 0.5),
        .tx = per_second(stats->tx_bytes, measured_ns, 0.5),
        .rx_packets = per_second(stats->rx_packets, measured_ns, 0.5),
        .tx_packets = per_second(stats->tx_packets, measured_ns, 0.5),
        .errors = stats->rx_errors + stats->tx_errors,
        .drops = stats->rx_dropped + stats->tx_dropped + stats->rx_missed_errors,
    };

    return top_add_interface(screen, &shown);
}

/* Of the first namespace, as live. */
static int take_interfaces(struct top_screen *screen)
{
    const struct snapshot *snapshot = &screen->past->piece->frame->snapshot;
    int r = 0;

    screen->interface_count = 0;
    for (uint32_t i = 0; i < snapshot->interfaces_count && r == 0; i++) {
        const struct interface *interface = &snapshot->interfaces[i];

        if (interface->has & INTERFACE_HAS_STATS && top_is_asked_for(&screen->session, interface))
            r = add_interface(screen, interface);
    }
    top_sort_interfaces(screen);
    return r;
}

static int show(void *context, uint64_t number, struct tui_status *ret_status)
{
    struct top_screen *screen = context;
    struct top_past *past = screen->past;
    int r = replay_read(&past->replay, number, &past->piece);

    if (r < 0)
        return r;
    if (past->number != number)
        past->window_number = 0;
    past->number = number;
    screen->session.now = past->piece->frame;
    r = take_interfaces(screen);
    *ret_status = (struct tui_status){.interfaces = screen->interfaces,
                                      .interface_count = screen->interface_count};
    return r;
}

/* A window that is longer than the piece is read for itself, once. */
static int choose(struct top_screen *screen, const struct tui_question *question)
{
    struct top_past *past = screen->past;
    uint64_t length_ns = past->window_ns[question->window], until_ns;
    uint64_t since_ns = past->replay.question.since_ns;
    int r = 0;

    if (question->window == 0) {
        screen->session.now = past->piece->frame;
        return 0;
    }
    until_ns = past->piece->until_ns;
    if (past->window_number != question->window) {
        screen->session.now = NULL;
        replay_piece_done(&past->window);
        past->window_number = 0;
        r = replay_read_time(&past->replay, length_ns ? until_ns - length_ns : since_ns, until_ns,
                             &past->window);
    }
    if (r < 0)
        return r;
    past->window_number = question->window;
    screen->session.now = past->window.frame;
    return 0;
}

static int find(void *context, const char *text, uint64_t *ret_piece, struct buf *problem)
{
    const struct top_screen *screen = context;
    const struct replay *replay = &screen->past->replay;
    const struct store_question *question = &replay->question;
    uint64_t time_ns;
    int r = history_time("", text, question->since_ns - 1, &time_ns, problem);

    if (r < 0)
        return r;
    if (time_ns < question->since_ns || time_ns > question->until_ns) {
        buf_puts(problem, "it is played from ");
        show_moment(problem, question->since_ns);
        buf_puts(problem, " to ");
        show_moment(problem, question->until_ns);
        return -EINVAL;
    }
    *ret_piece = (time_ns - question->since_ns) / question->every_ns;
    if (*ret_piece == replay->count)
        --*ret_piece;
    return 0;
}

/* --- the lines above the rows --- */

/* Gives what stands in the place of rows. */
static const char *put_gap(struct top_screen *screen, struct buf *out)
{
    struct top_past *past = screen->past;
    uint64_t since_ns = 0, until_ns = 0;
    int r = replay_find_gap(&past->replay, past->piece, &since_ns, &until_ns);

    if (r <= 0) {
        buf_puts(out, "the next reading has what was in this piece: readings were that far apart");
        return "No reading.";
    }
    buf_puts(out, "not measured from ");
    show_moment(out, since_ns);
    buf_puts(out, " to ");
    show_moment(out, until_ns);
    return "Not measured.";
}

static const char *put_quality(struct top_screen *screen, struct buf *out)
{
    const struct replay_piece *piece = screen->past->piece;
    uint64_t length_ns = piece->until_ns - piece->since_ns;

    if (!piece->measured_ns)
        return put_gap(screen, out);
    if (piece->measured_ns < length_ns / 10 * 9) {
        buf_puts(out, "measured ");
        units_write_duration(out, piece->measured_ns / 1000);
        buf_puts(out, " of this piece");
    }
    return "No traffic in this time.";
}

/* "02:00:13 mark: deployed v2": of this piece and some before, so that they can be read while it
 * plays. */
static void put_marks(struct top_screen *screen, struct buf *out)
{
    struct top_past *past = screen->past;
    uint64_t first = past->number < NOTED_PIECES ? 0 : past->number - NOTED_PIECES + 1;
    const struct replay_piece *piece;

    for (uint64_t number = past->number + 1; number-- > first;) {
        if (replay_read(&past->replay, number, &piece) < 0)
            return;
        for (uint32_t i = piece->note_count; i-- > 0;) {
            const struct store_note *note = &piece->notes[i];
            size_t length;
            const char *text = snapshot_string(&piece->frame->snapshot, note->text, &length);

            buf_puts(out, out->length ? "; " : "");
            show_moment(out, note->time_ns);
            buf_printf(out, " %s%s", store_note_kind_name(note->kind), length ? ": " : "");
            buf_put(out, text, length);
        }
    }
}

/* What the file could not tell, for the help screen. */
static void put_doubts(const struct snapshot *snapshot, struct buf *out)
{
    for (uint32_t i = 0; i < snapshot->notes_count; i++) {
        size_t length;

        if (snapshot->notes[i].effect != NOTE_INFO)
            buf_printf(out, "%s%s", out->length ? "\n" : "",
                       snapshot_string(snapshot, snapshot->notes[i].text, &length));
    }
}

static void status(void *context, struct tui_status *ret_status)
{
    struct top_screen *screen = context;
    const struct replay_piece *piece = screen->past->piece;
    const struct snapshot *snapshot = &piece->frame->snapshot;
    const char *nothing;
    size_t length;

    buf_renew(&screen->accounting);
    buf_renew(&screen->note);
    buf_renew(&screen->notes);
    if (piece->measured_ns)
        buf_puts(&screen->accounting, accounting_level_label(snapshot->accounting));
    nothing = put_quality(screen, &screen->note);
    put_marks(screen, &screen->note);
    put_doubts(snapshot, &screen->notes);
    *ret_status = (struct tui_status){
        .host = snapshot_string(snapshot, snapshot->host, &length),
        .time_ns = piece->since_ns,
        .accounting = buf_string(&screen->accounting),
        .reconcile = "",
        .note = buf_string(&screen->note),
        .notes = buf_string(&screen->notes),
        .nothing = nothing,
        .exact = snapshot->accounting == ACCOUNTING_BPF,
        .interfaces = screen->interfaces,
        .interface_count = screen->interface_count,
    };
}

/* --- rows --- */

static void row_facts(void *context, const struct grid *grid, uint32_t row, struct tui_row *ret_row)
{
    top_row_facts(context, grid, row, ret_row);
    ret_row->gone = false; /* that was later */
}

static void explain(void *context, const struct grid *grid, uint32_t row, struct buf *line)
{
    const struct flow *flow = top_process(grid->view, grid->rows[row]);
    const struct snapshot *snapshot = grid->view->snapshot;
    size_t length;

    (void)context;
    if (flow && flow->process)
        buf_puts(line,
                 snapshot_string(snapshot, snapshot->processes[flow->process - 1].exe, &length));
}

static void put_time(struct buf *line, const char *option, uint64_t time_ns, uint64_t late_ns)
{
    buf_printf(line, " --%s '", option);
    show_moment(line, time_ns);
    if (late_ns)
        buf_printf(line, ".%03u", (unsigned int)(late_ns / MILLISECOND_NS));
    buf_byte(line, '\'');
}

/* The rows that are shown, of exactly that time. */
static void command(void *context, const struct tui_question *question, struct buf *line)
{
    const struct top_screen *screen = context;
    const struct top_past *past = screen->past;
    uint64_t length_ns = past->window_ns[question->window];
    uint64_t since_ns = past->piece->since_ns;

    if (question->window > 0)
        since_ns = length_ns ? past->piece->until_ns - length_ns : past->replay.question.since_ns;
    buf_printf(line, "nwho history --by %s", screen->groupings[question->grouping].name);
    put_time(line, "since", since_ns, past->replay.late_ns);
    put_time(line, "until", past->piece->until_ns, past->replay.late_ns);
    if (screen->options->store) {
        buf_puts(line, " --store");
        top_put_argument(line, screen->options->store);
    }
    top_put_question(question, line);
}

static void offer(struct top_screen *screen, struct tui_source *source)
{
    struct top_past *past = screen->past;

    past->time = (struct tui_replay){
        .since_ns = past->replay.question.since_ns,
        .until_ns = past->replay.question.until_ns,
        .every_ns = past->replay.question.every_ns,
        .count = past->replay.count,
        .first = replay_first(&past->replay),
        .show = show,
        .find = find,
    };
    source->replay = &past->time;
    source->status = status;
    source->row = row_facts;
    source->explain = explain;
    source->command = command;
}

const struct top_frames top_past = {
    .open = open_past, .offer = offer, .plan = choose_columns, .choose = choose, .end = end};
