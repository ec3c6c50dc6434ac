# SPDX-License-Identifier: MIT
"""History whose writer is killed, whose disk is full, whose file another one writes, or which may not be written."""
import contextlib
import errno
import json
import random
import signal
import subprocess
import tempfile
from pathlib import Path

from live import BUILD, run_tests, skip, test

WRITER = str(BUILD / "tests/helpers/history_writer")
FLOWS = 40  # of each tick, of one byte


def need_writer():
    if not Path(WRITER).exists():
        skip("built without SQLite")


@contextlib.contextmanager
def writer(path):
    """Writes until the block ends; its lines are words."""
    process = subprocess.Popen([WRITER, "write", str(path)], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def words(process):
    return process.stdout.readline().split(maxsplit=3)


def wait_for_line(process, kind):
    for _ in range(20000):
        line = words(process)
        if line[:1] == [kind]:
            return line
    raise AssertionError(f"no line '{kind}'")


def totals(path, tier):
    done = subprocess.run([WRITER, tier, str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@contextlib.contextmanager
def small_disk(size):
    """A file system of its own."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "nwho-test", directory], check=True)
        try:
            yield Path(directory)
        finally:
            subprocess.run(["umount", "-l", directory], check=True)


@test
def a_killed_writer_loses_at_most_the_running_tick():
    need_writer()
    with tempfile.TemporaryDirectory() as directory:
        path, said = Path(directory) / "history.db", 0
        for _ in range(50):
            with writer(path) as process:
                for _ in range(random.randrange(1, 90)):
                    line = words(process)
                    assert line[0] == "written", line
                process.send_signal(signal.SIGKILL)
                rest = process.stdout.read().splitlines()
                said = int((rest or [" ".join(line)])[-1].split()[1])
            fine, minutes = totals(path, "fine"), totals(path, "minutes")
            assert said <= fine["ticks"] <= said + 1, (said, fine)
            assert fine["flows"] == fine["ticks"] * FLOWS, fine
            assert minutes["flows"] == fine["flows"], (minutes, fine)


@test
def a_full_disk_stops_nobody():
    need_writer()
    with small_disk("3m") as directory:
        ballast = directory / "ballast"
        ballast.write_bytes(bytes(1500000))
        with writer(directory / "history.db") as process:
            lost = wait_for_line(process, "lost")
            assert int(lost[2]) == errno.ENOSPC, lost
            known = totals(directory / "history.db", "fine")
            assert known["flows"] == known["ticks"] * FLOWS and known["ticks"] > 0, known
            ballast.unlink()
            wait_for_line(process, "written")
        after = totals(directory / "history.db", "fine")
        assert after["gaps"] == 1 and after["ticks"] > known["ticks"], (known, after)


@test
def the_second_writer_is_told_who_the_first_is():
    need_writer()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "history.db"
        with writer(path) as process:
            wait_for_line(process, "written")
            second = subprocess.run([WRITER, "write", str(path)], capture_output=True, text=True, check=False)
            assert second.returncode == 1
            word, error, pid, text = second.stdout.split(maxsplit=3)
            assert (word, int(error), int(pid)) == ("refused", errno.EBUSY, process.pid)
            assert "another process" in text, text
            wait_for_line(process, "written")


@test
def a_directory_that_cannot_be_written_is_said():
    need_writer()
    with small_disk("3m") as directory:
        path = directory / "history.db"
        with writer(path) as process:
            wait_for_line(process, "written")
        subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
        done = subprocess.run([WRITER, "write", str(path)], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stdout.startswith(f"refused {errno.EROFS} "), done.stdout
        assert str(path) in done.stdout, done.stdout


run_tests()
