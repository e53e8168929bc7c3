"""Mutations of .pth files: the zip, its entries, and pickles that would run code if they could.

Code that runs leaves the file ``MARKER`` in the working folder, which ``worker.py`` looks for.
"""

from __future__ import annotations

import io
import pickletools
import re
import struct
import zipfile
from collections.abc import Iterable
from functools import lru_cache
from random import Random

from .mutate_bytes import mutate_bytes
from .mutate_json import TEXTS

MARKER = "ran-code"
CODE = f"open('{MARKER}', 'w')"
GLOBALS = (
    *("builtins exec", "builtins eval", "builtins getattr", "builtins setattr", "builtins open"),
    *("builtins __import__", "builtins bytearray", "builtins dict", "builtins print"),
    *("posix system", "os system", "os popen", "subprocess Popen", "runpy _run_code", "pty spawn"),
    *("torch load", "torch.hub load", "torch.serialization load", "torch Size", "torch Tensor"),
    *("torch FloatStorage", "torch.storage UntypedStorage", "torch._utils _rebuild_tensor_v2"),
    *("torch._utils _rebuild_parameter", "torch._utils _rebuild_qtensor", "torch.nn Linear"),
    *("collections OrderedDict", "collections Counter", "codecs encode", "_codecs encode"),
    *("numpy dtype", "numpy ndarray", "numpy.core.multiarray _reconstruct", "numpy load"),
    *("numpy._core.multiarray scalar", "numpy._core.multiarray _reconstruct", "numpy fromfile"),
    "mmengine.logging.history_buffer HistoryBuffer",
    "mmengine.config Config",
)
GLOBAL = re.compile(rb"c([\w.]{1,60})\n([\w.]{1,60})\n")


def text(value: str) -> bytes:
    """Return the opcodes that push a text."""
    encoded = value.encode("utf-8", "replace")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def call(name: str, *arguments: bytes) -> bytes:
    """Return the opcodes that push the result of a call: "module name", pushed arguments."""
    module, short = name.split(" ")
    return f"c{module}\n{short}\n(".encode() + b"".join(arguments) + b"tR"


def _number(value: int) -> bytes:
    return f"I{value}\n".encode()


def _hidden_eval() -> bytes:
    """Return a chain that reaches ``eval`` where ``getattr`` and a class of mmengine are allowed.

    The dict of builtins is an attribute of every Python function. It becomes the attributes of one
    buffer; ``eval`` of it becomes the method ``update`` of another; and a third one calls that,
    with our text, when its own state is set.
    """
    buffer = b"cmmengine.logging.history_buffer\nHistoryBuffer\n"

    def attribute(of: bytes, name: str) -> bytes:
        return call("builtins getattr", of, text(name))

    def get(number: int) -> bytes:
        return b"j" + struct.pack("<I", number)

    def new(number: int) -> bytes:
        return buffer + b")Rr" + struct.pack("<I", number)

    first, second, third = 90_001, 90_002, 90_003
    function = attribute(buffer, "__init__")
    code = new(first) + attribute(function, "__builtins__") + b"b"
    evaluate = attribute(get(first), "eval")
    code += new(second) + b"}" + text("update") + evaluate + b"sb"
    code += new(third) + b"}" + text("_statistics_methods") + get(second) + b"s"
    code += text("_set_default_statistics") + attribute(get(first), "dict") + b"sb"
    return code + b"}" + text("statistics_methods") + text(CODE) + b"sb\x87"


SIZES = (
    b"(I2\nI3\nt",
    b"(I1000000\nI1000000\nt",
    b"(I-1\nI3\nt",
    b"(t",
    b"(I9223372036854775807\nt",
)
ATTACKS = (
    call("posix system", text(f"touch {MARKER}")),
    call("subprocess Popen", b"(" + text("touch") + text(MARKER) + b"l"),
    call("builtins exec", text(CODE)),
    call("builtins eval", text(CODE)),
    call("builtins open", text(MARKER), text("w")),
    call("numpy.core.multiarray _reconstruct", b"cnumpy\nndarray\n", b"(I3\nt", text("b")),
    call("numpy dtype", text("O8"), b"I00\n", b"I01\n"),
    call("torch load", text(MARKER)),
    call("collections OrderedDict", b"(" + text("a") + b"N\x86l"),
    call("codecs encode", text("a"), text("rot13")),
    call("builtins bytearray", _number(10**11)),
    call("builtins getattr", b"cbuiltins\ndict\n", text("__subclasses__")),
    call("torch.storage UntypedStorage", _number(10**12)),
    call("torch FloatStorage", _number(10**12)),
    call(
        "torch._utils _rebuild_tensor_v2", text("no storage"), _number(0), b"(t", b"(t", b"I00\nN"
    ),
    *(call("torch Size", size) for size in SIZES),
    b"ccollections\nOrderedDict\n)R}" + text("__class__") + text("x") + b"sb",
    _hidden_eval(),
)


