/* SPDX-License-Identifier: MIT */
/* Destroys the sockets of a row of `nwho top`: those that its flows went through, by cookie. */
#include "base/map.h"
#include "base/vec.h"
#include "cli/top_screen.h"
#include "collect/destroy.h"

void top_victims_done(struct top_screen *screen)
{
    struct top_victims *victims = &screen->victims;

    if (victims->read)
        session_end(&victims->session);
    free(victims->sockets);
    *victims = (struct top_victims){.read = false};
}

/* The cookies of the open sockets of all flows that pass the condition. */
static int find_cookies(struct top_screen *screen, const char *condition, struct map *cookies)
{
    const struct view *view = &screen->session.now->view;
    struct arena arena = {0};
    struct filter_error error;
    struct filter *filter = NULL;
    int r = filter_compile(&table_flows, condition, &arena, &filter, &error);

    for (uint32_t i = 0; r == 0 && i < view->snapshot->flows_count; i++) {
        const struct flow *flow = &view->snapshot->flows[i];

        if (flow->cookie && !(flow->flags & FLOW_CLOSED) && filter_accepts(filter, view, i))
            r = map_set(cookies, flow->cookie, 1);
    }
    filter_done(filter);
    arena_done(&arena);
    return r;
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
    if (r == 0 && victims->session.request.netns_scope == NETNS_SCOPE_SELF)
        victims->session.request.netns_scope = NETNS_SCOPE_ALL;
    if (r == 0)
        r = session_plan_also(&victims->session, &query);
    if (r == 0)
        r = session_take(&victims->session);
    return r ? -EIO : 0;
}

static int choose_victims(struct top_screen *screen, const struct map *cookies)
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

int top_kill_prepare(void *context, const char *condition, struct buf *message)
{
    struct top_screen *screen = context;
    struct map cookies = {0};
    int r;

    top_victims_done(screen);
    r = find_cookies(screen, condition, &cookies);
    if (r == 0)
        r = read_sockets(screen);
    if (r == 0)
        r = choose_victims(screen, &cookies);
    map_done(&cookies);
    if (r == 0 && screen->victims.count == 0) {
        buf_puts(message, "none of its sockets is open any more");
        r = -ENOENT;
    }
    if (r == 0)
        buf_printf(message, "destroy %u socket%s? No process is ended.", screen->victims.count,
                   screen->victims.count == 1 ? "" : "s");
    return r;
}

void top_kill(void *context, struct buf *message)
{
    struct top_screen *screen = context;
    struct top_victims *victims = &screen->victims;
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
        buf_printf(message, "%u of %u destroyed", destroyed, victims->count);
        if (gone)
            buf_printf(message, ", %u gone already", gone);
        r = first;
    }
    if (r < 0)
        buf_printf(message, "%s%s", message->length ? "; not the others: " : "cannot destroy: ",
                   r == -EPERM ? "it takes CAP_NET_ADMIN" : strerror(-r));
    top_victims_done(screen);
}
