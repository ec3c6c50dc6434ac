/* SPDX-License-Identifier: MIT */
/* The filter of a query, of letters, the command and the words of the user; hints where nothing is
 * found. */
#include "cli/session.h"

#include "base/escape.h"
#include "collect/netns.h"

static void put_protos(struct buf *text, uint32_t protos)
{
    const char *separator = "(";

    for (unsigned int proto = 1; proto < PROTO_MAX; proto++)
        if (protos & PROTO_BIT(proto)) {
            buf_puts(text, separator);
            buf_puts(text, socket_proto_name(proto));
            separator = " or ";
        }
    buf_puts(text, ")");
}

static void put_and(struct buf *text)
{
    if (text->length)
        buf_puts(text, " and ");
}

/* The letters as an expression, so that one language decides about every row. */
static void put_letters(struct buf *text, const struct options *options, uint32_t usual_protos)
{
    const char *family = options_family(options);

    if (options->protos || usual_protos) {
        put_and(text);
        put_protos(text, options->protos ? options->protos : usual_protos);
    }
    if (family) {
        put_and(text);
        buf_puts(text, family);
    }
    if (options->listening) {
        put_and(text);
        buf_puts(text, "state listening,unconnected");
    }
    if (options->no_time_wait) {
        put_and(text);
        buf_puts(text, "not state time-wait");
    }
}

void session_put_quoted(const char *word, struct buf *text)
{
    buf_byte(text, '"');
    for (; *word; word++) {
        if (*word == '"' || *word == '\\')
            buf_byte(text, '\\');
        buf_byte(text, *word);
    }
    buf_byte(text, '"');
}

void session_put_letters(const struct session *session, struct buf *text)
{
    put_letters(text, session->options, 0);
}

static int compile_text(struct session *session, const struct table *table, const char *text,
                        struct filter **ret_filter, struct filter_error *ret_error)
{
    return (session->options->replay ? filter_compile_recorded : filter_compile)(
        table, text, &session->arena, ret_filter, ret_error);
}

/* A path or @name is one also where it would be no expression: "/run/my sock 2". */
static bool is_one_name(struct session *session, const struct table *table, const char *word)
{
    struct filter *filter = NULL;
    struct filter_error error;
    bool names;

    if (!strpbrk(word, " \t\n") || strpbrk(word, "\"'"))
        return false;
    if (compile_text(session, table, word, &filter, &error) < 0)
        return *word == '/' || *word == '@';
    names = filter_is_names(filter);
    filter_done(filter);
    return names;
}

void session_put_word(struct session *session, const struct table *table, const char *word,
                      struct buf *text)
{
    if (is_one_name(session, table, word))
        session_put_quoted(word, text);
    else
        buf_puts(text, word);
}

static void join_words(struct session *session, const struct table *table, struct buf *text)
{
    const struct options *options = session->options;

    for (uint32_t i = 0; i < options->word_count; i++) {
        if (i)
            buf_byte(text, ' ');
        session_put_word(session, table, options->words[i], text);
    }
}

int session_filter_error(const char *text, const struct filter_error *error, size_t offset)
{
    struct buf lines = BUF_SINK(2);
    uint32_t at = error->at > offset ? error->at - (uint32_t)offset : 0;
    size_t length = strlen(text), columns;

    if (at > length)
        at = (uint32_t)length;
    buf_puts(&lines, "nwho: filter: ");
    escape_text(&lines, error->message, strlen(error->message));
    buf_puts(&lines, "\n  ");
    columns = escape_text(&lines, text, at);
    escape_text(&lines, text + at, length - at);
    buf_puts(&lines, "\n  ");
    buf_pad(&lines, columns);
    buf_byte(&lines, '^');
    for (uint32_t i = 1; i < error->length && at + i < length; i++)
        buf_byte(&lines, '~');
    buf_byte(&lines, '\n');
    command_say(&lines);
    return EXIT_ERROR;
}

/* Compiles `text`, of which the user wrote what is behind `offset`. */
static int compile(struct session *session, const struct table *table, const char *text,
                   size_t offset, struct filter **ret_filter)
{
    struct filter_error error = {{0}, 0, 0};
    int r = compile_text(session, table, text, ret_filter, &error);

    if (r == -EINVAL)
        return session_filter_error(text + (offset < strlen(text) ? offset : 0), &error, offset);
    if (r < 0)
        return command_error("out of memory");
    if (session->filter_count == ARRAY_SIZE(session->filters)) {
        filter_done(*ret_filter);
        return command_error("more than %zu filters in one command", ARRAY_SIZE(session->filters));
    }
    session->filters[session->filter_count++] = *ret_filter;
    return 0;
}

int session_own_filter(struct session *session, struct query *query, const char *text)
{
    struct filter *filter;

    if (compile(session, query->table, text, 0, &filter) != 0)
        return EXIT_ERROR;
    query->filter = filter;
    return 0;
}

