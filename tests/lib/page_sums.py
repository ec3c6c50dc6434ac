# SPDX-License-Identifier: MIT
"""The checksums of pages of a history, as src/store/page_sums.c has them: for files that a test has changed by SQL."""
import struct

MASK = (1 << 64) - 1
FREE_BYTES = 20  # where the head of the file says how many bytes of a page SQLite leaves free


def sum_of(page, number):
    """Of a page without its last eight bytes; NUMBER counts from 1 on."""
    total = number * 0x9e3779b97f4a7c15 & MASK
    for word, in struct.iter_unpack("<Q", page):
        total = (total ^ word) * 0xd6e8feb86659fd93 & MASK
        total ^= total >> 32
    return total | 3


def put_sums(path):
    """Nobody may have the file open, and it has no journal."""
    data = bytearray(path.read_bytes())
    size = struct.unpack_from(">H", data, 16)[0]
    assert data[FREE_BYTES] == 8, "it has no room for checksums"
    for begin in range(0, len(data), size):
        end = begin + size - 8
        struct.pack_into("<Q", data, end, sum_of(data[begin:end], begin // size + 1))
    path.write_bytes(data)
