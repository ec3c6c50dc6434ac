# SPDX-License-Identifier: MIT
"""`nwho serve` for tests: a recorder with a store of its own, and what its history answers."""
import json
import os
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from live import BUILD, PATIENCE, nwho, skip, wait_for


@contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as name:
        yield Path(name)


def ask(store, *words, expect=(0, 1), env=None):
    return json.loads(nwho(None, "history", "--store", store, "--json", *words, expect=expect, env=env).out)


def rows(store, *words):
    return ask(store, *words)["rows"]


def is_recording(store, since):
    """A second reading has been kept: what happens from now on is."""
    if not store.exists():
        return False
    result = nwho(None, "history", "--store", store, "--json", "--since", f"@{since:.6f}", expect=None)
    return result.rc in (0, 1) and json.loads(result.out)["measured_s"] > 0


@contextmanager
def recorder(store, *options, exact=False, env=None):
    """Records each second, until the block ends. EXACT: every call is counted, else the test is skipped."""
    command = [BUILD / "nwho", "serve", "--foreground", "--every", "1", "--listen", "none", "--store", store, *options]
    since = time.time()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, **(env or {})}) as child:
        try:
            wait_for(lambda: child.poll() is not None or is_recording(store, since), what="recording")
            if child.poll() is not None:
                raise AssertionError(f"the recorder ended: {child.stderr.read()}")
            if exact:
                needs_bpf(ask(store))
            yield child
        finally:
            child.terminate()
            child.wait(PATIENCE)
        assert child.returncode in (0, -signal.SIGKILL), child.stderr.read()


def needs_bpf(document):
    if document.get("accounting") != "bpf":
        skip(f"not counted by BPF here: {document.get('accounting')}")
