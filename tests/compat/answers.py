# SPDX-License-Identifier: MIT
"""Running one command line to a pipe or a terminal, and comparing what two programs answered.

The rule for what moves: when ours differs, the real tool runs once more. Where its own two answers differ in a piece
(a word, a number, a run of blanks), that piece is masked; a line of theirs that falls into another number of pieces
is masked as a whole. Everything else must be the same bytes. Two answers of the real tool with another number of lines
prove nothing: the comparison is made again.
"""
import difflib
import fcntl
import os
import re
import struct
import subprocess
import tempfile
import termios
import tty
from dataclasses import dataclass

PATIENCE = 120  # seconds for one command line, also where the machine has much else to do
CRASH = re.compile(rb"AddressSanitizer|LeakSanitizer|runtime error:|Segmentation fault|Aborted")
PIECE = re.compile(rb"[ \t]+|[\w.+%-]+|.", re.S)
MASK = b"~"


@dataclass
class Answer:
    """Exit status (128 + signal for a crash, as in a shell), stdout and stderr."""
    rc: int
    out: bytes
    err: bytes

    def crashed(self):
        return CRASH.search(self.err) is not None or self.rc in (132, 134, 135, 136, 139)

    def is_silent_failure(self):
        return self.rc != 0 and not self.out and not self.err


def _read_all(fd):
    parts = []
    while True:
        try:
            part = os.read(fd, 65536)
        except OSError:  # EIO: nobody has the terminal's other end any more
            part = b""
        if not part:
            return b"".join(parts)
        parts.append(part)


def _stdout(width):
    """(end to read, end to write); a terminal gives the bytes as they were written."""
    if width is None:
        return os.pipe()
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    return ours, theirs


def start_line(line, width, environment):
    """A shell command LINE that runs, for finish_line(); WIDTH of the terminal it writes to, None for a pipe."""
    read_end, write_end = _stdout(width)
    errors = tempfile.TemporaryFile()
    try:
        child = subprocess.Popen(["timeout", "-k", "1", str(PATIENCE), "sh", "-c", line], stdin=subprocess.DEVNULL,
                                 stdout=write_end, stderr=errors, env=environment)
    except OSError:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    return child, read_end, errors


def finish_line(child, read_end, errors):
    """Its Answer."""
    with errors:
        try:
            out = _read_all(read_end)
            status = child.wait()
        finally:
            os.close(read_end)
        errors.seek(0)
        return Answer(128 - status if status < 0 else status, out, errors.read())


def run_line(line, width, environment):
    """The Answer of a shell command."""
    return finish_line(*start_line(line, width, environment))


# --- comparing ---

def _mask_line(first, second, ours):
    """(theirs, ours) of one line, with what moves masked."""
    if first == second:
        return first, ours
    theirs, again, mine = map(PIECE.findall, (first, second, ours))
    if len(theirs) != len(again) or len(theirs) != len(mine):
        return (MASK, MASK) if len(theirs) != len(again) else (first, ours)
    moves = [one != other for one, other in zip(theirs, again)]
    return tuple(b"".join(MASK if moved else piece for piece, moved in zip(pieces, moves)) for pieces in (theirs, mine))


def mask(first, second, ours):
    """Both texts with what moved between FIRST and SECOND masked; None if these two prove nothing."""
    theirs, again, mine = (text.splitlines(keepends=True) for text in (first, second, ours))
    if len(theirs) != len(again):
        return None
    if len(theirs) != len(mine):
        return first, ours
    pairs = [_mask_line(*lines) for lines in zip(theirs, again, mine)]
    return tuple(b"".join(part) for part in zip(*pairs))


def show_diff(theirs, ours, names=("theirs", "ours"), limit=None):
    """A unified diff; bytes that are not printable as escapes, trailing blanks as they are."""
    texts = [[line.encode("unicode_escape").decode("ascii").replace("\\\\", "\\") for line in
              text.decode("utf-8", "backslashreplace").split("\n")] for text in (theirs, ours)]
    lines = list(difflib.unified_diff(*texts, *names, lineterm="", n=1))
    if limit and len(lines) > limit:
        lines[limit:] = [f"... {len(lines) - limit} more lines"]
    return "\n".join(lines)
