/* SPDX-License-Identifier: MIT */
/* Escaping: the one place that decides how bytes from outside reach a terminal, a JSON string or a
 * CSV field. */
#pragma once

#include "base/buf.h"

/*
 * Text: control characters (C0, DEL, C1), invalid UTF-8 and bidirectional or zero-width controls
 * become \n, \t, \e or \xNN; a backslash becomes two, so that the bytes can be recovered. Returns
 * the number of terminal columns the text takes.
 */
size_t escape_text(struct buf *buf, const char *bytes, size_t length);

/* The same, and the bytes of `reserved`, which mean something around the text, become \xNN. */
void escape_part(struct buf *buf, const char *bytes, size_t length, const char *reserved);

/* JSON string with its quotes. Bytes that are no UTF-8, and the controls that escape_text() hides,
 * become \\xNN (a backslash of their own). */
void escape_json(struct buf *buf, const char *bytes, size_t length);

/* CSV field (RFC 4180), quoted only where needed; the content is escaped as for text. */
void escape_csv(struct buf *buf, const char *bytes, size_t length);

/* Text that is escaped already as a CSV field: only its quotes. */
void escape_csv_quotes(struct buf *buf, const char *text, size_t length);

/* Text of an XML document. */
void escape_xml(struct buf *buf, const char *bytes, size_t length);

/* True when the bytes are printable ASCII without backslash and quote: every form above shows them
 * as they are, one column each (CSV may still have to quote them). */
bool escape_is_plain(const char *bytes, size_t length);

/*
 * Where to cut text that escape_text() wrote: the number of leading bytes that take at most
 * `columns` columns, never within a character, its combining marks, or an escape. *ret_columns is
 * what they take.
 */
size_t escape_fit(const char *text, size_t length, size_t columns, size_t *ret_columns);
