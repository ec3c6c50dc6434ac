# SPDX-License-Identifier: MIT
"""Owners are never "-": every holder of a shared socket is listed, and where there is none the reason."""
import json
import os

import truth
from live import mksock, netns, nwho, nwho_json, run_tests, test, wait_for
from truth import BPF

SOURCES = truth.all_sources()


def answer(ns, *args, **options):
    return json.loads(nwho(ns, *args, "--json", **options).out)


def rows_by_inode(ns, *args):
    return {row["inode"]: row for row in answer(ns, *args)["rows"]}


def holders(row):
    return [(owner["pid"], owner["fd"]) for owner in row["owners"]]


def true_holders(fact):
    return sorted((holder["pid"], holder["fd"]) for holder in fact["holders"])


def owners_may_be_hidden(document):
    """True on a machine that hides a process even from root: it may hold what nobody else holds."""
    return any(warning["effect"] == "owners" for warning in document["warnings"])


@test
def what_carries_a_multipath_connection_is_its_holders():
    """The descriptor is of the MPTCP socket; asked for what a process holds, its TCP sockets are meant, too."""
    with netns() as ns, mksock(ns, "mptcp-established") as facts:
        pid = facts[0]["holders"][0]["pid"]
        for sources in SOURCES:
            rows = answer(ns, "ls", "tcp", "pid", str(pid), "-o", "local_port,inode", "--sources", sources)["rows"]
            assert {row["inode"] for row in rows} == {fact["inode"] for fact in facts if fact["inode"]}, (sources, rows, facts)


@test
def all_holders_of_a_shared_socket_are_listed_in_order():
    groups = "shared-fork children=5 -- dup count=3 -- scm-received -- scm-received keep=1".split()
    with netns() as ns, mksock(ns, *groups) as facts:
        assert [len(fact["holders"]) for fact in facts] == [6, 3, 1, 2], facts
        for sources in SOURCES:
            rows = rows_by_inode(ns, "ls", "--sources", sources)
            for fact in facts:
                row = rows[fact["inode"]]
                assert holders(row) == true_holders(fact), (sources, row, fact)
                assert {owner["process"] for owner in row["owners"]} == {"mksock"}, row
                assert (row["pid"], row["fd"]) == true_holders(fact)[0], row
                assert row["owner_note"] is None, row


@test
def the_text_form_names_each_process_once():
    with netns() as ns:
        with mksock(ns, "shared-fork", "children=9") as facts:
            pids = sorted(holder["pid"] for holder in facts[0]["holders"])
            out = nwho(ns, "ls", "-H", "-o", "owner").out
            assert out == f"mksock({','.join(map(str, pids[:6]))} +4)\n", out
        with mksock(ns, "dup", "count=2") as facts:
            assert nwho(ns, "ls", "-H", "-o", "owner").out == f"mksock({facts[0]['pid']})\n"
        with mksock(ns, "listening") as facts:
            assert nwho(ns, "ls", "-H", "-o", "owner").out == f"mksock({facts[0]['pid']}) fd {facts[0]['fd']}\n"


@test
def a_holder_of_another_user_is_found():
    with netns() as ns, netns() as other, mksock(ns, "listening", "uid=65534") as facts:
        for sources in SOURCES:
            row, = answer(ns, "ls", "--sources", sources)["rows"]
            assert (row["uid"], row["user"], row["pid"]) == (65534, "nobody", facts[0]["pid"]), row
            assert nwho(other, "ls", "-H", "--sources", sources, expect=1).out == ""


@test
def a_socket_in_flight_says_so():
    with netns() as ns, mksock(ns, "scm-in-flight") as facts:
        for sources in SOURCES:
            document = answer(ns, "ls", "--sources", sources)
            row, = document["rows"]
            assert row["inode"] == facts[0]["inode"] and row["owners"] == [] and row["pid"] is None, row
            notes = {"in flight over a unix socket"}
            if sources != BPF:
                notes = {"closed meanwhile, kernel, or in flight over a unix socket"}
            if owners_may_be_hidden(document):
                notes.add("no permission")
            assert row["owner_note"] in notes, (sources, row["owner_note"])


@test
def what_no_process_has_yet_says_whose_queue_it_waits_in():
    """un-accepted and half-open connections; also those of a listener that several processes share."""
    with netns() as ns, mksock(ns, *"unaccepted pending=3 -- unaccepted family=6 -- syn-recv".split()) as facts:
        pending = [fact for fact in facts if fact["queue_pid"]]
        assert len(pending) == 5, facts
        for sources in SOURCES:
            rows = truth.index(truth.rows_of_json(answer(ns, "ls", "--sources", sources)))
            for fact in pending:
                row = truth.find(rows, fact)
                word = "handshake" if fact["state"] == "syn-recv" else "accept-queue"
                assert row["owner_note"] == f"{word} of mksock({fact['queue_pid']})".encode(), (sources, row)
                assert row["owners"] == set() and row["inode"] is None, row


