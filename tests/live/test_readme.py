# SPDX-License-Identifier: MIT
"""Every new command of the README's table "Old command, new command" is executed where it has an answer.

A line that has no check here fails, and so does a check whose line is not in the README. The commands of docs/from-other-tools.md
are many and alike: each is executed, too, and must find or not find something, and say so in the form that was asked for.
"""
import concurrent.futures
import contextlib
import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import live
from live import BUILD, SOURCE, netns, run_tests, test

sys.path.append(str(SOURCE / "tests/compat"))
import packets  # pylint: disable=wrong-import-position

HEADING = "## Old command, new command"
CONTAINER = "4f3a" + "0123456789abcdef" * 3 + "0123456789ab"  # 64 digits, as docker has them
ADDRESSES = ("192.168.1.100", "192.0.2.9", "198.51.100.7", "203.0.113.5")


def commands_of(readme):
    """The new commands of the table, in their order."""
    found = []
    for line in readme.split(HEADING, 1)[1].split("\n## ", 1)[0].splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 3 or set(cells[0]) <= set("-") or cells[2] == "now":
            continue
        commands = re.findall(r"`([^`]*)`", cells[2].replace("\\|", "|"))
        assert commands and all(command.startswith("nwho") for command in commands), f"no command in: {line}"
        found += commands
    return found


# --- the world that the commands look at ---

