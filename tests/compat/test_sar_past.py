#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""sar -f: the same bytes and exit status as the real tool, from what both recorded over the same seconds.

sadc and nwho serve record in one namespace, twice with a restart in between. sadc takes its samples half a second after
nwho does, and what moves does so between a sample of sadc and the next one of nwho: it falls into the same interval of
both. Rates may be a tenth off, as the two do not wake up at the same hundredth of a second.

    tests/compat/test_sar_past.py                         the whole matrix, as a test
    tests/compat/test_sar_past.py 'sar -n DEV -f day 2'   the differences of one command line
"""
import contextlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import answers
from compat import PATH, OUTPUTS, SHARE, Case, Verdict, check_releases, environment_of, judge, links, read_explained, read_matrix
from live import BUILD, PATIENCE, run, run_tests, skip, test, wait_for
from page_sums import put_sums
from sar_scene import forgive, locale_directory, move, place_with_mover, without_softnet

SADC = "/usr/lib/sysstat/sadc"
ATTEMPTS = 6
RUNS = (("first", 5), ("second", 4))  # what moves, intervals
SAMPLE, MOVES = 0.45, 0.7      # of a second: samples of sadc; when things move
FIRST = ["nice", "-n", "-10"]  # not what runs beside
ALL_SOCKETS = re.compile(rb"( totsck .*\n)((?:.+\n)+)")
TOTAL = re.compile(rb"^(.{11}(?:\x1b\[[\d;]+m)?)[ \d]{10}", re.M)


class Missed(Exception):
    """The machine was too busy: the two recorded other seconds."""


def wait_until(moment):
    """A wall clock TIME; Missed when it has gone already."""
    left = moment - time.time()
    if left < 0:
        raise Missed(f"{-left:.2f} s too late")
    time.sleep(left)


def ask(store, question, *values):
    with contextlib.closing(sqlite3.connect(store)) as file, file:
        return file.execute(question, values).fetchall()


def has_ticks(store, since):
    return store.exists() and ask(store, "SELECT 1 FROM sqlite_schema WHERE name = 'chunk'") and ask(
        store, "SELECT 1 FROM chunk WHERE since_ns > ? LIMIT 1", int(since * 1e9))


def begin_at(store, since, restart, second):
    """As if the recorder had been started at RESTART and begun in that SECOND: what it has from SINCE on is taken away."""
    if ask(store, "SELECT 1 FROM chunk WHERE merged"):
        raise Missed("ticks were merged meanwhile")
    ask(store, "DELETE FROM chunk WHERE since_ns BETWEEN ? AND ?", int(since * 1e9), int((second + 0.9) * 1e9))
    ask(store, "UPDATE note SET time_ns = ? WHERE kind = 'started' AND time_ns > ?", restart * 10**9, int(since * 1e9))
    put_sums(store)


def record_run(ns, mover, places, word, intervals):
    """One run of both recorders; gives the second in which it began."""
    theirs, ours = (place / "day" for place in places)
    sadc = [*FIRST, "ip", "netns", "exec", ns.name, SADC, "-S", "XALL"]  # it reads speeds of /sys
    again, since = theirs.exists(), time.time()
    recorder = ns.popen([*FIRST, BUILD / "nwho", "serve", "--foreground", "--every", "1", "--store", ours],
                        stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: has_ticks(ours, since), what="the recorder")
        restart = int(time.time())
        if again:
            subprocess.run([*sadc, theirs], check=True)
        second = int(time.time()) + 2  # the first look of its doctor may take it beyond the next one
        wait_until(second + SAMPLE)
        with subprocess.Popen([*sadc, "1", str(intervals + 1), theirs]) as child:
            wait_until(second + 2 + MOVES)
            move(mover, word)
            if time.time() > second + 3:
                raise Missed("it took too long to move")
        assert child.returncode == 0
        wait_until(second + intervals + SAMPLE + 0.25)
    finally:
        recorder.kill()  # asked to end it would take one more sample
        recorder.wait(PATIENCE)
    begin_at(ours, since, restart, second)
    return second


def times_of(path, place):
    """Which samples there are."""
    line = "sar -n TCP -f day"
    found = answers.run_line(f"cd {place}; {line}", None, environment_of(type("None", (), {"variables": {}}), path))
    return [text[:8] for text in found.out.splitlines()]


def record(places, first):
    """Fills the directories; gives the second in which it began."""
    for place in places:
        for name in place.iterdir():
            name.unlink()
    with place_with_mover(half_duplex=False) as (ns, mover):
        seconds = [record_run(ns, mover, places, *run) for run in RUNS]
    theirs, ours = times_of(PATH, places[0]), times_of(f"{first}:{PATH}", places[1])
    if theirs != ours:
        raise Missed(f"{theirs}, {ours}")
    return seconds[0]


def masked(text):
    """How many sockets nwho has open while it counts them, and what processors did in exactly that time."""
    return ALL_SOCKETS.sub(lambda found: found[1] + TOTAL.sub(rb"\1       all", found[2]), without_softnet(text))


def difference(case, theirs, ours):
    if ours.crashed():
        return Verdict(case, f"crash, exit status {ours.rc}\n{ours.err.decode('utf-8', 'replace')[:3000]}", True)
    said = f"exit status {ours.rc}, theirs is {theirs.rc}\n" if ours.rc != theirs.rc else ""
    if theirs.rc and ours.err != theirs.err:
        said += answers.show_diff(theirs.err, ours.err) + "\n"
    theirs, ours = masked(theirs.out), masked(ours.out)
    ours = forgive(theirs, ours)
    return Verdict(case, said if theirs == ours else said + answers.show_diff(theirs, ours))


def compare_once(cases, places, second, paths, variables):
    times = {f"T{i}": time.strftime("%H:%M:%S", time.localtime(second + i)) for i in range(1, 13)}
    place = type("Place", (), {"variables": {**variables, **times}})
    return [difference(case, *(answers.run_line(f"cd {where}; {case.line}", OUTPUTS[case.output], environment_of(place, path))
                               for where, path in zip(places, paths))) for case in cases]


def compare_all(cases, explained=()):
    """Verdicts of all cases. What is different in each of several recordings counts."""
    verdicts, left = {}, list(cases)
    with links() as first, locale_directory() as locales, tempfile.TemporaryDirectory(prefix="nwho-sar-") as directory:
        places = [Path(directory, name) for name in ("theirs", "ours")]
        for place in places:
            place.mkdir()
        if not any(Path(locales).iterdir()):
            left = [case for case in left if "UTF-8" not in case.line]
        for _ in range(ATTEMPTS):
            try:
                second = record(places, first)
            except Missed as missed:
                print(f"# recorded again: {missed}", flush=True)
                continue
            for verdict in compare_once(left, places, second, (PATH, f"{first}:{PATH}"), {"LOCPATH": locales}):
                verdicts[verdict.case] = verdict
            left = [case for case in left if verdicts[case].difference and not verdicts[case].crash and
                    not any(entry.covers(case) for entry in explained)]
            if not left:
                break
    if not verdicts:
        skip("the machine is too busy: the two never recorded the same seconds")
    return list(verdicts.values())


def needs_history():
    if "without SQLite" in run([BUILD / "nwho", "history", "--store", "/nonexistent/x"], expect=None).err:
        skip("built without SQLite")


@test
def the_same_bytes():
    check_releases(["sar"])
    needs_history()
    explained = read_explained("sar_past")
    faults = judge("sar_past", compare_all(read_matrix("sar_past")[::SHARE], explained), set(), explained, SHARE == 1)
    assert not faults, "\n".join(faults)


if len(sys.argv) > 1:
    shown = compare_all([Case(line, output) for line in sys.argv[1:] for output in ("pipe", "80")])
    for shown_verdict in shown:
        print(f"== {shown_verdict.case}\n{shown_verdict.difference or 'identical'}")
    sys.exit(any(shown_verdict.difference for shown_verdict in shown))
run_tests()
