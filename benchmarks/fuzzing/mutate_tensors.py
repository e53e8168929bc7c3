"""Mutations of files of tensors: safetensors and .npy."""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
from random import Random
from typing import Any

from .mutate_bytes import mutate_bytes
from .mutate_json import RAW, dump, mutate_json, nasty_value

CHECKSUM = re.compile(rb'"sha256": ?"(.{64})"', re.DOTALL)  # see ovdistill.core.checksums
DTYPES = ("F64", "F32", "F16", "BF16", "I64", "I32", "I8", "U8", "BOOL", "F8_E4M3", "C64", "X9", "")
SIDES = (0, 1, 2, 3, 7, 2**31, 2**32, 2**53, 2**62, -1)
FORMATS = {"F32": "<f", "F64": "<d", "F16": "<e", "I64": "<q", "I32": "<i"}
VALUES = (math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-8, 6e4, 3e38)
NUMBERS = (-1, 0, 1, 2, 2**31 - 1, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63))
NPY_HEADERS = (
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 1000000000000)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}",
    b"{'descr': '<f4', 'fortran_order': True, 'shape': (4, 3)}",
    b"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2)}",
    b"{'descr': '<c8', 'fortran_order': False, 'shape': (3, 2)}",
    b"{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
    b"{'descr': '<U3', 'fortran_order': False, 'shape': (3, 1)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': ()}",
    b"{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (3, 2)}",
    b"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4)}",
    b"{'descr': '<f4', 'shape': (3, 4)}",
    b"[" * 5000,
    b"__import__('os').system('touch ran-code')",
)


def mutate_safetensors(data: bytes, rng: Random) -> bytes:
    """Return a safetensors file with its bytes, metadata, tensor entries or values changed."""
    kind = rng.randrange(10)
    parsed = parse(data)
    if kind == 0 or parsed is None:
        return mutate_bytes(data, rng)
    header, payload = parsed
    if kind <= 4:
        _mutate_metadata(header.setdefault("__metadata__", {}), rng)
    elif kind <= 6:
        header = _mutate_entries(header, rng)
    else:
        payload = _mutate_values(header, payload, rng)
    return join(header, payload)


def mutate_npy(data: bytes, rng: Random) -> bytes:
    """Return a .npy file with its bytes, header or values changed."""
    kind = rng.randrange(4)
    length = struct.unpack_from("<H", data, 8)[0] if len(data) > 10 else 0
    header, payload = data[10 : 10 + length], data[10 + length :]
    if kind == 0 or not length:
        return mutate_bytes(data, rng)
    if kind == 1:
        header = rng.choice(NPY_HEADERS)
    elif kind == 2:
        header = mutate_bytes(header, rng)
    elif len(payload) >= 4:
        place = 4 * rng.randrange(len(payload) // 4)
        payload = payload[:place] + struct.pack("<f", rng.choice(VALUES)) + payload[place + 4 :]
    header = header[:60_000]
    return data[:8] + struct.pack("<H", len(header)) + header + payload


def in_order(data: bytes) -> bytes:
    """Return a safetensors file with its keys sorted; the library writes them in any order."""
    parsed = parse(data)
    assert parsed is not None, "not a safetensors file"
    header, payload = parsed
    metadata = {"__metadata__": dict(sorted(header.pop("__metadata__", {}).items()))}
    return join({**metadata, **dict(sorted(header.items()))}, payload)


def parse(data: bytes) -> tuple[dict[str, Any], bytes] | None:
    """Return header and payload of a safetensors file; None if it has lost its form."""
    try:
        (length,) = struct.unpack_from("<Q", data)
        header = json.loads(data[8 : 8 + length])
    except (struct.error, ValueError, RecursionError, OverflowError):
        return None
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        return None
    return header, data[8 + length :]


def join(header: Any, payload: bytes) -> bytes:
    """Return a safetensors file, with the right checksum where it states one."""
    text = dump(header)
    text += b" " * (-len(text) % 8)
    data = struct.pack("<Q", len(text)) + text + payload
    if not (stated := CHECKSUM.search(text)):
        return data
    start = 8 + stated.start(1)
    before, behind = data[:start], data[start + 64 :]
    digest = hashlib.sha256(before + b"0" * 64 + behind).hexdigest()
    return before + digest.encode() + behind


def _mutate_metadata(metadata: dict[str, Any], rng: Random) -> None:
    """Change one text of the metadata; most of them hold JSON, which is mutated as such."""
    if not metadata or rng.random() < 0.1:
        metadata[str(nasty_value(rng))] = nasty_value(rng)
        return
    key = rng.choice(list(metadata))
    choice = rng.random()
    if choice < 0.15:
        del metadata[key]
        return
    try:
        value = json.loads(metadata[key])
    except (TypeError, ValueError, RecursionError):
        metadata[key] = rng.choice((nasty_value(rng), str(nasty_value(rng))))
        return
    changed = mutate_json(value, rng) if choice < 0.8 else nasty_value(rng)
    metadata[key] = dump(changed).decode()[: len(max(RAW.values(), key=len)) + 10_000]


def _mutate_entries(header: dict[str, Any], rng: Random) -> Any:
    """Change name, dtype, shape or offsets of a tensor, or anything in the header."""
    names = [name for name in header if name != "__metadata__"]
    entry = header[rng.choice(names)] if names else None
    kind = rng.randrange(6)
    if not isinstance(entry, dict) or kind == 0:
        return mutate_json(header, rng)
    if kind == 1:
        entry["dtype"] = rng.choice(DTYPES)
    elif kind == 2 and isinstance(entry.get("shape"), list):
        entry["shape"] = _other_shape(entry["shape"], rng)
    elif kind == 3:
        entry["data_offsets"] = [rng.choice((0, 1, 8, 64, 2**63, -1)) for _ in range(2)]
    elif kind == 4:
        other = rng.choice(names)
        name = rng.choice(names)
        header[other], header[name] = header[name], header[other]
    else:
        header[rng.choice((*names, "extra", ""))] = header.pop(rng.choice(names))
    return header


def _other_shape(shape: list[Any], rng: Random) -> list[Any]:
    """Return another shape, often one of as many values."""
    kind = rng.randrange(4)
    if kind == 0:
        return [*shape, 1]
    if kind == 1:
        return shape[::-1]
    if kind == 2 and all(isinstance(side, int) for side in shape):
        return [math.prod(shape)]
    return [rng.choice(SIDES) for _ in range(rng.randrange(4))]


def _mutate_values(header: dict[str, Any], payload: bytes, rng: Random) -> bytes:
    """Write odd numbers into a tensor."""
    entries = [entry for name, entry in header.items() if name != "__metadata__"]
    entry = rng.choice(entries) if entries else None
    form = FORMATS.get(str(entry.get("dtype"))) if isinstance(entry, dict) else None
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if form is None or not isinstance(offsets, list) or len(offsets) != 2:
        return mutate_bytes(payload, rng)
    size = struct.calcsize(form)
    changed = bytearray(payload)
    for _ in range(rng.choice((1, 1, 3))):
        value = rng.choice(VALUES if form[1] in "fde" else NUMBERS)
        if form[1] == "i":
            value = max(-(2**31), min(2**31 - 1, value))
        try:
            place = rng.randrange(offsets[0], offsets[1] - size + 1, size)
            struct.pack_into(form, changed, place, value)
        except (TypeError, ValueError, OverflowError, struct.error):
            return mutate_bytes(payload, rng)  # offsets that an earlier mutation has changed
    return bytes(changed)
