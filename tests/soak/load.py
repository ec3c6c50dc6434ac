#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the soak test makes happen in its network namespace, until its input ends; then it says what that was.

Connections over the loopback device, short processes that have one each, interfaces and network namespaces: all of
them come and go. Everything is of processes called "soak-load".
"""
import ctypes
import json
import os
import select
import socket
import subprocess
import sys

TICK = 0.02  # seconds
CONNECTIONS = 4  # each tick
PROCESS_EVERY, NAMESPACE_EVERY, INTERFACE_EVERY = 5, 25, 50  # ticks
CLONE_NEWNET = 0x40000000

facts = {"connections": 0, "bytes": 0, "processes": 0, "namespaces": 0, "interfaces": 0}


def exchange(listener, size):
    """One connection with SIZE bytes to there and one back; its client ends it."""
    with socket.create_connection(listener.getsockname()) as client:
        server = listener.accept()[0]
        with server:
            client.sendall(b"x" * size)
            while size:
                size -= len(server.recv(size))
            server.sendall(b"y")
            client.recv(1)
            client.shutdown(socket.SHUT_WR)
            server.recv(1)


def short_process(work):
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return child


def short_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        exchange(listener, 77)


def short_namespace():
    ctypes.CDLL(None).unshare(CLONE_NEWNET)
    with socket.create_server(("0.0.0.0", 8080)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind(("0.0.0.0", 5353))
        select.select([], [], [], 10 * TICK)


def ip(*words):
    subprocess.run(["ip", "link", *words], check=True)


def other_interface(number):
    if number:
        ip("delete", f"soak{number - 1}")
    ip("add", f"soak{number}", "type", "veth", "peer", "name", f"peer{number}")
    ip("set", f"soak{number}", "up")


def tick(number, listener, children):
    for i in range(CONNECTIONS):
        size = 1 + (number * CONNECTIONS + i) % 5000
        exchange(listener, size)
        facts["connections"] += 1
        facts["bytes"] += size + 1
    if number % PROCESS_EVERY == 0:
        children.append(short_process(short_connection))
        facts["processes"] += 1
        facts["connections"] += 1
        facts["bytes"] += 78
    if number % NAMESPACE_EVERY == 0:
        children.append(short_process(short_namespace))
        facts["namespaces"] += 1
    if number % INTERFACE_EVERY == 0:
        other_interface(facts["interfaces"])
        facts["interfaces"] += 1
    children[:] = [child for child in children if os.waitpid(child, os.WNOHANG)[0] == 0]


def main():
    with open("/proc/self/comm", "w", encoding="ascii") as comm:
        comm.write("soak-load")
    children, number = [], 0
    with socket.create_server(("127.0.0.1", 0)) as listener:
        while not select.select([sys.stdin], [], [], TICK)[0]:
            tick(number, listener, children)
            number += 1
    for child in children:
        os.waitpid(child, 0)
    print(json.dumps(facts), flush=True)


main()
