/* SPDX-License-Identifier: MIT */
/* What the parts of the lsof personality share: its options, its rows, and the steps between. */
#pragma once

#include "compat/host_names.h"
#include "compat/moment.h"

#include <regex.h>

/* Kinds of selection: each is an OR of its members; between kinds it is OR, or AND with -a. */
enum lsof_select {
    LSOF_SELECT_COMMAND = 1u << 0, /* -c */
    LSOF_SELECT_PID = 1u << 1,     /* -p */
    LSOF_SELECT_PGID = 1u << 2,    /* -g SET */
    LSOF_SELECT_UID = 1u << 3,     /* -u */
    LSOF_SELECT_FD = 1u << 4,      /* -d */
    LSOF_SELECT_TASK = 1u << 5,    /* -K */
    LSOF_SELECT_INET = 1u << 6,    /* -i, -i4, -i6 */
    LSOF_SELECT_ADDRESS = 1u << 7, /* -i ADDRESS */
    LSOF_SELECT_UNIX = 1u << 8,    /* -U */
    LSOF_SELECT_LINKS = 1u << 9,   /* +L NUMBER: sockets have no links to compare */
    LSOF_SELECT_OTHER = 1u << 10,  /* files that are no sockets: -N, names, +D */
};

/* Kinds that only sockets belong to. */
#define LSOF_SELECT_SOCKETS (LSOF_SELECT_INET | LSOF_SELECT_ADDRESS | LSOF_SELECT_UNIX)

/* A member of -p, -g or -u. */
struct lsof_id {
    uint32_t id;
    bool exclude;
    bool found;
    const char *login; /* -u by name; NULL */
};

/* A list that is owned; each id is in it once. */
struct lsof_ids {
    struct lsof_id *items;
    uint32_t count, capacity;
    struct map index; /* id -> index into items */
};

struct lsof_command {
    const char *text; /* what a name begins with; of a regular expression what is between slashes */
    bool is_regex, exclude, found;
    regex_t regex;
};

/* One address of -i; a host with several addresses, or a list of ports, becomes several. */
struct lsof_address {
    const char *text; /* the argument */
    uint32_t first;   /* of the argument's addresses: index of the one that keeps `found` */
    uint8_t family;   /* 0: any */
    uint8_t proto;    /* enum socket_proto; 0: any */
    bool any_port, found;
    uint32_t low, high;
    union address address; /* zero: any */
};

struct lsof_fds {
    uint32_t low, high;
};

/* A state of -sTCP:. */
struct lsof_state {
    const char *name; /* as lsof writes it */
    uint32_t bit;     /* STATE_BIT() */
    bool exclude, found;
};

enum lsof_size_mode { LSOF_SIZE_OR_OFFSET, LSOF_SIZE, LSOF_OFFSET };
enum lsof_form { LSOF_COLUMNS, LSOF_FIELDS, LSOF_TERSE, LSOF_JSON, LSOF_JSON_LINES };

struct lsof_options {
    struct arena arena; /* of texts */
    uint32_t select;    /* enum lsof_select */
    bool and;           /* -a */
    bool ipv4, ipv6;    /* -i without an address */
    struct lsof_ids pids, pgids, uids;
    struct lsof_command *commands;
    uint32_t command_count, command_capacity;
    struct lsof_address *addresses;
    uint32_t address_count, address_capacity;
    struct lsof_fds *fds;
    uint32_t fd_count, fd_capacity;
    bool fds_exclude;
    bool fds_of_files;         /* -d names what other files than sockets can have */
    struct lsof_state *states; /* -s */
    uint32_t state_count, state_capacity;
    bool numeric_hosts, numeric_ports, numeric_users;
    bool show_ppid, show_pgid, show_links, show_tasks;
    bool no_inet;                       /* -X */
    bool endpoints, endpoint_files;     /* -E, +E */
    bool state, queues, socket_options; /* -T: s, q, f */
    uint32_t flags;                     /* +f: 0 none, 'g', 'G' */
    enum lsof_size_mode size;
    bool size_asked, offset_asked; /* -s, -o */
    uint32_t command_width;        /* +c, as it was written; see lsof_command_width() */
    enum lsof_form form;
    uint64_t fields;    /* LSOF_FIELD()s; 0: no -F */
    bool fields_nul;    /* -F0 */
    bool verbose;       /* -V */
    bool allow_missing; /* -Q */
    bool terse;         /* -t */
    bool help, version, field_help;
    uint32_t repeat_s;          /* of -r; 0: one listing */
    uint32_t repeat_count;      /* 0: endless */
    const char *repeat_command; /* see set_repeat(); NULL: none */
    bool repeat_until_empty;
    const char *marker; /* strftime(3) format; NULL: the usual one */
};

#define LSOF_FIELD(letter) (UINT64_C(1) << ((letter)&63))

/* One line: a descriptor, or a descriptor as a thread sees it. Texts live as long as the moment. */
struct lsof_file {
    uint32_t pid, ppid, pgid, uid, tid;
    int32_t fd;
    const char *command;
    uint32_t command_length;
    const char *thread; /* name of the thread; NULL without tid */
    uint32_t thread_length;
    uint32_t inode, recv_q, send_q;

    uint8_t family, proto, type;
    uint32_t state; /* a STATE_BIT(), 0 unknown */
    union address local, peer;
    uint16_t local_port, peer_port;
    const char *path; /* unix; NULL unnamed */
    uint32_t path_length;
    uint64_t kernel_address;             /* unix */
    uint32_t flags;                      /* open(2) flags; 0 unknown */
    const char *endpoint;                /* -E: who holds the other end; NULL */
    uint32_t first_thread, thread_count; /* -K: rows of the table of threads */
    bool has_tasks;                      /* its process has several threads */
    bool selected;
};

