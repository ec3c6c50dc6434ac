/* SPDX-License-Identifier: MIT */
/* conntrack of conntrack-tools 1.4.7: what its parts share. */
#pragma once

#include "base/buf.h"
#include "collect/conntrack_message.h"
#include "collect/conntrack_request.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/time.h>

/* Exit statuses. */
#define CONNTRACK_FAILED 1
#define CONNTRACK_BAD_USAGE 2

enum conntrack_command {
    CONNTRACK_HELP,
    CONNTRACK_VERSION,
    CONNTRACK_LIST,
    CONNTRACK_GET,
    CONNTRACK_DELETE,
    CONNTRACK_CREATE,
    CONNTRACK_ADD, /* as create; what is there already is no error */
    CONNTRACK_UPDATE,
    CONNTRACK_EVENTS,
    CONNTRACK_FLUSH,
    CONNTRACK_COUNT,
    CONNTRACK_STATISTICS,
    CONNTRACK_COMMAND_MAX,
};

enum conntrack_list {
    CONNTRACK_TABLE,
    CONNTRACK_EXPECTATIONS,
    CONNTRACK_DYING_TABLE,
    CONNTRACK_UNCONFIRMED,
};

enum conntrack_option {
    OPTION_SRC,
    OPTION_DST,
    OPTION_REPLY_SRC,
    OPTION_REPLY_DST,
    OPTION_PROTOCOL,
    OPTION_TIMEOUT,
    OPTION_STATUS,
    OPTION_FAMILY,
    OPTION_SRC_NAT,
    OPTION_DST_NAT,
    OPTION_ANY_NAT,
    OPTION_MARK,
    OPTION_SECMARK,
    OPTION_ZERO,
    OPTION_OUTPUT,
    OPTION_EVENT_MASK,
    OPTION_BUFFER_SIZE,
    OPTION_MASK_SRC,
    OPTION_MASK_DST,
    OPTION_TUPLE_SRC,
    OPTION_TUPLE_DST,
    OPTION_LABEL,
    OPTION_LABEL_ADD,
    OPTION_LABEL_DEL,
    OPTION_ZONE,
    OPTION_ORIG_ZONE,
    OPTION_REPLY_ZONE,
    OPTION_SRC_PORT, /* GRE: key */
    OPTION_DST_PORT,
    OPTION_REPLY_SRC_PORT,
    OPTION_REPLY_DST_PORT,
    OPTION_MASK_SRC_PORT,
    OPTION_MASK_DST_PORT,
    OPTION_TUPLE_SRC_PORT,
    OPTION_TUPLE_DST_PORT,
    OPTION_STATE,
    OPTION_ICMP_TYPE,
    OPTION_ICMP_CODE,
    OPTION_ICMP_ID,
    OPTION_ORIG_TAG,
    OPTION_REPLY_TAG,
    OPTION_ROLE,
    OPTION_COUNT,
};

#define OPTION_BIT(option) (UINT64_C(1) << (option))

enum conntrack_output {
    OUTPUT_XML = 1u << 0,
    OUTPUT_EXTENDED = 1u << 1,
    OUTPUT_TIMESTAMP = 1u << 2, /* when an event came */
    OUTPUT_ID = 1u << 3,
    OUTPUT_KTIMESTAMP = 1u << 4, /* when the kernel says that the connection began and ended */
    OUTPUT_LABELS = 1u << 5,
    OUTPUT_SAVE = 1u << 6,
    OUTPUT_USERSPACE = 1u << 7, /* always so */
    OUTPUT_JSON = 1u << 8,
};

enum conntrack_event {
    CONNTRACK_EVENT_NONE, /* it is listed */
    CONNTRACK_EVENT_NEW,
    CONNTRACK_EVENT_UPDATE,
    CONNTRACK_EVENT_DESTROY,
};

#define CONNTRACK_LABEL_BYTES 16

/* Bits by their numbers: of a set of labels. */
struct conntrack_labels {
    uint8_t bytes[CONNTRACK_LABEL_BYTES];
};

/* Names of labels: /etc/xtables/connlabel.conf. */
struct conntrack_label_names {
    char *names[CONNTRACK_LABEL_BYTES * 8]; /* owned; NULL: it has none */
};

/* An address that NAT gives. */
struct conntrack_nat {
    union address address;
    uint16_t port;    /* 0 any */
    bool has_address; /* false: any NAT of this kind */
};

struct conntrack_options {
    enum conntrack_command command;
    enum conntrack_list list;
    uint64_t given;  /* OPTION_BIT(enum conntrack_option) */
    uint32_t output; /* enum conntrack_output */
    uint32_t events; /* bits by enum conntrack_event; 0 all */
    uint32_t buffer_size;
    struct conntrack wanted; /* what was said of it, as `given` tells */
    uint32_t mark_mask;
    union address src_mask, dst_mask;
    struct conntrack_nat src_nat, dst_nat, any_nat;
    struct conntrack_labels labels, add_labels, delete_labels;
    bool delete_all_labels;
    bool unreplied; /* words of --status that are no bits */
    bool unset;
    uint8_t role;                                   /* DCCP: 0 client, 1 server */
    struct conntrack_tuple expected, expected_mask; /* of an expectation */
};

