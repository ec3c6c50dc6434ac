# SPDX-License-Identifier: MIT
"""Faults for the tests of `nwho doctor`: programs that misbehave in a namespace, and what the doctor says of it."""
import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager

from live import BUILD

NWHO = BUILD / "nwho"


@contextmanager
def program(ns, source, *words, interpreter=sys.executable):
    """A Python program in the namespace; it prints "ready" when the situation is there, and lives as long as the
    block. It may talk: yields a function that sends it a line and gives its answer. SOURCE None: the first of WORDS is
    its file; INTERPRETER: one that lies elsewhere."""
    code = ["-c", source] if source else []
    process = ns.popen([interpreter, *code, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline()

    ask.pid = process.pid  # nsenter runs the program in its own place
    try:
        assert process.stdout.readline() == "ready\n"
        yield ask
    finally:
        process.kill()
        process.communicate()


def findings(ns, *checks, window=0.5, limits=None, user=None):
    """Rows of the document. `limits`: lines of a configuration, {"stuck.since": "100ms 1s"}."""
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
        file.writelines(f"{name} = {value}\n" for name, value in (limits or {}).items())
        file.flush()
        done = ns.run([NWHO, "doctor", "-N", ns.name, "--window", str(window), "--json", *checks], expect={0, 1}, user=user,
                      env={**os.environ, "NWHO_CONFIG": file.name})
    return json.loads(done.out)["rows"]


def evidence(row, counter):
    """One number of a finding, by the name of its counter."""
    return next(one for one in row["evidence"] if one["counter"] == counter)


def drop(ns, condition):
    """From now on packets of this kind that come in are thrown away, without a word."""
    ns.run(["nft", "add table ip faulty; add chain ip faulty input { type filter hook input priority 0; };"
                   f"add rule ip faulty input {condition} drop"])
