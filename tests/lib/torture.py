# SPDX-License-Identifier: MIT
"""Torture: a command is run again and again, and each time another one of its calls fails (tests/faults/failing_calls.c).

NWHO_FULL=1 fails every call of a kind, one after the other; else a sample of them, drawn with NWHO_SEED (1 unless told), and
of that every second one, by turns from question to question.
At the end of each run nothing may be left: no memory that the program itself allocated, and no open file.
"""
import contextlib
import errno
import itertools
import os
import random
import re
import signal
import struct
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from faults import ENVIRONMENT, FULL, SANITIZED
from live import BUILD, Result, skip

LIBRARY = BUILD / "tests/faults/libfailing_calls.so"
SEED = int(os.environ.get("NWHO_SEED", "1"))
HANG = 30  # seconds after which a run has hung; each takes a fraction of one
ONE, REST, EVERY = "FAIL_AT", "FAIL_FROM", "FAIL_EVERY"  # that call, all from it on, or each second one
_turns = itertools.count(SEED)
SHORT, BYTE = 0, -1  # no error, but half of the bytes, or a single one

AGAIN = (errno.EINTR, errno.EAGAIN)  # which nobody says for ever

# What each kind of call fails with.
ERRORS = {
    "memory": (errno.ENOMEM,),
    "read": (errno.EIO, errno.EINTR, SHORT),
    "write": (errno.ENOSPC, errno.EIO, errno.EINTR, SHORT),
    "receive": (errno.EIO, errno.EINTR, errno.EAGAIN, errno.ENOBUFS, SHORT),
    "send": (errno.EIO, errno.EINTR, errno.ENOBUFS),
    "open": (errno.EMFILE, errno.EINTR),
    "directory": (errno.EIO,),
    "map": (errno.ENOMEM,),
    "sync": (errno.EIO,),
    "bpf": (errno.EPERM, errno.ENOMEM),
}


def need_injector():
    if not LIBRARY.exists():
        skip("the C library is not glibc")
    if SANITIZED:
        skip("the sanitizer has an allocator of its own")


@dataclass
class Counts:
    """What a run did: struct report of failing_calls.c."""
    made: int
    failed: int
    blocks: int  # not given back; the largest, and where in the program it was asked for:
    caller: int
    size: int
    files: int

    FORMAT = "=6Q"


def variables_of(kind, when, number, error, own):
    piece = {"FAIL_PIECE": "1"} if error == BYTE else {}
    return {"FAIL_KIND": kind, when: str(number), "FAIL_ERROR": str(SHORT if error == BYTE else error), **piece,
            **({"FAIL_OWN": "1"} if own else {})}


def run_failing(command, kind, when=ONE, number=0, error=errno.ENOMEM, own=False, ns=None, seconds=None):
    """The Result of COMMAND, and its Counts of calls of KIND. Exit status None: it hung. After SECONDS it is asked to end."""
    with tempfile.TemporaryFile() as report:
        report.write(bytes(struct.calcsize(Counts.FORMAT)))
        report.flush()
        variables = {**variables_of(kind, when, number, error, own), "FAIL_REPORT": str(report.fileno())}
        words = [*ns.prefix(), "env", f"LD_PRELOAD={LIBRARY}", *command] if ns else command
        with subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**ENVIRONMENT, **variables, **({} if ns else {"LD_PRELOAD": str(LIBRARY)})}, pass_fds=[report.fileno()]) as child:
            try:
                if seconds:
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        child.wait(seconds)
                    child.terminate()
                parts = child.communicate(timeout=HANG)
                result = Result(child.returncode, *(part.decode("utf-8", "surrogateescape") for part in parts))
            except subprocess.TimeoutExpired:
                child.kill()
                result = Result(None, "", "")
        report.seek(0)
        return result, Counts(*struct.unpack(Counts.FORMAT, report.read()))


def numbers_of(count, sample, key):
    """Which of COUNT calls fail: all, or SAMPLE of them, others for each KEY."""
    every = range(1, count + 1)
    if FULL or count <= sample:
        return every
    return sorted(random.Random(f"{SEED} {key}").sample(every, sample))


def faults_of(kinds, counts, sample, key):
    """All (kind, when, number, error) that are tried. COUNTS: how many calls of each kind there are."""
    for kind in kinds:
        for error in ERRORS[kind]:
            for when in (ONE,) if error in AGAIN else (ONE, REST):
                for number in numbers_of(counts[kind], sample, f"{key} {kind} {when} {error}"):
                    yield kind, when, number, error
        if kind in ("read", "receive"):
            yield kind, EVERY, 2, errno.EINTR
        if kind in ("read", "write"):
            yield kind, REST, 1, BYTE


def of_this_turn(faults):
    """Every second one, the other half at the next question: each fault is tried with half of the questions."""
    return faults if FULL else faults[next(_turns) % 2::2]


