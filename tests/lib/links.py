# SPDX-License-Identifier: MIT
"""Devices between namespaces."""
from live import skip


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