class World:
    """Sockets in one namespace, made by programs with the names that the README has."""

    def __init__(self, stack):
        self.stack = stack
        self.directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.ns = stack.enter_context(netns())
        for address in ADDRESSES:
            self.ns.add_address(f"{address}/32")
        self.ns.run(["ip", "link", "add", "eth0", "up", "type", "veth", "peer", "eth1"])
        self.ns.run(["ip", "link", "set", "eth1", "up"])
        self.ns.run(["nft", "add table inet t; add chain inet t in { type filter hook input priority 0; };"
                            "add rule inet t in ct state new accept"])
        self.socket = self.directory / "docker.sock"
        self.configuration = self.directory / "nwho.conf"
        self.configuration.write_text(f"exposed.baseline = {self.directory}/baseline\n", encoding="utf-8")
        query = packets.udp4(packets.message(questions=[packets.question()]), dport=53)
        packets.write(self.directory / "dns.pcap", 1, [query, packets.tcp4()])
        self.facts = {}
        self.make("sshd", "shared-threads", "addr=0.0.0.0", "port=22", "threads=2", "name=worker")
        self.make("nginx", "listening", "addr=0.0.0.0", "port=443", "reuseport=1", "--", "listening-dual", "port=80", "--",
                  "established", "addr=192.168.1.100", "port=443", "reuseport=1", "--", "time-wait", "addr=198.51.100.7")
        self.make("java", "close-wait", "addr=203.0.113.5", "--", "established", "addr=192.0.2.9", "port=5432", "--",
                  "bound-inactive", "port=9000", "--", "unaccepted", "port=8080", "--", "deleted-exe")
        self.make("dockerd", "unix-connected", f"path={self.socket}", "--", "udp", "port=5353", "--", "raw", "proto=99",
                  "--", "packet")
        self.make("php", "udp", "addr=0.0.0.0", "port=5354", user="www-data")
        self.pid = self.facts["nginx"][0]["pid"]

    def make(self, name, *situation, user=None):
        program = self.directory / name
        self.directory.chmod(0o755)
        if user:  # a link leads to a place that others may not see
            shutil.copy(BUILD / "tests/helpers/mksock", program)
        else:
            program.symlink_to(BUILD / "tests/helpers/mksock")
        child = self.ns.popen([program, *situation], user, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.facts[name] = live._read_facts(child)  # pylint: disable=protected-access
        self.stack.callback(child.stdout.close)
        self.stack.callback(child.stdin.close)

    def put_into_container(self):
        """Moves nginx into a control group as docker makes them; skips where that cannot be done."""
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
        point = next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)
        group = Path(point or "/", f"nwho-test-{os.getpid()}", f"docker-{CONTAINER}.scope")
        try:
            group.mkdir(parents=True)
            self.stack.callback(remove_group, group, group.parents[1])
            (group / "cgroup.procs").write_text(str(self.pid), encoding="utf-8")
        except OSError as error:
            live.skip(f"no control group can be made: {error}")

    def run(self, command):
        """Runs a line of the README, with the names that stand for something put in."""
        words = {"1234": str(self.pid), "/run/docker.sock": str(self.socket), "blue": self.ns.name,
                 "nwho": str(BUILD / "nwho")}
        argv = [words.get(word, word) for word in shlex.split(command)]
        if argv[1] in ("nethogs", "iftop"):
            argv = ["lo" if word == "eth0" else word for word in argv]
        if "--watch" in argv:
            argv += ["--times", "2"]
        if argv[1:2] == ["top"]:
            argv += ["-b", "-n", "1"]
        if argv[1:2] == ["kill"]:
            argv += ["-y"]
        if argv[1:2] == ["events"]:
            return self.follow([*argv, "-n", "1"])
        if argv[1:3] == ["nat", "--events"]:
            return self.follow([*argv, "--limit", "1"])
        if argv[1:2] == ["sniff"]:
            return self.follow(argv)
        if argv[1] in ("serve", "mark", "history", "export") or "--since" in argv:
            argv += ["--store", str(self.directory / "history.db")]
        if "-1" in argv:  # this machine's own yesterday is not of this test
            scene = self.directory / "scene.db"
            live.run([BUILD / "tests/helpers/history_scene", scene])
            argv[argv.index("-1"):] = ["-f", str(scene)]
        if argv[1] == "serve":
            self.stack.callback(self.end_recorder, argv)
        outside = [] if {"-N", "--all-netns", "--container"} & set(argv) else self.ns.prefix()
        # Nobody moves anything here, elsewhere somebody may begin to listen; and there is a deleted program.
        expect = {"top": (0, 1), "ports": (0, 1), "history": (0, 1), "export": (0, 1), "doctor": 1, "selfcheck": (0, 3)}.get(argv[1:2] and argv[1], 0)
        return live.run([*outside, *argv], expect, cwd=self.directory, env={**os.environ, "LC_ALL": "C.UTF-8", "NWHO_CONFIG": self.configuration}).out

    def end_recorder(self, argv):
        """A second one is told which process the first one is."""
        refused = live.run([*argv, "--foreground"], 2).err
        os.kill(int(re.search(r"process (\d+)", refused)[1]), signal.SIGTERM)

    def follow(self, argv):
        """What comes first, while connections are refused. Without BPF nothing tells that they are."""
        sources = json.loads(self.ns.run([argv[0], "events", "--for", "0.01", "--json"], expect=(0, 1)).out)["sources"]
        if "bpf" not in sources["events"]:
            live.skip("BPF may not be loaded here")
        script = "while :; do (exec 3<>/dev/tcp/127.0.0.1/1); sleep 0.05; done"
        child = self.ns.popen(["bash", "-c", script], stderr=subprocess.DEVNULL)
        try:
            return self.ns.run(argv).out
        finally:
            child.kill()
            child.wait()


def remove_group(group, top):
    for pid in (group / "cgroup.procs").read_text(encoding="utf-8").split():
        with contextlib.suppress(OSError):
            (top / "cgroup.procs").write_text(pid, encoding="utf-8")
    group.rmdir()
    group.parent.rmdir()


# --- what each command must say ---

def has(*patterns, without=()):
    """All PATTERNS are found in the output, none of WITHOUT."""
    def check(_world, out):
        for pattern in patterns:
            assert re.search(pattern, out, re.M), f"/{pattern}/ is not in:\n{out}"
        for pattern in without:
            assert not re.search(pattern, out, re.M), f"/{pattern}/ is in:\n{out}"
    return check


def process_is_explained(world, out):
    has(rf"^nginx\({world.pid}\)$", r"^tcp 0\.0\.0\.0:443  listening", r"^  command +\S+/nginx ",
        r"^tcp +established .* 192\.168\.1\.100:443 .*nginx", without=["java", "sshd"])(world, out)


