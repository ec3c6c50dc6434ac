#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sar: the same bytes and exit status as the real tool, over the same seconds.

Of each line of the matrix the real tool runs twice and ours once, many lines together in one namespace in which
nothing moves. When each of them has taken its first sample, everything moves at once, so that all have counted the
same; and once more in the second interval. What the two real ones say differently (an interval that was a hundredth of
a second longer) is masked, see README.md; what is different in each of four attempts counts. In the last one rates may
be a tenth off: where a machine is so busy that no attempt before was of equal intervals, they say nothing.

    tests/compat/test_sar.py                 the whole matrix, as a test
    tests/compat/test_sar.py 'sar -n DEV 1'  the differences of one command line (to a pipe and to a terminal)
"""
import contextlib
import itertools
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import answers
from compat import PATH, OUTPUTS, SHARE, Case, Verdict, check_releases, environment_of, judge, links, read_explained, read_matrix
from live import BUILD, PATIENCE, netns, run, run_tests, test, wait_for
from sar_scene import forgive, locale_directory, move, place_with_mover, without_moments

# Of each attempt: how many lines together, three programs each; and how many such batches beside each other, each in a
# namespace of its own. On a machine that is busy fewer of them are nearer to each other.
ATTEMPTS = ((15, 3), (6, 2), (3, 1), (1, 1))
ASK_FOR_INTERFACES = ("DEV", "n ALL")  # by sockets, which others would count

_making_places = threading.Lock()


class Run:
    """One program that runs."""

    def __init__(self, ns, case, path, variables):
        line = f"exec ip netns exec {ns.name} sh -c {shlex.quote(case.line)}"
        place = type("Place", (), {"variables": variables})
        self.child, self.fd, self.errors = answers.start_line(line, OUTPUTS[case.output], environment_of(place, path))
        self.out, self.ended = b"", False

    def read(self):
        try:
            part = os.read(self.fd, 65536)
        except OSError:  # EIO: nobody has the terminal's other end any more
            part = b""
        self.ended = not part
        self.out += part

    def samples(self):
        """How many have been taken, as far as its output tells: 0, 1, more."""
        return self.ended * 3 or self.out.count(b" CPU)\n") + (self.out.rstrip().count(b"\n") > 2)

    def answer(self):
        with self.errors:
            status = self.child.wait()
            os.close(self.fd)
            self.errors.seek(0)
            return answers.Answer(128 - status if status < 0 else status, self.out, self.errors.read())


def read_until(runs, count):
    """Takes what they write until each has COUNT samples or has ended."""
    while waiting := [run for run in runs if not run.ended and (count is None or run.samples() < count)]:
        ready = select.select([run.fd for run in waiting], [], [], answers.PATIENCE)[0]
        assert ready, "nothing comes any more"
        for one in waiting:
            if one.fd in ready:
                one.read()


def run_together(cases, paths, variables):
    """The answers [(real, real again, ours)] of all cases, started together."""
    with contextlib.ExitStack() as stack:
        with _making_places:
            ns, mover = stack.enter_context(place_with_mover())
        wait_for(lambda: time.time() % 1 < 0.2, what="the beginning of a second")
        runs = [Run(ns, case, path, variables) for case in cases for path in paths]
        read_until(runs, 1)
        time.sleep(0.1)  # the real one writes its title a moment before it reads
        move(mover, "first")
        read_until(runs, 2)
        time.sleep(0.1)
        move(mover, "second")
        read_until(runs, None)
        each = [one.answer() for one in runs]
    return [each[at:at + 3] for at in range(0, len(each), 3)]


# --- comparing ---

def differences(case, theirs, again, ours, last):
    """The Verdict on one attempt; None if the real ones contradict each other. The LAST one is for busy machines."""
    if last:
        for answer in (theirs, again, ours):
            answer.out = without_moments(answer.out)
        ours.out = forgive(theirs.out, ours.out)
    if ours.crashed():
        return Verdict(case, f"crash, exit status {ours.rc}\n{ours.err.decode('utf-8', 'replace')[:3000]}", True)
    said = f"exit status {ours.rc}, theirs is {theirs.rc}\n" if ours.rc != theirs.rc else ""
    if theirs.rc and ours.err != theirs.err:
        said += answers.show_diff(theirs.err, ours.err) + "\n"
    if ours.out == theirs.out:
        return Verdict(case, said)
    masked = answers.mask(theirs.out, again.out, ours.out)
    if masked is None:
        return None
    if last:  # a rate of a longer interval may have a digit less, and a blank more
        masked = [re.sub(rb" +~", b" ~", text) for text in masked]
    return Verdict(case, said if masked[0] == masked[1] else said + answers.show_diff(*masked))


def batches(cases, together):
    """Those together that do not disturb each other."""
    kinds = {}
    for case in cases:
        kinds.setdefault(tuple(word in case.line for word in ASK_FOR_INTERFACES), []).append(case)
    for some in kinds.values():
        yield from (some[at:at + together] for at in range(0, len(some), together))


def compare_all(cases, explained=()):
    """Verdicts of all cases. One attempt is enough for those EXPLAINED."""
    verdicts, left = {}, list(cases)
    with links() as first, locale_directory() as locales:
        paths = (PATH, PATH, f"{first}:{PATH}")
        if not any(Path(locales).iterdir()):
            left = [case for case in left if "UTF-8" not in case.line]
        for together, beside in ATTEMPTS:
            with ThreadPoolExecutor(beside) as pool:
                parts = list(batches(left, together))
                answered = pool.map(lambda some: run_together(some, paths, {"LOCPATH": locales}), parts)
                for case, each in zip(itertools.chain(*parts), itertools.chain.from_iterable(answered)):
                    verdicts[case] = differences(case, *each, together == 1) or verdicts.get(case)
            left = [case for case in left if not verdicts[case] or verdicts[case].difference and not
                    verdicts[case].crash and not any(entry.covers(case) for entry in explained)]
    return [verdict or Verdict(case, "the real one says something else each time") for case, verdict in verdicts.items()]


@test
def the_same_bytes():
    check_releases(["sar"])
    explained = read_explained("sar")
    faults = judge("sar", compare_all(read_matrix("sar")[::SHARE], explained), set(), explained, SHARE == 1)
    assert not faults, "\n".join(faults)


def until_interrupted(ns, program, *words):
    """What it prints when SIGINT comes as from a terminal, after its first sample; without the empty lines."""
    process = ns.popen([*program, *words], stdout=subprocess.PIPE, text=True, start_new_session=True)
    lines = list(itertools.takewhile(lambda line: ":" not in line[:3], iter(process.stdout.readline, "")))
    while len([line for line in lines if line[:2].isdigit()]) < 2:
        lines.append(process.stdout.readline())
    os.killpg(process.pid, signal.SIGINT)
    lines += process.communicate(timeout=PATIENCE)[0].splitlines(keepends=True)
    assert process.returncode == 0, (program, process.returncode)
    return [line[11:] for line in lines if line.strip()]


@test
def an_interrupt_shows_the_averages():
    check_releases(["sar"])
    with netns() as ns:
        for words in (["-n", "TCP", "1"], ["-n", "DEV", "1", "9"]):
            seen = []

            def are_same(words=words, seen=seen):
                """Where the machine is busy the signal may come after another sample."""
                seen[:] = [until_interrupted(ns, program, *words) for program in (["sar"], [BUILD / "nwho", "sar"])]
                return seen[0] == seen[1]

            try:
                wait_for(are_same)
            except AssertionError:
                raise AssertionError((words, *seen)) from None


@test
def what_nwho_does_not_have_is_said_in_a_line():
    for words, part in (("-u 1 1", "network"), ("-r ALL 1 1", "network"), ("-I SUM 1 1", "network"), ("-A", "network"), ("1 1", "-n"),
                        ("-n TCP -o x 1 1", "-o"), ("--sadc", "collector")):
        result = run([BUILD / "nwho", "sar", *words.split()], expect=2)
        assert result.out == "" and result.err.count("\n") == 1 and result.err.startswith("sar: "), (words, result)
        assert part in result.err, (words, result)


@test
def icmp_is_read_by_name():
    """Newer kernels have two more counters among these, and the real tool, which counts columns, takes one for another."""
    send = "import socket, sys; u = socket.socket(type=socket.SOCK_DGRAM)\n" \
           "for _ in sys.stdin: [u.sendto(b'x', ('127.0.0.1', 5003)) for _ in range(20)]; print(flush=True)"
    with netns() as ns, ns.popen([sys.executable, "-c", send], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        def are_counted():
            """Whether they were sent in the second that is told: a busy machine may be late."""
            ours = ns.popen([BUILD / "nwho", "sar", "-n", "EICMP", "1", "1"], stdout=subprocess.PIPE, text=True)
            assert "CPU)" in ours.stdout.readline()
            print(file=sender.stdin, flush=True)
            assert sender.stdout.readline() == "\n"
            values = ours.communicate(timeout=PATIENCE)[0].splitlines()[2].split()[1:]
            assert values[2] == values[3] and float(values[2]) <= 20 and float(values[7]) == 0, values
            return float(values[2]) >= 19

        wait_for(are_counted, what="20 messages in a second")
        sender.stdin.close()


if len(sys.argv) > 1:
    shown = compare_all([Case(line, output) for line in sys.argv[1:] for output in ("pipe", "80")])
    for verdict in shown:
        print(f"== {verdict.case}\n{verdict.difference or 'identical'}")
    sys.exit(any(verdict.difference for verdict in shown))
run_tests()
