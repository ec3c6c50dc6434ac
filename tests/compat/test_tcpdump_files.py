#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Files that tcpdump and ours write: the same bytes under the same names, and what is told of those that cannot be written."""
import os
import signal
import struct
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import packets
from compat import PATH, check_releases
from live import BUILD, PATIENCE, netns, run_tests, test, wait_for

OURS, THEIRS = [str(BUILD / "nwho"), "tcpdump"], ["tcpdump", "-Z", "root"]
PCAP_HEADER = 24
NOBODY = "nobody"


def frame(size=1000):
    return packets.udp4(b"x" * (size - 42))


@contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="nwho-files-") as path:
        yield Path(path)


def run(program, words, where, **more):
    environment = {"PATH": PATH, "TZ": "Europe/Berlin", "LC_ALL": "C", **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}}
    return subprocess.run([*program, *words], cwd=where, stdin=subprocess.DEVNULL, capture_output=True, env=environment, timeout=PATIENCE, check=False, **more)


def packets_in(file):
    """The packets of a file of this machine's byte order, which has to be whole, or just to have been made."""
    data, at, found = file.read_bytes(), PCAP_HEADER, []
    assert len(data) >= PCAP_HEADER or not data, (file, len(data))
    while at < len(data):
        length = struct.unpack_from("=I", data, at + 8)[0]
        assert at + 16 + length <= len(data), f"{file} is cut within a packet"
        found.append(data[at + 16:at + 16 + length])
        at += 16 + length
    return found


def outcome(program, words, source):
    """What there is after a run: files with their bytes, texts and the exit status."""
    with directory() as where:
        (where / "in").mkdir()
        for file in source:
            (where / "in" / file.name).symlink_to(file)
        done = run(program, words, where)
        commands = sorted(done.stdout.splitlines()) if "-z" in words else done.stdout
        return {str(file.relative_to(where)): file.read_bytes() for file in where.rglob("*") if file.parent.name != "in" and file.is_file()}, \
            commands, done.stderr, done.returncode


@test
def the_same_files():
    """By sizes, in rings, with a time in the name, of several files: names and bytes."""
    check_releases(["tcpdump"])
    with directory() as where:
        packets.write(f"{where}/a.pcap", packets.ETHERNET, [frame()] * 4200)
        packets.write(f"{where}/nano.pcap", packets.ETHERNET, [frame(100)] * 9, nanoseconds=True)
        packets.write(f"{where}/raw.pcap", packets.RAW, [frame()[14:]] * 3)
        (where / "list").write_text("in/a.pcap\nin/nano.pcap\n", encoding="ascii")
        (where / "mixed").write_text("in/a.pcap\nin/raw.pcap\n", encoding="ascii")
        (where / "gap").write_text("in/nano.pcap\n\n", encoding="ascii")
        (where / "none").write_text("", encoding="ascii")
        source, one = list(where.iterdir()), "-r in/a.pcap"
        lines = [f"{one} {words}" for words in (
            "-w x", "-C 1 -w x", "-C 1 -W 3 -w x.pcap", "-C 1 -W 12 -w x", "-C 1 -W 1 -w x", "-C 1 -W 101 -w x", "-C 2 -G 1000 -w x%Y.%%",
            "-C 1 -G 1000 -W 20 -w x", "-G 1000 -w d%Y", "-W 3 -w x", "-G 0 -C 2 -w x%s", "-C 3 -z echo -w x", "-C 1K -w x", "-C 0 -w x", "-C 5x -w x",
            "-C -1 -w x", "-W 0 -C 1 -w x", "-W -3 -w x", "-W 5x -C 1 -w x", "-G -5 -w x", "-w nosuch/x", "-w in", "-w x --print -nn -c 3",
            "-w x -c 5 port 9", "-V in/list", "-T nosuch", "-T domain -nn -c 2", "-j nosuch", "-m nosuch -c 1 -nn", "-w x -T snmpx")]
        lines += ["-r in/nano.pcap -w x", "-r in/nano.pcap --nano -w x", "-r in/raw.pcap -w x", "-V in/list --count", "-V in/list -w x", "-V in/list -# -nn -c 2",
                  "-V in/mixed --count", "-V in/mixed -w x", "-V in/gap --count", "-V in/none", "-V nosuch", "-V in/list -d udp"]
        for words in map(str.split, lines):
            theirs, ours = outcome(THEIRS, words, source), outcome(OURS, words, source)
            assert theirs == ours, (words, [(list(each[0]), *each[1:]) for each in (theirs, ours)])


@test
def the_same_answers_of_interfaces():
    check_releases(["tcpdump"])
    with netns() as ns:
        for words in ("-L", "-J", "-L -i lo", "-J -i lo", "-L -i any", "-L -i nosuch0", "-L -I -i lo", "-I -i lo", "-D", "-J -i nosuch0"):
            both = [ns.run([*program, *words.split()], expect=None) for program in (THEIRS, OURS)]
            theirs, ours = [(each.out, each.err, each.rc) for each in both]
            assert theirs == ours, (words, theirs, ours)


@test
def secrets_are_refused():
    for letter in "EM":
        done = run(OURS, [f"-{letter}", "secret", "-r", "/dev/null"], "/")
        assert done.returncode == 1 and b"no secrets" in done.stderr and done.stderr.count(b"\n") == 1, done


