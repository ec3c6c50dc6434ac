# SPDX-License-Identifier: MIT
"""What is exported parses elsewhere, and says the same as nwho history: of a history whose numbers are known."""
import csv
import io
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing

import openmetrics
from live import nwho, run_tests, test
from made_history import BEGIN, GAP, INTERFACES, NAMES, PROCESSES, RECEIVED, TICK, TICKS, TIME, WRITTEN, history

def export(store, form, *words, expect=0):
    return nwho(None, "export", "--store", store, *TIME, "--format", form, *words, expect=expect)


def objects(store, *words, expect=0):
    return [json.loads(line) for line in export(store, "jsonl", *words, expect=expect).out.splitlines()]


def recorded(store, *words):
    return json.loads(nwho(None, "history", "--store", store, *TIME, "--json", *words).out)["rows"]


def name_of(number):
    return NAMES[number] if number < len(NAMES) else f"p{number}"


def series(found, metric, *labels):
    """{labels: [(time, value), ...]} of one metric."""
    all_series = {}
    for _family, _type, name, has, value, time in found:
        if name == metric:
            all_series.setdefault(tuple(has.get(label) for label in labels), []).append((time, value))
    return all_series


@test
def openmetrics_has_the_sums_of_history():
    with history() as (store, _place):
        found = openmetrics.samples(export(store, "openmetrics").out)
        received = series(found, "nwho_process_network_io_bytes_total", "process_executable_name", "network_io_direction")
        last = {name: values[-1][1] for (name, direction), values in received.items() if direction == "receive"}
        assert len(last) == 101, len(last)
        assert last == {**{name_of(i): RECEIVED[i] for i in range(100)}, "_other": sum(RECEIVED[i] for i in range(100, PROCESSES))}
        assert sum(last.values()) == sum(row["rx_bytes"] for row in recorded(store))
        for values in received.values():
            assert values[0] == (BEGIN, 0), values[0]
            assert [value for _, value in values] == sorted(value for _, value in values)
        links = series(found, "nwho_network_io_bytes_total", "network_interface_name", "network_io_direction")
        ends = {name: values[-1][1] for (name, direction), values in links.items() if direction == "receive"}
        assert ends == {row["iface"]: row["rx_bytes"] for row in recorded(store, "--by", "iface")}
        assert list(ends) == INTERFACES
        segments, = series(found, "nwho_tcp_retransmitted_segments_total").values()
        assert segments[-1][1] > 0
        states = series(found, "nwho_network_connections", "network_transport", "network_connection_state")
        assert {value for _, value in states["tcp", "established"]} == {1}


@test
def what_was_not_measured_is_no_sample():
    with history() as (store, _place):
        found = openmetrics.samples(export(store, "openmetrics", "--every", "10", "process", "plain").out)
        values = series(found, "nwho_process_network_io_bytes_total", "process_executable_name", "network_io_direction")
        assert set(values) == {("plain", "receive"), ("plain", "transmit")}, values
        times = [(time - BEGIN) / TICK for time, _ in values["plain", "receive"]]
        assert times == [*range(GAP[0] + 1), *range(GAP[1], TICKS + 1)], times
        pieces = [row for row in objects(store, "--every", "10", "process", "plain") if row["kind"] == "unmeasured" and row["of"] == "flow"]
        assert len(pieces) == GAP[1] - GAP[0] and all(piece["measured_s"] == 0 for piece in pieces), pieces


@test
def prometheus_takes_it():
    with history() as (store, place):
        export(store, "openmetrics", "-o", place / "x.prom")
        dumped = openmetrics.into_prometheus(place / "x.prom", place / "blocks")
        text = (place / "x.prom").read_text()
        assert len(dumped) == sum(not line.startswith("#") for line in text.splitlines()), len(dumped)
        plain = [line for line in dumped if 'process_executable_name="plain"' in line and 'direction="receive"' in line]
        assert max(float(line.rsplit(" ", 2)[1]) for line in plain) == RECEIVED[0]


