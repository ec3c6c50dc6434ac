/* SPDX-License-Identifier: MIT */
/* conntrack: its command line. Some options are known only behind the protocol that has them. */
#include "compat/conntrack.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_ONE,
    ARGUMENT_MAYBE, /* the next word, unless it is an option */
};

/* Which protocols have an option. */
enum protocols {
    FOR_ALL,
    FOR_PORTS,
    FOR_STATES,
    FOR_ICMP,
    FOR_ICMPV6,
    FOR_SCTP,
    FOR_DCCP,
    FOR_GRE,
};

struct option_name {
    const char *name;
    char letter; /* 0: none */
    uint8_t argument;
    uint8_t option; /* enum conntrack_option, or enum conntrack_command */
    uint8_t protocols;
};

static const struct option_name commands[] = {
    {"help", 'h', ARGUMENT_NONE, CONNTRACK_HELP, 0},
    {"version", 'V', ARGUMENT_NONE, CONNTRACK_VERSION, 0},
    {"dump", 'L', ARGUMENT_MAYBE, CONNTRACK_LIST, 0},
    {"get", 'G', ARGUMENT_MAYBE, CONNTRACK_GET, 0},
    {"delete", 'D', ARGUMENT_MAYBE, CONNTRACK_DELETE, 0},
    {"create", 'I', ARGUMENT_MAYBE, CONNTRACK_CREATE, 0},
    {"add", 'A', ARGUMENT_MAYBE, CONNTRACK_ADD, 0},
    {"update", 'U', ARGUMENT_MAYBE, CONNTRACK_UPDATE, 0},
    {"event", 'E', ARGUMENT_MAYBE, CONNTRACK_EVENTS, 0},
    {"flush", 'F', ARGUMENT_MAYBE, CONNTRACK_FLUSH, 0},
    {"count", 'C', ARGUMENT_MAYBE, CONNTRACK_COUNT, 0},
    {"stats", 'S', ARGUMENT_MAYBE, CONNTRACK_STATISTICS, 0},
};

