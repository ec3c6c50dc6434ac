# SPDX-License-Identifier: MIT
"""nwho kill destroys exactly the matched sockets, and nothing without a yes; the processes live on."""
import json
import os
import re
import subprocess

from live import BUILD, mksock, netns, nwho, run_tests, test, wait_for

SITUATION = ("established many=3 keep-listener=1 -- established family=6 -- udp -- udp-connected -- listening"
             " -- unix-pair -- fin-wait-2 orphan=1 -- shared-fork children=2").split()


def cookies(ns):
    """All but netlink sockets: those of the program itself can be in the kernel's table for a moment after its end."""
    out = nwho(ns, "ls", "-a", "--json", "not", "netlink", expect=(0, 1)).out
    return {row["cookie"] for row in json.loads(out)["rows"]}


def assert_alive(facts):
    for pid in {holder["pid"] for fact in facts for holder in fact["holders"]}:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            assert file.read().rpartition(")")[2].split()[0] not in "ZX", pid


def assert_gone(ns, before, expected):
    """Exactly EXPECTED is gone. A destroyed end tells its peer by a reset, so the caller counts both."""
    wait_for(lambda: not expected & cookies(ns), what="the sockets are gone")
    assert cookies(ns) == before - expected


def subjects(facts, situation, **conditions):
    found = [fact for fact in facts if fact["situation"] == situation
             and all(fact[key] == value for key, value in conditions.items())]
    assert found, (situation, conditions)
    return found


@test
def exactly_the_matched_sockets_go():
    with netns() as ns, mksock(ns, *SITUATION) as facts:
        before = cookies(ns)
        assert {fact["cookie"] for fact in facts} == before
        # one connection of three, by its own port: the other end is reset with it, and stays as a descriptor
        one = subjects(facts, "established", role="subject", family="inet")[1]
        peer, = subjects(facts, "established", role="server", local_port=one["peer_port"], peer_port=one["local_port"])
        result = nwho(ns, "kill", "-y", "sport", f":{one['local_port']}", "established")
        assert "1 socket destroyed, no process ended" in result.out and result.err.count("not destroyed") == 0, result
        assert_gone(ns, before, {one["cookie"], peer["cookie"]})
        assert_alive(facts)

        before = cookies(ns)
        datagram, = subjects(facts, "udp")
        result = nwho(ns, "kill", "-y", "udp", "sport", f":{datagram['local_port']}", "--no-header")
        assert_gone(ns, before, {datagram["cookie"]})

        before = cookies(ns)
        both = {fact["cookie"] for fact in subjects(facts, "established", family="inet6")}
        result = nwho(ns, "kill", "-y", "-6", "established")
        # The reset of the first may have closed the second before its turn.
        assert "2 sockets destroyed, no" in result.out or "1 socket destroyed, 1 gone already" in result.out, result
        assert_gone(ns, before, both)
        assert_alive(facts)


@test
def other_forms_than_text_hold_nothing_but_the_rows():
    with netns() as ns, mksock(ns, "listening", "--", "listening") as facts:
        first, second = (f":{fact['local_port']}" for fact in facts)
        result = nwho(ns, "kill", "-y", "--json", "sport", first)
        assert len(json.loads(result.out)["rows"]) == 1 and "1 socket destroyed" in result.err, result
        result = nwho(ns, "kill", "-y", "-q", "sport", second)
        assert result.out == "" and "destroyed" not in result.err, result


@test
def what_cannot_be_destroyed_is_said():
    with netns() as ns, mksock(ns, "listening", "--", "unix-listening") as facts:
        before = cookies(ns)
        for words in (["-x", "mksock"], ["unix"], [facts[1]["path"]], ["netlink"]):
            result = nwho(ns, "kill", "-y", *words, expect=2)
            assert result.out == "" and "cannot be destroyed" in result.err, result
        result = nwho(ns, "kill", "-y", "-tx", "mksock")
        assert "1 socket destroyed" in result.out and "others are left out" in result.err, result
        assert_gone(ns, before, {facts[0]["cookie"]})


@test
def a_listener_is_destroyed_with_all_its_descriptors():
    with netns() as ns, mksock(ns, "shared-fork", "children=2", "addr=0.0.0.0", "port=5100") as facts:
        assert "1 socket destroyed" in nwho(ns, "kill", "-y", "listen", "sport", ":5100").out
        assert_alive(facts)
        # It is closed but still bound, until its process closes the descriptors.
        states = [row["state"] for row in json.loads(nwho(ns, "ls", "--json", expect=(0, 1)).out)["rows"]]
        assert "listening" not in states, states


@test
def sockets_of_no_process_can_be_destroyed():
    with netns() as ns, mksock(ns, *"fin-wait-2 orphan=1 -- time-wait -- syn-sent".split()) as facts:
        for state in ("fin-wait-2", "time-wait", "syn-sent"):
            fact, = subjects(facts, state, role="subject")
            before = cookies(ns)
            out = nwho(ns, "kill", "-y", "state", state).out
            assert "1 socket destroyed" in out, (state, out)
            assert_gone(ns, before, {fact["cookie"]})


