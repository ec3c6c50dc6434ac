/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target without libFuzzer: on the files of its corpus, and on so many changed ones,
 * which are the same each time. */
/*
 *   fuzz_NAME DIRECTORY ROUNDS   the files, then changed ones; words of DIRECTORY.dict are put in
 *   fuzz_NAME FILE...            only these
 *   fuzz_NAME --large DIRECTORY SECONDS
 *                                the files and the words, each repeated to a megabyte, in the time
 *                                and the memory that any input may take; no more of them when all
 *                                took so long
 *
 * The target runs in a child, of which the parent knows the input: one at which it ends is kept as
 * ./finding-NAME, and what the target said about it is shown.
 */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define INPUT_MAX 8192
#define INPUTS_MAX 512
#define CHANGES_MAX 4

/* What any input may take, also one of a megabyte. */
#define LARGE_SIZE 1000000
#define LARGE_MS_MAX 1000 /* of the processor */
#define LARGE_KIB_MAX 16384

struct bytes {
    uint8_t *data; /* owned */
    size_t size;
};

struct driver {
    struct bytes inputs[INPUTS_MAX], words[INPUTS_MAX];
    size_t input_count, word_count;
    uint64_t random;
    struct bytes *current; /* shared with the child; its data are INPUT_MAX bytes behind it */
};

_Noreturn static void die(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s: %s\n", what, name, strerror(errno));
    exit(2);
}

/* --- reading --- */

static void read_file(const char *path, struct bytes *ret_bytes)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *data = malloc(INPUT_MAX);
    ssize_t size = fd < 0 || !data ? -1 : read(fd, data, INPUT_MAX);

    if (size < 0)
        die("cannot read", path);
    *ret_bytes = (struct bytes){data, (size_t)size};
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_corpus(struct driver *driver, const char *directory)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, is_visible, alphasort);
    char path[4096];

    if (count < 0)
        die("cannot read", directory);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, entries[i]->d_name);
        if (driver->input_count < INPUTS_MAX)
            read_file(path, &driver->inputs[driver->input_count++]);
        free(entries[i]);
    }
    free(entries);
}

/* One word a line: name="...", in which \xNN, \\ and \" stand for bytes. */
static bool read_word(const char *line, struct bytes *ret_word)
{
    const char *at = strchr(line, '"');
    uint8_t *data = malloc(strlen(line) + 1);
    size_t size = 0;

    if (!data || *line == '#' || !at++) {
        free(data);
        return false;
    }
    for (; *at && *at != '"'; size++) {
        unsigned int byte = (unsigned char)*at;

        if (*at == '\\' && sscanf(at + 1, "x%2x", &byte) == 1)
            at += 4;
        else if (*at == '\\')
            byte = (unsigned char)at[1], at += 2;
        else
            at++;
        data[size] = (uint8_t)byte;
    }
    *ret_word = (struct bytes){data, size};
    return true;
}

static void read_words(struct driver *driver, const char *directory)
{
    char path[4096], line[256];
    FILE *file;

    snprintf(path, sizeof(path), "%s.dict", directory);
    file = fopen(path, "re");
    while (file && driver->word_count < INPUTS_MAX && fgets(line, sizeof(line), file))
        driver->word_count += read_word(line, &driver->words[driver->word_count]);
    if (file)
        fclose(file);
}

/* --- changing --- */

static size_t random_below(struct driver *driver, size_t limit)
{
    driver->random ^= driver->random << 13;
    driver->random ^= driver->random >> 7;
    driver->random ^= driver->random << 17;
    return (size_t)((driver->random >> 20) % limit);
}

/* Makes `more` bytes of room at `at`, as far as there is any. */
static void open_gap(struct bytes *bytes, size_t at, size_t *more)
{
    if (*more > INPUT_MAX - bytes->size)
        *more = INPUT_MAX - bytes->size;
    memmove(bytes->data + at + *more, bytes->data + at, bytes->size - at);
    bytes->size += *more;
}

static void change_number(struct driver *driver, struct bytes *bytes, size_t at)
{
    static const uint64_t edges[] = {0, 1, 2, 4, 0x7f, 0xff, 0x7fff, 0x7fffffff, UINT64_MAX};
    uint64_t number = edges[random_below(driver, ARRAY_SIZE(edges))];
    size_t size = (size_t)1 << random_below(driver, 4);

    if (size > bytes->size - at)
        size = bytes->size - at;
    memcpy(bytes->data + at, &number, size);
}

static void put_word(struct driver *driver, struct bytes *bytes, size_t at)
{
    const struct bytes *word;
    size_t size;

    if (!driver->word_count)
        return;
    word = &driver->words[random_below(driver, driver->word_count)];
    size = word->size;
    if (random_below(driver, 2))
        open_gap(bytes, at, &size);
    if (size > bytes->size - at)
        size = bytes->size - at;
    memcpy(bytes->data + at, word->data, size);
}

