# SPDX-License-Identifier: MIT
"""nwho fleet: what a real Prometheus and a real VictoriaMetrics have of three hosts is what those say of themselves; and servers that fail."""
import json
import os
import re
import subprocess
import threading
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from live import BUILD, PATIENCE, netns, nwho, run_tests, skip, test, wait_for
from prometheus import prometheus, victoria
from recorder import directory
from talker import named_talker

HOSTS = {"a": 9481, "b": 9482, "c": 9483}
FOUND = (0, 1)  # rows, or none yet

CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: nwho
    static_configs:
%s
  - job_name: another
    static_configs: [{targets: ['127.0.0.1:9481'], labels: {instance: a}}]  # that one twice
""" % "\n".join(f"      - {{targets: ['127.0.0.1:{port}'], labels: {{instance: {name}}}}}" for name, port in HOSTS.items())


@contextmanager
def host(ns, place, name):
    command = [BUILD / "nwho", "serve", "--foreground", "--every", "1", "--ring", "0", "--store", place / f"{name}.db", "--listen", f"127.0.0.1:{HOSTS[name]}"]
    with ns.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        assert child.stdout.readline().startswith("nwho: metrics at "), child.stderr.read()
        try:
            yield child
        finally:
            child.terminate()
            child.wait(PATIENCE)


def fleet(ns, server, *words, expect=0):
    return json.loads(nwho(ns, "fleet", *words, "--server", server.url, "--json", expect=expect).out)


def own(server, name, metric, key, **labels):
    """{value of KEY: value} of what a host says itself."""
    text = json.loads(_line(server, f"http://127.0.0.1:{HOSTS[name]}/metrics"))[1]
    found = {}
    for line in text.splitlines():
        match = re.fullmatch(metric + r"\{(.*)\} (\S+)", line)
        has = dict(re.findall(r'(\w+)="([^"]*)"', match[1])) if match else {}
        if match and labels.items() <= has.items():
            found[has.get(key)] = found.get(has.get(key), 0) + float(match[2])
    return found


def _line(server, url):
    server.asker.stdin.write(url + "\n")
    server.asker.stdin.flush()
    return server.asker.stdout.readline()


def is_what_hosts_say(ns, server, name, port):
    """Ports, connections and bytes of the talker, on each host."""
    def ports():  # nobody waits there
        rows = fleet(ns, server, "ports", "local_port", "=", str(port), expect=FOUND)["rows"]
        return {(row["host"], row["process"]): row["send_q"] for row in rows if row["recv_q"] == 0}

    def at_hosts():
        return {(one, process): limit for one in HOSTS
                for process, limit in own(server, one, "nwho_listen_queue_limit", "process_executable_name", server_port=str(port)).items()}

    wait_for(lambda: len(at_hosts()) == 3 and ports() == at_hosts(), what=f"the listener on all hosts: {server.url}")
    assert set(ports()) == {(one, name) for one in HOSTS}

    def held():
        rows = fleet(ns, server, "top", "process", "=", name, "-d", "10", expect=FOUND)["rows"]
        return {row["host"]: row["established"] for row in rows}

    wait_for(lambda: held() == dict.fromkeys(HOSTS, 2), what="connections on all hosts")


def rates_and_history(ns, server, name, talker):
    def moved():
        rows = fleet(ns, server, "history", "process", "=", name, "--since", "-2m", expect=FOUND)["rows"]
        return {row["host"]: row["tx_bytes"] for row in rows}

    rates = {}
    talker.say("tcp", 1000000)

    def all_moved():
        rates.update({row["host"]: row["tx_rate"] for row in fleet(ns, server, "top", name, "-d", "60", expect=FOUND)["rows"]})
        return all(rates.get(one) or 0 for one in HOSTS)

    wait_for(all_moved, what="rates of all hosts")
    # What Prometheus calls an increase reaches to the ends of the time, so that it is no exact sum.
    wait_for(lambda: len(moved()) == 3 and all(900000 < count < 2100000 for count in moved().values()), what="history of all hosts")

    def series():  # which begins when there are two numbers of each host in ten seconds
        return fleet(ns, server, "history", "--by", "host", "--since", "-30s", "--every", "10s", expect=None)["rows"]

    wait_for(lambda: {row["host"] for row in series()} == set(HOSTS), what="a series of all hosts")
    assert all(row["time"] and row["process"] is None for row in series()), series()
    by_host = {row["host"]: row for row in fleet(ns, server, "top", "--by", "host")["rows"]}
    assert set(by_host) == set(HOSTS) and all(row["process"] is None for row in by_host.values())
    text = nwho(ns, "fleet", "top", "--by", "host", "--server", server.url + "/").out.splitlines()
    assert text[0].split() == ["HOST", "RX/s", "TX/s", "ESTAB", "CLOSE-WAIT"] and len(text) == 4, text
    assert nwho(ns, "fleet", "ports", "--csv", "--server", server.url).out.splitlines()[0] == "host,local_port,process,user,service,recv_q,send_q"
    nwho(ns, "fleet", "top", "process", "=", "nobody-has-this", "--server", server.url, expect=1)


def who_is_down_is_named(ns, server):
    def answer():
        result = nwho(ns, "fleet", "ports", "--server", server.url, "--json", expect=None)
        return result, json.loads(result.out)

    wait_for(lambda: answer()[0].rc == 3, what="a host that is missing")
    result, document = answer()
    assert not document["complete"] and {row["host"] for row in document["rows"]} == {"a", "b"}, document
    assert [warning["text"] for warning in document["warnings"]] == ["c is missing: the server has no numbers of it now"], document
    assert "c is missing" in nwho(ns, "fleet", "top", "--server", server.url, expect=3).err


@test
def servers_say_what_hosts_say():
    with directory() as place, netns() as ns, ExitStack() as stack:
        servers = [stack.enter_context(prometheus(ns, place, CONFIG)), stack.enter_context(victoria(ns, place, CONFIG))]
        hosts = {name: stack.enter_context(host(ns, place, name)) for name in HOSTS}
        name = f"f{os.getpid()}"
        talker = stack.enter_context(named_talker(ns, place, name))
        wait_for(lambda: servers[0].query("nwho_build_info"), what="numbers")
        (accounting,), *_ = servers[0].query("nwho_build_info", "accounting")
        if accounting != "bpf":
            skip(f"not counted by BPF here: {accounting}")
        for server in servers:
            is_what_hosts_say(ns, server, name, 5555)
            rates_and_history(ns, server, name, talker)
            found = fleet(ns, server, "doctor", expect=None)
            assert all(row["host"] in HOSTS and row["severity"] in ("warn", "crit") and row["findings"] for row in found["rows"]), found
        hosts["c"].terminate()
        for server in servers:
            who_is_down_is_named(ns, server)


# --- servers that fail ---

SERIES = {"metric": {"instance": "web\x1b[1m", "process_executable_name": "x\n", "server_port": "80"}, "value": [1, "7"]}
SUCCESS = {"status": "success", "data": {"resultType": "vector", "result": [SERIES]}}
EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}


class Fault(BaseHTTPRequestHandler):
    """Answers as the first part of the path says: /slow/api/v1/query."""

    def log_message(self, *_words):
        pass

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.query = form["query"][0]
        getattr(self, self.path.split("/")[1])()

    def say(self, body, status=200, length=None):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def good(self):
        self.say(EMPTY if "unless" in self.query else SUCCESS)

    def cut(self):
        self.say(json.dumps(SUCCESS).encode()[:-10], length=1000)
        self.close_connection = True

    def short(self):
        self.say(json.dumps(SUCCESS).encode()[:-10])

    def page(self):
        self.say(b"<html>welcome</html>")

    def gone(self):
        self.say(b"not here", 404)

    def token(self):
        self.say(EMPTY if self.headers["Authorization"] == "Bearer secret" else b"no", 200 if self.headers["Authorization"] == "Bearer secret" else 401)

    def refused(self):
        self.say({"status": "error", "errorType": "bad_data", "error": "too many points\x1b[2J"}, 422)

    def partial(self):
        self.say(EMPTY if "unless" in self.query else {**SUCCESS, "warnings": ["store-3 did not answer"]})

    def half(self):
        self.gone() if "length" in self.query or "transmit" in self.query else self.good()

    def turns(self):
        """Two hosts; then nobody answers; then one of them, and another one."""
        if "unless" in self.query:
            return self.say(EMPTY)
        self.server.asked += 1
        if self.server.asked == 2:
            return self.say(b"<html>later</html>", 503)
        hosts = ("a", "b") if self.server.asked == 1 else ("b", "c")
        return self.say({"status": "success", "data": {"resultType": "vector", "result": [{"metric": {"instance": host}, "value": [1, "80"]} for host in hosts]}})

    def strange(self):
        self.say(EMPTY if "unless" in self.query else {"status": "success", "data": {"result": [
            {"metric": {"instance": "nan"}, "value": [1, "NaN"]}, {"metric": 7, "value": "x"}, 5, None, {"metric": {}, "values": [[1], [], "y", [1, "1e400"]]},
            {"metric": {"instance": 3, "server_port": "99999999999999"}, "value": [1, "3"]}]}})

    def slow(self):
        self.server.over.wait(PATIENCE)


@contextmanager
def fake():
    with ThreadingHTTPServer(("127.0.0.1", 0), Fault) as server:
        server.daemon_threads = True
        server.over = threading.Event()
        server.asked = 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


@test
def servers_that_fail_are_told_in_one_line():
    environment = {"NWHO_CONFIG": "/dev/null", "http_proxy": "", "no_proxy": "*"}

    def refused(*words):
        result = nwho(None, "fleet", *words, expect=2, env=environment)
        assert result.err.count("\n") == 1 and not result.out, result
        assert "\x1b" not in result.err, result
        return result.err

    with directory() as place, fake() as url:
        for fault, what in [("cut", "cut off"), ("short", "cut off"), ("page", "no JSON of Prometheus"), ("gone", "no API of Prometheus is there (404)"),
                            ("token", "--token-file"), ("refused", "too many points")]:
            assert what in refused("top", "--server", f"{url}/{fault}"), fault
        assert "within 0.2 s" in refused("top", "--server", f"{url}/slow", "--timeout", "0.2")
        assert "127.0.0.1" in refused("top", "--server", "http://127.0.0.1:1")
        assert "no URL of a server" in refused("top", "--server", "file:///etc/passwd")
        assert "no URL of a server" in refused("top", "--server", "http://[")
        assert "--server" in refused("top")
        assert "did you mean ports" in refused("port", "--server", url)
        assert "--by" in refused("ports", "--by", "host", "--server", url)
        (place / "token").write_text("secret\n")
        nwho(None, "fleet", "ports", "--server", f"{url}/token", "--token-file", place / "token", env=environment, expect=1)
        (place / "token").write_text("sec ret\n")
        assert "blanks" in refused("ports", "--server", url, "--token-file", place / "token")
        (place / "nwho.conf").write_text(f"fleet.server = {url}/good\n")
        named = {**environment, "NWHO_CONFIG": str(place / "nwho.conf")}
        document = json.loads(nwho(None, "fleet", "ports", "--json", env=named).out)
        assert [(row["host"], row["local_port"], row["send_q"]) for row in document["rows"]] == [("web\\e[1m", 80, 7)], document
        assert "\x1b" not in nwho(None, "fleet", "top", env=named).out
        for fault, what in [("partial", "store-3 did not answer"), ("half", "not all was answered")]:
            result = nwho(None, "fleet", "top", "--server", f"{url}/{fault}", env=environment, expect=3)
            assert what in result.err and "web" in result.out, result
        assert "no API" in refused("top", "--watch", "--server", f"{url}/gone")
        assert "--watch goes with" in refused("history", "--watch", "--server", f"{url}/good")
        watched = nwho(None, "fleet", "doctor", "--watch=0.05", "--times", "3", "--server", f"{url}/turns", env=environment, expect=1)
        blocks = [[(line[0], line[1:].split()[1]) for line in block.splitlines()[2:]] for block in watched.out.split("\n\n") if block.strip()]
        assert blocks == [[(" ", "a"), (" ", "b")], [("-", "a"), ("-", "b")], [("+", "b"), ("+", "c")]], watched
        assert watched.err.count("\n") == 1 and "incomplete" in watched.err and "(503)" in watched.err, watched
        strange = json.loads(nwho(None, "fleet", "ports", "--json", "--server", f"{url}/strange", env=environment).out)
        assert [row["send_q"] for row in strange["rows"]] == [3], strange


run_tests()
