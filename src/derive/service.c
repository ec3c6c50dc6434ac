/* SPDX-License-Identifier: MIT */
/* What a cgroup path says about a process: its systemd unit and its container. */
#include "derive/service.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <string.h>

/* Runtimes write 64 digits; shorter ones are accepted where a prefix says what they are. */
enum { ID_LENGTH = 64, ID_MINIMUM = 12, ID_SHOWN = 12 };

static struct path_part part(const char *start, size_t length)
{
    return (struct path_part){.start = start, .length = length};
}

static bool has_prefix(struct path_part text, const char *prefix)
{
    size_t length = strlen(prefix);

    return text.length > length && memcmp(text.start, prefix, length) == 0;
}

static bool has_suffix(struct path_part text, const char *suffix)
{
    size_t length = strlen(suffix);

    return text.length > length && memcmp(text.start + text.length - length, suffix, length) == 0;
}

static bool equals(struct path_part text, const char *other)
{
    return text.length == strlen(other) && memcmp(text.start, other, text.length) == 0;
}

static struct path_part without_prefix(struct path_part text, const char *prefix)
{
    return part(text.start + strlen(prefix), text.length - strlen(prefix));
}

static struct path_part without_suffix(struct path_part text, const char *suffix)
{
    if (has_suffix(text, suffix))
        text.length -= strlen(suffix);
    return text;
}

static bool is_hex(struct path_part text, size_t minimum)
{
    for (size_t i = 0; i < text.length; i++)
        if (!memchr("0123456789abcdef", text.start[i], 16))
            return false;
    return text.length >= minimum;
}

/* Takes the last component off a path; false when there is none left. */
static bool take_last(struct path_part *path, struct path_part *ret_component)
{
    size_t end = path->length, start;

    while (end && path->start[end - 1] == '/')
        end--;
    for (start = end; start && path->start[start - 1] != '/'; start--)
        ;
    if (start == end)
        return false;
    *ret_component = part(path->start + start, end - start);
    path->length = start;
    return true;
}

struct path_part service_unit(const char *path, size_t length)
{
    static const char *const suffixes[] = {".service", ".scope", ".socket",
                                           ".mount",   ".swap",  ".slice"};
    struct path_part rest = part(path, length), component;

    while (take_last(&rest, &component))
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++)
            if (has_suffix(component, suffixes[i]))
                return component;
    return part(path, 0);
}

enum id_kind {
    ID_HEX, /* prefix, hex digits, and .scope or nothing */
    ID_NAME /* prefix, any name, suffix */
};

/*
 * How runtimes name the cgroup of a container: with systemd as cgroup driver, and (where it
 * differs) without.
 */
static const struct name_form {
    const char *prefix, *suffix, *runtime;
    enum id_kind kind;
} name_forms[] = {
    {"docker-", ".scope", "docker", ID_HEX},
    {"libpod-", ".scope", "podman", ID_HEX},
    {"cri-containerd-", ".scope", "containerd", ID_HEX},
    {"nerdctl-", ".scope", "containerd", ID_HEX},
    {"crio-", ".scope", "cri-o", ID_HEX},
    {"lxc.payload.", "", "lxc", ID_NAME},
    {"systemd-nspawn@", ".service", "systemd-nspawn", ID_NAME},
    {"machine-qemu\\x2d", ".scope", "qemu", ID_NAME},
    {"machine-lxc\\x2d", ".scope", "lxc", ID_NAME},
    {"machine-", ".scope", "systemd-nspawn", ID_NAME},
};

static bool match_form(const struct name_form *form, struct path_part component,
                       struct path_part *ret_id)
{
    struct path_part id;

    if (!has_prefix(component, form->prefix))
        return false;
    id = without_prefix(component, form->prefix);
    if (form->kind == ID_NAME && !has_suffix(id, form->suffix) && form->suffix[0])
        return false;
    id = without_suffix(id, form->suffix);
    if (form->kind == ID_HEX && !is_hex(id, ID_MINIMUM))
        return false;
    *ret_id = id;
    return true;
}

/* The NULL is for gcc 12, which under UBSan warns of the one that cannot come. */
static const char *last_colon(const char *start, size_t length)
{
    return start ? memrchr(start, ':', length) : NULL;
}

/*
 * "PARENT.slice:RUNTIME:ID": what runc's systemd notation becomes when it is taken as a plain path.
 */
static struct container_name match_colons(struct path_part component)
{
    static const struct {
        const char *word, *runtime;
    } words[] = {{"docker", "docker"},
                 {"libpod", "podman"},
                 {"cri-containerd", "containerd"},
                 {"crio", "cri-o"}};
    struct container_name none = {.runtime = ""};
    const char *second = last_colon(component.start, component.length), *first;
    struct path_part id, word;

    first = second ? last_colon(component.start, (size_t)(second - component.start)) : NULL;
    if (!first)
        return none;
    word = part(first + 1, (size_t)(second - first - 1));
    id = part(second + 1, (size_t)(component.start + component.length - second - 1));
    if (!is_hex(id, ID_MINIMUM))
        return none;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (equals(word, words[i].word))
            return (struct container_name){.runtime = words[i].runtime, .id = id};
    return none;
}

/*
 * A component that says nothing by itself, but does below its parent: /docker/ID, /kubepods/.../ID,
 * /lxc/NAME.
 */
static struct container_name match_parent(struct path_part component, struct path_part above)
{
    static const char *const roots[][2] = {{"docker", "docker"},
                                           {"kubepods", "kubernetes"},
                                           {"ecs", "ecs"},
                                           {"libpod_parent", "podman"}};
    struct container_name container = {.runtime = ""};
    struct path_part parent;
    bool direct = true;

    if (is_hex(component, ID_LENGTH) && component.length == ID_LENGTH)
        container = (struct container_name){.runtime = "container", .id = component};
    for (; take_last(&above, &parent); direct = false) {
        if (direct && (equals(parent, "lxc") || equals(parent, "lxc.payload")))
            return (struct container_name){.runtime = "lxc", .id = component};
        if (!container.id.length) /* else each component of a long path would ask all above it */
            return container;
        for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
            if (equals(parent, roots[i][0]) || (i == 1 && has_prefix(parent, "kubepods")))
                return (struct container_name){.runtime = roots[i][1], .id = component};
    }
    return container;
}

static struct container_name match_component(struct path_part component, struct path_part above)
{
    struct container_name container;

    for (size_t i = 0; i < ARRAY_SIZE(name_forms); i++)
        if (match_form(&name_forms[i], component, &container.id)) {
            container.runtime = name_forms[i].runtime;
            return container;
        }
    container = match_colons(component);
    return container.id.length ? container : match_parent(component, above);
}

struct container_name service_container(const char *path, size_t length)
{
    struct path_part rest = part(path, length), component;
    struct container_name container;

    while (take_last(&rest, &component)) {
        container = match_component(component, rest);
        if (container.id.length)
            return container;
    }
    return (struct container_name){.runtime = "", .id = part(path, 0)};
}

size_t service_id_shown(struct path_part id)
{
    return is_hex(id, 2 * ID_SHOWN) ? ID_SHOWN : id.length;
}
