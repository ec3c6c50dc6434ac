#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whatever bytes a name has, what nwho writes is read by parsers of others, and the bytes can be had back from it.

test_written.py WRITE_NAMES CORPUS: the names are the inputs of CORPUS, hand-made ones, and random ones, the same each time.
"""
import csv
import io
import json
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

try:
    from prometheus_client import parser as prometheus
    from prometheus_client.openmetrics import parser as openmetrics
except ImportError:
    prometheus = openmetrics = None

LABEL_MAX = 128  # bytes of a label's value
COMMENT_MAX = 1024
ADDRESS = "2001:db8::"
PIECES = (b"", b"\0", b"\n", b"\r\n", b"\t", b"\x1b[2J", b"\x7f", b"\xff", b"\xc3", b"\xc3\xa9", b"\xe2\x80\xae", b"\xf0\x9f\x98\x80",
          b"\xef\xbf\xbe", b"\xef\xbf\xbf", b"\xed\xa0\x80", b"\xc2\x85", b"\xe2\x80\xa8", b"\\", b"\\n", b"\\x41", b'"', b"'", b",", b";", b"{", b"}", b"=",
          b"#", b"</text>", b"&amp;", b"]]>", b"<!--", b"=1+1", b"@", b" ", b"nginx", b"a" * 130, b"\xc3\xa9" * 70, b"x" * 1100)
RANDOM_NAMES = 300


def names():
    made = random.Random(20251201)
    yield from PIECES
    for path in sorted(Path(sys.argv[2]).iterdir()):
        yield path.read_bytes()[:4096]
    for _ in range(RANDOM_NAMES):
        yield b"".join(made.choice(PIECES) if made.random() < 0.6 else bytes(made.choices(range(256), k=made.randrange(9)))
                       for _ in range(made.randrange(1, 6)))


def unescape(text):
    """The bytes that nwho's escaped text stands for."""
    forms = {"n": b"\n", "t": b"\t", "r": b"\r", "e": b"\x1b", "\\": b"\\"}
    out, at = b"", 0
    for found in re.finditer(r"\\(x[0-9a-f]{2}|[ntre\\])", text):
        out += text[at:found.start()].encode()
        out += bytes([int(found[1][1:], 16)]) if found[1][0] == "x" else forms[found[1]]
        at = found.end()
    assert "\\" not in text[at:], text
    return out + text[at:].encode()


def is_clean(text):
    """No controls, and nothing that changes the direction of text."""
    return not re.search("[\0-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text)


def blocks(data):
    """Blocks of a pcapng file: type, body."""
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        assert length % 4 == 0 and struct.unpack_from("=I", data, at + length - 4)[0] == length
        yield kind, data[at + 8:at + length - 4]
        at += length
    assert at == len(data)


def options(data):
    found = {}
    while data:
        kind, length = struct.unpack_from("=HH", data)
        if kind == 0:
            assert len(data) == 4 and length == 0
            return found
        assert kind not in found
        found[kind] = data[4:4 + length]
        data = data[4 + (length + 3) // 4 * 4:]
    return found


class Written(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = Path(tempfile.mkdtemp(prefix="nwho-written-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory)
        cls.names = {}
        for number, name in enumerate(names()):
            (cls.directory / f"{number:04}").write_bytes(name)
            cls.names[f"{number:04}"] = name
        subprocess.run([sys.argv[1], cls.directory], check=True)

    def each(self, end, check):
        for number, name in self.names.items():
            with self.subTest(name=name):
                check(name, (self.directory / f"{number}.{end}").read_bytes())

    def check_row(self, name, row):
        for key in ("state", "process"):
            self.assertTrue(is_clean(row[key]))
            self.assertEqual(unescape(row[key]), name)
        self.assertEqual(row["peer_addr"], ADDRESS)

    def check_json(self, name, data):
        row, = json.loads(data)["rows"]
        self.check_row(name, row)
        self.assertEqual(row["recv_q"], len(name))
        self.assertEqual([owner["pid"] for owner in row["owners"]], [1200, 1201, 1202])

    def check_jsonl(self, name, data):
        line, = data.decode().split("\n")[:-1]
        self.check_row(name, json.loads(line))

    def check_csv(self, name, data):
        head, cells = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
        self.check_row(name, dict(zip(head, cells, strict=True)))

    def check_metrics(self, name, families):
        samples = {sample.name: sample for family in families for sample in family.samples}
        self.assertEqual(set(samples), {"nwho_process_network_io_bytes_total", "nwho_process_tcp_rtt_seconds_sum", "nwho_process_tcp_rtt_seconds_count"})
        for sample in samples.values():
            for label in ("process_executable_name", "service"):
                self.assertEqual(unescape(sample.labels[label]), name[:LABEL_MAX])

    def check_svg(self, name, data):
        texts = ["".join(text.itertext()) for text in xml.fromstring(data).iter("{http://www.w3.org/2000/svg}text")]
        self.assertTrue(all(map(is_clean, texts)))
        shown = [unescape(text) for text in texts]
        self.assertIn(name, shown)  # the mark
        self.assertTrue(any(text.startswith(name + b"  ") for text in shown))  # the legend

    def check_pcapng(self, name, data):
        found = dict(blocks(data))
        text = name.split(b"\0")[0][:COMMENT_MAX]
        self.assertEqual(struct.unpack_from("=IHH", found[0x0a0d0d0a]), (0x1a2b3c4d, 1, 0))
        interface = options(found[1][8:])
        self.assertEqual(interface.get(2, b""), text)
        self.assertEqual(interface.get(3, b""), text)
        _, _, _, captured, length = struct.unpack_from("=IIIII", found[6])
        self.assertEqual((captured, length), (len(name), len(name)))
        self.assertEqual(found[6][20:20 + captured], name)
        self.assertEqual(options(found[6][20 + (captured + 3) // 4 * 4:]).get(1, b""), text)
        if text:
            kind, size = struct.unpack_from("=HH", found[4])
            self.assertEqual((kind, found[4][4:4 + size]), (1, b"\xc0\0\2\1" + text + b"\0"))

    def test_json(self):
        self.each("json", self.check_json)

    def test_jsonl(self):
        self.each("jsonl", self.check_jsonl)

    def test_csv(self):
        self.each("csv", self.check_csv)

    @unittest.skipUnless(prometheus, "no prometheus_client")
    def test_prometheus(self):
        self.each("prom", lambda name, data: self.check_metrics(name, prometheus.text_string_to_metric_families(data.decode())))

    @unittest.skipUnless(prometheus, "no prometheus_client")
    def test_openmetrics(self):
        self.each("openmetrics", lambda name, data: self.check_metrics(name, openmetrics.text_string_to_metric_families(data.decode())))

    def test_svg(self):
        self.each("svg", self.check_svg)

    def test_pcapng(self):
        self.each("pcapng", self.check_pcapng)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
