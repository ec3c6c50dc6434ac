# SPDX-License-Identifier: MIT
"""Counters, interfaces, routes and multicast groups: every row compared with what ip, nstat, netstat and /proc say."""
import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile

from live import BUILD, PATIENCE, netns, nwho, nwho_json, run_tests, skip, test, wait_for

ROUTES4 = ("10.77.0.0/16 via 10.9.0.5 metric 50 mtu lock 1300 advmss 1200 window 5000 rtt 30ms initcwnd 20 proto static",
           "10.78.0.0/16 nexthop via 10.9.0.5 weight 3 nexthop via 10.8.0.5", "unreachable 10.79.0.0/16", "blackhole 10.80.0.0/16",
           "prohibit 10.81.0.0/16", "default via 10.9.0.254 table 100", "10.82.0.0/16 via inet6 fd09::7 dev d0")
ROUTES6 = ("fd77::/64 via fd09::5 metric 7 mtu 1350", "fd78::/64 nexthop via fd09::5 nexthop via fd08::5 weight 2",
           "unreachable fd79::/64", "fd80::/64 from fd09::/64 via fd09::5", "default via fd09::9 table 200")


@contextlib.contextmanager
def network():
    """A namespace with two pairs of devices, addresses and routes."""
    with netns() as ns:
        def ip(*words, expect=0):
            return ns.run(["ip", *words], expect)
        for name, peer, number in (("d0", "d3", 9), ("d1", "d2", 8)):
            if ip("link", "add", name, "type", "veth", "peer", "name", peer, expect=None).rc != 0:
                skip("this kernel has no veth devices")
            ns.run(["sh", "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{name}/router_solicitations"], None)
            for device in (name, peer):
                ip("link", "set", device, "addrgenmode", "none")
                ip("link", "set", device, "up")
            ip("addr", "add", f"10.{number}.0.1/24", "dev", name)
            ip("addr", "add", f"fd0{number}::1/64", "dev", name, "nodad")
        for route in ROUTES4:
            ip("route", "add", *route.split())
        for route in ROUTES6:
            ip("-6", "route", "add", *route.split())
        yield ns


def ip_json(ns, *words):
    return json.loads(ns.run(["ip", "-j", "-N", *words]).out)


# --- counters ---

def pairs(text):
    """{name: value} of a file that has a line of names and a line of values."""
    lines = text.splitlines()
    found = []
    for names, values in zip(lines[::2], lines[1::2]):
        group = names.split(":")[0]
        found += [(group + name, int(value)) for name, value in zip(names.split()[1:], values.split()[1:])]
    return found


def proc_counters(ns):
    def read(name):
        return ns.run(["cat", f"/proc/net/{name}"]).out
    found = pairs(read("snmp")) + pairs(read("netstat"))
    found += [(line.split()[0], int(line.split()[1])) for line in read("snmp6").splitlines()]
    return found


@test
def counters_are_those_of_the_files_in_their_order():
    with network() as ns:
        before = proc_counters(ns)
        rows = nwho_json(ns, "stats", "-a", "source snmp or source netstat or source snmp6")["rows"]
        after = proc_counters(ns)
        assert [row["counter"] for row in rows] == [name for name, _ in before]
        for row, (_, low), (_, high) in zip(rows, before, after):
            assert low <= row["value"] <= high, (row, low, high)
            assert row["counter"] == row["group"] + row["label"], row


@test
def counters_have_the_names_of_nstat():
    if not shutil.which("nstat"):
        skip("there is no nstat")
    with network() as ns:
        theirs = json.loads(ns.run(["nstat", "-a", "-z", "-j"]).out)["kernel"]
        ours = {row["counter"]: row["value"] for row in nwho_json(ns, "stats", "-a")["rows"] if row["cpu"] is None}
        missing = set(theirs) - set(ours)
        assert not missing, missing
        assert len(theirs) > 150


