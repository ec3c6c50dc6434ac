/* SPDX-License-Identifier: MIT */
/* Why BPF does not work here, for notes. */
#pragma once

/* Of a negative errno that a program of src/bpf was opened with. */
const char *bpf_error_text(int error);
