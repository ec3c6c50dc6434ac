#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""conntrack: the same bytes and exit status as the real tool beside the same entries (see README.md here); what one of
them changes the other sees; events, told to both at once; and what the real one gets wrong."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import time
import xml.etree.ElementTree
from pathlib import Path

import live
from compat import PATH, check_releases, links, main
from live import netns, wait_for
from scene import AS_NOBODY, Inside

SYSCTLS = ("net.netfilter.nf_conntrack_acct=1", "net.netfilter.nf_conntrack_timestamp=1")
ENTRIES = """
-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1001 --dport 80 --state ESTABLISHED -t 9000 -u ASSURED,SEEN_REPLY -n 203.0.113.9:4000
-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1002 --dport 80 --state SYN_SENT -t 9000 -g 192.168.5.5:8080
-p tcp -s 10.0.0.7 -d 10.0.0.8 --sport 7 --dport 8 -t 9000 --state TIME_WAIT -u FIXED_TIMEOUT
-p tcp -s fd00::1 -d fd00::2 --sport 1 --dport 2 -t 9000 --state LISTEN -n fd00::9
-p udp -s 2001:db8::1 -d 2001:db8::2 --sport 1003 --dport 53 -t 9000
-p udp -s 10.0.0.5 -d 10.0.0.6 --sport 7 --dport 8 -t 9000 --orig-zone 3
-p udp -s 10.0.0.5 -d 10.0.0.6 --sport 7 --dport 8 -t 9000 --reply-zone 4
-p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 77 -t 9000
-p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 9 -t 9000
-p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 0x11 --dstkey 18 -t 9000
-p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 5 --dport 6 --state ESTABLISHED --orig-vtag 111 --reply-vtag 222 -t 9000
-p udplite -s 10.0.0.1 -d 10.0.0.2 --sport 5 --dport 6 -t 9000 -m 5 -w 9
-p udplite -s 10.0.0.1 -d 10.0.0.9 --sport 5 --dport 6 -t 9000 -m 0x20
-p 89 -s 10.0.0.1 -d 10.0.0.2 -t 9000
""".split("\n")[1:-1]
NAT = """add table ip t
add chain ip t out { type nat hook output priority -100; }
add rule ip t out ip daddr 127.0.0.7 tcp dport 5556 dnat to 127.0.0.2
add rule ip t out ip daddr 127.0.0.7 udp dport 5556 dnat to 127.0.0.2
"""
NAMES = "0 zero\n1 one\n5 five-label\n127 last\n"


def fill(ns, program="conntrack"):
    for entry in ENTRIES:
        ns.run([program, "-I", *entry.split()])


@contextlib.contextmanager
def live_nat(ns, inside):
    """One connection and one datagram through NAT of this namespace."""
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
        file.write(NAT)
        file.flush()
        ns.run(["nft", "-f", file.name])
    with contextlib.ExitStack() as stack, inside():
        listener = stack.enter_context(socket.create_server(("127.0.0.2", 5556)))
        client = stack.enter_context(socket.create_connection(("127.0.0.7", 5556)))
        stack.enter_context(listener.accept()[0])
        datagrams = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(2)]
        datagrams[0].bind(("127.0.0.2", 5556))
        datagrams[1].sendto(b"x", ("127.0.0.7", 5556))
        assert datagrams[0].recv(10) == b"x" and client
        yield stack.pop_all()


class Place:
    """A namespace with entries; see compat.compare()."""

    def __init__(self, ns, directory):
        self.ns = ns
        self.inside = Inside(ns, directory)
        self.variables = {"NOBODY": AS_NOBODY}


class Tables:
    """As scene.Scenes: one table of entries that outlives the comparison."""

    def __init__(self, strange=False):
        self._strange = strange
        self._stack = contextlib.ExitStack()
        self._place = None

    def __enter__(self):
        if not self._strange:
            ns = self._stack.enter_context(netns())
            ns.run(["sysctl", "-qw", *SYSCTLS])
            directory = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="nwho-compat-"))
            self._place = Place(ns, Path(directory))
            self._stack.callback(self._place.inside.close)
            fill(ns)
            with live_nat(ns, self._place.inside) as sockets:
                self._stack.enter_context(sockets)
        return self

    def __exit__(self, *_error):
        self._stack.close()

    def current(self):
        return self._place