@test
def json_and_csv_and_sqlite_say_the_same():
    with history() as (store, place):
        rows = objects(store)
        by_process = Counter()
        for row in rows:
            if row["kind"] == "flow":
                by_process[row["process"]] += row["rx_bytes"]
        assert by_process == {name_of(i): RECEIVED[i] for i in range(PROCESSES)}
        assert by_process == sum((Counter({row["process"]: row["rx_bytes"]}) for row in recorded(store)), Counter())
        kinds = Counter(row["kind"] for row in rows)
        assert {"flow", "interface", "counter", "state", "connection", "note", "unmeasured"} == set(kinds), kinds
        assert kinds["connection"] == WRITTEN
        peers = Counter()
        for row in csv.DictReader(io.StringIO(export(store, "csv").out)):
            peers[row["peer_addr"]] += int(row["rx_bytes"] or 0)
        del peers[""]  # pieces that were not measured
        assert peers == {row["peer_addr"]: row["rx_bytes"] for row in recorded(store, "--by", "peer")}
        export(store, "sqlite", "-o", place / "x.db")
        with closing(sqlite3.connect(place / "x.db")) as database:
            query = "SELECT process, sum(rx_bytes) FROM flow JOIN process ON process_id = process.id GROUP BY process"
            assert dict(database.execute(query)) == by_process
            for kind in set(kinds) - {"unmeasured"}:
                assert database.execute(f"SELECT count(*) FROM {kind}").fetchone() == (kinds[kind],), kind
            unmeasured = database.execute("SELECT count(*) FROM piece WHERE measured_s = 0").fetchone()
            assert unmeasured == (kinds["unmeasured"],)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@test
def hostile_names_survive_in_every_form():
    with history() as (store, place):
        note = 'v2 "x",\\n\\e[1m\\xff \u00e9'
        assert [row["text"] for row in objects(store, "--by", "note") if row["note"] == "mark"] == [note]
        assert {row["process"] for row in objects(store, "--by", "flow") if row["kind"] == "flow"} >= set(NAMES)
        for kind, column, names in (("flow", "process", NAMES), ("interface", "iface", INTERFACES), ("note", "text", [note])):
            text = export(store, "csv", "--by", kind).out
            table = list(csv.reader(io.StringIO(text)))
            assert len({len(row) for row in table}) == 1 and len(table) == text.count("\n"), table[0]
            assert {row[table[0].index(column)] for row in table} >= set(names), names
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e\udc80-\udcff]", "".join(
            export(store, form).out for form in ("jsonl", "csv", "openmetrics")))
        export(store, "sqlite", "-o", place / "x.db")
        with closing(sqlite3.connect(place / "x.db")) as database:
            assert {name for name, in database.execute("SELECT process FROM process")} >= set(NAMES)
            assert {name for name, in database.execute("SELECT iface FROM interface")} == set(INTERFACES)
            assert (note,) in list(database.execute("SELECT text FROM note"))


@test
def filters_choose_rows_and_kinds():
    with history() as (store, _place):
        rows = objects(store, "process", "plain")
        assert {row["process"] for row in rows if row["kind"] == "flow"} == {"plain"}
        assert not {row["kind"] for row in rows} & {"interface", "counter", "state", "note"}
        peers = objects(store, "dst", "192.0.2.2", "and", "process", "plain", "--by", "flow")
        assert sum(row["rx_bytes"] for row in peers if row["kind"] == "flow") == RECEIVED[0] // 2
        assert not [row for row in objects(store, "process", "nobody", "--by", "flow", expect=1) if row["kind"] == "flow"]


@test
def hours_have_the_same_sums():
    with history() as (store, _place):
        for every in ("10", "1m", "1h"):
            rows = [row for row in objects(store, "--by", "flow", "--every", every, "process", "plain") if row["kind"] == "flow"]
            assert sum(row["rx_bytes"] for row in rows) == RECEIVED[0], (every, rows)


@test
def what_cannot_be_done_is_said():
    with history() as (store, place):
        (place / "there.db").write_text("mine")
        cases = [
            ((), "--format openmetrics, jsonl, csv or sqlite"),
            (("--format", "xml"), "xml"),
            (("--format", "sqlite"), "-o FILE"),
            (("--format", "sqlite", "-o", place / "there.db"), "exists already"),
            (("--format", "sqlite", "-o", place / "none/x.db"), "none/x.db"),
            (("--format", "csv", "-o", place / "none/x.csv"), "none/x.csv"),
            (("--format", "csv", "--by", "foo"), "interface"),
            (("--format", "openmetrics", "--by", "flow"), "--by"),
            (("--format", "jsonl", "rtt >"), "filter"),
            (("--format", "jsonl", "--since", "-90d", "--every", "10"), "pieces"),
            (("--format", "jsonl", "--store", place / "no.db"), "no.db"),
        ]
        for words, part in cases:
            result = nwho(None, "export", "--store", store, *words, expect=2)
            assert part in result.err and not result.out, (words, result)
        assert (place / "there.db").read_text() == "mine"
        assert not list(place.glob("none*")) and not list(place.glob("x.csv*")), list(place.iterdir())


run_tests()
