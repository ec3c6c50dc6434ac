# SPDX-License-Identifier: MIT
"""The frozen scene: a namespace full of sockets in which nothing changes while two tools are compared.

Kernel timers that cannot be stopped (retransmissions, the 60 s of time-wait) are few, and the sockets are made anew
before the first of them ends one. What the sockets are is the text in SETS; see tests/helpers/README.md for the words.
"""
import contextlib
import ctypes
import os
import tempfile
import time
from pathlib import Path

import live

LIFETIME = 40  # seconds; time-wait lasts 60, a half-open request without answer longer (SYSCTLS)
SYSCTLS = ["net.ipv4.tcp_syn_retries=10", "net.ipv4.tcp_synack_retries=9", "net.ipv4.tcp_fin_timeout=600",
           "net.ipv4.tcp_orphan_retries=9", "net.ipv4.ping_group_range=0 65535", "net.ipv6.conf.default.accept_ra=0",
           "net.ipv6.conf.default.router_solicitations=0"]
AS_NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all"
HOSTS = """127.0.0.1 localhost
::1 localhost ip6-localhost
10.9.0.1 a-host-with-a-long-name.example.net longhost
10.9.0.2 short
fd00:9::1 six.example.net six
"""

# By the name of the program that makes them; a name longer than 15 bytes is cut in comm.
SETS = {
    "mksock": """
        established addr=127.0.0.1 port=22 reuseaddr=1 many=2 -- established addr=10.9.0.1 port=443 reuseaddr=1 many=3
        -- listening addr=0.0.0.0 port=22 reuseaddr=1 -- listening addr=10.9.0.1 port=443 reuseaddr=1 backlog=4096
        -- listening addr=0.0.0.0 port=80 pending=2 -- listening-dual port=3306 -- listening-v6only port=8080
        -- listening addr=127.0.0.53 port=53 dev=lo -- listening family=6 port=631 -- listening addr=fd00:9::1 port=993
        -- listening family=6 addr=fe80::9:1 iface=d0 port=5432 -- established family=6 addr=fe80::9:1 iface=d0 port=25
        -- listening addr=0.0.0.0 port=7000 dev=d0 mark=0x2a tos=16 -- unaccepted pending=3 backlog=2 -- bound-inactive
        -- syn-sent -- syn-recv -- established family=6 port=6379 keep-listener=1
        -- established addr=fd00:9:1234:5678:9abc:def0:1234:5678 port=12345 keep-listener=1
        -- unread recvq=4242 -- unsent sendq=1234 -- keepalive keepalive=7200 -- persist -- v4-mapped port=8443
        -- v4-mapped port=9443 keep-listener=1 -- established cc=reno tos=8 mark=7
        -- fin-wait-1 -- fin-wait-1 orphan=1 sendq=100 -- fin-wait-2 -- fin-wait-2 orphan=full -- time-wait
        -- time-wait addr=10.9.0.2 port=8081 -- time-wait family=6 -- close-wait recvq=10 -- last-ack -- last-ack orphan=1
        -- closing""",
    "dgram": """
        udp addr=0.0.0.0 port=68 dev=d0 -- udp addr=0.0.0.0 port=123 reuseaddr=1 -- udp addr=10.9.0.1 port=123 reuseaddr=1
        -- udp family=6 addr=:: port=123 v6only=1 -- udp family=6 addr=:: port=5353 -- udp addr=127.0.0.53 port=53
        -- udp family=6 addr=fe80::9:1 iface=d0 port=546 -- udp-connected addr=10.9.0.2 port=514 -- udp-connected recvq=100
        -- udp-connected family=6 -- udp-unbound -- udplite port=4000 -- udplite family=6 -- udplite-connected
        -- raw proto=1 -- raw proto=89 addr=10.9.0.1 -- raw proto=253 connected=1 addr=127.0.0.1 -- raw family=6 proto=58
        -- ping -- ping family=6""",
    "local": """
        unix-listening path=@DIR@/listen.sock pending=2 -- unix-listening type=seqpacket path=@DIR@/seq.sock
        -- unix-abstract abstract=nwho-compat-abstract -- unix-connected path=@DIR@/pair.sock recvq=7 -- unix-connected many=2 dir=@DIR@
        -- unix-connected type=seqpacket abstract=nwho-compat-seq -- unix-pair -- unix-pair type=dgram recvq=99
        -- unix-pair type=seqpacket -- unix-bound path=@DIR@/bound -- unix-dgram path=@DIR@/log -- unix-dgram-connected
        -- unix-dgram-connected recvq=33 -- unix-unbound -- unix-unbound type=dgram
        -- packet -- packet iface=lo type=dgram proto=0x800 -- packet iface=d0 proto=0
        -- netlink -- netlink protocol=15 groups=1 -- netlink protocol=9""",
    "multi": "mptcp-listening port=8000 -- mptcp-established port=8001 -- mptcp-listening family=6 addr=:: port=8002",
    "a-program-with-a-very-long-name": """
        shared-fork children=3 port=9000 -- dup count=3 port=9001 -- shared-threads threads=4 port=9002 name=worker
        -- private-table port=9003 name=private -- scm-received port=9004 keep=1 -- scm-in-flight port=9005""",
    "sshd: root": """
        listening port=9010 process=own -- listening port=9011 uid=65534 -- udp port=9012 uid=33 comm=nginx
        -- established port=9013 uid=33 comm=nginx keep-listener=1 -- unix-pair uid=65534
        -- listening port=9014 comm=exactly-15-char -- listening port=9015 uid=54321 comm=php-fpm7.4
        -- listening port=9016 exe=deleted""",
}
# Names that a terminal must not see; a scene of their own, because that is where we differ on purpose.
STRANGE_SETS = {
    "strange": """
        listening port=9100 comm=a)\\x20R\\x201\\x0a\\x1b[31m\\xff -- listening port=9101 comm=two\\x20words -- listening port=9102 comm=quote\\x22s\\x27b\\x5cc
        -- listening port=9103 comm=caf\\xc3\\xa9 -- listening port=9104 comm=\\xff\\xfe -- listening port=9105 comm=(paren
        -- listening port=9106 cmdline=empty -- unix-strange-path dir=@DIR@ -- unix-abstract-nul -- listening port=9107 comm=a\\x09b -- listening port=9108 comm=web)\\x20(srv
        -- unix-listening path=@DIR@/two\\x20words -- unix-listening path=@DIR@/caf\\xc3\\xa9
        -- unix-listening path=@DIR@/\\x1b[1mbold""",
    "\x1b[1mbold": "listening port=9120 -- unix-dgram path=@DIR@/\\x9b1m",
}


