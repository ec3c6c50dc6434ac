# SPDX-License-Identifier: MIT
"""Around a mark or a finding the history has each second: what was sent in it, the same sums as those of the ticks, once."""
import contextlib
import os
import signal
import sqlite3
import time

from doctor import CLOSE_WAIT, program
from live import PATIENCE, netns, nwho, run_tests, test, wait_for
from recorder import ask, directory, recorder, rows
from talker import talker

EVERY, RING = "3", "40"
SIZES = (1000, 22000)


def mark(store, text):
    nwho(None, "mark", "--store", store, text)


def status(store):
    return nwho(None, "serve", "--status", "--store", store).out


def wait_until_written(store, why):
    wait_for(lambda: any("ring: last written" in line and why in line for line in status(store).splitlines()),
             PATIENCE, f"the ring is written because of {why}")


def stored(store, what):
    with contextlib.closing(sqlite3.connect(store)) as file:
        return file.execute(f"SELECT {what}").fetchone()


def send_in_seconds(one):
    """What was sent, by the second in which it was: one of SIZES in the middle of each."""
    sent = {}
    for size in SIZES:
        time.sleep(1.4 - time.time() % 1)
        begin = time.time()
        one.say("tcp", size)
        if int(begin + 0.4) != int(time.time()):
            return None  # this machine was too busy to be in time
        sent[int(begin)] = size
    return sent


def by_second(store, ns, first, *words):
    """Bytes received, by the second in which they were."""
    found = {}
    for row in rows(store, f"netns {ns.name}", "--since", f"@{first}", "--until", f"@{first + 4}", "--every", "1", *words):
        when = time.strptime(row["time"][:19], "%Y-%m-%dT%H:%M:%S")
        second = int(time.mktime(when) - time.timezone) - 1
        found[second] = found.get(second, 0) + row["rx_bytes"]
    return {second: size for second, size in found.items() if size}


def ticks_until(store, moment):
    return wait_for(lambda: stored(store, "max(until_ns) FROM chunk")[0] / 1e9 > moment, what="a later tick")


@test
def bytes_are_in_their_seconds():
    with directory() as place, netns() as ns, recorder(place / "h.db", "--every", EVERY, "--ring", RING, exact=True), \
         talker(ns) as one:
        store, begin = place / "h.db", int(time.time())
        mark(store, "first")
        mark(store, "second")
        # Also by a finding about what other tests do, which then is the reason that is told.
        wait_for(lambda: stored(store, "count(*) FROM second")[0], what="the ring is written")

        def comes_back():
            sent = send_in_seconds(one)
            if not sent:
                return False
            first = min(sent)
            ticks_until(store, first + 4)
            links = by_second(store, ns, first, "--by", "iface")
            return by_second(store, ns, first) == sent and list(links) == list(sent) and \
                all(links[second] >= size for second, size in sent.items())

        # A busy machine may read a second too late, and then it is part of the next one.
        wait_for(comes_back, PATIENCE, "bytes in the seconds in which they were sent")
        document = ask(store, f"netns {ns.name}", "--since", f"@{begin - 60}", "--until", f"@{begin + 60}", "--every", "1")
        whole = rows(store, f"netns {ns.name}", "--since", f"@{begin - 60}", "--until", f"@{begin + 60}")
        for key in ("rx_bytes", "tx_bytes"):  # the ticks, and their parts
            parts, sums = sum(row[key] for row in document["rows"]), sum(row[key] for row in whole)
            assert parts == sums >= sum(SIZES), (key, parts, sums)
        many, distinct = stored(store, "count(*), count(DISTINCT kind || ' ' || tick_ns) FROM second")
        assert many == distinct > 4, (many, distinct)


@test
def a_finding_writes_the_ring_and_who_is_killed_leaves_it_whole():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "leak"), directory() as place:
        store = place / "h.db"
        (place / "nwho.conf").write_text("exposed.baseline = off\n")
        with recorder(store, "--every", EVERY, "--ring", RING, env={"NWHO_CONFIG": str(place / "nwho.conf")}) as child:
            wait_until_written(store, "finding: ")
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
        assert stored(store, "* FROM pragma_integrity_check") == ("ok",)
        assert stored(store, "count(*) FROM second")[0] > 0
        assert ask(store, "--since", "-30s", "--every", "1", "--by", "iface")["complete"]


@test
def without_a_ring_the_resolution_is_said():
    with directory() as place, netns() as ns, recorder(place / "h.db", "--every", "2", "--ring", "0", exact=True), \
         talker(ns) as one:
        store = place / "h.db"
        mark(store, "x")
        one.say("tcp", 5000)
        wait_for(lambda: rows(store, f"netns {ns.name}"), what="what was sent")
        assert stored(store, "count(*) FROM second") == (0,)
        assert "ring" not in status(store)
        document = wait_for(lambda: (found := ask(store, f"netns {ns.name}", "--since", "-20s", "--every", "1")) and
                            found["coarsest_s"] > 1.6 and found, what="a whole tick")
        assert any("seconds are kept around marks" in warning["text"] for warning in document["warnings"]), document["warnings"]


run_tests()