def torture(args, check, kinds=("memory",), sample=3, own=False, ns=None, prepare=None,
            workers=2, right=(0, 1), look=None, seconds=None, program=BUILD / "nwho"):
    """CHECK(result, truth) for each fault at each call; gives a line for each answer that is wrong.

    OWN: only calls of the program itself, none of libraries. PREPARE() gives further words for each run: a file (a Path)
    that it may change, which is removed. WORKERS: so many at once. RIGHT: exit statuses of a run without a fault. LOOK(result, further words) gives
    what else belongs to the output. SECONDS: after so many it is asked to end. PROGRAM: another one than nwho.
    """
    need_injector()

    def attempt(*fault):
        for patience in (1, 10):
            further = list(prepare() if prepare else ())
            result, counts = run_failing([program, *args, *further], *fault, own=own, ns=ns, seconds=seconds and seconds * patience)
            if not seconds or result.rc != -signal.SIGTERM:  # who has not begun yet does not know what he is asked
                break
        result = Result(result.rc, result.out + (look(result, further) if look else ""), result.err)
        for path in filter(lambda word: isinstance(word, Path), further):
            for file in path, *path.parent.glob(f"{path.name}[-.]*"):
                file.unlink(missing_ok=True)
        return result, counts

    whole = {kind: attempt(kind) for kind in kinds}
    truth = whole[kinds[0]][0]
    assert all(result.rc in right for result, _ in whole.values()), f"{args}: exit status {truth.rc}: {truth.err}"
    words = [word for word in args if not str(word).startswith(tempfile.gettempdir())]  # the same sample at each run
    faults = of_this_turn(list(faults_of(kinds, {kind: counts.made for kind, (_, counts) in whole.items()}, sample, words)))

    def judge(fault):
        kind, when, number, error = fault
        result = counts = None
        try:
            result, counts = attempt(*fault)
            check_lives(result)
            check_nothing_is_kept(result, counts, program)
            check(result, truth)
            # What cannot be written cannot be said either: all from some place on, or the only thing that there was to say.
            unheard = kind == "write" and (when != ONE or not truth.out)
            assert result.rc in (0, 1) or result.err or unheard, "failed without a word"
        except AssertionError as wrong:
            name = {SHORT: "short", BYTE: "single bytes"}.get(error) or errno.errorcode[error]
            said = f"exit status {result.rc}: {result.err[-300:]!r}" if result else ""
            return f"{kind} {when}={number} {name}: {wrong}: {said}{' (and no call failed)' if counts and not counts.failed else ''}"
        return None

    with ThreadPoolExecutor(workers) as pool:
        wrong = []
        for text in filter(None, pool.map(judge, faults)):
            wrong.append(text)
            if FULL:
                print(f"# {text}", flush=True)  # the whole may take hours
    question = " ".join(map(str, [program.name, *args]))
    print(f"# {question[:75]}: {len(faults)} faults, {len(wrong)} wrong", flush=True)
    return [f"{question}: {text}" for text in wrong]


def check_nothing_is_kept(result, counts, program):
    """The one open file is the report itself. A process that was killed has not been asked."""
    if result.rc is not None and result.rc >= 0:
        assert not counts.blocks, f"{counts.blocks} blocks of memory are kept, one of {counts.size} bytes {place_of(counts.caller, program)}"
        assert counts.files <= 1, f"{counts.files - 1} files are kept open"


def place_of(caller, program):
    done = subprocess.run(["addr2line", "-fspe", program, hex(caller - 1)], capture_output=True, text=True, check=False)
    return f"of {done.stdout.strip()}" if done.returncode == 0 else f"asked for at {caller:#x}"


def check_none(wrong):
    assert not wrong, f"{len(wrong)} wrong\n" + "\n".join(wrong if FULL else wrong[:8])


def check_lives(result):
    assert result.rc is not None, f"hung for {HANG} s"
    assert result.rc >= 0, f"died of signal {-result.rc}"
    assert not re.search("AddressSanitizer|runtime error|LeakSanitizer", result.err), "sanitizer"


def check_exact(result, truth):
    """Of what stands still: the whole answer, or a failure that says why. Ages grow meanwhile."""
    result, truth = without_times(result), without_times(truth)
    if result.rc in (0, 1):
        assert result.rc == truth.rc and without_widths(result) == without_widths(truth), f"another answer than {truth.rc}: {difference(result, truth)}"
    else:
        check_failure(result, truth)


def check_live(result, truth):
    """Of what is read now: the whole answer, or a failure, or one that says what is missing."""
    if result.rc in (0, 1) and new_notes(result, truth):
        assert result.rc == truth.rc, f"exit status {truth.rc} was right"
    else:
        check_exact(result, truth)


def without_times(result):
    return Result(result.rc, re.sub(r'(?m)^  started .*$|"time":"[^"]*"', "", result.out), result.err)


def without_widths(result):
    """The lines. libc may say that there is no locale for UTF-8 where it had no memory for it: then those with wide letters have other blanks."""
    return [line if line.isascii() else line.split() for line in result.out.splitlines(keepends=True)]


def check_live_details(result, truth):
    """As check_live(), but only details may be missing."""
    if re.search("are read from /proc/net|details of ", result.err):
        check_live(result, truth)
    else:
        check_exact(result, truth)


def check_old(result, truth):
    """The same cells; how wide a column is depends on the source, as it does with ss itself."""
    assert result.rc in (0, 1, 2, 3, 5)
    if result.rc == truth.rc and not new_notes(result, truth):
        assert "".join(result.out.split()) == "".join(truth.out.split()), f"another answer: {difference(result, truth)}"


def check_failure(result, truth):
    assert result.rc in (2, 3), "unknown exit status"
    assert not result.err or "nwho: " in result.err, "failed without a word of its own"
    if result.rc == 3 and result.out.startswith('{"schema"') and result.out.endswith("}\n"):
        assert '"complete":false' in result.out, "called complete"


def new_notes(result, truth):
    return set(result.err.splitlines()) - set(truth.err.splitlines())


def difference(result, truth):
    ours, right = result.out.splitlines(), truth.out.splitlines()
    at = next((i for i, (a, b) in enumerate(zip(ours, right)) if a != b), min(len(ours), len(right)))
    return f"line {at + 1} of {len(ours)} ({len(right)}): {ours[at:at + 1]} for {right[at:at + 1]}"