def threads_are_named(world, out):
    tids = [world.facts["sshd"][0]["pid"]]
    has(rf"^  threads +sshd\({tids[0]}\): sshd\({tids[0]}\), worker\(\d+\), worker\(\d+\)$", "shared by 3 threads")(world, out)


def twenty_rows_twice(_world, out):
    headers = [line for line in out.splitlines() if line.split()[:1] == ["PROTO"]]
    rows = [line for line in out.splitlines() if re.match(r"[ +*~=-]*tcp ", line)]
    assert len(headers) == 2 and 2 <= len(rows) <= 40, out


def peers_are_counted(_world, out):
    has(r"^192\.168\.1\.100 +2 ", r"^192\.0\.2\.9 +2 ", without=["203.0.113.5", "198.51.100.7"])(None, out)
    counts = [int(line.split()[-2]) for line in out.splitlines()[1:]]
    assert counts == sorted(counts, reverse=True), out


def document_is_whole(world, out):
    document = json.loads(out)
    assert document["schema"] == "nwho/1" and document["complete"] is True
    assert any(row["local_port"] == 443 and row["pid"] == world.pid and row["state"] == "listening"
               for row in document["rows"]), out


def csv_has_four_columns(world, out):
    rows = list(csv.DictReader(out.splitlines()))
    assert {"local_addr": "0.0.0.0", "local_port": "443", "process": "nginx", "pid": str(world.pid)} in rows, out


def slowest_first(_world, out):
    header, *rows = out.splitlines()
    assert header.split()[-2:] == ["RTT", "RETRANS"] and len(rows) >= 4, out
    assert any(re.search(r"\d[um]s +\d+$", row) for row in rows), out


def nothing_is_printed(_world, out):
    assert out == "", out