@test
def sockstat_and_softnet():
    with network() as ns:
        for name in ("sockstat", "sockstat6"):
            text = ns.run(["cat", f"/proc/net/{name}"]).out
            wanted = [(line.split(":")[0], word) for line in text.splitlines() for word in line.split(":")[1].split()[::2]]
            rows = nwho_json(ns, "stats", "-a", "source", name)["rows"]
            assert [(row["group"], row["label"]) for row in rows] == wanted
            assert all(row["gauge"] and row["counter"].startswith("Sock") for row in rows)
        cpus = ns.run(["cat", "/proc/net/softnet_stat"]).out.count("\n")
        rows = nwho_json(ns, "stats", "SoftnetProcessed", "-a")["rows"]
        assert len(rows) == cpus + 1 and rows[0]["cpu"] is None
        assert rows[0]["value"] == sum(row["value"] for row in rows[1:])
        assert len(nwho_json(ns, "stats", "SoftnetProcessed")["rows"]) == 1


@test
def zeros_are_left_out_and_patterns_choose():
    with network() as ns:
        rows = nwho_json(ns, "stats")["rows"]
        assert rows and all(row["value"] != 0 and row["cpu"] is None for row in rows)
        assert "IpDefaultTTL" in [row["counter"] for row in rows]
        rows = nwho_json(ns, "stats", "-a", "retrans")["rows"]
        assert rows and all("retrans" in row["counter"].lower() for row in rows)
        rows = nwho_json(ns, "stats", "-a", "Tcp*Segs")["rows"]
        assert {"TcpInSegs", "TcpOutSegs", "TcpRetransSegs"} <= {row["counter"] for row in rows}
        result = nwho(ns, "stats", "nosuchcounter", expect=1)
        assert result.out.count("\n") == 1 and "-a shows" not in result.err, result
        assert "1 counter fits, and it is 0: -a shows it" in nwho(ns, "stats", "TcpOutRsts", expect=1).err
        assert "counters fit, and all are 0: -a shows them" in nwho(ns, "stats", "TCPMD5", expect=1).err
        meanings = [row["meaning"] for row in nwho_json(ns, "stats", "-a")["rows"]]
        assert sum(1 for meaning in meanings if meaning) > 120


def refuse_connections(ns):
    """Ten TCP segments in and ten resets out, at least."""
    ns.run([sys.executable, "-c", "import socket\n"
            "for _ in range(10):\n s = socket.socket(); assert s.connect_ex(('127.0.0.1', 9)) != 0; s.close()"])


@test
def deltas_are_what_was_counted_in_between():
    with network() as ns:
        with ns.popen([BUILD / "nwho", "stats", "TcpOutRsts", "-a", "--jsonl", "--watch=0.05"], stdout=subprocess.PIPE) as child:
            try:
                first = json.loads(child.stdout.readline())
                assert first["delta"] is None and first["rate"] is None
                refuse_connections(ns)
                counted, last = 0, first
                while counted < 10:
                    assert select.select([child.stdout], [], [], PATIENCE)[0]
                    row = json.loads(child.stdout.readline())
                    assert row["delta"] == row["value"] - last["value"], (row, last)
                    counted, last = counted + row["delta"], row
            finally:
                child.send_signal(signal.SIGINT)
                child.stdout.read()


@test
def a_delta_reads_twice_and_shows_what_counted():
    with network() as ns:
        assert nwho_json(ns, "stats", "TcpOutRsts", "-d", "0.05", expect=1)["rows"] == []
        rows = nwho_json(ns, "stats", "TcpOutRsts", "-a", "-d", "0.05")["rows"]
        assert [(row["delta"], row["rate"]) for row in rows] == [(0, 0)]
        rows = nwho_json(ns, "stats", "scope machine", "-a")["rows"]
        assert {"SockTCPAlloc", "SoftnetProcessed"} <= {row["counter"] for row in rows}
        assert not {"SockTCPInuse", "SockUsed", "TcpOutRsts"} & {row["counter"] for row in rows}
        assert "second reading" in nwho(ns, "stats", "-d", "1", "--watch", expect=2).err
        assert "seconds" in nwho(ns, "stats", "-d", "x", expect=2).err


# --- interfaces ---

def at_one_moment(read_theirs, read_ours):
    """Both answers while nothing was counted: the kernel sends reports of its own for some seconds."""
    def try_it():
        before, ours, after = read_theirs(), read_ours(), read_theirs()
        return (before, ours) if before == after else None
    return wait_for(try_it, what="a moment without packets")