static const struct option_name names[] = {
    {"src", 's', ARGUMENT_ONE, OPTION_SRC, FOR_ALL},
    {"orig-src", 0, ARGUMENT_ONE, OPTION_SRC, FOR_ALL},
    {"dst", 'd', ARGUMENT_ONE, OPTION_DST, FOR_ALL},
    {"orig-dst", 0, ARGUMENT_ONE, OPTION_DST, FOR_ALL},
    {"reply-src", 'r', ARGUMENT_ONE, OPTION_REPLY_SRC, FOR_ALL},
    {"reply-dst", 'q', ARGUMENT_ONE, OPTION_REPLY_DST, FOR_ALL},
    {"protonum", 'p', ARGUMENT_ONE, OPTION_PROTOCOL, FOR_ALL},
    {"proto", 0, ARGUMENT_ONE, OPTION_PROTOCOL, FOR_ALL},
    {"timeout", 't', ARGUMENT_ONE, OPTION_TIMEOUT, FOR_ALL},
    {"status", 'u', ARGUMENT_ONE, OPTION_STATUS, FOR_ALL},
    {"family", 'f', ARGUMENT_ONE, OPTION_FAMILY, FOR_ALL},
    {"src-nat", 'n', ARGUMENT_MAYBE, OPTION_SRC_NAT, FOR_ALL},
    {"dst-nat", 'g', ARGUMENT_MAYBE, OPTION_DST_NAT, FOR_ALL},
    {"any-nat", 'j', ARGUMENT_MAYBE, OPTION_ANY_NAT, FOR_ALL},
    {"mark", 'm', ARGUMENT_ONE, OPTION_MARK, FOR_ALL},
    {"secmark", 'c', ARGUMENT_ONE, OPTION_SECMARK, FOR_ALL},
    {"zero", 'z', ARGUMENT_NONE, OPTION_ZERO, FOR_ALL},
    {"output", 'o', ARGUMENT_ONE, OPTION_OUTPUT, FOR_ALL},
    {"event-mask", 'e', ARGUMENT_ONE, OPTION_EVENT_MASK, FOR_ALL},
    {"buffer-size", 'b', ARGUMENT_ONE, OPTION_BUFFER_SIZE, FOR_ALL},
    {"mask-src", 0, ARGUMENT_ONE, OPTION_MASK_SRC, FOR_ALL},
    {"mask-dst", 0, ARGUMENT_ONE, OPTION_MASK_DST, FOR_ALL},
    {"tuple-src", 0, ARGUMENT_ONE, OPTION_TUPLE_SRC, FOR_ALL},
    {"tuple-dst", 0, ARGUMENT_ONE, OPTION_TUPLE_DST, FOR_ALL},
    {"label", 'l', ARGUMENT_ONE, OPTION_LABEL, FOR_ALL},
    {"label-add", 0, ARGUMENT_ONE, OPTION_LABEL_ADD, FOR_ALL},
    {"label-del", 0, ARGUMENT_MAYBE, OPTION_LABEL_DEL, FOR_ALL},
    {"zone", 'w', ARGUMENT_ONE, OPTION_ZONE, FOR_ALL},
    {"orig-zone", 0, ARGUMENT_ONE, OPTION_ORIG_ZONE, FOR_ALL},
    {"reply-zone", 0, ARGUMENT_ONE, OPTION_REPLY_ZONE, FOR_ALL},
    {"sport", 0, ARGUMENT_ONE, OPTION_SRC_PORT, FOR_PORTS},
    {"orig-port-src", 0, ARGUMENT_ONE, OPTION_SRC_PORT, FOR_PORTS},
    {"dport", 0, ARGUMENT_ONE, OPTION_DST_PORT, FOR_PORTS},
    {"orig-port-dst", 0, ARGUMENT_ONE, OPTION_DST_PORT, FOR_PORTS},
    {"reply-port-src", 0, ARGUMENT_ONE, OPTION_REPLY_SRC_PORT, FOR_PORTS},
    {"reply-port-dst", 0, ARGUMENT_ONE, OPTION_REPLY_DST_PORT, FOR_PORTS},
    {"mask-port-src", 0, ARGUMENT_ONE, OPTION_MASK_SRC_PORT, FOR_PORTS},
    {"mask-port-dst", 0, ARGUMENT_ONE, OPTION_MASK_DST_PORT, FOR_PORTS},
    {"tuple-port-src", 0, ARGUMENT_ONE, OPTION_TUPLE_SRC_PORT, FOR_PORTS},
    {"tuple-port-dst", 0, ARGUMENT_ONE, OPTION_TUPLE_DST_PORT, FOR_PORTS},
    {"state", 0, ARGUMENT_ONE, OPTION_STATE, FOR_STATES},
    {"icmp-type", 0, ARGUMENT_ONE, OPTION_ICMP_TYPE, FOR_ICMP},
    {"icmp-code", 0, ARGUMENT_ONE, OPTION_ICMP_CODE, FOR_ICMP},
    {"icmp-id", 0, ARGUMENT_ONE, OPTION_ICMP_ID, FOR_ICMP},
    {"icmpv6-type", 0, ARGUMENT_ONE, OPTION_ICMP_TYPE, FOR_ICMPV6},
    {"icmpv6-code", 0, ARGUMENT_ONE, OPTION_ICMP_CODE, FOR_ICMPV6},
    {"icmpv6-id", 0, ARGUMENT_ONE, OPTION_ICMP_ID, FOR_ICMPV6},
    {"orig-vtag", 0, ARGUMENT_ONE, OPTION_ORIG_TAG, FOR_SCTP},
    {"reply-vtag", 0, ARGUMENT_ONE, OPTION_REPLY_TAG, FOR_SCTP},
    {"role", 0, ARGUMENT_ONE, OPTION_ROLE, FOR_DCCP},
    {"srckey", 0, ARGUMENT_ONE, OPTION_SRC_PORT, FOR_GRE},
    {"orig-key-src", 0, ARGUMENT_ONE, OPTION_SRC_PORT, FOR_GRE},
    {"dstkey", 0, ARGUMENT_ONE, OPTION_DST_PORT, FOR_GRE},
    {"orig-key-dst", 0, ARGUMENT_ONE, OPTION_DST_PORT, FOR_GRE},
    {"reply-key-src", 0, ARGUMENT_ONE, OPTION_REPLY_SRC_PORT, FOR_GRE},
    {"reply-key-dst", 0, ARGUMENT_ONE, OPTION_REPLY_DST_PORT, FOR_GRE},
    {"mask-key-src", 0, ARGUMENT_ONE, OPTION_MASK_SRC_PORT, FOR_GRE},
    {"mask-key-dst", 0, ARGUMENT_ONE, OPTION_MASK_DST_PORT, FOR_GRE},
    {"tuple-key-src", 0, ARGUMENT_ONE, OPTION_TUPLE_SRC_PORT, FOR_GRE},
    {"tuple-key-dst", 0, ARGUMENT_ONE, OPTION_TUPLE_DST_PORT, FOR_GRE},
};

