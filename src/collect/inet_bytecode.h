/* SPDX-License-Identifier: MIT */
/* Translates conditions into sock_diag's filter bytecode, so that the kernel sends only what is
 * wanted. */
#pragma once

#include "base/cleanup.h"
#include "model/request.h"

#include <stddef.h>

/*
 * Writes the program for the conditions (the last one is the root) to `code`, at most `size` bytes.
 * Returns its length in bytes, 0 when there is nothing to check, -E2BIG when it does not fit (the
 * caller then asks for everything).
 */
int inet_bytecode(const struct match *matches, uint32_t count, void *code, size_t size) MUST_CHECK;