# --- one changes, the other sees ---

def listed(ns, program, *args):
    """Lines of -L without what time changes."""
    text = ns.run([program, "-L", "-o", "extended", *args]).out
    return sorted(re.sub(r"^(\S+ +\d+ \S+ +\d+) \d+ ", r"\1 ", re.sub(r"delta-time=\d+ ", "", line))
                  for line in text.splitlines())


def check_made_by(maker, witness):
    with netns() as ns, netns() as other:
        for where, program in ((ns, maker), (other, "conntrack")):
            where.run(["sysctl", "-qw", *SYSCTLS])
            for entry in ENTRIES:
                where.run([program, "-I", *entry.split()])
        assert listed(ns, witness) == listed(other, "conntrack") != [], listed(ns, witness)
        for words in (["-s", "10.0.0.7"], ["-p", "icmp"], ["-w", "9"], ["-n", "203.0.113.9"]):
            assert len(ns.run([maker, "-D", *words]).out.splitlines()) == 1, words
            assert listed(ns, witness, *words) == [], words
        ns.run([maker, "-U", "-s", "10.0.0.5", "--label-del"], expect=None)
        ns.run([maker, "-U", "-d", "2001:db8::2", "-m", "0x55", "-t", "77"])
        line, = listed(ns, witness, "-s", "2001:db8::1")
        assert "mark=85 " in line, line
        ns.run([maker, "-F"])
        assert listed(ns, witness) == [] and ns.run([witness, "-C"]).out == "0\n"


@live.test
def what_ours_makes_the_real_one_sees():
    check_releases(["conntrack"])
    with links() as first:
        check_made_by(f"{first}/conntrack", "conntrack")


@live.test
def what_the_real_one_makes_ours_sees():
    check_releases(["conntrack"])
    with links() as first:
        check_made_by("conntrack", f"{first}/conntrack")


@live.test
def saved_by_ours_loaded_by_the_real_one():
    """Its own file forgets marks; ours has them."""
    check_releases(["conntrack"])
    with links() as first, netns() as ns, tempfile.NamedTemporaryFile("w") as file:
        fill(ns)
        before = listed(ns, "conntrack")
        file.write(ns.run([f"{first}/conntrack", "-L", "-o", "save"]).out)
        file.flush()
        ns.run(["conntrack", "-F"])
        ns.run(["conntrack", "-R", file.name])
        nat = {line for line in before if "203.0.113.9" in line or "192.168.5.5" in line or "fd00::9" in line}
        assert set(before) - nat <= set(listed(ns, "conntrack")), listed(ns, "conntrack")


# --- events ---

def listeners(ns):
    """Sockets of netfilter's netlink that are members of a group."""
    lines = [line.split() for line in ns.run(["cat", "/proc/thread-self/net/netlink"]).out.splitlines()[1:]]
    return [line for line in lines if line[1] == "12" and int(line[3], 16)]


def events(ns, program, args, lines):
    """A function that waits for so many LINES of -E, interrupts it, and gives what it said."""
    before = len(listeners(ns))
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    by_lines = ["stdbuf", "-oL"] if program == "conntrack" else []  # ours writes each event at once
    child = ns.popen([*by_lines, program, "-E", *args], stdout=out, stderr=err)

    def read(file):
        """Where the child writes next stays as it is: the file is the child's, too."""
        return os.pread(file.fileno(), os.fstat(file.fileno()).st_size, 0).decode()

    def finish():
        try:
            wait_for(lambda: read(out).count("\n") >= lines, what=f"{lines} lines of {program} {args}")
        finally:
            child.send_signal(signal.SIGINT)
            child.wait(live.PATIENCE)
        said = read(out), read(err), child.returncode
        out.close()
        err.close()
        return said
    wait_for(lambda: len(listeners(ns)) > before, what="it listens")
    return finish


def make_events(ns):
    entry = "-s 10.9.0.1 -d 10.9.0.2 --sport 5 --dport 6".split()
    ns.run(["conntrack", "-I", "-p", "tcp", *entry, "-t", "500", "--state", "SYN_SENT", "-m", "3"])
    ns.run(["conntrack", "-U", "-p", "tcp", *entry, "-t", "600"])
    ns.run(["conntrack", "-I", "-p", "udp", *entry, "-t", "500", "-w", "7"])
    ns.run(["conntrack", "-D", "-s", "10.9.0.1"])