/* --- which options a command has --- */

#define BIT OPTION_BIT
#define PORTS                                                                                      \
    (BIT(OPTION_SRC_PORT) | BIT(OPTION_DST_PORT) | BIT(OPTION_REPLY_SRC_PORT) |                    \
     BIT(OPTION_REPLY_DST_PORT))
#define ICMP (BIT(OPTION_ICMP_TYPE) | BIT(OPTION_ICMP_CODE) | BIT(OPTION_ICMP_ID))
#define TUPLE                                                                                      \
    (BIT(OPTION_SRC) | BIT(OPTION_DST) | BIT(OPTION_REPLY_SRC) | BIT(OPTION_REPLY_DST) |           \
     BIT(OPTION_PROTOCOL) | PORTS | ICMP)
#define NETWORKS (BIT(OPTION_MASK_SRC) | BIT(OPTION_MASK_DST))
#define ZONES (BIT(OPTION_ZONE) | BIT(OPTION_ORIG_ZONE) | BIT(OPTION_REPLY_ZONE))
#define TAGS (BIT(OPTION_ORIG_TAG) | BIT(OPTION_REPLY_TAG))
#define FILTER                                                                                     \
    (TUPLE | NETWORKS | BIT(OPTION_FAMILY) | BIT(OPTION_SRC_NAT) | BIT(OPTION_DST_NAT) |           \
     BIT(OPTION_MARK) | BIT(OPTION_LABEL) | BIT(OPTION_STATE))
#define EXPECTED                                                                                   \
    (BIT(OPTION_TUPLE_SRC) | BIT(OPTION_TUPLE_DST) | BIT(OPTION_TUPLE_SRC_PORT) |                  \
     BIT(OPTION_TUPLE_DST_PORT) | NETWORKS | BIT(OPTION_MASK_SRC_PORT) |                           \
     BIT(OPTION_MASK_DST_PORT))
#define CREATED                                                                                    \
    (TUPLE | ZONES | TAGS | BIT(OPTION_TIMEOUT) | BIT(OPTION_STATUS) | BIT(OPTION_SRC_NAT) |       \
     BIT(OPTION_DST_NAT) | BIT(OPTION_MARK) | BIT(OPTION_STATE) | BIT(OPTION_ROLE) |               \
     BIT(OPTION_LABEL_ADD))

struct legality {
    uint64_t allowed, required;
};

static const struct legality of_entries[CONNTRACK_COMMAND_MAX] = {
    [CONNTRACK_LIST] = {FILTER | ZONES | BIT(OPTION_STATUS) | BIT(OPTION_ANY_NAT) |
                            BIT(OPTION_SECMARK) | BIT(OPTION_ZERO) | BIT(OPTION_OUTPUT),
                        0},
    [CONNTRACK_GET] = {TUPLE | BIT(OPTION_OUTPUT), BIT(OPTION_PROTOCOL)},
    [CONNTRACK_DELETE] = {FILTER | ZONES | BIT(OPTION_STATUS) | BIT(OPTION_OUTPUT), 0},
    [CONNTRACK_CREATE] = {CREATED, BIT(OPTION_PROTOCOL) | BIT(OPTION_TIMEOUT)},
    [CONNTRACK_ADD] = {CREATED, BIT(OPTION_PROTOCOL) | BIT(OPTION_TIMEOUT)},
    [CONNTRACK_UPDATE] = {FILTER | TAGS | BIT(OPTION_TIMEOUT) | BIT(OPTION_STATUS) |
                              BIT(OPTION_OUTPUT) | BIT(OPTION_LABEL_ADD) | BIT(OPTION_LABEL_DEL),
                          0},
    [CONNTRACK_EVENTS] = {FILTER | ZONES | BIT(OPTION_ANY_NAT) | BIT(OPTION_SECMARK) |
                              BIT(OPTION_OUTPUT) | BIT(OPTION_EVENT_MASK) | BIT(OPTION_BUFFER_SIZE),
                          0},
    [CONNTRACK_FLUSH] = {BIT(OPTION_FAMILY), 0},
};

