/* SPDX-License-Identifier: MIT */
/* Fuzzing of pcapng files: what is read of one is the same after it was written. */
#include "fuzz.h"
#include "savefile/pcapng.h"
#include "savefile/pcapng_reader.h"

#include <sys/socket.h>

#define COMMENT_MAX 1024 /* of what is written */
#define TIME_MAX ((int64_t)1 << 33)

/* A file of one packet, which is read again. */
static void check_again(const struct packet_interface *interface, const struct captured *captured,
                        struct packet_note note)
{
    struct buf file = BUF_INIT;
    struct pcapng_reader *reader;
    struct captured again;
    struct packet_note noted;

    note.interface = 0;
    pcapng_put_section(&file, NULL);
    pcapng_put_interface(&file, interface);
    pcapng_put_packet(&file, interface, captured, &note);
    CHECK(!file.error);
    CHECK(pcapng_reader_open_bytes((const uint8_t *)file.data, file.length,
                                   &(struct pcapng_names){0}, &reader) == 0);
    CHECK(pcapng_reader_next(reader, &again, &noted) == 1);
    CHECK(again.captured == captured->captured && again.length == captured->length);
    CHECK(memcmp(again.bytes, captured->bytes, captured->captured) == 0);
    CHECK(noted.direction == note.direction && noted.pid == note.pid);
    CHECK(!note.pid || noted.tid == note.tid);
    if (note.comment && *note.comment)
        CHECK(strncmp(noted.comment, note.comment, COMMENT_MAX) == 0);
    if (captured->seconds >= 0 && captured->seconds < TIME_MAX)
        CHECK(again.seconds == captured->seconds && again.fraction == captured->fraction);
    CHECK(pcapng_reader_next(reader, &again, &noted) == 0 && !pcapng_reader_problem(reader));
    pcapng_reader_close(reader);
    buf_done(&file);
}

static void take_name(void *context, unsigned int family, const uint8_t *address, const char *name)
{
    struct buf *file = context;

    CHECK(*name);
    pcapng_put_name(file, family, address, name);
    CHECK(!file->error);
    buf_reset(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE uint8_t *bytes = fuzz_bytes(data, size);
    struct buf names = BUF_INIT;
    struct pcapng_reader *reader;
    struct captured captured;
    struct packet_note note;

    CHECK(pcapng_reader_open_bytes(bytes, size, &(struct pcapng_names){take_name, &names},
                                   &reader) == 0);
    while (pcapng_reader_next(reader, &captured, &note) == 1) {
        CHECK(captured.bytes >= bytes && captured.bytes + captured.captured <= bytes + size);
        CHECK(captured.fraction < 1000000000 && note.direction <= PACKET_OUT);
        CHECK(note.interface < pcapng_reader_interface_count(reader));
        check_again(pcapng_reader_interface(reader, note.interface), &captured, note);
    }
    pcapng_reader_close(reader);
    buf_done(&names);
    return 0;
}