CHECKS = {
    "nwho 1234": process_is_explained,
    "nwho ls pid 1234": has(r"0\.0\.0\.0:443 .*nginx\(\d+\)", without=["java", "sshd", "time-wait"]),
    "nwho :22": has(r"^tcp 0\.0\.0\.0:22  listening", r"^  owner +sshd\(\d+\)", r"^  user +root", r"^  started +"),
    "nwho :22 --threads": threads_are_named,
    "nwho ls -t": has(r"^tcp +listening .*sshd", r"^tcp +time-wait .*\(time-wait\)", without=["^udp", "^unix"]),
    "nwho ls -u": has(r"^udp +unconnected .*:5353 .*dockerd", without=["^tcp", "^unix"]),
    "nwho ls -x": has(r"^unix +listening .*docker\.sock .*dockerd", without=["^tcp", "^udp"]),
    "nwho ls -a": has("^tcp ", "^udp ", "^unix ", "^packet ", "^raw ", "^netlink "),
    "nwho ports": has(r"^tcp +0\.0\.0\.0:443 .* 0/128 .*nginx", r"^udp +0\.0\.0\.0:5354 .*php", without=["192.168.1"]),
    "nwho ls -tl": has(r"^tcp +listening .*:22 ", without=["established", "^udp"]),
    "nwho ports --exposed": has(r"^tcp +0\.0\.0\.0:443 ", without=[r"127\.0\.0\.1"]),
    "nwho ports --save-baseline": has(r"^\d+ listening sockets: "),
    "nwho ports --diff": has(r"^ +PROTO +LOCAL-ADDR +LPORT +PROCESS +UNIT +NETNS$", without=[r"nginx", "java"]),
    "nwho ports sport :80": has(r"^tcp +\*:80 +v4\+v6 ", without=[":443"]),
    "nwho ports 'accept_queue > 0'": has(r"^tcp +127\.0\.0\.1:8080 .* 1/", without=[":443"]),
    "nwho ls process nginx": has(r"192\.168\.1\.100:443 .*nginx", without=["java", "sshd"]),
    "nwho ls dst 192.168.1.100": has(r"^tcp +established .* 192\.168\.1\.100:\d+ .*nginx", without=["192.0.2.9"]),
    "nwho 192.168.0.0/16": has(r"^2 sockets of 1 connection: +established 2", "192.168.1.100", without=["192.0.2.9"]),
    "nwho ls state time-wait,close-wait": has(r"^tcp +time-wait .*198\.51\.100\.7", r"^tcp +close-wait .*java",
                                              without=["established", "listening"]),
    "nwho count peer established -t": peers_are_counted,
    "nwho count peer/24 established sport :443": has(r"^192\.168\.1\.0/24 +1 +100$", without=["192.0.2"]),
    "nwho count state -t": has(r"^established +\d+ ", r"^time-wait +1 ", r"^close-wait +1 ", r"^listening +\d+ "),
    "nwho ls -t --limit 20 --watch": twenty_rows_twice,
    "nwho count process,pid close-wait": has(r"^java +\d+ +1 +100$"),
    "nwho ls established --sort rtt_us:desc -o +rtt_us,retrans": slowest_first,
    "nwho ls /run/docker.sock -o +peer_owner": has(r"docker\.sock .*dockerd\(\d+\) fd \d+ +dockerd\(\d+\) fd \d+$"),
    "nwho why-busy tcp/9000": has("^bind.. to 0.0.0.0 +fails", r"^tcp 127\.0\.0\.1:9000  bound-inactive  java\("),
    "nwho selfcheck": has(r"^NAME +BPF +NETLINK ", r"^owners +", r"^sockets +unix_diag +\w+ "),
    "nwho ls -0w": has(r"^packet .*dockerd", r"^raw .*dockerd", without=["^tcp"]),
    "nwho ls deleted -o +exe": has(r"^tcp +listening .*mksock-copy", without=["nginx"]),
    "nwho ps --sort sockets:desc": has(r"\A *PID +PROCESS.*\n *\d+ +(java|nginx) ", r"sshd +root +1 "),
    "nwho %www-data": has(r"^udp 0\.0\.0\.0:5354", r"^  user +www-data", without=["nginx"]),
    "nwho doctor": has(r"^CRIT deleted-exe: mksock-copy", r"^OK +\d+ checks? fine", r"^looked for \d"),
    "nwho ls sick": has(r"close-wait .*java", without=["established"]),
    "nwho kill dst 192.0.2.9 dport :5432": has(r"^1 socket destroyed, no process ended$", "192.0.2.9:5432 .*java"),
    "nwho ls -N blue": has(r"^tcp .*:443 .*nginx"),
    "nwho ls --all-netns -o +container": has(r"^nwho-\S+ +tcp .*:443 .*nginx"),
    "nwho ls --container 4f3a": has(r"^tcp .*:443 .*nginx"),
    "nwho ls --json": document_is_whole,
    "nwho ls -t --csv -o local_addr,local_port,process,pid": csv_has_four_columns,
    "nwho ls -q listening sport :443": nothing_is_printed,
    "nwho stats": has(r"^TcpPassiveOpens +\d+  connections accepted", r"^SockTCPInuse +\d+  TCP sockets", without=[r" 0  [a-z]"]),
    "nwho stats listen -a": has(r"^TcpExtListenOverflows +- +0  connections lost", r"^TcpExtListenDrops ", without=["TcpInSegs"]),
    "nwho stats retrans -a -d 1": has(r"^COUNTER +SCOPE +CPU +VALUE +DELTA +PER-SEC", r"^TcpRetransSegs +netns +- +\d+ +\d+ +\d+  TCP segments"),
    "nwho if": has(r"^IFACE +STATE +SPEED", r"^lo +up +- +[\d.]+[KM]? "),
    "nwho if --watch": has(r"^[ +]*lo +- +- ", r"^[ ~]*lo( +[\d.]+[KM]?bit){4} +[\d.]+[KM]?( +[\d.]+[KM]?bit){4} +[\d.]+[KM]? +0 +\d+$"),
    "nwho if lo --watch": has(r"^lo  up  speed -  mtu 65536", r"^Incoming: 1.0Kbit/s is the height", r"  Ttl   0bit +0$", r"^in +0 +0 +\d+ +0 +0$"),
    "nwho if lo --by size": has(r"^SIZE +PACKETS +BYTES +SHARE%", r"^0-3277 +\d+ ", r"^65537\+ +0 "),
    "nwho if lo --by proto": has(r"^PROTOCOL +PACKETS", r"^total +\d+ ", r"^broadcast +0 "),
    "nwho if -d 1": has(r"^IFACE +STATE +RX/S", r"^lo +up( +[\d.]+[KM]?bit){2} +\d+ +\d+ +- +0 +\d+$"),
    "nwho top": has(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d .*  rx .* in all  tx .* in all$", r"^ *PID +USER +PROCESS "),
    "nwho nethogs -t -v 2 -c 2 -a eth0": has(r"^Adding local address: 127.0.0.1$", r"^Refreshing:$", r"^unknown TCP/0/0\t0\t0$"),
    "nwho iftop -t -s 2 -i eth0": has(r"^Listening on lo$", r"^Cumulative .* 0B +0B +0B$"),
    "nwho sar -n TCP,ETCP 1 2": has(r"^Linux .* CPU\)$", r"^..:..:.. +atmptf/s +estres/s", r"^Average: +active/s", r"^Average:( +[\d.]+){5}$"),
    "nwho ls established -d 1": has(r" RX/S +TX/S +RX-SINCE +TX-SINCE$", r"^tcp +established .*nginx.*( +0bit){2}( +0){2}$", without=["listening"]),
    "nwho count peer sport :443 -d 1": has(r"^PEER-ADDR .* RX/S +TX/S +RX-SINCE +TX-SINCE$", r"^192\.168\.1\.100 +1 .*( +0bit){2}( +0){2}$"),
    "nwho ps -d 1": has(r"^ *PID .* RX/S +TX/S +RX +TX +SICK$", r"^ *\d+ +java .*( +(0bit|-)){2}( +(0|-)){2} +close-wait$"),
    "nwho :443 -d 1": has(r"^tcp 0\.0\.0\.0:443  listening", r"^tcp .* 192\.168\.1\.100:443 .*nginx.*( +0bit){2}$"),
    "nwho top --by peer": has(r"^PEER-ADDR +CONN "),
    "nwho top --by port,user,container": has(r"^PROTO +PORT +USER +CONTAINER +CONN "),
    "nwho serve": has(r"^nwho: recording into /.*/history.db; process \d+, "),
    "nwho history dst 203.0.113.9 --since 02:00 --until 04:00": has(r"^....-..-.. 02:00:00 to ....-..-.. 04:00:00, nothing was measured$"),
    "nwho history --since 22:00 --by process": has(r"^....-..-.. 22:00:00 to ", r"^....-..-.. ..:..:..  started$"),
    "nwho mark deployed": has(),
    "nwho history --every 1 --since -1m": has(r"^....-..-.. ..:..:..  mark     deployed$"),
    "nwho history --by iface --every 1h": has(r"^....-..-.. ..:..:.. to ", r" TREND$|^IFACE"),
    "nwho export --since 22:00 --format openmetrics": has(r"\A# TYPE nwho_", r"^# EOF$"),
    "nwho top --since 02:00": has(r"not measured|nothing was measured"),
    "nwho sar -n DEV -1 -s 22:00": has(r"^Linux ", r"^..:..:.. +IFACE +rxpck/s ", r"^Average: +eth0 "),
    "nwho events": has(r"^TIME +EVENT ", r"^\d\d:\d\d:\d\d\.\d{3} +closed +refused +bash\(\d+\) .*127.0.0.1:1 .* peer +root +bash\(\d+\)"),
    "nwho sniff -i lo -c 4 tcp": has(r"^..:..:..\.\d{6} IP 127\.0\.0\.1\.\d+ > 127\.0\.0\.1\.1: Flags \[S\], .*  bash\[\d+\] > closed port$"),
    "nwho sniff -i lo -c 2 -o +user process bash and tcp": has(r" 127\.0\.0\.1\.1: Flags \[S\], .*  bash\[\d+\] user=root > closed port$"),
    "nwho events refused or reset": has(r"^\d\d:\d\d:\d\d\.\d{3} +closed +refused +bash\("),
    "nwho routes": has(r"^192\.168\.1\.100 +- +lo +192\.168\.1\.100 +- +local +local +host +kernel$", r"^::1 .* lo "),
    "nwho routes 192.168.1.100": has(r"^192\.168\.1\.100: local dev lo, from 192\.168\.1\.100, table local$",
                                     r"^tcp +established .* 192\.168\.1\.100:443 .*nginx", without=["192.0.2.9"]),
    "nwho groups": has(r"^lo +inet +224\.0\.0\.1 +1 +- +kernel$", r"^lo +inet6 +ff02::1 +1 +- +kernel$"),
    "nwho conntrack -L -p tcp": has(r"^tcp +6 \d+ ESTABLISHED src=\S+ dst=192\.168\.1\.100 sport=\d+ dport=443 ", without=["udp"]),
    "nwho conntrack -L -o json": has(r"\A\[\n\{\"family\":\"ipv[46]\",\"proto\":", r"\"dst\":\"192\.168\.1\.100\",\"sport\":\d+,\"dport\":443"),
    "nwho nat": has(r"^nwho-\S+ +tcp +established .* 192\.168\.1\.100:443 .* nginx\(\d+\)"),
    "nwho nat --events": has(r"^NETNS +TIME +EVENT ", r"^nwho-\S+ +\d\d:\d\d:\d\d\.\d{3} +(new|changed|forgotten) +tcp +"),
    "nwho nat --by process,state": has(r"^PROCESS +STATE +COUNT +% +%LIMIT$", r"^nginx +established +\d+ "),
    "nwho ls established -o +nat_peer_addr,nat_peer_port": has(r"^tcp .* 192\.168\.1\.100:443 .*nginx.* 192\.168\.1\.100 +443$"),
    "nwho tcpdump -nn -r dns.pcap port 53": has(r"^..:..:..\.\d{6} IP .*\.53: 4660\+ A\? www\.example\.com\. \(33\)$", without=["Flags"]),
    "nwho --record now.nwho": has(r"^SOCKETS$", r"^  tcp +\d+: ", "LISTENERS", "nginx"),
    "nwho ls --replay now.nwho established": has(r"^tcp +established .*192\.168\.1\.100", without=["listening"]),
}


# --- docs/from-other-tools.md ---

OLD_TOOLS = ("ss", "netstat", "lsof", "nethogs", "iftop", "iptraf-ng", "nload", "sar", "tcpdump", "conntrack")
UNTIL_STOPPED = ("nethogs", "iftop", "iptraf-ng", "nload", "sar", "tcpdump", "sniff")
BEGUN = r"[Ll]istening on |Refreshing:|Linux |\d{4}-\d\d-\d\d "  # what these say when they have, and then they need Ctrl-C


def commands_from_other_tools():
    """All commands of nwho in the document, each once, in their order."""
    text = (SOURCE / "docs/from-other-tools.md").read_text(encoding="utf-8")
    return list(dict.fromkeys(command.replace("\\|", "|") for command in re.findall(r"`(nwho [^`]+)`", text)))


def made_short(world, command):
    """The words of COMMAND, with what is there in the place of what they stand for, and an end that comes soon."""
    here = {"1234": str(world.pid), "/run/docker.sock": str(world.socket), "blue": world.ns.name}
    words = [here.get(word, word) for word in shlex.split(command)[1:]]
    if any(word.startswith("--watch") for word in words):
        words = ["--watch=0.2" if word.startswith("--watch") else word for word in words] + ["--times", "1"]
    if "-d" in words:
        words[words.index("-d") + 1] = "0.2"
    elif words[:1] == ["top"]:
        words += ["-d", "0.2"]
    if words[:1] == ["top"]:
        words += ["--batch"] * ("--batch" not in words) + ["-n", "1"] * ("-n" not in words)
    if words[:1] == ["events"] or "--events" in words:
        words += ["--for", "0.2"]
    if words[:1] in (["history"], ["export"]):
        words += ["--store", str(world.scene)]
    return words


def stopped(child):
    """Status and text of CHILD, after Ctrl-C if it would not end by itself."""
    lines, patience = [], threading.Timer(live.PATIENCE, child.kill)
    patience.start()
    for line in child.stdout:
        lines.append(line)
        if re.search(BEGUN, line):
            child.send_signal(signal.SIGINT)
            break
    lines += child.stdout.readlines()
    child.stdout.close()
    patience.cancel()
    return 0 if child.wait() == -signal.SIGINT else child.returncode, "".join(lines)


def has_form(words, out):
    """Whether OUT is what WORDS ask for: JSON, bare cells, or a header and cells below it."""
    if "--json" in words:
        return json.loads(out)["complete"]
    if {"--jsonl", "jsonl"} & set(words):
        return all(isinstance(json.loads(line), dict) for line in out.splitlines())
    if "-H" in words:
        return not re.match(r" *[A-Z]", out)
    if words[:1] in ([], ["doctor"], ["history"], ["sniff"]) or words[0] in OLD_TOOLS or "--watch=0.2" in words:
        return bool(out)
    return bool(re.search(r"^ *[A-Z][A-Z0-9/%~-]*( +[A-Z%][A-Z0-9/%~-]*)*$", out, re.M))


def try_command(world, command):
    """None, or what is wrong with COMMAND."""
    words = made_short(world, command)
    argv = [BUILD / "nwho", *words]
    options = {"cwd": world.directory, "env": {**os.environ, "LC_ALL": "C.UTF-8", "NWHO_CONFIG": str(world.configuration)}}
    if words[:1] and words[0] in UNTIL_STOPPED:
        status, out = stopped(world.ns.popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options))
    else:
        done = live.run([*([] if "-N" in words else world.ns.prefix()), *argv], None, **options)
        status, out = done.rc, done.out if done.rc in (0, 1, 3) else done.err
    return None if status in (0, 1, 3) and has_form(words, out) else f"{command}: status {status}\n{out[:1000]}"


