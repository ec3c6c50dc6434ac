/* SPDX-License-Identifier: MIT */
/* IS_SANITIZED: AddressSanitizer has an allocator of its own, and everything takes several times as
 * long. */
#pragma once

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED 1
#endif
