# SPDX-License-Identifier: MIT
"""A real Prometheus (or VictoriaMetrics) in a namespace of the test, with what it keeps in a directory of the test."""
import json
import shutil
import subprocess
import sys
import urllib.parse
from contextlib import contextmanager

from live import PATIENCE, skip, wait_for

# Asks one URL a line, in the namespace: the status and the body, as one line of JSON.
ASKER = """
import json, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
for line in sys.stdin:
    try:
        with opener.open(line.strip(), timeout=20) as answer:
            print(json.dumps([answer.status, answer.read().decode()]), flush=True)
    except urllib.error.HTTPError as error:
        print(json.dumps([error.code, error.read().decode()]), flush=True)
    except OSError as error:
        print(json.dumps([0, str(error)]), flush=True)
"""


class Prometheus:
    def __init__(self, asker, url):
        self.asker, self.url = asker, url

    def get(self, path, **words):
        self.asker.stdin.write(f"{self.url}{path}?{urllib.parse.urlencode(words)}\n")
        self.asker.stdin.flush()
        return json.loads(self.asker.stdout.readline())

    def query(self, expression, *keys):
        """{values of the labels KEYS: value} of an expression now."""
        status, body = self.get("/api/v1/query", query=expression)
        assert status == 200, body
        return {tuple(one["metric"].get(key) for key in keys): float(one["value"][1]) for one in json.loads(body)["data"]["result"]}

    def value(self, expression):
        """Its only value, or None."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return next(iter(found.values()), None)


@contextmanager
def prometheus(ns, place, config, port=9090):
    """Asks each second what CONFIG names; ready when this begins."""
    program = shutil.which("prometheus")
    if not program:
        skip("no prometheus: what it makes of the metrics is not checked")
    (place / "prometheus.yml").write_text(config)
    command = [program, f"--config.file={place / 'prometheus.yml'}", f"--storage.tsdb.path={place / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}",
               "--log.level=warn"]
    with _server(ns, place, command, f"http://127.0.0.1:{port}", "/-/ready") as server:
        yield server


@contextmanager
def victoria(ns, place, config, port=8428):
    """The same by VictoriaMetrics."""
    program = shutil.which("victoria-metrics")
    if not program:
        skip("no victoria-metrics: what it makes of the metrics is not checked")
    (place / "victoria.yml").write_text(config)
    command = [program, f"-promscrape.config={place / 'victoria.yml'}", f"-storageDataPath={place / 'victoria'}", f"-httpListenAddr=127.0.0.1:{port}",
               "-loggerLevel=ERROR", "-memory.allowedBytes=64MB", "-search.latencyOffset=1ms"]
    with _server(ns, place, command, f"http://127.0.0.1:{port}", "/health") as server:
        yield server


@contextmanager
def _server(ns, place, command, url, ready):
    log = place / "server.log"
    with log.open("w") as out, ns.popen(command, stdout=out, stderr=out) as child, \
            ns.popen([sys.executable, "-c", ASKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asker:
        server = Prometheus(asker, url)
        try:
            wait_for(lambda: child.poll() is not None or server.get(ready)[0] == 200, what="a server that is ready")
            assert child.poll() is None, log.read_text()
            yield server
        finally:
            asker.stdin.close()
            child.terminate()
            child.wait(PATIENCE)
