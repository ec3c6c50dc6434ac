/* SPDX-License-Identifier: MIT */
/* Moments as people write them, in the local time zone. */
#include "base/when.h"

#include "base/clock.h"
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define EPOCH_DIGITS 9 /* fewer are no moment that anybody recorded */

/* What the text says of a moment; the rest is as it is now. */
struct parts {
    struct tm day;  /* tm_year, tm_mon, tm_mday */
    struct tm time; /* tm_hour, tm_min, tm_sec */
    uint64_t fraction_ns;
    long offset_s; /* east of UTC */
    bool has_day, has_time, has_offset;
};

static void skip_blanks(const char **at)
{
    while (isspace((unsigned char)**at))
        (*at)++;
}

static bool take(const char **at, char byte)
{
    if (**at != byte)
        return false;
    (*at)++;
    return true;
}

/* The number of digits, at most `most`; the value is that of these. */
static uint32_t take_digits(const char **at, uint32_t most, uint64_t *ret_value)
{
    uint32_t count = 0;
    uint64_t value = 0;

    for (; count < most && isdigit((unsigned char)**at); (*at)++, count++)
        value = value * 10 + (uint64_t)(**at - '0');
    *ret_value = value;
    return count;
}

/* One or two digits that are `first` to `last`. */
static bool take_number(const char **at, int first, int last, int *ret_number)
{
    uint64_t value;

    if (take_digits(at, 2, &value) == 0 || isdigit((unsigned char)**at) || (int)value < first ||
        (int)value > last)
        return false;
    *ret_number = (int)value;
    return true;
}

/* ".5"; more digits than nine are read, and mean nothing. */
static bool take_fraction(const char **at, uint64_t *ret_ns)
{
    uint64_t value, unit = SECOND_NS, more;
    uint32_t count;

    if (!take(at, '.'))
        return true;
    count = take_digits(at, 9, &value);
    if (count == 0)
        return false;
    while (take_digits(at, 9, &more))
        ;
    for (uint32_t i = 0; i < count; i++)
        unit /= 10;
    *ret_ns = value * unit;
    return true;
}

static bool take_word(const char **at, const char *word)
{
    size_t length = strlen(word);

    if (strncasecmp(*at, word, length) != 0 || isalpha((unsigned char)(*at)[length]))
        return false;
    *at += length;
    return true;
}

/* "am", "pm" behind an hour of twelve. */
static bool take_half(const char **at, bool *ret_half, int *hour)
{
    const char *rest = *at;
    bool pm;

    skip_blanks(&rest);
    pm = take_word(&rest, "pm");
    *ret_half = pm || take_word(&rest, "am");
    if (!*ret_half)
        return true;
    if (*hour < 1 || *hour > 12)
        return false;
    *hour = *hour % 12 + (pm ? 12 : 0);
    *at = rest;
    return true;
}

/* "Z", "+01:00", "+0100", "-5". */
static bool take_offset(const char **at, struct parts *parts)
{
    int hours, minutes = 0;
    bool west = **at == '-';

    if (take(at, 'Z') || take(at, 'z')) {
        parts->has_offset = true;
        return true;
    }
    if (**at != '+' && **at != '-')
        return true;
    (*at)++;
    if (isdigit((unsigned char)(*at)[0]) && isdigit((unsigned char)(*at)[1]) &&
        isdigit((unsigned char)(*at)[2])) {
        uint64_t both;

        if (take_digits(at, 4, &both) != 4)
            return false;
        hours = (int)(both / 100);
        minutes = (int)(both % 100);
    } else if (!take_number(at, 0, 14, &hours) ||
               (take(at, ':') && !take_number(at, 0, 59, &minutes))) {
        return false;
    }
    parts->has_offset = true;
    parts->offset_s = (hours * 60L + minutes) * (west ? -60 : 60);
    return hours <= 14 && minutes <= 59;
}

