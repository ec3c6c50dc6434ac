# SPDX-License-Identifier: MIT
"""Faults for the tests of `nwho doctor`: programs that misbehave in a namespace, and what the doctor says of it.

NWHO_FULL=1 also runs the commands that each finding names, while the fault is there.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from contextlib import contextmanager

from live import BUILD

NWHO = BUILD / "nwho"
FULL = bool(os.environ.get("NWHO_FULL"))
_followed = set()

# What takes too long for a test.
SHORTER = [(r"-d \d+", "-d 0.1"), (r"--for \d+", "--for 0.1"), (r" --watch", ""), (r"^(nwho doctor.*)", r"\1 --window 0.1"),
           (r"^(nwho events(?!.*--for).*)", r"\1 --for 0.1"), (r"^nwho top", "nwho top --batch -n 1 -d 0.1")]

# So many connections to each of the ports; "close": the client closes them, first.
CONNECT = """
import socket, sys
count, what, *ports = sys.argv[1:]
kept = []
for port in map(int, ports):
    server = socket.create_server(("127.0.0.1", port), backlog=256)
    for _ in range(int(count)):
        client = socket.create_connection(server.getsockname())
        served = server.accept()[0]
        if what == "close":
            client.close()
            served.close()
        else:
            kept += [client, served]
    kept.append(server)
print("ready", flush=True)
sys.stdin.read()
"""

# So many connections to a port that are closed there; "leak": not here.
CLOSE_WAIT = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[2])), backlog=256)
kept = []
for _ in range(int(sys.argv[1])):
    client = socket.create_connection(server.getsockname())
    served = server.accept()[0]
    client.close()
    if sys.argv[3] == "leak":
        kept.append(served)
    else:
        served.recv(1)
        served.close()
print("ready", flush=True)
sys.stdin.read()
"""

# Datagrams to an address, of a size, from an address, as long as it lives.
FLOOD = """
import socket, sys, time
writer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
if len(sys.argv) > 3:
    writer.bind((sys.argv[3], 0))
writer.setsockopt(socket.IPPROTO_IP, 10, 0)  # IP_MTU_DISCOVER: IP_PMTUDISC_DONT
print("ready", flush=True)
while True:
    for _ in range(20):
        try:
            writer.sendto(b"x" * int(sys.argv[2]), (sys.argv[1], 9))
        except OSError:
            pass
    time.sleep(0.005)
"""


@contextmanager
def program(ns, source, *words, interpreter=sys.executable):
    """A Python program in the namespace; it prints "ready" when the situation is there, and lives as long as the
    block. It may talk: yields a function that sends it a line and gives its answer. SOURCE None: the first of WORDS is
    its file; INTERPRETER: one that lies elsewhere."""
    code = ["-c", source] if source else []
    process = ns.popen([interpreter, *code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline()

    ask.pid = process.pid  # nsenter runs the program in its own place
    try:
        assert process.stdout.readline() == "ready\n"
        yield ask
    finally:
        process.kill()
        process.communicate()


def findings(ns, *checks, window=0.5, limits=None, user=None, options=()):
    """Rows of the document. `limits`: lines of a configuration, {"stuck.since": "100ms 1s"}. The machine has no baseline."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.writelines(f"{name} = {value}\n" for name, value in {"exposed.baseline": "off", **(limits or {})}.items())
        file.flush()
        done = ns.run([NWHO, "doctor", "-N", ns.name, "--window", str(window), "--json", *options, *checks], expect={0, 1}, user=user,
                      env={**os.environ, "NWHO_CONFIG": file.name})
    rows = json.loads(done.out)["rows"]
    for row in rows:
        texts = [row["cause"], *row["fix"], *row["avoid"], *row["next"]]
        assert not any("{" in text for text in texts), texts
        for command in row["next"] if FULL else []:
            follow(ns, command)
    return rows


def follow(ns, command):
    """Do what a finding advises to do next, once: it works, and lists are not empty, unless nobody came meanwhile."""
    if (ns.name, command) in _followed:
        return
    _followed.add((ns.name, command))
    done = run_command(ns, command)
    shows = command.startswith(("nwho ls ", "nwho count ", "nwho ports ", "nwho ps ")) and " in sport " not in command
    assert done.rc == 0 or (done.rc == 1 and not shows), f"{command}: {done}"


def run_command(ns, command):
    """One of nwho's, but short."""
    for long, short in SHORTER:
        command = re.sub(long, short, command)
    words = shlex.split(command)
    return ns.run([NWHO if words[0] == "nwho" else words[0], *words[1:]], expect=None)


def evidence(row, counter):
    """One number of a finding, by the name of its counter."""
    return next(one for one in row["evidence"] if one["counter"] == counter)


def drop(ns, condition):
    """From now on packets of this kind that come in are thrown away, without a word."""
    ns.run(["nft", "add table ip faulty; add chain ip faulty input { type filter hook input priority 0; };"
                   f"add rule ip faulty input {condition} drop"])


def pair(ns, other, mtu=1500):
    """A virtual pair between two namespaces, v0 in both: 10.77.0.1 and 10.77.0.2, where packets may have this size."""
    ns.run(["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v0", "netns", other.name])
    for one, address in ((ns, "10.77.0.1"), (other, "10.77.0.2")):
        one.run(["ip", "address", "add", f"{address}/24", "dev", "v0"])
        one.run(["ip", "link", "set", "v0", "up"])
    other.run(["ip", "link", "set", "v0", "mtu", str(mtu)])
