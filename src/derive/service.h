/* SPDX-License-Identifier: MIT */
/* What a cgroup path says about a process: its systemd unit and its container. */
#pragma once

#include <stddef.h>

/* A part of the path that was given; not NUL-terminated. Nothing found: length 0. */
struct path_part {
    const char *start;
    size_t length;
};

/* A container: `runtime` is a static name ("docker", "podman", ...), "" when there is none. */
struct container_name {
    const char *runtime;
    struct path_part id; /* whole: 64 hex digits, or a name */
};

/*
 * The innermost systemd unit (service, scope, socket, mount, swap, slice), of the system's or of a
 * user's manager, or of the one in a container. Escapes (\x2d) are left as they are.
 */
struct path_part service_unit(const char *path, size_t length);

/*
 * The innermost container. What looks after a container from outside (conmon, an lxc monitor) is
 * not in it.
 */
struct container_name service_container(const char *path, size_t length);

/* How much of an id is shown: the first 12 of a long hexadecimal one, all of a name. */
size_t service_id_shown(struct path_part id);
