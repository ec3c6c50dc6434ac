/* SPDX-License-Identifier: MIT */
/* Question: endpoints, their parameters, and the command line that they become. */
#include "serve/question.h"

#include <string.h>

#define API "/api/v1/"
#define ALL_NETNS "--all-netns"
#define NO_TIME_WAIT "--no-time-wait"

/* Where the value of a parameter goes. */
enum place_of_value {
    AS_OPTION, /* --NAME=VALUE */
    AS_KEYS,   /* the first word behind the options */
    AS_FILTER, /* the last one */
    AS_FORM,
    AS_NETNS,     /* "all" is the option */
    AS_TIME_WAIT, /* "no" is the option */
};

struct parameter {
    const char *name, *option; /* option: with its dashes and equals sign */
    enum place_of_value place;
};

#define FORM                                                                                       \
    {                                                                                              \
        "format", NULL, AS_FORM                                                                    \
    }
#define FILTER                                                                                     \
    {                                                                                              \
        "filter", NULL, AS_FILTER                                                                  \
    }
#define ROWS                                                                                       \
    {"sort", "--sort=", AS_OPTION}, {"limit", "--limit=", AS_OPTION},                              \
    {                                                                                              \
        "columns", "--output=", AS_OPTION                                                          \
    }

/* What is answered from a snapshot of now. */
#define PRESENT                                                                                    \
    {                                                                                              \
        "netns", ALL_NETNS, AS_NETNS                                                               \
    }
#define TIME_WAIT                                                                                  \
    {                                                                                              \
        "time_wait", NO_TIME_WAIT, AS_TIME_WAIT                                                    \
    }

#define PARAMETERS_MAX 12

static const struct endpoint {
    const char *name, *command;
    const char *flag; /* a further word of the command; or NULL */
    enum question_source source;
    unsigned int present; /* of QUESTION_PRESENT: what its snapshot has to have, whatever is asked
                           */
    bool needs_keys;
    struct parameter parameters[PARAMETERS_MAX];
} endpoints[] = {
    {.name = "sockets",
     .command = "ls",
     .source = QUESTION_PRESENT,
     .parameters = {FORM, FILTER, PRESENT, TIME_WAIT, ROWS}},
    {.name = "processes",
     .command = "ps",
     .source = QUESTION_PRESENT,
     .present = PRESENT_PROCESSES,
     .parameters = {FORM, FILTER, PRESENT, ROWS}},
    {.name = "ports",
     .command = "ports",
     .source = QUESTION_PRESENT,
     .parameters = {FORM, FILTER, PRESENT, ROWS}},
    {.name = "count",
     .command = "count",
     .source = QUESTION_PRESENT,
     .needs_keys = true,
     .parameters = {FORM, {"by", NULL, AS_KEYS}, FILTER, PRESENT, TIME_WAIT, ROWS}},
    {.name = "history",
     .command = "history",
     .source = QUESTION_HISTORY,
     .parameters = {FORM,
                    FILTER,
                    {"since", "--since=", AS_OPTION},
                    {"until", "--until=", AS_OPTION},
                    {"at", "--at=", AS_OPTION},
                    {"every", "--every=", AS_OPTION},
                    {"by", "--by=", AS_OPTION},
                    ROWS}},
    {.name = "status", .command = "serve", .flag = "--status", .source = QUESTION_HISTORY},
    {.name = "doctor", .command = "doctor", .source = QUESTION_DOCTOR, .parameters = {FORM}},
};

static const char *const forms[QUESTION_FORM_MAX] = {"json", "csv"};
static const char *const form_words[QUESTION_FORM_MAX] = {"--json", "--csv"};

/* --- what there is --- */

bool question_is_of_api(struct http_text path)
{
    return path.length >= strlen(API) && memcmp(path.start, API, strlen(API)) == 0;
}

