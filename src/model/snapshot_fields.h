/* SPDX-License-Identifier: MIT */
/* Description of every field of a snapshot, for writing it to a file and reading it back. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_NUMBER,    /* any value */
    FIELD_BYTES,     /* kept in their order: an address */
    FIELD_STRING,    /* offset into the string pool */
    FIELD_ENUM,      /* below `limit` */
    FIELD_INDEX,     /* index into the array of section `limit` */
    FIELD_NUMBER_OF, /* 1 + index into the array of section `limit`; 0 none */
};

/* The order of snapshot_sections. */
enum section_id {
    SECTION_SNAPSHOT,
    SECTION_SOCKETS,
    SECTION_TCP,
    SECTION_MEMORY,
    SECTION_UPPER_LAYERS,
    SECTION_PACKETS,
    SECTION_UNIX_WAITING,
    SECTION_PROCESSES,
    SECTION_THREADS,
    SECTION_HOLDERS,
    SECTION_FD_FLAGS,
    SECTION_NETNS,
    SECTION_INTERFACES,
    SECTION_COUNTERS,
    SECTION_SETTINGS,
    SECTION_FLOWS,
    SECTION_EVENTS,
    SECTION_ROUTES,
    SECTION_LINK_ADDRESSES,
    SECTION_NEXT_HOPS,
    SECTION_CONNTRACKS,
    SECTION_MEMBERSHIPS,
    SECTION_GROUP_MEMBERS,
    SECTION_PACKET_SIZES,
    SECTION_PACKET_PROTOCOLS,
    SECTION_CGROUPS,
    SECTION_USERS,
    SECTION_NOTES,
    SECTION_SOURCES,
    SECTION_MAX,
};

/* There are hundreds: 16 bytes each. */
struct field {
    const char *name;   /* in the file; stays as it is when the member of the struct is renamed */
    uint32_t only_with; /* has-bits without which the value means nothing; 0: it always does */
    uint16_t offset;    /* in the struct */
    uint8_t kind : 3;   /* enum field_kind */
    uint8_t width : 5;  /* bytes */
    uint8_t limit;
};

struct section {
    const char *name;
    const struct field *fields;
    uint16_t field_count;
    uint16_t size;       /* of the struct */
    uint16_t has_offset; /* of its has-bits, for only_with */
    uint16_t array; /* offsets in struct snapshot: pointer to the elements (SECTION_SNAPSHOT: */
    uint16_t count; /* unused, it is the struct itself) and their number; the capacity follows */
};

extern const struct section snapshot_sections[SECTION_MAX];