static const struct legality of_expectations[CONNTRACK_COMMAND_MAX] = {
    [CONNTRACK_LIST] = {BIT(OPTION_FAMILY) | BIT(OPTION_OUTPUT), 0},
    [CONNTRACK_GET] = {TUPLE, BIT(OPTION_SRC) | BIT(OPTION_DST) | BIT(OPTION_PROTOCOL)},
    [CONNTRACK_DELETE] = {TUPLE, BIT(OPTION_SRC) | BIT(OPTION_DST) | BIT(OPTION_PROTOCOL)},
    [CONNTRACK_CREATE] = {TUPLE | EXPECTED | BIT(OPTION_TIMEOUT),
                          BIT(OPTION_SRC) | BIT(OPTION_DST) | BIT(OPTION_PROTOCOL) |
                              BIT(OPTION_TIMEOUT) | EXPECTED},
    [CONNTRACK_EVENTS] = {BIT(OPTION_OUTPUT), 0},
};

static uint64_t required_by_protocol(const struct conntrack_options *options)
{
    bool creates = options->command == CONNTRACK_CREATE || options->command == CONNTRACK_ADD;
    bool one = creates || options->command == CONNTRACK_GET;

    if (!one || options->list != CONNTRACK_TABLE)
        return 0;
    if (conntrack_is_icmp(options->wanted.protocol))
        return BIT(OPTION_ICMP_TYPE) | BIT(OPTION_ICMP_CODE);
    if (!creates)
        return 0;
    switch (options->wanted.protocol) {
    case IPPROTO_TCP:
        return BIT(OPTION_STATE);
    case IPPROTO_SCTP:
        return BIT(OPTION_STATE) | TAGS;
    case IPPROTO_DCCP:
        return BIT(OPTION_STATE) | BIT(OPTION_ROLE);
    default:
        return 0;
    }
}

static const char *name_of(const struct conntrack_options *options, uint64_t bits)
{
    bool icmpv6 = options->wanted.protocol == IPPROTO_ICMPV6;
    bool gre = options->wanted.protocol == IPPROTO_GRE;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (bits & BIT(names[i].option) && (names[i].protocols != FOR_ICMP || !icmpv6) &&
            (names[i].protocols != FOR_PORTS || !gre))
            return names[i].name;
    return "?";
}

static int check_options(const struct conntrack_options *options)
{
    bool expected = options->list == CONNTRACK_EXPECTATIONS;
    const struct legality *legality =
        expected ? &of_expectations[options->command] : &of_entries[options->command];
    uint64_t missing = (legality->required | required_by_protocol(options)) & ~options->given;
    uint64_t alien = options->given & ~legality->allowed;

    if (missing) {
        conntrack_say("this command needs --%s", name_of(options, missing));
        return CONNTRACK_BAD_USAGE;
    }
    if (alien) {
        conntrack_say("this command has no --%s", name_of(options, alien));
        return CONNTRACK_BAD_USAGE;
    }
    return 0;
}

/* Both of a pair, of one of the directions, or the entry is not known. */
static bool has_pair(const struct conntrack_options *options, enum conntrack_option first)
{
    uint64_t orig = BIT(first) | BIT(first + 1), reply = BIT(first + 2) | BIT(first + 3);

    return (options->given & orig) == orig || (options->given & reply) == reply;
}