@test
def interfaces_are_those_of_ip():
    with network() as ns:
        ns.run(["ip", "link", "set", "d2", "down"])
        refuse_connections(ns)
        theirs, ours = at_one_moment(lambda: json.loads(ns.run(["ip", "-j", "-s", "-s", "-d", "link", "show"]).out),
                                     lambda: nwho_json(ns, "if", "-o", "all")["rows"])
        assert [row["iface"] for row in ours] == [link["ifname"] for link in theirs]
        for row, link in zip(ours, theirs):
            rx, tx = link["stats64"]["rx"], link["stats64"]["tx"]
            assert (row["ifindex"], row["mtu"], row["qdisc"]) == (link["ifindex"], link["mtu"], link["qdisc"])
            assert row["operstate"].replace("-", "") == link["operstate"].lower()
            assert set(row["flags"].split(",")) == {flag.lower() for flag in link["flags"]} - {"no-carrier", "m-down"} | (
                {"running"} if "running" in row["flags"] else set()), (row, link)
            assert row["kind"] == link.get("linkinfo", {}).get("info_kind")
            assert row["address"] == (link["address"] if link["link_type"] != "loopback" else None)
            for name in ("bytes", "packets", "errors", "dropped"):
                assert (row[f"rx_{name}"], row[f"tx_{name}"]) == (rx[name], tx[name]), (name, row, link)
            assert (row["multicast"], row["rx_missed"], row["rx_overruns"], row["tx_overruns"], row["collisions"]) == (
                rx["multicast"], rx["missed_errors"], rx["fifo_errors"], tx["fifo_errors"], tx["collisions"])
            assert (row["rx_crc_errors"], row["tx_carrier_errors"]) == (rx["crc_errors"], tx["carrier_errors"])
        states = {row["iface"]: row["state"] for row in ours}
        assert states["lo"] == "up" and states["d2"] == "down" and states["d1"] in ("down", "lower-layer-down")
        assert next(row for row in ours if row["iface"] == "lo")["rx_bytes"] > 0


@test
def interfaces_are_those_of_proc_net_dev():
    with network() as ns:
        theirs, ours = at_one_moment(lambda: ns.run(["cat", "/proc/net/dev"]).out.splitlines()[2:],
                                     lambda: {row["iface"]: row for row in nwho_json(ns, "if")["rows"]})
        for line in theirs:
            name, numbers = line.split(":")
            numbers = [int(number) for number in numbers.split()]
            row = ours[name.strip()]
            assert [row["rx_bytes"], row["rx_packets"], row["rx_errors"], row["rx_dropped"] + row["rx_missed"],
                    row["rx_overruns"]] == numbers[:5]
            assert [row["tx_bytes"], row["tx_packets"], row["tx_errors"], row["tx_dropped"]] == numbers[8:12]


@test
def speed_queue_and_rates():
    with network() as ns:
        row = nwho_json(ns, "if", "d0")["rows"][0]
        assert row["speed_bits"] == 10_000_000_000 and row["state"] == "up" and row["qdisc_drops"] == 0
        assert "10Gbit" in nwho(ns, "if", "d0").out
        assert nwho(ns, "if", "speed_bits > 10Gbit", expect=1).out.count("\n") == 1
        if ns.run(["tc", "qdisc", "add", "dev", "d0", "root", "pfifo", "limit", "1"], None).rc == 0:
            assert nwho_json(ns, "if", "d0")["rows"][0]["qdisc"] == "pfifo"
        lines = nwho(ns, "if", "lo", "--jsonl", "--watch=0.05", "--times", "2").out.splitlines()
        first, second = map(json.loads, lines)
        assert first["rx_rate"] is None and second["rx_rate"] == 0 and second["rx_packet_rate"] == 0


# --- routes ---

def wanted_route(route, hop, hops):
    """What the row of a route of `ip -j -N` must be."""
    gateway = hop.get("gateway") or hop.get("via", {}).get("host")
    return (route["dst"], gateway, hop.get("dev"), route.get("prefsrc"), hops)


def routes_of_ip(ns, family):
    found = []
    for route in ip_json(ns, family, "-d", "route", "show", "table", "all"):
        several = route.get("nexthops", [])
        for hop in several or [route]:
            found.append(wanted_route(route, hop, len(several) or int(bool(hop.get("dev") or hop.get("gateway")))))
    return found


@test
def routes_are_those_of_ip():
    with network() as ns:
        for family in ("-4", "-6"):
            ours = [(row["destination"], row["gateway"], row["iface"], row["source"], row["hops"])
                    for row in nwho_json(ns, "routes", family)["rows"]]
            theirs = routes_of_ip(ns, family)
            assert ours == theirs, (set(ours) ^ set(theirs))


