"""Damage for files: bits, bytes, lengths, numbers and whole pieces, from one seeded generator."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable, Sequence

NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"255",
    b"65536",
    b"2147483648",
    b"99999999999999999999",
    b"nan",
    b"inf",
    b"1e308",
    b"1e-9",
)
Mutation = Callable[[random.Random, bytearray, Sequence[bytes]], None]


def _flip(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    place = rng.randrange(len(data) * 8)
    data[place // 8] ^= 1 << (place % 8)


def _byte(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, 0x20, 0x0A, rng.randrange(256)))


def _cut(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data)) :]


def _delete(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.randint(1, 8)]


def _repeat(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    start = rng.randrange(len(data))
    data[start:start] = data[start : start + rng.randint(1, 64)]


def _word(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    start = rng.randrange(len(data))
    value = rng.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x10000, len(data)))
    data[start : start + 4] = struct.pack(rng.choice("<>") + "I", value)


def _number(rng: random.Random, data: bytearray, _seeds: Sequence[bytes]) -> None:
    """Another number in place of one that is written in digits."""
    digits = [place for place, byte in enumerate(data[:4096]) if 0x30 <= byte <= 0x39]
    if digits:
        start = end = rng.choice(digits)
        while end < len(data) and 0x30 <= data[end] <= 0x39:
            end += 1
        data[start:end] = rng.choice(NUMBERS)


def _splice(rng: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = rng.choice(seeds)
    data[rng.randrange(len(data)) :] = other[rng.randrange(len(other)) :]


MUTATIONS: tuple[Mutation, ...] = (_flip, _byte, _byte, _cut, _delete, _repeat, _word, _number, _number, _splice)


def mutated(rng: random.Random, seeds: Sequence[bytes]) -> bytes:
    """A seed with one to four kinds of damage."""
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice((1, 1, 2, 4))):
        if data:
            rng.choice(MUTATIONS)(rng, data, seeds)
    return bytes(data)


def with_right_checksums(png: bytes) -> bytes:
    """A PNG whose chunks' checksums have been mended, so that damage gets past them."""
    data, offset = bytearray(png), 8
    while offset + 12 <= len(data):
        end = offset + 12 + int.from_bytes(data[offset : offset + 4], "big")
        if end > len(data):
            break
        data[end - 4 : end] = zlib.crc32(memoryview(data)[offset + 4 : end - 4]).to_bytes(4, "big")
        offset = end
    return bytes(data)
