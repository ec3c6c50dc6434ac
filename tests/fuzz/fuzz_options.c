/* SPDX-License-Identifier: MIT */
/* Fuzzing of nwho's own command line: one argument a line. */
#include "cli/options.h"
#include "fuzz.h"

#define WORDS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = fuzz_text(data, size);
    CLEANUP(buf_done) struct buf error = BUF_INIT;
    struct options options = {0};
    char *words[WORDS_MAX], *rest = text;
    uint32_t groups = 0, count = 0;
    int r;

    if (size >= sizeof(groups))
        memcpy(&groups, data, sizeof(groups));
    while (rest && count < WORDS_MAX)
        words[count++] = strsep(&rest, "\n");
    CHECK(options_first_word(words, count) <= count);
    r = options_parse(words, count, size % 2 ? groups : ~0u, &options, &error);
    CHECK(r == 0 || (r == -EINVAL && error.length > 0));
    CHECK(r < 0 || options.word_count <= count);
    CHECK(options.namespace_count <= OPTION_NAMESPACES_MAX);
    return 0;
}
