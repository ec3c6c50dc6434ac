/* SPDX-License-Identifier: MIT */
/* mksock: makes sockets in exact situations for tests and says the truth about each as JSON. */
#include "mksock.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct mk_situation *const tables[] = {
    mk_tcp_situations,  mk_tcp_close_situations, mk_inet_situations,
    mk_unix_situations, mk_other_situations,     mk_owner_situations,
};
#define TABLE_COUNT (sizeof(tables) / sizeof(tables[0]))

void mk_say(struct mk *mk, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(mk->error, sizeof(mk->error), format, args);
    va_end(args);
}

void mk_say_errno(struct mk *mk, const char *what)
{
    mk_say(mk, "%s: %s", what, strerror(errno));
}

/* A kind of socket the kernel does not have is told apart: a test skips then. */
void mk_say_socket(struct mk *mk, const char *what)
{
    mk->unsupported = errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT ||
                      errno == EAFNOSUPPORT || errno == ENOPROTOOPT || errno == EPROTOTYPE;
    mk_say_errno(mk, what);
}

const char *mk_option(struct mk *mk, const char *key, const char *fallback)
{
    const char *value = fallback;
    for (size_t i = 0; i < mk->option_count; i++) {
        if (strcmp(mk->options[i].key, key) == 0) {
            mk->options[i].used = true;
            value = mk->options[i].value;
        }
    }
    return value;
}

int64_t mk_number(struct mk *mk, const char *key, int64_t fallback)
{
    const char *text = mk_option(mk, key, NULL);
    return text ? strtoll(text, NULL, 0) : fallback;
}

static int add_option(struct mk *mk, const char *key, size_t key_length, const char *value)
{
    struct mk_option option = {.value = value};
    if (mk->option_count == MK_MAX_OPTIONS || key_length >= sizeof(option.key))
        return mk_fail(mk, "too many options or a key too long: %s", key);
    memcpy(option.key, key, key_length);
    mk->options[mk->option_count++] = option;
    return 0;
}

/* Adds an option unless the caller gave it: how a situation is made of another. */
void mk_default(struct mk *mk, const char *key, const char *value)
{
    for (size_t i = 0; i < mk->option_count; i++) {
        if (strcmp(mk->options[i].key, key) == 0)
            return;
    }
    (void)add_option(mk, key, strlen(key), value);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Bytes are given as text with \xNN (lower case); everything else stands for itself. */
int mk_unescape(const char *text, struct mk_bytes *ret_bytes)
{
    struct mk_bytes bytes = {.present = true};
    while (*text) {
        if (bytes.length == sizeof(bytes.data))
            return -ENAMETOOLONG;
        char byte = *text++;
        if (byte == '\\' && text[0] == 'x') {
            int high = hex_digit(text[1]);
            int low = high < 0 ? -1 : hex_digit(text[2]);
            if (low < 0)
                return -EINVAL;
            byte = (char)(high * 16 + low);
            text += 3;
        }
        bytes.data[bytes.length++] = byte;
    }
    *ret_bytes = bytes;
    return 0;
}

int mk_remember_path(struct mk *mk, const char *path)
{
    struct mk_cleanup *cleanup = mk->cleanup;
    char **paths = realloc(cleanup->paths, (cleanup->path_count + 1) * sizeof(*paths));
    if (!paths)
        return mk_fail_errno(mk, "realloc");
    cleanup->paths = paths;
    paths[cleanup->path_count] = strdup(path);
    if (!paths[cleanup->path_count])
        return mk_fail_errno(mk, "strdup");
    cleanup->path_count++;
    return 0;
}

int mk_remember_child(struct mk *mk, pid_t pid, int control)
{
    struct mk_cleanup *cleanup = mk->cleanup;
    struct mk_process *children =
        realloc(cleanup->children, (cleanup->child_count + 1) * sizeof(*children));
    if (!children)
        return mk_fail_errno(mk, "realloc");
    cleanup->children = children;
    children[cleanup->child_count++] = (struct mk_process){pid, control};
    return 0;
}

static void stop_child(const struct mk_process *child)
{
    if (child->control >= 0)
        (void)close(child->control);
    else
        (void)kill(child->pid, SIGTERM);
}

void mk_clean_up(struct mk_cleanup *cleanup)
{
    for (size_t i = 0; i < cleanup->child_count; i++)
        stop_child(&cleanup->children[i]);
    for (size_t i = 0; i < cleanup->child_count; i++)
        (void)waitpid(cleanup->children[i].pid, NULL, 0);
    for (size_t i = 0; i < cleanup->path_count; i++) {
        (void)unlink(cleanup->paths[i]);
        free(cleanup->paths[i]);
    }
    free(cleanup->paths);
    free(cleanup->children);
}

const struct mk_situation *mk_find_situation(const char *name)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        for (const struct mk_situation *s = tables[t]; s->name; s++) {
            if (strcmp(s->name, name) == 0)
                return s;
        }
    }
    return NULL;
}

