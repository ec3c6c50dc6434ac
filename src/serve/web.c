/* SPDX-License-Identifier: MIT */
/* Web: finds a file of the page. */
#include "serve/web.h"

const struct web_file *web_find(struct http_text path)
{
    for (unsigned int i = 0; i < web_file_count; i++)
        if (http_text_is(path, web_files[i].path))
            return &web_files[i];
    return NULL;
}
