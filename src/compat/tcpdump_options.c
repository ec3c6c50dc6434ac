/* SPDX-License-Identifier: MIT */
/* tcpdump 4.99: its command line. */
#include "compat/say.h"
#include "compat/tcpdump.h"

#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <strings.h>

#define WRONG_USAGE TCPDUMP_FAILED

enum long_only {
    OPTION_COUNT = 256,
    OPTION_IMMEDIATE,
    OPTION_MICRO,
    OPTION_NANO,
    OPTION_PRECISION,
    OPTION_PRINT,
    OPTION_VERSION
};

static const struct option long_options[] = {
    {"absolute-tcp-sequence-numbers", no_argument, NULL, 'S'},
    {"buffer-size", required_argument, NULL, 'B'},
    {"count", no_argument, NULL, OPTION_COUNT},
    {"direction", required_argument, NULL, 'Q'},
    {"dont-verify-checksums", no_argument, NULL, 'K'},
    {"help", no_argument, NULL, 'h'},
    {"immediate-mode", no_argument, NULL, OPTION_IMMEDIATE},
    {"interface", required_argument, NULL, 'i'},
    {"linktype", required_argument, NULL, 'y'},
    {"list-data-link-types", no_argument, NULL, 'L'},
    {"list-interfaces", no_argument, NULL, 'D'},
    {"list-time-stamp-types", no_argument, NULL, 'J'},
    {"micro", no_argument, NULL, OPTION_MICRO},
    {"monitor-mode", no_argument, NULL, 'I'},
    {"nano", no_argument, NULL, OPTION_NANO},
    {"no-optimize", no_argument, NULL, 'O'},
    {"no-promiscuous-mode", no_argument, NULL, 'p'},
    {"number", no_argument, NULL, '#'},
    {"packet-buffered", no_argument, NULL, 'U'},
    {"print", no_argument, NULL, OPTION_PRINT},
    {"relinquish-privileges", required_argument, NULL, 'Z'},
    {"snapshot-length", required_argument, NULL, 's'},
    {"time-stamp-precision", required_argument, NULL, OPTION_PRECISION},
    {"time-stamp-type", required_argument, NULL, 'j'},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

/* A number of at least `least`. */
static int parse_number(const char *text, const char *what, long least, long most,
                        uint32_t *ret_number)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    if (end == text || *end || errno || number < least || number > most) {
        say(TCPDUMP_TOOL, "invalid %s %s", what, text);
        return WRONG_USAGE;
    }
    *ret_number = (uint32_t)number;
    return 0;
}

static int parse_snapshot(const char *text, uint32_t *ret_length)
{
    char *end;
    long number = strtol(text, &end, 0);

    if (end == text || *end || number < 0 || number > CAPTURE_LENGTH_MAX) {
        say(TCPDUMP_TOOL, "invalid snaplen %s (must be >= 0 and <= %d)", text, CAPTURE_LENGTH_MAX);
        return WRONG_USAGE;
    }
    *ret_length = (uint32_t)number;
    return 0;
}

static int parse_direction(const char *text, enum capture_direction *ret_direction)
{
    static const char *const words[] = {
        [CAPTURE_IN] = "in", [CAPTURE_OUT] = "out", [CAPTURE_BOTH] = "inout"};

    for (uint32_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret_direction = (enum capture_direction)i;
            return 0;
        }
    say(TCPDUMP_TOOL, "unknown capture direction `%s'", text);
    return WRONG_USAGE;
}

static int parse_precision(const char *text, bool *ret_nanoseconds)
{
    if (strncasecmp(text, "micro", 5) != 0 && strncasecmp(text, "nano", 4) != 0) {
        say(TCPDUMP_TOOL, "unsupported time stamp precision");
        return WRONG_USAGE;
    }
    *ret_nanoseconds = strncasecmp(text, "nano", 4) == 0;
    return 0;
}

/* In millions of bytes. */
static int parse_file_size(const char *text, uint64_t *ret_size)
{
    char *end;
    long long number;

    errno = 0;
    number = strtoll(text, &end, 10);
    if (end == text || *end || errno || number < 1 || number > INT64_MAX / 1000000) {
        say(TCPDUMP_TOOL, "invalid file size %s", text);
        return WRONG_USAGE;
    }
    *ret_size = (uint64_t)number * 1000000;
    return 0;
}

/* These take the number at the beginning, whatever comes behind it. */
static int parse_leading(const char *text, const char *what, long least, uint32_t *ret_number)
{
    long number = strtol(text, NULL, 10);

    if (number < least || number > INT_MAX) {
        say(TCPDUMP_TOOL, "invalid %s %s", what, text);
        return WRONG_USAGE;
    }
    *ret_number = (uint32_t)number;
    return 0;
}