static int check_entry(const struct conntrack_options *options)
{
    bool one = options->command == CONNTRACK_CREATE || options->command == CONNTRACK_ADD ||
               options->command == CONNTRACK_GET;
    bool ports =
        conntrack_has_ports(options->wanted.protocol) || conntrack_has_keys(&options->wanted);

    _Static_assert(OPTION_DST == OPTION_SRC + 1 && OPTION_REPLY_SRC == OPTION_SRC + 2 &&
                       OPTION_REPLY_DST == OPTION_SRC + 3 &&
                       OPTION_REPLY_SRC_PORT == OPTION_SRC_PORT + 2 &&
                       OPTION_REPLY_DST_PORT == OPTION_SRC_PORT + 3,
                   "pairs are together");
    if (!one || options->list != CONNTRACK_TABLE)
        return 0;
    if (!has_pair(options, OPTION_SRC)) {
        conntrack_say("--src and --dst are needed, or both of the reply");
        return CONNTRACK_BAD_USAGE;
    }
    if (ports && !has_pair(options, OPTION_SRC_PORT)) {
        conntrack_say("both ports (or keys) of a direction are needed");
        return CONNTRACK_BAD_USAGE;
    }
    return 0;
}

static int check_combinations(const struct conntrack_options *options)
{
    const uint64_t filters = FILTER & ~BIT(OPTION_FAMILY);
    bool one_table = options->list == CONNTRACK_TABLE || options->list == CONNTRACK_EXPECTATIONS;

    if (!one_table && options->command != CONNTRACK_LIST) {
        conntrack_say("these tables can only be listed");
        return CONNTRACK_BAD_USAGE;
    }
    if (options->list == CONNTRACK_EXPECTATIONS && options->command == CONNTRACK_UPDATE) {
        conntrack_say("expectations cannot be updated");
        return CONNTRACK_BAD_USAGE;
    }
    if ((conntrack_given(options, OPTION_MASK_SRC) && !conntrack_given(options, OPTION_SRC)) ||
        (conntrack_given(options, OPTION_MASK_DST) && !conntrack_given(options, OPTION_DST))) {
        conntrack_say("a mask needs the address that it is for");
        return CONNTRACK_BAD_USAGE;
    }
    if (conntrack_given(options, OPTION_ZERO) && options->given & filters) {
        conntrack_say("--zero is of all entries: it takes no filter");
        return CONNTRACK_BAD_USAGE;
    }
    if (options->output & OUTPUT_SAVE && options->output != OUTPUT_SAVE) {
        conntrack_say("-o save cannot be combined");
        return CONNTRACK_FAILED;
    }
    return 0;
}

/* --- the words --- */

struct parser {
    int argc;
    char **argv;
    int at; /* the word that is being read */
    struct conntrack_label_names *labels;
    struct conntrack_options *options;
    bool has_command;
};

static bool has_option(unsigned int protocols, unsigned int protocol)
{
    switch (protocols) {
    case FOR_ALL:
        return true;
    case FOR_PORTS:
        return conntrack_has_ports(protocol);
    case FOR_STATES:
        return conntrack_state_word(protocol, 0);
    case FOR_ICMP:
        return protocol == IPPROTO_ICMP;
    case FOR_ICMPV6:
        return protocol == IPPROTO_ICMPV6;
    case FOR_SCTP:
        return protocol == IPPROTO_SCTP;
    case FOR_DCCP:
        return protocol == IPPROTO_DCCP;
    default:
        return protocol == IPPROTO_GRE;
    }
}

/* By its letter, or by its whole name of `length` bytes. */
static const struct option_name *find(const struct option_name *list, size_t count, char letter,
                                      const char *name, size_t length, unsigned int protocol)
{
    for (size_t i = 0; i < count; i++)
        if ((letter ? list[i].letter == letter
                    : strlen(list[i].name) == length && strncmp(list[i].name, name, length) == 0) &&
            has_option(list[i].protocols, protocol))
            return &list[i];
    return NULL;
}

/* The value behind an option: of the same word, or the next one. False: it is missing. */
static bool take_argument(struct parser *parser, const struct option_name *name,
                          const char *attached, const char **ret_value)
{
    const char *next = parser->at + 1 < parser->argc ? parser->argv[parser->at + 1] : NULL;

    *ret_value = attached;
    if (name->argument == ARGUMENT_NONE || attached)
        return true;
    if (!next || (name->argument == ARGUMENT_MAYBE && *next == '-'))
        return name->argument == ARGUMENT_MAYBE;
    *ret_value = next;
    parser->at++;
    return true;
}

