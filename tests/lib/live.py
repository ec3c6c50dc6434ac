# SPDX-License-Identifier: MIT
"""Harness of the live tests: sockets in network namespaces of their own, the program, and TAP output.

    from live import mksock, netns, nwho_json, run_tests, test

    @test
    def listener_has_its_owner():
        with netns() as ns, mksock(ns, "listen") as facts:
            rows = nwho_json(ns, "ls", "-l")["rows"]
            assert rows[0]["pid"] == facts[0]["pid"]

    run_tests()

NWHO_BUILD and NWHO_SOURCE name the build and the source directory. Every test needs root, else all are skipped.
"""
import atexit
import contextlib
import hashlib
import json
import os
import pwd
import select
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(os.environ.get("NWHO_SOURCE", Path(__file__).resolve().parents[2]))
BUILD = Path(os.environ.get("NWHO_BUILD", SOURCE / "build"))
# Seconds until a state that does not come is a failure; never a wait of this length. On a slow machine that has much
# else to do one command of many readings takes more than a minute. More where a machine is emulated.
PATIENCE = int(os.environ.get("NWHO_PATIENCE", "120"))
KERNEL = tuple(map(int, os.uname().release.split(".")[:2]))  # (6, 1): what older ones lack is not asked of them

_tests = []
_namespaces = []  # those to remove, newest last
_current = "setup"
_count = 0


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


def skip(reason):
    raise Skip(reason)


def test(function):
    """Register FUNCTION as one subtest."""
    _tests.append(function)
    return function


# --- processes ---

@dataclass
class Result:
    """What a program did: exit status and text (bytes that are no UTF-8 become surrogates)."""
    rc: int
    out: str
    err: str


def _finish(command, expect, **options):
    done = subprocess.run([str(word) for word in command], stdin=options.pop("stdin", subprocess.DEVNULL),
                          capture_output=True, timeout=options.pop("timeout", PATIENCE), check=False, **options)
    result = Result(done.returncode, *(part.decode("utf-8", "surrogateescape") for part in (done.stdout, done.stderr)))
    allowed = expect if isinstance(expect, (tuple, set)) else (expect,)
    if expect is not None and result.rc not in allowed:
        raise AssertionError(f"{' '.join(map(str, command))}\nexit status {result.rc}, expected {expect}\n"
                             f"stdout: {result.out[-2000:]}\nstderr: {result.err[-2000:]}")
    return result


def run(command, expect=0, **options):
    """Run COMMAND outside of all namespaces. expect: status, set of statuses, or None for any."""
    return _finish(command, expect, **options)


def wait_for(predicate, timeout=PATIENCE, what=None):
    """Ask PREDICATE until it gives something true, and return that."""
    deadline = time.monotonic() + timeout
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or getattr(predicate, '__name__', predicate)}")
        time.sleep(0.01)


# --- namespaces ---

