/* SPDX-License-Identifier: MIT */
/* What is done to a row of `nwho top`: its sockets are destroyed, by their cookies, or its process
 * is ended, by a descriptor of it. Neither can be taken for another that came meanwhile. */
#include "base/vec.h"
#include "cli/top_screen.h"
#include "collect/destroy.h"

#include <signal.h>
#include <sys/syscall.h>

#define NAMED_MAX 4 /* sockets that the question lists */

void top_victims_done(struct top_screen *screen)
{
    struct top_victims *victims = &screen->victims;

    if (victims->read)
        session_end(&victims->session);
    if (victims->pidfd >= 0)
        close(victims->pidfd);
    free(victims->sockets);
    buf_done(&victims->title);
    *victims = (struct top_victims){.pidfd = -1, .title = BUF_INIT};
}

/* --- sockets --- */

/* The open sockets of the row: cookie -> index of the flow. */
static int find_cookies(struct top_screen *screen, uint32_t group, struct map *cookies)
{
    const struct view *view = &screen->session.now->view;
    int r = 0;

    for (uint32_t i = 0; r >= 0 && i < view->snapshot->flows_count; i++) {
        const struct flow *flow = &view->snapshot->flows[i];

        if (!flow->cookie || flow->flags & FLOW_CLOSED || !filter_accepts(screen->filter, view, i))
            continue;
        r = group_has(view->group, group, view, i);
        if (r > 0)
            r = map_set(cookies, flow->cookie, i);
    }
    return r < 0 ? r : 0;
}

/* Reads the sockets of the namespaces that are counted. */
static int read_sockets(struct top_screen *screen)
{
    struct top_victims *victims = &screen->victims;
    struct query query = {.table = &table_sockets};
    int r;

    query.columns[query.column_count++] = table_column(&table_sockets, "cookie");
    victims->read = true;
    r = session_begin(&victims->session, screen->options);
    victims->session.request.netns_scope = screen->session.request.netns_scope;
    if (r == 0)
        r = session_plan_also(&victims->session, &query);
    if (r == 0)
        r = session_take(&victims->session);
    return r ? -EIO : 0;
}

static int choose_sockets(struct top_screen *screen, const struct map *cookies)
{
    struct top_victims *victims = &screen->victims;
    const struct snapshot *snapshot = &victims->session.now->snapshot;
    int r = 0;

    for (uint32_t i = 0; i < snapshot->sockets_count && r == 0; i++) {
        const struct socket *socket = &snapshot->sockets[i];

        if (!socket->cookie || map_get(cookies, socket->cookie) == MAP_NONE)
            continue;
        r = VEC_RESERVE(&victims->sockets, &victims->capacity, victims->count, 1);
        if (r == 0)
            victims->sockets[victims->count++] = i;
    }
    return r;
}

/* "tcp 192.0.2.1:80 - 192.0.2.9:51000  nginx(1203)  netns blue" */
static void put_socket(const struct view *view, uint32_t flow, struct buf *lines)
{
    static const struct {
        const char *before, *column;
    } parts[] = {{"", "proto"},     {" ", "local"}, {" - ", "peer"},
                 {"  ", "process"}, {"(", "pid"},   {")  netns ", "netns"}};

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        buf_puts(lines, parts[i].before);
        top_put_cell(view, flow, table_column(&table_flows, parts[i].column), lines);
    }
    buf_byte(lines, '\n');
}

static void put_question(const struct top_screen *screen, const struct map *cookies,
                         struct buf *lines)
{
    const struct top_victims *victims = &screen->victims;
    const struct snapshot *snapshot = &victims->session.now->snapshot;

    for (uint32_t i = 0; i < victims->count && i < NAMED_MAX; i++)
        put_socket(&screen->session.now->view,
                   map_get(cookies, snapshot->sockets[victims->sockets[i]].cookie), lines);
    if (victims->count > NAMED_MAX)
        buf_printf(lines, "... and %u more\n", victims->count - NAMED_MAX);
    buf_printf(lines, "destroy %u socket%s? [y/N] No process is ended.", victims->count,
               victims->count == 1 ? "" : "s");
}

