# SPDX-License-Identifier: MIT
"""Devices between namespaces, and rules for what goes through them."""
import tempfile

from live import skip

TRACKING = """
add table ip t
add chain ip t in { type filter hook input priority 0; }
add rule ip t in ct state new accept
"""


def ip(ns, words):
    ns.run(["ip", *words.split()])


def pair(one, name, other, peer):
    """A veth device in each, up, that sends nothing of its own accord."""
    if one.run(["ip", "link", "add", name, "type", "veth", "peer", "name", peer, "netns", other.name], None).rc != 0:
        skip("this kernel has no veth devices")
    for ns, device in ((one, name), (other, peer)):
        ns.run(["sh", "-c", f"echo 0 > /proc/sys/net/ipv6/conf/{device}/router_solicitations"], None)
        ip(ns, f"link set {device} addrgenmode none")
        ip(ns, f"link set {device} up")


def nft(ns, rules):
    with tempfile.NamedTemporaryFile("w", suffix=".nft") as file:
        file.write(rules)
        file.flush()
        ns.run(["nft", "-f", file.name])


def track(ns):
    """A rule that asks for the state of connections makes the kernel track all of IPv4."""
    nft(ns, TRACKING)
