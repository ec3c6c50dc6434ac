# SPDX-License-Identifier: MIT
"""Files of nwho sniff: whose packets are is in them, for us, tcpdump and tshark; what they add up to; files in turn without privileges."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from live import BUILD, PATIENCE, netns, run, run_tests, skip, test, wait_for

NWHO = BUILD / "nwho"
TALK = """
import os, socket
server = socket.create_server(("127.0.0.1", 8080))
client = socket.create_connection(("127.0.0.1", 8080))
peer = server.accept()[0]
request = b"GET /x HTTP/1.1\\r\\nHost: web\\r\\n\\r\\n"
client.sendall(request)
left = len(request)
while left: left -= len(peer.recv(left))
peer.sendall(b"HTTP/1.1 204 No Content\\r\\n\\r\\n"); client.recv(99)
client.close(); peer.close()
names = socket.socket(type=socket.SOCK_DGRAM); names.bind(("127.0.0.1", 53))
asks = socket.socket(type=socket.SOCK_DGRAM); asks.connect(("127.0.0.1", 53))
question = b"\\3www\\7example\\0\\0\\1\\0\\1"
asks.send(b"\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0" + question)
asked, who = names.recvfrom(999)
names.sendto(b"\\0\\7\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0" + question + b"\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0\\x3c\\0\\4\\xc0\\0\\2\\1", who)
asks.recv(999)
print(os.getpid())
"""


@contextmanager
def sniffing(ns, *words, **options):
    process = ns.popen([NWHO, "sniff", "-i", "lo", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)
    try:
        said = ""
        for line in iter(process.stderr.readline, ""):
            said += line
            if "listening on" in line:
                break
        process.incomplete = "incomplete" in said
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def end(process, expect=0):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == expect, (process.returncode, err)
    return out


def read(file, *words):
    return [json.loads(line) for line in run([NWHO, "sniff", "-r", file, "--json", *words], expect={0, 1}).out.splitlines()]


@test
def owners_in_a_file():
    """The file says of each packet whose it is: to us, to tshark in comments, and after it was copied."""
    with netns() as ns, tempfile.TemporaryDirectory(prefix="nwho-sniff-") as where:
        file = Path(where) / "a.pcapng"
        with sniffing(ns, "-w", file, "--stats", "--json") as process:
            if process.incomplete:
                skip("BPF may not be loaded here")
            pid = int(ns.run([sys.executable, "-c", TALK]).out)
            wait_for(lambda: file.read_bytes().count(b"www\7example") == 2)
            statistics = json.loads(end(process))
        packets = read(file)
        ours = f"{Path(sys.executable).name[:15]}[{pid}]"
        assert len(packets) >= 10 and all(packet["pid"] == pid and ours in packet["comment"] for packet in packets), packets
        assert {packet["iface"] for packet in packets} == {"lo"}
        # what is added up of the capture, of the file, and by hand is the same
        again = json.loads(run([NWHO, "sniff", "-r", file, "-w", "/dev/null", "--stats", "--json"]).out)
        assert again["conversations"] == statistics["conversations"] and again["processes"] == statistics["processes"]
        assert statistics["dropped_by_kernel"] == statistics["dropped_by_nwho"] == 0 and "dropped_by_kernel" not in again
        assert sum(each["tx_bytes"] + each["rx_bytes"] for each in statistics["conversations"]) == sum(packet["length"] for packet in packets)
        assert [each["pid"] for each in statistics["processes"]] == [pid]
        # what is said stands in fields
        asked, answered = ({**packet["dns"]} for packet in packets if "dns" in packet)
        assert asked == {"id": 7, "response": False, "qname": "www.example", "qtype": "A"}, asked
        assert answered == {"id": 7, "response": True, "qname": "www.example", "qtype": "A", "rcode": "NoError", "answers":
                            [{"name": "www.example", "type": "A", "ttl_s": 60, "data": "192.0.2.1"}]}, answered
        fetched, given = (packet["http"] for packet in packets if "http" in packet)
        assert fetched == {"method": "GET", "target": "/x", "host": "web"} and given == {"status": 204}, (fetched, given)
        # conditions on processes are about what is noted; what no file has is refused
        name = Path(sys.executable).name[:15]
        assert read(file, "process", name, "and", "port", "53") == read(file, f"port 53 and pid {pid}") == read(file, "port", "53") != []
        assert read(file, f"not pid {pid}") == read(file, "process nosuch or icmp") == []
        assert packets[0]["sender"]["pid"] == packets[0]["receiver"]["pid"] == pid and packets[0]["sender"]["process"] == name, packets[0]
        part = json.loads(run([NWHO, "sniff", "-r", file, "-w", "/dev/null", "--stats", "--json", "process", name, "and", "tcp"]).out)
        assert part["conversations"] == [each for each in statistics["conversations"] if each["proto"] == "tcp"] != [], part
        for words in (["user", "root"], ["--children", "pid", "1"]):
            refused = run([NWHO, "sniff", "-r", file, *words], expect=2)
            assert "file" in refused.err and refused.err.count("\n") == 1, refused
        # copies keep it, but pcap has no room
        copy, plain = Path(where) / "b", Path(where) / "c.pcap"
        run([NWHO, "sniff", "-r", file, "-w", copy, "--pcapng", "port", "53"])
        assert read(copy) == read(file, "port", "53") and len(read(copy)) == 2
        assert copy.read_bytes().count(b"www.example\0") == 1
        run([NWHO, "sniff", "-r", file, "-w", plain])
        assert all("comment" not in packet for packet in read(plain)) and len(read(plain)) == len(packets)
        # cut anywhere it says so, and gives what is whole
        copy.write_bytes(file.read_bytes()[:1500])
        cut = run([NWHO, "sniff", "-r", copy, "--json"], expect=2)
        assert "cut short at byte" in cut.err and 0 < len(cut.out.splitlines()) < len(packets), cut
        if shutil.which("tcpdump"):
            assert len(run(["tcpdump", "-nn", "-r", file]).out.splitlines()) == len(packets)
        if shutil.which("tshark"):
            comments = run(["tshark", "-n", "-r", file, "-T", "fields", "-e", "frame.comment"]).out.splitlines()
            assert comments == [packet["comment"] for packet in packets]


@test
def files_in_turn():
    """By the clock, in a directory of another user, where the capabilities for that are given up."""
    with netns() as ns, tempfile.TemporaryDirectory(prefix="nwho-sniff-") as where:
        os.chown(where, 65534, 65534)
        os.chmod(where, 0o700)
        with sniffing(ns, "-w", f"{where}/x.pcapng", "-G", "1", "--stats") as process:
            wait_for(lambda: len(list(Path(where).iterdir())) >= 3)
            if process.incomplete:
                skip("without BPF capabilities are kept")
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            assert "CapEff:\t0000000000000000" in status, status
            assert "0 conversations" in end(process, expect=1)
        names = sorted(file.name for file in Path(where).iterdir())
        assert names[:2] == ["x.pcapng", "x.pcapng1"], names
        for name in names:
            assert read(f"{where}/{name}") == []


@test
def files_without_owners():
    """pcap has no room for owners: nothing is asked about them, no capability is kept; loopback's packets are counted once."""
    with netns() as ns, tempfile.TemporaryDirectory(prefix="nwho-sniff-") as where:
        file, part = Path(where) / "a.pcap", Path(where) / "b.pcap"
        with sniffing(ns, "-w", part, "-c", "3") as few, sniffing(ns, "-w", file, "--sources", "sock_diag,proc_net,proc_fd") as process:
            assert not process.incomplete
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            assert "CapEff:\t0000000000000000" in status, status
            ns.run([sys.executable, "-c", TALK])
            wait_for(lambda: file.read_bytes().count(b"www\7example") == 2)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=PATIENCE)[1]
            assert process.returncode == 0, (process.returncode, said)
            assert "3 packets shown" in few.communicate(timeout=PATIENCE)[1] and few.returncode == 0
        count = len(read(file))
        assert count >= 10 and f"{count} packets shown, {count} captured, 0 dropped" in said, (count, said)
        assert [packet["text"] for packet in read(part)] == [packet["text"] for packet in read(file)[:3]]


@test
def what_cannot_be_written():
    with tempfile.TemporaryDirectory(prefix="nwho-sniff-") as where:
        with netns() as ns:
            done = ns.run([NWHO, "sniff", "-i", "lo", "-w", f"{where}/nosuch/x.pcapng"], expect=2)
            assert f"{where}/nosuch/x.pcapng: No such file or directory" in done.err, done
            done = ns.run([NWHO, "sniff", "-i", "lo", "-w", "/dev/full", "--pcapng"], expect=2)
            assert "/dev/full: No space left on device" in done.err, done


run_tests()