/* What a port's packets are taken for; only DNS is dissected. */
static int parse_type(struct tcpdump_options *options, const char *text)
{
    static const char *const known[] = {
        "aodv", "carp", "cnfp", "lmp",    "pgm",  "pgm_zmtp1", "ptp",   "radius", "resp", "rpc",
        "rtcp", "rtp",  "snmp", "someip", "tftp", "vat",       "vxlan", "wb",     "zmtp1"};

    if (strcasecmp(text, "domain") == 0) {
        options->packet.all_dns = true;
        return 0;
    }
    for (uint32_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcasecmp(text, known[i]) == 0) {
            say(TCPDUMP_TOOL, "packets of type `%s' are shown as UDP", text);
            return 0;
        }
    say(TCPDUMP_TOOL, "unknown packet type `%s'", text);
    return WRONG_USAGE;
}

static int parse_time_type(struct tcpdump_options *options, const char *text)
{
    options->time_type = text;
    options->capture.time_type = capture_time_type_by_name(text);
    if (options->capture.time_type >= 0)
        return 0;
    say(TCPDUMP_TOOL, "invalid time stamp type %s", text);
    return WRONG_USAGE;
}

/* Those with an argument that are about files. */
static int take_file_value(struct tcpdump_options *options, int letter, const char *value)
{
    switch (letter) {
    case 'C':
        return parse_file_size(value, &options->rotation.size);
    case 'F':
        options->filter_file = value;
        return 0;
    case 'G':
        return parse_leading(value, "number of seconds", 0, &options->rotation.seconds);
    case 'r':
        options->read_file = value;
        return 0;
    case 'V':
        options->list_file = value;
        return 0;
    case 'w':
        options->write_file = value;
        return 0;
    case 'W':
        return parse_leading(value, "number of output files", 1, &options->rotation.files);
    case 'z':
        options->command = value;
        return 0;
    case 'Z':
        options->user = value;
        return 0;
    default:
        return WRONG_USAGE; /* getopt has said why */
    }
}

/* Of those a secret would be on the command line, where all users see it. */
static int refuse_secret(int letter)
{
    say(TCPDUMP_TOOL, "-%c: nwho takes no secrets: packets are neither decrypted nor authenticated",
        letter);
    return WRONG_USAGE;
}

/* Those with an argument. */
static int take_value(struct tcpdump_options *options, int letter, const char *value)
{
    int r;

    switch (letter) {
    case 'B':
        r = parse_number(value, "packet buffer size", 1, INT_MAX / 1024,
                         &options->capture.buffer_size);
        options->capture.buffer_size *= 1024;
        return r;
    case 'c':
        return parse_number(value, "packet count", 1, INT_MAX, &options->count);
    case 'E':
    case 'M':
        return refuse_secret(letter);
    case 'i':
        options->capture.interface = value;
        return 0;
    case 'j':
        return parse_time_type(options, value);
    case 'm':
        say(TCPDUMP_TOOL, "ignoring option `-m %s' (no libsmi support)", value);
        return 0;
    case 'Q':
        return parse_direction(value, &options->capture.direction);
    case 's':
        return parse_snapshot(value, &options->capture.snapshot_length);
    case 'T':
        return parse_type(options, value);
    case 'y':
        options->capture.link_type = capture_link_by_name(value);
        if (options->capture.link_type >= 0)
            return 0;
        say(TCPDUMP_TOOL, "invalid data link type %s", value);
        return WRONG_USAGE;
    case OPTION_PRECISION:
        return parse_precision(value, &options->line.nanoseconds);
    default:
        return take_file_value(options, letter, value);
    }
}

/* Those that change how a packet is shown. */
static bool take_packet_flag(struct tcpdump_options *options, int letter)
{
    struct packet_options *packet = &options->packet;

    switch (letter) {
    case 'A':
        options->line.ascii++;
        return true;
    case 'e':
        packet->link_header = true;
        return true;
    case 'K':
        packet->keep_checksums = true;
        return true;
    case 'n':
        packet->numeric = true;
        return true;
    case 'q':
        packet->very_quiet = packet->quiet;
        packet->quiet = packet->no_dump = true;
        return true;
    case 'S':
        packet->absolute = true;
        return true;
    case 't':
        options->line.time++;
        return true;
    case 'v':
        packet->verbose++;
        return true;
    case 'x':
        options->line.hex++;
        packet->no_dump = true;
        return true;
    case 'X':
        options->line.hex_ascii++;
        packet->no_dump = true;
        return true;
    case '#':
        options->line.number = true;
        return true;
    default:
        return false;
    }
}

