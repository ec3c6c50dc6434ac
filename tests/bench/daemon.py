# SPDX-License-Identifier: MIT
"""What nwho serve takes with everything on, at a thousand connections a second, scraped and with its page open; and what a scrape of
a busy host takes."""
import contextlib
import ctypes
import os
import shutil
import statistics
import subprocess
import threading
import time
from pathlib import Path

from browser import browser
from goals import report, verdict
from history import cpu_of
from live import BUILD, PATIENCE, netns, wait_for
from recorder import directory
from served import ACCEPT, served
from traffic import running

STEADY = BUILD / "tests/bench/steady"
RATE = 1000  # connections a second; both ends of each are here
EVERY = 10  # seconds, as is usual
SCRAPE = 15
MOST = 20000  # connections a second that are wanted, where it is told what as many take as there can be
SECONDS = 120  # of measuring
CPU, MEMORY = 0.01, 60e6
PROGRAMS, SOCKETS = 300, 10000
SCRAPE_TIME, SCRAPE_BYTES = 0.020, 200e3
SCRAPES = 11
FIRST_PORT = 1000
CLONE_NEWNET = 0x40000000
TICK = 1 / os.sysconf("SC_CLK_TCK")
PROMETHEUS = {"Accept": ACCEPT, "Accept-Encoding": "gzip", "User-Agent": "Prometheus/2.42.0", "X-Prometheus-Scrape-Timeout-Seconds": "10"}


@contextlib.contextmanager
def inside(ns):
    """This thread, and what it starts, is in the namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", encoding="ascii") as before, open(f"/run/netns/{ns.name}", encoding="ascii") as there:
        if libc.setns(there.fileno(), CLONE_NEWNET) < 0:
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(before.fileno(), CLONE_NEWNET)


@contextlib.contextmanager
def again_and_again(pause, work):
    """WORK is done by a thread, with pauses, until the block ends."""
    over, failed = threading.Event(), []

    def go_on():
        try:
            while not over.wait(pause):
                work()
        except Exception as error:  # pylint: disable=broad-except
            failed.append(error)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]


# --- a thousand connections a second ---

def cpu_of_children(pid):
    """Seconds of those that have ended and were waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) * TICK


def cpu_by_part(server):
    """Seconds by what took them."""
    recorder, asker, answerer, reader = server.processes()
    return {"recorder": cpu_of(recorder), "its readings for the page": cpu_of(reader) + cpu_of_children(reader), "answers of the API": cpu_of(asker) + cpu_of_children(asker),
            "HTTP": cpu_of(answerer)}


def family(pid):
    """The process and all below it."""
    with contextlib.suppress(OSError):
        yield pid
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
            yield from family(int(child))


