/* SPDX-License-Identifier: MIT */
/* Fuzzing of the filter expression of ss(8): compiled, given to the kernel, asked about sockets. */
#include "compat/ss_filter.h"
#include "fuzz.h"

#include <sys/socket.h>

static void ask(const struct ss_filter *filter)
{
    static const uint8_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK, AF_PACKET, AF_VSOCK};
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    struct ss_names names = {.snapshot = &snapshot};

    fuzz_snapshot(&snapshot);
    for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
        const struct socket socket = {.family = families[i], .local_port = 443, .peer_port = 40000};

        (void)ss_filter_accepts(filter, &names, &socket, "/run/x");
    }
    ss_names_done(&names);
}

static void push_down(struct ss_filter *filter)
{
    struct request request = {.protos = PROTO_ALL, .states = STATE_ALL};

    CHECK(ss_filter_push_down(filter, &request) == 0);
    for (uint32_t i = 0; i < request.match_count; i++) {
        const struct match *match = &request.matches[i];

        CHECK(match->op > MATCH_NOT || match->op == MATCH_ANY || match->left < i);
        CHECK((match->op != MATCH_AND && match->op != MATCH_OR) || match->right < i);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = fuzz_text(data, size);
    char *words[] = {text};
    struct ss_options options = {.words = words, .word_count = 1};
    struct ss_filter filter;
    int status = 0, r;

    options.selection =
        (struct ss_selection){.tables = (1u << SS_TABLE_MAX) - 1,
                              .states = SS_STATES_ALL,
                              .families = SS_FAMILY_BIT(AF_INET) | SS_FAMILY_BIT(AF_INET6)};
    r = ss_filter_parse(&filter, &options, &status);
    CHECK(r == 0 || (r == 1 && status > 0 && status <= SS_EXIT_USAGE));
    if (r)
        return 0;
    push_down(&filter);
    ask(&filter);
    ss_filter_done(&filter);
    return 0;
}