@test
def a_dry_run_shows_and_destroys_nothing():
    with netns() as ns, mksock(ns, *SITUATION):
        before = cookies(ns)
        for args in (["kill", "--dry-run", "established"], ["kill", "--dry-run", "-y", "established"]):
            result = nwho(ns, *args)
            assert len(result.out.splitlines()) == 1 + len(json.loads(
                nwho(ns, "ls", "(tcp or udp)", "established", "--json").out)["rows"]), result
            assert "destroyed" not in result.out and result.err == "" or "hidden" in result.err, result
        assert nwho(ns, "kill", "--dry-run", "sport", ":1", expect=1).out.count("\n") == 1
        assert cookies(ns) == before


@test
def without_a_terminal_and_without_yes_nothing_happens():
    with netns() as ns, mksock(ns, *SITUATION):
        before = cookies(ns)
        for stdin in (subprocess.DEVNULL, subprocess.PIPE):
            options = {"stdin": stdin} if stdin == subprocess.DEVNULL else {"stdin": stdin_of_yes()}
            result = nwho(ns, "kill", "established", expect=2, **options)
            assert "no terminal to ask on: use -y" in result.err, result
        assert cookies(ns) == before


def stdin_of_yes():
    """A pipe in which a y waits: that is no answer of a person."""
    reader, writer = os.pipe()
    os.write(writer, b"y\n")
    os.close(writer)
    return os.fdopen(reader, "rb")


def on_terminal(ns, answer, *args):
    """Runs nwho with a terminal as its stdin on which ANSWER is typed when it asks; (status, stdout, stderr)."""
    master, slave = os.openpty()
    try:
        with ns.popen([BUILD / "nwho", *args], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
            asked = b""
            while not asked.endswith(b"[y/N] "):
                byte = os.read(child.stderr.fileno(), 1)
                assert byte, asked
                asked += byte
            os.write(master, answer)
            out, err = child.stdout.read(), asked + child.stderr.read()
            return child.wait(), out.decode(), err.decode()
    finally:
        os.close(master)
        os.close(slave)


@test
def the_answer_on_a_terminal_decides():
    with netns() as ns, mksock(ns, *SITUATION) as facts:
        target, = subjects(facts, "udp-connected", role="subject")
        words = ("kill", "udp", "state", "established")
        before = cookies(ns)
        for answer in (b"n\n", b"\n", b"\x04", b"nay\n"):
            status, out, err = on_terminal(ns, answer, *words)
            assert status == 2 and "destroy 1 socket? [y/N] " in err and "nothing was destroyed" in err, (answer, err)
            assert "destroyed" not in out and cookies(ns) == before, (answer, out)
        status, out, err = on_terminal(ns, b"y\n", *words)
        assert status == 0 and "1 socket destroyed" in out, (out, err)
        assert_gone(ns, before, {target["cookie"]})


@test
def a_filter_is_needed_and_only_what_it_names_is_touched():
    with netns() as ns, netns() as other, mksock(ns, *SITUATION), mksock(other, *SITUATION) as facts:
        before, elsewhere = cookies(ns), cookies(other)
        for args in ((), ("-y",), ("-y", "-t")):
            result = nwho(ns, "kill", *args, expect=2)
            assert result.out == "" and result.err.count("\n") == 1, result
        for words in (("sport", ":1"), ("process", "nobody-has-this-name"), ("netns", other.name)):
            result = nwho(ns, "kill", "-y", *words, expect=1)
            assert re.fullmatch(r"PROTO.*\n", result.out), result
        assert (cookies(ns), cookies(other)) == (before, elsewhere)
        # and in another namespace when that is asked for
        target, = subjects(facts, "udp")
        assert "1 socket destroyed" in nwho(ns, "kill", "-y", "-N", other.name, "udp", "unconnected", "sport",
                                            f":{target['local_port']}").out
        assert cookies(ns) == before
        assert_gone(other, elsewhere, {target["cookie"]})


@test
def without_the_right_to_it_nothing_is_destroyed():
    with netns() as ns, mksock(ns, "established") as facts:
        before = cookies(ns)
        result = nwho(ns, "kill", "-y", "established", user="nobody", expect=2)
        assert "0 sockets destroyed" in result.out and "CAP_NET_ADMIN" in result.err, result
        assert cookies(ns) == before
        assert_alive(facts)


@test
def what_cannot_be_destroyed_is_an_error():
    """A socket that is only bound, and one whose cookie is unknown: another could have its address by now."""
    with netns() as ns, mksock(ns, *"bound-inactive -- raw -- established -- listening".split()):
        before = cookies(ns)
        result = nwho(ns, "kill", "-y", "bound-inactive", expect=2)
        assert "0 sockets destroyed" in result.out and "not what is only bound" in result.err, result
        result = nwho(ns, "kill", "-y", "established", "--sources", "proc_net,proc_fd", expect=2)
        assert "0 sockets destroyed" in result.out and "2 not destroyed: without its cookie" in result.err, result
        assert cookies(ns) == before


run_tests()