/* "03:00", "3:15:30.5", "2pm". */
static bool take_time(const char **at, struct parts *parts)
{
    struct tm *time = &parts->time;
    bool minutes, half;

    if (!take_number(at, 0, 24, &time->tm_hour))
        return false;
    minutes = take(at, ':');
    if (minutes && !take_number(at, 0, 59, &time->tm_min))
        return false;
    if (minutes && take(at, ':') &&
        (!take_number(at, 0, 60, &time->tm_sec) || !take_fraction(at, &parts->fraction_ns)))
        return false;
    if (!take_half(at, &half, &time->tm_hour) || !(minutes || half))
        return false;
    parts->has_time = true;
    return (time->tm_hour < 24 || (time->tm_min == 0 && time->tm_sec == 0)) &&
           (!parts->has_day || take_offset(at, parts));
}

/* "2026-11-20" */
static bool take_date(const char **at, struct parts *parts)
{
    uint64_t year;

    if (take_digits(at, 4, &year) != 4 || !take(at, '-') ||
        !take_number(at, 1, 12, &parts->day.tm_mon) || !take(at, '-') ||
        !take_number(at, 1, 31, &parts->day.tm_mday))
        return false;
    parts->day.tm_year = (int)year - 1900;
    parts->day.tm_mon--;
    parts->has_day = true;
    return true;
}

static void set_day(struct parts *parts, const struct tm *now, int days_ago)
{
    parts->day = *now;
    parts->day.tm_mday -= days_ago;
    parts->has_day = true;
}

/* "today", "yesterday", "mon", "monday": false when it begins with none of them. */
static bool take_day_name(const char **at, struct parts *parts, const struct tm *now)
{
    static const char *const names[] = {"sunday",   "monday", "tuesday", "wednesday",
                                        "thursday", "friday", "saturday"};

    if (take_word(at, "today"))
        set_day(parts, now, 0);
    else if (take_word(at, "yesterday"))
        set_day(parts, now, 1);
    for (int i = 0; i < 7 && !parts->has_day; i++) {
        char shorter[4] = {names[i][0], names[i][1], names[i][2], '\0'};

        if (take_word(at, names[i]) || take_word(at, shorter))
            set_day(parts, now, (now->tm_wday - i + 7) % 7);
    }
    return parts->has_day;
}

static bool is_date(const char *text)
{
    return strspn(text, "0123456789") == 4 && text[4] == '-';
}

/* A day, a time, or both. */
static bool take_parts(const char *text, const struct tm *now, struct parts *parts)
{
    const char *at = text;

    if (is_date(at)) {
        if (!take_date(&at, parts))
            return false;
    } else {
        take_day_name(&at, parts, now);
    }
    if (parts->has_day && *at) {
        if ((take(&at, 'T') || take(&at, 't')) ? !*at : !isspace((unsigned char)*at))
            return false;
        skip_blanks(&at);
    }
    if (*at && !take_time(&at, parts))
        return false;
    skip_blanks(&at);
    return *at == '\0' && (parts->has_day || parts->has_time);
}

/* The moment of a day at the time of `parts`. */
static int moment(const struct parts *parts, const struct tm *day, int days_later, uint64_t *ret_ns)
{
    struct tm when = {.tm_year = day->tm_year,
                      .tm_mon = day->tm_mon,
                      .tm_mday = day->tm_mday + days_later,
                      .tm_hour = parts->time.tm_hour,
                      .tm_min = parts->time.tm_min,
                      .tm_sec = parts->time.tm_sec,
                      .tm_isdst = -1};
    time_t seconds = parts->has_offset ? timegm(&when) : mktime(&when);

    if (seconds == (time_t)-1)
        return -ERANGE;
    seconds -= parts->offset_s;
    if (seconds < 0)
        return -ERANGE;
    *ret_ns = (uint64_t)seconds * SECOND_NS + parts->fraction_ns;
    return 0;
}

/* 31 of a month with 30 days is no day. */
static bool is_day(const struct tm *day)
{
    struct tm same = {.tm_year = day->tm_year, .tm_mon = day->tm_mon, .tm_mday = day->tm_mday};

    return timegm(&same) != (time_t)-1 && same.tm_mon == day->tm_mon;
}

