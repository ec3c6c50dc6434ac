# SPDX-License-Identifier: MIT
"""What mksock says about sockets, and what the program says about them, in one form that can be compared.

A row of the program becomes a dict of column -> value whatever format it came from: numbers are ints, texts are bytes
(the escapes undone), unknown is None, owners are a set of (pid, fd). A fact of mksock becomes the same (`expected`), with
only the columns in it that mksock knows.
"""
import csv
import functools
import io
import ipaddress
import json
import re

from live import BUILD, nwho, run

BPF = "bpf,sock_diag,proc_net,proc_fd"
DIAG = "sock_diag,proc_net,proc_fd"
PROC = "proc_net,proc_fd"

NUMBERS = {"recv_q", "send_q", "local_port", "peer_port", "inode", "cookie", "uid", "pid", "tid", "fd", "backlog",
           "mark", "peer_inode", "netns_inode", "protocol", "accept_queue", "syn_queue"}
BOOLEANS = {"v6only"}
LISTS = {"owners"}

# Columns that have a truth. Those that may contain blanks stand last in the text form, one at a time.
COLUMNS = ["cookie", "proto", "family", "type", "state", "recv_q", "send_q", "local_addr", "local_port", "peer_addr",
           "peer_port", "iface", "netns", "netns_inode", "inode", "uid", "pid", "fd", "v6only", "mark", "cc", "timer",
           "backlog", "shutdown", "peer_inode", "protocol"]
BLANK_COLUMNS = ["path", "process", "cmdline", "exe", "owners", "owner_note"]
ALL_COLUMNS = COLUMNS + BLANK_COLUMNS

_NAMED = {"n": b"\n", "t": b"\t", "e": b"\x1b", "\\": b"\\"}


def unescape(text):
    """The bytes that were escaped for text, JSON or CSV."""
    parts = re.split(r"(\\x[0-9a-f]{2}|\\.)", text)
    return b"".join(bytes([int(part[2:], 16)]) if part.startswith("\\x") else
                    _NAMED[part[1:]] if part.startswith("\\") else part.encode() for part in parts)


@functools.cache
def has_bpf():
    """True when this build and this machine can use BPF."""
    return "bpf" in json.loads(nwho(None, "ls", "--sources", BPF, "--json", expect=(0, 1)).out)["sources"].get("tcp", "")


def all_sources():
    """The ladder from each of its rungs."""
    return (BPF, DIAG, PROC) if has_bpf() else (DIAG, PROC)


def is_supported(situation):
    """True when this kernel has such a socket."""
    return run([BUILD / "tests/helpers/mksock", situation], expect=(0, 77)).rc == 0


def situations():
    """All that mksock can make."""
    lines = run([BUILD / "tests/helpers/mksock", "--list"]).out.splitlines()
    return [line.split()[0] for line in lines]


# --- what the program says ---

def _owners_of_text(text):
    """Pairs of "name(pid,fd)"; the name may contain anything."""
    return {(int(pid), int(fd)) for pid, fd in re.findall(r"\((\d+),(\d+)\)(?=[ ;]|$)", text)}


def _value(column, text, unknown):
    """The value of a cell of text or CSV. Both write an empty list as what is unknown."""
    if text == unknown:
        return set() if column in LISTS else None
    if text == '""':
        return b""
    if column in NUMBERS:
        return int(text, 0)
    if column in BOOLEANS:
        return {"yes": True, "true": True, "no": False, "false": False}[text]
    if column in LISTS:
        return _owners_of_text(text)
    return unescape(text)


def rows_of_json(out):
    """Rows of a JSON document or of its parsed form."""
    rows = (json.loads(out) if isinstance(out, str) else out)["rows"]
    return [{key: unescape(value) if isinstance(value, str) else
             {(owner["pid"], owner["fd"]) for owner in value} if isinstance(value, list) else value
             for key, value in row.items()} for row in rows]


def rows_of_csv(out):
    """Rows of CSV with its header; an unknown field is empty, an empty text is "" in quotes."""
    header, rest = out.split("\n", 1)
    fields = header.split(",")
    # The csv module does not tell "" from nothing: what is quoted gets a mark first.
    marked = re.sub(r'(?:(?<=,)|(?<=\n)|^)""(?=,|\n|$)', '"\x02"', rest)
    records = csv.reader(io.StringIO(marked, newline=""), strict=True)
    return [{name: _value(name, '""' if cell == "\x02" else cell, "") for name, cell in zip(fields, record, strict=True)}
            for record in records]


def rows_of_text(out, columns):
    """Rows of text without a header; only the last of COLUMNS may contain blanks."""
    rows = []
    for line in out.splitlines():
        cells = line.strip().split(None, len(columns) - 1)
        assert len(cells) == len(columns), (line, columns)
        rows.append({name: _value(name, cell, "-") for name, cell in zip(columns, cells)})
    return rows


