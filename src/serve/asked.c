/* SPDX-License-Identifier: MIT */
/* Asked: a child that runs a command of nwho, with limits, and what came of it. */
#include "serve/asked.h"

#include "base/buf.h"
#include "base/confine.h"
#include "serve/passing.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What one may take: of CPU, of memory, and of the document. */
#define CPU_S 10
#define MEMORY_BYTES ((rlim_t)512 << 20)
#define DOCUMENT_BYTES ((rlim_t)32 << 20)
#define DESCRIPTORS_MAX 64

void asked_free(struct asked *asked)
{
    if (asked->end >= 0)
        close(asked->end);
    if (asked->document >= 0)
        close(asked->document);
    if (asked->complaint >= 0)
        close(asked->complaint);
    free(asked);
}

/* --- the child --- */

/* A sanitizer of addresses maps more memory than there is. */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true
#elif defined(__has_feature)
#define SANITIZED __has_feature(address_sanitizer)
#else
#define SANITIZED false
#endif

/* At `most` a signal tells it of its CPU time, and a second later it is ended. */
static void limit(int resource, rlim_t most)
{
    struct rlimit limit = {.rlim_cur = most, .rlim_max = most + (resource == RLIMIT_CPU)};
    struct rlimit old;

    if (getrlimit(resource, &old) == 0 && old.rlim_max < most)
        return;
    setrlimit(resource, &limit);
}

/* A document that becomes too long fails to be written, which the command says. */
static void limit_resources(void)
{
    signal(SIGXFSZ, SIG_IGN);
    limit(RLIMIT_CPU, CPU_S);
    limit(RLIMIT_FSIZE, DOCUMENT_BYTES);
    limit(RLIMIT_NOFILE, DESCRIPTORS_MAX);
    limit(RLIMIT_CORE, 0);
    if (!SANITIZED)
        limit(RLIMIT_DATA, MEMORY_BYTES);
}

/* "nwho", the command, where it reads from, and the other words. */
static void run_words(const struct asker *asker, struct asked *asked)
{
    char *argv[QUESTION_WORDS_MAX + 3] = {(char *)(uintptr_t) "nwho"};
    char *word = asked->request.words, *end = word + asked->request.length;
    CLEANUP(buf_done) struct buf from = BUF_INIT;
    int argc = 1;

    if (asked->source == QUESTION_PRESENT)
        buf_puts(&from, "--replay=/proc/self/fd/0");
    else
        buf_printf(&from, "--store=%s", asker->store);
    for (; word < end; word += strlen(word) + 1) {
        argv[argc++] = word;
        if (argc == 2)
            argv[argc++] = (char *)(uintptr_t)buf_string(&from);
    }
    asker->run(argc, argv);
}

/* Returns where it could not begin. */
static void be_child(struct asked *asked, const struct asker *asker, int present, int end)
{
    int input = asked->source == QUESTION_PRESENT ? present : STDIN_FILENO;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, SIG_DFL);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(asked->document, STDOUT_FILENO) < 0 ||
        dup2(asked->complaint, STDERR_FILENO) < 0 || confine_descriptors_to(&end, 1) < 0)
        return;
    limit_resources();
    if (confine_to_read() == 0)
        run_words(asker, asked);
}

int asked_start(struct asked *asked, const struct asker *asker, int present)
{
    int ends[2];

    asked->document = passing_memory("nwho-document");
    asked->complaint = passing_memory("nwho-complaint");
    if (asked->document < 0 || asked->complaint < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    asked->end = ends[0];
    asked->child = fork();
    if (asked->child == 0) {
        be_child(asked, asker, present, ends[1]);
        return 1;
    }
    close(ends[1]);
    return asked->child < 0 ? -errno : 0;
}

/* --- its answer --- */

static uint64_t length_of(int memory)
{
    struct stat status;

    return fstat(memory, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* What the command said, without its name and the last end of line. */
static void read_complaint(int memory, char text[ASK_TEXT_MAX])
{
    static const char name[] = "nwho: ";
    ssize_t n = pread(memory, text, ASK_TEXT_MAX - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    while (n > 0 && text[n - 1] == '\n')
        text[--n] = '\0';
    if (strncmp(text, name, strlen(name)) == 0)
        memmove(text, text + strlen(name), strlen(text) - strlen(name) + 1);
}

static void say(struct ask_reply *answer, uint32_t status, const char *text)
{
    answer->status = status;
    snprintf(answer->text, sizeof(answer->text), "%s", text);
}

static void put_document(const struct asked *asked, struct ask_reply *answer)
{
    int r = passing_seal(asked->document);

    answer->status = 200;
    answer->length = length_of(asked->document);
    if (r < 0)
        say(answer, 500, strerror(-r));
}

/* Exit codes of every command: 2 is an error that it has said; with the others, "nothing found" and
 * "rows may be missing", there is a document which tells that. */
static void put_end(const struct asked *asked, int status, struct ask_reply *answer)
{
    char text[ASK_TEXT_MAX] = "";

    if (WIFSIGNALED(status)) {
        bool is_cpu = WTERMSIG(status) == SIGXCPU;

        say(answer, is_cpu ? 504 : 500,
            is_cpu ? "the answer takes too much time: ask for less"
                   : "the command was ended by a signal");
        return;
    }
    read_complaint(asked->complaint, text);
    if (WEXITSTATUS(status) != 2 && length_of(asked->document))
        put_document(asked, answer);
    else
        say(answer, *text ? 400 : 500, *text ? text : "the command ended without an answer");
}

void asked_finish(struct asked *asked, struct ask_reply *ret_answer)
{
    int status = 0;

    *ret_answer = (struct ask_reply){.id = asked->request.id};
    if (waitpid(asked->child, &status, 0) == asked->child)
        put_end(asked, status, ret_answer);
    else
        say(ret_answer, 500, strerror(errno));
}

void asked_kill(struct asked *asked)
{
    kill(asked->child, SIGKILL);
    waitpid(asked->child, NULL, 0);
}
