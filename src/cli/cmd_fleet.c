/* SPDX-License-Identifier: MIT */
/* nwho fleet: the same questions about many hosts, asked of the server that scrapes them. */
#include "cli/config.h"
#include "cli/history.h"
#include "cli/show.h"

#include "base/clock.h"
#include "base/suggest.h"
#include "fleet/fleet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define WINDOW_NS (120 * SECOND_NS)
#define TIMEOUT_MS 10000
#define TOKEN_MAX 4096

/* Of --watch, as often as servers usually scrape. */
#define WATCH_MS 15000

static const struct fleet_view {
    const char *name;
    enum fleet_subject subject;
    const struct table *table;
    bool has_by;
} views[] = {
    {"top", FLEET_TOP, &table_fleet_top, true},
    {"doctor", FLEET_DOCTOR, &table_fleet_findings, false},
    {"ports", FLEET_PORTS, &table_fleet_ports, false},
    {"history", FLEET_HISTORY, &table_fleet_history, true},
};

/* What a row is, and the columns of text that only say something then. */
static const struct {
    const char *name;
    enum fleet_by by;
    const char *top, *history;
} keys[] = {
    {"process", FLEET_BY_PROCESS, NULL, "host,process,user,service,rx_bytes,tx_bytes"},
    {"host", FLEET_BY_HOST, "host,rx_rate,tx_rate,established,close_wait",
     "host,rx_bytes,tx_bytes"},
    {"service", FLEET_BY_SERVICE, "host,service,rx_rate,tx_rate,established,close_wait",
     "host,service,rx_bytes,tx_bytes"},
};

struct fleet_run {
    const struct fleet_view *view;
    size_t key;
    struct config config;
    struct fleet_server server;
    struct fleet_question question;
    char token[TOKEN_MAX + 1];
    bool answered; /* the server has, at least once */
};

/* --- what is asked, and of whom --- */

/* NULL: there is none, which was told. */
static const struct fleet_view *choose_view(struct options *options)
{
    struct suggestion best;

    if (!options->word_count) {
        command_error("fleet: which view? nwho fleet top, doctor, ports or history");
        return NULL;
    }
    best = suggestion_for(options->words[0]);
    for (size_t i = 0; i < ARRAY_SIZE(views); i++) {
        suggestion_try(&best, views[i].name);
        if (strcmp(views[i].name, options->words[0]) != 0)
            continue;
        options->words++;
        options->word_count--;
        return &views[i];
    }
    if (best.name)
        command_error("fleet: there is no \"%s\": did you mean %s?", options->words[0], best.name);
    else
        command_error("fleet: there is no \"%s\": nwho fleet top, doctor, ports or history",
                      options->words[0]);
    return NULL;
}

static int choose_key(const struct options *options, const struct fleet_view *view, size_t *ret_key)
{
    *ret_key = 0;
    if (!options->by)
        return 0;
    if (!view->has_by)
        return command_error("--by goes with nwho fleet top and history");
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (strcmp(keys[i].name, options->by) == 0) {
            *ret_key = i;
            return 0;
        }
    return command_error("--by needs process, host or service, not \"%s\"", options->by);
}

/* A field of HTTP: nothing that would end it. */
static int read_token(struct fleet_run *run, const char *path)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, run->token, TOKEN_MAX);

    if (length < 0)
        return command_error("cannot read the token in %s: %s", path, strerror(errno));
    run->token[length] = '\0';
    run->token[strcspn(run->token, "\r\n")] = '\0';
    for (const char *at = run->token; *at; at++)
        if (*at <= ' ' || *at > '~')
            return command_error("the token in %s has blanks, or what is no ASCII", path);
    if (!*run->token)
        return command_error("there is no token in %s", path);
    run->server.token = run->token;
    return 0;
}

static int choose_server(struct fleet_run *run, const struct options *options)
{
    const char *token_file =
        options->token_file ? options->token_file : run->config.fleet_token_file;

    run->server.url = options->server ? options->server : run->config.fleet_server;
    run->server.timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    if (!run->server.url)
        return command_error("which server? --server http://HOST:9090, or fleet.server in "
                             "nwho.conf");
    return token_file ? read_token(run, token_file) : 0;
}

static int choose_time(struct fleet_run *run, const struct options *options)
{
    struct fleet_question *question = &run->question;
    struct store_question times = {0};

    question->window_ns = options->delta ? options->delta_ms * MILLISECOND_NS : WINDOW_NS;
    if (run->view->subject != FLEET_HISTORY)
        return options->since || options->until || options->every_ms
                   ? command_error("--since, --until and --every go with nwho fleet history")
                   : 0;
    if (history_times(options, &times) != 0)
        return EXIT_ERROR;
    question->since_ns = times.since_ns;
    question->until_ns = times.until_ns;
    question->every_ns = times.every_ns;
    return 0;
}