def index(rows):
    """Finds the row of a fact: by cookie, else by inode, else by both ends (what only /proc/net knows)."""
    found = {}
    for row in rows:
        if row.get("cookie"):
            keys = [("cookie", row["cookie"])]
        elif row.get("inode"):
            keys = [("inode", row["inode"])]
        else:
            keys = [_ends(row)]
        for key in keys:
            assert key not in found, f"twice: {row}"
            found[key] = row
    return found


def _ends(row):
    return ("ends", row["proto"], row["local_addr"], row["local_port"], row["peer_addr"], row["peer_port"])


def find(found, fact):
    """The row of FACT in what index() made, or None."""
    want = expected(fact)
    return (found.get(("cookie", fact["cookie"])) or found.get(("inode", fact["inode"]))
            or (found.get(_ends(want)) if fact["local_addr"] and fact["peer_addr"] else None))


# --- what is true ---

def _path(text):
    """An abstract name begins with @ instead of the NUL."""
    name = unescape(text)
    return b"@" + name[1:] if name.startswith(b"\0") else name


def _owner_note(fact):
    note = fact["owner_note"]
    if note == "accept-queue":
        word = "handshake" if fact["state"] == "syn-recv" else "accept-queue"
        return f"{word} of mksock({fact['queue_pid']})".encode()
    return note.encode() if note else None


def _inet(fact):
    """Columns that only internet sockets have."""
    if fact["family"] not in ("inet", "inet6"):
        return {"local_addr": None, "local_port": None, "peer_addr": None, "peer_port": None}
    want = {}
    for side in ("local", "peer"):
        address, port = fact[side + "_addr"], fact[side + "_port"]
        if address is not None:
            want[side + "_addr"] = str(ipaddress.ip_address(address)).encode()
            if fact["proto"] != "raw":
                want[side + "_port"] = port or None
    if isinstance(ipaddress.ip_address(fact["local_addr"]), ipaddress.IPv6Address):
        for side in ("local", "peer"):
            address = fact[side + "_addr"]
            if address and ipaddress.ip_address(address).ipv4_mapped:
                want[side + "_addr"] = f"::ffff:{ipaddress.ip_address(address).ipv4_mapped}".encode()
    return want


def _names(fact):
    """Columns of the main owner, where mksock is it itself."""
    want = {}
    if "process" in fact and fact["holders"] and fact["pid"] == min(h["pid"] for h in fact["holders"]):
        want["process"] = unescape(fact["process"])
        want["exe"] = unescape(fact["exe"]).removesuffix(b" (deleted)")
        want["cmdline"] = unescape(fact["cmdline"]).rstrip(b"\0").replace(b"\0", b" ") or None
    return want


def _owner(fact):
    if fact["inode"] is None:  # a subflow is held through its MPTCP socket
        return {}
    if not fact["holders"]:
        return {"owners": set(), "pid": None, "fd": None, "owner_note": _owner_note(fact)}
    main = min((holder["pid"], holder["fd"]) for holder in fact["holders"])
    return {"owners": {(holder["pid"], holder["fd"]) for holder in fact["holders"]}, "pid": main[0], "fd": main[1],
            "owner_note": None}


def expected(fact):
    """Column -> value for everything that mksock knows about a socket."""
    want = {**_inet(fact), **_owner(fact), **_names(fact)}
    for name in ("recv_q", "send_q", "backlog", "uid", "cookie", "mark", "peer_inode"):
        if fact[name] is not None:
            want[name] = fact[name]
    for name in ("proto", "family", "type", "state", "cc", "timer"):
        if fact[name] is not None:
            want[name] = fact[name].encode()
    if fact["proto"] == "sctp":
        want["type"] = None  # it has two, of which sock_diag does not tell
    if fact["v6only"] is not None:
        want["v6only"] = bool(fact["v6only"])
    if fact["inode"] is not None:
        want["inode"] = fact["inode"] or None
    if fact["fd"] is not None:
        want["iface"] = fact["iface"].encode() if fact["iface"] else None
    if fact["family"] == "unix":
        want["path"] = _path(fact["path"]) if fact["path"] is not None else None
    if fact["shutdown"] is not None:
        want["shutdown"] = (b"none", b"receive", b"send", b"both")[fact["shutdown"]]
    for name in ("packet_protocol", "netlink_protocol", "ip_protocol"):
        if fact[name] is not None and fact["proto"] in ("packet", "netlink", "raw"):
            want["protocol"] = fact[name]
    if "netns" in fact:
        want["netns_inode"] = fact["netns"]
    return want


def differences(want, row):
    """Lines "column: truth ..., nwho ..." of what differs, for the columns that both have."""
    return [f"{name}: truth {value!r}, nwho {row[name]!r}"
            for name, value in want.items() if name in row and row[name] != value]


def title(fact):
    return f"{fact['situation']} ({fact['role']}, {fact['proto']}, {fact['state']})"
