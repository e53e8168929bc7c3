"""Encodes masks in the run-length form of Label Studio's brush.

The form is that of thi.ng/rle-pack, a stream of bits: the number of values (32), the bits of a
value less one (5), four sizes of run lengths in bits, each less one (4 x 4), and the runs. A run is
a 1, the index of its size (2), its length less one (in that size) and its value. Values are those
of an RGBA image, row by row.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

CHANNELS = 4
VALUE_BITS = 8
LENGTH_BITS = (3, 4, 8, 16)
LONGEST_RUN = 1 << LENGTH_BITS[-1]


def brush_rle(mask: np.ndarray) -> bytes:
    """Return a mask as an encoded image, opaque and white where the mask is.

    Args:
        mask: (H, W) bool.
    """
    sizes = "".join(f"{bits - 1:04b}" for bits in LENGTH_BITS)
    header = f"{CHANNELS * mask.size:032b}{VALUE_BITS - 1:05b}{sizes}"
    stream = header + "".join(_encode(length, value) for length, value in _runs(mask))
    bits = np.frombuffer(stream.encode(), dtype=np.uint8) - ord("0")
    return np.packbits(bits).tobytes()


def _runs(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield length and value, 0 or 255, of each run of equal values."""
    pixels = mask.ravel()
    starts = np.concatenate([[0], np.flatnonzero(pixels[1:] != pixels[:-1]) + 1])
    lengths = CHANNELS * np.diff(starts, append=pixels.size)
    for length, value in zip(lengths.tolist(), pixels[starts].tolist(), strict=True):
        while length > 0:
            yield min(length, LONGEST_RUN), 255 * value
            length -= LONGEST_RUN


def _encode(length: int, value: int) -> str:
    """Return the bits of a run."""
    index = next(i for i, bits in enumerate(LENGTH_BITS) if length <= 1 << bits)
    return f"1{index:02b}{length - 1:0{LENGTH_BITS[index]}b}{value:0{VALUE_BITS}b}"