def settle(text):
    """Without what is each program's own: when it read, and whose process was still there; and the mark, which the
    real -o save forgets."""
    text = re.sub(r" progname=\S+|(?<=UNSET) -m 3", "", text)
    return re.sub(r"^\[\d+\.[\d ]{6}\]\t", "[when]\t", re.sub(r"<when>.*?</when>", "<when/>", text), flags=re.M)


@live.test
def the_same_events():
    check_releases(["conntrack"])
    cases = (([], 5), (["-o", "extended,id,timestamp,ktimestamp"], 5), (["-o", "save"], 5), (["-o", "xml"], 7),
             (["-o", "xml,timestamp,ktimestamp", "-p", "tcp"], 5), (["-e", "NEW,DESTROY"], 4), (["-e", "UPDATES"], 1),
             (["-p", "udp"], 2), (["-s", "10.9.0.0/24", "-w", "7"], 2), (["-m", "3", "-e", "NEW"], 1),
             (["-b", "1000000", "-f", "ipv4"], 5))
    with links() as first, netns() as ns:
        ns.run(["sysctl", "-qw", *SYSCTLS])
        pairs = [[events(ns, program, args, lines) for program in ("conntrack", f"{first}/conntrack")]
                 for args, lines in cases]
        make_events(ns)
        for (args, _), (theirs, ours) in zip(cases, pairs):
            theirs, ours = theirs(), ours()
            assert settle(theirs[0]) == settle(ours[0]) != "", (args, theirs[0], ours[0])
            assert theirs[1].splitlines()[-1:] == ours[1].splitlines()[-1:] != [], (args, theirs[1], ours[1])
            assert theirs[2] == ours[2], (args, theirs[2], ours[2])


def waiting_bytes(ns):
    """What the listeners have not read yet."""
    return sum(int(line[4]) for line in listeners(ns))


@live.test
def it_ends_though_events_wait():
    """SIGTERM, while there is always another event: it does not write all of them first."""
    made = 20000
    with links() as first, netns() as ns, tempfile.NamedTemporaryFile("w") as file, \
            tempfile.TemporaryFile("w+") as err:
        file.writelines(f"-A -t 500 -u SEEN_REPLY -s 10.9.{number // 250}.{number % 250} -d 10.8.0.1 -r 10.8.0.1 "
                        f"-q 10.9.{number // 250}.{number % 250} -p udp --sport 5 --dport 6 --reply-port-src 6 "
                        "--reply-port-dst 5\n" for number in range(made))
        file.flush()
        with ns.popen([f"{first}/conntrack", "-E", "-b", "100000000"], stdout=subprocess.PIPE, stderr=err) as child:
            try:
                wait_for(lambda: listeners(ns), what="it listens")
                ns.run(["conntrack", "-R", file.name])
                assert waiting_bytes(ns) > 0, "all was read, though nobody reads what it writes"
                child.send_signal(signal.SIGTERM)
                shown = child.stdout.read().count(b"\n")
                child.wait(live.PATIENCE)
            finally:
                child.kill()
        err.seek(0)
        assert child.returncode == 0 and 0 < shown < made / 2, (child.returncode, shown, err.read())


@live.test
def an_entry_over_the_border_of_a_second():
    """It lasted 0 seconds in XML, and 1 in the text."""
    with links() as first, netns() as ns:
        ns.run(["sysctl", "-qw", *SYSCTLS])
        cases = ((["-o", "xml", "-e", "DESTROY"], 3), (["-o", "extended", "-e", "DESTROY"], 1))
        pairs = [[events(ns, program, args, lines) for program in ("conntrack", f"{first}/conntrack")]
                 for args, lines in cases]
        wait_for(lambda: time.time() % 1 > 0.8, what="the end of a second")
        ns.run("conntrack -I -p udp -s 10.9.0.1 -d 10.9.0.2 --sport 5 --dport 6 -t 500".split())
        wait_for(lambda: time.time() % 1 < 0.8, what="the next second")
        ns.run(["conntrack", "-D", "-s", "10.9.0.1"])
        for (args, _), (theirs, ours) in zip(cases, pairs):
            theirs, ours = theirs(), ours()
            assert settle(theirs[0]) == settle(ours[0]) != "", (args, theirs[0], ours[0])


