/* SPDX-License-Identifier: MIT */
/* Plain: tables as their columns say, and rows in one transaction. */
#include "store/plain.h"

#include "base/buf.h"
#include "store/sql.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TABLES_MAX 16

struct plain {
    sqlite3 *db;
    char *path; /* NULL: it is kept */
    struct plain_made {
        uint32_t columns;
        sqlite3_stmt *insert, *find;
    } tables[TABLES_MAX];
    uint32_t table_count;
};

static int run(struct plain *plain, const char *text)
{
    return sql_error(plain->db, sqlite3_exec(plain->db, text, NULL, NULL, NULL));
}

/* Nobody else has the file, and what is not finished is removed: there is nothing to go back to. */
static int begin(struct plain *plain)
{
    static const char text[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN";
    int result =
        sqlite3_open_v2(plain->path, &plain->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    return result == SQLITE_OK ? run(plain, text) : sql_error(plain->db, result);
}

int plain_create(const char *path, struct plain **ret_plain)
{
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct plain *plain;
    int r;

    if (fd < 0)
        return -errno;
    plain = calloc(1, sizeof(*plain));
    if (plain)
        plain->path = realpath(path, NULL); /* some names mean something to SQLite */
    r = plain && plain->path ? begin(plain) : -ENOMEM;
    if (r < 0) {
        plain_close(plain);
        unlink(path);
        return r;
    }
    *ret_plain = plain;
    return 0;
}

int plain_commit(struct plain *plain)
{
    int r = run(plain, "COMMIT");

    if (r == 0) {
        free(plain->path);
        plain->path = NULL;
    }
    return r;
}

void plain_close(struct plain *plain)
{
    if (!plain)
        return;
    for (uint32_t i = 0; i < plain->table_count; i++) {
        sqlite3_finalize(plain->tables[i].insert);
        sqlite3_finalize(plain->tables[i].find);
    }
    sqlite3_close(plain->db);
    if (plain->path)
        unlink(plain->path);
    free(plain->path);
    free(plain);
}

int plain_table(struct plain *plain, const char *name, const struct plain_column *columns,
                uint32_t count, const char *index, uint32_t *ret_table)
{
    static const char *const types[] = {"", "INTEGER", "REAL", "TEXT"};
    CLEANUP(buf_done) struct buf create = BUF_INIT, insert = BUF_INIT, find = BUF_INIT;
    struct plain_made *made = &plain->tables[plain->table_count];
    int r;

    if (plain->table_count == TABLES_MAX || count > PLAIN_COLUMNS_MAX)
        return -E2BIG;
    buf_printf(&create, "CREATE TABLE \"%s\"(id INTEGER PRIMARY KEY", name);
    buf_printf(&insert, "INSERT INTO \"%s\" VALUES(NULL", name);
    buf_printf(&find, "SELECT id FROM \"%s\" WHERE true", name);
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(&create, ", \"%s\" %s", columns[i].name, types[columns[i].type]);
        buf_puts(&insert, ", ?");
        buf_printf(&find, " AND \"%s\" IS ?", columns[i].name);
    }
    buf_puts(&create, ");");
    buf_puts(&insert, ")");
    if (index)
        buf_printf(&create, "CREATE INDEX \"%s_%s\" ON \"%s\"(\"%s\");", name, index, name, index);
    r = create.error || insert.error || find.error ? -ENOMEM : run(plain, buf_string(&create));
    *made = (struct plain_made){.columns = count};
    plain->table_count++;
    if (r == 0)
        r = sql_error(plain->db,
                      sqlite3_prepare_v2(plain->db, buf_string(&insert), -1, &made->insert, NULL));
    if (r == 0)
        r = sql_error(plain->db,
                      sqlite3_prepare_v2(plain->db, buf_string(&find), -1, &made->find, NULL));
    if (r == 0)
        *ret_table = plain->table_count - 1;
    return r;
}

static void bind(sqlite3_stmt *statement, const struct plain_value *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct plain_value *value = &values[i];
        int at = (int)i + 1;

        switch (value->type) {
        case PLAIN_NULL:
            sqlite3_bind_null(statement, at);
            break;
        case PLAIN_INTEGER:
            sqlite3_bind_int64(statement, at, value->integer);
            break;
        case PLAIN_REAL:
            sqlite3_bind_double(statement, at, value->real);
            break;
        case PLAIN_TEXT:
            sql_bind_text(statement, at, value->text.bytes, value->text.length);
            break;
        }
    }
}

int plain_add(struct plain *plain, uint32_t table, const struct plain_value *values)
{
    struct plain_made *made = &plain->tables[table];

    bind(made->insert, values, made->columns);
    return sql_run(made->insert);
}

int plain_find(struct plain *plain, uint32_t table, const struct plain_value *values,
               int64_t *ret_id)
{
    struct plain_made *made = &plain->tables[table];
    int r;

    bind(made->find, values, made->columns);
    r = sql_step(made->find);
    if (r > 0) {
        *ret_id = sqlite3_column_int64(made->find, 0);
        sqlite3_reset(made->find);
        return 0;
    }
    if (r == 0)
        r = plain_add(plain, table, values);
    if (r == 0)
        *ret_id = sqlite3_last_insert_rowid(plain->db);
    return r;
}
