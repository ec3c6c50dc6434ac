#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""An output so long that ss prints it in blocks, each with widths of its own: the same bytes also then."""
import contextlib
import os
import subprocess

import live
from answers import run_line, show_diff
from compat import PATH, RELEASES, links
from live import BUILD, netns, run, run_tests, skip, test

FULL = bool(os.environ.get("NWHO_FULL"))
TCP = 60000
ATTEMPTS = 8
# The last rows of all, and wider than any other: only the last block knows of it.
WIDE = "listening addr=fd00:9:1234:5678:9abc:def0:1234:5678 port=12345 comm=exactly-15-char".split()


@contextlib.contextmanager
def many_sockets(ns):
    helper = ns.popen([BUILD / "tests/helpers/manysocks", f"tcp={TCP}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    for line in helper.stdout:
        if line.strip() == b"ready":
            break
    try:
        yield
    finally:
        helper.stdin.close()
        helper.wait(live.PATIENCE)
        helper.stdout.close()


def answers(ns, line, width):
    """What theirs and ours write in the namespace."""
    with links() as first:
        for path in (PATH, f"{first}:{PATH}"):
            words = " ".join(map(str, ns.prefix()))
            yield run_line(f"{words} {line}", width, {"PATH": path, "LC_ALL": "C"})


@test
def blocks_have_widths_of_their_own():
    command, release = RELEASES["ss"]
    if release not in run(command).out:
        skip(f"no ss of {release}")
    with netns() as ns:
        ns.add_address("fd00:9:1234:5678:9abc:def0:1234:5678/64")
        with many_sockets(ns), live.mksock(ns, *WIDE):
            for line in ("ss -tan", "ss -tanp", "ss -tane")[:3 if FULL else 1]:
                for width in (None, 200)[:2 if FULL else 1]:
                    # Where others change the table that all namespaces share, the real one misses or doubles rows.
                    attempts = (tuple(answers(ns, line, width)) for _ in range(ATTEMPTS))
                    theirs, ours = next((pair for pair in attempts if pair[0].out == pair[1].out), None) or tuple(answers(ns, line, width))
                    rows = theirs.out.splitlines()
                    assert len(rows) > TCP, (len(rows), theirs.err)
                    assert width or len(rows[1]) != len(rows[-1]), "one block: it proves nothing"
                    assert (ours.rc, ours.err) == (theirs.rc, b""), (ours.rc, ours.err[:500])
                    assert ours.out == theirs.out, f"{line}, {width}\n{show_diff(theirs.out, ours.out, limit=20)}"


run_tests()
