# SPDX-License-Identifier: MIT
"""A process that sends to itself what it is told to, and says when the bytes have arrived."""
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

from live import PATIENCE

# Listens to itself on 127.0.0.1:5555 (TCP) and 5556 (UDP). A line "tcp N", "udp N", or "short N" for
# a connection of its own, makes it send so many bytes to itself and take them in.
TALKER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 5555))
client = socket.create_connection(("127.0.0.1", 5555))
server, _ = listener.accept()
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 5556))
print(client.getsockname()[1], flush=True)
for line in sys.stdin:
    proto, count = line.split()
    if proto == "udp":
        udp.sendto(b"x" * int(count), ("127.0.0.1", 5556))
        udp.recv(65536)
    else:
        out, back = client, server
        if proto == "short":
            out = socket.create_connection(("127.0.0.1", 5555))
            back, _ = listener.accept()
        out.sendall(b"x" * int(count))
        while int(count) > 0:
            count = int(count) - len(back.recv(65536))
        if proto == "short":
            out.close()
            back.close()
    print("done", flush=True)
"""


class Talker:
    def __init__(self, child):
        self.child, self.pid = child, child.pid
        self.port = int(child.stdout.readline())

    def say(self, proto, count):
        self.child.stdin.write(f"{proto} {count}\n".encode())
        self.child.stdin.flush()
        assert self.child.stdout.readline() == b"done\n"


@contextmanager
def talker(ns):
    with ns.popen([sys.executable, "-c", TALKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            yield Talker(child)
        finally:
            child.stdin.close()
            child.wait(PATIENCE)


@contextmanager
def named_talker(ns, place, name):
    """Python under a name of its own, so that it is a group of its own."""
    shutil.copy(os.path.realpath(sys.executable), place / name)
    home = {**os.environ, "PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}"}
    with ns.popen([place / name, "-c", TALKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=home) as child:
        try:
            yield Talker(child)
        finally:
            child.stdin.close()
            child.wait(PATIENCE)
