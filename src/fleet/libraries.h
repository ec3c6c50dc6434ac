/* SPDX-License-Identifier: MIT */
/* libcurl and jansson, loaded when other hosts are asked about. */
/*
 * Linked, they would make every start of nwho slower: libcurl alone brings two dozen libraries
 * with it.
 */
#pragma once

#include "base/buf.h"

#define CURL_DISABLE_TYPECHECK
#define CURL_DISABLE_DEPRECATION /* what comes instead is newer than most libraries */
#include <curl/curl.h>
#include <jansson.h>

#define CURL_FUNCTIONS(DO)                                                                         \
    DO(curl_global_init)                                                                           \
    DO(curl_easy_init)                                                                             \
    DO(curl_easy_setopt)                                                                           \
    DO(curl_easy_perform)                                                                          \
    DO(curl_easy_getinfo)                                                                          \
    DO(curl_easy_strerror)                                                                         \
    DO(curl_easy_cleanup)                                                                          \
    DO(curl_slist_append)                                                                          \
    DO(curl_slist_free_all)

#define JSON_FUNCTIONS(DO)                                                                         \
    DO(json_loadb)                                                                                 \
    DO(json_delete)                                                                                \
    DO(json_object_get)                                                                            \
    DO(json_array_get)                                                                             \
    DO(json_array_size)                                                                            \
    DO(json_string_value)                                                                          \
    DO(json_string_length)                                                                         \
    DO(json_number_value)

struct fleet_libraries {
#define DO(function) __typeof__(function) *function;
    CURL_FUNCTIONS(DO);
    JSON_FUNCTIONS(DO);
#undef DO
};

/* 0; or -EINVAL, and what is wrong in one line. They stay loaded. */
int fleet_libraries_load(struct fleet_libraries *ret_libraries, struct buf *problem) MUST_CHECK;