# --- what the real one has not, or has wrong ---

def ours(ns, *args, expect=0):
    with links() as first:
        return ns.run([f"{first}/conntrack", *args], expect=expect)


@live.test
def json_has_all():
    with netns() as ns:
        ns.run(["sysctl", "-qw", *SYSCTLS])
        assert json.loads(ours(ns, "-L", "-o", "json").out) == []
        with links() as first:
            fill(ns, f"{first}/conntrack")
        rows = json.loads(ours(ns, "-L", "-o", "json").out)
        assert len(rows) == len(ENTRIES), rows
        row, = [row for row in rows if row["orig"].get("sport") == 1001]
        assert (row["family"], row["proto"], row["protonum"], row["state"], row["reply"]["dst"]) == (
            "ipv4", "tcp", 6, "ESTABLISHED", "203.0.113.9"), row
        assert row["status"] == ["seen_reply", "assured", "confirmed", "src_nat"] and row["orig"]["packets"] == 0, row
        assert [(row["orig_vtag"], row["reply_vtag"]) for row in rows if "orig_vtag" in row] == [(111, 222)], rows
        assert [row["orig"]["zone"] for row in rows if "zone" in row["orig"]] == [3], rows
        with links() as first:
            finish = events(ns, f"{first}/conntrack", ["-o", "json"], 5)
            make_events(ns)
            lines = [json.loads(line) for line in finish()[0].splitlines()]
        assert [line["event"] for line in lines] == ["new", "update", "new", "destroy", "destroy"], lines


@live.test
def its_errors_are_not_copied():
    with netns() as ns:
        fill(ns)
        root = xml.etree.ElementTree.fromstring(ours(ns, "-L", "-o", "xml").out)
        by_name = {flow.find("meta/layer4").get("protoname"): flow for flow in root}
        assert by_name["sctp"].find("meta[@direction='independent']/state").text == "ESTABLISHED"
        assert [part.text for part in by_name["icmp"].find("meta/layer4")] == ["8", "0", "77"]
        xml.etree.ElementTree.fromstring(ours(ns, "-G", *ENTRIES[0].split()[:10], "-o", "xml").out)
        assert " -m 32 " in ours(ns, "-L", "-o", "save", "-m", "32").out
        # Nothing but a number is a number; it would match, or delete, what has 0.
        for words in ("-L -m x", "-D -p tcp --dport x", "-L -w 70000", "-D -p tcp --sport 70000", "-L -m 1/x"):
            done = ours(ns, *words.split(), expect=2)
            assert done.out == "" and len(done.err.splitlines()) == 1, done
        # -U needs no address, changes what has a zone, shows each, and sums up -m and -u as they were said.
        done = ours(ns, "-U", "-p", "udplite", "-m", "0x11/0x01", "-u", "ASSURED")
        assert sorted(re.findall(r"\[ASSURED\] mark=(\d+)", done.out)) == ["21", "49"], done
        unset = ours(ns, "-L", "-u", "UNSET").out.splitlines()
        assert len(unset) == len(ENTRIES) - 4, unset


FTP = """table ip h {
  ct helper f {
    type "ftp" protocol tcp;
  }
  chain o {
    type filter hook output priority 0;
    tcp dport 21 ct helper set "f"
  }
}
"""


