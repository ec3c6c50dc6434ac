# SPDX-License-Identifier: MIT
"""A program that prints one JSON document after the other (`nwho top --json`, `--json --watch`), read one by one."""
import json
import signal
import subprocess
from contextlib import contextmanager

from live import BUILD, PATIENCE


class Documents:
    def __init__(self, child):
        self.child = child

    def read(self):
        lines = []
        while not lines or lines[-1] != b"]}\n":
            lines.append(self.child.stdout.readline())
            assert lines[-1], lines
            if lines[-1].endswith(b'"rows":[]}\n'):
                break
        return json.loads(b"".join(lines))

    def until(self, condition):
        for _ in range(200):
            document = self.read()
            if condition(document["rows"]):
                return document
        raise AssertionError(document)


@contextmanager
def documents(ns, *args, user=None, expect=(0, 1)):
    """`nwho ARGS`, interrupted at the end."""
    with ns.popen([BUILD / "nwho", *args], user, stdout=subprocess.PIPE) as child:
        try:
            yield Documents(child)
        finally:
            child.send_signal(signal.SIGINT)
            child.stdout.read()
            assert child.wait(PATIENCE) in expect


def top(ns, *args, **options):
    return documents(ns, "top", "--json", "-n", "100000", "-d", "0.1", *args, **options)
