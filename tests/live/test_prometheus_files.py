# SPDX-License-Identifier: MIT
"""packaging/prometheus: rules, alerts and configurations are valid, alerts fire when they should, and nothing asks for what nwho does not have."""
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from live import SOURCE, run_tests, skip, test

FILES = SOURCE / "packaging/prometheus"
FAMILY = re.compile(r'\[METRIC_\w+\]\s*=\s*\{"(\w+)",\s*(?:NULL|"\w+"),\s*"[^"]*",\s*METRIC_(\w+)\}')
SAMPLES = {"COUNTER": ("_total",), "GAUGE": ("",), "INFO": ("_info",), "SUMMARY": ("_sum", "_count"), "HISTOGRAM": ("_bucket", "_sum", "_count")}
LABEL = re.compile(r'(?:openmetrics_label|put_word)\(\s*"(\w+)"|"(\w+)=\\"')


def samples():
    """The names of all that the program may say, by the one list that it has."""
    families = FAMILY.findall((SOURCE / "src/out/openmetrics.c").read_text())
    assert len(families) >= 25, families
    return {name + end for name, kind in families for end in SAMPLES[kind]}


def labels():
    text = "".join(file.read_text() for file in [SOURCE / "src/out/openmetrics.c", *SOURCE.glob("src/serve/metrics*.c")])
    return {name for pair in LABEL.findall(text) for name in pair if name} | {"job", "instance", "le", "alertname"}


def expressions(tree):
    """All that a dashboard asks for."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in ("expr", "definition") or (key == "query" and isinstance(value, str) and "(" in value):
                yield value
            yield from expressions(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from expressions(value)


def check(text, known, where):
    """Only what is KNOWN is asked for, by labels that there are."""
    names = set(re.findall(r"\bnwho_\w+|\b\w+:nwho_\w+:\w+", text))
    assert names <= known, (where, names - known)
    used = {name for found in re.findall(r"\{([^}]*)\}", text) for name in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)', found)}
    used |= {name.strip() for found in re.findall(r"\bby \(([^)]*)\)", text) for name in found.split(",")}
    assert used <= labels(), (where, used - labels())


def promtool(*words):
    program = shutil.which("promtool")
    if not program:
        skip("no promtool: rules and alerts are not checked")
    run = subprocess.run([program, *words], cwd=FILES, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@test
def queries_ask_for_what_there_is():
    known = samples()
    assert {"nwho_process_network_io_bytes_total", "nwho_build_info", "nwho_tcp_rtt_seconds_bucket"} <= known
    recorded = set(re.findall(r"record: (\S+)", (FILES / "nwho.rules.yml").read_text()))
    dashboard = json.loads((FILES / "grafana-dashboard.json").read_text())
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(ids) == len(set(ids)) and dashboard["uid"] == "nwho"
    queries = list(expressions(dashboard))
    assert len(queries) > 25, len(queries)
    for query in queries:
        check(query, known | recorded, query)
    for name in ("nwho.rules.yml", "nwho.alerts.yml"):
        text = (FILES / name).read_text()
        for expression in re.findall(r"expr: ((?:.*)(?:\n {10}.*)*)", text):
            check(expression, known | recorded, name)


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def as_shown(expression, jobs):
    """With all that is chosen by "All", as Grafana puts it in."""
    chosen = {"$job": f"({'|'.join(jobs)})", "$instance": ".*", "$program": ".*", "$__rate_interval": "5m"}
    for name, value in chosen.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


@test
def the_dashboard_is_about_the_jobs_that_nwho_has():
    """Whatever they are called: "All" is all jobs that have numbers of nwho, not all jobs of the server."""
    dashboard = json.loads((FILES / "grafana-dashboard.json").read_text())
    job, instance = (variables(dashboard)[name] for name in ("job", "instance"))
    assert job["definition"] == "label_values(nwho_build_info, job)" and job["includeAll"] and "allValue" not in job, job
    assert 'job=~"$job"' in instance["definition"], instance
    queries = [query for query in expressions(dashboard["panels"]) if query]
    for query in queries:
        selectors = re.findall(r"\b(?:nwho_\w+|up)\b(\{[^}]*\})?", query)
        assert selectors and all('job=~"$job"' in one and 'instance=~"$instance"' in one for one in selectors), query
    missed, = [query for query in queries if re.search(r"\bup\b", query)]
    wrong = "1 - up > 0"
    with tempfile.TemporaryDirectory(prefix="nwho-test-") as name:
        rules, tests = Path(name) / "rules.yml", Path(name) / "tests.yml"
        rules.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": [
            {"record": f"panel:{number}", "expr": as_shown(query, ["edge", "core"])} for number, query in enumerate(queries)]}]}))
        promtool("check", "rules", rules)
        series = {'up{job="edge",instance="a"}': "1x9", 'up{job="core",instance="b"}': "0x9", 'up{job="node",instance="c"}': "0x9"}
        answer = [{"labels": '{job="core",instance="b"}', "value": 1}]
        for query, more in ((missed, []), (wrong, [{"labels": '{job="node",instance="c"}', "value": 1}])):
            tests.write_text(json.dumps({"tests": [{"interval": "1m", "input_series": [{"series": one, "values": values} for one, values in series.items()],
                                                    "promql_expr_test": [{"expr": as_shown(query, ["edge", "core"]), "eval_time": "5m", "exp_samples": answer + more}]}]}))
            promtool("test", "rules", tests)


@test
def what_there_is_not_would_be_seen():
    for wrong in ("rate(nwho_network_bytes_total[5m])", 'nwho_finding{pid="1"}', "sum by (peer) (nwho_finding)", "x:nwho_finding:sum"):
        try:
            check(wrong, samples(), wrong)
        except AssertionError:
            continue
        raise AssertionError(f"nobody noticed: {wrong}")


@test
def configurations_are_valid():
    promtool("check", "config", "prometheus.yml")
    promtool("check", "config", "--agent", "agent.yml")
    vmagent = shutil.which("vmagent")
    if not vmagent:
        skip("no vmagent: its configuration is not checked")
    subprocess.run([vmagent, "-promscrape.config=vmagent.yml", "-promscrape.config.strictParse", "-dryRun"], cwd=FILES, check=True, capture_output=True)


@test
def alerts_fire_when_they_should():
    promtool("check", "rules", "nwho.rules.yml", "nwho.alerts.yml")
    promtool("test", "rules", "nwho.tests.yml")
    text = (FILES / "nwho.tests.yml").read_text()
    for name in re.findall(r"alert: (\w+)", (FILES / "nwho.alerts.yml").read_text()):
        assert re.search(rf"alertname: {name}\s*\n\s*exp_alerts:", text), f"no test in which {name} fires"


run_tests(needs_root=False)