@test
def kinds_and_metrics_of_routes():
    with network() as ns:
        rows = {(row["destination"], row["table"], row["hop"]): row for row in nwho_json(ns, "routes", "-o", "all")["rows"]}
        row = rows["10.77.0.0/16", "main", 1]
        assert (row["mtu"], row["mtu_locked"], row["advmss"], row["window"], row["irtt_ms"], row["initcwnd"], row["metric"],
                row["protocol"]) == (1300, True, 1200, 5000, 30, 20, 50, "static")
        assert [rows["10.78.0.0/16", "main", hop]["weight"] for hop in (1, 2)] == [3, 1]
        for number, kind in ((79, "unreachable"), (80, "blackhole"), (81, "prohibit")):
            assert rows[f"10.{number}.0.0/16", "main", None]["type"] == kind
        assert rows["default", "100", 1]["gateway"] == "10.9.0.254"
        assert rows["10.82.0.0/16", "main", 1]["gateway"] == "fd09::7"
        assert (rows["fd80::/64", "main", 1]["src"], rows["fd80::/64", "main", 1]["src_prefix"]) == ("fd09::", 64)
        assert rows["fd77::/64", "main", 1]["mtu"] == 1350
        assert rows["127.0.0.1", "local", 1]["type"] == "local"


@test
def routes_have_what_netstat_shows():
    if not shutil.which("netstat"):
        skip("there is no netstat")
    with network() as ns:
        theirs = [line.split() for line in ns.run(["netstat", "-6", "-r", "-n"]).out.splitlines()[2:]]
        rows = nwho_json(ns, "routes", "-6", "-a", "-o", "all", "--sort", "proc_line")["rows"]
        assert len(rows) == len(theirs)
        for row, line in zip(rows, theirs):
            destination, gateway, flags, metric, refs, use = line[:6]
            assert f"{row['dst']}/{row['prefix']}" == destination or destination.startswith("["), (row, line)
            assert (row["gateway"] or "::") == gateway and sorted(row["flags"]) == sorted(flags), (row, line)
            assert (row["metric"] % 2**32 == int(metric) % 2**32, row["iface"]) == (True, line[6]), (row, line)
            assert (row["refs"], row["use"]) == (int(refs), int(use)), (row, line)
        theirs = [line.split() for line in ns.run(["netstat", "-4", "-r", "-n"]).out.splitlines()[2:]]
        rows = nwho_json(ns, "routes", "-4", "-o", "all", "table main and not hop > 1 and not type broadcast,multicast")["rows"]
        assert [row["dst"] for row in rows] == [line[0] for line in theirs]
        assert [row["flags"].replace("U!", "!") for row in rows] == [line[3] for line in theirs]


@test
def the_way_to_an_address():
    with network() as ns:
        for address in ("10.77.1.1", "10.9.0.9", "127.0.0.1", "10.82.0.5", "fd77::5", "fd09::1", "::1"):
            theirs = ip_json(ns, "route", "get", address)[0]
            answer, *chosen = nwho_json(ns, "routes", address)["rows"]
            gateway = theirs.get("gateway") or theirs.get("via", {}).get("host")
            assert answer["answer"] and not answer["chosen"] and answer["error"] is None
            assert (answer["destination"], answer["gateway"], answer["iface"], answer["source"]) == (
                address, gateway, theirs["dev"], theirs["prefsrc"]), (answer, theirs)
            assert len(chosen) == 1 and chosen[0]["chosen"] and chosen[0]["gateway"] == gateway, chosen
            assert f"dev {theirs['dev']}" in nwho(ns, "routes", address).out