/* A time without a day. */
static int nearest(const struct parts *parts, uint64_t now_ns, uint64_t after_ns, uint64_t *ret_ns)
{
    time_t seconds = (time_t)((after_ns ? after_ns : now_ns) / SECOND_NS);
    struct tm day;
    int r;

    if (!localtime_r(&seconds, &day))
        return -ERANGE;
    r = moment(parts, &day, 0, ret_ns);
    if (r == 0 && after_ns && *ret_ns <= after_ns)
        r = moment(parts, &day, 1, ret_ns);
    else if (r == 0 && !after_ns && *ret_ns > now_ns)
        r = moment(parts, &day, -1, ret_ns);
    return r;
}

/* "@1763600000.5" */
static bool take_epoch(const char *text, uint64_t *ret_ns)
{
    const char *at = text;
    bool named = take(&at, '@');
    uint64_t seconds, fraction_ns = 0;
    uint32_t digits = take_digits(&at, 11, &seconds);

    if (digits < (named ? 1 : EPOCH_DIGITS) || digits > 10 || !take_fraction(&at, &fraction_ns) ||
        *at)
        return false;
    *ret_ns = seconds * SECOND_NS + fraction_ns;
    return true;
}

/* "90 min", "1 hour 30 minutes" as units_parse() reads them: "90min", "1h30m". False: too long, or
 * a word that it does not know. */
static bool shorten(const char *text, size_t length, char *out, size_t size)
{
    static const char *const words[][2] = {
        {"seconds", "s"}, {"second", "s"}, {"secs", "s"}, {"sec", "s"},   {"minutes", "m"},
        {"minute", "m"},  {"mins", "m"},   {"min", "m"},  {"hours", "h"}, {"hour", "h"},
        {"hrs", "h"},     {"days", "d"},   {"day", "d"},  {"weeks", "w"}, {"week", "w"},
    };
    size_t used = 0;

    for (const char *at = text; at < text + length;) {
        size_t i = 0;

        while (i < ARRAY_SIZE(words) && !take_word(&at, words[i][0]))
            i++;
        if (used + 1 >= size)
            return false;
        if (i < ARRAY_SIZE(words))
            out[used++] = words[i][1][0];
        else if (!isspace((unsigned char)*at++))
            out[used++] = at[-1];
    }
    out[used] = '\0';
    return true;
}

static bool take_duration(const char *text, size_t length, uint64_t *ret_seconds)
{
    char shorter[64];

    return shorten(text, length, shorter, sizeof(shorter)) &&
           units_parse(shorter, strlen(shorter), UNIT_SECONDS, ret_seconds, NULL) == 0;
}

/* "-2h", "2h ago". */
static bool take_ago(const char *text, uint64_t *ret_seconds)
{
    size_t length = strlen(text);

    if (text[0] == '-')
        return take_duration(text + 1, length - 1, ret_seconds);
    if (length < 4 || strcasecmp(text + length - 3, "ago") != 0)
        return false;
    return take_duration(text, length - 3, ret_seconds);
}

int when_parse(const char *text, uint64_t now_ns, uint64_t after_ns, uint64_t *ret_ns)
{
    time_t seconds = (time_t)(now_ns / SECOND_NS);
    struct parts parts = {.has_day = false};
    struct tm now;
    uint64_t ago;

    skip_blanks(&text);
    if (strcasecmp(text, "now") == 0) {
        *ret_ns = now_ns;
        return 0;
    }
    if (take_epoch(text, ret_ns))
        return 0;
    if (take_ago(text, &ago)) {
        if (ago > now_ns / SECOND_NS)
            return -ERANGE;
        *ret_ns = now_ns - ago * SECOND_NS;
        return 0;
    }
    if (!localtime_r(&seconds, &now))
        return -ERANGE;
    if (!take_parts(text, &now, &parts))
        return -EINVAL;
    if (!parts.has_day)
        return nearest(&parts, now_ns, after_ns, ret_ns);
    return is_day(&parts.day) || !is_date(text) ? moment(&parts, &parts.day, 0, ret_ns) : -ERANGE;
}
