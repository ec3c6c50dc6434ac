# SPDX-License-Identifier: MIT
"""Listeners that others can reach: what the doctor says of them, those that are allowed, and the baseline."""
import json
import os
import re
import tempfile
from contextlib import contextmanager
from pathlib import Path

from doctor import findings
from live import BUILD, SOURCE, mksock, netns, nwho, nwho_json, run_tests, skip, test

PUBLIC = "203.0.113.7"


@contextmanager
def reachable(address=PUBLIC):
    with netns() as ns:
        ns.add_address(f"{address}/24")
        yield ns


@contextmanager
def scratch():
    """A directory that anybody may enter."""
    with tempfile.TemporaryDirectory(prefix="nwho-baseline-") as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)


def listener(ns, port, address="0.0.0.0"):
    return mksock(ns, "listening", f"port={port}", f"addr={address}")


def save(ns, path, *words):
    nwho(ns, "ports", "-N", ns.name, f"--save-baseline={path}", *words)


def difference(ns, path, *words):
    """What --diff says: (change, address, port, process)."""
    done = nwho(ns, "ports", "-N", ns.name, f"--diff={path}", "--json", *words, expect={0, 1})
    rows = json.loads(done.out)["rows"]
    assert done.rc == (1 if rows else 0), done
    assert {row["netns"] for row in rows} <= {ns.name}, rows
    return [(row["change"], row["local_addr"], row["local_port"], row["process"]) for row in rows]


# --- exposed ---

@test
def a_database_that_the_internet_reaches():
    for address, port, expected in ((PUBLIC, 6379, ["warn"]), ("10.77.0.1", 6379, []), (PUBLIC, 6380, ["info"])):
        with reachable(address) as ns, listener(ns, port) as facts:
            rows = findings(ns, "exposed")
            assert [row["severity"] for row in rows] == expected, rows
            assert all(row["check"] == "exposed" and row["netns"] == ns.name for row in rows), rows
            assert all(row["pid"] == facts[0]["pid"] for row in rows if row["severity"] == "warn"), rows


@test
def no_exposure_of_what_listens_on_loopback():
    with reachable() as ns, listener(ns, 6379, "127.0.0.1"):
        assert findings(ns, "exposed") == []


@test
def several_listeners_without_a_baseline_are_one_thing_to_know():
    with reachable() as ns, listener(ns, 7000), listener(ns, 7001):
        rows = findings(ns, "exposed")
        assert [(row["severity"], row["pid"]) for row in rows] == [("info", None)], rows
        assert rows[0]["evidence"][0]["after"] == 2 and "--save-baseline" in rows[0]["fix"][0], rows


@test
def what_is_allowed_is_no_finding():
    for allowed, expected in ((f"tcp/6379", []), ("tcp/6000-7000", []), ("tcp/0.0.0.0:6379@mksock", []), ("udp/6379", ["warn"]),
                              ("tcp/6380", ["warn"]), (f"tcp/{PUBLIC}:6379", ["warn"]), ("tcp/6379@redis-server", ["warn"])):
        with reachable() as ns, listener(ns, 6379):
            rows = findings(ns, "exposed", limits={"exposed.allow": f"udp/1 {allowed}"})
            assert [row["severity"] for row in rows] == expected, (allowed, rows)


@test
def what_is_new_since_the_baseline():
    with reachable() as ns, scratch() as directory, listener(ns, 7000):
        save(ns, directory / "known")
        limits = {"exposed.baseline": directory / "known"}
        assert findings(ns, "exposed", limits=limits) == []
        with listener(ns, 7001) as facts, listener(ns, 7002, "127.0.0.1"):
            rows = findings(ns, "exposed", limits=limits)
            assert [(row["severity"], row["pid"]) for row in rows] == [("warn", facts[0]["pid"])], rows
            assert rows[0]["local"].endswith(":7001"), rows
            assert findings(ns, "exposed", limits={**limits, "exposed.allow": "tcp/7001"}) == []
        assert findings(ns, "exposed", limits=limits) == []


