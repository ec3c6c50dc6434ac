#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""ss: the same bytes and exit status as the real tool, see README.md here."""
from compat import main

main("ss")
