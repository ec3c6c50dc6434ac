/* SPDX-License-Identifier: MIT */
/* Fuzzing of what a cgroup path says: unit and container. */
#include "derive/service.h"
#include "fuzz.h"

static void check_part(const char *path, size_t size, struct path_part part)
{
    CHECK(part.length == 0 || (part.start >= path && part.start + part.length <= path + size));
    CHECK(part.length == 0 || !memchr(part.start, '/', part.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *path = fuzz_bytes(data, size); /* without a NUL */
    struct container_name container;

    check_part(path, size, service_unit(path, size));
    container = service_container(path, size);
    check_part(path, size, container.id);
    CHECK(container.runtime);
    CHECK((container.id.length > 0) == (*container.runtime != '\0'));
    CHECK(service_id_shown(container.id) <= container.id.length);
    return 0;
}
