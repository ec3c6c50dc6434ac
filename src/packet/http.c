/* SPDX-License-Identifier: MIT */
/* HTTP/1: the first line of requests and responses, RFC 9112. */
#include "packet/http.h"

#include "packet/facts.h"

#include <strings.h>

#define WORD_SIZE 128

static const char *const methods[] = {
    "GET",
    "PUT",
    "COPY",
    "HEAD",
    "LOCK",
    "MOVE",
    "POLL",
    "POST",
    "BCOPY",
    "BMOVE",
    "MKCOL",
    "TRACE",
    "LABEL",
    "MERGE",
    "DELETE",
    "SEARCH",
    "UNLOCK",
    "REPORT",
    "UPDATE",
    "NOTIFY",
    "BDELETE",
    "CONNECT",
    "OPTIONS",
    "CHECKIN",
    "PROPFIND",
    "CHECKOUT",
    "CCM_POST",
    "SUBSCRIBE",
    "PROPPATCH",
    "BPROPFIND",
    "BPROPPATCH",
    "UNCHECKOUT",
    "MKACTIVITY",
    "MKWORKSPACE",
    "UNSUBSCRIBE",
    "RPC_CONNECT",
    "VERSION-CONTROL",
    "BASELINE-CONTROL",
};

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_line_end(uint8_t byte)
{
    return byte == '\r' || byte == '\n';
}

static bool is_printable(uint8_t byte)
{
    return byte >= ' ' && byte < 0x7f;
}

/*
 * The word at `at`, and what is behind the blanks after it, at most `end`. 0: there is none, or it
 * is no word, or its end was not captured.
 */
static uint32_t read_word(const struct packet *packet, uint32_t at, uint32_t end,
                          char word[WORD_SIZE])
{
    uint32_t length = 0;

    for (;; at++) {
        if (at >= end)
            break;
        if (at >= packet->end)
            return 0;
        if (is_blank(packet->bytes[at]) || is_line_end(packet->bytes[at]))
            break;
        if (!is_printable(packet->bytes[at]) || length + 2 > WORD_SIZE)
            return 0;
        word[length++] = (char)packet->bytes[at];
    }
    word[length] = '\0';
    if (length == 0)
        return 0;
    while (at < end && at < packet->end && is_blank(packet->bytes[at]))
        at++;
    return at;
}

static bool is_method(const char *word)
{
    for (uint32_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (strcasecmp(word, methods[i]) == 0)
            return true;
    return false;
}

static bool is_status(const char *word)
{
    return strlen(word) == 3 && strspn(word, "0123456789") == 3;
}

/* A request has its method first, a response its status second. */
static bool is_message(const struct packet *packet, uint32_t at, uint32_t end, char word[WORD_SIZE])
{
    char second[WORD_SIZE];

    at = read_word(packet, at, end, word);
    if (!at)
        return false;
    return is_method(word) || (read_word(packet, at, end, second) && is_status(second));
}

/* --- values --- */

/* What of the packet stands from `at` on, before `end` and the end of the line. */
static uint32_t line_end(const struct packet *packet, uint32_t at, uint32_t end)
{
    while (at < end && at < packet->end && !is_line_end(packet->bytes[at]))
        at++;
    return at;
}

static uint32_t word_end(const struct packet *packet, uint32_t at, uint32_t end)
{
    while (at < end && !is_blank(packet->bytes[at]))
        at++;
    return at;
}

static uint32_t skip_blanks(const struct packet *packet, uint32_t at, uint32_t end)
{
    while (at < end && is_blank(packet->bytes[at]))
        at++;
    return at;
}

static struct fact_text take_text(struct packet *packet, uint32_t at, uint32_t end)
{
    return packet_facts_add(packet->facts, packet->bytes + at, end - at);
}

/* The next line that begins at or behind `at`; `end`: there is none. */
static uint32_t next_line(const struct packet *packet, uint32_t at, uint32_t end)
{
    while (at < end && at < packet->end && packet->bytes[at] != '\n')
        at++;
    return at < end && at < packet->end ? at + 1 : end;
}

static void take_host(struct packet *packet, uint32_t at, uint32_t end)
{
    static const char name[] = "host:";
    const uint32_t length = sizeof(name) - 1;

    for (at = next_line(packet, at, end); at < end; at = next_line(packet, at, end)) {
        uint32_t behind = line_end(packet, at, end);

        if (behind == at)
            return;
        if (behind - at <= length ||
            strncasecmp((const char *)packet->bytes + at, name, length) != 0)
            continue;
        at = skip_blanks(packet, at + length, behind);
        packet->facts->http.host = take_text(packet, at, word_end(packet, at, behind));
        return;
    }
}

/* Of a message whose first line begins with `word`. */
static void take_facts(struct packet *packet, const char *word, uint32_t at, uint32_t end)
{
    uint32_t line = line_end(packet, at, end), first = word_end(packet, at, line),
             second = skip_blanks(packet, first, line), behind = word_end(packet, second, line);

    packet->facts->has |= FACTS_HTTP;
    if (!is_method(word)) {
        packet->facts->http.status =
            (uint16_t)((packet->bytes[second] - '0') * 100 +
                       (packet->bytes[second + 1] - '0') * 10 + packet->bytes[second + 2] - '0');
        return;
    }
    packet->facts->http.method = take_text(packet, at, first);
    packet->facts->http.target = take_text(packet, second, behind);
    take_host(packet, at, end);
}

/* --- text --- */

/* The line at `at`; returns what is behind it, 0 when it was none of text or has no end. */
static uint32_t put_line(struct packet *packet, const char *before, uint32_t at, uint32_t end)
{
    uint32_t i = at, behind;

    while (i < end && packet_need(packet, i, 1) &&
           (is_printable(packet->bytes[i]) || packet->bytes[i] == '\t'))
        i++;
    if (packet->cut)
        return 0;
    behind = i + 1;
    if (i < end && packet->bytes[i] == '\r') {
        if (i + 1 >= end || packet_u8(packet, i + 1) != '\n')
            return 0;
        behind++;
    } else if (i < end && packet->bytes[i] != '\n') {
        return 0;
    }
    packet_puts(packet, before);
    buf_put(packet->out, packet->bytes + at, i - at);
    if (i < end)
        return behind;
    packet_put_missing(packet);
    return 0;
}

void http_dissect(struct packet *packet, uint32_t at, uint32_t length)
{
    uint32_t end = at + length;
    char word[WORD_SIZE];

    packet->protocol = "http";
    packet_puts(packet, "HTTP");
    if (!is_message(packet, at, end, word))
        return;
    if (packet->facts)
        take_facts(packet, word, at, end);
    if (packet->options->verbose == 0) {
        put_line(packet, ": ", at, end);
        return;
    }
    packet_printf(packet, ", length: %u", length);
    while (at && at < end)
        at = put_line(packet, "\n\t", at, end);
}
