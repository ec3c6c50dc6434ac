/* SPDX-License-Identifier: MIT */
/* Fuzzing of what is written with bytes of others in it, beyond the escaping itself: metrics,
 * charts and packet files. test_written.py has the same read by parsers of others. */
#include "fuzz.h"
#include "out/openmetrics.h"
#include "savefile/pcapng_reader.h"
#include "written.h"

#include <sys/socket.h>

/* Reads "NAME=\"VALUE\"", where the value is that of the bytes, and moves behind it. */
static void check_label(const char **at, const char *end, const char *name, const char *bytes,
                        size_t size)
{
    CLEANUP(buf_done) struct buf content = BUF_INIT, back = BUF_INIT;

    if (size > OPENMETRICS_LABEL_MAX)
        size = OPENMETRICS_LABEL_MAX;
    CHECK((size_t)(end - *at) > strlen(name) && memcmp(*at, name, strlen(name)) == 0);
    *at += strlen(name);
    CHECK(json_read_string(at, end, &content));
    CHECK(text_unescape(buf_string(&content), content.length, &back));
    CHECK(back.length == size && memcmp(buf_string(&back), bytes, size) == 0);
}

/* Of each sample: "name{label,label} number". */
static void check_metrics(enum written format, const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    const char *at, *end, *line;
    unsigned int samples = 0;

    write_bytes(format, bytes, size, &out);
    CHECK(text_is_clean(out.data, out.length));
    end = out.data + out.length;
    for (line = out.data; line < end; line = strchr(at, '\n') + 1) {
        at = line;
        if (*line == '#')
            continue;
        at = strchr(line, '{');
        CHECK(at++);
        check_label(&at, end, "process_executable_name=", bytes, size);
        check_label(&at, end, ",service=", bytes, size);
        CHECK(strncmp(at, "} ", 2) == 0);
        samples++;
    }
    CHECK(samples == 3);
}

/* Every '<' opens or closes an element, and what is between them is text. */
static void check_svg(const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    int depth = 0;

    write_bytes(WRITTEN_SVG, bytes, size, &out);
    CHECK(text_is_clean(out.data, out.length));
    for (const char *at = buf_string(&out), *end; (at = strchr(at, '<')); at = end) {
        end = strchr(at, '>');
        CHECK(end && !memchr(at + 1, '<', (size_t)(end - at - 1)));
        if (at[1] == '/')
            depth--;
        else if (end[-1] != '/')
            depth++;
        CHECK(depth >= 0);
    }
    CHECK(depth == 0);
}

static void check_pcapng(const char *bytes, size_t size)
{
    CLEANUP(buf_done) struct buf out = BUF_INIT;
    CLEANUP_FREE char *text = fuzz_text((const uint8_t *)bytes, size);
    struct pcapng_reader *reader;
    struct captured captured;
    struct packet_note note;
    const struct packet_interface *interface;

    write_bytes(WRITTEN_PCAPNG, bytes, size, &out);
    CHECK(pcapng_reader_open_bytes((const uint8_t *)out.data, out.length, &(struct pcapng_names){0},
                                   &reader) == 0);
    CHECK(pcapng_reader_next(reader, &captured, &note) == 1);
    CHECK(captured.captured == size && memcmp(captured.bytes, bytes, size) == 0);
    CHECK(note.direction == PACKET_OUT && note.pid == 1187 && note.tid == 1188);
    CHECK(!*text || strncmp(note.comment, text, WRITTEN_COMMENT_MAX) == 0);
    interface = pcapng_reader_interface(reader, 0);
    CHECK(!*text || strncmp(interface->name, text, WRITTEN_COMMENT_MAX) == 0);
    CHECK(pcapng_reader_next(reader, &captured, &note) == 0 && !pcapng_reader_problem(reader));
    CHECK(pcapng_reader_counts(reader, 0)->received == 1);
    pcapng_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *bytes = fuzz_bytes(data, size);

    check_metrics(WRITTEN_METRICS, bytes, size);
    check_metrics(WRITTEN_OPENMETRICS, bytes, size);
    check_svg(bytes, size);
    check_pcapng(bytes, size);
    return 0;
}