@test
def a_baseline_says_nothing_of_a_recording():
    """That may be of another machine."""
    with reachable() as ns, scratch() as directory, listener(ns, 7000):
        save(ns, directory / "known")
        path = directory / "nwho.conf"
        path.write_text(f"exposed.baseline = {directory / 'known'}\n")
        env = {"NWHO_CONFIG": path}
        with listener(ns, 7001):
            nwho(ns, "doctor", "-N", ns.name, "--window", "0.01", "exposed", "--record", directory / "moment", env=env, expect=1)
            for words in (["doctor", "exposed"], []):
                document = nwho_json(ns, *words, "--replay", directory / "moment", env=env)
                rows = [row for row in document.get("findings", document["rows"]) if row["check"] == "exposed"]
                assert [row["severity"] for row in rows] == ["info"], rows


@test
def a_database_of_the_baseline_is_to_know():
    with reachable() as ns, scratch() as directory, listener(ns, 6379):
        save(ns, directory / "known")
        rows = findings(ns, "exposed", limits={"exposed.baseline": directory / "known"})
        assert [row["severity"] for row in rows] == ["info"], rows


# --- baseline ---

@test
def new_and_gone_listeners():
    with netns() as ns, scratch() as directory:
        path = directory / "known"
        with listener(ns, 7000), listener(ns, 7001), mksock(ns, "listening", "port=7002", "reuseport=1"):
            save(ns, path)
            assert difference(ns, path) == []
            with mksock(ns, "listening", "port=7002", "reuseport=1"):
                assert difference(ns, path) == []
        with listener(ns, 7001), listener(ns, 7003, "127.0.0.1"):
            everything = {("new", "127.0.0.1", 7003, "mksock"), ("gone", "0.0.0.0", 7000, "mksock"),
                          ("gone", "127.0.0.1", 7002, "mksock")}
            assert set(difference(ns, path)) == everything, difference(ns, path)
            assert difference(ns, path, "sport :7000") == [("gone", "0.0.0.0", 7000, "mksock")]
            text = nwho(ns, "ports", "-N", ns.name, f"--diff={path}", expect=1).out
            assert {line[0] for line in text.splitlines()[1:]} == {"+", "-"}, text
            table = nwho(ns, "ports", "-N", ns.name, f"--diff={path}", "--csv", expect=1).out.splitlines()
            assert table[0] == "change,proto,local_addr,local_port,process,unit,netns" and len(table) == 4, table
            assert nwho(ns, "ports", "-N", ns.name, f"--diff={path}", "-q", expect=1).out == ""


@test
def another_owner():
    with netns() as ns, scratch() as directory:
        path, other = directory / "known", directory / "other"
        other.symlink_to(BUILD / "tests/helpers/mksock")
        with listener(ns, 7000):
            save(ns, path)
        with mksock(ns, "listening", "port=7000", "addr=0.0.0.0", program=other):
            assert difference(ns, path) == [("changed", "0.0.0.0", 7000, "other")]
        path.write_text(path.read_text().replace("mksock", ""))
        with listener(ns, 7000):  # what is not known is no change
            assert difference(ns, path) == []


@test
def the_file_is_stable_and_appears_whole():
    with netns() as ns, scratch() as directory, listener(ns, 7001), listener(ns, 7000), mksock(ns, "udp", "port=0"):
        path = directory / "known"
        save(ns, path)
        lines = path.read_text().splitlines()
        assert lines[0].startswith("# ") and lines[1] == "proto,local_addr,local_port,process,unit,netns", lines
        assert lines[2:] == [  # the port of the UDP socket is one that the kernel chose
            f"tcp,0.0.0.0,{port},mksock,,{ns.name}" for port in (7000, 7001)], lines
        save(ns, path)
        assert path.read_text().splitlines()[1:] == lines[1:]
        assert os.listdir(directory) == ["known"]
        done = nwho(ns, "ports", "-N", ns.name, f"--save-baseline={directory}/no/such", expect=2)
        assert "No such file" in done.err, done


@test
def other_namespaces_than_those_that_are_read_are_not_gone():
    with netns() as ns, netns() as other, scratch() as directory, listener(ns, 7000), listener(other, 7000):
        path = directory / "known"
        nwho(ns, "ports", "-N", ns.name, "-N", other.name, f"--save-baseline={path}")
        assert difference(ns, path) == difference(other, path) == []