@test
def there_is_no_way():
    refusing = {"10.79.0.1": ("unreachable", "10.79.0.0/16"), "10.80.1.1": ("blackhole", "10.80.0.0/16"),
                "10.81.0.1": ("prohibit", "10.81.0.0/16"), "10.80.7.9": ("blackhole", "10.80.7.8/29"), "10.80.7.1": ("prohibit", "10.80.7.0/27"),
                "fd79::1": ("unreachable", "fd79::/64"), "fd79:1::1": ("blackhole", "fd79:1::/50"),
                "fd79:2::": ("prohibit", "fd79:2::")}
    with network() as ns:
        for words in ("prohibit 10.80.7.0/27", "blackhole 10.80.7.8/29", "-6 blackhole fd79:1::/50", "-6 prohibit fd79:2::"):
            ns.run(["ip", *(["-6"] if "-6" in words else []), "route", "add", *words.replace("-6 ", "").split()])
        for address, (kind, destination) in refusing.items():
            rows = nwho_json(ns, "routes", address, expect=1)["rows"]
            assert [row["destination"] for row in rows] == [address, destination], rows
            assert [row["type"] for row in rows] == [kind, kind] and f"of type {kind} " in rows[0]["error"], rows
            out = nwho(ns, "routes", "to", address, expect=1).out
            assert f"{address}: there is no way: a route of type {kind} " in out and re.search(rf"^{destination} .* {kind} ", out, re.M), out
        for address in ("192.0.2.1", "fd99::1"):
            rows = nwho_json(ns, "routes", address, expect=1)["rows"]
            assert len(rows) == 1 and "no route leads there" in rows[0]["error"], rows
            assert f"{address}: there is no way: no route leads there" in nwho(ns, "routes", address, expect=1).out
            assert "nwho routes ADDRESS" in nwho(ns, "routes", "dst", address, expect=1).err
        nwho(ns, "routes", "-q", "192.0.2.1", expect=1)
        nwho(ns, "routes", "-q", "10.9.0.7")


@test
def the_sockets_that_use_a_way():
    with network() as ns:
        program = ("import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.connect(('10.77.1.1', 53))\n"
                   "print('ready', flush=True)\nsys.stdin.read()")
        with ns.popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == b"ready\n"
            out = nwho(ns, "routes", "10.77.1.1").out
            child.stdin.close()
            child.wait(PATIENCE)
        assert "via 10.9.0.5 dev d0, from 10.9.0.1, table main, mtu 1300" in out
        assert re.search(rf"udp .*10\.9\.0\.1:\d+ +10\.77\.1\.1:53 .*\({child.pid}\)", out), out


@test
def routes_are_filtered_by_address_and_name():
    with network() as ns:
        def destinations(*words):
            return {row["destination"] for row in nwho_json(ns, "routes", *words)["rows"]}
        assert destinations("dst", "10.76.0.0/14", "table", "main") == {f"10.{n}.0.0/16" for n in (77, 78, 79)}
        assert destinations("fd78::/64") == {"fd78::/64"}
        assert destinations("d1", "-4", "table", "main") == {"10.8.0.0/24", "10.78.0.0/16"}
        assert destinations("mtu > 0") == {"10.77.0.0/16", "fd77::/64"}
        assert destinations("default", "inet6") == {"default"}


@test
def a_word_that_finds_nothing_is_told():
    with netns() as ns:
        for command, what in (("if", "an interface"), ("stats", "a counter"), ("routes", "a table"), ("groups", "a group")):
            result = nwho(ns, command, "no-such-thing", expect=1)
            assert "'no-such-thing' was taken for" in result.err and what in result.err, result
            assert not nwho(ns, command, "no-such-thing", "-q", expect=1).err


# --- multicast groups ---

