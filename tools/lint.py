# SPDX-License-Identifier: MIT
"""What the checks of the source text share: the files, C without comments and strings, and the self-test.

A check is a function (root) -> list of complaints.  Before it looks at the project it must accept a
good and refuse a bad tree, so that a broken check cannot silently pass everything.
"""
import os
import re
import sys
import tempfile
from pathlib import Path

SKIP = 77  # meson's exit status for a skipped test
SPDX = "/* SPDX-License-Identifier: MIT */\n"


def files(root, *suffixes, dirs=("src", "tests")):
    """All files below DIRS whose names end in one of SUFFIXES, sorted."""
    return sorted(path for name in dirs for path in (Path(root) / name).rglob("*")
                  if path.is_file() and path.name.endswith(suffixes))


TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_of(text):
    """TEXT of a C file with comments and the insides of literals blanked; lines stay where they are."""
    def blank(match):
        quote = match[0][0] if match[0][0] in "\"'" else ""
        return quote + re.sub(r"[^\n]", " ", match[0]) + quote
    return TOKEN.sub(blank, text)


def plant(root, tree):
    for name, text in tree.items():
        path = Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def self_test(check, good, bad):
    """CHECK must accept the tree GOOD, and refuse it after each one of the files BAD is added."""
    for name, text in [(None, None), *bad]:
        with tempfile.TemporaryDirectory() as root:
            plant(root, good if name is None else {**good, name: text})
            complaints = check(Path(root))
            if name is None and complaints:
                sys.exit(f"self-test: good input was refused: {complaints}")
            if name is not None and not complaints:
                sys.exit(f"self-test: bad input was accepted: {name}: {text!r}")


def skip(reason):
    print(f"SKIP: {reason}")
    sys.exit(SKIP)


def main(check, good, bad):
    """Run one check: argv is [SOURCE [BUILD]]."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    self_test(check, good, bad)
    complaints = check(root)
    for line in complaints:
        print(line.replace(str(root) + os.sep, ""))
    sys.exit(1 if complaints else 0)
