#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Under the names of the old tools: links and `nwho TOOL` are the same, and the links that ./dev install offers."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from compat import RELEASES, links
from live import BUILD, SOURCE, mksock, netns, run, run_tests, skip, test

LINES = {"ss": ["-tan", "-tlnp", "-V", "-h", "--nonsense"],
         "netstat": ["-tan", "-tlnp", "-V", "-h", "--nonsense"],
         "lsof": ["-nPi", "-t -i", "-v", "-h", "-nonsense"],
         "sar": ["-V", "--help", "-n TCP", "--nonsense"]}
NWHO = BUILD / "nwho"
TOOLS = [*RELEASES, "nethogs", "iftop", "nload", "iptraf-ng"]  # that have links


def make_links(*words, expect=0):
    return run([SOURCE / "tools/make-links", *words], expect)


@test
def the_first_word_and_the_name_are_the_same():
    with netns() as ns, mksock(ns, *"listening port=22 -- established -- udp".split()), links() as directory:
        for tool, lines in LINES.items():
            for line in lines:
                by_link = ns.run([f"{directory}/{tool}", *line.split()], expect=None)
                by_word = ns.run([NWHO, tool, *line.split()], expect=None)
                assert (by_link.rc, by_link.out) == (by_word.rc, by_word.out), (tool, line, by_link, by_word)
                assert by_link.out or by_link.err, (tool, line)
                assert "nwho: " not in by_link.err or by_link.rc == 0, (tool, line, by_link.err)


@test
def only_the_last_part_of_the_name_counts():
    with netns() as ns, mksock(ns, "listening", "port=22"), links() as directory:
        want = ns.run([f"{directory}/ss", "-tln"]).out
        assert "127.0.0.1:22" in want and want.startswith("State"), want
        for name in ("ss", "./ss", "/x/y/ss"):
            assert ns.run(["bash", "-c", 'exec -a "$0" "$@"', name, NWHO, "-tln"]).out == want, name
        for name in ("nwho", "sss", "ss-old", "ss/", "", "/"):
            result = ns.run(["bash", "-c", 'exec -a "$0" "$@"', name, NWHO, "--version"], expect=None)
            assert result.out.startswith("nwho "), (name, result)


@test
def links_are_made_where_nothing_is():
    with tempfile.TemporaryDirectory() as name:
        make_links(NWHO, name)
        assert {tool: os.readlink(f"{name}/{tool}") for tool in TOOLS} == dict.fromkeys(TOOLS, str(NWHO))
        assert "already" in make_links(NWHO, name).out
        assert "ss utility" in run([f"{name}/ss", "-V"]).out
        assert run([f"{name}/nethogs", "-V"]).out == " version 0.8.7-2\n"


@test
def what_is_there_stays():
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "ss").write_text("mine", encoding="ascii")
        (place / "netstat").symlink_to("/nonexistent/netstat")
        (place / "lsof").mkdir()
        result = make_links(NWHO, name, expect=1)
        assert all(f"{name}/{tool} is there already" in result.err for tool in ("ss", "netstat", "lsof")), result.err
        assert (place / "ss").read_text(encoding="ascii") == "mine" and os.readlink(place / "netstat") == "/nonexistent/netstat"
        make_links("--replace", NWHO, name, expect=1)
        assert os.readlink(place / "ss") == os.readlink(place / "netstat") == str(NWHO)
        assert (place / "lsof").is_dir() and not any((place / "lsof").iterdir())


@test
def names_of_interfaces_do_not_steer_a_terminal():
    with netns() as ns:
        ns.run(["ip", "link", "add", "x\x1b[2Jy", "type", "veth", "peer", "name", "peer"])
        ns.run(["ip", "link", "set", "peer", "up"])
        ns.run(["ip", "link", "set", "x\x1b[2Jy", "up"])
        ns.add_address("10.9.0.1/24", "x\x1b[2Jy")
        ns.run(["ip", "route", "add", "10.8.0.0/24", "dev", "x\x1b[2Jy"])
        ns.run(["ip", "route", "add", "fd00:8::/64", "dev", "x\x1b[2Jy"])
        for line in ("netstat -rn", "netstat -rne", "netstat -rnee", "netstat -6rn", "netstat -ia", "netstat -aie", "netstat -gn"):
            out = ns.run([sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", NWHO, *line.split()]).out
            assert "x\\e" in out and "\x1b" not in out, (line, out)


@test
def names_have_one_form_on_a_terminal():
    with netns() as ns, tempfile.TemporaryDirectory() as name, \
            mksock(ns, "unix-listening", rf"path={name}/\x1b[1mb\x5c\x9bc"):
        for line, form in (("ss -xl", r"/\e[1mb\\\x9bc "), ("netstat -xl", r"/\e[1mb\\\x9bc"), ("lsof -U", r"/^[[1mb\\\x9bc")):
            out = ns.run([sys.executable, "-c", "import pty, sys; pty.spawn(sys.argv[1:])", NWHO, *line.split()]).out
            assert name + form in out and "\x1b" not in out, (line, out)
            assert form not in ns.run([NWHO, *line.split()]).out or line == "lsof -U", line


@test
def what_is_hidden_is_said_once():
    with netns() as ns, mksock(ns, "listening", "port=22"):
        once = ns.run([NWHO, "netstat", "-tlnp"], user="nobody")
        if "hidden" not in once.err:
            skip("nothing is hidden here")
        with subprocess.Popen([*ns.prefix("nobody"), NWHO, "netstat", "-tlnpc"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as process:
            out = [process.stdout.readline() for _ in range(3 * once.out.count("\n"))]
            process.terminate()
            err = process.stderr.read()
        assert "".join(out) == 3 * once.out and err.count("\n") == once.err.count("\n") and "hidden" in err, (out, err)


@test
def lsof_says_that_it_lists_sockets_only():
    with netns() as ns, mksock(ns, "listening", "port=22"):
        for line in ("", "-p 1", "-c sh", "-u root", "-d 3", "-d cwd", "/tmp", "+D /tmp", "+d /tmp", "-N", "+L1", "-K", "-t", "-F", "-J",
                     "-i -p 1", "-i -u root", "-U -c python", "-i -P /tmp", "-P -i -n -- /tmp", "-a -p 1 -c sh",
                     "-s TCP:LISTEN"):
            result = ns.run([NWHO, "lsof", *line.split()], expect=1)
            assert not result.out and result.err.count("\n") == 1, (line, result)
            assert result.err.startswith("lsof: ") and "lists sockets only" in result.err and "real lsof" in result.err, (line, result)
        for line in ("-i", "-a -i -u root", "-a -i -d 3-99", "-i -U", "-a -i -p ^1"):
            assert ":22 " in ns.run([NWHO, "lsof", "-nP", *line.split()]).out, line


@test
def links_want_a_directory():
    for words in ((), (NWHO,), ("--replace", NWHO), (NWHO, "/tmp", "/tmp")):
        assert "usage: " in make_links(*words, expect=2).err, words
    for place in (NWHO, f"{NWHO}/below", "/proc/none", ""):
        said = make_links(NWHO, place, expect=2).err
        assert said.count("\n") == 1 and f"no directory for the links: {place} (" in said, said
    with tempfile.TemporaryDirectory() as name:
        make_links(NWHO, f"{name}/made/here")
        assert (Path(name) / "made/here/ss").is_symlink()


run_tests()
