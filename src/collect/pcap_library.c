/* SPDX-License-Identifier: MIT */
/* libpcap, loaded when packets are asked for. */
#include "collect/pcap_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* 0.8 is what Debian calls version 1. */
static void *open_library(void)
{
    void *library = dlopen("libpcap.so.1", RTLD_NOW | RTLD_LOCAL);

    return library ? library : dlopen("libpcap.so.0.8", RTLD_NOW | RTLD_LOCAL);
}

static int find(void *library, const char *name, void *ret_function, char *error)
{
    void *function = dlsym(library, name);

    if (!function) {
        snprintf(error, PCAP_ERRBUF_SIZE, "this libpcap is too old: it has no %s()", name);
        return -EINVAL;
    }
    memcpy(ret_function, &function, sizeof(function));
    return 0;
}

int pcap_library_load(struct pcap_library *ret_library, char error[PCAP_ERRBUF_SIZE])
{
    void *library = open_library();
    struct pcap_library found;

    if (!library) {
        snprintf(error, PCAP_ERRBUF_SIZE, "libpcap cannot be loaded, which reads packets: %.160s",
                 dlerror());
        return -EINVAL;
    }
#define DO(function)                                                                               \
    if (find(library, #function, &found.function, error) < 0)                                      \
        return -EINVAL;
    PCAP_FUNCTIONS(DO)
#undef DO
    *ret_library = found;
    return 0;
}
