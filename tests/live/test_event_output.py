# SPDX-License-Identifier: MIT
"""nwho events: control groups, a summary of very many processes, and an output that cannot be written."""
from cgroups import control_group
from following import follow, needs_bpf
from live import BUILD, netns, nwho, run_tests, skip, test


@test
def a_process_that_has_ended_has_its_unit():
    script = """
server = listener()
if os.fork() == 0:
    open(%r, "w").write(str(os.getpid()))
    c = socket.create_connection(server.getsockname())
    fact(c)
    print(json.dumps(facts), flush=True)
    os._exit(0)
ended(server.accept()[0])
os.wait()
os._exit(0)
"""
    with netns() as ns, control_group() as group:
        needs_bpf(ns)
        document, facts = follow(ns, script % str(group.procs), "-o", "+cgroup")
        rows = {row["direction"]: row for row in document["rows"] if row["event"] == "closed"}
        assert rows["out"]["pid"] == facts[0]["pid"] and rows["out"]["cgroup"] == group.path, rows
        assert rows["out"]["unit"] == group.unit and rows["out"]["container"] is None, rows
        assert rows["in"]["cgroup"] != group.path, rows


@test
def a_summary_has_a_bound_and_is_whole():
    script = """
for i in range(1100):
    open("/proc/self/comm", "w").write(f"name {i}")
    c = socket.socket()
    c.connect_ex(("127.0.0.1", 1))
    c.close()
"""
    with netns() as ns:
        needs_bpf(ns)
        document, _ = follow(ns, script, "--summary")
        assert len(document["rows"]) == 1100, len(document["rows"])
        rows = document["summary"]
        rest = [row for row in rows if row["others"]]
        assert len(rows) == 1001 and rows[-1:] == rest and rest[0]["process"] is None, rows[-3:]
        assert rest[0]["count"] == 100 and rest[0]["what"] == "refused", rest
        assert sum(row["count"] for row in rows) == 1100


@test
def words_are_what_people_write():
    script = "server = listener(); c, s = pair(server); fact(c); c.close(); ended(s); socket.socket().connect_ex(('127.0.0.1', 1))"
    with netns() as ns:
        needs_bpf(ns)
        for words, count in ((["in", "closed"], 1), (["out"], 3), (["closed", "and", "not", "ok"], 1)):
            document, facts = follow(ns, script, *words)
            assert len(document["rows"]) == count, (words, document["rows"])
        assert "taken for" in nwho(ns, "events", "failed", "--for", "0.05", expect=1).err
        for words in (["retransmitted"], ["closed", "or", "event", "retransmitted"]):
            assert "--retrans" in nwho(ns, "events", *words, "--for", "0.05", expect=1).err, words
        for words in (["retransmitted", "--retrans"], ["closed"], ["not", "retransmitted"]):
            assert "with --retrans" not in nwho(ns, "events", *words, "--for", "0.05", expect=1).err, words
        assert "-d SEC" in nwho(ns, "if", "util > 80", expect=1).err


@test
def an_output_that_cannot_be_written_is_told_as_elsewhere():
    with netns() as ns:
        for options in (["--json"], [], ["--csv"]):
            done, there = (ns.run(["sh", "-c", 'exec "$@" > /dev/full', "sh", BUILD / "nwho", *words, *options], expect=2)
                           for words in (["events", "--for", "0.05"], ["if"]))
            said = [line for line in done.err.splitlines() if "output" in line]
            assert said == there.err.splitlines(), (done, there)


run_tests()
