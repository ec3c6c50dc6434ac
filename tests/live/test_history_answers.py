# SPDX-License-Identifier: MIT
"""What answers about the past say of themselves: of a history whose numbers are known."""
import json
import re

from live import nwho, run_tests, test
from made_history import GAP, PROCESSES, TICK, TIME, WRITTEN, history


def ask(command, store, *words, expect=0):
    return nwho(None, command, "--store", store, *TIME, *words, expect=expect)


def document(command, store, *words):
    return json.loads(ask(command, store, "--json", *words).out)


@test
def what_is_not_recorded_is_unknown():
    with history() as (store, _place):
        for by, recorded, unknown in (
                ("process", "rx_bytes tx_bytes rx_rate pid exe", "connections sockets rx_rate_2s tx_rate_60s rx_calls age_s last_s flags"),
                ("iface", "rx_bytes rx_packets rx_rate errors", "mtu carrier_changes promiscuity flag_bits rx_rate_avg rx_since link_type")):
            row = document("history", store, "--by", by, "--limit", "1", "-o", "all")["rows"][0]
            assert not [name for name in recorded.split() if row[name] is None], row
            assert not [name for name in unknown.split() if row[name] is not None], row
            assert ask("history", store, "--by", by, "-H", "--limit", "1", "-o", unknown.split()[0]).out.split("\n")[1].strip() == "-"
        row = document("events", store, "--limit", "1", "-o", "all")["rows"][0]
        assert row["cookie"] is None and row["netns_inode"] is None and row["verdict"] == "reset", row


@test
def own_addresses_are_said_not_to_be_recorded():
    with history() as (store, _place):
        result = ask("history", store, "src", "192.0.2.1", expect=1)
        assert "own addresses are not recorded" in result.err and result.err.count("\n") == 1, result.err
        assert not ask("history", store, "dst", "192.0.2.1").err


@test
def words_of_by_are_those_of_history():
    with history() as (store, _place):
        for word in ("foo", "conn", "process,foo", "state,user"):
            result = ask("history", store, "--by", word, expect=2)
            assert re.search("process, peer.*iface or state", result.err) and not result.out, result.err


@test
def documents_say_what_was_asked():
    with history() as (store, _place):
        for words, every, tier in (((), None, "fine"), (("--every", "60"), 60, "fine")):
            found = document("history", store, *words)
            assert found["since"] == "2025-12-01T00:00:00.000Z" and found["until"] == "2025-12-01T00:30:00.000Z", found["since"]
            assert (found["every_s"], found["tier"]) == (every, tier)
        assert len(document("history", store, "--every", "600", "--limit", "2")["rows"]) == 6  # of each piece


@test
def programs_that_one_process_ran_are_two():
    with history() as (store, _place):
        rows = document("history", store, "process", f"p{PROCESSES - 1}")["rows"]
        assert {row["exe"]: row["rx_bytes"] for row in document("history", store, f"process=p{PROCESSES - 1}", "-o", "exe,rx_bytes")["rows"]} == {
            f"/usr/bin/p{PROCESSES - 1}": 100 * GAP[0], f"/usr/bin/p{PROCESSES - 1}-other": 100 * (WRITTEN - GAP[0])}
        assert len(rows) == 2 and len({row["pid"] for row in rows}) == 1, rows


@test
def trends_and_charts_have_gaps():
    with history() as (store, place):
        chart = place / "x.svg"
        words = ("process", "plain", "--every", "60", "--svg", chart)
        trend = "\u2588" * 15 + "??" + "\u2588" * 13  # rates: they are the same where a part of a piece was measured
        row = ask("history", store, *words).out.splitlines()[2]
        assert row.endswith(trend), row
        drawn = chart.read_text()
        assert drawn.count("<polyline") == 2 and "v2 &quot;x&quot;" in drawn, drawn
        states = ask("history", store, "--by", "state", "--every", "60").out
        assert trend in states, states


@test
def recorded_events_have_a_date_and_a_summary():
    with history() as (store, _place):
        header, first = ask("events", store, "--limit", "1").out.splitlines()[:2]
        assert header.split()[:2] == ["DATE", "TIME"] and re.match(r"20\d\d-\d\d-\d\d +\d\d:\d\d:\d\d", first), (header, first)
        assert re.search(rf"reset +{WRITTEN} ", ask("events", store, "--summary").out)
        found = document("events", store, "--summary")
        assert [(group["what"], group["count"], group["rx_bytes"]) for group in found["summary"]] == [("reset", WRITTEN, 7 * WRITTEN)]
        assert len(found["rows"]) == WRITTEN and "lost" not in found


run_tests()
