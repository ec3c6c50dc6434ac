/* SPDX-License-Identifier: MIT */
/* Fuzzing of the filter language: any text is compiled, evaluated on one socket and pushed down. */
#include "derive/join.h"
#include "table/filter.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TEXT_MAX 4096

/* For libFuzzer: clang -fsanitize=fuzzer,address -DFUZZ_LIBRARY -Isrc, with the files of src/base,
 * src/model, src/derive and src/table. Without it: texts are made by chance, always the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name would be asked of the network, a repetition in an expression takes the memory it wants. */
static bool is_slow(const char *text)
{
    return strpbrk(text, "{") || strstr(text, "src") || strstr(text, "dst") ||
           strstr(text, "host") || strstr(text, "net") || strstr(text, "addr");
}

static void use(const struct filter *filter, struct arena *arena)
{
    struct socket socket = {.proto = PROTO_TCP, .family = AF_INET, .state = STATE_ESTABLISHED};
    struct socket_join joined = {.listener = JOIN_NONE};
    struct snapshot snapshot = {.sockets = &socket, .sockets_count = 1};
    struct join join = {.sockets = &joined};
    struct buf scratch = BUF_INIT;
    struct view view = {.snapshot = &snapshot, .join = &join, .scratch = &scratch};
    struct request request = {.protos = PROTO_ALL, .states = STATE_ALL, .families = ~0u};

    if (snapshot_init(&snapshot) == 0) {
        snapshot.sockets = &socket;
        snapshot.sockets_count = 1;
        (void)filter_accepts(filter, &view, 0);
        snapshot.sockets = NULL;
        snapshot.sockets_count = 0;
        snapshot_done(&snapshot);
    }
    if (filter_push_down(filter, arena, &request) < 0)
        abort();
    for (uint32_t i = 0; i < request.match_count; i++)
        if (request.matches[i].op <= MATCH_NOT && request.matches[i].left >= i)
            abort();
    buf_done(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1];
    struct arena arena = {0};
    struct filter *filter = NULL;
    struct filter_error error = {{0}, 0, 0};
    int r;

    if (size > TEXT_MAX)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (is_slow(text))
        return 0;
    r = filter_compile(&table_sockets, text, &arena, &filter, &error);
    if (r == 0)
        use(filter, &arena);
    else if (!*error.message || error.at + error.length > strlen(text))
        abort();
    filter_done(filter);
    arena_done(&arena);
    return 0;
}

#ifndef FUZZ_LIBRARY
static const char *const pieces[] = {
    "tcp",      "and",         "or",
    "not",      "(",           ")",
    "!",        "=",           "!=",
    ">",        "<=",          "~",
    "/a.*b/i",  "/x",          "'q'",
    "\"",       "sport",       "port",
    ":443",     "1-2",         "1,2",
    "state",    "established", "exclude",
    "rtt",      "5ms",         "10.0.0.1",
    "[::1]:80", "::/0",        "process",
    "nginx",    "pid",         "7+",
    "fwmark",   "0x1/0xff",    "recvq",
    "64K",      "*",           "?",
    "dev",      "cgroup",      "%u",
    "@c",       "listen",      "sick",
    ",",        "&&",          "||",
    "\\",       "\xff",        "9999999999999999999",
};

int main(void)
{
    uint64_t random = 88172645463325252u;
    char text[512];

    for (unsigned int round = 0; round < 20000; round++) {
        size_t length = 0;

        for (unsigned int i = 0; i < 1 + round % 16; i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
                                       pieces[(random >> 33) % ARRAY_SIZE(pieces)],
                                       random & 4096 ? " " : "");
        }
        LLVMFuzzerTestOneInput((const uint8_t *)text, length);
    }
    return 0;
}
#endif
