# SPDX-License-Identifier: MIT
"""nwho serve among a thousand clients that take their time: who asks as usual is answered, and no tick is missed."""
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from live import PATIENCE, run_tests, test, wait_for
from recorder import directory
from served import served

CLIENTS = 1000
ORDINARY, SECONDS = 4, 3
PATHS = ["/metrics", "/api/v1/sockets?limit=5", "/", "/api/v1/history?by=iface", "/api/v1/status", "/api/v1/doctor"]

# Each is of one kind: says nothing; says its request byte by byte; asks and reads nothing, and stays; asks and reads byte by byte. Who was shut out
# comes again soon, and so does after two seconds who was not. Ends with standard input, and tells how often each kind came and what it was told.
SLOW = """
import collections, json, os, resource, select, socket, sys, time
host, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, max(count + 100, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
REQUEST = "GET %s HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n"
BYTES = (REQUEST % ("/metrics?" + 1000 * "x")).encode()
DOCUMENTS = [(REQUEST % path).encode() * times for path, times in (("/api/v1/history", 1), *12 * [("/metrics", 400), ("/page/uPlot.iife.min.js", 400)])]
KINDS = ["silent", "talks slowly", "reads nothing", "reads slowly"]
clients, absent, told = {}, [], collections.Counter()
poller = select.poll()

class Client:
    def __init__(self, number):
        self.number, self.kind, self.at, self.since = number, KINDS[number % len(KINDS)], 0, time.monotonic()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setblocking(False)
        self.socket.connect_ex((host, port))
        clients[self.socket.fileno()] = self
        poller.register(self.socket, select.POLLOUT)
        told[self.kind] += 1

    def is_connected(self):
        if self.kind.startswith("reads"):
            self.socket.send(DOCUMENTS[self.number // len(KINDS) % len(DOCUMENTS)])
        poller.modify(self.socket, 0 if self.kind.startswith("reads") else select.POLLIN)

    def leave(self):
        poller.unregister(self.socket)
        del clients[self.socket.fileno()]
        self.socket.close()
        absent.append(self.number)

    def go_on(self):
        if time.monotonic() - self.since > 2 and self.kind != "reads nothing":
            raise OSError
        if self.kind == "talks slowly":
            self.at += self.socket.send(BYTES[self.at:self.at + 1])
        elif self.kind == "reads slowly" and not self.socket.recv(1):
            raise OSError

for number in range(count):
    Client(number)
connected, slow, is_ready = set(), time.monotonic(), False
poller.register(0, select.POLLIN)
while True:
    for fd, events in poller.poll(100):
        if not fd:
            print(json.dumps(told))
            sys.exit()
        client = clients.get(fd)
        try:
            if events & (select.POLLERR | select.POLLHUP):
                raise OSError
            if events & select.POLLOUT:
                connected.add(client.number)
                client.is_connected()
            elif events & select.POLLIN:
                answer = client.socket.recv(65536)
                told[answer[9:12].decode() or "shut out"] += 1
                if not answer:
                    raise OSError
        except BlockingIOError:
            pass
        except OSError:
            client.leave()
    if not is_ready and len(connected) == count:
        is_ready = not print("ready", flush=True)
    if time.monotonic() - slow > 0.3:
        slow = time.monotonic()
        while absent:
            Client(absent.pop())
        for client in list(clients.values()):
            try:
                client.go_on()
            except BlockingIOError:
                pass
            except OSError:
                client.leave()
"""


@contextmanager
def slow_clients(server, told):
    """All have connected at least once. TOLD has in the end how they fared."""
    with subprocess.Popen([sys.executable, "-c", SLOW, *map(str, server.address), str(CLIENTS)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout.readline() == "ready\n"
            yield
            told.update(json.loads(child.communicate(timeout=PATIENCE)[0]))
        finally:
            child.kill()


def answered(server, path):
    """How often it had to be asked until it was answered, and the time that it took."""
    began, tries = time.monotonic(), 0

    def answer():
        nonlocal tries
        tries += 1
        try:
            answer = server.raw(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        except ConnectionError:  # it was shut out
            return False
        head, _, body = answer.partition(b"\r\n\r\n")
        assert not head or head.split()[1] in (b"200", b"503"), (path, head)
        return head.startswith(b"HTTP/1.1 200 ") and f"Content-Length: {len(body)}\r\n" in head.decode()

    wait_for(answer, what=path)
    return tries, time.monotonic() - began


def ask_for(server, seconds, first):
    """An ordinary client after another."""
    end, found = time.monotonic() + seconds, []
    while time.monotonic() < end or len(found) < len(PATHS):
        found.append((path := PATHS[(first + len(found)) % len(PATHS)], *answered(server, path)))
    return found


@test
def a_thousand_slow_clients_keep_nobody_out_and_delay_no_tick():
    with directory() as place, served(place) as server:
        wait_for(lambda: server.get("/api/v1/doctor")[0] == 200, what="a look of the doctor")
        since, told = time.time(), {}
        with slow_clients(server, told), ThreadPoolExecutor(ORDINARY) as pool:
            answers = [one for found in pool.map(lambda i: ask_for(server, SECONDS, i), range(ORDINARY)) for one in found]
        at_once = [path for path, tries, _ in answers if tries == 1]
        assert set(at_once) == set(PATHS) and len(at_once) > len(answers) / 2, answers
        assert told["shut out"] and all(told[kind] >= CLIENTS / 4 for kind in ("silent", "talks slowly", "reads nothing", "reads slowly")), told
        past = wait_for(lambda: (got := json.loads(server.get(f"/api/v1/history?since=@{since:.3f}")[2])).get("measured_s", 0) > SECONDS - 1 and got, what="ticks")
        assert past["coarsest_s"] < 5 and "gap" not in [note["kind"] for note in past["notes"]], past
        assert server.values("nwho_history_dropped_samples_total") == {(): 0}


run_tests()
