# SPDX-License-Identifier: MIT
"""The recorder's doctor: what it finds is a note of the history, once, with the guilty process; and `nwho doctor` compares
with its last reading."""
import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager

from doctor import CLOSE_WAIT, CONNECT, program
from live import BUILD, PATIENCE, netns, nwho, run_tests, test, wait_for
from recorder import ask, directory, recorder

# A socket that nobody reads; with each line so many datagrams come to it at once.
BURST = """
import socket, sys
deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
deaf.bind(("127.0.0.1", 5140))
deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("ready", flush=True)
for line in sys.stdin:
    for _ in range(int(line)):
        writer.sendto(b"x" * 100, deaf.getsockname())
    print("sent", flush=True)
"""


@contextmanager
def recording(*lines):
    """A recorder whose configuration has these lines; yields its store."""
    with directory() as place:
        (place / "nwho.conf").write_text("\n".join(("exposed.baseline = off", *lines, "")))
        with recorder(place / "h.db", env={"NWHO_CONFIG": str(place / "nwho.conf")}):
            yield place / "h.db"


def notes_of(store, about):
    """Findings that the history names, of a namespace or a process."""
    return [note for note in ask(store)["notes"] if note["kind"] == "finding" and about in note["text"]]


@test
def a_finding_is_noted_once_and_of_the_healthy_nothing():
    with netns() as ns, program(ns, CLOSE_WAIT, "120", "7000", "leak") as sick, \
         program(ns, CLOSE_WAIT, "120", "7001", "close"), recording() as store:
        note, = wait_for(lambda: notes_of(store, ns.name), 3 * PATIENCE, "what the doctor finds")
        assert (note["severity"], note["check"]) == ("warn", "close-wait"), note
        assert note["what"].startswith(f"python3({sick.pid}) keeps 120 connections in close-wait"), note
        assert note["text"] == f"warn close-wait: {note['what']}", note
        text = nwho(None, "history", "--store", store, expect=(0, 1)).out
        assert f"  finding  {note['text']}\n" in text, text


@test
def a_glance_does_not_miss_that_ports_run_out():
    """It only counts by destination, and the namespace with most of them is another one."""
    few = ("net.ipv4.ip_local_port_range=40000 40099", "net.ipv4.tcp_tw_reuse=0")
    with netns(*few) as ns, netns(few[1]) as other, program(ns, CONNECT, "90", "close", "7000"), \
         program(other, CONNECT, "70", "close", "7000", "7001"), recording() as store:
        note, = wait_for(lambda: notes_of(store, "local ports"), 3 * PATIENCE, "what the doctor finds")
        assert (note["severity"], note["check"]) == ("warn", "ports") and note["what"].startswith("90 of 100 local ports"), note


@test
def a_wrong_configuration_does_not_end_recording():
    with recording("close-wait.sockets = many") as store:
        note, = notes_of(store, "nwho.conf")
        assert note["text"].startswith("the doctor does not look: ") and "many" in note["text"], note
        assert "severity" not in note, note


@contextmanager
def one_reading():
    """A recorder that reads once, as its ticks are long; yields its store and the file of the reading, which does not follow
    a link that was there."""
    with directory() as place:
        reading, elsewhere = place / "h.db.reading", place / "elsewhere"
        elsewhere.write_text("kept")
        reading.symlink_to(elsewhere)
        command = [BUILD / "nwho", "serve", "--foreground", "--every", "1h", "--listen", "none", "--store", place / "h.db"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
            try:
                wait_for(lambda: child.poll() is not None or (reading.exists() and not reading.is_symlink()), what="a reading")
                yield place / "h.db", reading, child
            finally:
                child.terminate()
                child.wait(PATIENCE)
        assert elsewhere.read_text() == "kept"


def doctor(store, *words, check="udp-drops", expect=(0, 1, 3)):
    return nwho(None, "doctor", check, "--store", store, *words, expect=expect)


def found_in(ns, result):
    document = json.loads(result.out)
    return [(row["check"], row["pid"]) for row in document["rows"] if row["netns"] == ns.name], document["window_ms"]


@test
def the_doctor_compares_with_the_last_reading():
    with netns() as ns, netns() as healthy, program(ns, BURST) as deaf, program(healthy, BURST) as calm, \
         one_reading() as (store, reading, _):
        assert reading.stat().st_mode & 0o777 == 0o640
        assert calm("1") == deaf("1") == "sent\n"
        assert found_in(ns, doctor(store, "--json"))[0] == []
        assert calm("1") == deaf("20000") == "sent\n"
        result = doctor(store, "--json")
        assert found_in(ns, result)[0] == [("udp-drops", deaf.pid)] and found_in(healthy, result)[0] == [], result
        assert found_in(ns, result)[1] >= 1000, result
        # That is over: only the reading knows what was before.
        assert found_in(ns, doctor(store, "--json", "--window", "0.2")) == ([], approximately(200))
        closing = doctor(store).out.splitlines()[-1]
        assert re.match(r"since the last sample of nwho serve, [\d.]+s ago: \d+ network namespaces, ", closing), closing
        assert re.search(r", in [\d.]+m?s \|", doctor(store, "--nagios", check="tw-overflow", expect=(0, 1, 2, 3)).out)
        for other in (("--window", "0.1"), ("-N", ns.name), ("--watch=0.1", "--times", "1")):
            assert "looked for " in doctor(store, *other).out, other


class approximately(int):
    """A number of milliseconds, on a busy machine."""

    def __eq__(self, other):
        return self <= other < self + 5000

    __hash__ = int.__hash__


def is_left_out(store, line):
    """The doctor looks for itself; `line`: what it says of it, nothing where that is empty."""
    result = doctor(store, check="tw-overflow")
    assert "looked for 3" in result.out and re.fullmatch(line, result.err), result
    return True


@test
def a_reading_of_no_use_is_left_out():
    with one_reading() as (store, reading, child):
        whole = reading.read_bytes()
        reading.write_bytes(whole[:-100])
        assert is_left_out(store, r"nwho: the last reading of nwho serve is left out: .*h\.db\.reading: .*\n")
        reading.write_bytes(whole)
        os.chown(reading, 65534, 65534)
        assert is_left_out(store, "")
        os.chown(reading, 0, 0)
        assert "since the last sample" in doctor(store, check="tw-overflow").out
        child.send_signal(signal.SIGTERM)
        wait_for(lambda: not reading.exists(), what="the end of the reading")
        assert is_left_out(store, "")


run_tests()
