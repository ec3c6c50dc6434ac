# SPDX-License-Identifier: MIT
"""The history that helpers/history_maker writes, and what is in it."""
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

from live import BUILD, skip

BEGIN, TICK, TICKS, GAP, PROCESSES = 1764547200, 10, 180, (90, 102), 130
WRITTEN = TICKS - (GAP[1] - GAP[0])
RECEIVED = {number: (PROCESSES - number) * 100 * WRITTEN for number in range(PROCESSES)}
NAMES = ["plain", 'q"uo\'te,\\n', "esc\\e[31m\\\\n", "bad\\xff\\xc3(", "\u00e9\u65e5<b>&{}=#"]  # as all forms escape them
INTERFACES = ["eth0", 'e"t,h\\n1', "\\e\\\\2", "\\xe2\\x80\\xae", "\u00e9th"]
TIME = ("--since", f"@{BEGIN}", "--until", f"@{BEGIN + TICKS * TICK}")
MERGED = BEGIN + 600  # ticks before it became one chunk then
MINUTE = ("--since", f"@{MERGED - 20}", "--until", f"@{MERGED + 40}")  # little to read, of both sides of it


def make_history(path, *begin):
    maker = BUILD / "tests/helpers/history_maker"
    if not maker.exists():
        skip("built without history")
    subprocess.run([maker, path, *map(str, begin)], check=True)


def make_killed_history(path):
    """Its recorder was killed at the end: the newest of it is only in the journal beside the file."""
    try:
        make_history(path, BEGIN, TICKS, "killed")
    except subprocess.CalledProcessError as error:
        assert error.returncode == -signal.SIGKILL, error
    else:
        raise AssertionError("history_maker was not killed")


@contextmanager
def history(make=make_history):
    """The store and the directory that it is in."""
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as name:
        place = Path(name)
        make(place / "h.db")
        yield place / "h.db", place
