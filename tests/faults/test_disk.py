# SPDX-License-Identifier: MIT
"""The history and a disk that fails it: power cuts, errors of input and output, flipped bits; and readers beside the writer.

NWHO_FULL=1: 200 power cuts and 10,000 flipped bits.
"""
import contextlib
import errno
import fcntl
import json
import os
import random
import re
import select
import signal
import subprocess
import tempfile
from pathlib import Path

from faults import FULL, SANITIZED, run
from live import BUILD, run_tests, skip, test, wait_for
from made_history import TIME, history, make_killed_history
from torture import SEED

PROGRAM = BUILD / "nwho"
WRITER = BUILD / "tests/helpers/history_writer"
KEPT = 16000  # of more ticks (two days) the first are only in the sums
FLOWS, MINUTE = 40, 6  # of each tick, of one byte; ticks between two that wait for the disk


class Writer:
    """history_writer, and its lines."""

    def __init__(self, path, words):
        self.child = subprocess.Popen([*words, WRITER, "write", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.bytes = b""

    def line(self):
        """The words of the next line, none at the end."""
        while b"\n" not in self.bytes:
            more = os.read(self.child.stdout.fileno(), 65536)
            if not more:
                return []
            self.bytes += more
        line, self.bytes = self.bytes.split(b"\n", 1)
        return line.decode().split()

    def written(self, count):
        """Reads COUNT lines; the number of the last tick that was written."""
        lines = [self.line() for _ in range(count)]
        assert all(lines), "the writer ended"
        return max(int(line[1]) for line in lines if line[0] == "written")

    def rest(self):
        """What it has said and nobody has read yet: the last number."""
        while select.select([self.child.stdout], [], [], 0)[0]:
            self.bytes += os.read(self.child.stdout.fileno(), 65536)
        lines = self.bytes.split(b"\n")[:-1]
        self.bytes = self.bytes.rpartition(b"\n")[2]
        return int(lines[-1].split()[1]) if lines else 0


@contextlib.contextmanager
def writer(path, *words):
    if not WRITER.exists():
        skip("built without SQLite")
    process = Writer(path, words)
    try:
        yield process
    finally:
        process.child.kill()
        process.child.wait()
        while os.read(process.child.stdout.fileno(), 65536):
            pass  # one that strace ran ends after it
        process.child.stdout.close()


def totals(path, tier="fine"):
    done = subprocess.run([WRITER, tier, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def check_whole(path, least, most):
    """Each tick that is there is whole, also in the sums; and those are there."""
    fine, minutes = totals(path), totals(path, "minutes")
    assert least <= minutes["ticks"] <= most, (least, most, minutes)
    assert fine["ticks"] == minutes["ticks"] or fine["ticks"] > KEPT, (fine, minutes)
    assert all(tier["flows"] == tier["ticks"] * FLOWS for tier in (fine, minutes)), (fine, minutes)
    return minutes["ticks"]


# --- power cuts ---

@contextlib.contextmanager
def mounted(image, directory):
    done = subprocess.run(["mount", "-o", "loop", image, directory], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        skip(f"no loop device: {done.stderr.strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", directory], check=True)


@test
def a_power_cut_loses_at_most_a_minute():
    """What is on the device while the writer stands still is what is there after a power cut: a copy of it is mounted."""
    lost = []
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as name:
        place = Path(name)
        disk, copy, before, after = place / "disk", place / "copy", place / "before", place / "after"
        before.mkdir()
        after.mkdir()
        with open(disk, "wb") as image:
            image.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", disk], check=True)
        with mounted(disk, before), writer(before / "h.db") as process:
            chance = random.Random(SEED)
            # Else it would mostly be stopped while it waits for the disk: where its pipe is full tells nothing of that.
            fcntl.fcntl(process.child.stdout, fcntl.F_SETPIPE_SZ, 4096)
            state = Path(f"/proc/{process.child.pid}/wchan")
            for _ in range(200 if FULL else 6):
                process.written(chance.randrange(1, 50))
                wait_for(lambda: "pipe_write" in state.read_text(encoding="ascii"), what="the pipe is full")
                process.child.send_signal(signal.SIGSTOP)
                said = process.rest()
                subprocess.run(["cp", "--sparse=always", disk, copy], check=True)
                process.child.send_signal(signal.SIGCONT)
                with mounted(copy, after):
                    ticks = check_whole(after / "h.db", said - MINUTE, said + 1)
                lost.append(max(0, said - ticks))
    print(f"# {len(lost)} cuts: up to {max(lost)} ticks of 10 s lost, {sum(lost) / len(lost):.1f} on average", flush=True)


# --- errors ---

@test
def errors_of_the_disk_are_gaps_and_then_it_goes_on():
    """For a while each write fails, or each sync: what was written before is there, and so is what comes after."""
    for call, error, when in (("pwrite64", "EIO", "150..260"), ("pwrite64", "ENOSPC", "150..260"),
                              ("fdatasync,fsync", "EIO", "8..30"), ("pread64", "EIO", "150..260")):
        with tempfile.TemporaryDirectory(prefix="nwho-test-") as name:
            path = Path(name) / "h.db"
            with writer(path) as process:
                process.written(100)
            faults = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}",
                      "setpriv", "--pdeathsig", "KILL"]
            with writer(path, *faults) as process:
                lines = [process.line() for _ in range(400)]
            kinds = [line[0] if line else "ended" for line in lines]
            # What cannot be read at the start is the end of the writer: it says so, and the next one goes on.
            refused = kinds[0] == "refused" and call == "pread64"
            assert refused or (set(kinds) <= {"written", "lost"} and "written" in kinds), lines[-3:]
            assert not refused or int(lines[0][1]) == errno.EIO, lines[0]
            with writer(path) as process:
                process.written(30)
            assert not list(Path(name).glob("*broken*")), "what could not be read for a while was set aside"
            fine = totals(path)
            assert fine["flows"] == fine["ticks"] * FLOWS and fine["ticks"] > 100, (call, error, fine)
            lost = kinds.count("lost")
            assert not lost or fine["gaps"] >= 1, (call, error, lost, fine)
            print(f"# {call} {error}: {lost} of 400 ticks lost, {fine['gaps']} gaps", flush=True)


@test
def readers_beside_the_writer_see_whole_ticks():
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as name:
        path = Path(name) / "h.db"
        with writer(path) as process:
            process.written(3)
            for _ in range(200 if FULL else 25):
                said = process.written(5)
                for tier in ("fine", "minutes"):
                    found = totals(path, tier)
                    assert found["ticks"] >= said and found["flows"] == found["ticks"] * FLOWS, (said, tier, found)


# --- flipped bits ---

QUESTIONS = (["history", *TIME, "--json"], ["sar", "-n", "DEV", "-e", "00:03:20"])
MORE = (["history", *TIME, "--by", "iface", "--every", "10m", "--json"], ["export", *TIME, "--format", "jsonl", "--every", "10"])
TOLD = re.compile("damaged|made by a newer nwho")
FLIPS = 10000 if FULL else 60 if SANITIZED else 200


def ask(store, questions=QUESTIONS):
    return [run(None, [PROGRAM, *question, "-f" if question[0] == "sar" else "--store", store]) for question in questions]


def without_times(text):
    return re.sub(r'"time":"[^"]*"', "", text)


def judge(result, truth):
    """What became of an answer: same, told, or what is wrong with it."""
    assert result.rc in (0, 1, 2, 3), f"died: {result}"
    if result.rc in (2, 3):
        return "told" if TOLD.search(result.err) else "failed without a word of damage"
    return "same" if without_times(result.out) == without_times(truth.out) and result.rc == truth.rc else "changed"


@contextlib.contextmanager
def flipped(path, bit):
    """The file with one bit changed, and then as it was."""
    with open(path, "r+b", buffering=0) as file:
        byte = os.pread(file.fileno(), 1, bit // 8)[0]
        os.pwrite(file.fileno(), bytes([byte ^ 1 << bit % 8]), bit // 8)
        yield
        os.pwrite(file.fileno(), bytes([byte]), bit // 8)


def flip_and_ask(store, times):
    """Flips TIMES bits of the file and its journal, one after the other, and counts what became of the answers."""
    tally = dict.fromkeys(("same", "told", "refused"), 0)
    paths = [path for path in (store, store.with_name(store.name + "-wal")) if path.stat().st_size]
    whole, chance = [path.read_bytes() for path in paths], random.Random(SEED)
    truth, more = ask(store), ask(store, MORE)
    assert not any(result.rc for result in truth + more), truth + more
    for number in range(times):
        part = number % len(paths)
        bit = chance.randrange(8 * len(whole[part]))
        with flipped(paths[part], bit):
            answers = list(zip(ask(store), truth))
            if number % 100 == 0:
                answers += zip(ask(store, MORE), more)
        for result, right in answers:
            verdict = judge(result, right)
            assert verdict in ("same", "told"), (verdict, paths[part].name, bit, result)
            tally["refused" if verdict == "told" and result.rc == 2 else verdict] += 1
        store.with_name(store.name + "-shm").unlink(missing_ok=True)
    assert [path.read_bytes() for path in paths] == whole, "who reads has written"
    print(f"# {times} flips in {' and '.join(str(len(part)) for part in whole)} bytes: {tally}; none changes an answer unsaid", flush=True)
    return tally


@test
def flipped_bits_are_found():
    """Each page has a checksum: what changes an answer is said, and mostly the rest is still there."""
    with history() as (store, _):
        flip_and_ask(store, FLIPS * 3 // 10)


@test
def flipped_bits_of_a_killed_recorder_are_found():
    """Also in the journal that it leaves: what nobody has written into the file yet, and behind it what an earlier one left."""
    with history(make_killed_history) as (store, _):
        assert min(store.stat().st_size, store.with_name("h.db-wal").stat().st_size) > 100000
        tally = flip_and_ask(store, FLIPS * 7 // 10)
        assert all(tally.values()), tally


@test
def torn_and_zeroed_pages_are_told_or_do_not_matter():
    with history() as (store, place):
        truth, chance, whole = ask(store), random.Random(SEED), store.read_bytes()
        for number in range(200 if FULL else 12):
            page = chance.randrange(len(whole) // 4096)
            broken = place / f"broken{number}.db"
            cut = number % 3 == 0
            broken.write_bytes(whole[:page * 4096 + 2048] if cut else whole[:page * 4096] + bytes(4096) + whole[(page + 1) * 4096:])
            for result, right in zip(ask(broken), truth):
                assert judge(result, right) in ("same", "told"), (page, cut, result)
            for rest in place.glob("broken*"):
                rest.unlink()


run_tests()
