# SPDX-License-Identifier: MIT
"""Metrics, read by others: the strict parsers of prometheus_client, and promtool where it is installed."""
import json
import shutil
import subprocess
import sys
from functools import cache

from live import skip

PARSE = """
import json, sys
if sys.argv[1] == "openmetrics":
    from prometheus_client.openmetrics.parser import text_fd_to_metric_families
else:
    from prometheus_client.parser import text_fd_to_metric_families
for family in text_fd_to_metric_families(sys.stdin):
    for sample in family.samples:
        print(json.dumps([family.name, family.type, sample.name, sample.labels, sample.value, sample.timestamp and float(sample.timestamp)]))
"""


@cache
def _python():
    """The Python that has the parser: this one, or that of the distribution."""
    for python in (sys.executable, "/usr/bin/python3"):
        if subprocess.run([python, "-c", "import prometheus_client"], check=False, capture_output=True).returncode == 0:
            return python
    return None


def samples(text, form="openmetrics"):
    """[family, type, name, labels, value, time] of each sample; an exception when the text is none of this FORM."""
    if not _python():
        skip("no Python has prometheus_client: OpenMetrics cannot be checked")
    run = subprocess.run([_python(), "-c", PARSE, form], input=text, check=False, capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr[-2000:]
    return [json.loads(line) for line in run.stdout.splitlines()]


def check(text):
    """What promtool says against it, in the older format."""
    promtool = shutil.which("promtool")
    if not promtool:
        skip("no promtool: what it says of the metrics is not checked")
    run = subprocess.run([promtool, "check", "metrics"], input=text, check=False, capture_output=True, encoding="utf-8")
    return run.stdout + run.stderr if run.returncode or run.stderr else ""


def into_prometheus(path, place):
    """What Prometheus has when FILE was made blocks of: lines of `promtool tsdb dump`."""
    promtool = shutil.which("promtool")
    if not promtool:
        skip("no promtool: whether Prometheus takes it is not checked")
    subprocess.run([promtool, "tsdb", "create-blocks-from", "openmetrics", path, place], check=True, capture_output=True)
    (place / "wal").mkdir(exist_ok=True)
    return subprocess.run([promtool, "tsdb", "dump", place], check=True, capture_output=True, encoding="utf-8").stdout.splitlines()
