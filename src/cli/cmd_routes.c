/* SPDX-License-Identifier: MIT */
/* nwho routes: the routing tables; or the way to one address, and the sockets that use it. */
#include "cli/show.h"

#include "out/format.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#define SOCKETS_SHOWN 20

struct way {
    const char *target; /* the address as the user wrote it; NULL: none was asked for */
    union address address;
    uint8_t family;
    struct query routes;  /* the kernel's answer and the entry that it comes from */
    struct query sockets; /* that are connected to the address */
};

/* Routes of one family, if one was asked for. */
static const char *own_filter(const struct options *options)
{
    const char *family = options_family(options);

    if (options->all)
        return family;
    if (!family)
        return "not cached and not internal";
    return options->families == FAMILY_BIT(AF_INET)
               ? "family inet and not cached and not internal"
               : "family inet6 and not cached and not internal";
}

/* "10.0.0.9", or "to 10.0.0.9". */
static bool asks_the_way(const struct options *options, struct way *way)
{
    bool to = options->word_count == 2 && strcmp(options->words[0], "to") == 0;
    const char *word = options->word_count ? options->words[to] : "";

    if (options->replay || options->word_count > 1u + to)
        return false;
    way->family = strchr(word, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(way->family, word, way->address.bytes) != 1)
        return false;
    way->target = word;
    return true;
}

/* "to" without an address that can be asked for. */
static int wrong_way(const struct options *options)
{
    if (options->word_count == 1)
        return command_error("to: an address is missing, as in: nwho routes to 10.0.0.9");
    if (options->replay)
        return command_error("to: only the kernel knows the way, a recording does not");
    return command_error("to: one address is wanted, and nothing more");
}

/* --- the way to an address --- */

static struct value cell_of(const struct view *view, uint32_t row, const char *name,
                            const struct column **ret_column)
{
    *ret_column = table_column(&table_routes, name);
    return (*ret_column)->get(view, row);
}

static void put_cell(struct session *session, struct buf *out, uint32_t row, const char *before,
                     const char *name)
{
    const struct view *view = &session->now->view;
    const struct column *column;
    struct value value = cell_of(view, row, name, &column);
    struct buf scratch = BUF_INIT;
    struct format format = {.view = view, .scratch = &scratch};

    if (value.type != VALUE_NONE) {
        buf_puts(out, before);
        format_cell(&format, column, &value, out);
    }
    buf_done(&scratch);
}

/* Namespaces in which there is a way. */
static uint32_t count_ways(const struct snapshot *snapshot)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < snapshot->routes_count; i++)
        count += snapshot->routes[i].flags & ROUTE_ANSWER && snapshot->routes[i].error == 0;
    return count;
}

/* "10.0.0.9 via 192.0.2.1 dev eth0, from 192.0.2.2, table main" */
static void put_answer(struct session *session, struct buf *out, const struct way *way,
                       uint32_t row)
{
    const struct route *route = &session->now->snapshot.routes[row];
    bool color = session_color(session);

    buf_puts(out, color ? COLOR_HEADER : "");
    buf_puts(out, way->target);
    buf_puts(out, color ? COLOR_RESET : "");
    if (session->options->all_netns || session->options->namespace_count > 1)
        put_cell(session, out, row, " in netns ", "netns");
    if (route->error) {
        put_cell(session, out, row, ": there is no way: ", "error");
    } else {
        put_cell(session, out, row, ": ", "type");
        put_cell(session, out, row, " via ", "gateway");
        put_cell(session, out, row, " dev ", "iface");
        put_cell(session, out, row, ", from ", "source");
        put_cell(session, out, row, ", table ", "table");
        put_cell(session, out, row, ", mtu ", "mtu");
        put_cell(session, out, row, ", expires in ", "expires_s");
    }
    buf_byte(out, '\n');
}

static bool any_chosen(const struct snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->routes_count; i++)
        if (snapshot->routes[i].flags & ROUTE_CHOSEN)
            return true;
    return false;
}

static int put_way(struct session *session, struct buf *out, struct way *way)
{
    const struct snapshot *snapshot = &session->now->snapshot;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->routes_count; i++)
        if (snapshot->routes[i].flags & ROUTE_ANSWER)
            put_answer(session, out, way, i);
    if (count_ways(snapshot) || any_chosen(snapshot))
        r = show_section(session, &way->routes, "BY THIS ROUTE",
                         ": the kernel names none (it does since Linux 4.13)", out);
    if (r == 0)
        r = show_section(session, &way->sockets, "SOCKETS WITH THIS PEER", ": none", out);
    return r;
}