/* True when the words themselves say which protocols are meant ("unix", "/run/x.sock", "tcp"). */
static bool names_protos(struct session *session, const struct filter *filter, bool *ret_error)
{
    struct request request = {.protos = PROTO_ALL, .states = STATE_ALL, .families = ~0u};

    *ret_error = filter_push_down(filter, &session->arena, &request) < 0;
    return request.protos != PROTO_ALL;
}

/*
 * The protocols of rows that neither letters nor words say anything about: those of the internet,
 * and unix where the words may name such a socket (@name). 0: all.
 */
static int choose_usual(struct session *session, const struct filter *filter, uint32_t *ret_protos)
{
    const struct options *options = session->options;
    bool failed = false;

    *ret_protos = 0;
    if (options->all || options->protos || names_protos(session, filter, &failed))
        return failed ? command_error("out of memory") : 0;
    *ret_protos = PROTO_INET_ALL;
    if (filter_mentions(filter, "path") || filter_mentions(filter, "peer_path"))
        *ret_protos |= PROTO_BIT(PROTO_UNIX);
    return 0;
}

static int compile_all(struct session *session, struct query *query, const char *own,
                       const char *words, struct buf *text)
{
    struct filter *filter;
    uint32_t usual = 0;
    size_t offset;

    if (compile(session, query->table, words, 0, &filter) != 0)
        return EXIT_ERROR;
    session->words = filter;
    if (query->table == &table_sockets && choose_usual(session, filter, &usual) != 0)
        return EXIT_ERROR;
    if (own)
        buf_puts(text, own);
    if (query->table == &table_sockets)
        put_letters(text, session->options, usual);
    if (*words) {
        put_and(text);
        buf_byte(text, '(');
    }
    offset = text->length;
    buf_puts(text, words);
    if (*words)
        buf_byte(text, ')');
    buf_string(text);
    if (text->error)
        return command_error("out of memory");
    if (compile(session, query->table, buf_string(text), offset, &filter) != 0)
        return EXIT_ERROR;
    query->filter = filter;
    return 0;
}

void session_narrow(struct session *session, uint32_t usual_protos)
{
    const struct options *options = session->options;

    if (options->protos)
        session->request.protos = options->protos;
    else if (!options->all)
        session->request.protos = usual_protos;
    if (options->families) {
        session->request.families = options->families;
        session->request.protos &= PROTO_INET_ALL;
    }
}

int session_filter_text(struct session *session, struct query *query, const char *own,
                        const char *words)
{
    struct buf text = BUF_INIT;
    int r = compile_all(session, query, own, words, &text);

    buf_done(&text);
    return r;
}

int session_filter(struct session *session, struct query *query, const char *own)
{
    struct buf words = BUF_INIT;
    int r;

    if (query->table != &table_sockets)
        session_narrow(session, PROTO_INET_ALL);
    join_words(session, query->table, &words);
    buf_string(&words);
    r = words.error ? command_error("out of memory")
                    : session_filter_text(session, query, own, words.data);
    buf_done(&words);
    return r;
}

int session_filter_fits(struct session *session, const struct table *table, bool *ret_fits)
{
    struct buf words = BUF_INIT;
    struct filter *filter = NULL;
    struct filter_error error;
    int r;

    join_words(session, table, &words);
    buf_string(&words);
    r = words.error ? words.error : compile_text(session, table, words.data, &filter, &error);
    buf_done(&words);
    if (r == 0)
        filter_done(filter);
    if (r < 0 && r != -EINVAL)
        return command_error("out of memory");
    *ret_fits = r == 0;
    return 0;
}

void session_hint_netns(const struct session *session)
{
    const struct options *options = session->options;
    const uint64_t of_namespaces =
        NEED_SOCKETS | NEED_LINKS | NEED_ADDRESSES | NEED_ROUTES | NEED_MEMBERSHIPS | NEED_EVENTS;

    if (!options->quiet && !options->replay && !session->recorded &&
        session->request.netns_scope == NETNS_SCOPE_SELF &&
        session->request.needs & of_namespaces && netns_has_others())
        command_error("only this network namespace was read, and there are others: -N NAME or "
                      "--all-netns reads them");
}

/* Of interfaces, which are not read twice unless that is said. */
static bool mentions_rate(const struct session *session)
{
    const struct table *table = &table_interfaces;

    if (!session->words || session->before || !(session->request.needs & NEED_LINKS))
        return false;
    for (uint32_t i = 0; i < table->column_count; i++)
        if (table->columns[i].flags & COLUMN_RATE &&
            filter_mentions(session->words, table->columns[i].name))
            return true;
    return false;
}

void session_hint(const struct session *session)
{
    struct buf line = BUF_INIT;

    if (session->options->quiet)
        return;
    if (session->words && session->options->word_count && filter_hint(session->words, &line) &&
        !line.error)
        command_error("nothing found; %s", buf_string(&line));
    buf_done(&line);
    if (mentions_rate(session))
        command_error("rates are not known of one reading: -d SEC or --watch");
    session_hint_netns(session);
}
