# SPDX-License-Identifier: MIT
"""Network namespaces: by name, pid, inode and path; all of them; and what belongs to none that is asked for."""
import json
import os
import subprocess
import sys
from contextlib import ExitStack

import truth
from live import BUILD, PATIENCE, mksock, netns, nwho, run, run_tests, skip, test, wait_for

SOURCES = truth.all_sources()
ALL = ["-a", "--json=inode,netns,netns_inode,proto,pid,process,owner_note"]


def is_of_mksock(row):
    """Not the kernel's, nor a netlink socket of the program itself, which can outlive it for a moment, or of another
    nwho that looks in."""
    return row["inode"] and (row["proto"] != "netlink" or row["process"] == "mksock")


def inodes(document):
    return {row["inode"] for row in document["rows"] if is_of_mksock(row)}


def answer(ns, *args, **options):
    return json.loads(nwho(ns, *args, **options).out)


KINDS = "listening -- udp -- unix-listening -- unix-abstract -- packet -- netlink".split()


@test
def a_namespace_is_found_by_name_pid_inode_and_path():
    with netns() as ns, netns() as other, mksock(ns, *KINDS) as facts, mksock(other, *KINDS):
        want = {fact["inode"] for fact in facts}
        words = [ns.name, str(facts[0]["pid"]), str(ns.inode()), f"/run/netns/{ns.name}", f"/proc/{facts[0]['pid']}/ns/net"]
        for sources in SOURCES:
            for word in words:
                document = answer(None, "ls", "-N", word, "--sources", sources, *ALL)
                assert inodes(document) == want, (sources, word, document)
                assert {row["netns"] for row in document["rows"]} == {ns.name}, document
                assert {row["netns_inode"] for row in document["rows"]} == {ns.inode()}, document


@test
def the_initial_namespace_has_a_name():
    """Also where process 1 does not show it, and to an ordinary user who is in it."""
    outside = answer(None, "ls", "-N", "init", *ALL, expect=(0, 1, 3))
    assert {row["netns"] for row in outside["rows"]} <= {"init"}, outside
    if os.path.exists("/proc/sys/net/core/netdev_max_backlog"):
        assert {row["netns"] for row in answer(None, "ls", *ALL)["rows"]} == {"init"}
        nwho(None, "ls", "-N", "init", "--sources", "sock_diag", expect=(0, 1), user="nobody")
    with netns() as ns:
        inside = answer(ns, "ls", "-N", "init", *ALL)
        assert {(row["netns"], row["netns_inode"]) for row in inside["rows"]} == {
            ("init", row["netns_inode"]) for row in outside["rows"][:1]}, inside


@test
def several_namespaces_and_the_one_we_are_in():
    with netns() as first, netns() as second, netns() as third, ExitStack() as stack:
        facts = {ns.name: stack.enter_context(mksock(ns, *KINDS)) for ns in (first, second, third)}
        want = {name: {fact["inode"] for fact in facts[name]} for name in facts}
        for sources in SOURCES:
            here = answer(third, "ls", "--sources", sources, *ALL)
            assert inodes(here) == want[third.name], (sources, here)
            two = answer(third, "ls", "-N", first.name, f"-N{second.name}", "--sources", sources, *ALL)
            assert inodes(two) == want[first.name] | want[second.name], (sources, two)
            every = answer(None, "ls", "--all-netns", "--sources", sources, *ALL)
            for name, expected in want.items():
                found = {row["inode"] for row in every["rows"] if row["netns"] == name and is_of_mksock(row)}
                assert found == expected, (sources, name, found)
            out = nwho(None, "ls", "--all-netns", "-a", "-H", "--sources", sources, "-o", "netns,inode",
                       "netns", second.name, "and", "not", "process", "kernel").out
            lines = {tuple(line.split()) for line in out.splitlines()}
            assert {(second.name, str(inode)) for inode in want[second.name]} <= lines, out
            assert {line[0] for line in lines} == {second.name}, out


@test
def the_column_appears_when_there_are_several():
    with netns() as first, netns() as second, mksock(first, "listening"), mksock(second, "udp"):
        assert nwho(None, "ls", "-N", first.name).out.split()[0] == "PROTO"
        # The name is attached: its last letter is no option that takes the next word, which is the command.
        for option in ("-N", "-qN", "-N="):
            for letter in "odN":
                link = f"/run/netns/{first.name}-{letter}"
                os.symlink(first.name, link)
                try:
                    attached = nwho(None, f"{option}{first.name}-{letter}", "ls", "-H", "-o", "proto")
                finally:
                    os.unlink(link)
                assert attached.out == ("" if "q" in option else "tcp\n"), (option, letter, attached)
        lines = nwho(None, "ls", "-N", first.name, "-N", second.name).out.splitlines()
        assert sorted(line.split()[0] for line in lines) == ["NETNS", first.name, second.name], lines