# --- entering ---

_libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18


def _check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _mount(source, target, flags):
    _check(_libc.mount(source.encode(), target.encode(), None, flags, None), f"mount {target}")


class Inside:
    """The network namespace, and a mount namespace with a hosts file of its own and no name server that answers."""

    def __init__(self, ns, directory):
        kinds = (("net", CLONE_NEWNET), ("mnt", CLONE_NEWNS))
        self.home = [(os.open(f"/proc/self/ns/{name}", os.O_RDONLY), kind) for name, kind in kinds]
        network = os.open(f"/run/netns/{ns.name}", os.O_RDONLY)
        _check(_libc.unshare(CLONE_NEWNS), "unshare")
        _mount("none", "/", MS_REC | MS_PRIVATE)
        for name, text in (("hosts", HOSTS), ("resolv.conf", "nameserver 127.0.0.1\noptions attempts:1 timeout:1\n")):
            (directory / name).write_text(text, encoding="ascii")
            _mount(str(directory / name), os.path.realpath(f"/etc/{name}"), MS_BIND)
        self.there = [(network, CLONE_NEWNET), (os.open("/proc/self/ns/mnt", os.O_RDONLY), CLONE_NEWNS)]
        self._go(self.home)

    @staticmethod
    def _go(where):
        cwd = os.getcwd()
        for fd, kind in where:
            _check(_libc.setns(fd, kind), "setns")
        os.chdir(cwd)

    @contextlib.contextmanager
    def __call__(self):
        self._go(self.there)
        try:
            yield
        finally:
            self._go(self.home)

    def close(self):
        for fd, _ in (*self.home, *self.there):
            os.close(fd)


# --- the scene ---