@test
def a_recording_is_compared():
    with netns() as ns, scratch() as directory:
        with listener(ns, 7000):
            save(ns, directory / "known")
        with listener(ns, 7001):
            nwho(ns, "ls", "-N", ns.name, "--record", directory / "moment")
        rows = nwho_json(ns, "--replay", directory / "moment", "ports", f"--diff={directory / 'known'}", expect=1)["rows"]
        assert [(row["change"], row["local_port"]) for row in rows] == [("new", 7001), ("gone", 7000)], rows


@test
def what_is_no_baseline():
    with netns() as ns, scratch() as directory:
        path = directory / "known"
        done = nwho(ns, "ports", f"--diff={path}", expect=2)
        assert "--save-baseline" in done.err and done.err.count("\n") == 1, done
        path.write_text("# a list\nproto,local_addr,local_port,process,unit,netns\ntcp,0.0.0.0,seven,,,init\n")
        assert f"{path}:3: " in nwho(ns, "ports", f"--diff={path}", expect=2).err
        for words in (["--watch"], [f"--save-baseline={path}"], ["-o", "pid"]):
            assert nwho(ns, "ports", f"--diff={path}", *words, expect=2).err.startswith("nwho: "), words


# --- configuration ---

def complaint(ns, directory, text):
    """What is said of a configuration; nothing: it is taken."""
    path = directory / "nwho.conf"
    path.write_text(text)
    done = nwho(ns, "doctor", "-N", ns.name, "--window", "0.01", "exposed", env={"NWHO_CONFIG": path}, expect={0, 1, 2})
    assert (done.rc == 2) == bool(done.err), done
    return done.err.removeprefix(f"nwho: {path}").strip()


@test
def lines_of_a_configuration():
    off = "exposed.baseline = off\n"
    with netns() as ns, scratch() as directory:
        for good in ("", "# nothing\n\n", "exposed.allow = tcp/22 udp/51820@wg0.service # both\nexposed.allow=tcp/[::1]:80\n",
                     "close-wait.sockets = 500 off\n", "close-wait.sockets 500"):
            assert complaint(ns, directory, off + good) == "", good
        for bad, said in (("exposed.alow = tcp/22", ":2: no such key: exposed.alow: did you mean exposed.allow?"),
                          ("close-wait.socket = 5", ":2: no such key: close-wait.socket: did you mean close-wait.sockets?"),
                          ("colour = red", ":2: no such key (nwho doctor --explain CHECK lists those of a check): colour"),
                          ("exposed.allow =", ":2: the value is missing: exposed.allow"),
                          ("exposed.allow = tcp/22 http", ":2: no listener like tcp/443, tcp/10.0.0.1:5432 or udp/53@named: http"),
                          ("exposed.baseline = here", ":2: neither a path from / on nor off: here"),
                          ("close-wait.sockets =", ":2: the value is missing: close-wait.sockets"),
                          ("close-wait.sockets = many", ":2: not a value of close-wait.sockets: many (nwho doctor --explain close-wait shows the usual ones)")):
            assert complaint(ns, directory, off + bad + "\n") == said, bad


@test
def the_example_of_a_configuration():
    example = (SOURCE / "packaging/nwho.conf").read_text()
    used = re.sub("^#(?=[a-z])", "", example, flags=re.M)
    assert used != example
    with netns() as ns, scratch() as directory:
        assert complaint(ns, directory, used.replace("/var/lib/nwho/baseline", str(directory / "none"))) == ""


@test
def a_configuration_that_may_not_be_read_is_left_out():
    with netns() as ns, scratch() as directory:
        path = directory / "nwho" / "nwho.conf"
        path.parent.mkdir()
        path.write_text("nonsense\n")
        path.chmod(0o600)
        env = {**os.environ, "XDG_CONFIG_HOME": str(directory), "XDG_STATE_HOME": str(directory), "NWHO_CONFIG": ""}
        if os.path.exists("/etc/nwho/nwho.conf"):
            skip("this machine has a configuration")
        done = nwho(ns, "doctor", "--window", "0.01", "deleted-exe", "-N", ns.name, user="nobody", env=env, expect=None)
        assert f"{path} is left out: Permission denied" in done.err and done.rc != 2, done
        assert ":1: no such key" in nwho(ns, "doctor", "deleted-exe", env=env, expect=2).err


run_tests()
