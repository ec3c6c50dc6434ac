# SPDX-License-Identifier: MIT
"""The doctor and the machine: memory, descriptors, programs that hide, ports that are taken."""
import json
import os
import shutil
import tempfile
from contextlib import contextmanager

from doctor import evidence, findings, program
from live import BUILD, mksock, netns, run_tests, test, wait_for

MKSOCK = BUILD / "tests/helpers/mksock"

UNREAD = """
import socket, sys
server = socket.create_server(("127.0.0.1", 7000))
kept = []
for _ in range(int(sys.argv[1])):
    client = socket.create_connection(server.getsockname())
    served = server.accept()[0]
    client.setblocking(False)
    sent = 0
    try:
        while True:
            sent += client.send(b"x" * 65536)
    except BlockingIOError:
        kept += client, served
    while sent and sys.argv[2] == "read":
        sent -= len(served.recv(1 << 20))
print("ready", flush=True)
sys.stdin.read()
"""

SERVER = """
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), 1024))
server = socket.socket()
server.bind(("127.0.0.1", 7000))
server.listen(5)
print("ready", flush=True)
accepted = []
try:
    while True:
        accepted.append(server.accept()[0])
except OSError:
    sys.stdin.read()
"""

# One after the other, until the server takes no more.
CLIENTS = """
import socket, sys
clients = []
try:
    while len(clients) < 40:
        clients.append(socket.create_connection(("127.0.0.1", 7000), timeout=3))
except TimeoutError:
    pass
print("ready", flush=True)
sys.stdin.read()
"""

# A program in memory: this interpreter would need its libraries, the helper that makes sockets needs nothing.
FROM_MEMORY = """
import os, sys
fd = os.memfd_create("hidden", 0)
os.write(fd, open(sys.argv[1], "rb").read())
os.execv(f"/proc/self/fd/{fd}", ["hidden", "listening"])
"""


@test
def memory_that_sockets_hold():
    limits = {"mem.pressure": "5", "mem.most": "800 900"}
    with netns() as ns, program(ns, UNREAD, "20", "leave") as holder:
        rows = findings(ns, "mem", limits=limits)
        assert [(row["check"], row["severity"], row["pid"]) for row in rows] == [("mem", "warn", holder.pid)], rows
        assert evidence(rows[0], "SockTCPMem")["after"] >= 2048, rows
        assert findings(ns, "mem", limits={"mem.most": "5 5"})[0]["severity"] == "crit"
        assert findings(ns, "mem") == []


@test
def no_memory_that_is_held_where_data_is_read():
    """The memory is the machine's, and others may use it: nobody says that it is this process."""
    with netns() as ns, program(ns, UNREAD, "20", "read"):
        assert not [row for row in findings(ns, "mem", limits={"mem.pressure": "0", "mem.reserve": "0"}) if row["pid"]]


@test
def a_process_that_cannot_accept():
    with netns() as ns, program(ns, SERVER, "20") as full, program(ns, CLIENTS):
        wait_for(lambda: [row["severity"] for row in findings(ns, "fd-limit")] == ["crit"])
        rows = findings(ns, "fd-limit")
        assert [(row["check"], row["pid"], row["local"]) for row in rows] == [("fd-limit", full.pid, "127.0.0.1:7000")], rows
        assert "accept" in rows[0]["cause"], rows
        open_ones = evidence(rows[0], "open descriptors")
        assert open_ones["after"] == open_ones["threshold"] == 20, rows


@test
def a_process_that_may_open_enough():
    with netns() as ns, program(ns, SERVER, "1000"), program(ns, CLIENTS):
        assert findings(ns, "fd-limit") == []


@test
def files_that_are_open_on_the_machine():
    """The limit is the machine's, for everybody: it is not lowered for a test. What the kernel tells is compared with a
    limit that is always reached; the borders of the usual one have a unit test."""
    with netns() as ns:
        rows = findings(ns, "fd-limit", limits={"fd-limit.machine": "0 off"})
        assert [(row["check"], row["severity"], row["pid"]) for row in rows] == [("fd-limit", "warn", None)], rows
        most = int(ns.run(["cat", "/proc/sys/fs/file-max"]).out)
        opened = evidence(rows[0], "open files")
        assert 0 < opened["after"] < opened["threshold"] == most, (rows, most)
        assert findings(ns, "fd-limit") == []


