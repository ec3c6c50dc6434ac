/* SPDX-License-Identifier: MIT */
/* Topics of nwho help: what holds for many commands. */
#include "cli/help_topics.h"

#include "cli/help_states.h"
#include "cli/paragraph.h"
#include "tui/keys.h"

#include <string.h>

#define INDENT 2
#define LABEL_MAX 24

static const struct help_line columns[] = {
    {NULL, "A column has one name everywhere: in -o, --sort and filters, as key of JSON, header of "
           "CSV and label of metrics."},
    {"nwho columns", "every column of every table, with type, unit and meaning"},
    {"nwho columns sockets", "those of one table: what nwho ls knows"},
    {"-o pid,process", "these columns and no others"},
    {"-o +rtt_us,retrans", "the usual ones, and these"},
    {"-o all", "all that there are"},
    {"--sort rtt_us:desc", "the largest first; several with commas"},
    {"--limit 10", "ten rows at most"},
    {"rtt_us > 100ms", "in a filter (nwho help filters)"},
    {NULL, NULL},
};

static const struct help_line times[] = {
    {NULL, "A TIME is in the local time zone, behind --since, --until and --at:"},
    {"03:00  2:30pm", "the last such time; behind --until the first one after --since"},
    {"-2h  \"90 min ago\"", "so long ago; units ns us ms s m h d w"},
    {"today  yesterday  mon", "when that day began"},
    {"2026-11-20", "the same; with a time: \"2026-11-20 03:00\", \"yesterday 2pm\""},
    {"2026-11-20T03:00:00Z", "ISO 8601, with Z or an offset like +01:00"},
    {"@1763600000  now", "seconds since 1970; this moment"},
    {NULL, "A length of time, behind --every and --for, is 10 (seconds), 1.5s, 5m, 2h30m or 1d. "
           "-d, --watch and --window take seconds: 0.5, 10."},
    {NULL, NULL},
};

static const struct help_line history[] = {
    {NULL, "The kernel remembers nothing: what is to be asked later has to be recorded."},
    {"nwho serve", "records from now on, each 10 seconds; nwho serve --stop ends it, --status says "
                   "what there is"},
    {"nwho history", "who used the network: --since 02:00 --until 04:00, --by peer, --every 1h"},
    {"nwho top --since -1h", "the past as a screen: Space plays, [ and ] step"},
    {"nwho events --since -1h", "each TCP connection that was opened, accepted or closed"},
    {"nwho mark TEXT", "a note at this time; keeps each second of the minute before and after"},
    {"nwho export", "for other programs: OpenMetrics, JSON, CSV, SQLite"},
    {"--store FILE", "another file than the usual one (nwho help files)"},
    {NULL, "One moment alone: nwho --record FILE writes it, any command answers from it with "
           "--replay FILE."},
    {NULL, NULL},
};

static const struct help_line formats[] = {
    {"--json", "one document: table, time, complete, warnings, rows"},
    {"--jsonl", "one JSON object a line, as the rows come"},
    {"--csv", "with a header line (-H: without)"},
    {"--json=COLUMNS", "only these; as well --jsonl=COLUMNS, --csv=COLUMNS, or -o COLUMNS"},
    {NULL, "There numbers are whole and in the unit of their column (nwho columns), what is not "
           "known is null, in CSV nothing. Bytes of names that cannot be printed are escaped. "
           "Keys never change their meaning, and no language of the user changes them."},
    {"--exact", "text with numbers in full instead of 1.2M and 3h12m"},
    {"-H", "text without the header line"},
    {"-q", "nothing, only the exit code"},
    {"--color WHEN", "auto, always or never"},
    {"nwho export", "OpenMetrics and SQLite, of the history"},
    {NULL, NULL},
};

static const struct help_line exit_codes[] = {
    {"0", "something was found; doctor: nothing is wrong; kill: all were destroyed; why-busy: the "
          "port is busy"},
    {"1", "nothing matched; doctor: something is wrong (--fail-on); why-busy: bind() would work"},
    {"2", "error: bad usage, unknown word, unreadable file; one line on stderr says what"},
    {"3", "incomplete: rows may be missing, and stderr says why; with --strict also when only "
          "owners are hidden"},
    {NULL, "nwho doctor --nagios has those of a plug-in: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN. "
           "An old tool that nwho stands in for (nwho ss, ...) has its own ones."},
    {NULL, NULL},
};

