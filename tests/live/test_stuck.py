# SPDX-License-Identifier: MIT
"""The flag `stuck`: both ends of a connection whose receiver does not read, whatever its buffer; and none when it does."""
import json
import subprocess
import sys

import truth
from live import netns, nwho, run_tests, test, wait_for

SOURCES = truth.all_sources()
SCRIPT = """if True:
    import socket, sys
    listener = socket.create_server(("127.0.0.1", 0))
    pairs = []
    for size in (0, 2048, 4096, 65536, 1048576):
        if size:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        client = socket.create_connection(listener.getsockname())
        pairs.append((client, listener.accept()[0]))
        client.setblocking(False)
    idle = socket.create_connection(listener.getsockname()), listener.accept()[0]
    print(*(client.getsockname()[1] for client, _ in pairs), flush=True)
    for line in sys.stdin:
        if line.strip() == "write":
            for client, _ in pairs:
                try:
                    while True:
                        client.send(b"x" * 65536)
                except BlockingIOError:
                    pass
        else:
            for client, server in pairs:
                client.shutdown(socket.SHUT_WR)
                while server.recv(65536):
                    pass
        print("done", flush=True)
"""


def stuck(ns, sources):
    """The ports of the clients of connections that are stuck, by the end that is."""
    rows = json.loads(nwho(ns, "ls", "tcp", "stuck", "--json=local_port,peer_port,recv_q,send_q", "--sources", sources,
                           expect=(0, 1)).out)["rows"]
    return ({row["local_port"] for row in rows if row["send_q"]}, {row["peer_port"] for row in rows if row["recv_q"]})


@test
def a_receiver_that_does_not_read():
    with netns() as ns:
        with ns.popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            def tell(word):
                child.stdin.write(word + "\n")
                child.stdin.flush()
                assert child.stdout.readline() == "done\n"

            ports = set(map(int, child.stdout.readline().split()))
            for sources in SOURCES:
                if sources != truth.PROC:
                    assert stuck(ns, sources) == (set(), set()), sources
            tell("write")
            for sources in SOURCES:
                want = (ports, set() if sources == truth.PROC else ports)  # /proc/net tells the timer, and no memory
                wait_for(lambda want=want, sources=sources: stuck(ns, sources) == want, what=f"{sources}: both ends stuck")
            tell("read")
            for sources in SOURCES:
                wait_for(lambda sources=sources: stuck(ns, sources) == (set(), set()), what=f"{sources}: nothing stuck")
            child.stdin.close()


run_tests()
