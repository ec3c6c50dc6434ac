/* SPDX-License-Identifier: MIT */
/* Reads the file of a baseline: CSV as out/csv.c writes it, with the columns that baseline.h names.
 */
#include "derive/baseline.h"

#include "base/buf.h"
#include "base/hash.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum field {
    FIELD_PROTO,
    FIELD_ADDRESS,
    FIELD_PORT,
    FIELD_PROCESS,
    FIELD_UNIT,
    FIELD_NETNS,
    FIELD_MAX,
};

/* --- a line --- */

/* The end of a field that begins with a quote, whose doubled quotes become single ones. NULL: it
 * has none. */
static char *unquote(char *field)
{
    char *to = field;

    for (char *at = field + 1; *at; at++) {
        if (*at == '"' && *++at != '"') {
            *to = '\0';
            return at;
        }
        *to++ = *at;
    }
    return NULL;
}

static char unescape_letter(char letter)
{
    switch (letter) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    case 'e':
        return '\033';
    default:
        return letter;
    }
}

/* What escape_text() wrote, as it was. */
static void unescape(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        char digits[3] = {0};

        if (*at != '\\' || !at[1]) {
            *to++ = *at;
        } else if (at[1] == 'x' && at[2] && at[3]) {
            memcpy(digits, at + 2, 2);
            *to++ = (char)strtoul(digits, NULL, 16);
            at += 3;
        } else {
            *to++ = unescape_letter(*++at);
        }
    }
    *to = '\0';
}

/* False where the line has more or fewer. */
static bool split_fields(char *line, char *fields[FIELD_MAX])
{
    for (size_t i = 0; i < FIELD_MAX; i++) {
        char *end = *line == '"' ? unquote(line) : line + strcspn(line, ",");

        if (!end || *end != (i + 1 < FIELD_MAX ? ',' : '\0'))
            return false;
        *end = '\0';
        unescape(line);
        fields[i] = line;
        line = end + 1;
    }
    return true;
}

/* --- into the snapshot --- */

static int intern(struct snapshot *snapshot, const char *text, uint32_t *ret_string)
{
    return snapshot_intern(snapshot, text, strlen(text), ret_string);
}

/* The namespace of this name, added when it is new: in the place of its inode it has a number. */
static int add_netns(struct snapshot *snapshot, const char *name, uint32_t *ret_index)
{
    uint32_t string;
    int r = intern(snapshot, name, &string);

    for (uint32_t i = 0; i < snapshot->netns_count && r == 0; i++)
        if (snapshot->netns[i].name == string) {
            *ret_index = i;
            return 0;
        }
    if (r == 0)
        r = snapshot_add_netns(snapshot, snapshot->netns_count + 1, ret_index);
    if (r == 0)
        snapshot->netns[*ret_index].name = string;
    return r;
}

/* Nothing else is known of it: it has a number of its own until it is in its place. */
static int add_owner(struct snapshot *snapshot, char *const fields[FIELD_MAX], uint32_t inode)
{
    struct process owner = {0};
    struct buf path = BUF_INIT;
    uint32_t index;
    int r;

    if (!*fields[FIELD_PROCESS] && !*fields[FIELD_UNIT])
        return 0;
    buf_byte(&path, '/');
    buf_puts(&path, fields[FIELD_UNIT]);
    r = intern(snapshot, fields[FIELD_PROCESS], &owner.comm);
    if (r == 0)
        r = intern(snapshot, buf_string(&path), &owner.cgroup);
    if (r == 0)
        r = path.error;
    buf_done(&path);
    if (r == 0)
        r = snapshot_add_process(snapshot, inode, &index);
    if (r != 0)
        return r;
    owner.has = (*fields[FIELD_PROCESS] ? PROCESS_HAS_COMM : 0) |
                (*fields[FIELD_UNIT] ? PROCESS_HAS_CGROUP : 0);
    snapshot->processes[index] = owner;
    return snapshot_add_holder(snapshot,
                               (struct holder){.inode = inode, .process = index, .fd = -1});
}

static bool parse_address(const char *text, struct socket *socket)
{
    socket->family = strchr(text, ':') ? AF_INET6 : AF_INET;
    return inet_pton(socket->family, text, &socket->local) == 1;
}

static bool parse_port(const char *text, uint16_t *ret_port)
{
    size_t digits = strspn(text, "0123456789");
    unsigned long port = digits > 0 && digits <= 5 && !text[digits] ? strtoul(text, NULL, 10) : 0;

    *ret_port = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX;
}

static int add_listener(struct snapshot *snapshot, char *line)
{
    struct socket socket = {.inode = snapshot->sockets_count + 1};
    struct socket *added;
    char *fields[FIELD_MAX];
    unsigned int proto;
    int r;

    if (!split_fields(line, fields) || socket_proto_parse(fields[FIELD_PROTO], &proto) < 0 ||
        !parse_address(fields[FIELD_ADDRESS], &socket) ||
        !parse_port(fields[FIELD_PORT], &socket.local_port) || !*fields[FIELD_NETNS])
        return -EBADMSG;
    socket.proto = (uint8_t)proto;
    socket.state = PROTO_BIT(proto) & (PROTO_BIT(PROTO_UDP) | PROTO_BIT(PROTO_UDPLITE))
                       ? STATE_UNCONNECTED
                       : STATE_LISTENING;
    r = add_netns(snapshot, fields[FIELD_NETNS], &socket.netns);
    if (r == 0)
        r = add_owner(snapshot, fields, socket.inode);
    added = r == 0 ? snapshot_add_socket(snapshot) : NULL;
    if (!added)
        return -ENOMEM;
    *added = socket;
    return 0;
}

static int parse_lines(char *text, struct snapshot *snapshot, uint32_t *line_number)
{
    bool has_header = false;
    char *line;
    int r = 0;

    while (r == 0 && (line = strsep(&text, "\n"))) {
        ++*line_number;
        if (*line == '#' || (!*line && !text))
            continue;
        if (has_header)
            r = add_listener(snapshot, line);
        else
            r = strcmp(line, BASELINE_COLUMNS) == 0 ? 0 : -EBADMSG;
        has_header = true;
    }
    return r == 0 && !has_header ? -EBADMSG : r;
}

int baseline_parse(const char *text, struct snapshot *ret_snapshot, uint32_t *ret_line)
{
    CLEANUP_FREE char *copy = NULL;
    struct snapshot snapshot;
    uint32_t line = 0;
    int r = snapshot_init(&snapshot);

    if (r < 0)
        return r;
    copy = strdup(text);
    r = copy ? parse_lines(copy, &snapshot, &line) : -ENOMEM;
    if (r < 0) {
        snapshot_done(&snapshot);
        *ret_line = line;
        return r;
    }
    snapshot.owners_known = 1;
    *ret_snapshot = snapshot;
    return 0;
}

uint64_t baseline_place(const struct snapshot *snapshot, const struct socket *socket)
{
    struct buf name = BUF_INIT;
    uint64_t place = hash_number(HASH_INIT, (uint64_t)socket->local_port << 32 |
                                                (uint32_t)socket->family << 8 | socket->proto);

    snapshot_put_netns(snapshot, socket->netns, &name);
    place = hash_bytes(place, socket->local.bytes, socket->family == AF_INET ? 4 : 16);
    place = hash_bytes(place, buf_string(&name), name.length);
    buf_done(&name);
    return place;
}
