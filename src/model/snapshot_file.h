/* SPDX-License-Identifier: MIT */
/* A snapshot in a file: --record and --replay. */
#pragma once

#include "model/snapshot.h"

/*
 * The format, all numbers little-endian:
 *
 *   head      "nwho-snapshot\n", u16 format version, u32 number of sections, u32 checksum
 *   section   u32 element count, u16 field count, u8 length of the name, the name,
 *             the fields: {u8 width in bytes, u8 length of the name, the name},
 *             the data: all elements' first field, then all elements' second field, ...,
 *             u32 checksum (CRC-32 of the section up to here)
 *
 * Sections are named after the arrays of struct snapshot; "snapshot" has one element, "strings" is
 * the string pool: {u32 length, bytes, NUL} behind each other. Sections and fields that the reader
 * does not know are skipped, those that the file does not have stay zero, and the has-bits then say
 * unknown. So a field can be added without a new version; one whose meaning or width changes needs
 * a new name, and a new value of an enum a new version.
 *
 * Such a file names processes, users, addresses and command lines of the machine: whoever creates
 * one gives it mode 0600.
 */
#define SNAPSHOT_FILE_VERSION 1
#define SNAPSHOT_FILE_MAX_BYTES ((uint64_t)4 << 30)

/* What is wrong with a file: one line without control characters, "" when nothing is. */
struct snapshot_file_error {
    char text[192];
};

/* Writes to a file or pipe, at its position. 0, a write error, or -EFBIG. Not synced to disk. */
int snapshot_write(const struct snapshot *snapshot, int fd) MUST_CHECK;

/*
 * Reads a file or pipe up to its end, and checks everything: afterwards every string, index and
 * enum of the snapshot is valid. On success the caller owns *ret and ends it by snapshot_done().
 * -EBADMSG: no snapshot, damaged or cut; -EPROTONOSUPPORT: of a newer nwho; -EFBIG; -ENOMEM; or a
 * read error. On failure *ret is untouched and *ret_error says why.
 */
int snapshot_read(int fd, struct snapshot *ret, struct snapshot_file_error *ret_error) MUST_CHECK;

/* The same of bytes in memory. */
int snapshot_parse(const void *bytes, size_t length, struct snapshot *ret,
                   struct snapshot_file_error *ret_error) MUST_CHECK;
