"""Say what a file seems to be that is not an image which can be read."""

from __future__ import annotations

import os
import re

HEAD = 1024  # bytes that are looked at
# beginnings of files that people take for images, and what to do
KINDS = (
    (rb"\s*(<!doctype html|<html)", "a web page; fetch the image itself"),
    (rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*(<!doctype svg|<svg)", "an SVG drawing; export a PNG"),
    (rb"....ftyp(heic|heix|heim|heis|hevc|mif1|msf1)", "HEIC; convert it to JPEG or PNG"),
    (rb"....ftyp(avif|avis)", "AVIF, which this Pillow cannot read; convert it to JPEG or PNG"),
    (
        rb"....ftyp|\x1a\x45\xdf\xa3",
        "a video; use `ovdistill predict` or `Detector.predict_video`",
    ),
    (rb"%PDF", "a PDF document; export a PNG"),
    (rb"version https://git-lfs", "a pointer of Git LFS; run `git lfs pull`"),
    (rb"PK\x03\x04|\x1f\x8b|Rar!|7z\xbc\xaf", "an archive; unpack it"),
)
EXPECTED = "expected a common format (JPEG, PNG, WebP, TIFF, BMP)"


def describe_file(path: str | os.PathLike[str]) -> str:
    """Return what a file seems to be, and what was expected; a phrase for an error message.

    Args:
        path: a regular file.
    """
    try:
        with open(path, "rb") as file:
            return describe_bytes(file.read(HEAD))
    except OSError as error:
        return str(error.strerror)


def describe_bytes(content: bytes) -> str:
    """Return what the content of a file seems to be; see ``describe_file``.

    Args:
        content: the file, or its beginning.
    """
    head = content[:HEAD]
    if not head:
        return f"it is empty (0 bytes); {EXPECTED}"
    for pattern, kind in KINDS:
        if re.match(pattern, head, flags=re.IGNORECASE | re.DOTALL):
            return f"it seems to be {kind}"
    return f"cannot identify an image in it (damaged, or another kind of file); {EXPECTED}"