class Namespace:
    """A network namespace that has nothing but `lo`."""

    def __init__(self, name):
        self.name = name
        self.children = []  # started by popen(); one may not have entered the namespace yet when it goes

    def marker(self):
        """In the environment of everything that is started in here."""
        return f"NWHO_TEST_NETNS={self.name}"

    def owns(self, pid):
        """Whether PID was started in here. An nwho of another test that looks at all namespaces only passes through."""
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False
        return self.marker().encode() in environment.split(b"\0")

    def prefix(self, user=None):
        """The words before a command to run it in here. /proc and /sys stay the machine's own; see `ip netns exec`."""
        words = ["env", self.marker(), "nsenter", f"--net=/run/netns/{self.name}"]
        if user is not None:
            entry = pwd.getpwnam(user)
            words += ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups",
                      "--inh-caps=-all"]
        return words

    def run(self, command, expect=0, user=None, **options):
        return _finish([*self.prefix(user), *command], expect, **options)

    def popen(self, command, user=None, **options):
        child = subprocess.Popen([*self.prefix(user), *map(str, command)], **options)
        self.children.append(child)
        return child

    def inode(self):
        return os.stat(f"/run/netns/{self.name}").st_ino

    def add_address(self, address, device="lo"):
        """ADDRESS with its prefix length; usable when this returns (the kernel makes IPv6 routes a little later)."""
        v6 = ["nodad"] if ":" in address else []
        self.run(["ip", "addr", "add", address, "dev", device, *v6])
        host = address.partition("/")[0]
        wait_for(lambda: self.run(["ip", "route", "show", "table", "local", host] if not v6 else
                                  ["ip", "-6", "route", "show", "table", "local", host]).out.strip(),
                 what=f"route to {address}")

    def remove(self):
        for child in self.children:
            child.kill()  # does nothing to one that was waited for
            child.wait()
        pids = subprocess.run(["ip", "netns", "pids", self.name], capture_output=True, text=True, check=False).stdout
        for pid in filter(self.owns, map(int, pids.split())):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", self.name], stderr=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def netns(*sysctls, inside=None):
    """A new namespace, `lo` up; SYSCTLS like "net.ipv4.tcp_fin_timeout=5" are set in it. Removed at exit.

    INSIDE: the namespace to make it from, whose net.ipv4.tcp_child_ehash_entries decides how its TCP table is made.
    """
    global _count
    _count += 1
    digest = hashlib.sha256(f"{sys.argv[0]} {_current}".encode()).hexdigest()[:8]
    ns = Namespace(f"nwho-{digest}-{os.getpid()}-{_count}")
    _namespaces.append(ns)
    try:
        run([*(inside.prefix() if inside else []), "ip", "netns", "add", ns.name])
        ns.run(["ip", "link", "set", "lo", "up"])
        for setting in sysctls:
            name, value = setting.split("=", 1)
            ns.run(["sh", "-c", 'echo "$1" > "$2"', "sh", value, "/proc/sys/" + name.replace(".", "/")])
        yield ns
    finally:
        ns.remove()
        _namespaces.remove(ns)


@atexit.register
def _remove_namespaces():
    for ns in reversed(_namespaces):
        ns.remove()


# --- the helper that makes sockets, and the program ---

def _read_facts(process):
    """The JSON objects the helper prints before its line `ready`."""
    facts, rest = [], b""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not select.select([process.stdout], [], [], deadline - time.monotonic())[0]:
            break
        chunk = os.read(process.stdout.fileno(), 65536)
        if not chunk:
            raise AssertionError(f"mksock ended before `ready`, status {process.wait()}")
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.strip() == b"ready":
                return facts
            facts.append(json.loads(line))
            if "ready" in facts[-1]:
                return facts[:-1]
    raise AssertionError(f"mksock was not ready within {PATIENCE} s")


@contextlib.contextmanager
def mksock(ns, *situation, user=None, program=None):
    """Sockets in exactly one SITUATION, as long as the block runs; gives what the helper says about them.

    PROGRAM: a link to the helper, for processes of another name.
    """
    process = ns.popen([program or BUILD / "tests/helpers/mksock", *situation], user, stdin=subprocess.PIPE,
                       stdout=subprocess.PIPE)
    try:
        yield _read_facts(process)
    finally:
        process.stdin.close()  # asks it to end
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def nwho(ns, *args, expect=0, user=None, env=None, **options):
    """Run the program in NS (None: outside); gives its Result. ENV is added to the environment."""
    command = [BUILD / "nwho", *args]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "LANGUAGE": "", **(env or {})}
    if ns is None:
        return _finish(command, expect, env=environment, **options)
    return ns.run(command, expect, user, env=environment, **options)


def nwho_json(ns, *args, **options):
    """The document that `nwho ARGS --json` prints."""
    return json.loads(nwho(ns, *args, "--json", **options).out)


# --- running ---

def _on_signal(number, _frame):
    sys.exit(128 + number)  # unwinds the blocks, so that the namespaces go


def _run_one(number, function):
    """Run one test; gives its TAP line."""
    global _current
    _current = name = function.__name__
    try:
        function()
    except Skip as reason:
        return f"ok {number} - {name} # SKIP {reason}"
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        return f"not ok {number} - {name}"
    return f"ok {number} - {name}"


def run_tests(needs_root=True):
    """Run the registered tests (those named on the command line, else all), and exit."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _on_signal)
    if needs_root and os.geteuid() != 0:
        print("1..0 # SKIP needs root for network namespaces")
        sys.exit(0)
    chosen = [function for function in _tests if not sys.argv[1:] or function.__name__ in sys.argv[1:]]
    print(f"1..{len(chosen)}", flush=True)
    failed = 0
    for number, function in enumerate(chosen, 1):
        line = _run_one(number, function)
        failed += line.startswith("not ")
        print(line, flush=True)
    sys.exit(1 if failed else 0)
