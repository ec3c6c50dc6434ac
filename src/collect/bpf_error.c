/* SPDX-License-Identifier: MIT */
/* Errors of BPF in words that help. */
#include "collect/bpf_error.h"

#include <errno.h>
#include <string.h>

const char *bpf_error_text(int error)
{
    switch (error) {
    case -EPERM:
    case -EACCES:
        return "needs root, or CAP_BPF and CAP_PERFMON";
    case -EXDEV:
        return "process ids differ in this pid namespace";
    case -EBADMSG:
        return "it failed its own test";
    default:
        return strerror(-error);
    }
}
