"""Mutations of image files: chunks of PNG with right checksums, segments of JPEG, any bytes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from random import Random

from .mutate_bytes import mutate_bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDES = (0, 1, 2, 3, 100, 4000, 65535, 2**31 - 1, 2**31, 2**32 - 1)
EXTRA_CHUNKS = (
    (b"zTXt", b"a\x00\x00" + zlib.compress(b"x" * 1_000_000)),
    (b"iCCP", b"a\x00\x00" + zlib.compress(b"x" * 1_000_000)),
    (b"eXIf", b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"),
    (b"acTL", struct.pack(">II", 2**31, 0)),
    (b"fcTL", struct.pack(">IIIIIHHBB", 0, 10, 10, 2**31, 0, 0, 0, 9, 9)),
    (b"tRNS", b"\x00" * 300),
    (b"PLTE", b"\x00" * 5),
    (b"pHYs", b"\x00"),
)


def mutate_image(data: bytes, rng: Random) -> bytes:
    """Return an image file with one or two parts changed."""
    for _ in range(rng.choice((1, 1, 2))):
        if data.startswith(SIGNATURE) and rng.random() < 0.8:
            data = _mutate_png(data, rng)
        elif data.startswith(b"\xff\xd8") and rng.random() < 0.6:
            data = _mutate_jpeg(data, rng)
        else:
            data = mutate_bytes(data, rng)
    return data


def _mutate_png(data: bytes, rng: Random) -> bytes:
    chunks = list(_png_chunks(data))
    if not chunks:
        return mutate_bytes(data, rng)
    row, kind = rng.randrange(len(chunks)), rng.randrange(7)
    name, content = chunks[row]
    if kind == 0:
        del chunks[row]
    elif kind == 1:
        chunks.insert(row, rng.choice(chunks))
    elif kind == 2:
        rng.shuffle(chunks)
    elif kind == 3:
        chunks.insert(row, rng.choice(EXTRA_CHUNKS))
    elif kind <= 5 and chunks[0][0] == b"IHDR" and len(chunks[0][1]) == 13:
        chunks[0] = (b"IHDR", _other_header(chunks[0][1], rng))
    else:
        chunks[row] = (name, mutate_bytes(content, rng))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(content)) + name + content + _checksum(name + content)
        for name, content in chunks
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = len(SIGNATURE)
    while place + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, place)
        yield data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        place += 12 + length


def _other_header(header: bytes, rng: Random) -> bytes:
    width, height, *rest = struct.unpack(">IIBBBBB", header)
    kind = rng.randrange(4)
    if kind == 0:
        width = rng.choice(SIDES)
    elif kind == 1:
        height = rng.choice(SIDES)
    else:
        rest[rng.randrange(len(rest))] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
    return struct.pack(">IIBBBBB", width, height, *rest)


def _checksum(data: bytes) -> bytes:
    return struct.pack(">I", zlib.crc32(data))


def _mutate_jpeg(data: bytes, rng: Random) -> bytes:
    """Change the content of one segment before the scan, and state its new length."""
    segments = list(_jpeg_segments(data))
    if not segments:
        return mutate_bytes(data, rng)
    start, end = rng.choice(segments)
    content = mutate_bytes(data[start + 4 : end], rng)[:65_000]
    head = data[start : start + 2] + struct.pack(">H", len(content) + 2)
    copies = rng.choice((0, 1, 1, 1, 2))
    return data[:start] + (head + content) * copies + data[end:]


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    place = 2
    while place + 4 <= len(data) and data[place] == 0xFF and data[place + 1] != 0xDA:
        end = place + 2 + struct.unpack_from(">H", data, place + 2)[0]
        yield place, end
        place = end