@contextmanager
def copy_of_the_helper():
    with tempfile.TemporaryDirectory(prefix="nwho-doctor-", dir="/var/lib") as directory:
        yield shutil.copy(MKSOCK, directory)


@test
def a_program_that_was_replaced_or_removed():
    with netns() as ns, copy_of_the_helper() as path, mksock(ns, "listening", program=path) as facts:
        assert findings(ns, "deleted-exe") == []
        os.unlink(path)
        rows = findings(ns, "deleted-exe")
        assert [(row["severity"], row["pid"]) for row in rows] == [("warn", facts[0]["pid"])], rows
        shutil.copy(MKSOCK, path)
        rows = findings(ns, "deleted-exe")
        assert [(row["severity"], row["pid"]) for row in rows] == [("info", facts[0]["pid"])], rows


@test
def a_program_that_was_deleted_out_of_tmp():
    with netns() as ns, mksock(ns, "deleted-exe") as facts:
        rows = findings(ns, "deleted-exe")
        assert [(row["severity"], row["pid"]) for row in rows] == [("crit", facts[0]["pid"])], rows


@contextmanager
def program_in_memory(ns):
    """Its process id."""
    process = ns.popen(["python3", "-c", FROM_MEMORY, MKSOCK], stdin=-1, stdout=-1)
    try:
        assert process.stdout.readline() and process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.kill()
        process.communicate()


@test
def a_program_that_was_never_a_file():
    with netns() as ns, program_in_memory(ns) as pid:
        rows = findings(ns, "deleted-exe")
        assert [(row["severity"], row["pid"]) for row in rows] == [("crit", pid)], rows


@test
def a_name_like_a_thread_of_the_kernel():
    for name, expected in (("kworker/3:1", ["crit"]), ("worker/3:1", [])):
        with netns() as ns, mksock(ns, "strange-comm", f"comm={name}"):
            assert [row["severity"] for row in findings(ns, "deleted-exe")] == expected, name


@test
def suspects_among_all_processes():
    """Of the whole machine BPF tells who is suspect, where it reads sockets anyhow; else each process is looked at in
    /proc. Both find the same, and nothing of the others."""
    with netns() as ns, copy_of_the_helper() as path, mksock(ns, "listening", program=path) as removed, \
            mksock(ns, "strange-comm", "comm=kworker/3:1") as poses, program_in_memory(ns) as memory, \
            program(ns, SERVER, "20") as full, program(ns, CLIENTS), mksock(ns, "listening") as calm:
        os.unlink(path)
        pids = {removed[0]["pid"]: ("deleted-exe", "warn"), poses[0]["pid"]: ("deleted-exe", "crit"),
                memory: ("deleted-exe", "crit"), full.pid: ("fd-limit", "crit")}

        def found(*options):
            done = ns.run([BUILD / "nwho", "doctor", "fd-limit", "deleted-exe", "close-wait", "--window", "0.3", "--json", *options],
                          expect={0, 1})
            return {row["pid"]: (row["check"], row["severity"]) for row in json.loads(done.out)["rows"]
                    if row["pid"] in {*pids, calm[0]["pid"]}}

        wait_for(lambda: found() == pids)
        assert found("--sources", "sock_diag,proc_net,proc_fd") == pids


@test
def a_port_that_is_bound_and_not_served():
    with netns() as ns, mksock(ns, "bound-inactive", "port=9000") as facts:
        rows = findings(ns, "port-conflict")
        assert [(row["severity"], row["pid"], row["local"].rsplit(":")[-1]) for row in rows] == [
            ("info", facts[0]["pid"], "9000")], rows
    with netns() as ns, mksock(ns, "listening", "port=9000"):
        assert findings(ns, "port-conflict") == []


@test
def a_port_that_two_programs_serve():
    listener = ["listening", "port=7000", "reuseport=1"]
    with netns() as ns, mksock(ns, *listener), mksock(ns, *listener):
        assert findings(ns, "port-conflict") == []
    with netns() as ns, mksock(ns, *listener), copy_of_the_helper() as path, mksock(ns, *listener, program=path):
        rows = findings(ns, "port-conflict")
        assert [(row["check"], row["severity"]) for row in rows] == [("port-conflict", "warn")], rows


run_tests()