/* The rest becomes that of another input. */
static void cross(struct driver *driver, struct bytes *bytes, size_t at)
{
    const struct bytes *other = &driver->inputs[random_below(driver, driver->input_count)];
    size_t from = random_below(driver, other->size + 1), size = other->size - from;

    if (size > INPUT_MAX - at)
        size = INPUT_MAX - at;
    memcpy(bytes->data + at, other->data + from, size);
    bytes->size = at + size;
}

static void change(struct driver *driver, struct bytes *bytes)
{
    size_t at = random_below(driver, bytes->size), size = random_below(driver, bytes->size - at);

    switch (random_below(driver, 8)) {
    case 0:
        bytes->data[at] ^= (uint8_t)(1u << random_below(driver, 8));
        break;
    case 1:
        bytes->data[at] = (uint8_t)random_below(driver, 256);
        break;
    case 2:
        change_number(driver, bytes, at);
        break;
    case 3: /* a piece is left out */
        memmove(bytes->data + at, bytes->data + at + size, bytes->size - at - size);
        bytes->size -= size;
        break;
    case 4: /* a piece comes twice */
        open_gap(bytes, at, &size);
        break;
    case 5:
        cross(driver, bytes, at);
        break;
    default:
        put_word(driver, bytes, at);
    }
}

/* --- running --- */

/* In memory of exactly its size, so that ASan sees a step beyond it. */
static void run(struct driver *driver)
{
    const struct bytes *current = driver->current;
    CLEANUP_FREE uint8_t *copy = malloc(current->size ? current->size : 1);

    if (!copy)
        die("cannot run", "no memory");
    memcpy(copy, current->data, current->size);
    (void)!ftruncate(STDERR_FILENO, 0);
    LLVMFuzzerTestOneInput(copy, current->size);
}

static void take(struct driver *driver, size_t number)
{
    const struct bytes *input = &driver->inputs[number];

    memcpy(driver->current->data, input->data, input->size);
    driver->current->size = input->size;
}

static void run_all(struct driver *driver, unsigned long rounds)
{
    for (size_t i = 0; i < driver->input_count; i++) {
        take(driver, i);
        run(driver);
    }
    for (unsigned long round = 0; round < rounds && driver->input_count; round++) {
        take(driver, random_below(driver, driver->input_count));
        for (size_t i = random_below(driver, CHANGES_MAX) + 1; i > 0; i--)
            if (driver->current->size)
                change(driver, driver->current);
        run(driver);
    }
}

/* What the target says goes to a file, which has only what it said last. */
static int run_in_child(struct driver *driver, unsigned long rounds, int said)
{
    int status = 0;
    pid_t child = fork();

    if (child < 0)
        die("cannot run", "fork");
    if (child == 0) {
        int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (nowhere < 0 || dup2(nowhere, STDIN_FILENO) < 0 || dup2(nowhere, STDOUT_FILENO) < 0 ||
            dup2(said, STDERR_FILENO) < 0)
            die("cannot run", "/dev/null");
        run_all(driver, rounds);
        exit(0);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void report(const struct driver *driver, const char *program, int status, int said)
{
    const char *name = strrchr(program, '/');
    char path[256], text[16384];
    ssize_t length = pread(said, text, sizeof(text), 0);
    int fd;

    snprintf(path, sizeof(path), "finding-%s", name ? name + 1 : program);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, driver->current->data, driver->current->size) < 0)
        die("cannot write", path);
    close(fd);
    printf("%.*s\n%s %d at an input that is kept; run it again by: %s %s\n",
           length > 0 ? (int)length : 0, text, WIFSIGNALED(status) ? "signal" : "exit",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), program, path);
}

