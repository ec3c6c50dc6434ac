/* SPDX-License-Identifier: MIT */
/* Web: the files of the page, which are in the program. */
#pragma once

#include "serve/request.h"

struct web_file {
    const char *path; /* "/", "/page/style.css" */
    const char *type;
    const char *tag; /* of its content, in quotes: ETag */
    const unsigned char *packed;
    size_t length; /* of `packed`: gzip */
};

/* tools/make-web makes them of src/serve/web/. */
extern const struct web_file web_files[];
extern const unsigned int web_file_count;

/* NULL: there is none of this path. */
const struct web_file *web_find(struct http_text path);