def add_test_of_other_tools(world):
    """Most of their time passes with waiting: several at a time."""
    world.scene = world.directory / "other.db"

    @test
    def from_other_tools():
        live.run([BUILD / "tests/helpers/history_scene", world.scene])
        commands = [command for command in commands_from_other_tools() if command not in CHECKS]
        assert len(commands) > 100, commands
        with concurrent.futures.ThreadPoolExecutor(4) as several:
            wrong = [said for said in several.map(lambda command: try_command(world, command), commands) if said]
        assert not wrong, "\n".join(wrong)


def words_to_type(readme):
    """What a README has people type: spans of code, and the first column of its indented lines, in any language."""
    readme = re.sub(r"^```.*?^```", "", readme, flags=re.M | re.S)
    indented = [re.split(r"  +", line.strip())[0] for line in readme.splitlines() if line.startswith("    ")]
    return {words for words in re.findall(r"`([^`]+)`", readme) + indented if re.match(r"nwho\b|\./dev\b", words)}


def name_of(command):
    return re.sub(r"\W+", "_", command).strip("_")


def add_tests(world):
    commands = commands_of((SOURCE / "README.md").read_text(encoding="utf-8"))

    @test
    def every_line_has_a_check():
        assert len(commands) == len(set(commands)), "a command stands there twice"
        assert set(commands) == set(CHECKS), f"not on both sides: {set(commands) ^ set(CHECKS)}"

    @test
    def other_languages_have_the_same_commands():
        english = words_to_type((SOURCE / "README.md").read_text(encoding="utf-8"))
        for path in SOURCE.glob("README.*.md"):
            theirs = words_to_type(path.read_text(encoding="utf-8"))
            assert len(theirs) > 20 and theirs <= english, f"{path.name}: not in README.md: {theirs - english}"
            assert f"]({path.name})" in (SOURCE / "README.md").read_text(encoding="utf-8"), path.name

    add_test_of_other_tools(world)

    # What is destroyed cannot be looked at again.
    for command in sorted(commands, key=lambda command: " kill " in command):
        def one(command=command):
            if "--container" in command:
                world.put_into_container()
            CHECKS[command](world, world.run(command))
        one.__name__ = name_of(command)
        test(one)


if os.geteuid() != 0:
    run_tests()
with contextlib.ExitStack() as everything:
    add_tests(World(everything))
    run_tests()