MEMBER = """
import socket, struct, sys
index = socket.if_nametoindex("d0")
def join4(s, group):
    s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("=4s4si", socket.inet_aton(group), bytes(4), index))
def join6(s, group):
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group) + struct.pack("=I", index))
four = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, 2)
join4(four, "224.0.0.251"); join4(other, "224.0.0.251"); join6(six, "ff02::fb"); join4(six, "239.1.2.3"); join4(raw, "224.0.0.5")
print(four.fileno(), other.fileno(), six.fileno(), raw.fileno(), flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def member(ns, user=None):
    """A process that has joined groups; gives its pid and the descriptors of its four sockets."""
    with ns.popen([sys.executable, "-c", MEMBER], user, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        try:
            yield child.pid, [int(word) for word in child.stdout.readline().split()]
        finally:
            child.stdin.close()
            child.wait(PATIENCE)


@test
def groups_are_those_of_netstat():
    if not shutil.which("netstat"):
        skip("there is no netstat")
    with network() as ns, member(ns):
        ours = [(row["iface"], row["users"], row["address"]) for row in nwho_json(ns, "groups")["rows"]]
        lines = [line.split() for line in ns.run(["netstat", "-g", "-n"]).out.splitlines()[3:]]
        assert ours == [(name, int(users), group) for name, users, group in lines]


@test
def groups_are_those_of_ip():
    with network() as ns, member(ns):
        ours = {(row["iface"], row["address"], row["users"]) for row in nwho_json(ns, "groups", "-a")["rows"]}
        theirs = set()
        for link in ip_json(ns, "maddress", "show"):
            for group in link["maddr"]:
                theirs.add((link["ifname"], group.get("address") or group["link"], group.get("users", 1)))
        assert ours == theirs, ours ^ theirs


@test
def who_joined_is_known():
    with network() as ns, member(ns) as (pid, (four, other, six, raw)):
        rows = {(row["iface"], row["address"]): row for row in nwho_json(ns, "groups")["rows"]}

        def owners(address):
            return [(owner["pid"], owner["fd"]) for owner in rows["d0", address]["owners"]]
        assert sorted(owners("224.0.0.251")) == sorted([(pid, four), (pid, other)]), (rows["d0", "224.0.0.251"], pid, four, other)
        assert owners("ff02::fb") == owners("239.1.2.3") == [(pid, six)] and owners("224.0.0.5") == [(pid, raw)]
        assert rows["d0", "224.0.0.1"]["owner_note"] == rows["d0", "ff02::1"]["owner_note"] == "kernel"
        assert not rows["d1", "224.0.0.1"]["owners"] and ("d1", "224.0.0.251") not in rows
        assert {row["address"] for row in nwho_json(ns, "groups", "pid", str(pid))["rows"]} == {
            "224.0.0.251", "239.1.2.3", "224.0.0.5", "ff02::fb"}
        assert [row["address"] for row in nwho_json(ns, "groups", "group 224.0.0.251")["rows"]] == ["224.0.0.251"]


@test
def who_joined_is_not_guessed():
    """Without the right to ask, no owner is named."""
    with network() as ns, member(ns):
        rows = nwho_json(ns, "groups", "d0", user="nobody")["rows"]
        assert {"224.0.0.251", "ff02::fb"} <= {row["address"] for row in rows}
        assert not any(row["owners"] for row in rows)
        assert next(row for row in rows if row["address"] == "224.0.0.251")["owner_note"].startswith("not known")


# --- what all tables have in common ---

@test
def a_recording_gives_the_same_answer():
    commands = (["stats", "-a", "not source sockstat,sockstat6,softnet_stat"], ["if"], ["routes"], ["routes", "-a", "-6"], ["groups"],
                ["groups", "-a"])
    with network() as ns, member(ns), tempfile.TemporaryDirectory(prefix="nwho-network-") as path:
        for number, command in enumerate(commands):
            file = f"{path}/{number}"
            for options in (["--json=all"], ["--csv"], []):
                live = nwho(ns, *command, *options, "--record", file).out
                replayed = nwho(None, *command, *options, "--replay", file).out
                if options != ["--json=all"]:
                    assert replayed == live, (command, options)
                else:
                    assert json.loads(replayed)["rows"] == json.loads(live)["rows"], command
        nwho(ns, "ls", "--record", f"{path}/ls")
        for command in ("stats", "if", "routes", "groups"):
            assert nwho_json(None, command, "--replay", f"{path}/ls")["rows"], command


@test
def other_namespaces_are_read_from_outside():
    with network() as ns:
        for command in ("stats", "if", "routes", "groups"):
            inside = nwho_json(ns, command, "-o", "netns")["rows"] if command != "stats" else None
            rows = nwho_json(None, command, "-N", ns.name)["rows"]
            assert rows and all(row["netns"] == ns.name for row in rows), command
            assert inside is None or len(rows) == len(inside), command
        both = nwho_json(None, "if", "-N", ns.name, "-N", str(os.getpid()), "lo")["rows"]
        assert ns.name in [row["netns"] for row in both] and len(both) == 2


@test
def any_user_may_ask():
    with network() as ns:
        for command in ("stats", "if", "routes", "groups"):
            mine = nwho_json(ns, command, "-o", "all" if command == "routes" else "netns")["rows"]
            other = nwho_json(ns, command, user="nobody")["rows"]
            assert other and (command == "stats" or len(other) == len(mine)), command


run_tests()
