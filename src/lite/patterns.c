/* SPDX-License-Identifier: MIT */
/* Patterns of nwho-lite, in place of those of the C library, which are for characters of all
 * languages and as large as a tenth of this program. Regular expressions there are none. */
#include <fnmatch.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>

int regcomp(regex_t *regex, const char *pattern, int flags)
{
    (void)regex;
    (void)pattern;
    (void)flags;
    return REG_BADPAT;
}

int regexec(const regex_t *regex, const char *text, size_t count, regmatch_t *matches, int flags)
{
    (void)regex;
    (void)text;
    (void)count;
    (void)matches;
    (void)flags;
    return REG_NOMATCH;
}

void regfree(regex_t *regex)
{
    (void)regex;
}

size_t regerror(int error, const regex_t *regex, char *text, size_t size)
{
    static const char reason[] = "this nwho was built without regular expressions";

    (void)error;
    (void)regex;
    snprintf(text, size, "%s", reason);
    return sizeof(reason);
}

static unsigned char fold(char c, int flags)
{
    return (unsigned char)(flags & FNM_CASEFOLD && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

/* [a-z], [!a-z]; behind it goes on `*pattern`. False also where nothing closes it: then '[' is
 * itself. */
static bool is_in_set(const char **pattern, char c, int flags)
{
    const char *at = *pattern + 1;
    bool negated = *at == '!' || *at == '^', found = false;
    unsigned char low, high, wanted = fold(c, flags);
    const char *first = at += negated;

    while (*at && (*at != ']' || at == first)) {
        low = high = fold(*at, flags);
        if (at[1] == '-' && at[2] && at[2] != ']') {
            high = fold(at[2], flags);
            at += 2;
        }
        found = found || (wanted >= low && wanted <= high);
        at++;
    }
    if (!*at) {
        ++*pattern;
        return c == '[';
    }
    *pattern = at + 1;
    return found != negated;
}

static bool matches_one(const char **pattern, char c, int flags)
{
    if (**pattern == '[')
        return is_in_set(pattern, c, flags);
    if (**pattern == '?') {
        ++*pattern;
        return true;
    }
    if (**pattern == '\\' && (*pattern)[1])
        ++*pattern;
    return fold(*(*pattern)++, flags) == fold(c, flags);
}

/* After a mismatch only the last star takes one byte more: an earlier one could win nothing. */
int fnmatch(const char *pattern, const char *text, int flags)
{
    const char *star = NULL, *held = NULL;

    while (*text || *pattern) {
        const char *next = pattern;

        if (*pattern == '*') {
            star = ++pattern;
            held = text;
        } else if (*text && *pattern && matches_one(&next, *text, flags)) {
            pattern = next;
            text++;
        } else if (star && *held) {
            pattern = star;
            text = ++held;
        } else {
            return FNM_NOMATCH;
        }
    }
    return 0;
}
