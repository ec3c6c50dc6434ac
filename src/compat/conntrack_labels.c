/* SPDX-License-Identifier: MIT */
/* conntrack: names of labels, and the labels of an entry. */
#include "compat/conntrack.h"

#include <stdio.h>

#define LABELS_FILE "/etc/xtables/connlabel.conf"

/* "5 name", with comments behind a # and empty lines. */
static void take_line(struct conntrack_label_names *names, char *line)
{
    char *at, *name, *end;
    unsigned long bit;

    line[strcspn(line, "#\n")] = '\0';
    bit = strtoul(line, &at, 10);
    if (at == line || bit >= ARRAY_SIZE(names->names))
        return;
    name = at + strspn(at, " \t\"");
    end = name + strcspn(name, " \t\"");
    if (end != name && !names->names[bit])
        names->names[bit] = strndup(name, (size_t)(end - name));
}

void conntrack_label_names_read(struct conntrack_label_names *names)
{
    FILE *file = fopen(LABELS_FILE, "re");
    char line[512];

    if (!file) {
        conntrack_say("labels have no names here: %s: %s", LABELS_FILE, strerror(errno));
        return;
    }
    while (fgets(line, sizeof(line), file))
        take_line(names, line);
    fclose(file);
}

void conntrack_label_names_done(struct conntrack_label_names *names)
{
    for (size_t i = 0; i < ARRAY_SIZE(names->names); i++)
        free(names->names[i]);
}

struct conntrack_labels conntrack_entry_labels(const struct conntrack *entry,
                                               const struct snapshot *strings)
{
    struct conntrack_labels labels = {.bytes = {0}};
    size_t length = 0;
    const char *bytes = entry->labels ? snapshot_string(strings, entry->labels, &length) : NULL;

    if (bytes)
        memcpy(labels.bytes, bytes, length < sizeof(labels.bytes) ? length : sizeof(labels.bytes));
    return labels;
}
