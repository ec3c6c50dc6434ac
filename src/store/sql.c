/* SPDX-License-Identifier: MIT */
/* SQL: statements are prepared once, errors are errno. */
#include "store/sql.h"

static int error_of(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
        return -EBADMSG;
    case SQLITE_TOOBIG:
        return -EFBIG;
    default:
        return -EIO;
    }
}

int sql_error(sqlite3 *db, int result)
{
    int r = error_of(result), system_error = r == -EIO && db ? sqlite3_system_errno(db) : 0;

    if (r == -EIO && db && sqlite3_extended_errcode(db) == SQLITE_IOERR_NOMEM)
        return -ENOMEM; /* of its own files: nothing is wrong with the disk */
    return system_error > 0 ? -system_error : r;
}

int sql_prepare_once(struct store *store, const char *text, sqlite3_stmt **ret_statement)
{
    return sql_error(store->db, sqlite3_prepare_v2(store->db, text, -1, ret_statement, NULL));
}

int sql_prepare(struct store *store, unsigned int statement, const char *text,
                sqlite3_stmt **ret_statement)
{
    sqlite3_stmt **prepared = &store->statements[statement];

    if (!*prepared) {
        int result =
            sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, prepared, NULL);

        if (result != SQLITE_OK)
            return sql_error(store->db, result);
    }
    *ret_statement = *prepared;
    return 0;
}

int sql_step(sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement), r;

    if (result == SQLITE_ROW)
        return 1;
    r = sql_error(sqlite3_db_handle(statement), result);
    sqlite3_reset(statement);
    return r;
}

int sql_run(sqlite3_stmt *statement)
{
    int r;

    do
        r = sql_step(statement);
    while (r > 0);
    return r;
}

int sql_run_text(struct store *store, const char *text)
{
    return sql_error(store->db, sqlite3_exec(store->db, text, NULL, NULL, NULL));
}

int sql_number(struct store *store, const char *text, int64_t *ret_number)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    int r = sql_prepare_once(store, text, &statement);

    if (r == 0)
        r = sql_step(statement);
    if (r < 0)
        return r;
    *ret_number = r > 0 ? sqlite3_column_int64(statement, 0) : 0;
    return 0;
}

void sql_finalize(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}
