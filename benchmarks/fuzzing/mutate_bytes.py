"""Mutations of any bytes: what broken disks, broken downloads and hostile people make of files."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

MAX_BYTES = 1 << 20  # a mutation that repeats parts does not grow an input beyond this
INTERESTING = (0, 1, 2, 9, 10, 13, 32, 34, 39, 44, 47, 58, 91, 92, 93, 123, 125, 127, 128, 254, 255)
TOKENS = (
    *(b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc3\x28", b"\n", b"\r", b"\t"),
    *(
        b"\x1b[31m",
        b"{}",
        b"[]",
        b'"',
        b"\\",
        b"NaN",
        b"-1",
        b"1e999",
        b"9" * 5000,
        b"%s%n",
        b"../",
    ),
    b"[" * 3000,
)


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """Return the bytes with one mutation.

    Args:
        data: any bytes.
        rng: chooses the mutation and its place.
    """
    return rng.choice(MUTATIONS)(data, rng)


def _span(data: bytes, rng: Random) -> tuple[int, int]:
    """Return start and end of a part, mostly a short one."""
    start = rng.randrange(len(data) + 1)
    length = rng.choice((1, 2, 4, 8, 16, 64, len(data)))
    return start, min(len(data), start + rng.randint(1, max(1, length)))


def _flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data or b"\x00")
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _replace(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data or b"\x00")
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[rng.randrange(len(changed))] = rng.choice(INTERESTING)
    return bytes(changed)


def _truncate(data: bytes, rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _cut(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _duplicate(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng)
    times = min(rng.choice((1, 2, 50)), MAX_BYTES // max(1, end - start))
    return data[:end] + data[start:end] * times + data[end:]


def _splice(data: bytes, rng: Random) -> bytes:
    """Copy one part over another place."""
    start, end = _span(data, rng)
    place = rng.randrange(len(data) + 1)
    return data[:place] + data[start:end] + data[place + end - start :]


def _insert(data: bytes, rng: Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.choice(TOKENS) + data[place:]


def _insert_noise(data: bytes, rng: Random) -> bytes:
    place = rng.randrange(len(data) + 1)
    return data[:place] + rng.randbytes(rng.randint(1, 32)) + data[place:]


def _fill(data: bytes, rng: Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + rng.choice((b"\x00", b"\xff")) * (end - start) + data[end:]


def _number(data: bytes, rng: Random) -> bytes:
    """Write a number of 2, 4 or 8 bytes somewhere, at the edge of what it can hold."""
    size = rng.choice((2, 4, 8))
    top = 1 << (8 * size)
    value = rng.choice((0, 1, top - 1, top // 2, top // 2 - 1, top // 4, 20000, 65536)) % top
    place = rng.randrange(len(data) + 1)
    written = value.to_bytes(size, rng.choice(("little", "big")))
    return data[:place] + written + data[place + size :]


def _noise_alone(data: bytes, rng: Random) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 8, 100)))


MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_flip, _flip, _replace, _replace, _truncate, _cut, _duplicate, _splice),
    *(_insert, _insert, _insert_noise, _fill, _number, _number, _noise_alone),
)
