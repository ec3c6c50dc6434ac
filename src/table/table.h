/* SPDX-License-Identifier: MIT */
/* Tables and columns: the single definition of every datum that nwho can show. */
#pragma once

#include "base/buf.h"
#include "model/request.h"
#include "model/snapshot.h"
#include "table/value.h"

struct captured_processes;
struct findings;
struct fleet;
struct group;
struct join;
struct link_history;
struct names;
struct rates;
struct selfcheck;
struct table;

/* What getters read: one moment, and what was derived from it. Borrowed; a text that a getter
 * composes lives in scratch until the next call of a getter. */
struct view {
    const struct snapshot *snapshot;
    const struct rates *rates;        /* since the refresh before; NULL: there was none */
    const struct link_history *links; /* since the first reading; NULL: it is not kept */
    const struct join *join;
    const struct map *ills; /* of sockets, by cookie: derive/health/ills.h; NULL: nobody looked */
    const uint32_t *process_ills;    /* those of the sockets of each process; NULL: nobody looked */
    const struct findings *findings; /* of `doctor`; NULL elsewhere */
    const struct trends *trends;     /* of `history --every`; NULL elsewhere */
    const struct state_count *states; /* of `history --by state` */
    uint32_t state_count;
    const struct past_note *past_notes; /* of `export` */
    uint32_t past_note_count;
    const struct captured_processes *captured; /* of `sniff` */
    const struct fleet *fleet;                 /* of `fleet`; NULL elsewhere */
    const struct selfcheck *selfcheck;         /* of `selfcheck`; NULL elsewhere */
    const struct group *group; /* of `count`: the groups that its table shows; NULL elsewhere */
    const struct table *const *catalogue; /* of `columns`: the tables to list, ends with NULL */
    struct names *names; /* of this machine's users; NULL: only those of the snapshot */
    struct buf *scratch;
    const char *(*resolve)(void *context, const struct value *address); /* NULL: numeric */
    void *resolve_context;
};

enum column_flag {
    COLUMN_TEXT = 1u << 0,     /* in the text form unless -o says otherwise */
    COLUMN_MACHINE = 1u << 1,  /* in JSON and CSV unless columns are named */
    COLUMN_KEY = 1u << 2,      /* part of a row's identity */
    COLUMN_COUNTER = 1u << 3,  /* only grows */
    COLUMN_COMPOSED = 1u << 4, /* for people: put together from other columns, not in JSON unless
                                  named */
    COLUMN_RATE = 1u << 5,     /* known from the second reading on */
    COLUMN_OWNER = 1u << 6,    /* "nginx(1187,1190)": cut no shorter than the first name and pid */
    COLUMN_BESIDE = 1u << 7,   /* of interfaces: in the array beside the rows of traffic, in JSON */
    COLUMN_SUM = 1u << 8,      /* of groups: made of all their rows, so that only groups have it */
    COLUMN_MINOR = 1u << 9,    /* missed least where a screen is too narrow for all */
    COLUMN_MARK = 1u << 10,    /* in the text form where a row has it; nothing is read for that */
};

/* Evaluates one cell. */
typedef struct value column_get_fn(const struct view *view, uint32_t row);

struct column {
    const char *name;  /* JSON key, CSV header, -o word, filter word, sort key */
    const char *title; /* heading in text */
    const char *help;  /* one sentence, without a full stop */
    enum value_kind kind;
    uint32_t flags; /* enum column_flag */
    uint64_t needs; /* enum need, beyond the table's own */
    column_get_fn *get;
};

struct table {
    const char *name; /* plural, as in JSON "table" */
    const char *help;
    uint64_t needs; /* enum need: what it takes to have rows at all */
    const struct column *columns;
    uint32_t column_count;
    const char *const *words; /* columns that a bare word of a filter is compared with, ends with
                                 NULL; NULL: process, unit, container */
    bool words_are_parts;     /* ... a part of the text is enough, in upper or lower case */
    const char *words_are;    /* what a bare word is then taken for */
    /* May be NULL. All that a column can have, NULL where a number has no word; NULL: anything. */
    const char *const *(*fixed_words)(const struct column *column, size_t *ret_count);
    const char *hint;           /* when a filter lets nothing pass; NULL: none */
    const char *addresses[2];   /* columns with the own and the other address; NULL: as sockets */
    bool is_plain_list;         /* a list of it is a list of its only column, in JSON */
    const char *list_name;      /* column that names a row within a list; NULL: the first text */
    const struct table *owners; /* rows of its column "owners"; NULL: it has none */
    uint32_t (*row_count)(const struct view *view);
    uint32_t (*netns)(const struct view *view, uint32_t row); /* of a row with ports: index of its
                                                                 namespace in the snapshot */
    /* May be NULL. Brings a row near before its turn: rows in order lie far apart in memory. */
    void (*prefetch)(const struct view *view, uint32_t row);
    uint64_t (*order)(const struct view *view, uint32_t row);    /* rows are shown by this unless
                                                                    sorted; NULL: as they are */
    uint64_t (*identity)(const struct view *view, uint32_t row); /* the same row in the next
                                                                    snapshot has the same; 0 none */
};

/* All tables, in the order of `nwho columns`. */
extern const struct table *const tables[];
extern const uint32_t table_count;

extern const struct table table_sockets;
extern const struct table table_owners;      /* rows of a socket's owner list */
extern const struct table table_descriptors; /* sockets as processes hold them */
extern const struct table table_processes;
extern const struct table table_threads;
extern const struct table table_interfaces;
extern const struct table table_packet_sizes, table_packet_protocols;
extern const struct table table_counters;
extern const struct table table_routes;
extern const struct table table_addresses;
extern const struct table table_events;
extern const struct table table_states, table_notes; /* of the past */
extern const struct table table_groups;
extern const struct table table_flows;
extern const struct table table_nat;
extern const struct table table_nat_owners; /* rows of its owner list */
extern const struct table table_captured;   /* a packet */
extern const struct table table_captured_owners;
extern const struct table table_nat_events;
extern const struct table table_nat_event_owners; /* rows of its owner list */
extern const struct table table_findings;
extern const struct table table_fleet_top, table_fleet_ports, table_fleet_findings,
    table_fleet_history; /* of other hosts */
extern const struct table table_selfcheck;
extern const struct table table_evidence, table_advice; /* rows of the lists of a finding */
extern const struct table table_members;                /* rows of a group's owner list */

const struct column *table_column(const struct table *table, const char *name);

/* The nearest name to a mistyped word, or NULL when none is near. */
const char *table_suggest_column(const struct table *table, const char *word);