static int take_command(struct parser *parser, const struct option_name *name, const char *list)
{
    static const char *const lists[] = {
        [CONNTRACK_TABLE] = "conntrack",
        [CONNTRACK_EXPECTATIONS] = "expect",
        [CONNTRACK_DYING_TABLE] = "dying",
        [CONNTRACK_UNCONFIRMED] = "unconfirmed",
    };
    struct conntrack_options *options = parser->options;

    if (parser->has_command) {
        conntrack_say("one command at a time");
        return CONNTRACK_BAD_USAGE;
    }
    parser->has_command = true;
    options->command = name->option;
    for (size_t i = 0; list && i < ARRAY_SIZE(lists); i++)
        if (strcmp(lists[i], list) == 0) {
            options->list = (enum conntrack_list)i;
            return 0;
        }
    if (list) {
        conntrack_say("there is no table \"%s\"", list);
        return CONNTRACK_BAD_USAGE;
    }
    return 0;
}

static int take_option(struct parser *parser, char letter, const char *word, size_t length,
                       const char *attached)
{
    uint8_t protocol = parser->options->wanted.protocol;
    const struct option_name *name =
        find(commands, ARRAY_SIZE(commands), letter, word, length, protocol);
    bool is_command = name;
    const char *value;

    if (!name)
        name = find(names, ARRAY_SIZE(names), letter, word, length, protocol);
    if (!name) {
        conntrack_say("there is no option %s%.*s", letter ? "-" : "--", (int)length, word);
        return CONNTRACK_BAD_USAGE;
    }
    if (!take_argument(parser, name, attached, &value)) {
        conntrack_say("--%s needs a value", name->name);
        return CONNTRACK_BAD_USAGE;
    }
    if (is_command)
        return take_command(parser, name, value);
    return conntrack_take_value(parser->options, parser->labels, name->option, name->name, value);
}

/*
 * Letters may be together; the first that takes a value has the rest of the word as such. Behind
 * that of a command are letters, too: "-Lo id".
 */
static int take_letters(struct parser *parser, const char *word)
{
    int r = 0;

    for (const char *at = word; *at && r == 0; at++) {
        const struct option_name *command = find(commands, ARRAY_SIZE(commands), *at, at, 1, 0);
        const struct option_name *name = find(names, ARRAY_SIZE(names), *at, at, 1, 0);

        if (command && at[1]) {
            r = take_command(parser, command, NULL);
        } else if (name && name->argument != ARGUMENT_NONE) {
            return take_option(parser, *at, at, 1, at[1] ? at + 1 : NULL);
        } else {
            r = take_option(parser, *at, at, 1, NULL);
        }
    }
    return r;
}

static int take_word(struct parser *parser, const char *word)
{
    const char *equals;

    if (word[0] != '-' || !word[1]) {
        conntrack_say("what is \"%s\"?", word);
        return CONNTRACK_BAD_USAGE;
    }
    if (word[1] != '-')
        return take_letters(parser, word + 1);
    equals = strchr(word, '=');
    return take_option(parser, 0, word + 2, equals ? (size_t)(equals - word - 2) : strlen(word + 2),
                       equals ? equals + 1 : NULL);
}

int conntrack_options_parse(int argc, char **argv, struct conntrack_label_names *labels,
                            struct conntrack_options *ret_options)
{
    struct parser parser = {.argc = argc, .argv = argv, .at = 1, .labels = labels};
    int r = 0;

    *ret_options = (struct conntrack_options){.command = CONNTRACK_HELP, .mark_mask = UINT32_MAX};
    parser.options = ret_options;
    for (; parser.at < argc && r == 0; parser.at++)
        r = take_word(&parser, argv[parser.at]);
    if (r == 0)
        r = check_combinations(ret_options);
    if (r == 0)
        r = check_options(ret_options);
    if (ret_options->command == CONNTRACK_LIST && conntrack_given(ret_options, OPTION_LABEL))
        ret_options->output |= OUTPUT_LABELS; /* who asks for some sees all */
    return r == 0 ? check_entry(ret_options) : r;
}
