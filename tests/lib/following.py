# SPDX-License-Identifier: MIT
"""nwho events in the background, and scripts that make connections and tell the truth about them."""
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time

from live import BUILD, PATIENCE, nwho, skip

# Common to all scripts that run inside of a namespace; each prints one JSON document, the truth.
PREAMBLE = """
import errno, json, os, select, socket, struct, sys, time
facts = []
def listener(family=socket.AF_INET, host="127.0.0.1"):
    sock = socket.socket(family)
    sock.bind((host, 0))
    sock.listen(128)
    return sock
def pair(server):
    client = socket.socket(server.family)
    client.connect(server.getsockname()[:2])
    return client, server.accept()[0]
def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
def ended(sock):
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass
    sock.close()
def fact(sock, **more):
    facts.append({"port": sock.getsockname()[1], "pid": os.getpid(), "ppid": os.getppid(), **more})
def take(sock, count):
    while count:
        count -= len(sock.recv(count))
"""


def needs_bpf(ns):
    """Gives nothing; skips where events do not come from BPF."""
    document = json.loads(nwho(ns, "events", "--for", "0.01", "--json", expect=(0, 1)).out)
    if "bpf" not in document["sources"]["events"]:
        skip("BPF may not be loaded here")


class Follower:
    """nwho events --json in the background; WORDS: another command that is alike."""

    def __init__(self, ns, *args, user=None, words=("events",)):
        command = [BUILD / "nwho", *words, "--json", *args]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.child = ns.popen(command, user, **options) if ns else subprocess.Popen(command, **options)
        self.bytes = b""
        self.read_until(b'"rows":[')

    def read_until(self, what, patience=PATIENCE):
        deadline = time.monotonic() + patience
        while what not in self.bytes:
            assert select.select([self.child.stdout], [], [], max(0, deadline - time.monotonic()))[0], self.bytes[-500:]
            chunk = os.read(self.child.stdout.fileno(), 1 << 16)
            assert chunk, (self.bytes[-500:], self.child.stderr.read())
            self.bytes += chunk

    def finish(self, stop=True):
        """Ends it, also what has happened but is not told yet; gives the document."""
        if stop:
            self.child.send_signal(signal.SIGINT)
        out, err = self.child.communicate(timeout=PATIENCE)
        self.err = err.decode()
        return json.loads(self.bytes + out)


@contextlib.contextmanager
def following(ns, *args, **options):
    follower = Follower(ns, *args, **options)
    try:
        yield follower
    finally:
        follower.child.kill()
        follower.child.communicate()


def play(ns, script, *args, **options):
    """What the script prints."""
    return json.loads(ns.run([sys.executable, "-c", PREAMBLE + script + "\nprint(json.dumps(facts))", *args], **options).out)


def follow(ns, script, *args):
    """The document about a script, and the script's truth."""
    with following(ns, *args) as follower:
        facts = play(ns, script)
        return follower.finish(), facts


def closed(document):
    return {row["local_port"]: row for row in document["rows"] if row["event"] == "closed"}