/* What was looked up before, for all listings. Zero is empty; host_names_done() frees. */
struct lsof_names {
    struct host_names hosts;
    char nameless[16]; /* the last user without a name, as text */
};

/* One listing. */
struct lsof_list {
    struct lsof_options *options;
    struct moment moment;
    struct grid grid;
    struct lsof_file *files; /* owned */
    uint32_t count, capacity;
    uint32_t selected;
    bool incomplete; /* of a reading besides `moment` */
    uint32_t found;  /* enum lsof_select: INET and TASK, seen in a process that was looked at */
    struct arena arena;
    struct lsof_names *names; /* borrowed: of all listings */
    struct buf *out;
};

/* Parses the command line. 0; -EINVAL after a message on stderr; -ENOMEM. */
int lsof_options_parse(int argc, char **argv, struct lsof_options *options) MUST_CHECK;
void lsof_options_done(struct lsof_options *options);

/* Width of names of commands in columns, at least that of the heading; 0: all. */
static inline uint32_t lsof_command_width(const struct lsof_options *options)
{
    return options->command_width && options->command_width < 7 ? 7 : options->command_width;
}

/* A decimal number in `length` bytes, behind which more may follow that is no digit. */
bool lsof_parse_number(const char *text, size_t length, uint32_t *ret_number);

/* Values of options: each 0, -EINVAL after a message, or -ENOMEM. */
int lsof_parse_inet(struct lsof_options *options, const char *value) MUST_CHECK;
int lsof_parse_command(struct lsof_options *options, const char *value) MUST_CHECK;
int lsof_parse_ids(struct lsof_ids *ids, const char *value, bool *ret_included) MUST_CHECK;
int lsof_parse_users(struct lsof_options *options, const char *value) MUST_CHECK;
int lsof_parse_fds(struct lsof_options *options, const char *value) MUST_CHECK;
int lsof_parse_states(struct lsof_options *options, const char *value) MUST_CHECK;
int lsof_check_mounted(const char *path) MUST_CHECK; /* -e */
int lsof_parse_fields(struct lsof_options *options, const char *value) MUST_CHECK;

/* One line on stderr, with the name of the tool in front. Returns -EINVAL. */
int lsof_error(const char *format, ...) PRINTF_LIKE(1, 2);

/* Whether -F, -J or -j shows a field. */
bool lsof_shows(const struct lsof_options *options, char letter);

/* Reads the machine into list->files, in order, and marks those that are selected. 0 or -errno. */
int lsof_read(struct lsof_list *list) MUST_CHECK;
void lsof_list_done(struct lsof_list *list);

/* Whether the socket is what -i, -U and -s ask for, and its process what the others do. */
void lsof_select(struct lsof_list *list);

/*
 * Looks for what -p, -g, -u and -c ask for in all processes, also those without sockets.
 * *ret_selected: these are some that are listed with all their files. 0 or -ENOMEM.
 */
int lsof_look_at_processes(struct lsof_list *list, bool *ret_selected) MUST_CHECK;

/* Exit status, after naming what was not found (-V). */
int lsof_verdict(struct lsof_list *list);

/* Writes the selected files to list->out. */
void lsof_write_columns(struct lsof_list *list);
void lsof_write_fields(struct lsof_list *list);
void lsof_write_json(struct lsof_list *list);
void lsof_write_terse(struct lsof_list *list);
void lsof_write_field_help(struct buf *out);

/* -K: each file of a process once more for each of its other threads. 0 or -ENOMEM. */
int lsof_add_tasks(struct lsof_list *list) MUST_CHECK;

/* -E: finds who holds the other ends; +E selects these files too. 0 or -errno. */
int lsof_find_endpoints(struct lsof_list *list) MUST_CHECK;

/* The NAME column without what -T adds: "127.0.0.1:22->10.0.0.1:4711". */
void lsof_put_name(struct lsof_list *list, const struct lsof_file *file, struct buf *text);

/* The descriptor's number, right-aligned to `width`. */
void lsof_put_fd(struct buf *out, int32_t fd, uint32_t width);

/* "(LISTEN)" of TCP and unix sockets as a word; NULL for none. */
const char *lsof_state_name(const struct lsof_file *file);

/* "TCP", "UDP", "UDPLITE", "unix"; "IPv4", "IPv6", "unix". */
const char *lsof_node_name(const struct lsof_file *file);
const char *lsof_type_name(const struct lsof_file *file);

/*
 * Bytes that are not printable become \n, \t, ^X or \xNN, a backslash becomes two. What is
 * printable depends on the locale.
 */
void lsof_escape(struct buf *text, const char *bytes, size_t length);

/*
 * The same for a column: byte by byte, blanks too, and cut where `width` would be exceeded; then
 * padded to it. And the width that lsof thinks the whole text takes, at most `limit` (0: none).
 */
void lsof_put_padded(struct buf *text, const char *bytes, size_t length, uint32_t width);
uint32_t lsof_width(const char *bytes, size_t length, uint32_t limit);

/* "RW,ND,CX" or "0x80002;0x0". */
void lsof_put_flags(struct buf *text, uint32_t flags, bool hexadecimal);

/* The login name; a user without one is a number of at least 8 columns. Until the next call. */
const char *lsof_user(struct lsof_names *names, uint32_t uid);