static int choose_watch(const struct fleet_run *run, struct options *options)
{
    if (options->watch && run->view->subject == FLEET_HISTORY)
        return command_error("--watch goes with nwho fleet top, doctor and ports");
    if (!options->watch_ms)
        options->watch_ms = WATCH_MS;
    options->delta = false; /* it has said which rates are meant */
    return 0;
}

/* --- the answer --- */

static int begin_snapshot(const struct fleet_run *run, struct snapshot *snapshot)
{
    char name[HOST_NAME_MAX + 1] = "";
    int r = snapshot_init(snapshot);

    if (r < 0)
        return command_error("out of memory");
    gethostname(name, sizeof(name) - 1);
    snapshot->time_ns = clock_ns(CLOCK_REALTIME);
    snapshot->boot_ns = clock_ns(CLOCK_BOOTTIME);
    r = snapshot_intern(snapshot, name, strlen(name), &snapshot->host);
    snapshot_source(snapshot, "fleet", run->server.url);
    return r == 0 ? 0 : command_error("out of memory");
}

/* Whoever watches goes on when the server does not answer for a while: there are no rows then. */
static int ask(void *context, struct frame *frame)
{
    struct fleet_run *run = context;
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    int r = begin_snapshot(run, &frame->snapshot);

    if (r != 0 ||
        fleet_ask(&run->server, &run->question, &frame->snapshot, &frame->fleet, &problem) == 0) {
        run->answered |= r == 0;
        return r;
    }
    if (!run->answered)
        return command_error("%s", buf_string(&problem));
    snapshot_note(&frame->snapshot, NOTE_INCOMPLETE, "server", 0, "%.300s", buf_string(&problem));
    return 0;
}

static const char *usual_columns(const struct fleet_run *run)
{
    if (run->view->subject == FLEET_TOP)
        return keys[run->key].top;
    if (run->view->subject == FLEET_HISTORY && !run->question.every_ns)
        return keys[run->key].history;
    return NULL;
}

static int answer(struct fleet_run *run, const struct options *options)
{
    struct query query = {.table = run->view->table};
    struct session session;
    int r = session_begin(&session, options);

    session.reader = ask;
    session.reader_context = run;
    if (r == 0)
        r = session_filter(&session, &query, NULL);
    if (r == 0)
        r = session_columns(&session, &query, usual_columns(run));
    if (r == 0)
        r = session_show(&session, &query);
    session_end(&session);
    return r;
}

/* Findings are no good news: 1, as of the doctor; what is missing is more. */
static int exit_of(const struct fleet_run *run, int code)
{
    if (run->view->subject == FLEET_DOCTOR && code <= EXIT_NOTHING)
        return code == EXIT_FOUND ? EXIT_NOTHING : EXIT_FOUND;
    return code;
}

static int run_fleet(struct options *options)
{
    struct arena arena = {0};
    struct fleet_run run = {.view = choose_view(options)};
    int r = run.view ? 0 : EXIT_ERROR;

    if (r == 0)
        r = choose_key(options, run.view, &run.key);
    if (r == 0)
        r = choose_time(&run, options);
    if (r == 0)
        r = choose_watch(&run, options);
    if (r == 0)
        r = config_require(&arena, &run.config);
    if (r == 0)
        r = choose_server(&run, options);
    if (r == 0) {
        run.question.subject = run.view->subject;
        run.question.by = keys[run.key].by;
        r = exit_of(&run, answer(&run, options));
    }
    config_done(&run.config);
    arena_done(&arena);
    return r;
}

static const char *const examples[] = {
    "nwho fleet top --server http://prometheus.example.org:9090",
    "which programs on which hosts use the network now",
    "nwho fleet top --by host --limit 5",
    "the five busiest hosts",
    "nwho fleet doctor --watch",
    "what is wrong, and where, and what of it is new or over",
    "nwho fleet ports local_port = 5432 --json",
    "all hosts that serve PostgreSQL (ports of TCP: those of UDP are in no metric)",
    "nwho fleet history --since 02:00 --until 04:00 process = backup",
    "what the backup moved last night, on each host",
    NULL,
};

const struct command command_fleet = {
    .name = "fleet",
    .arguments = "top|doctor|ports|history [FILTER]",
    .summary = "the same of many hosts, asked of a Prometheus-like server",
    .examples = examples,
    .options = OPTIONS_FLEET | OPTIONS_PAST | OPTIONS_OUTPUT | OPTIONS_WATCH,
    .run = run_fleet,
};
