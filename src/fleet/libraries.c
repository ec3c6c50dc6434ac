/* SPDX-License-Identifier: MIT */
/* libcurl and jansson, loaded when other hosts are asked about. */
#include "fleet/libraries.h"

#include "fleet/fleet.h"

#include <dlfcn.h>

/* Whichever is there, whatever it does TLS with. */
static void *open_curl(void)
{
    void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

    return library ? library : dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL);
}

static int no_library(const char *name, struct buf *problem)
{
    buf_printf(problem, "%s cannot be loaded, with which servers are asked: %.160s", name,
               dlerror());
    return -EINVAL;
}

static int find(void *library, const char *name, void *ret_function, struct buf *problem)
{
    void *function = dlsym(library, name);

    if (!function) {
        buf_printf(problem, "a library is too old: it has no %s()", name);
        return -EINVAL;
    }
    memcpy(ret_function, &function, sizeof(function));
    return 0;
}

int fleet_libraries_load(struct fleet_libraries *ret_libraries, struct buf *problem)
{
    void *library = open_curl();
    struct fleet_libraries found;

    if (!library)
        return no_library("libcurl", problem);
#define DO(function)                                                                               \
    if (find(library, #function, &found.function, problem) < 0)                                    \
        return -EINVAL;
    CURL_FUNCTIONS(DO)
    library = dlopen("libjansson.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return no_library("jansson", problem);
    JSON_FUNCTIONS(DO)
#undef DO
    *ret_libraries = found;
    return 0;
}

int fleet_works(struct buf *problem)
{
    struct fleet_libraries libraries;

    return fleet_libraries_load(&libraries, problem);
}
