/* SPDX-License-Identifier: MIT */
/* Host: the machine that a store is of, as it was at each time. */
#include "store/schema.h"
#include "store/write.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The namespace that nwho was started in; 0: it is not known. */
static int own_netns(struct store *store, const struct snapshot *now, uint32_t *ret_id)
{
    for (uint32_t i = 0; i < now->netns_count; i++)
        if (now->netns[i].flags & NETNS_SELF)
            return dictionary_netns(store, now, i, ret_id);
    *ret_id = 0;
    return 0;
}

static uint32_t count_cpus(void)
{
    return (uint32_t)sysconf(_SC_NPROCESSORS_CONF);
}

/* A row says the same as those after it, until there is another one. */
int write_host(struct store *store, const struct snapshot *now)
{
    static const char text[] =
        "INSERT INTO host SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE NOT EXISTS"
        " (SELECT 1 FROM (SELECT * FROM host ORDER BY time_ns DESC LIMIT 1) WHERE system = ?2 AND"
        " release = ?3 AND name = ?4 AND machine = ?5 AND cpus = ?6 AND netns = ?7)";
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    struct utsname machine;
    uint32_t netns = 0;
    int r = own_netns(store, now, &netns);

    if (r == 0)
        r = uname(&machine) < 0 ? -errno : sql_prepare_once(store, text, &statement);
    if (r < 0)
        return r;
    sql_bind(statement, 1, now->time_ns);
    sql_bind_text(statement, 2, machine.sysname, strlen(machine.sysname));
    sql_bind_text(statement, 3, machine.release, strlen(machine.release));
    sql_bind_text(statement, 4, machine.nodename, strlen(machine.nodename));
    sql_bind_text(statement, 5, machine.machine, strlen(machine.machine));
    sql_bind(statement, 6, count_cpus());
    sql_bind(statement, 7, netns);
    return sql_run(statement);
}

static void take_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
    const unsigned char *found = sqlite3_column_text(statement, column);

    snprintf(text, size, "%s", found ? (const char *)found : "");
}

/* As it is now: counting processors reads a directory. */
static int present_host(struct store_host *ret_host)
{
    *ret_host = (struct store_host){.cpus = count_cpus()};
    return uname(&ret_host->machine) < 0 ? -errno : 0;
}

int store_host(struct store *store, uint64_t time_ns, struct store_host *ret_host)
{
    /* For each piece of a chart: nothing is sorted, which would be most of what a piece costs. */
    static const char query[] = "SELECT system, release, name, machine, cpus, netns FROM host"
                                " WHERE time_ns = coalesce((SELECT max(time_ns) FROM host"
                                " WHERE time_ns <= ?1), (SELECT min(time_ns) FROM host)) LIMIT 1";
    struct utsname *machine = &ret_host->machine;
    sqlite3_stmt *statement;
    int r = 0;

    if (store->version >= SCHEMA_WITH_HOST) {
        r = sql_prepare(store, STATEMENT_HOST, query, &statement);
        if (r < 0)
            return r;
        sql_bind(statement, 1, time_ns);
        r = sql_step(statement);
    }
    if (r <= 0)
        return r < 0 ? r : present_host(ret_host);
    memset(ret_host, 0, sizeof(*ret_host));
    take_text(statement, 0, machine->sysname, sizeof(machine->sysname));
    take_text(statement, 1, machine->release, sizeof(machine->release));
    take_text(statement, 2, machine->nodename, sizeof(machine->nodename));
    take_text(statement, 3, machine->machine, sizeof(machine->machine));
    ret_host->cpus = (uint32_t)sql_column(statement, 4);
    ret_host->netns = (uint32_t)sql_column(statement, 5);
    sqlite3_reset(statement);
    return 0;
}