static int take(struct tcpdump_options *options, int letter, const char *value)
{
    if (take_packet_flag(options, letter))
        return 0;
    switch (letter) {
    case 'd':
        options->filter_form++;
        return 0;
    case 'D':
        options->list_interfaces = true;
        return 0;
    case 'h':
        options->help = true;
        return 0;
    case 'I':
        options->capture.monitor = true;
        return 0;
    case 'J':
        options->list_time_types = true;
        return 0;
    case 'l':
        options->line_buffered = true;
        return 0;
    case 'L':
        options->list_link_types = true;
        return 0;
    case 'N':
        options->short_names = true;
        return 0;
    case 'O':
        options->plain_filter = true;
        return 0;
    case 'p':
        options->capture.promiscuous = false;
        return 0;
    case 'U':
        options->packet_buffered = true;
        return 0;
    case OPTION_PRINT:
        options->print = true;
        return 0;
    case OPTION_COUNT:
        options->only_count = true;
        return 0;
    case OPTION_IMMEDIATE:
        options->capture.immediate = true;
        return 0;
    case OPTION_MICRO:
    case OPTION_NANO:
        options->line.nanoseconds = letter == OPTION_NANO;
        return 0;
    case OPTION_VERSION:
        options->version = true;
        return 0;
    default:
        return take_value(options, letter, value);
    }
}

/* --- the expression --- */

static char *join_words(char **words)
{
    struct buf text = BUF_INIT;

    for (; *words; words++) {
        buf_puts(&text, *words);
        buf_puts(&text, words[1] ? " " : "");
    }
    buf_byte(&text, '\0');
    if (!text.error)
        return text.data;
    buf_done(&text);
    return NULL;
}

/* A file with comments from # on. */
static int read_filter_file(const char *path, char **ret_text)
{
    bool is_stdin = strcmp(path, "-") == 0;
    CLEANUP_CLOSE int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    struct buf text = BUF_INIT;
    ssize_t count = fd < 0 ? -1 : 1;
    bool comment = false;

    while (count > 0) {
        char *at = buf_reserve(&text, 4096);

        count = at ? read(fd, at, 4096) : -1;
        text.length += count > 0 ? (size_t)count : 0;
    }
    buf_byte(&text, '\0');
    if (count < 0 || text.error) {
        say(TCPDUMP_TOOL, "can't open %s: %s", path, strerror(errno));
        buf_done(&text);
        return WRONG_USAGE;
    }
    for (char *at = text.data; *at; at++) {
        comment = *at != '\n' && (comment || *at == '#');
        if (comment)
            *at = ' ';
    }
    *ret_text = text.data;
    return 0;
}

int tcpdump_read_expression(struct tcpdump_options *options)
{
    if (options->filter_file)
        return read_filter_file(options->filter_file, &options->expression);
    options->expression = join_words(options->words);
    if (options->expression)
        return 0;
    say(TCPDUMP_TOOL, "%s", strerror(ENOMEM));
    return WRONG_USAGE;
}

int tcpdump_parse(int argc, char **argv, struct tcpdump_options *ret_options)
{
    struct tcpdump_options options = {.capture = {.promiscuous = true, .link_type = -1}};
    int letter, r = 0;

    optind = 0;
    while (r == 0 &&
           (letter = getopt_long(argc, argv,
                                 "AB:c:C:dDeE:F:G:hi:Ij:JKlLm:M:nNOpqQ:r:s:StT:UvV:w:W:xXy:z:Z:#",
                                 long_options, NULL)) != -1)
        r = take(&options, letter, optarg);
    if (r == 0 && options.line.time > LINE_TIME_SINCE_FIRST) {
        say(TCPDUMP_TOOL, "only -t, -tt, -ttt, -tttt and -ttttt are supported");
        r = WRONG_USAGE;
    }
    if (r == 0 && options.list_file && options.read_file) {
        say(TCPDUMP_TOOL, "-V and -r are mutually exclusive.");
        r = WRONG_USAGE;
    }
    if (r == 0 && rotation_is_any(&options.rotation) && options.write_file &&
        strcmp(options.write_file, "-") == 0) {
        say(TCPDUMP_TOOL,
            "-C and -G need a file: the standard output cannot be followed by another");
        r = WRONG_USAGE;
    }
    if (r != 0)
        return r;
    options.words = argv + optind;
    options.capture.nanoseconds = options.line.nanoseconds;
    if (options.capture.snapshot_length == 0)
        options.capture.snapshot_length = CAPTURE_LENGTH_MAX;
    *ret_options = options;
    return 0;
}

void tcpdump_options_done(struct tcpdump_options *options)
{
    free(options->expression);
}