class Scene:
    """A namespace full of sockets; `variables` are for the command lines."""

    def __init__(self, ns, directory):
        self.ns = ns
        self.directory = directory
        self.inside = Inside(ns, directory)
        self.variables = {"DIR": str(directory / "files"), "TREE": str(directory / "proc"),
                          "DUMP": str(directory / "tcp.dump"), "NOBODY": AS_NOBODY}
        self.end = time.monotonic() + LIFETIME

    def fill(self, sets, stack):
        """Make the sockets; STACK lets them go."""
        Path(self.variables["DIR"]).mkdir()
        for name, text in sets.items():
            program = self.directory / name
            program.symlink_to(live.BUILD / "tests/helpers/mksock")
            words = text.replace("@DIR@", self.variables["DIR"]).split()
            facts = stack.enter_context(live.mksock(self.ns, *words, program=program))
            key = "".join(filter(str.isalpha, name)).upper()
            self.variables[f"PID_{key}"] = str(next(fact["pid"] for fact in facts if fact["pid"]))
        with self.inside():
            self._copy_proc()
            live.run(["ss", "-tan", "-D", self.variables["DUMP"]])

    def _copy_proc(self):
        """A tree for PROC_ROOT: the tables, and the processes by links."""
        tree = Path(self.variables["TREE"])
        (tree / "net").mkdir(parents=True)
        for name in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "unix", "packet", "netlink", "sockstat", "sockstat6",
                     "snmp"):
            with contextlib.suppress(FileNotFoundError):
                (tree / "net" / name).write_bytes(Path(f"/proc/thread-self/net/{name}").read_bytes())
        for name, pid in self.variables.items():
            if name.startswith("PID_"):
                (tree / pid).symlink_to(f"/proc/{pid}")


def set_up_interfaces(ns):
    for command in ("add d0 type veth peer name d1", "set d0 up addrgenmode none", "set d1 up addrgenmode none"):
        ns.run(["ip", "link", *command.split()])
    for address in ("10.9.0.1/24", "10.9.0.2/24", "fd00:9::1/64", "fd00:9:1234:5678:9abc:def0:1234:5678/64",
                    "fe80::9:1/64"):
        ns.add_address(address, "d0")
    for alias in ("10.9.0.3/24 brd + dev d0 label d0:1", "10.9.0.4/24 dev d0 label d0:1", "10.9.3.1/24 dev d0 label d0:10",
                  "10.9.4.1/32 dev d0 label d0:9", "127.0.0.3/8 dev lo label lo:nine"):
        ns.run(["ip", "address", "add", *alias.split()])
    for route in ("default via 10.9.0.254 metric 100", "192.0.2.0/24 via 10.9.0.253 mtu 1400 window 4000 rtt 300ms",
                  "blackhole 198.51.100.0/24", "unreachable 203.0.113.7", "default via fe80::1 dev d0 metric 1024",
                  "2001:db8::/32 via fd00:9::254", "unreachable 2001:db8:1::/48",
                  "203.0.113.128/25 via inet6 fd00:9::254 dev d0"):
        ns.run(["ip", "-6" if "::" in route and "inet6" not in route else "-4", "route", "add", *route.split()])


def set_up_long_name(ns):
    """The longest name that an interface can have; with counters above 0, for it says who it is (ARP) when it goes up."""
    ns.run(["ip", "link", "add", "a-15-byte-name0", "type", "veth", "peer", "name", "d2"])
    ns.run(["sysctl", "-qw", "net.ipv4.conf.a-15-byte-name0.arp_notify=1"])
    for command in ("link set d2 up addrgenmode none", "link set a-15-byte-name0 addrgenmode none",
                    "address add 10.9.15.1/24 dev a-15-byte-name0", "link set a-15-byte-name0 up"):
        ns.run(["ip", *command.split()])


@contextlib.contextmanager
def one_scene(strange):
    with live.netns(*SYSCTLS) as ns, tempfile.TemporaryDirectory(prefix="nwho-compat-") as name, \
            contextlib.ExitStack() as stack:
        set_up_interfaces(ns)
        if strange:
            set_up_long_name(ns)
        place = Scene(ns, Path(name))
        stack.callback(place.inside.close)
        place.fill(STRANGE_SETS if strange else SETS, stack)
        yield place


class Scenes:
    """Gives the current scene; a new one, with a namespace of its own, when it is too old for one more comparison."""

    def __init__(self, strange=False):
        self.strange = strange
        self._stack = contextlib.ExitStack()
        self._place = None

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._stack.close()

    def current(self):
        if not self._place or time.monotonic() > self._place.end:
            self._stack.close()
            self._place = self._stack.enter_context(one_scene(self.strange))
        return self._place