static struct bytes *share_input(void)
{
    struct bytes *shared = mmap(NULL, sizeof(*shared) + INPUT_MAX, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        die("cannot run", "mmap");
    shared->data = (uint8_t *)(shared + 1);
    return shared;
}

/* --- large inputs --- */

struct cost {
    int64_t ms; /* of the processor */
    int64_t kib;
    bool known; /* it came to its end */
};

static int64_t to_us(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

/* In a process of its own, as only the most memory of one is known. */
static _Noreturn void measure(const uint8_t *bytes, int said, struct cost *cost)
{
    struct rusage before, after;

    if (dup2(said, STDERR_FILENO) < 0 || !freopen("/dev/null", "re+", stdout))
        die("cannot run", "/dev/null");
    fuzz_shows = false;
    getrusage(RUSAGE_SELF, &before);
    LLVMFuzzerTestOneInput(bytes, LARGE_SIZE);
    getrusage(RUSAGE_SELF, &after);
    cost->ms = (to_us(&after.ru_utime) - to_us(&before.ru_utime) + to_us(&after.ru_stime) -
                to_us(&before.ru_stime)) /
               1000;
    cost->kib = after.ru_maxrss - before.ru_maxrss;
    cost->known = true;
    exit(0);
}

/* The first byte, which may choose a parser, then the piece again and again. */
static void fill(uint8_t *bytes, uint8_t first, const struct bytes *piece)
{
    bytes[0] = first;
    for (size_t i = 1; i < LARGE_SIZE; i++)
        bytes[i] = piece->data[(i - 1) % piece->size];
}

/* False: it took too much, or did not come to its end. */
static bool run_large(const uint8_t *bytes, int said, struct cost *cost, struct cost *worst)
{
    int status = 0;
    pid_t child;

    *cost = (struct cost){0};
    fflush(stdout); /* else the child would write that, too */
    child = fork();
    if (child < 0)
        die("cannot run", "fork");
    if (child == 0)
        measure(bytes, said, cost);
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    worst->ms = cost->ms > worst->ms ? cost->ms : worst->ms;
    worst->kib = cost->kib > worst->kib ? cost->kib : worst->kib;
    return status == 0 && cost->known && cost->ms <= LARGE_MS_MAX && cost->kib <= LARGE_KIB_MAX;
}

/* Once more when it took too much, as a busy machine takes its time. */
static bool run_large_again(const uint8_t *bytes, int said, struct cost *cost, struct cost *worst)
{
    for (unsigned int tried = 0; tried < 2; tried++)
        if (run_large(bytes, said, cost, worst))
            return true;
    return false;
}

static void report_large(const uint8_t *bytes, const struct cost *cost, int said)
{
    char text[4096];
    ssize_t length = pread(said, text, sizeof(text), 0);

    printf("%.*s\nan input of %d bytes took %lld ms and %lld KiB%s; it begins with \"%.60s\"\n",
           length > 0 ? (int)length : 0, text, LARGE_SIZE, (long long)cost->ms,
           (long long)cost->kib, cost->known ? "" : ", and ended the program", (const char *)bytes);
}

static int run_all_large(struct driver *driver, int64_t ms_max, int said)
{
    size_t count = driver->input_count + driver->word_count, done = 0;
    struct cost *cost =
        mmap(NULL, sizeof(*cost), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CLEANUP_FREE uint8_t *bytes = malloc(LARGE_SIZE);
    struct cost worst = {0};
    int64_t ms = 0;
    int failed = 0;

    if (cost == MAP_FAILED || !bytes)
        die("cannot run", "no memory");
    for (size_t i = 0; i < count && ms <= ms_max; i++, done++) {
        const struct bytes *seed = &driver->inputs[i % driver->input_count];
        const struct bytes *piece =
            i < driver->input_count ? seed : &driver->words[i - driver->input_count];

        if (!seed->size || !piece->size)
            continue;
        fill(bytes, seed->data[0], piece);
        if (!run_large_again(bytes, said, cost, &worst)) {
            report_large(bytes, cost, said);
            failed++;
        }
        ms += cost->ms;
    }
    printf("%zu of %zu inputs, at most %lld ms and %lld KiB for a megabyte\n", done, count,
           (long long)worst.ms, (long long)worst.kib);
    return failed ? 1 : 0;
}

static void require_inputs(const struct driver *driver, const char *program)
{
    if (driver->input_count)
        return;
    fprintf(stderr, "%s: no input\n", program);
    exit(2);
}

static bool is_directory(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int main(int argc, char **argv)
{
    static struct driver driver = {.random = UINT64_C(0x9e3779b97f4a7c15)};
    CLEANUP_CLOSE int said = memfd_create("said", MFD_CLOEXEC);
    unsigned long rounds = 0;
    int status;

    if (said < 0)
        die("cannot run", "memfd");
    fcntl(said, F_SETFL, O_APPEND);
    driver.current = share_input();
    if (argc == 4 && strcmp(argv[1], "--large") == 0) {
        read_corpus(&driver, argv[2]);
        read_words(&driver, argv[2]);
        require_inputs(&driver, argv[0]);
        return run_all_large(&driver, strtol(argv[3], NULL, 10) * 1000, said);
    }
    if (argc == 3 && is_directory(argv[1])) {
        read_corpus(&driver, argv[1]);
        read_words(&driver, argv[1]);
        rounds = strtoul(argv[2], NULL, 10);
    } else {
        for (int i = 1; i < argc && driver.input_count < INPUTS_MAX; i++)
            read_file(argv[i], &driver.inputs[driver.input_count++]);
    }
    require_inputs(&driver, argv[0]);
    status = run_in_child(&driver, rounds, said);
    if (status)
        report(&driver, argv[0], status, said);
    else
        printf("%zu inputs, %lu changed ones\n", driver.input_count, rounds);
    return status ? 1 : 0;
}