static inline bool conntrack_given(const struct conntrack_options *options,
                                   enum conntrack_option option)
{
    return options->given & OPTION_BIT(option);
}

/* One entry as it is written. */
struct conntrack_row {
    const struct conntrack *entry;
    const struct snapshot *strings; /* of the entry */
    enum conntrack_event event;
    uint32_t port_id;    /* of the netlink socket that caused an event; 0: none did */
    struct timeval came; /* when it was read; 0: not to be told */
};

struct conntrack_writer {
    struct buf out;
    const struct conntrack_options *options;
    struct conntrack_label_names labels;
    uint64_t now_s; /* since 1970 */
    uint32_t shown;
};

/* Takes the whole command line apart. 0, or an exit status: what is wrong was said. */
int conntrack_options_parse(int argc, char **argv, struct conntrack_label_names *labels,
                            struct conntrack_options *ret_options) MUST_CHECK;

/* The value of an option; 0, or an exit status: what is wrong with it was said. */
int conntrack_take_value(struct conntrack_options *options, struct conntrack_label_names *labels,
                         enum conntrack_option option, const char *name, const char *value)
    MUST_CHECK;

/* Names. NULL: there is none. */
const char *conntrack_protocol_word(unsigned int protocol);
const char *conntrack_state_word(unsigned int protocol, unsigned int state);
int conntrack_protocol_parse(const char *text, uint8_t *ret_protocol) MUST_CHECK;
int conntrack_state_parse(unsigned int protocol, const char *text, uint8_t *ret_state) MUST_CHECK;

struct conntrack_status_word {
    const char *word;
    uint32_t bits;
};
extern const struct conntrack_status_word conntrack_status_words[]; /* ends with NULL */

/* Whether an entry is one that the options ask for. */
bool conntrack_matches(const struct conntrack_options *options, const struct conntrack *entry,
                       const struct snapshot *strings);
bool conntrack_has_src_nat(const struct conntrack *entry);
bool conntrack_has_dst_nat(const struct conntrack *entry);

/* Labels. Reading them says what is wrong; the map stays empty then. */
void conntrack_label_names_read(struct conntrack_label_names *names);
void conntrack_label_names_done(struct conntrack_label_names *names);
struct conntrack_labels conntrack_entry_labels(const struct conntrack *entry,
                                               const struct snapshot *strings);
static inline bool conntrack_has_label(const struct conntrack_labels *labels, unsigned int bit)
{
    return labels->bytes[bit / 8] & 1u << bit % 8;
}

/* Writes an entry as the options have it; and what is around all of them. */
void conntrack_write(struct conntrack_writer *writer, const struct conntrack_row *row);
void conntrack_write_expectation(struct conntrack_writer *writer,
                                 const struct conntrack_expectation *expectation,
                                 const struct conntrack_row *row);
int conntrack_write_end(struct conntrack_writer *writer) MUST_CHECK;
void conntrack_write_text(struct conntrack_writer *writer, const struct conntrack_row *row);
void conntrack_write_save(struct conntrack_writer *writer, const struct conntrack_row *row);
void conntrack_write_xml(struct conntrack_writer *writer, const struct conntrack_row *row);
void conntrack_write_json(struct conntrack_writer *writer, const struct conntrack_row *row);
void conntrack_write_expectation_xml(struct conntrack_writer *writer,
                                     const struct conntrack_expectation *expectation,
                                     const struct conntrack_row *row);
void conntrack_write_expectation_json(struct conntrack_writer *writer,
                                      const struct conntrack_expectation *expectation,
                                      const struct conntrack_row *row);

/* Calls `put` for a string that is there. */
typedef void conntrack_put_fn(struct buf *out, const char *name, const char *text, size_t length);
void conntrack_put_string(struct buf *out, const char *name, const struct snapshot *strings,
                          uint32_t string, conntrack_put_fn *put);

static inline bool conntrack_has_keys(const struct conntrack *entry)
{
    return entry->protocol == 47; /* IPPROTO_GRE */
}
bool conntrack_has_ports(unsigned int protocol);
bool conntrack_is_icmp(unsigned int protocol);

/* The commands: exit statuses. */
int conntrack_run_delete(struct conntrack_writer *writer);
int conntrack_run_update(struct conntrack_writer *writer);
int conntrack_run_get(struct conntrack_writer *writer);
int conntrack_run_create(struct conntrack_writer *writer);
int conntrack_run_flush(struct conntrack_writer *writer);
int conntrack_run_events(struct conntrack_writer *writer);
int conntrack_run_expectation(struct conntrack_writer *writer); /* -G -I -D of one */

void conntrack_say(const char *format, ...) PRINTF_LIKE(1, 2);
/* What an operation failed with, in the tool's way; the exit status. */
int conntrack_failed(int error);
/* The line at the end, on stderr. */
void conntrack_sum_up(uint32_t count, const char *what);
