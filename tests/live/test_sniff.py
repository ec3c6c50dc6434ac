# SPDX-License-Identifier: MIT
"""Whose packets are: known packets between two namespaces, each made by a process that the test knows. Of every packet
that either side captures the process at that side must be the right one, or the right reason why there is none."""
import collections
import contextlib
import json
import os
import select
import subprocess
import sys
import time

from links import ip, pair
from live import BUILD, PATIENCE, netns, nwho, run_tests, skip, test

CLIENT, SERVER, CLIENT6, SERVER6 = "10.78.1.1", "10.78.1.2", "fd78::1", "fd78::2"
END = 9  # a datagram to this port says that all else is over

# Each server prints facts as JSON: what its processes are, and which connections are whose.
PREAMBLE = """
import array, json, os, select, socket, struct, sys, time
HOST, HOST6 = sys.argv[1:3]
def tell(**facts):
    print(json.dumps(facts), flush=True)
def listen(port, host=None):
    host = host or HOST
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
def ended(sock):
    while sock.recv(65536):
        pass
    sock.close()
def own(sock):
    tell(port=sock.getpeername()[1], pid=os.getpid())
"""


class Sniffer:
    """nwho sniff --json in the background."""

    def __init__(self, ns, *args):
        popen = ns.popen if ns else subprocess.Popen
        self.child = popen([BUILD / "nwho", "sniff", "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = b""
        while b"listening on" not in said:
            line = self.child.stderr.readline()
            assert line, f"it ended: {said.decode()}"
            said += line
        self.said = said.decode()
        self.packets, self.rest = [], b""

    def read_until(self, predicate):
        """Reads packets up to the one that PREDICATE is true of."""
        deadline = time.monotonic() + PATIENCE
        while True:
            line, newline, rest = self.rest.partition(b"\n")
            if newline:
                self.rest = rest
                self.packets.append(json.loads(line))
                if predicate(self.packets[-1]):
                    return
                continue
            assert select.select([self.child.stdout], [], [], max(0, deadline - time.monotonic()))[0], self.packets[-3:]
            more = os.read(self.child.stdout.fileno(), 65536)
            assert more, self.child.stderr.read().decode()
            self.rest += more


@contextlib.contextmanager
def sniffing(ns, *args):
    sniffer = Sniffer(ns, *args)
    try:
        yield sniffer
    finally:
        sniffer.child.kill()
        sniffer.child.communicate()


def needs_bpf(sniffer):
    if "incomplete" in sniffer.said:
        skip("BPF may not be loaded here")


@contextlib.contextmanager
def two():
    """Client and server namespaces, with a link between them."""
    with netns() as client, netns() as server:
        pair(client, "v1", server, "v2")
        for ns, device, addresses in ((client, "v1", (CLIENT + "/24", CLIENT6 + "/64")),
                                      (server, "v2", (SERVER + "/24", SERVER6 + "/64"))):
            for address in addresses:
                ns.add_address(address, device)
        yield client, server


def start(ns, program, *args):
    return ns.popen([sys.executable, "-c", PREAMBLE + program, *(args or (SERVER, SERVER6))], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE)


def facts_until(child, word):
    """Facts that a script tells, until one has WORD."""
    facts = []
    while not facts or word not in facts[-1]:
        line = child.stdout.readline()
        assert line, f"the script ended with {child.wait()}"
        facts.append(json.loads(line))
    return facts


def run_script(ns, program, *args):
    child = start(ns, program, *args)
    child.stdin.close()
    facts = [json.loads(line) for line in child.stdout]
    assert child.wait(PATIENCE) == 0
    return facts, child.pid


def finish(client, *sniffers):
    """Waits until each has seen the last packet, which the client sends."""
    client.run([sys.executable, "-c", f"import socket; s = socket.socket(2, 2); s.sendto(b'', ('{SERVER}', {END}))"])
    for sniffer in sniffers:
        sniffer.read_until(lambda packet: packet.get("dst_port") == END)


def at_end(packet, ours):
    """Who has our end of a packet."""
    return packet["sender" if packet["src_addr"] in ours else "receiver"]


def check(packets, ours, port, expected):
    """Of each packet of the connection our end is EXPECTED(packet): a pid, with its kind, or a kind."""
    of_it = [packet for packet in packets if port in (packet.get("src_port"), packet.get("dst_port"))]
    assert of_it, f"no packet of port {port}"
    for packet in of_it:
        end = at_end(packet, ours)
        wanted = expected(packet)
        found = (end["kind"], end.get("pid")) if isinstance(wanted, tuple) else end["kind"]
        assert found == wanted, f"{found} instead of {wanted}: {packet}"
        assert ("sender" in packet) != ("receiver" in packet), packet
    return of_it


def owned_by(pid, listener=None):
    """The process of a connection; requests for one, and their answer, are of who listens."""
    def expected(packet):
        if listener is not None and "S" in packet["flags"]:
            return "listener", listener
        return "process", pid
    return expected


SERVE = """
import signal
first, late, v6 = listen(1000), listen(1001), listen(1000, HOST6)
tell(ready=os.getpid())
while True:
    for sock in select.select([first, late, v6], [], [])[0]:
        connection = sock.accept()[0]
        try:
            connection.recv(100)
            connection.send(b"answer")
            if sock is late:
                connection.close()
            else:
                ended(connection)
        except ConnectionResetError:
            pass
"""

ASK = """
def talk(port, host=HOST, closes=True):
    sock = socket.create_connection((host, port))
    tell(at=port, port=sock.getsockname()[1], host=host)
    sock.send(b"question")
    sock.recv(100)
    if closes:
        sock.close()
    else:
        ended(sock)
talk(1000)
talk(1001, closes=False)
talk(1000, HOST6)
reset = socket.create_connection((HOST, 1000))
tell(at=1000, port=reset.getsockname()[1], host=HOST)
reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
reset.close()
"""


@test
def connections_of_two_processes():
    """Closed first by the client, by the server, over IPv6, and reset."""
    with two() as (client, server), sniffing(client, "-i", "v1") as here, sniffing(server, "-i", "v2") as there:
        needs_bpf(here)
        serving = start(server, SERVE)
        facts_until(serving, "ready")
        facts, pid = run_script(client, ASK)
        finish(client, here, there)
        for fact in facts:
            check(here.packets, (CLIENT, CLIENT6), fact["port"], owned_by(pid))
            if fact is not facts[-1]:
                check(there.packets, (SERVER, SERVER6), fact["port"], owned_by(serving.pid, serving.pid))
        assert len(facts) == 4


PREFORK = """
listener = listen(1000)
tell(listener=os.getpid())
for _ in range(3):
    if os.fork() == 0:
        while True:
            connection = listener.accept()[0]
            own(connection)
            connection.recv(100)
            ended(connection)
tell(ready=True)
time.sleep(1000)
"""

CONNECT = """
for _ in range(int(sys.argv[3])):
    sock = socket.create_connection((HOST, 1000))
    sock.send(b"question")
    sock.shutdown(socket.SHUT_WR)
    sock.recv(100)
    sock.close()
"""


def workers(program, count):
    """Connections to a server of several processes: each is of the process that took it."""
    with two() as (client, server), sniffing(server, "-i", "v2", "tcp", "or", "udp") as there:
        needs_bpf(there)
        serving = start(server, program)
        facts = facts_until(serving, "ready")
        listener = next(fact["listener"] for fact in facts if "listener" in fact)
        run_script(client, CONNECT, SERVER, SERVER6, str(count))
        owners = [json.loads(serving.stdout.readline()) for _ in range(count)]
        finish(client, there)
        for fact in owners:
            assert fact["pid"] != listener
            check(there.packets, (SERVER,), fact["port"], owned_by(fact["pid"], listener))


@test
def workers_own_what_they_accept():
    workers(PREFORK, 8)


ACTIVATION = """
listener = listen(1000)
tell(listener=os.getpid())
if os.fork() == 0:
    os.dup2(listener.fileno(), 30)
    os.set_inheritable(30, True)
    os.execv(sys.executable, [sys.executable, "-c", '''
import json, os, socket
listener = socket.socket(fileno=30)
while True:
    connection = listener.accept()[0]
    print(json.dumps({"port": connection.getpeername()[1], "pid": os.getpid()}), flush=True)
    while connection.recv(100):
        pass
    connection.close()
'''])
tell(ready=True)
time.sleep(1000)
"""


@test
def socket_activation():
    workers(ACTIVATION, 3)


PASSED = """
listener = listen(1000)
tell(listener=os.getpid())
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
if os.fork() == 0:
    while True:
        connection = socket.socket(fileno=socket.recv_fds(theirs, 1, 1)[1][0])
        own(connection)
        ended(connection)
tell(ready=True)
while True:
    connection = listener.accept()[0]
    socket.send_fds(ours, [b"x"], [connection.fileno()])
    connection.close()
"""


@test
def passed_descriptors():
    workers(PASSED, 3)


# A process connects and talks; a second one goes on with the same socket.
HANDED = """
sock = socket.create_connection((HOST, 1000))
tell(port=sock.getsockname()[1])
sock.send(b"one")
sock.recv(100)
time.sleep(0.02)
if os.fork() == 0:
    sock.send(b"two2")
    ended(sock)
    tell(child=os.getpid())
    os._exit(0)
os.wait()
"""

ANSWER = """
listener = listen(1000)
tell(ready=os.getpid())
connection = listener.accept()[0]
for _ in range(2):
    connection.recv(100)
    connection.send(b"answer")
connection.close()
time.sleep(1000)
"""


@test
def a_connection_that_changes_hands():
    """What the second process sends is its own; what was before stays with the first."""
    with two() as (client, server), sniffing(client, "-i", "v1") as here:
        needs_bpf(here)
        facts_until(start(server, ANSWER), "ready")
        facts, parent = run_script(client, HANDED)
        child = facts[1]["child"]
        finish(client, here)
        of_it = [packet for packet in here.packets if facts[0]["port"] in (packet.get("src_port"), packet.get("dst_port"))]
        change = next(i for i, packet in enumerate(of_it) if packet["text"].endswith("length 4"))
        for i, packet in enumerate(of_it):
            assert at_end(packet, (CLIENT,))["pid"] == (child if i >= change else parent), (change, i, packet)


DATAGRAMS = """
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("", 2000))
tell(ready=os.getpid())
while True:
    data, peer = udp.recvfrom(100)
    udp.sendto(data, peer)
"""

SEND = """
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.sendto(b"question", (HOST, 2000))
udp.recv(100)
tell(udp=udp.getsockname()[1])
closed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
closed.connect((HOST, 2001))
closed.send(b"question")
try:
    closed.recv(100)
except ConnectionRefusedError:
    tell(refused=closed.getsockname()[1])
tcp = socket.socket()
try:
    tcp.connect((HOST, 1))
except ConnectionRefusedError:
    pass
ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
ping.connect((HOST, 0))
ping.send(struct.pack("!BBHHH", 8, 0, 0xf7fd ^ 0x1234, 0x1234, 2))
ping.recv(100)
"""


@test
def datagrams_and_their_errors():
    """UDP without a connection, closed ports, ICMP about them, and echoes of a raw socket."""
    with two() as (client, server), sniffing(client, "-i", "v1") as here, sniffing(server, "-i", "v2") as there:
        needs_bpf(here)
        serving = start(server, DATAGRAMS)
        facts_until(serving, "ready")
        facts, pid = run_script(client, SEND)
        finish(client, here, there)
        check(here.packets, (CLIENT,), facts[0]["udp"], lambda _: ("process", pid))
        check(there.packets, (SERVER,), facts[0]["udp"], lambda _: ("process", serving.pid))
        check(here.packets, (CLIENT,), facts[1]["refused"], lambda _: ("process", pid))
        check(there.packets, (SERVER,), facts[1]["refused"], lambda _: "closed port")
        assert len(check(here.packets, (CLIENT,), 1, lambda _: ("process", pid))) == 2
        assert len(check(there.packets, (SERVER,), 1, lambda _: "closed port")) == 2
        icmp = [packet for packet in here.packets if (packet.get("proto"), packet.get("family")) == ("icmp", "inet")]
        assert len(icmp) == 3, icmp
        for packet in icmp:
            assert at_end(packet, (CLIENT,)).get("pid") == pid, packet
        error, *echoes = sorted(icmp, key=lambda packet: -packet["icmp"]["code"])
        assert sorted(packet["icmp"]["type"] for packet in echoes) == [0, 8], echoes
        assert error["icmp"] == {"type": 3, "code": 3, "quoted": {
            "proto": "udp", "family": "inet", "src_addr": CLIENT, "src_port": facts[1]["refused"],
            "dst_addr": SERVER, "dst_port": 2001}}, error
        for packet in there.packets:
            if (packet.get("proto"), packet.get("family")) == ("icmp", "inet"):
                assert at_end(packet, (SERVER,)) == {"kind": "kernel"}, packet


RETRANSMIT = """
sock = socket.create_connection((HOST, 1000))
tell(connected=sock.getsockname()[1])
sys.stdin.readline()
sock.send(b"question")
sock.recv(100)
sock.close()
"""

TAKE = """
listener = listen(1000)
tell(ready=os.getpid())
connection = listener.accept()[0]
connection.recv(100)
connection.send(b"answer")
ended(connection)
time.sleep(1000)
"""


@test
def retransmissions_of_the_kernel():
    """They are sent by a timer: whoever runs then is not taken for the sender."""
    with two() as (client, server), sniffing(client, "-i", "v1") as here:
        needs_bpf(here)
        facts_until(start(server, TAKE), "ready")
        asking = start(client, RETRANSMIT)
        port = facts_until(asking, "connected")[0]["connected"]
        if server.run(["nft", "add table inet t; add chain inet t in { type filter hook input priority 0; };"
                       "add rule inet t in tcp dport 1000 drop"], None).rc != 0:
            skip("needs nft")
        asking.stdin.write(b"\n")
        asking.stdin.flush()
        sent = collections.Counter()

        def is_third(packet):
            sent[packet.get("src_port")] += "length 8" in packet["text"]
            return sent[port] == 3
        here.read_until(is_third)
        server.run(["nft", "flush ruleset"])
        asking.wait(PATIENCE)
        finish(client, here)
        assert len(check(here.packets, (CLIENT,), port, owned_by(asking.pid))) > 10


@test
def behind_nat():
    """On the wire a connection has other ends than its sockets have."""
    with two() as (client, server), sniffing(client, "-i", "v1") as here, sniffing(server, "-i", "v2") as there:
        needs_bpf(here)
        rules = ("add table inet t; add chain inet t out { type nat hook postrouting priority 100; };"
                 f"add rule inet t out ip saddr {CLIENT} tcp dport 1500 snat ip to 10.78.1.3:4000-4999")
        inward = ("add table inet t; add chain inet t in { type nat hook prerouting priority -100; };"
                  "add rule inet t in tcp dport 1500 redirect to :1000")
        client.add_address("10.78.1.3/24", "v1")
        for ns, rule in ((client, rules), (server, inward)):
            if ns.run(["nft", rule], None).rc != 0:
                skip("needs nft")
        serving = start(server, TAKE)
        facts_until(serving, "ready")
        _, pid = run_script(client, RETRANSMIT.replace("1000", "1500").replace("sys.stdin.readline()", ""))
        finish(client, here, there)
        for sniffer, ours, expected in ((here, ("10.78.1.3",), owned_by(pid)),
                                        (there, (SERVER,), owned_by(serving.pid, serving.pid))):
            of_it = check(sniffer.packets, ours, 1500, expected)
            assert len(of_it) > 8 and all("10.78.1.3" in (packet["src_addr"], packet["dst_addr"]) for packet in of_it)


@test
def both_ends_of_loopback():
    with netns() as ns, sniffing(ns, "-i", "lo") as both:
        needs_bpf(both)
        serving = start(ns, TAKE, "127.0.0.1", "::1")
        facts_until(serving, "ready")
        asking = start(ns, RETRANSMIT, "127.0.0.1", "::1")
        port = facts_until(asking, "connected")[0]["connected"]
        asking.communicate(b"\n", PATIENCE)
        both.read_until(lambda packet: "F" in packet.get("flags", "") and packet["src_port"] == 1000)
        for packet in both.packets:
            sender, receiver = ((asking.pid, serving.pid) if packet["src_port"] == port else (serving.pid, asking.pid))
            assert (packet["sender"]["pid"], packet["receiver"]["pid"]) == (sender, receiver), packet


@test
def namespaces_from_outside():
    """-N: a capture in each of these, of all interfaces, with the processes and the name of its own."""
    with two() as (client, server), sniffing(None, "-N", client.name) as one, sniffing(None, "-N", client.name, "-N", server.name) as both:
        needs_bpf(one)
        facts_until(serving := start(server, SERVE), "ready")
        facts, pid = run_script(client, ASK)
        finish(client, one, both)
        both.read_until(lambda packet: packet.get("dst_port") == END)  # at the other end
        parts = {name: [packet for packet in both.packets if packet["netns"] == name] for name in (client.name, server.name)}
        assert len(both.packets) == sum(len(part) for part in parts.values())
        assert {packet["netns"] for packet in one.packets} == {client.name}
        for fact in facts[:-1]:
            for packets, iface in ((one.packets, "v1"), (parts[client.name], "v1")):
                assert {packet["iface"] for packet in check(packets, (CLIENT, CLIENT6), fact["port"], owned_by(pid))} == {iface}
            check(parts[server.name], (SERVER, SERVER6), fact["port"], owned_by(serving.pid, serving.pid))


@test
def what_nobody_forwards():
    """From :: the kernel asks whether an address is another's; at the other end that is for a group, as what is for all of a network."""
    with two() as (client, server), sniffing(client, "-i", "v1") as here, sniffing(client, "-i", "any") as any_of_them, sniffing(server, "-i", "v2") as there:
        needs_bpf(here)
        ip(client, "addr add fd78::77/64 dev v1")
        client.run([sys.executable, "-c", "import socket; s = socket.socket(2, 2); s.setsockopt(1, 6, 1); s.sendto(b'', ('10.78.1.255', 99))"])
        client.run([sys.executable, "-c", "import socket; s = socket.socket(10, 2); s.sendto(b'', ('ff02::1%v1', 99))"])
        for sniffer in (here, any_of_them, there):
            wanted = {"ff02::1:ff00:77": "::", "10.78.1.255": CLIENT, "ff02::1": None}
            found = {}
            while set(found) != set(wanted):
                sniffer.read_until(lambda packet: packet.get("dst_addr") in wanted and wanted[packet["dst_addr"]] in (None, packet["src_addr"]))
                found[sniffer.packets[-1]["dst_addr"]] = sniffer.packets[-1]
            asks, to_all, to_group = (found[address] for address in wanted)
            if sniffer is there:
                assert [packet["direction"] for packet in (asks, to_all, to_group)] == ["multicast", "broadcast", "multicast"], found
                assert not any("sender" in packet or "receiver" in packet for packet in found.values()), found
            else:
                assert asks["sender"] == {"kind": "kernel"} and asks["direction"] == "out", asks
                assert to_all["direction"] == "out" and "pid" in to_all["sender"], to_all


@test
def what_was_there_before():
    """Sockets that are older than the capture."""
    with two() as (client, server):
        serving = start(server, TAKE)
        facts_until(serving, "ready")
        asking = start(client, RETRANSMIT)
        port = facts_until(asking, "connected")[0]["connected"]
        with sniffing(client, "-i", "v1") as here, sniffing(server, "-i", "v2") as there:
            needs_bpf(here)
            asking.communicate(b"\n", PATIENCE)
            finish(client, here, there)
            check(here.packets, (CLIENT,), port, owned_by(asking.pid))
            check(there.packets, (SERVER,), port, owned_by(serving.pid))


@test
def without_bpf_nothing_is_guessed():
    with two() as (client, server), sniffing(client, "-i", "v1", "--sources", "sock_diag,proc_net,proc_fd") as here:
        assert "incomplete" in here.said
        facts_until(start(server, TAKE), "ready")
        asking = start(client, RETRANSMIT)
        port = facts_until(asking, "connected")[0]["connected"]
        here.read_until(lambda packet: packet.get("dst_port") == port)
        asking.communicate(b"\n", PATIENCE)
        finish(client, here)
        for packet in here.packets:
            if port in (packet.get("src_port"), packet.get("dst_port")):
                end = at_end(packet, (CLIENT,))
                assert end.get("pid", asking.pid) == asking.pid and ("pid" in end or end["kind"] in ("?", "time-wait")), packet
        facts_until(start(server, DATAGRAMS), "ready")
        run_script(client, SEND)
        here.read_until(lambda packet: "echo reply" in packet["text"])
        for packet in here.packets:
            if "echo" in packet["text"]:
                assert at_end(packet, (CLIENT,)) == {"kind": "?"}, packet


CHATTER = """
listener = listen(1000)
here = socket.create_connection((HOST, 1000))
there = listener.accept()[0]
tell(ready=os.getpid())
while True:
    here.send(b"x")
    there.recv(1)
    time.sleep(0.02)
"""


@test
def without_bpf_descriptors_are_searched():
    """Of a connection that goes on the process is found, with its ancestors, and conditions are about it."""
    with netns() as ns:
        chatter = start(ns, CHATTER, "127.0.0.1", "::1")
        facts_until(chatter, "ready")
        with sniffing(ns, "-i", "lo", "--sources", "sock_diag,proc_net,proc_fd", "process python*", "and", f"pid {chatter.pid}",
                      "and", "--children", f"pid {os.getpid()}") as sniffer:
            sniffer.read_until(lambda packet: True)
            assert sniffer.packets[0]["sender"]["pid"] == chatter.pid and sniffer.packets[0]["sender"]["user"] == "root", sniffer.packets


@test
def the_end_of_an_interface():
    with two() as (client, _), sniffing(client, "-i", "v1") as here:
        ip(client, "link del v1")
        out, err = here.child.communicate(timeout=PATIENCE)
        assert here.child.returncode == 2 and not out and "v1" in err.decode(), (out, err)


# A shell-like parent, whose child with another name and user talks to a third process.
FAMILY = """
def call(name):
    open("/proc/self/comm", "w").write(name)
listener = listen(1000)
tell(ready=os.getpid())
while True:
    line = sys.stdin.readline()
    if not line:
        break
    child = os.fork()
    if child == 0:
        call("talker")
        os.setuid(65534)
        sock = socket.socket()
        sock.connect((HOST, 1000))
        sock.send(b"question")
        tell(pid=os.getpid(), port=sock.getsockname()[1])
        ended(sock)
        sys.stdin.readline()
        os._exit(0)
    peer = listener.accept()[0]
    peer.recv(100)
    peer.close()
    os.wait()
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.sendto(b"other", (HOST, 1001))
    other.sendto(b"end", (HOST, 9))
"""


@contextlib.contextmanager
def family():
    """A namespace, and who makes a connection of its child to itself when it is asked, then ends it and sends datagrams of its own."""
    with netns() as ns:
        parent = start(ns, FAMILY, "127.0.0.1", "::1")
        facts_until(parent, "ready")

        def ask():
            parent.stdin.write(b"\n")
            parent.stdin.flush()

        def talk():
            ask()
            return facts_until(parent, "pid")[-1]
        yield ns, parent, talk, ask


def of(packet):
    """Ports of a packet but the end of it all."""
    return {port for port in (packet.get("src_port"), packet.get("dst_port")) if port not in (None, END)}


@test
def conditions_on_processes():
    """In the language of pcap-filter: a packet that the process of neither end fits is not shown, whatever is joined how."""
    with family() as (ns, parent, talk, end):
        me = parent.pid
        cases = (  # what is asked for, whether packets of the connection and those of the datagrams are
            (["process", "talker"], True, False),
            (["user", "nobody", "or", "port", "1001"], True, True),
            (["not (process talker or port 1001)"], False, False),
            (["--children", f"pid {me}"], True, True),
            ([f"exe {os.path.realpath(sys.executable)} and tcp"], True, False),
        )
        # the end of all is shown by each
        with contextlib.ExitStack() as stack:
            sniffers = []
            for words, *_ in cases:
                *options, text = words if words[0].startswith("--") else [" ".join(words)]
                sniffers.append(stack.enter_context(sniffing(ns, "-i", "lo", *options, f"({text}) or dst port {END}")))
            needs_bpf(sniffers[0])
            fact = talk()
            end()
            for sniffer, (words, connection, datagrams) in zip(sniffers, cases):
                sniffer.read_until(lambda packet: packet.get("dst_port") == END)
                ports = [of(packet) for packet in sniffer.packets]
                assert any(fact["port"] in each for each in ports) == connection, (words, sniffer.packets)
                assert any(1001 in each for each in ports) == datagrams, (words, sniffer.packets)
                if words == ["process", "talker"]:
                    assert len([each for each in ports if fact["port"] in each]) >= 8, sniffer.packets


@test
def columns_of_processes():
    """-o names columns in lines; JSON has user, unit and container, and those that -o adds."""
    with family() as (ns, _, talk, _):
        with sniffing(ns, "-i", "lo", "-o", "+exe", "process", "talker") as sniffer:
            needs_bpf(sniffer)
            lines = ns.popen([BUILD / "nwho", "sniff", "-i", "lo", "-c", "1", "-o", "+user,unit", "process", "talker"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            assert b"listening" in lines.stderr.readline()
            fact = talk()
            sniffer.read_until(lambda packet: packet["src_port"] == fact["port"])
            sender = sniffer.packets[-1]["sender"]
            assert (sender["user"], sender["uid"], sender["pid"]) == ("nobody", 65534, fact["pid"]), sender
            assert sender["exe"] == os.path.realpath(sys.executable) and {"unit", "container"} <= set(sender), sender
            out = lines.communicate(timeout=PATIENCE)[0].decode()
            assert f"talker[{fact['pid']}] user=nobody" in out, out


@test
def errors_are_one_line():
    with netns() as ns:
        for words, part in ((["-i", "nothere"], "nothere"), (["-i", "lo", "tcp port", "and"], "syntax error"),
                            (["-N", "nothere"], "nothere"), (["-i", "lo", "--children", "tcp"], "--children"),
                            (["-i", "lo", "process a or nosuchword 5"], "nosuchword"), (["-o", "+nosuch"], "nosuch")):
            result = nwho(ns, "sniff", *words, expect=2)
            assert part in result.err and result.err.count("\n") <= 2, result
        assert nwho(ns, "sniff", "-i", "nothere", expect=2).err.count("No such device") == 1
        for words, caret in ((["process nginx port 80"], 14), (["tcp", "and", "pid", "x"], 12)):
            result = nwho(ns, "sniff", "-i", "lo", *words, expect=2)
            assert result.err.splitlines()[2].index("^") == caret + 2, result
        assert nwho(ns, "sniff", "-i", "lo", expect=2, user="nobody").err.startswith("nwho: ")


run_tests()
