/* SPDX-License-Identifier: MIT */
/* Fuzzing of questions of the API: whatever the query is, its words are a command of the API, of
 * which nothing but what the table allows is an option, and the other side thinks so, too. */
#include "fuzz.h"
#include "serve/question.h"

static const char *const paths[] = {"/api/v1/sockets", "/api/v1/processes", "/api/v1/ports",
                                    "/api/v1/count",   "/api/v1/history",   "/api/v1/doctor",
                                    "/api/v1/status"};
static const char *const options[] = {
    "--json",   "--csv", "--status", "--sort=", "--limit=",    "--output=",      "--since=",
    "--until=", "--at=", "--every=", "--by=",   "--all-netns", "--no-time-wait",
};

static bool is_allowed(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        if (strncmp(word, options[i], strlen(options[i])) == 0)
            return true;
    return false;
}

static void check_words(const struct question *question)
{
    const char *word = question->words.data, *end = word + question->words.length;
    enum question_source source;
    enum present present;
    unsigned int behind = 0;
    bool ended = false;

    CHECK(question_check(word, question->words.length, &source, &present) == 0);
    CHECK(source == question->source && question->words.length <= QUESTION_MAX);
    CHECK(present < PRESENT_MAX);
    CHECK(*word != '-');
    for (word += strlen(word) + 1; word < end; word += strlen(word) + 1) {
        CHECK(ended || strcmp(word, "--") == 0 || is_allowed(word));
        behind += ended;
        ended |= strcmp(word, "--") == 0;
    }
    CHECK(word == end && ended && behind <= 2);
}

/* A field of HTTP is a line of printable characters. */
static void check_command(const struct question *question)
{
    CLEANUP(buf_done) struct buf line = BUF_INIT;

    question_put_command(question, &line);
    CHECK(!line.error && line.length > strlen("nwho "));
    for (size_t i = 0; i < line.length; i++)
        CHECK(line.data[i] >= ' ' && line.data[i] <= '~');
}

static void make(const char *path, struct http_text query)
{
    CLEANUP(buf_done) struct buf problem = BUF_INIT;
    CLEANUP(question_done) struct question question;
    int r = question_make((struct http_text){path, strlen(path)}, query, &question, &problem);

    CHECK(r == 0 || (r == -EINVAL && problem.length));
    if (r < 0)
        return;
    check_words(&question);
    check_command(&question);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *bytes = fuzz_bytes(data, size);
    const size_t length = size < HTTP_TARGET_MAX ? size : HTTP_TARGET_MAX;
    enum question_source source;
    enum present present;

    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        make(paths[i], (struct http_text){bytes, length});
    (void)!question_check(bytes, size, &source, &present);
    return 0;
}