static const struct endpoint *find_endpoint(struct http_text path)
{
    if (!question_is_of_api(path))
        return NULL;
    path.start += strlen(API);
    path.length -= strlen(API);
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++)
        if (http_text_is(path, endpoints[i].name))
            return &endpoints[i];
    return NULL;
}

bool question_is_known(struct http_text path)
{
    return find_endpoint(path) != NULL;
}

/* The index; PARAMETERS_MAX: there is none. */
static size_t find_parameter(const struct endpoint *endpoint, const char *name)
{
    size_t i = 0;

    while (i < PARAMETERS_MAX &&
           !(endpoint->parameters[i].name && strcmp(endpoint->parameters[i].name, name) == 0))
        i++;
    return i;
}

/* --- the query --- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without its escapes (application/x-www-form-urlencoded). -EINVAL: it is broken, or has a NUL. */
static int decode(struct http_text text, struct buf *out)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.start[i];

        if (c == '%') {
            int high = i + 2 < text.length ? hex(text.start[i + 1]) : -1;
            int low = i + 2 < text.length ? hex(text.start[i + 2]) : -1;

            if (high < 0 || low < 0 || high + low == 0)
                return -EINVAL;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+') {
            c = ' ';
        }
        buf_byte(out, c);
    }
    buf_string(out);
    return out->error;
}

/* What was asked, by the parameters of the endpoint; "": it was not said. */
struct values {
    struct buf of[PARAMETERS_MAX];
    bool given[PARAMETERS_MAX];
};

static void values_done(struct values *values)
{
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        buf_done(&values->of[i]);
}

static int refuse(struct buf *problem, const char *what, const char *name, const char *why)
{
    buf_printf(problem, "%s \"%s\" %s", what, name, why);
    return -EINVAL;
}

static int refuse_unknown(const struct endpoint *endpoint, const char *name, struct buf *problem)
{
    buf_printf(problem, "there is no parameter \"%s\": %s%s has", name, API, endpoint->name);
    for (size_t i = 0; i < PARAMETERS_MAX && endpoint->parameters[i].name; i++)
        buf_printf(problem, "%s %s", i ? "," : "", endpoint->parameters[i].name);
    if (!endpoint->parameters[0].name)
        buf_puts(problem, " none");
    return -EINVAL;
}

/* NAME=VALUE */
static int take_pair(const struct endpoint *endpoint, struct http_text pair, struct values *values,
                     struct buf *problem)
{
    const char *equals = memchr(pair.start, '=', pair.length);
    size_t length = equals ? (size_t)(equals - pair.start) : pair.length, i;
    struct http_text value = {pair.start + length, pair.length - length};
    CLEANUP(buf_done) struct buf name = BUF_INIT;
    int r = decode((struct http_text){pair.start, length}, &name);

    if (value.length) {
        value.start++;
        value.length--;
    }
    if (r == 0) {
        i = find_parameter(endpoint, buf_string(&name));
        if (i == PARAMETERS_MAX)
            return refuse_unknown(endpoint, buf_string(&name), problem);
        if (values->given[i])
            return refuse(problem, "the parameter", buf_string(&name), "is there twice");
        values->given[i] = true;
        r = decode(value, &values->of[i]);
    }
    if (r == -EINVAL)
        buf_puts(problem, "the query has a % without two hexadecimal digits, or a NUL byte");
    return r;
}

static int take_query(const struct endpoint *endpoint, struct http_text query,
                      struct values *values, struct buf *problem)
{
    int r = 0;

    while (r == 0 && query.length) {
        const char *end = memchr(query.start, '&', query.length);
        size_t length = end ? (size_t)(end - query.start) : query.length;

        if (length)
            r = take_pair(endpoint, (struct http_text){query.start, length}, values, problem);
        length += end != NULL;
        query = (struct http_text){query.start + length, query.length - length};
    }
    return r;
}

/* --- the words --- */

static void put_word(struct question *question, const char *before, const char *word)
{
    buf_puts(&question->words, before);
    buf_puts(&question->words, word);
    buf_byte(&question->words, '\0');
}