static const struct help_line privileges[] = {
    {NULL, "Every user sees all sockets of this network namespace, and which of them the user's "
           "own processes hold. What is missing for want of privilege is told on stderr; root "
           "misses nothing."},
    {"other users' owners", "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"},
    {"other namespaces", "CAP_SYS_ADMIN: -N, --all-netns, --container"},
    {"BPF", "CAP_BPF and CAP_PERFMON: exact counts of traffic, fast owners of many sockets; "
            "without, sock_diag and /proc"},
    {"kill, column mark", "CAP_NET_ADMIN"},
    {"packets", "CAP_NET_RAW: sniff, if --by"},
    {NULL, "Do not give these to the program file (setcap, setuid): every user would see all "
           "owners."},
    {NULL, NULL},
};

static const struct help_line files[] = {
    {NULL,
     "The first is that of root or of the machine, the second that of any other user; without "
     "XDG_... below ~/.config and ~/.local/state."},
    {"configuration", "/etc/nwho/nwho.conf and $XDG_CONFIG_HOME/nwho/nwho.conf, one after the "
                      "other (man nwho.conf)"},
    {"history", "/var/lib/nwho/history.db or $XDG_STATE_HOME/nwho/history.db"},
    {"baseline", "/var/lib/nwho/baseline or $XDG_STATE_HOME/nwho/baseline: of nwho ports "
                 "--save-baseline"},
    {"/run/netns", "names of network namespaces, as ip netns makes them"},
    {NULL, NULL},
};

static const struct help_line environment[] = {
    {"NWHO_CONFIG", "a configuration instead of the usual ones"},
    {"NWHO_PAGER, PAGER", "the pager of long text on a terminal; usually less"},
    {"NO_COLOR", "not empty: no colour"},
    {"CLICOLOR", "0: no colour"},
    {"CLICOLOR_FORCE", "not empty and not 0: colour also in files and pipes"},
    {"TERM", "dumb: no colour; what the screen of nwho top is drawn by"},
    {"LC_ALL, LC_MESSAGES, LANG", "language of nwho doctor and nwho help states: zh_CN.UTF-8"},
    {"LC_CTYPE", "how wide characters are on the terminal"},
    {NULL, NULL},
};

static const struct help_line targets[] = {
    {NULL, "nwho TARGET explains one thing; the same words are conditions of filters."},
    {":443", "a port; tcp/443: of one protocol"},
    {"1234", "a process"},
    {"10.0.0.9", "an address; 10.0.0.0/8: a network"},
    {"nginx", "a process, unit or container by its name"},
    {"%www-data", "a user"},
    {"@web", "a container, or a unix socket by its abstract name"},
    {"/run/x.sock", "a unix socket by its path"},
    {NULL, NULL},
};

static void put_keys(struct buf *out)
{
    buf_puts(out, "Keys of the screen of nwho top:\n");
    for (const struct tui_binding *binding = tui_bindings; binding->name; binding++)
        buf_printf(out, "  %-16s %s\n", binding->name, binding->help);
}

const struct help_topic help_topics[] = {
    {"states", NULL, help_put_states},
    {"keys", NULL, put_keys},
    {"targets", targets, NULL},
    {"columns", columns, NULL},
    {"time", times, NULL},
    {"history", history, NULL},
    {"formats", formats, NULL},
    {"exit-codes", exit_codes, NULL},
    {"privileges", privileges, NULL},
    {"files", files, NULL},
    {"environment", environment, NULL},
};
const uint32_t help_topic_count = ARRAY_SIZE(help_topics);

/* Where the texts behind the labels begin. */
static uint32_t text_column(const struct help_line *lines)
{
    size_t longest = 0;

    for (; lines->text; lines++)
        if (lines->label && strlen(lines->label) > longest)
            longest = strlen(lines->label);
    return (uint32_t)longest + INDENT + 2;
}

static void put_lines(const struct help_line *lines, struct buf *out)
{
    uint32_t column = text_column(lines), width = paragraph_width();

    for (const struct help_line *line = lines; line->text; line++) {
        bool is_word = line->label != NULL;

        if (line != lines && is_word != (line[-1].label != NULL))
            buf_byte(out, '\n');
        if (is_word) {
            buf_pad(out, INDENT);
            buf_puts(out, line->label);
            buf_pad(out, column - INDENT - strlen(line->label));
        }
        paragraph_put(out, line->text, strlen(line->text), is_word ? column : 0, width);
    }
}

void help_put_topic(const struct help_topic *topic, struct buf *out)
{
    if (topic->put)
        topic->put(out);
    else
        put_lines(topic->lines, out);
}
