# SPDX-License-Identifier: MIT
"""nwho serve with /metrics, and what it answers."""
import re
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import openmetrics
from live import BUILD, PATIENCE, wait_for

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Server:
    """nwho serve that is asked over one of its sockets."""

    def __init__(self, child, place):
        self.child = child
        if place.startswith("unix:"):
            self.family, self.address = socket.AF_UNIX, place.removeprefix("unix:")
        else:
            host, port = re.fullmatch(r"http://(.*):(\d+)/metrics", place).groups()
            self.family, self.address = (socket.AF_INET6 if ":" in host else socket.AF_INET), (host.strip("[]"), int(port))
            self.address = ("127.0.0.1", int(port)) if host == "0.0.0.0" else self.address

    def connect(self):
        client = socket.socket(self.family, socket.SOCK_STREAM)
        client.settimeout(PATIENCE)
        client.connect(self.address)
        return client

    def raw(self, request):
        """All that comes until the end."""
        with self.connect() as client:
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b""))

    def get(self, path="/metrics", method="GET", **fields):
        fields = {"Host": "localhost", "Connection": "close", **fields}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        head, _, body = self.raw(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()).partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode(), body.decode()

    def samples(self):
        status, head, body = self.get(Accept=ACCEPT)
        assert status == 200 and "application/openmetrics-text" in head, head
        return openmetrics.samples(body)

    def values(self, name, *keys, **labels):
        """{values of KEYS: value} of those that have the LABELS, read by hand: that is fast."""
        found = {}
        for line in self.get(Accept=ACCEPT)[2].splitlines():
            sample, text, value = SAMPLE.fullmatch(line).groups() if SAMPLE.fullmatch(line) else (None, None, None)
            has = dict(LABEL.findall(text or ""))
            if sample == name and labels.items() <= has.items():
                found[tuple(has.get(key) for key in keys)] = float(value)
        return found

    def processes(self):
        """Its own, that which asks the history, that which answers, and that which has read what is now."""
        children = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children").read_text().split()
        return self.child.pid, *map(int, children)


@contextmanager
def served(place, *options, ns=None, wait=True, listen="127.0.0.1:0", every=1):
    """The first numbers are there."""
    command = [BUILD / "nwho", "serve", "--foreground", "--every", str(every), "--store", place / "h.db", "--listen", listen, *options]
    with subprocess.Popen([*(ns.prefix() if ns else []), *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        try:
            child.stdout.readline()
            line = child.stdout.readline()
            assert line.startswith("nwho: metrics at "), (line, child.poll() and child.stderr.read())
            server = Server(child, line.removeprefix("nwho: metrics at ").strip())
            if wait:
                wait_for(lambda: server.get()[0] != 503, what="numbers")
            yield server
        finally:
            child.terminate()
            child.wait(PATIENCE)
        assert child.returncode == 0, child.stderr.read()
