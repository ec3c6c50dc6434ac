# SPDX-License-Identifier: MIT
"""nwho serve and a real Prometheus: rates are true, restarts are seen, churn is bounded, and an alert of the package fires.

NWHO_FULL=1: 10,000 programs come and go instead of 150.
"""
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager

from live import BUILD, PATIENCE, SOURCE, netns, run_tests, skip, test, wait_for
from prometheus import prometheus
from recorder import directory
from talker import named_talker

PROGRAMS = 10000 if os.environ.get("NWHO_FULL") else 150
GROUPS_MAX = 100
SERIES_MAX = 5000
CHUNK = 20000

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
scrape_configs:
  - job_name: nwho
    sample_limit: 5000
    static_configs: [{{targets: ['127.0.0.1:9477']}}]
"""

# As many programs as are asked for, one after the other, under names of their own; each sends itself a datagram.
CHURN = """
import os, sys
place, program, count = sys.argv[1:]
silent = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
for i in range(int(count)):
    name = f"{place}/churn-{i}"
    os.link(program, name)
    status = os.waitpid(os.posix_spawn(name, [name, "udp", "family=4"], os.environ, file_actions=silent), 0)[1]
    assert status == 0, (name, status)
    os.unlink(name)
"""

# A listener whose queue has room for one, which it never takes, at a port that the kernel does not choose.
FULL_QUEUE = """
import socket, sys
server = socket.socket()
server.bind(("127.0.0.1", 700))
server.listen(1)
clients = []
for _ in range(4):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", 700))
    clients.append(client)
print("ready", flush=True)
sys.stdin.read()
"""


def alerts_at_once(place):
    """The alerts of the package, none of which waits any more."""
    text = (SOURCE / "packaging/prometheus/nwho.alerts.yml").read_text()
    changed, count = re.subn(r"^( +for: )\d+m$", r"\g<1>1s", text, flags=re.M)
    assert count >= 6, text
    (place / "alerts.yml").write_text(changed)
    return place / "alerts.yml"


@contextmanager
def recorder(ns, place):
    command = [BUILD / "nwho", "serve", "--foreground", "--every", "1", "--ring", "0", "--store", place / "h.db", "--listen", "127.0.0.1:9477"]
    with ns.popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        assert child.stdout.readline().startswith("nwho: metrics at "), child.stderr.read()
        try:
            yield child
        finally:
            child.terminate()
            child.wait(PATIENCE)


@contextmanager
def steady(talker):
    """Sends chunks in turn until the end, and has what it sent: bytes."""
    sent, over = [0], threading.Event()

    def go_on():
        while not over.wait(0.02):
            talker.say("tcp", CHUNK)
            sent[0] += CHUNK

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield sent
    finally:
        over.set()
        thread.join()


def rates_are_true(server, group, sent):
    """As many bytes as were sent, and the rate of a window is what was sent in it."""
    moments = []

    def is_true():
        moments.append((time.monotonic(), sent[0]))
        old = [moment for moment in moments if moments[-1][0] - moment[0] >= 5]
        rate = server.value(f'rate(nwho_process_network_io_bytes_total{{{group},network_transport="tcp",network_io_direction="transmit"}}[5s])')
        if not old or not rate:
            return False
        (then, before), (now, after) = old[-1], moments[-1]
        return 0.85 < rate / ((after - before) / (now - then)) < 1.15

    wait_for(is_true, what="a rate that is what was sent")


def churn_is_bounded(server, ns, place):
    (place / "churn").mkdir()
    shutil.copy(BUILD / "tests/helpers/mktraffic", place / "program")
    ns.run([sys.executable, "-c", CHURN, str(place / "churn"), str(place / "program"), str(PROGRAMS)], timeout=60 + PROGRAMS / 10)
    folded = []
    try:
        wait_for(lambda: folded.append(server.value("nwho_process_groups_folded_total")) or (folded[-1] or 0) >= PROGRAMS - GROUPS_MAX, what="groups without room")
    except AssertionError as error:
        raise AssertionError(f"{error}: {folded[0]}, then {folded[-1]} of {PROGRAMS - GROUPS_MAX}") from None
    wait_for(lambda: (server.value('sum(nwho_process_network_io_bytes_total{process_executable_name="_other"})') or 0) > 0, what="_other")
    assert server.value("nwho_process_groups") == GROUPS_MAX
    groups = server.value("count(count by (process_executable_name, process_owner, service) (last_over_time(nwho_process_network_io_bytes_total[10m])))")
    assert groups <= GROUPS_MAX + 1, groups
    assert server.value('scrape_samples_scraped{job="nwho"}') < SERIES_MAX
    assert server.value('count(last_over_time({job="nwho"}[10m]))') < SERIES_MAX
    resets = server.query('resets(nwho_process_network_io_bytes_total{process_executable_name="_other"}[10m])', "network_transport", "network_io_direction")
    assert resets and not any(resets.values()), resets


@test
def prometheus_sees_what_happens():
    with directory() as place, netns() as ns, ExitStack() as stack:
        server = stack.enter_context(prometheus(ns, place, CONFIG.format(rules=alerts_at_once(place))))
        name = f"p{os.getpid()}"
        group = f'process_executable_name="{name}"'
        total = f'nwho_process_network_io_bytes_total{{{group},network_transport="tcp",network_io_direction="transmit"}}'
        with recorder(ns, place):
            talker = stack.enter_context(named_talker(ns, place, name))
            full = stack.enter_context(ns.popen([sys.executable, "-c", FULL_QUEUE], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
            full.stdout.readline()
            wait_for(lambda: server.query("nwho_build_info"), what="numbers")
            (accounting,), = server.query("nwho_build_info", "accounting")
            if accounting != "bpf":
                skip(f"not counted by BPF here: {accounting}")
            wait_for(lambda: server.value(total) == 0, what="the talker, from 0")
            with steady(talker) as sent:
                rates_are_true(server, group, sent)
                churn_is_bounded(server, ns, place)
            seen = []
            try:
                wait_for(lambda: seen.append(server.value(total)) or seen[-1] == sent[0], what=f"{sent[0]} bytes")
            except AssertionError as error:
                raise AssertionError(f"{error}: {seen[-1]}, {server.query('nwho_build_info', 'accounting')}, "
                                     f"{server.query(f'nwho_process_network_io_bytes_total{{{group}}}', 'network_transport', 'network_io_direction')}") from None
            firing = 'ALERTS{alertname="NwhoListenQueueFull",alertstate="firing",server_port="700"}'
            wait_for(lambda: server.value(firing) == 1, what="an alert")
        wait_for(lambda: server.value('ALERTS{alertname="NwhoDown",alertstate="firing"}') == 1, what="an alert of its end")
        with recorder(ns, place):
            wait_for(lambda: server.value(total) == 0, what="a new beginning")
            talker.say("tcp", 1000)
            wait_for(lambda: server.value(total) == 1000, what="1000 bytes")
            assert server.value(f"resets({total}[10m])") == 1
            wait_for(lambda: not server.query('ALERTS{alertname="NwhoDown",alertstate="firing"}'), what="the end of the alert")
        full.stdin.close()


run_tests()