def memory_of(pid):
    """Bytes in memory, of what is shared its part."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
    return 0


def memory_of_maps(pid):
    """Bytes of memory of the kernel that its BPF maps have."""
    maps = {}
    for file in Path(f"/proc/{pid}/fdinfo").iterdir():
        with contextlib.suppress(OSError):
            fields = dict(line.split(":", 1) for line in file.read_text(encoding="ascii").splitlines() if ":" in line)
            if "map_id" in fields:
                maps[fields["map_id"]] = int(fields["memlock"])
    return sum(maps.values())


@contextlib.contextmanager
def opened_page(server, wanted):
    """As somebody leaves it open. Gives whether it is."""
    if not (wanted and shutil.which("chromium") and shutil.which("chromedriver")):
        yield False
        return
    with browser() as page:
        page.open(f"http://127.0.0.1:{server.address[1]}/")
        wait_for(lambda: page.run("return performance.getEntriesByName('nwho-loaded').length"), timeout=PATIENCE, what="the page")
        yield True


def daemon_lines(place, seconds, page, rate=RATE, goal=True):
    """Rows of the table."""
    sizes = []
    with netns() as ns, inside(ns), running(ns, [STEADY, "rate", rate]) as load, served(place, every=EVERY) as server, \
            opened_page(server, page) as has_page, \
            again_and_again(SCRAPE, lambda: server.get(**PROMETHEUS)), \
            again_and_again(0.2, lambda: sizes.append(sum(map(memory_of, family(server.child.pid))))):
        time.sleep(2 * EVERY if seconds > EVERY else 1)  # what is done once is over
        before, began = cpu_by_part(server), time.monotonic()
        time.sleep(seconds)
        after, length = cpu_by_part(server), time.monotonic() - began
        maps = memory_of_maps(server.child.pid)
        load.stdin.close()
        made, took = map(float, load.stdout.readline().split())
    if made / took < 0.95 * rate:
        raise RuntimeError(f"{made / took:.0f} connections a second instead of {rate}")
    parts = {name: (after[name] - before[name]) / length for name in before}
    what = f"{rate} connections a second, scraped each {SCRAPE} s{', its page open' if has_page else ''}"
    total, most = sum(parts.values()), max(sizes)
    return [[f"{what}: CPU of all processes of nwho serve", f"{total:.2%}", *([f"<= {CPU:.0%}", verdict(total <= CPU)] if goal else ["-", "-"])],
            *([f"of that {name}", f"{share:.2%}", "-", "-"] for name, share in parts.items() if share >= 0.0001),
            [f"{what}: their memory at most", f"{most / 1e6:.1f} MB", *([f"<= {MEMORY / 1e6:.0f} MB", verdict(most <= MEMORY)] if goal else ["-", "-"])],
            ["beside that its maps in the kernel", f"{maps / 1e6:.1f} MB", "-", "-"]]


def busiest_lines(place, seconds):
    """Rows of the table: as many connections as the machine makes beside the recorder. It has no goal: a share of what is left is none."""
    with netns() as ns, inside(ns), running(ns, [STEADY, "rate", MOST]) as load, served(place, every=EVERY) as server:
        time.sleep(2 * EVERY if seconds > EVERY else 1)
        before, began = cpu_by_part(server), time.monotonic()
        counted = opened_connections(ns)
        time.sleep(seconds)
        after, length = cpu_by_part(server), time.monotonic() - began
        made = opened_connections(ns) - counted
        load.stdin.close()
        load.stdout.readline()
    took = sum(after[name] - before[name] for name in before)
    what = f"as many connections as there can be, {made / length:.0f} a second of {MOST}"
    return [[f"{what}: CPU of all processes of nwho serve", f"{took / length:.2%}", "-", "-"],
            ["of that a thousand connections take", f"{took / made * 1e6:.2f} ms", "-", "-"]]


def opened_connections(ns):
    """Connections that clients of the namespace have begun."""
    names, values = [line.split() for line in ns.run(["cat", "/proc/net/snmp"]).out.splitlines() if line.startswith("Tcp:")]
    return int(values[names.index("ActiveOpens")])


# --- a scrape ---

@contextlib.contextmanager
def programs(ns, place, count, sockets):
    """So many programs under names of their own, which all listen, and hold and use so many sockets together."""
    place.mkdir()
    children = []
    try:
        for i in range(count):
            name = place / f"program-{i}"
            os.link(STEADY, name) if STEADY.stat().st_dev == place.stat().st_dev else shutil.copy(STEADY, name)
            children.append(ns.popen([name, "hold", FIRST_PORT + i, sockets // count // 2], stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        for child in children:
            if child.stdout.readline() != b"ready\n":
                raise RuntimeError("steady did not get ready")
        yield
    finally:
        for child in children:
            child.stdin.close()
        for child in children:
            child.wait(PATIENCE)
            child.stdout.close()


def timed(server, accept):
    """(seconds, bytes) of one scrape, of another tick than the one before: the text is made for it."""
    time.sleep(1)
    began = time.monotonic()
    status, _, body = server.get(Accept=accept)
    took = time.monotonic() - began
    if status != 200:
        raise RuntimeError(f"/metrics: {status}")
    return took, len(body.encode())


def scrape_lines(place, count, sockets, scrapes):
    """Rows of the table."""
    lines = []
    with netns() as ns, inside(ns), programs(ns, place / "programs", count, sockets), served(place) as server:
        groups = 0.8 * min(count, 100)  # other programs of the machine may have had room first
        wait_for(lambda: len(server.values("nwho_process_tcp_rtt_seconds_count", "process_executable_name")) >= groups, what="groups")
        for form, accept in (("OpenMetrics", ACCEPT), ("text 0.0.4", "text/plain")):
            found = [timed(server, accept) for _ in range(scrapes)]
            took, size = statistics.median(column[0] for column in found), max(column[1] for column in found)
            what = f"a scrape of a host with {sockets} sockets and {count} programs, {form}"
            lines += [[what, f"{took * 1000:.1f} ms", f"<= {SCRAPE_TIME * 1000:.0f} ms", verdict(took <= SCRAPE_TIME)],
                      [f"{what}: size", f"{size / 1000:.1f} kB", f"<= {SCRAPE_BYTES / 1000:.0f} kB", verdict(size <= SCRAPE_BYTES)]]
    return lines


def bench(args):
    """Prints the table; gives whether all goals are met. Short: only whether it runs."""
    with directory() as place:
        if not (BUILD / "tests/bench/history").exists():
            print("daemon: skipped, built without SQLite", flush=True)
            return True
        if args.short:
            daemon_lines(place, 1, False)
            busiest_lines(place, 1)
            scrape_lines(place, 4, 40, 1)
            print("daemon: ok", flush=True)
            return True
        # The clients of a server are elsewhere: half as many here are as many ends as it has.
        lines = daemon_lines(place, SECONDS, True) + daemon_lines(place, SECONDS, False) + \
            daemon_lines(place, SECONDS, False, RATE // 2, goal=False) + busiest_lines(place, SECONDS)
        lines += scrape_lines(place, PROGRAMS, SOCKETS, args.runs or SCRAPES)
    return report("daemon: nwho serve with everything on", lines, args.markdown)