@test
def a_list_that_nobody_reads():
    """Interfaces are listed into a pipe that is closed, or that nobody reads, also where SIGPIPE is ignored."""
    for ignored in (False, True):
        for closed in (False, True):
            reading, writing = os.pipe()
            if closed:
                os.close(reading)
            with subprocess.Popen([*OURS, "-D"], stdout=writing, stderr=subprocess.PIPE, restore_signals=not ignored) as process:
                os.close(writing)
                process.communicate(timeout=PATIENCE)
            if not closed:
                os.close(reading)
            assert process.returncode in ((0, -signal.SIGPIPE) if closed else (0,)), (ignored, closed, process.returncode)


# --- live ---

SEND = """
import socket, sys
with socket.socket(type=socket.SOCK_DGRAM) as s:
    for text in sys.argv[1:]: s.sendto(text.encode() * 100, ('127.0.0.1', 9))
"""


@contextmanager
def capture(ns, words, where):
    process = ns.popen([*OURS, "-i", "lo", *words, "udp port 9"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=where)
    try:
        for line in iter(process.stderr.readline, ""):
            if "listening on" in line:
                break
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def end(process):
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def names(where):
    return sorted(file.name for file in where.iterdir())


@test
def files_by_time():
    """Each second a file, though nothing comes; none is overwritten, of which the last one can be read at any time; -W ends it."""
    with netns() as ns, directory() as where:
        (where / "x1").write_bytes(b"of somebody else")
        waiting = [sys.executable, "-c", f"input(); {SEND.strip()}", "first"]  # it takes a while to begin, the capture has two seconds
        sender = ns.popen(waiting, stdin=subprocess.PIPE)
        with capture(ns, ["-G", "1", "-w", "x", "-W", "2", "-z", "echo"], where) as process:
            sender.communicate(b"\n")
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0 and "Maximum file limit reached: 2\n" in err, err
        assert names(where) == ["x", "x1", "x2"], names(where)
        assert (where / "x1").read_bytes() == b"of somebody else"
        assert sorted(out.split()) == ["x", "x2"], out
        assert sum(len(packets_in(where / name)) for name in names(where) if name != "x1") == 1


@test
def readable_while_it_is_written():
    with netns() as ns, directory() as where:
        with capture(ns, ["-w", "x"], where) as process:
            assert packets_in(where / "x") == []
            ns.run([sys.executable, "-c", SEND, "one", "two"])
            wait_for(lambda: len(packets_in(where / "x")) == 2)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
        assert len(packets_in(where / "x")) == 2


@test
def after_privileges_are_dropped():
    """In a directory of root, files go on to be made, and are the user's; the process that makes them ends with the capture."""
    with netns() as ns, directory() as where:
        os.chmod(where, 0o755)
        with capture(ns, ["-Z", NOBODY, "-G", "1", "-w", "%s.pcap"], where) as process:
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            assert "Uid:\t65534\t65534\t65534" in status, status
            wait_for(lambda: len(names(where)) >= 2)
            ns.run([sys.executable, "-c", SEND, "late"])
            wait_for(lambda: sum(len(packets_in(file)) for file in where.iterdir()) == 1)
            code, _, err = end(process)
        assert code == 0 and "1 packet captured" in err, (code, err)
        assert {file.stat().st_uid for file in where.iterdir()} == {65534}


@test
def what_cannot_be_written():
    """A disk that is full, a directory that is none, a program that is none: a line each; what was written can be read."""
    with directory() as where:
        packets.write(f"{where}/a.pcap", packets.ETHERNET, [frame()] * 600)
        disk = where / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "nwho-small", disk], check=True)
        try:
            done = run(OURS, ["-r", "a.pcap", "-w", "disk/x"], where)
            assert (done.returncode, done.stderr.splitlines()[1:]) == (1, [b"tcpdump: disk/x: No space left on device"]), done
            assert 200 < len(packets_in(disk / "x")) < 600
            assert b"truncated" not in run(["tcpdump"], ["-nn", "-r", disk / "x"], where).stderr
        finally:
            subprocess.run(["umount", disk], check=True)
        done = run(OURS, ["-r", "a.pcap", "-w", "/dev/full"], where)
        assert done.returncode == 1 and b"/dev/full: No space left" in done.stderr, done
        done = run(OURS, ["-r", "a.pcap", "-C", "1", "-w", "-"], where)
        assert done.returncode == 1 and b"standard output" in done.stderr and not done.stdout, done
        packets.write(f"{where}/b.pcap", packets.ETHERNET, [frame()] * 1200)
        done = run(OURS, ["-r", "b.pcap", "-C", "1", "-w", "y", "-z", "/nonexistent/program"], where)
        assert done.returncode == 0 and b"-z /nonexistent/program: No such file or directory" in done.stderr, done
        assert len(packets_in(where / "y")) + len(packets_in(where / "y1")) == 1200


@test
def the_interface_goes_away():
    with netns() as ns, directory() as where:
        ns.run(["ip", "link", "add", "gone0", "type", "veth", "peer", "name", "gone1"])
        ns.run(["ip", "link", "set", "gone0", "up"])
        process = ns.popen([*OURS, "-i", "gone0", "-w", where / "x"], stderr=subprocess.PIPE, text=True)
        assert "listening on gone0" in process.stderr.readline()
        ns.run(["ip", "link", "del", "gone0"])
        err = process.communicate(timeout=PATIENCE)[1]
        assert process.returncode == 1 and "tcpdump: pcap_loop: The interface disappeared" in err and "packets captured" in err, (process.returncode, err)
        packets_in(where / "x")


run_tests()
