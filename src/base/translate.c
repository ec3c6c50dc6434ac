/* SPDX-License-Identifier: MIT */
/* Translates by gettext of libc. */
#include "base/translate.h"

#if HAVE_GETTEXT

#include <langinfo.h>
#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define DOMAIN "nwho"

/* That of messages alone, made once; 0: there is none. */
static locale_t messages_locale(void)
{
    static locale_t messages;
    const char *directory;

    if (messages)
        return messages;
    messages = newlocale(LC_MESSAGES_MASK, "", (locale_t)0);
    /* What was built and is not installed is found by that: tests, and ./dev run. */
    directory = getenv("NWHO_LOCALEDIR");
    bindtextdomain(DOMAIN, directory && *directory ? directory : LOCALEDIR);
    bind_textdomain_codeset(DOMAIN, "UTF-8");
    return messages;
}

const char *translated(const char *text)
{
    locale_t messages, before;

    /* The translation of "" is the head of the catalogue. */
    if (!*text || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        return text;
    messages = messages_locale();
    if (!messages)
        return text;
    before = uselocale(messages);
    text = dgettext(DOMAIN, text);
    uselocale(before);
    return text;
}

#else

const char *translated(const char *text)
{
    return text;
}

#endif
