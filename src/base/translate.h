/* SPDX-License-Identifier: MIT */
/* The language of the user, by the catalogues in po/. */
#pragma once

/*
 * What LC_ALL, LC_MESSAGES, LANG and LANGUAGE want, where there is a catalogue of that language and
 * the characters of the output are UTF-8; else the text itself. Nothing else of the process takes
 * that language: messages of libc, numbers and the answers for programs stay what they are.
 */
const char *translated(const char *text);
