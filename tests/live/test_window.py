# SPDX-License-Identifier: MIT
"""Traffic in ls, ps, count, TARGET and the overview: what is counted between two readings is what was sent meanwhile."""
import contextlib
import json
import signal
import subprocess

from documents import documents
from live import BUILD, PATIENCE, netns, nwho, nwho_json, run_tests, skip, test
from talker import talker

WITHOUT_BPF = ("--sources", "sock_diag,proc_net,proc_fd")


@contextlib.contextmanager
def counting(ns, *args):
    """`nwho ARGS -d 600`; gives a function that ends the time and returns what it printed."""
    command = [BUILD / "nwho", *args, "-d", "600", "--explain"]
    child = ns.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = next(line for line in child.stderr if "counting for" in line)
    assert "600 s" in said, said

    def finish():
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=PATIENCE)
        assert child.returncode == 0, (out, err)
        return out

    try:
        yield finish
    finally:
        child.kill()
        child.communicate()


def counted(ns, me, *args, said=(("tcp", 123457),)):
    """The document about what the talker says while it is counted."""
    with counting(ns, *args, "--json") as finish:
        for proto, count in said:
            me.say(proto, count)
        return json.loads(finish())


def sums(document, *columns):
    return tuple(sum(row[column] or 0 for row in document["rows"]) for column in columns)


@test
def what_was_sent_meanwhile_is_counted():
    with netns() as ns, talker(ns) as me:
        me.say("tcp", 4711)  # before
        for args in (["ls", f"pid {me.pid}"], [str(me.pid)], ["count", "process", f"pid {me.pid}"], ["count", "peer,state"], []):
            for sources in ((), WITHOUT_BPF):
                document = counted(ns, me, *args, *sources)
                assert sums(document, "rx_since", "tx_since") == (123457, 123457), (args, document)
                assert sums(document, "rx_rate")[0] > 0 and document["window_ms"] > 0, (args, document)
                assert document["accounting"] == ("tcp_info" if sources else document["accounting"])
        for sources in ((), WITHOUT_BPF):
            document = counted(ns, me, "ps", f"pid {me.pid}", *sources)
            assert sums(document, "rx_bytes", "tx_bytes") == (123457, 123457), document
        assert [row["count"] for row in counted(ns, me, "count", "process", f"pid {me.pid}", "tcp")["rows"]] == [3]


@test
def datagrams_are_counted():
    with netns() as ns, talker(ns) as me:
        document = counted(ns, me, "ls", f"pid {me.pid}", "udp", said=[("udp", 321), ("udp", 1)])
        if document["accounting"] != "bpf":
            skip("UDP is not counted without BPF")
        assert sums(document, "rx_since", "tx_since") == (322, 322), document


@test
def a_target_shows_who_talked_also_through_sockets_that_are_gone():
    with netns() as ns, talker(ns) as me:
        for target in (me.pid, ":5555", "127.0.0.1"):
            with counting(ns, target) as finish:
                me.say("short", 54321)
                text = finish()
            if "exact: BPF" not in text:
                skip("whose connections were that are gone is not known without BPF")
            heading, *rows = text[text.index("TRAFFIC in"):].splitlines()
            # Who talks with such an address in another namespace is shown, too.
            row, = (row for row in rows if row.split()[:1] == [str(me.pid)])
            assert "nwho top" in heading and row.count("53K") == 2, text
        assert "TRAFFIC" not in nwho(ns, me.pid).out


@test
def the_overview_shows_talkers():
    with netns() as ns, talker(ns) as me, netns() as other, talker(other) as neighbour:
        with counting(ns) as finish:
            me.say("tcp", 1 << 20)
            neighbour.say("tcp", 1 << 20)
            lines = finish().splitlines()
        at = next(number for number, line in enumerate(lines) if line.startswith("TALKERS in"))
        assert lines[at + 2].split()[0] == str(me.pid) and lines[at + 2].count("1.0M") == 2, lines
        assert lines[at + 3] == "" and lines[at + 4].startswith("SICK"), lines
        assert "TALKERS" not in nwho(ns).out


@test
def sums_of_counters():
    with netns() as ns, talker(ns) as me:
        me.say("tcp", 9999)
        row, = nwho_json(ns, "count", "process", "established", "-o", "+bytes_sent,bytes_received,segs_in", "--sort", "bytes_sent:desc")["rows"]
        assert row["count"] == 2 and row["bytes_sent"] == row["bytes_received"] == 9999 and row["segs_in"] > 0, row
        assert set(nwho_json(ns, "count", "process")["rows"][0]) == {"process", "count", "share"}


