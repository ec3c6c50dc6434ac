/* SPDX-License-Identifier: MIT */
/* Fuzzing of inet_diag messages: a file of them, as ss -D writes it, or one of each protocol. */
#include "collect/inet_diag_dump.h"
#include "collect/inet_diag_message.h"
#include "fuzz.h"

#include <linux/inet_diag.h>

static const enum socket_proto protos[] = {PROTO_TCP,  PROTO_UDP,  PROTO_RAW,
                                           PROTO_DCCP, PROTO_SCTP, PROTO_MPTCP};

static void read_file(struct snapshot *snapshot, const uint8_t *data, size_t size)
{
    const struct request request = {.needs = ~UINT64_C(0), .protos = PROTO_ALL};
    struct collection collection = {.snapshot = snapshot, .request = &request};
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");

    CHECK(file);
    CHECK(inet_diag_read_stream(&collection, file, "file") == 0);
    fclose(file);
}

static void read_message(struct snapshot *snapshot, enum socket_proto proto, const uint8_t *data,
                         size_t size)
{
    struct socket *socket = snapshot_add_socket(snapshot);

    if (size < sizeof(struct inet_diag_msg))
        return;
    CHECK(socket);
    socket->proto = (uint8_t)proto;
    inet_diag_fill(socket, (const void *)data);
    CHECK(inet_diag_details(snapshot, 0, data, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    CLEANUP_FREE uint8_t *aligned = NULL;
    size_t choice;

    if (size < 2)
        return 0;
    choice = fuzz_choose(&data, &size, ARRAY_SIZE(protos) + 1);
    aligned = fuzz_bytes(data, size); /* as the kernel's buffer is */
    fuzz_snapshot(&snapshot);
    if (choice == 0)
        read_file(&snapshot, aligned, size);
    else
        read_message(&snapshot, protos[choice - 1], aligned, size);
    fuzz_show(&snapshot);
    return 0;
}