def mutate_checkpoint(data: bytes, rng: Random) -> bytes:
    """Return a .pth file with its bytes, its zip entries or its pickle changed."""
    if rng.random() < 0.2:
        return mutate_bytes(data, rng)
    entries = unzipped(data)
    if entries is None:
        return mutate_pickle(data, rng)  # the format before zip: pickles one after the other
    entries = list(entries)
    kind = rng.randrange(10)
    if kind == 0:
        del entries[rng.randrange(len(entries))]
    elif kind == 1:
        entries.append(rng.choice(entries))
    elif kind == 2:
        row = rng.randrange(len(entries))
        entries[row] = (rng.choice(entries)[0] + rng.choice(("", "x", "/../x")), entries[row][1])
    elif kind == 3:
        row = rng.randrange(len(entries))
        entries[row] = (entries[row][0], mutate_bytes(entries[row][1], rng))
    else:
        entries = [
            (name, mutate_pickle(content, rng) if name.endswith("data.pkl") else content)
            for name, content in entries
        ]
    return rebuilt(entries, zipfile.ZIP_DEFLATED if rng.random() < 0.05 else zipfile.ZIP_STORED)


def mutate_pickle(data: bytes, rng: Random) -> bytes:
    """Return a pickle with an attack put in, another global or text, or changed bytes."""
    kind = rng.randrange(10)
    places = _op_places(data)
    if kind == 0 or not places:
        return mutate_bytes(data, rng)
    if kind <= 4:  # at the beginning the result of an attack lies below all else, out of the way
        place = rng.choice((places[0], rng.choice(places)))
        return data[:place] + rng.choice(ATTACKS) + data[place:]
    if kind <= 6 and (found := list(GLOBAL.finditer(data))):
        match = rng.choice(found)
        name = rng.choice(GLOBALS).replace(" ", "\n").encode()
        return data[: match.start() + 1] + name + b"\n" + data[match.end() :]
    if kind == 7:
        return _other_text(data, rng)
    start, end = sorted(rng.choices(places, k=2))  # whole opcodes, dropped or repeated
    return data[:start] + (b"" if kind == 8 else data[start:end] * 2) + data[end:]


def _other_text(data: bytes, rng: Random) -> bytes:
    found = [match.start() for match in re.finditer(rb"X.\x00\x00\x00", data, re.DOTALL)]
    if not found:
        return mutate_bytes(data, rng)
    place = rng.choice(found)
    return data[:place] + text(rng.choice(TEXTS)) + data[place + 5 + data[place + 1] :]


@lru_cache(maxsize=64)
def _op_places(data: bytes) -> tuple[int, ...]:
    """Return where the opcodes of a pickle begin, up to the first that is none."""
    places = []
    try:
        for _, _, place in pickletools.genops(data):
            places.append(place or 0)
    except Exception:  # pickletools raises what the broken opcode makes it raise
        return ()
    return tuple(places[1:])  # behind the first, which states the protocol


@lru_cache(maxsize=64)
def unzipped(data: bytes) -> tuple[tuple[str, bytes], ...] | None:
    """Return the parts of a zip archive by name, in their order; None if it is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return tuple((name, archive.read(name)) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError, RuntimeError):
        return None


def rebuilt(entries: Iterable[tuple[str, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    """Return a zip archive of named parts, with the right checksum of each."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            # a fixed date, so that the same number is the same file
            archive.writestr(zipfile.ZipInfo(name), content, compression)
    return file.getvalue()