static int choose_form(struct question *question, const char *form, struct buf *problem)
{
    for (unsigned int i = 0; i < QUESTION_FORM_MAX; i++)
        if (strcmp(form, forms[i]) == 0) {
            question->form = i;
            return 0;
        }
    return refuse(problem, "the format", form, "is neither json nor csv");
}

/* One namespace among all is found by the filter. */
static int choose_netns(struct question *question, const char *netns, const char *option,
                        struct buf *problem)
{
    if (strcmp(netns, "all") != 0)
        return refuse(problem, "the namespace", netns,
                      "cannot be chosen: netns=all, and filter=netns NAME");
    put_word(question, option, "");
    return 0;
}

static int choose_time_wait(struct question *question, const char *time_wait, const char *option,
                            struct buf *problem)
{
    if (strcmp(time_wait, "no") != 0)
        return refuse(problem, "time_wait", time_wait,
                      "is not known: time_wait=no leaves such sockets out");
    put_word(question, option, "");
    return 0;
}

/* What stands before "--". */
static int put_parameter(const struct parameter *parameter, const char *value,
                         struct question *question, struct buf *problem)
{
    switch (parameter->place) {
    case AS_OPTION:
        put_word(question, parameter->option, value);
        return 0;
    case AS_FORM:
        return choose_form(question, value, problem);
    case AS_NETNS:
        return choose_netns(question, value, parameter->option, problem);
    case AS_TIME_WAIT:
        return choose_time_wait(question, value, parameter->option, problem);
    case AS_KEYS:
    case AS_FILTER:
        break;
    }
    return 0;
}

/* False: it was not said. */
static bool put_words_of(const struct endpoint *endpoint, enum place_of_value place,
                         const struct values *values, struct question *question)
{
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        if (endpoint->parameters[i].place == place && values->of[i].length) {
            put_word(question, "", values->of[i].data);
            return true;
        }
    return false;
}

/* Behind "--" nothing is an option, whatever it begins with. */
static int put_words(const struct endpoint *endpoint, const struct values *values,
                     struct question *question, struct buf *problem)
{
    int r = 0;

    put_word(question, "", endpoint->command);
    if (endpoint->flag)
        put_word(question, "", endpoint->flag);
    for (size_t i = 0; i < PARAMETERS_MAX && r == 0; i++)
        if (values->of[i].length)
            r = put_parameter(&endpoint->parameters[i], values->of[i].data, question, problem);
    if (r < 0)
        return r;
    put_word(question, "", form_words[question->form]);
    put_word(question, "", "--");
    if (endpoint->needs_keys && !put_words_of(endpoint, AS_KEYS, values, question))
        return refuse(problem, "the parameter", "by", "is needed: for example by=state");
    put_words_of(endpoint, AS_FILTER, values, question);
    return question->words.error;
}

int question_make(struct http_text path, struct http_text query, struct question *question,
                  struct buf *problem)
{
    const struct endpoint *endpoint = find_endpoint(path);
    struct values values = {.given = {false}};
    int r = endpoint ? 0 : -ENOENT;

    *question = (struct question){.words = BUF_INIT};
    if (r < 0)
        return r;
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        values.of[i] = BUF_INIT;
    question->source = endpoint->source;
    r = take_query(endpoint, query, &values, problem);
    if (r == 0)
        r = put_words(endpoint, &values, question, problem);
    values_done(&values);
    if (r == 0 && question->words.length > QUESTION_MAX)
        return refuse(problem, "the query of", endpoint->name, "is too long");
    return r;
}

void question_done(struct question *question)
{
    buf_done(&question->words);
}

/* --- the other side --- */

/* That has a value of its own, or none. */
static bool is_option(const struct parameter *parameter, const char *word)
{
    if (!parameter->option)
        return false;
    return parameter->place == AS_OPTION
               ? strncmp(word, parameter->option, strlen(parameter->option)) == 0
               : strcmp(word, parameter->option) == 0;
}