@test
def what_outlives_its_process_says_why():
    groups = "time-wait -- fin-wait-1 orphan=1 -- fin-wait-2 orphan=1 -- last-ack orphan=1 -- closing orphan=1".split()
    with netns() as ns, mksock(ns, *groups) as facts:
        lonely = [fact for fact in facts if not fact["holders"]]
        assert len(lonely) == 5, facts
        for sources in SOURCES:
            rows = truth.index(truth.rows_of_json(answer(ns, "ls", "--sources", sources)))
            for fact in lonely:
                note = b"time-wait" if fact["state"] == "time-wait" else b"orphan"
                assert truth.find(rows, fact)["owner_note"] == note, (sources, fact)


@test
def inode_0_is_never_joined():
    """Sockets without a file have inode 0, and all of them would have the holders of one."""
    with netns() as ns, mksock(ns, *"time-wait -- unaccepted -- listening".split()):
        for sources in SOURCES:
            for row in answer(ns, "ls", "--sources", sources)["rows"]:
                assert (row["inode"] is None) == (row["owners"] == []), row


@test
def both_ends_of_a_unix_socket_have_their_owner():
    with netns() as ns, mksock(ns, *"unix-connected -- unix-pair".split()) as facts:
        by_inode = {fact["inode"]: fact for fact in facts}
        for sources in SOURCES[:-1]:
            rows = rows_by_inode(ns, "ls", "-x", "--sources", sources)
            out = nwho(ns, "ls", "-xH", "--sources", sources, "-o", "inode,peer_inode,peer_owner").out
            peers = {int(line.split()[0]): line.split(None, 2)[1:] for line in out.splitlines()}
            for inode, fact in by_inode.items():
                assert holders(rows[inode]) == true_holders(fact), rows[inode]
                if fact["peer_inode"]:
                    peer = by_inode[fact["peer_inode"]]
                    assert peers[inode] == [str(fact["peer_inode"]), f"mksock({peer['pid']}) fd {peer['fd']}"], peers


@test
def the_program_file_may_be_gone():
    with netns() as ns, mksock(ns, "deleted-exe") as facts:
        for sources in SOURCES:
            row, = answer(ns, "ls", "--sources", sources, "-o", "pid,exe")["rows"]
            assert row["pid"] == facts[0]["pid"], row
            assert row["exe"] == facts[0]["exe"].removesuffix(" (deleted)"), row
        row, = answer(ns, "ps", "-o", "pid,deleted")["rows"]
        assert row == {"pid": facts[0]["pid"], "deleted": True}, row
        assert "deleted or replaced" in nwho(ns, str(facts[0]["pid"])).out


@test
def counts_by_process_count_each_socket_once():
    groups = "dup count=3 -- established -- close-wait -- udp".split()
    with netns() as ns, mksock(ns, *groups) as facts:
        for sources in SOURCES:
            row, = answer(ns, "ps", "--sources", sources, "-o", "pid,process,sockets,listening,established,close_wait",
                          "pid", str(facts[0]["pid"]))["rows"]
            states = [fact["state"] for fact in facts]
            assert row == {"pid": facts[0]["pid"], "process": "mksock", "sockets": len(facts),
                           "listening": 1, "established": states.count("established"), "close_wait": 1}, row


@test
def a_narrow_question_has_the_same_owners():
    """The search for owners stops when the answer is complete: not before it is."""
    with netns() as ns, mksock(ns, *"shared-fork children=4 -- listening many=3 -- scm-received".split()) as facts:
        for sources in SOURCES:
            for fact in facts:
                row, = answer(ns, "ls", "--sources", sources, "listen", "sport", f":{fact['local_port']}")["rows"]
                assert holders(row) == true_holders(fact), (sources, row)
                out = nwho(ns, f":{fact['local_port']}", "--sources", sources).out
                assert all(str(holder["pid"]) in out for holder in fact["holders"]), out


@test
def owners_that_end_meanwhile_do_no_harm():
    with netns() as ns:
        with mksock(ns, "shared-fork", "children=3") as facts:
            pid = facts[0]["holders"][1]["pid"]
            os.kill(pid, 9)
            wait_for(lambda: not os.path.exists(f"/proc/{pid}/fd/{facts[0]['fd']}"), what="the child ends")
            rows = answer(ns, "ls")["rows"]
            assert holders(rows[0]) == [pair for pair in true_holders(facts[0]) if pair[0] != pid], rows
        assert nwho(ns, "ls", "-H", expect=1).out == ""


@test
def an_accept_queue_is_told_where_listeners_are_not_asked_for():
    with netns() as ns, mksock(ns, "unaccepted") as facts:
        pid = next(fact["pid"] for fact in facts if fact["role"] == "subject")
        for words in (["established"], ["dst", "127.0.0.1"]):
            assert f"(accept-queue of mksock({pid}))" in nwho(ns, "ls", *words, "-o", "owner").out, words


@test
def a_condition_on_the_other_port_does_not_hide_the_listener():
    with netns() as ns, mksock(ns, "unaccepted") as facts:
        child, = (fact for fact in facts if fact["owner_note"] == "accept-queue")
        for sources in truth.all_sources():
            for words in ("port", "dport"):
                rows = nwho_json(ns, "ls", words, f":{child['peer_port']}", "--sources", sources)["rows"]
                note, = (row["owner_note"] for row in rows if row["local_port"] == child["local_port"])
                assert note == f"accept-queue of mksock({child['queue_pid']})", (sources, words, note)


run_tests()