@live.test
def expectations():
    """Of a connection that a helper follows; made by each of them."""
    check_releases(["conntrack"])
    with links() as first, netns() as ns, tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "ftp.nft").write_text(FTP, encoding="ascii")
        ns.run(["nft", "-f", f"{directory}/ftp.nft"])
        # Events are told of what began when somebody listened.
        heard = [events(ns, program, ["expect", "-o", "xml"], 4) for program in ("conntrack", f"{first}/conntrack")]
        place = Place(ns, Path(directory))
        with place.inside(), socket.create_server(("127.0.0.1", 21)), \
                socket.create_connection(("127.0.0.1", 21)) as control:
            port = control.getsockname()[1]
        place.inside.close()
        master = f"-p tcp -s 127.0.0.1 -d 127.0.0.1 --sport {port} --dport 21"
        masks = "--mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 --mask-port-dst 65535"

        def make(program, number):
            ns.run([program, "-I", "expect", *master.split(), "-t", "100", "--tuple-src", "127.0.0.1", "--tuple-dst",
                    "127.0.0.1", "--tuple-port-src", "0", "--tuple-port-dst", str(number), *masks.split()])

        # The helper lets there be one at a time. What the real one makes is of UDP, whatever it was asked for.
        make("conntrack", 4456)
        for args in ([], ["-o", "extended"], ["-o", "xml"], ["-o", "id,timestamp"], ["-f", "ipv4"], ["-f", "ipv6"]):
            answers = [re.sub(r"^(\[\d+\.[\d ]{6}\]\t)?\d+|<timeout>\d+", "", ns.run([program, "-L", "expect", *args]).out,
                              flags=re.M) for program in ("conntrack", f"{first}/conntrack")]
            assert answers[0] == answers[1], answers
        assert len(json.loads(ns.run([f"{first}/conntrack", "-L", "expect", "-o", "json"]).out)) == 1
        counts = [ns.run([program, "-C", "expect"]).out for program in ("conntrack", f"{first}/conntrack")]
        assert counts == ["1\n", "1\n"], counts
        ns.run([f"{first}/conntrack", "-F", "expect"])
        assert ns.run(["conntrack", "-C", "expect"]).out == "0\n"
        told = [finish() for finish in heard]
        assert told[0] == told[1] and 'type="destroy"' in told[0][0], told
        make(f"{first}/conntrack", 4455)
        assert " proto=6 src=127.0.0.1 dst=127.0.0.1 sport=0 dport=4455 " in ns.run(["conntrack", "-L", "expect"]).out
        one = "-p tcp -s 127.0.0.1 -d 127.0.0.1 --sport 0 --dport 4455".split()
        assert "dport=4455" in ns.run([f"{first}/conntrack", "-G", "expect", *one]).out
        ns.run([f"{first}/conntrack", "-D", "expect", *one])
        assert ns.run(["conntrack", "-C", "expect"]).out == "0\n"


@live.test
def labels_by_name():
    """The file of names is looked at in a mount namespace of this test."""
    check_releases(["conntrack"])
    with links() as first, netns() as ns, tempfile.TemporaryDirectory() as names:
        (Path(names) / "connlabel.conf").write_text(NAMES, encoding="ascii")
        with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
            file.write("add table ip t\nadd chain ip t o { type filter hook output priority 0; }\n"
                       "add rule ip t o ct label set 5\n")
            file.flush()
            ns.run(["nft", "-f", file.name])

        def both(words):
            script = f"mount -t tmpfs none /etc && mkdir /etc/xtables && cp {names}/connlabel.conf /etc/xtables/ && " + words
            results = []
            for path in (PATH, f"{first}:{PATH}"):
                done = ns.run(["unshare", "-m", "env", f"PATH={path}", "sh", "-c", script])
                results.append(re.sub(r"^(\S+ +\d+) \d+ ", r"\1 ", re.sub(r" id=\d+|<id>\d+|<timeout>\d+", "", done.out), flags=re.M))
                ns.run(["conntrack", "-F"])
            assert results[0] == results[1] != "", (words, results)

        make = "conntrack -I -p udp -s 10.0.0.1 -d 10.0.0.3 --sport 1 --dport 2 -t 100 --label-add one,last; "
        for words in ("conntrack -L -o labels", "conntrack -L -o labels,xml", "conntrack -L -l one -o labels,id",
                      "conntrack -L -l one -l last; conntrack -L -l one,zero",
                      "conntrack -U -s 10.0.0.1 --label-add five-label -o labels; conntrack -L -o labels",
                      "conntrack -U -s 10.0.0.1 --label-del one -o labels; conntrack -L -o labels",
                      "conntrack -U -s 10.0.0.1 --label-del; conntrack -L -o labels", "conntrack -D -l last"):
            both(make + words)


if __name__ == "__main__":
    main("conntrack", Tables)