static int check_options_used(struct mk *mk)
{
    for (size_t i = 0; i < mk->option_count; i++) {
        if (!mk->options[i].used)
            return mk_fail(mk, "option %s= means nothing here", mk->options[i].key);
    }
    return 0;
}

int mk_make(struct mk *mk, const struct mk_situation *situation)
{
    int64_t many = mk_number(mk, "many", 1);
    if (mk->repeating)
        many = 1;
    mk->repeating = true;
    for (int64_t i = 0; i < many; i++) {
        mk->index = (size_t)i;
        if (situation->make(mk) < 0)
            return -1;
    }
    return check_options_used(mk);
}

/* Takes "SITUATION key=value ..." up to "--" or the end; returns how many words were used. */
static int parse_group(struct mk *mk, char *const *words, int count)
{
    int used = 1;
    mk->situation = words[0];
    for (; used < count && strcmp(words[used], "--") != 0; used++) {
        const char *equals = strchr(words[used], '=');
        if (!equals)
            return mk_fail(mk, "'%s' is not key=value", words[used]);
        if (add_option(mk, words[used], (size_t)(equals - words[used]), equals + 1) < 0)
            return -1;
    }
    return used;
}

/* What a copy of this program was told by the one that made it, see exec_copy(). */
static int leave_file(struct mk *mk)
{
    const char *file = mk_option(mk, "unlink-exe", NULL);
    mk->situation = mk_option(mk, "as", mk->situation);
    return file && unlink(file) < 0 ? mk_fail_errno(mk, file) : 0;
}

static int run_group(struct mk *mk, char **words, int count)
{
    int used = parse_group(mk, words, count);
    if (used < 0)
        return -1;
    const struct mk_situation *situation = mk_find_situation(mk->situation);
    if (!situation)
        return mk_fail(mk, "no such situation (mksock --list shows all)");
    if (leave_file(mk) < 0)
        return -1;
    int rc = mk_wants_process(mk) ? mk_run_in_process(mk, situation) : mk_make(mk, situation);
    return rc < 0 ? -1 : used;
}

static int run_groups(char **words, int count, struct mk_cleanup *cleanup)
{
    for (size_t group = 0; count > 0; group++) {
        struct mk mk = {.out = stdout, .cleanup = cleanup, .group = group};
        int used = run_group(&mk, words, count);
        if (used < 0) {
            if (mk.error[0]) /* else a child of ours has said it */
                fprintf(stderr, "mksock: %s: %s\n", mk.situation, mk.error);
            return mk.unsupported ? MK_EXIT_UNSUPPORTED : 1;
        }
        if (used < count)
            used++; /* the "--" */
        words += used;
        count -= used;
    }
    return 0;
}

static void list_situations(void)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        for (const struct mk_situation *s = tables[t]; s->name; s++)
            printf("%-22s %s\n", s->name, s->help);
    }
}

void mk_wait_end_of_input(void)
{
    char buffer[256];
    ssize_t n;
    do {
        n = read(STDIN_FILENO, buffer, sizeof(buffer));
    } while (n > 0 || (n < 0 && errno == EINTR));
}

/* Connections that no peer answers would linger in the namespace: they are reset instead. */
static void reset_all(void)
{
    const struct linger none = {.l_onoff = 1};
    int end = (int)sysconf(_SC_OPEN_MAX);
    for (int fd = STDERR_FILENO + 1; fd < end; fd++)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: mksock SITUATION [key=value ...] [-- SITUATION ...] | --list\n");
        return 1;
    }
    if (strcmp(argv[1], "--list") == 0) {
        list_situations();
        return 0;
    }
    raise_descriptor_limit();
    (void)signal(SIGPIPE, SIG_IGN);
    struct mk_cleanup cleanup = {0};
    int rc = run_groups(argv + 1, argc - 1, &cleanup);
    if (rc == 0) {
        printf("ready\n");
        (void)fflush(stdout);
        mk_wait_end_of_input();
        reset_all();
    }
    mk_clean_up(&cleanup);
    return rc;
}