static int ask_destroy(struct top_screen *screen, uint32_t group, struct buf *lines)
{
    CLEANUP(map_done) struct map cookies = {0};
    int r = find_cookies(screen, group, &cookies);

    if (r == 0)
        r = read_sockets(screen);
    if (r == 0)
        r = choose_sockets(screen, &cookies);
    if (r < 0)
        return r;
    if (screen->victims.count == 0) {
        buf_puts(lines, "none of its sockets is open any more");
        return -ENOENT;
    }
    put_question(screen, &cookies, lines);
    return 0;
}

static void destroy(struct top_victims *victims, struct buf *message)
{
    CLEANUP_FREE int *errors = calloc(victims->count + 1u, sizeof(*errors));
    uint32_t destroyed = 0, gone = 0;
    int r = -ENOMEM, first = 0;

    if (errors)
        r = destroy_sockets(&victims->session.now->snapshot, victims->sockets, victims->count,
                            errors);
    for (uint32_t i = 0; r == 0 && i < victims->count; i++) {
        destroyed += errors[i] == 0;
        gone += errors[i] == -ENOENT;
        if (errors[i] && errors[i] != -ENOENT && !first)
            first = errors[i];
    }
    if (r == 0) {
        buf_printf(message, "%u of %u destroyed, of %s", destroyed, victims->count,
                   buf_string(&victims->title));
        if (gone)
            buf_printf(message, "; %u gone already", gone);
        r = first;
    }
    if (r < 0)
        buf_printf(message, "%s%s", message->length ? "; not the others: " : "cannot destroy: ",
                   r == -EPERM ? "it takes CAP_NET_ADMIN" : strerror(-r));
}

/* --- a process --- */

static int ask_terminate(struct top_screen *screen, uint32_t group, struct buf *lines)
{
    const struct flow *flow = top_process(&screen->session.now->view, group);
    struct top_victims *victims = &screen->victims;

    if (!flow) {
        buf_puts(lines, "this row is not of one process: 1 groups by process");
        return -ENOTSUP;
    }
    /* From here on it is this process, or none. */
    victims->pidfd = (int)syscall(SYS_pidfd_open, flow->pid, 0);
    if (victims->pidfd < 0 && errno != ESRCH)
        return -errno;
    if (victims->pidfd < 0 || !top_is_started_at(flow->pid, flow->start_ticks)) {
        buf_printf(lines, "%s has ended", buf_string(&victims->title));
        return -ESRCH;
    }
    top_put_command_line(flow->pid, lines);
    if (lines->length)
        buf_byte(lines, '\n');
    buf_printf(lines, "end %s? [y/N] By SIGTERM.", buf_string(&victims->title));
    return 0;
}

static void terminate(struct top_victims *victims, struct buf *message)
{
    const char *title = buf_string(&victims->title);

    if (syscall(SYS_pidfd_send_signal, victims->pidfd, SIGTERM, NULL, 0) == 0)
        buf_printf(message, "SIGTERM was sent to %s", title);
    else if (errno == ESRCH)
        buf_printf(message, "%s has ended already", title);
    else
        buf_printf(message, "cannot end %s: %s", title, strerror(errno));
}

/* --- */

int top_ask(void *context, enum tui_deed deed, const struct grid *grid, uint32_t row,
            struct buf *message)
{
    struct top_screen *screen = context;

    top_victims_done(screen);
    top_put_title(grid, row, &screen->victims.title);
    if (deed == TUI_TERMINATE)
        return ask_terminate(screen, grid->rows[row], message);
    return ask_destroy(screen, grid->rows[row], message);
}

void top_act(void *context, struct buf *message)
{
    struct top_screen *screen = context;

    if (screen->victims.pidfd >= 0)
        terminate(&screen->victims, message);
    else
        destroy(&screen->victims, message);
    top_victims_done(screen);
}
