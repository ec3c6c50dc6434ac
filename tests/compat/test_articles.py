#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command lines that people learn from articles, verbatim: see README.md here."""
from compat import main

main("articles")