static bool is_option_of(const struct endpoint *endpoint, const char *word)
{
    for (size_t i = 0; i < QUESTION_FORM_MAX; i++)
        if (strcmp(word, form_words[i]) == 0)
            return true;
    if (endpoint->flag && strcmp(word, endpoint->flag) == 0)
        return true;
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        if (is_option(&endpoint->parameters[i], word))
            return true;
    return false;
}

/* Of a command that has a further word: which makes it another one. */
static bool has_flag(const struct endpoint *endpoint, const char *second, const char *end)
{
    return !endpoint->flag || (second < end && strcmp(second, endpoint->flag) == 0);
}

/* What an option says of the snapshot. */
static unsigned int present_of(const char *option)
{
    if (strcmp(option, ALL_NETNS) == 0)
        return PRESENT_ALL_NETNS;
    return strcmp(option, NO_TIME_WAIT) == 0 ? PRESENT_NO_TIME_WAIT : 0;
}

int question_check(const char *words, size_t length, enum question_source *ret_source,
                   enum present *ret_present)
{
    const char *end = words + length, *word = words;
    const struct endpoint *endpoint = NULL;
    unsigned int count = 1, present;

    if (!length || length > QUESTION_MAX || end[-1] != '\0')
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++)
        if (strcmp(words, endpoints[i].command) == 0)
            endpoint = &endpoints[i];
    word += strlen(word) + 1;
    if (!endpoint || !has_flag(endpoint, word, end))
        return -EINVAL;
    present = endpoint->present;
    for (; word < end && strcmp(word, "--") != 0; word += strlen(word) + 1, count++) {
        if (!is_option_of(endpoint, word))
            return -EINVAL;
        present |= present_of(word);
    }
    if (word == end)
        return -EINVAL;
    for (; word < end; word += strlen(word) + 1)
        count++;
    if (count > QUESTION_WORDS_MAX)
        return -EINVAL;
    *ret_source = endpoint->source;
    *ret_present = present;
    return 0;
}

/* --- how it would be typed --- */

static bool is_plain(const char *word)
{
    for (; *word; word++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%",
                    *word))
            return false;
    return true;
}

/* A field of HTTP has no controls: a word with such bytes is in the quotes of bash that have
 * escapes. */
static void put_quoted(const char *word, struct buf *out)
{
    bool escapes = false;

    for (const char *at = word; *at; at++)
        escapes |= *at < ' ' || *at > '~';
    buf_puts(out, escapes ? "$'" : "'");
    for (; *word; word++) {
        if (*word < ' ' || *word > '~')
            buf_printf(out, "\\x%02x", (unsigned char)*word);
        else if (*word == '\'')
            buf_puts(out, escapes ? "\\'" : "'\\''");
        else if (*word == '\\' && escapes)
            buf_puts(out, "\\\\");
        else
            buf_byte(out, *word);
    }
    buf_byte(out, '\'');
}

void question_put_command(const struct question *question, struct buf *out)
{
    const char *word = question->words.data, *end = word + question->words.length;
    bool behind = false;

    buf_puts(out, "nwho");
    for (; word < end; word += strlen(word) + 1) {
        bool is_end = !behind && strcmp(word, "--") == 0;

        behind |= is_end;
        /* only where a word could be taken for an option is the end of them needed */
        if (is_end && (word + 3 == end || !memchr(word + 3, '-', (size_t)(end - word - 3))))
            continue;
        buf_byte(out, ' ');
        if (*word && is_plain(word))
            buf_puts(out, word);
        else
            put_quoted(word, out);
    }
}

void question_put_name(struct http_text path, struct buf *out)
{
    const struct endpoint *endpoint = find_endpoint(path);

    buf_printf(out, "nwho-%s.csv", endpoint ? endpoint->name : "");
}