@test
def a_namespace_without_a_name_is_found_by_its_process():
    """Made by unshare, as containers have it: nothing in /run/netns leads to it."""
    script = "ip link set lo up; exec \"$0\" listening -- unix-abstract"
    with subprocess.Popen(["unshare", "--net", "sh", "-c", script, str(BUILD / "tests/helpers/mksock")], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as child:
        try:
            facts = [json.loads(child.stdout.readline()) for _ in range(2)]
            assert child.stdout.readline() == "ready\n"
            want = {fact["inode"] for fact in facts}
            number = os.stat(f"/proc/{child.pid}/ns/net").st_ino
            for sources in SOURCES:
                for word in (str(child.pid), str(number)):
                    document = answer(None, "ls", "-N", word, "--sources", sources, *ALL)
                    assert inodes(document) == want, (sources, word, document)
                    assert {row["netns"] for row in document["rows"]} == {str(number)}, document
                every = answer(None, "ls", "--all-netns", "--sources", sources, *ALL)
                assert want <= inodes(every), sources
        finally:
            child.stdin.close()
            child.wait(PATIENCE)


@test
def a_namespace_that_nobody_is_in_is_listed_too():
    """It has a name only; a socket in it is held by a process that has left."""
    with netns() as ns:
        script = """if True:
            import ctypes, os, socket, sys

            def enter(path):
                with open(path) as file:
                    assert ctypes.CDLL(None).setns(file.fileno(), 0x40000000) == 0

            enter("/run/netns/" + sys.argv[1])
            listener = socket.create_server(("127.0.0.1", 0))
            enter(f"/proc/{os.getppid()}/ns/net")
            print(os.fstat(listener.fileno()).st_ino, flush=True)
            sys.stdin.read()
        """
        with subprocess.Popen([sys.executable, "-c", script, ns.name], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as child:
            try:
                inode = int(child.stdout.readline())
                for sources in SOURCES:
                    for scope in (["-N", ns.name], ["--all-netns"]):
                        rows = answer(None, "ls", *scope, "--sources", sources, *ALL, "netns", ns.name, "tcp")["rows"]
                        assert [(row["inode"], row["pid"], row["netns"]) for row in rows] == [
                            (inode, child.pid, ns.name)], (sources, scope, rows)
                    assert inode not in inodes(answer(None, "ls", "--sources", sources, *ALL, expect=(0, 1)))
            finally:
                child.stdin.close()
                child.wait(PATIENCE)


@test
def a_namespace_that_may_not_be_entered_makes_the_answer_incomplete():
    with netns() as ns, netns() as other, mksock(other, "listening"):
        if ns.run([BUILD / "nwho", "--version"], expect=None, user="nobody").rc != 0:
            skip("an ordinary user cannot read the build directory")
        for scope in (["-N", other.name], ["--all-netns"]):
            document = answer(ns, "ls", *scope, "--json", expect=3, user="nobody")
            assert document["complete"] is False and other.name not in {row["netns"] for row in document["rows"]}
            assert any("CAP_SYS_ADMIN" in warning["text"] for warning in document["warnings"]), document


@test
def a_process_shows_its_namespace():
    with netns() as ns, mksock(ns, "listening") as facts:
        row, = json.loads(nwho(None, "ps", "-N", ns.name, "--json=pid,netns").out)["rows"]
        assert row == {"pid": facts[0]["pid"], "netns": ns.name}, row


@test
def a_namespace_that_is_not_there_is_an_error():
    ended = subprocess.Popen(["true"])  # pylint: disable=consider-using-with
    ended.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{ended.pid}"), what="the pid is free")
    words = ["no-such-name", str(ended.pid), "4026999999", "/run/netns/no-such-name", "/proc/self/ns/mnt", "/etc/passwd",
             "", "../../etc/passwd", "-5", "99999999999999999999"]
    for word in words:
        result = nwho(None, "ls", f"--netns={word}", expect=2)
        assert result.out == "" and result.err.count("\n") == 1, (word, result)
        assert result.err.startswith(f'nwho: network namespace "{word}": '), (word, result)
    assert run(["ip", "netns", "list"], expect=(0, 1)).out.count("no-such-name") == 0


run_tests()
