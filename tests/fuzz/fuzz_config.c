/* SPDX-License-Identifier: MIT */
/* Fuzzing of the configuration: what is wrong is said with its line, and all that is taken is what
 * the health checks can work with. */
#include "cli/command.h"
#include "cli/config.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* main.c is not in this program: what would be said on stderr. */
int command_error(const char *format, ...)
{
    (void)format;
    return EXIT_ERROR;
}

/* A file with these bytes; what it was before is gone. */
static void put_file(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[64];

    if (file < 0) {
        file = memfd_create("config", MFD_CLOEXEC);
        CHECK(file >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
        CHECK(setenv("NWHO_CONFIG", path, 1) == 0);
    }
    CHECK(ftruncate(file, 0) == 0);
    CHECK(pwrite(file, data, size, 0) == (ssize_t)size);
}

static void check_config(const struct config *config)
{
    CHECK(config->limits && config->allowed_count <= config->allowed_capacity);
    CHECK(!config->baseline || config->baseline[0] == '/' || strcmp(config->baseline, "off") == 0);
    CHECK(!config->fleet_server || *config->fleet_server);
    CHECK(!config->fleet_token_file || *config->fleet_token_file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena arena = {0};
    CLEANUP(buf_done) struct buf error = BUF_INIT;
    struct config config;
    int r;

    put_file(data, size);
    r = config_read(&arena, &config, &error);
    CHECK(r == 0 || r == -EINVAL);
    CHECK((error.length > 0) == (r < 0));
    if (r < 0) {
        CHECK(strncmp(buf_string(&error), "/proc/self/fd/", strlen("/proc/self/fd/")) == 0);
        return 0;
    }
    check_config(&config);
    config_done(&config);
    return 0;
}