@test
def again_and_again():
    with netns() as ns, talker(ns) as me:
        for args in (["count", "process", f"pid {me.pid}", "-o", "+rx_rate,tx_since"], [str(me.pid)]):
            with documents(ns, *args, "--watch=0.1", "--json") as shown:
                shown.read()
                me.say("tcp", 77777)
                shown.until(lambda rows: sum(row["tx_since"] or 0 for row in rows if row["change"] != "gone") == 77777)
                shown.until(lambda rows: sum(row["rx_rate"] or 0 for row in rows if row["change"] != "gone") == 0)


@test
def packets_of_a_kind_have_rates():
    with netns() as ns, talker(ns) as me:
        for by, kind in (("proto", lambda row: row["protocol"] == "udp"), ("size", lambda row: row["size_min"] <= 528 <= (row["size_max"] or 0))):
            with documents(ns, "if", "lo", "--by", by, "--watch=0.1", "--json", "-o", "+rx_packet_rate,tx_packet_rate") as shown:
                first = shown.read()["rows"]
                assert {row["rx_packet_rate"] for row in first} == {None}, first
                me.say("udp", 500)
                row, = filter(kind, shown.until(lambda rows: any(kind(row) and row["packets"] for row in rows))["rows"])
                assert row["rx_packet_rate"] > 0 and row["tx_packet_rate"] > 0, row
                shown.until(lambda rows: not any(row["rx_packet_rate"] for row in rows))


@test
def a_rate_takes_a_second_unless_said_otherwise():
    with netns() as ns, talker(ns) as me:
        for args in (["ls", f"pid {me.pid}", "-o", "pid,tx_rate"], ["ps", f"pid {me.pid}", "-o", "pid,tx_rate,rx_bytes"],
                     ["ls", "tx_rate lt 1", f"pid {me.pid}", "-o", "pid,tx_rate"]):
            done = nwho(ns, *args, "--json")
            rates = {row["tx_rate"] for row in json.loads(done.out)["rows"]}
            assert rates == {0} if json.loads(done.out)["accounting"] == "bpf" else rates and rates <= {0, None}, done
            assert done.err.count("counted for a second") == 1, done
            assert 1000 <= json.loads(done.out)["window_ms"] < 1000 * PATIENCE, done
        assert nwho(ns, "ls", "-o", "pid,rx_bytes").err == ""
        assert nwho(ns, "ls", "tx_rate > 1", "-q", expect=1).err == ""


@test
def what_is_asked_for_is_shown():
    with netns() as ns, talker(ns) as me:
        header = nwho(ns, "ls", "tx_rate > 1", f"pid {me.pid}", expect=1).out
        assert "TX/S" in header and "RX/S" not in header, header


@test
def a_process_of_another_namespace():
    hint = "is in another network namespace"
    with netns() as ns, netns() as other, talker(other) as me:
        if nwho_json(ns, "top", "-d", "0.01", expect={0, 1})["accounting"] == "bpf":
            with counting(ns, str(me.pid)) as finish:
                me.say("tcp", 123457)
                assert "121K" in finish()
        assert hint in nwho(ns, str(me.pid), "-d", "0.01", *WITHOUT_BPF, expect=1).err
        assert hint in nwho(ns, str(me.pid), expect=1).err


@test
def what_makes_no_sense_is_said():
    with netns() as ns:
        for args, said in ((["ls", "-d", "0"], "between 0.01 and 86400"), (["ls", "-d", "1", "--watch"], "does not go with --watch"),
                           (["ls", "-d", "1", "-o", "pid"], "nothing is shown"), (["ls", "--record", "/dev/null", "-d", "1"], "one reading"),
                           (["ps", "--threads", "-d", "1"], "nothing is shown"), (["ls", "--watch", "--times", "0"], "1 or more"),
                           (["count", "state", "--sort", "foo"], "have state count share"), (["events", "--for", "0"], "--for needs"),
                           (["top", "--sort", "foo"], 'no column "foo" in traffic')):
            done = nwho(ns, *args, expect=2)
            assert said in done.err and done.err.count("\n") == 1, (args, done)


run_tests()
