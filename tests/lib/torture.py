# SPDX-License-Identifier: MIT
"""Torture: a command is run again and again, and each time another one of its calls fails (tests/faults/failing_calls.c).

NWHO_FULL=1 fails every call of a kind, one after the other; else a sample of them, drawn with NWHO_SEED (1 unless told).
"""
import errno
import os
import random
import re
import struct
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

from faults import ENVIRONMENT, FULL, SANITIZED
from live import BUILD, Result, skip

LIBRARY = BUILD / "tests/faults/libfailing_calls.so"
SEED = int(os.environ.get("NWHO_SEED", "1"))
HANG = 30  # seconds after which a run has hung; each takes a fraction of one
ONE, REST = "FAIL_AT", "FAIL_FROM"  # that call, or all from it on
SHORT = 0  # no error, but half of the bytes

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


def run_failing(command, kind, when=ONE, number=0, error=errno.ENOMEM, own=False, ns=None):
    """The Result of COMMAND, how many calls of KIND it made, and how many failed. Exit status None: it hung."""
    with tempfile.TemporaryFile() as report:
        report.write(bytes(16))
        report.flush()
        variables = {"FAIL_KIND": kind, when: str(number), "FAIL_ERROR": str(error), "FAIL_REPORT": str(report.fileno()),
                     **({"FAIL_OWN": "1"} if own else {})}
        words = [*(ns.prefix() if ns else []), "env", f"LD_PRELOAD={LIBRARY}", *command]
        try:
            done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  timeout=HANG, env={**ENVIRONMENT, **variables}, pass_fds=[report.fileno()])
            result = Result(done.returncode, *(part.decode("utf-8", "surrogateescape")
                                               for part in (done.stdout, done.stderr)))
        except subprocess.TimeoutExpired:
            result = Result(None, "", "")
        report.seek(0)
        return result, *struct.unpack("=QQ", report.read(16))


def numbers_of(count, sample, key):
    """Which of COUNT calls fail: all, or SAMPLE of them, others for each KEY."""
    every = range(1, count + 1)
    if FULL or count <= sample:
        return every
    return sorted(random.Random(f"{SEED} {key}").sample(every, sample))


def torture(args, check, kinds=("memory",), sample=3, own=False, ns=None, prepare=None,
            workers=2, right=(0, 1)):
    """CHECK(result, truth) for each fault at each call; gives a line for each answer that is wrong.

    OWN: only calls of the program itself, none of libraries. PREPARE() gives further words for each run: a file that it
    may change. WORKERS: so many at once. RIGHT: exit statuses of a run without a fault.
    """
    need_injector()
    faults, truth = [], None
    for kind in kinds:
        result, count, _ = run_failing([BUILD / "nwho", *args, *(prepare() if prepare else ())], kind, own=own, ns=ns)
        truth = truth or result
        assert truth.rc in right, f"nwho {args}: exit status {truth.rc}: {truth.err}"
        faults += [(kind, when, number, error) for error in ERRORS[kind]
                   for when in ((ONE,) if error in AGAIN else (ONE, REST))
                   for number in numbers_of(count, sample, f"{args} {kind} {when} {error}")]

    def attempt(fault):
        kind, when, _, error = fault
        result, _, failed = run_failing([BUILD / "nwho", *args, *(prepare() if prepare else ())], *fault, own=own, ns=ns)
        try:
            check_lives(result)
            check(result, truth)
            # What cannot be written cannot be said either: all from some place on, or the only thing that there was to say.
            unheard = kind == "write" and (when == REST or not truth.out)
            assert result.rc in (0, 1) or result.err or unheard, "failed without a word"
        except AssertionError as wrong:
            return (f"{kind} {when}={fault[2]} {errno.errorcode.get(error, 'short')}: {wrong}: exit status {result.rc}: "
                    f"{result.err[-300:]!r}{'' if failed else ' (and no call failed)'}")
        return None

    with ThreadPoolExecutor(workers) as pool:
        wrong = [text for text in pool.map(attempt, faults) if text]
    print(f"# {' '.join(map(str, args))[:70]}: {len(faults)} faults, {len(wrong)} wrong", flush=True)
    return [f"nwho {' '.join(map(str, args))}: {text}" for text in wrong]


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
        assert result.rc == truth.rc and result.out == truth.out, f"another answer than {truth.rc}: {difference(result, truth)}"
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


def check_live_details(result, truth):
    """As check_live(), but only details may be missing."""
    if re.search("are read from /proc/net|details of ", result.err):
        check_live(result, truth)
    else:
        check_exact(result, truth)


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
