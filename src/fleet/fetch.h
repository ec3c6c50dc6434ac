/* SPDX-License-Identifier: MIT */
/* Fetch: one question over HTTP, and the answer as a JSON document. */
#pragma once

#include "fleet/fleet.h"
#include "fleet/libraries.h"

struct fetcher {
    struct fleet_libraries libraries;
    const struct fleet_server *server;
    CURL *curl; /* keeps its connection from one question to the next */
    struct curl_slist *fields;
};

/* 0, or -errno with one line in `problem`. fetcher_close() frees, also after an error. */
int fetcher_open(struct fetcher *fetcher, const struct fleet_server *server, struct buf *problem)
    MUST_CHECK;
void fetcher_close(struct fetcher *fetcher);

/*
 * Asks a path below the server's ("/api/v1/query") with a form ("query=up"). 0 and a document of a
 * successful answer, for libraries.json_delete(); or -errno with one line in `problem`.
 */
int fetcher_ask(struct fetcher *fetcher, const char *path, const char *form, json_t **ret_document,
                struct buf *problem) MUST_CHECK;