/* Sockets that are bound to a device or carry a mark may go elsewhere: their columns say so. */
static int plan_way(struct session *session, struct way *way)
{
    struct buf text = BUF_INIT;
    int r;

    way->routes = (struct query){.table = &table_routes};
    way->sockets = (struct query){.table = &table_sockets, .limit = SOCKETS_SHOWN};
    buf_printf(&text, "dst %s%s%s", way->family == AF_INET6 ? "[" : "", way->target,
               way->family == AF_INET6 ? "]" : "");
    r = session_own_filter(session, &way->sockets, buf_string(&text));
    buf_done(&text);
    if (r == 0)
        r = session_own_filter(session, &way->routes, "chosen");
    if (r == 0)
        r = session_columns(session, &way->routes, NULL);
    for (uint32_t i = 0; i < table_sockets.column_count; i++)
        if (table_sockets.columns[i].flags & COLUMN_TEXT)
            way->sockets.columns[way->sockets.column_count++] = &table_sockets.columns[i];
    if (r == 0 && (session_plan_also(session, &way->routes) != 0 ||
                   session_plan_also(session, &way->sockets) != 0))
        r = EXIT_ERROR;
    return r;
}

static int show_text(struct session *session, struct way *way)
{
    struct buf out = BUF_INIT;
    int r = plan_way(session, way);

    if (r == 0)
        r = session_take(session);
    if (r != 0)
        return r;
    if (put_way(session, &out, way) < 0) {
        buf_done(&out);
        return command_error("out of memory");
    }
    r = session_output(session, &out) == 0
            ? session_exit(session, count_ways(&session->now->snapshot))
            : EXIT_ERROR;
    session_notes(session);
    if (r == EXIT_NOTHING)
        session_hint_netns(session);
    return r;
}

/* For programs: a table like every other, the answer in its first row. */
static int show_rows(struct session *session, struct way *way)
{
    static const char *const more[] = {"answer", "chosen", "error"};
    const struct options *options = session->options;
    int r;

    way->routes = (struct query){.table = &table_routes};
    r = session_own_filter(session, &way->routes, "answer or chosen");
    if (r == 0)
        r = session_columns(session, &way->routes, NULL);
    if (r == 0 && !options->sort)
        way->routes.sort[way->routes.sort_count++] =
            (struct sort_key){.column = table_column(&table_routes, "answer"), .descending = true};
    for (size_t i = 0; i < ARRAY_SIZE(more) && !options->columns; i++)
        way->routes.columns[way->routes.column_count++] = table_column(&table_routes, more[i]);
    if (r == 0)
        r = session_show(session, &way->routes);
    return r == EXIT_FOUND && session->now && !count_ways(&session->now->snapshot) ? EXIT_NOTHING
                                                                                   : r;
}

static int run_routes(struct options *options)
{
    struct session session;
    struct way way = {.target = NULL};
    struct query query = {.table = &table_routes};
    int r;

    if (!asks_the_way(options, &way) && options->word_count && strcmp(options->words[0], "to") == 0)
        return wrong_way(options);
    if (!way.target)
        return session_answer(options, &query, own_filter(options), NULL);
    r = session_begin(&session, options);
    session.request.route_to = &way.address;
    session.request.route_family = way.family;
    if (r == 0 && (options->format != FORMAT_TEXT || options->watch || options->quiet))
        r = show_rows(&session, &way);
    else if (r == 0)
        r = show_text(&session, &way);
    session_end(&session);
    return r;
}

static const char *const examples[] = {
    "nwho routes",
    "every route of every table, IPv4 and IPv6",
    "nwho routes 10.0.0.9",
    "the way to an address: gateway, device, own address, and the sockets that use it",
    "nwho routes table main -4",
    "what route -n and netstat -rn show",
    "nwho routes eth0",
    "routes by one interface",
    "nwho routes 'mtu > 0 or advmss > 0' -o +mtu,advmss",
    "routes with metrics of their own",
    NULL,
};

const struct command command_routes = {
    .name = "routes",
    .arguments = "[[to] ADDRESS|FILTER]",
    .summary = "routes; the way to an address (netstat -r, ip route get)",
    .examples = examples,
    .options = OPTIONS_SOURCE | OPTIONS_OUTPUT | OPTIONS_WATCH | OPTIONS_ROUTES,
    .run = run_routes,
};
